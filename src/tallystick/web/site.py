"""ASGI: the dashboard's files, and its first page for every address within it.

It has no database and no state: whatever path gets here, there is nothing but these files to be had. The gate
hands it what it `takes` before anything is asked of the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tallystick.web import assets, policy
from tallystick.web.assets import HASHED, INDEX, Asset
from tallystick.web.missing import PAGE

EMBEDDED = "/embed/"
"""The pages that other sites may show in a frame."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Site:
    """The dashboard.

    Attributes:
        files: what was built, by path; empty: nothing was.
        reserved: first parts of paths that are the API's, whatever follows.
        framed_by: origins whose pages may frame what is below `/embed/`.
    """

    files: Mapping[str, Asset]
    reserved: frozenset[str]
    framed_by: Sequence[str] = ()
    _page: Mapping[str, str] = field(init=False, repr=False)
    _embedded: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        scripts = assets.inline_scripts(self.files[INDEX].content) if self.files else []
        object.__setattr__(self, "_page", policy.page_headers(scripts))
        object.__setattr__(self, "_embedded", policy.page_headers(scripts, self.framed_by))

    @classmethod
    def open(cls, reserved: frozenset[str], framed_by: Sequence[str] = ()) -> Self:
        """The dashboard as it was built."""
        return cls(assets.load(), reserved, framed_by)

    def takes(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Whether this request is for a page or a file, and not for the API.

        A page within the dashboard is told from a mistyped address of the API by what is asked for: browsers ask
        for HTML, programs don't.
        """
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or path[1:].partition("/")[0] in self.reserved:
            return False
        known = path == "/" or path in self.files or path.startswith(HASHED)
        return known or b"text/html" in headers.get(b"accept", b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        await self._answer(scope["path"], dict(scope["headers"]))(scope, receive, send)

    def _answer(self, path: str, headers: Mapping[bytes, bytes]) -> Response:
        if (asset := self.files.get(path)) is not None and path != INDEX:
            return _sent(asset, headers, policy.file_headers())
        if path.startswith(HASHED):
            return Response("not here (any more): load the page again\n", 404, policy.file_headers(), "text/plain")
        page = self._embedded if path.startswith(EMBEDDED) else self._page
        if not self.files:
            return Response(PAGE, 404, {**page, "Cache-Control": "no-store"}, "text/html")
        return _sent(self.files[INDEX], headers, page)


def _sent(asset: Asset, asked: Mapping[bytes, bytes], headers: Mapping[str, str]) -> Response:
    """The file, or that the browser has it."""
    told = {**headers, "ETag": asset.tag, "Cache-Control": FOR_EVER if asset.immutable else ASK_AGAIN}
    if asset.compressed is not None:
        told["Vary"] = "Accept-Encoding"
    if asset.tag in asked.get(b"if-none-match", b"").decode("latin-1"):
        return Response(status_code=304, headers=told)
    if asset.compressed is None or b"gzip" not in asked.get(b"accept-encoding", b""):
        return Response(asset.content, headers=told, media_type=asset.media_type)
    return Response(asset.compressed, headers={**told, "Content-Encoding": "gzip"}, media_type=asset.media_type)
