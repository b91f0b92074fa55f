"""For WSGI applications of any kind."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable

from tallystick_client.middleware.calls import EVENT, Calls, EndpointOf, TeamOf
from tallystick_client.tracking import Tracking

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ = dict[str, Any]
ENDPOINT = "tallystick.endpoint"
"""Where an application may leave the template of its route for this middleware."""


class WsgiMiddleware:
    """Records every call of a WSGI application when its response has been sent.

        app = WsgiMiddleware(app, tracker, team=lambda environ: environ.get("HTTP_X_TEAM"))

    WSGI has no notion of a route: give `endpoint`, or let the application set `environ["tallystick.endpoint"]`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        tracker: Tracking,
        *,
        team: TeamOf[Environ],
        endpoint: EndpointOf[Environ] | None = None,
        event: str = EVENT,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            tracker: where calls are recorded.
            team: whose call it is, from the environ after the call; None: not recorded.
            endpoint: the template of the route.
            event: the name of the events.
        """
        self._app = app
        self._calls = Calls(tracker, event, team, endpoint or (lambda environ: environ.get(ENDPOINT)))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a call, and record it when its response is closed."""
        call = _Call(self, environ)

        def noting(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            call.status = int(status[:3])
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        try:
            body = self._app(environ, noting)
        except BaseException:
            call.end()
            raise
        return _Body(body, call)

    def record(self, environ: Environ, status: int, started: int) -> None:
        """Record a call that has ended."""
        self._calls.record(environ, environ.get("REQUEST_METHOD", ""), status, started)


class _Call:
    """A call that is being served: recorded once, however often it ends."""

    def __init__(self, middleware: WsgiMiddleware, environ: Environ) -> None:
        self._middleware = middleware
        self._environ = environ
        self._started = time.perf_counter_ns()
        self._ended = False
        self.status = 500  # of a call that fails before it answers

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._middleware.record(self._environ, self.status, self._started)


class _Body:
    """The response's body; the server closes it when it was sent, or when the client left."""

    def __init__(self, body: Iterable[bytes], call: _Call) -> None:
        self._body = body
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._call.end()
