"""The fake over HTTP, on loopback: in a thread of a test, or as a process of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import uvicorn
import uvloop
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tallystick.integrations.stripe.fake.account import FakeStripe, Setting
from tallystick.integrations.stripe.fake.control import PREFIX, Control
from tallystick.integrations.stripe.fake.exchange import Answer, Exchange, Request

LOOPBACK = "127.0.0.1"
_TICK = 0.02
_CUT = "tallystick.cut"


class Application:
    """The fake as an ASGI application."""

    def __init__(self, account: FakeStripe) -> None:
        self._exchange = Exchange(account)
        self._control = Control(account)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or cut its connection."""
        request = Request(
            scope["method"], scope["path"], scope["query_string"], dict(scope["headers"]), await _body(receive)
        )
        if request.path.startswith(PREFIX):
            answer: Answer | None = self._control.answer(request)
        else:
            answer = await self._exchange.answer(request)
        if answer is None:
            scope["extensions"][_CUT]()
            return
        length = (b"content-length", str(len(answer.body)).encode())
        start: Message = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})


class RunningFake:
    """A fake that answers at `url`."""

    def __init__(self, account: FakeStripe, url: str, settled: threading.Condition) -> None:
        self.account = account
        self.url = url
        self._settled = settled

    @property
    def base_addresses(self) -> dict[str, str]:
        """What the SDK's client is given so that it talks to the fake and to nobody else."""
        return dict.fromkeys(("api", "connect", "files", "meter_events"), self.url)

    def settle(self, timeout: float = 60) -> None:
        """Wait until every delivery that is due was tried.

        Raises:
            TimeoutError: an endpoint keeps them waiting.
        """
        with self._settled:
            if not self._settled.wait_for(self._is_idle, timeout):
                raise TimeoutError("deliveries of the fake Stripe are still under way")

    def _is_idle(self) -> bool:
        with self.account.lock:
            return not self.account.told.outgoing and self.account.deliveries.is_idle


@contextmanager
def running(account: FakeStripe | Setting | None = None, *, port: int = 0) -> Iterator[RunningFake]:
    """Run a fake in a thread, on a free port of loopback, until the block is left."""
    account = account if isinstance(account, FakeStripe) else FakeStripe(account)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(1024)
        thread = _Thread(account, listening)
        thread.start()
        try:
            thread.ready.wait()
            yield RunningFake(account, f"http://{LOOPBACK}:{listening.getsockname()[1]}", thread.settled)
        finally:
            thread.stop()


class _Thread(threading.Thread):
    def __init__(self, account: FakeStripe, listening: socket.socket) -> None:
        super().__init__(name="fake-stripe", daemon=True)
        self._account = account
        self._listening = listening
        self.ready = threading.Event()
        self.settled = threading.Condition()
        self._server = _Server(_configured(account), self.ready)

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self.join()

    async def _serve(self) -> None:
        delivering = asyncio.create_task(_deliver(self._account, self.settled))
        try:
            await self._server.serve([self._listening])
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the main thread."""
        yield


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, whose connections the application can cut."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_CUT: self.transport.abort}  # type: ignore[dict-item] # ASGI would have data there


def _configured(account: FakeStripe) -> uvicorn.Config:
    return uvicorn.Config(
        Application(account),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # a connection that is cut on purpose is nothing to complain about
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )


async def _deliver(account: FakeStripe, settled: threading.Condition) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            with account.lock:
                account.clock.catch_up()
                account.deliveries.add(account.told.outgoing)
                account.told.outgoing.clear()
            await account.deliveries.make(client)
            with settled:
                settled.notify_all()
            await asyncio.sleep(_TICK)


async def _body(receive: Receive) -> bytes:
    message: dict[str, Any] = dict(await receive())
    body: bytes = message.get("body", b"")
    parts = [body]
    while message.get("more_body"):
        message = dict(await receive())
        parts.append(message.get("body", b""))
    return b"".join(parts) if len(parts) > 1 else body
