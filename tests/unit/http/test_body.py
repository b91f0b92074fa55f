import gzip
import os
import tracemalloc
import zlib

import pytest
from starlette.requests import Request

from tallystick.core.errors import TooLarge
from tallystick.http.body import MOST_GZIP_MEMBERS, MalformedBody, UnsupportedEncoding, read_body

MIB = 1024 * 1024


def request(*chunks: bytes, encoding: str | None = None) -> Request:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [(b"content-encoding", encoding.encode())] if encoding else []

    async def receive():
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize("encoding", [None, "", "identity", "Identity"])
async def test_a_plain_body_arrives_as_it_is(encoding):
    assert await read_body(request(b"one ", b"two", encoding=encoding), 100) == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_a_gzip_body_arrives_decompressed(encoding, size):
    body = os.urandom(5000) + b"a" * 50_000
    assert await read_body(request(*pieces(gzip.compress(body), size), encoding=encoding), MIB) == body


@pytest.mark.parametrize("size", [1, 33, 100_000])
async def test_gzip_members_follow_each_other(size):
    body = gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three")
    assert await read_body(request(*pieces(body, size), encoding="gzip"), 100) == b"one two three"


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_no_body_is_an_empty_one(encoding):
    assert await read_body(request(encoding=encoding), 100) == b""


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_the_limit_itself_is_allowed(encoding):
    body = b"a" * 1000
    sent = gzip.compress(body) if encoding else body
    assert await read_body(request(sent, encoding=encoding), 1000) == body


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_one_byte_more_is_refused(encoding):
    body = b"a" * 1001
    sent = gzip.compress(body) if encoding else body
    with pytest.raises(TooLarge, match="more than 1000 bytes"):
        await read_body(request(sent, encoding=encoding), 1000)


async def test_a_gzip_bomb_is_stopped_before_it_fills_the_memory():
    bomb = gzip.compress(bytes(200 * MIB), 9)
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await read_body(request(bomb, encoding="gzip"), MIB)
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


async def test_endless_empty_members_are_refused():
    empty = gzip.compress(b"") * (MOST_GZIP_MEMBERS + 1)
    with pytest.raises(MalformedBody, match="members"):
        await read_body(request(empty, encoding="gzip"), MIB)


async def test_a_truncated_gzip_body_is_refused():
    whole = gzip.compress(b"an event that is whole" * 100)
    with pytest.raises(MalformedBody, match="ends early"):
        await read_body(request(whole[:-3], encoding="gzip"), MIB)


NOT_GZIP = [b"{}", zlib.compress(b"{}"), gzip.compress(b"{}", mtime=0) + b"garbage"]
"""Without the time of day, which would be part of the test's name, and another one in each worker."""


@pytest.mark.parametrize("body", NOT_GZIP)
async def test_what_is_not_gzip_is_refused(body):
    with pytest.raises(MalformedBody, match="not gzip"):
        await read_body(request(body, encoding="gzip"), MIB)


async def test_a_damaged_gzip_body_is_refused():
    body = bytearray(gzip.compress(b"an event that is whole" * 100))
    body[-6] ^= 1  # in the checksum
    with pytest.raises(MalformedBody):
        await read_body(request(bytes(body), encoding="gzip"), MIB)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
async def test_other_encodings_are_refused_with_what_is_allowed(encoding):
    with pytest.raises(UnsupportedEncoding, match="use gzip or none") as refused:
        await read_body(request(b"x", encoding=encoding), MIB)
    assert refused.value.headers == {"Accept-Encoding": "gzip"}
