"""The built dashboard as it lies in the package: read once, then looked up by name, so no path reaches a file."""

import gzip
import hashlib
import mimetypes
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "assets"
"""Where `tools/web.py` puts what it builds, and where the wheel has it."""

INDEX = "/index.html"
HASHED = "/assets/"
"""What is below has a digest of its content in its name, and so never changes."""

WORTH_COMPRESSING = 1024
_TEXT = re.compile(r"text/|application/(javascript|json|manifest\+json|xml)|image/svg")
_INLINE = re.compile(rb"<script(?![^>]*\bsrc\b)[^>]*>(.*?)</script>", re.DOTALL)

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("application/manifest+json", ".webmanifest")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.

    Attributes:
        content: its bytes.
        compressed: the same by gzip; None where that saves nothing.
        media_type: what it is.
        tag: a digest of the content, as an entity tag.
        immutable: a browser may keep it for ever.
    """

    content: bytes
    compressed: bytes | None
    media_type: str
    tag: str
    immutable: bool


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is anything to serve."""
    return (folder / INDEX[1:]).is_file()


def load(folder: Path = FOLDER) -> Mapping[str, Asset]:
    """The files in the folder, by the path that a browser asks for. Empty: nothing was built."""
    return dict(_files(folder)) if is_built(folder) else {}


def inline_scripts(page: bytes) -> list[str]:
    """The digests of the scripts within a page, as a Content-Security-Policy names them."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(page))
    return [f"'sha256-{b64encode(digest).decode()}'" for digest in digests]


def _files(folder: Path) -> Iterator[tuple[str, Asset]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            name = "/" + path.relative_to(folder).as_posix()
            yield name, _asset(name, path.read_bytes())


def _asset(name: str, content: bytes) -> Asset:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    text = _TEXT.match(kind) is not None
    compressed = gzip.compress(content, 9, mtime=0) if text and len(content) >= WORTH_COMPRESSING else None
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Asset(content, compressed, f"{kind}; charset=utf-8" if text else kind, tag, name.startswith(HASHED))
