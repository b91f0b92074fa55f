"""A reverse proxy that fails on purpose: real HTTP over real sockets, in front of a real server."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx


class Answer(NamedTuple):
    """Say this, and don't ask the server."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Slow(NamedTuple):
    """Ask the server after so many seconds."""

    seconds: float


class Lost(NamedTuple):
    """Ask the server, and lose its answer."""


class Door(ThreadingHTTPServer):
    """Does what `script` says with each request, then passes the next ones on."""

    daemon_threads = True

    def __init__(self, server_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server_url = server_url
        self.script: deque[Answer | Slow | Lost] = deque()
        self.max_events: int | None = None
        self.batches: list[list[dict[str, Any]]] = []
        self.times: list[float] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @classmethod
    @contextmanager
    def before(cls, server_url: str) -> Iterator["Door"]:
        with cls(server_url) as door:
            thread = threading.Thread(target=door.serve_forever, args=[0.02])
            thread.start()
            yield door
            door.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        events = json.loads(body)
        self.server.batches.append(events)
        self.server.times.append(time.monotonic())
        told = self.server.script.popleft() if self.server.script else None
        if isinstance(told, Answer):
            self._say(told.status, told.body, told.headers)
            return
        if isinstance(told, Slow):
            time.sleep(told.seconds)
        if self.server.max_events is not None and len(events) > self.server.max_events:
            self._say(413, b"<html>nginx says no</html>", {})
            return
        answer = httpx.post(self.server.server_url + self.path, content=body, headers=_passed(self.headers))
        if isinstance(told, Lost):
            self.close_connection = True
        else:
            self._say(answer.status_code, answer.content, {})

    def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _passed(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in ("Content-Type", "Authorization") if headers[name]}
