"""The least HTTP/1.1 client that can load a server: requests ready encoded, connections kept alive.

Every connection has one request under way and sends the next as soon as the answer is there. One thread
drives them all, so that the machine's cores are left to what is measured.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

_CHUNK = 256 * 1024
_PATIENCE = 60.0


class Answer(NamedTuple):
    """The answer to a request: how long it took in seconds, its status, and its body."""

    seconds: float
    status: int
    body: bytes


def get(path: str) -> bytes:
    """A GET request, encoded."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """A POST request of JSON, encoded."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answers(address: tuple[str, int], requests: Iterator[bytes], *, connections: int = 1) -> Iterator[Answer]:
    """Send the requests and yield their answers as they come, until there are no more of either.

    Raises:
        OSError: the server broke a connection off, or was silent for a minute.
    """
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        under_way = 0
        for _, request in zip(range(connections), requests, strict=False):
            line = stack.enter_context(Line(address, selector))
            line.send(request)
            under_way += 1
        while under_way:
            ready = selector.select(_PATIENCE)
            if not ready:
                raise TimeoutError(f"no answer within {_PATIENCE:.0f} s")
            for key, mask in ready:
                answer = key.data.proceed(mask)
                if answer is None:
                    continue
                request_or_end = next(requests, None)
                if request_or_end is None:
                    under_way -= 1
                else:
                    key.data.send(request_or_end)
                yield answer


class Line:
    """One connection and the request that is under way on it."""

    def __init__(self, address: tuple[str, int], selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._socket = socket.create_connection(address, timeout=_PATIENCE)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unsent = memoryview(b"")
        self._received = bytearray()
        self._began = 0.0
        selector.register(self._socket, selectors.EVENT_READ, self)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, request: bytes) -> None:
        """Begin a request; the answer before it is complete."""
        self._began = time.perf_counter()
        self._unsent = memoryview(request)
        self._push()
        if self._unsent:
            self._selector.modify(self._socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def proceed(self, mask: int) -> Answer | None:
        """Do what the socket is ready for; the answer, once it is complete."""
        if mask & selectors.EVENT_WRITE:
            self._push()
            if not self._unsent:
                self._selector.modify(self._socket, selectors.EVENT_READ, self)
        return self._pull() if mask & selectors.EVENT_READ else None

    def _push(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return

    def _pull(self) -> Answer | None:
        received = self._socket.recv(_CHUNK)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._received += received
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return None
        answer = Answer(time.perf_counter() - self._began, int(head[9:12]), bytes(body))
        self._received.clear()
        return answer


def _length(head: bytearray) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise ConnectionError("the answer does not say how long it is")
    return int(rest.partition(b"\r\n")[0])
