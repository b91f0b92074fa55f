"""Real receivers on loopback: an HTTP server that behaves as badly as it is told to, and an SMTP server."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ssl import SSLContext
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


@dataclass(frozen=True)
class Request:
    """What arrived over HTTP."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answering(status: int = 200, *, headers: str = "", body: bytes = b"") -> Behaviour:
    """Answer like that."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return behave


async def hanging(_: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def endless(writer: asyncio.StreamWriter) -> None:
    """Say 200, then send for as long as somebody reads."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def dripping(writer: asyncio.StreamWriter) -> None:
    """Say 200 and announce a body that never comes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\nx")
    await writer.drain()
    await asyncio.Event().wait()


async def cutting(writer: asyncio.StreamWriter) -> None:
    """Break off without an answer."""
    writer.transport.abort()


async def babbling(writer: asyncio.StreamWriter) -> None:
    """Answer something that is not HTTP."""
    writer.write(b"\x00\xff" * 4096 + b"\r\n\r\n")
    await writer.drain()


@dataclass
class Receiver:
    """An HTTP server that keeps what it was sent."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    behaviour: Behaviour = field(default_factory=answering)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/s3cr3t-path"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                self.requests.append(await _read(reader))
                self.arrived.set()
                await self.behaviour(writer)
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def receiver(tls: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver while the block runs."""
    one = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(one.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest if each)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line, headers, body)


@dataclass
class Mailbox:
    """An SMTP server that keeps what it was handed. `answers` are given first, in turn, instead of taking mail."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    hang: bool = False

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: object, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if answer := self.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802
        if self.hang:
            await asyncio.Event().wait()
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def authenticate(self, _server: object, _session: object, _envelope: object, _how: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def mailbox(*, login: bool = False) -> AsyncIterator[Mailbox]:
    """A mail server while the block runs; with `login` it takes mail only from who logs in."""
    one = Mailbox()

    def factory() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # that passwords travel in the clear
            return SMTP(
                one,
                hostname="mail.test",
                authenticator=one.authenticate,
                auth_required=login,
                auth_require_tls=False,
            )

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
