"""Dev mode asks for no key, so it has to be sure that only this machine asks.

The address alone does not say so: a web page anywhere can make the browser of this machine send requests
here, under its own name (DNS rebinding) or across sites. Hence three checks on every request.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

from tallystick.core.errors import Forbidden


def is_loopback(host: str) -> bool:
    """Whether the text is `localhost` or an address of this machine that no other can reach."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_this_machine(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    """Pass when the request comes from this machine and from no other site's page.

    Raises:
        Forbidden: the peer, the Host header or the Origin header is of elsewhere.
    """
    client = scope.get("client")
    if client is None or not is_loopback(client[0]):
        raise Forbidden("dev mode answers this machine alone; start without --dev and use an API key")
    if not is_loopback(_hostname("//" + headers.get(b"host", b"").decode("latin-1"))):
        raise Forbidden("dev mode answers to localhost, 127.0.0.1 and [::1]; the Host header names another")
    origin = headers.get(b"origin")
    if origin is not None and not is_loopback(_hostname(origin.decode("latin-1"))):
        raise Forbidden("dev mode answers no other site's page; the Origin header names one")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
