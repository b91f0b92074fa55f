"""Request bodies of bounded size, gzip or plain."""

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec
from starlette.requests import Request

from tallystick.core.errors import TallystickError, TooLarge
from tallystick.http.capacity import HELD, Held

MOST_GZIP_MEMBERS = 4096
"""A body of endless empty members would cost time without ever growing."""

_GZIP = 16 + zlib.MAX_WBITS


class MalformedBody(TallystickError):
    """The body can't be read at all."""

    code = "malformed_body"
    status = 400


class UnsupportedEncoding(TallystickError):
    """The body is compressed in a way that is not read here."""

    code = "unsupported_media_type"
    status = 415
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({"Accept-Encoding": "gzip"})


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, decompressed.

    Args:
        request: not read yet.
        limit: most bytes, compressed and decompressed. What is decompressed is counted among what is held, too.

    Raises:
        HTTPException: 503; other requests hold too much.
        TooLarge: it has more; no more than that is ever held in memory.
        MalformedBody: the gzip data is broken or ends early.
        UnsupportedEncoding: Content-Encoding is something else than gzip.
    """
    held: Held | None = request.scope.get(HELD)
    reader = _reader(request.headers.get("content-encoding", ""), limit, held)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        reader.feed(chunk)
    return reader.finish()


async def members_of(request: Request) -> dict[str, msgspec.Raw]:
    """The members of a JSON object as they were spelled, for what a model would not keep: every digit of a number.

    Raises:
        MalformedBody: the body is no JSON object.
    """
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"the body is not a JSON object: {error}") from None


def too_large(limit: int) -> TooLarge:
    """The error of a body of more than `limit` bytes."""
    return TooLarge(f"the body has more than {limit} bytes, the most of one request (TALLYSTICK_MAX_BODY_BYTES)")


def _reader(encoding: str, limit: int, held: Held | None) -> "_Plain | _Gunzip":
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gunzip(limit, held)
        case other:
            raise UnsupportedEncoding(f"Content-Encoding {other!r} is not read here; use gzip or none")


class _Plain:
    """Takes the chunks as they are."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        self._parts.append(chunk)

    def finish(self) -> bytes:
        return b"".join(self._parts)


class _Gunzip:
    """Decompresses step by step and stops at the first byte over the limit."""

    def __init__(self, limit: int, held: Held | None) -> None:
        self._held = held
        self._limit = limit
        self._left = limit
        self._parts: list[bytes] = []
        self._members = 1
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        while chunk:
            if self._member.eof:
                self._next_member()
            self._begun = True
            chunk = self._decompress(chunk)

    def finish(self) -> bytes:
        if self._begun and not self._member.eof:
            raise MalformedBody("the gzip body ends early; send it whole")
        return b"".join(self._parts)

    def _decompress(self, chunk: bytes) -> bytes:
        try:
            part = self._member.decompress(chunk, self._left + 1)
        except zlib.error as error:
            raise MalformedBody(f"the body is not gzip: {error}") from None
        if len(part) > self._left:
            raise too_large(self._limit)
        if self._held is not None:
            self._held.take(len(part))
        self._left -= len(part)
        self._parts.append(part)
        return self._member.unused_data or self._member.unconsumed_tail

    def _next_member(self) -> None:
        self._members += 1
        if self._members > MOST_GZIP_MEMBERS:
            raise MalformedBody(f"the gzip body has more than {MOST_GZIP_MEMBERS} members")
        self._member = zlib.decompressobj(_GZIP)
