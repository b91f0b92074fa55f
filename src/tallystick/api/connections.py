"""The connections of the server: none is held for ever by a client that neither sends nor reads.

uvicorn ends a connection that idles between requests. It waits without end for one whose first request, or
whose next one's head, never comes to its end, and for a client that does not read its answer. These do not
last here, and what goes beyond the number of connections that the process can have open gets 503 at once.
"""

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""How long the head of a request may take, from the first byte or from connecting."""

READ_SECONDS = 60.0
"""How long a client may leave what it was sent unread."""

MOST_CONNECTIONS = 10_000
RESERVED_FILES = 128
"""File descriptors that are not for clients: the database, logs, libraries."""

_FULL = b"too many connections are open; try again"
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


def raise_file_limit() -> int:
    """Let the process open as many files as it may, and say how many connections that is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, soft - RESERVED_FILES))


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with a time limit for everything that the client has to do."""

    most = MOST_CONNECTIONS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._requests = 0
        self._head_due: asyncio.TimerHandle | None = None
        self._read_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """A client connects."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(FULL)
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        if not self._requests and self._head_due is None and self.timeout_keep_alive_task is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """A request's head is there; what follows has its own pace, see `tallystick.http.pace`."""
        self._stop_waiting_for_head()
        self._requests += 1
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """A request is answered."""
        self._requests -= 1
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is sent to."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """The client has read what was waiting."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """No further request has come. What the client has not read by now it never will."""
        super().timeout_keep_alive_handler()
        self._await_reader()

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _await_reader(self) -> None:
        if self._read_due is None:
            self._read_due = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def _stop_waiting_for_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _stop_waiting_for_reader(self) -> None:
        if self._read_due is not None:
            self._read_due.cancel()
            self._read_due = None
