"""The server process: opens the database, answers requests until it is told to stop, and leaves in order.

On SIGTERM or Ctrl-C it stops accepting, finishes the requests that are under way, stops the background work,
closes the database, and returns. A second signal waits for no request.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import uvicorn
import uvloop
from fastapi import FastAPI

from tallystick.api.app import create_app
from tallystick.api.connections import Connection, raise_file_limit
from tallystick.api.sockets import BACKLOG
from tallystick.api.state import AppState
from tallystick.core.settings import Settings
from tallystick.http.keys.models import NewApiKey
from tallystick.storage.database import Database

DRAIN_SECONDS = 30
"""How long requests that are under way may take to finish once the server is told to stop."""

KEEP_ALIVE_SECONDS = 75
"""Longer than clients and load balancers pause between requests: they end a connection, not the server."""

Background: TypeAlias = Callable[[AppState], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the server.

    Attributes:
        settings: how this installation runs.
        sockets: listening already; the caller closes them.
        dev: ask for no key, and answer this machine alone.
        access_log: log every request.
        background: what runs beside the requests, entered in this order and left in the reverse one, when no
            request is left.
        on_first_key: told the admin key that the very first start makes.
        on_ready: told when requests are answered.
    """

    settings: Settings
    sockets: Sequence[socket.socket]
    dev: bool
    access_log: bool
    background: Sequence[Background]
    on_first_key: Callable[[NewApiKey], None]
    on_ready: Callable[[], None]


def run(what: Run) -> None:
    """Serve until a signal says stop.

    Raises:
        StorageError: the database can't be had; the message says why.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(what))


async def _serve(what: Run) -> None:
    shutdown = _Shutdown()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(await Database.open(what.settings))
        state = await stack.enter_async_context(AppState.open(what.settings, database, dev=what.dev))
        if not what.dev and (first := await state.keys.create_first()):
            what.on_first_key(first)
        for work in what.background:
            await stack.enter_async_context(work(state))
        app = create_app(state)
        server = _Server(_configured(app, what), what.on_ready, app.state.live.close)
        _settle_memory()
        shutdown.stops(server)
        await server.serve(list(what.sockets))


def _settle_memory() -> None:
    """Take what the program consists of out of garbage collection: to walk all of it stops every request for 0.1 s."""
    gc.collect()
    gc.freeze()


def _configured(app: FastAPI, what: Run) -> uvicorn.Config:
    Connection.most = raise_file_limit()
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=what.access_log,
        proxy_headers=False,  # no address is trusted here, and dev mode must not be told another
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready and stops, and leaves the signals to `_Shutdown`."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()  # what never ends by itself would be waited for
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would end the process by the signal once more, and not with 0."""
        yield


class _Shutdown:
    """What SIGTERM and Ctrl-C do from the first moment on: finish and leave; a second one waits for no one."""

    def __init__(self) -> None:
        self._signals = 0
        self._server: uvicorn.Server | None = None
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, self._signalled)

    def stops(self, server: uvicorn.Server) -> None:
        """From now on it is this server that stops, at once if a signal came before."""
        self._server = server
        self._apply()

    def _signalled(self) -> None:
        self._signals += 1
        self._apply()

    def _apply(self) -> None:
        if self._server:
            self._server.should_exit = self._signals > 0
            self._server.force_exit = self._signals > 1
