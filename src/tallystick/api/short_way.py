"""The short way to the busy endpoints: past the layers of the framework, which cost more than the endpoints do.

A bare Starlette endpoint at a fixed path needs none of them: the gate in front of it lets callers in, bounds
bodies and turns errors into problems, and every other layer is about what only FastAPI's endpoints have.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tallystick.http.problems import on_http_exception

Endpoints: TypeAlias = Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]]


def endpoints(routes: Sequence[Route]) -> Endpoints:
    """The endpoints at fixed paths, by method and path."""
    return {
        (method, route.path): route.endpoint
        for route in routes
        if "{" not in route.path
        for method in route.methods or ()
    }


@dataclass(frozen=True, slots=True)
class ShortWay:
    """ASGI: requests to these endpoints go to `gate`, everything else the long way."""

    endpoints: Endpoints
    gate: ASGIApp
    long: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the way."""
        short = scope["type"] == "http" and (scope["method"], scope["path"]) in self.endpoints
        await (self.gate if short else self.long)(scope, receive, send)


@dataclass(frozen=True, slots=True)
class BareEndpoints:
    """ASGI: calls the endpoint; stands behind a gate of its own."""

    endpoints: Endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; what goes wrong is the gate's to tell."""
        request = Request(scope, receive, send)
        try:
            response = await self.endpoints[scope["method"], scope["path"]](request)
        except HTTPException as error:
            response = await on_http_exception(request, error)
        await response(scope, receive, send)
