"""What a browser is told about the pages: where scripts come from, whom they talk to, and who may frame them."""

import re
from collections.abc import Mapping, Sequence

from tallystick.core.errors import ConfigurationError

NOBODY = "'none'"
THIS_MACHINE = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:(\d{1,5}|\*))?", re.IGNORECASE)
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def origins(text: str | None) -> tuple[str, ...]:
    """The origins in a setting, separated by commas or spaces: `https://app.example.com, https://*.example.org`.

    Raises:
        ConfigurationError: one is no origin; a bare `*` is none, since it would let every site in.
    """
    found = tuple((text or "").replace(",", " ").split())
    for each in found:
        if not _ORIGIN.fullmatch(each):
            raise ConfigurationError(
                f"TALLYSTICK_EMBED_ORIGINS: {each!r} is not an origin; write https://app.example.com, "
                "with *. before the name for all below it, and no path"
            )
    return found


def matching(allowed: Sequence[str]) -> str | None:
    """A regular expression of these origins, for the answers to requests across them; None: there is none."""
    return "|".join(_expression(each) for each in allowed) or None


def page_headers(scripts: Sequence[str], framed_by: Sequence[str] = ()) -> Mapping[str, str]:
    """The headers of a page.

    Args:
        scripts: digests of the scripts within it; all others come from this server.
        framed_by: origins whose pages may show it in a frame; none: nobody may.
    """
    ancestors = " ".join(framed_by) or NOBODY
    policy = {
        "default-src": NOBODY,
        "script-src": " ".join(("'self'", *scripts)),
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": NOBODY,
        "form-action": NOBODY,
        "frame-ancestors": ancestors,
    }
    headers = {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()), **_COMMON}
    if not framed_by:
        headers |= {"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin"}
    return headers


def file_headers() -> Mapping[str, str]:
    """The headers of everything that is no page."""
    return _COMMON


def _expression(origin: str) -> str:
    return re.escape(origin).replace(r"//\*\.", r"//([a-z0-9-]+\.)+").replace(r":\*", r"(:\d+)?")
