"""For ASGI applications: Starlette, FastAPI, Quart, Litestar and others."""

from __future__ import annotations

import asyncio
import functools
import re
import time
from collections.abc import Awaitable, Iterable, Iterator, MutableMapping
from typing import Any, Callable

from tallystick_client.middleware.calls import CLIENT_GONE, EVENT, Calls, EndpointOf, TeamOf
from tallystick_client.tracking import Tracking

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PARAMETER = re.compile(r"\{([^}:]+)(?::([^}]+))?\}")


class AsgiMiddleware:
    """Records every HTTP call of an ASGI application when its response has ended.

        app = AsgiMiddleware(app, tracker, team=lambda scope: scope["state"].get("team"))

    `team` is asked after the call, when authentication has left its result in the scope.
    """

    def __init__(
        self,
        app: App,
        tracker: Tracking,
        *,
        team: TeamOf[Scope],
        endpoint: EndpointOf[Scope] | None = None,
        event: str = EVENT,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            tracker: where calls are recorded.
            team: whose call it is, from the scope; None: not recorded.
            endpoint: the template of the route; by default that of Starlette's and FastAPI's routers.
            event: the name of the events.
        """
        self._app = app
        self._calls = Calls(tracker, event, team, endpoint or route_template)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a call, and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter_ns()
        path = scope.get("path", "")  # some routers put another in its place
        status = 500  # of a call that fails before it answers

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            status = CLIENT_GONE if status == 500 else status
            raise
        finally:
            seen = scope if scope.get("path") == path else {**scope, "path": path}
            self._calls.record(seen, scope["method"], status, started)


def route_template(scope: Scope) -> str | None:
    """The route that took the call, as `/shops/{shop}/orders/{id}`; None if none did.

    A router knows the template of its own part of the path only. What was cut off before, by a mount or a prefix, is
    put in front again, its parameters by their names.
    """
    template = getattr(scope.get("route"), "path", None)
    if not isinstance(template, str):
        return _looked_up(scope)
    path: str = scope["path"]
    if path.count("/") == template.count("/"):  # then nothing was cut off, which would have begun with one
        return _without_converters(template)
    parameters = {name: str(value) for name, value in scope.get("path_params", {}).items()}
    before = _before(path, template, parameters)
    named = {value: name for name, value in parameters.items() if f"{{{name}" not in template}
    segments = (f"{{{named[segment]}}}" if segment in named else segment for segment in before.split("/"))
    return _without_converters("/".join(segments) + template)


def _looked_up(scope: Scope) -> str | None:
    """The route of a Starlette before 1.0, which says what function took the call, but not by which route."""
    endpoint, routes = scope.get("endpoint"), getattr(scope.get("router"), "routes", None)
    if endpoint is None or not routes:
        return None
    templates, path = list(_templates(routes, endpoint, "")), scope["path"]
    fitting = [each for each in templates if _pattern(each).fullmatch(path)]
    fitting += [each for each in templates if _pattern(each).search(path)]  # behind a prefix
    return _without_converters(fitting[0]) if fitting else None


def _templates(routes: Iterable[Any], endpoint: object, before: str) -> Iterator[str]:
    """The templates of the routes to a function, those inside of mounts included."""
    for route in routes:
        template = f"{before}{getattr(route, 'path', '')}"
        if getattr(route, "endpoint", None) is endpoint:
            yield template
        yield from _templates(getattr(route, "routes", None) or (), endpoint, template)


@functools.lru_cache(maxsize=1024)
def _without_converters(template: str) -> str:
    return _PARAMETER.sub(r"{\1}", template)


def _before(path: str, template: str, parameters: dict[str, str]) -> str:
    """What comes before the part of the path that the template is for."""
    own = _PARAMETER.sub(lambda found: parameters.get(found[1], ""), template)
    if path.endswith(own):
        return path[: len(path) - len(own)]
    found = _pattern(template).search(path)  # a parameter that its converter writes differently than it was sent
    return path[: found.start()] if found else ""


@functools.lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in _PARAMETER.finditer(template):
        parts += [re.escape(template[at : found.start()]), ".*" if found[2] == "path" else "[^/]+"]
        at = found.end()
    return re.compile("".join(parts) + re.escape(template[at:]) + "$")
