"""No client keeps a connection by sending nothing, sending slowly, or not reading."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tallystick.api import connections
from tallystick.api.connections import Connection

SOON = 0.3
PATIENCE = 60
HUGE = b"x" * (64 * 1024 * 1024)


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    body = HUGE if scope["path"] == "/huge" else b"hello"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Quiet(uvicorn.Server):
    """A server that leaves signals alone."""

    def install_signal_handlers(self) -> None:
        """Nothing."""


@asynccontextmanager
async def listening(**options) -> AsyncIterator[tuple[str, int]]:
    """The address of a server with these connections on a free port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    config = uvicorn.Config(answering, http=Connection, lifespan="off", log_config=None, **options)
    server = Quiet(config)
    running = asyncio.create_task(server.serve([bound]))
    try:
        yield bound.getsockname()
    finally:
        server.should_exit = server.force_exit = True
        await running
        bound.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(connections, "READ_SECONDS", SOON)


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server has ended the connection, waited for with generous patience."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.read() == b""
    except ConnectionError:
        return True


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(5)


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:", b"\r\n\r\n"])
async def test_a_head_that_never_ends_does_not_keep_the_connection(hurried: None, sent: bytes) -> None:
    async with listening() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        assert await closed(reader)
        writer.close()


@pytest.mark.parametrize("sent", [b"G", b"\r\n", b"GET / HTTP/1.1\r\nX-Slow:"])
async def test_neither_does_the_next_one_on_a_connection_that_is_kept_alive(hurried: None, sent: bytes) -> None:
    async with listening(timeout_keep_alive=PATIENCE) as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await read_answer(reader)).endswith(b"hello")
        writer.write(sent)
        assert await closed(reader)
        writer.close()


async def test_an_idle_connection_is_kept_alive_as_long_as_it_should(hurried: None) -> None:
    async with listening(timeout_keep_alive=PATIENCE) as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await read_answer(reader)).endswith(b"hello")
            await asyncio.sleep(SOON * 3)
        writer.close()


async def test_requests_that_follow_each_other_without_waiting_are_all_answered(hurried: None) -> None:
    async with listening() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        for _ in range(20):
            assert (await read_answer(reader)).endswith(b"hello")
        writer.close()


async def test_an_answer_that_nobody_reads_is_thrown_away_with_its_connection(
    hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()
    ends = Connection.connection_lost

    def ended(self: Connection, error: Exception | None) -> None:
        ends(self, error)
        lost.set()

    monkeypatch.setattr(Connection, "connection_lost", ended)
    async with listening() as address:
        _, writer = await asyncio.open_connection(*address, limit=1)
        writer.write(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await lost.wait()
        writer.close()


async def test_one_connection_too_many_is_told_so_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "most", 2)
    async with listening() as address:
        kept = [await asyncio.open_connection(*address) for _ in range(2)]
        for _, writer in kept:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for reader, _ in kept:
            await read_answer(reader)
        refused, other = await asyncio.open_connection(*address)
        said = await refused.read()
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in said
        for writer in (other, *(writer for _, writer in kept)):
            writer.close()


def test_the_process_takes_as_many_connections_as_it_may_have_files() -> None:
    assert 1 <= connections.raise_file_limit() <= connections.MOST_CONNECTIONS
