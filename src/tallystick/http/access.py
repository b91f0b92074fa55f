"""How an endpoint says which scope it needs. The gate has found out who is asking by then.

A FastAPI endpoint takes a parameter of type `Ingester`, `Reader` or `Administrator`; a bare Starlette
endpoint is decorated with `guarded(scope)`. The assembly refuses an endpoint that does neither, so what
forgets to say stays closed.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Annotated, Any, Protocol, TypeAlias, cast

from fastapi import Request, Security
from fastapi.routing import RouteContext
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from starlette.requests import HTTPConnection
from starlette.responses import Response

from tallystick.http.principal import Principal, Scope

PRINCIPAL = "tallystick.principal"
"""The key of the ASGI scope under which the gate leaves the principal."""

BEARER = HTTPBearer(
    scheme_name="bearer", bearerFormat="tsk_…", description="`Authorization: Bearer tsk_…`", auto_error=False
)
HEADER = APIKeyHeader(
    scheme_name="header",
    name="X-API-Key",
    description="The same key, for clients that can't set the other.",
    auto_error=False,
)


def principal_of(connection: HTTPConnection) -> Principal:
    """Who sent this request."""
    return cast(Principal, connection.scope[PRINCIPAL])


async def authorize(
    request: Request,
    required: SecurityScopes,
    _bearer: Annotated[object, Security(BEARER)] = None,
    _header: Annotated[object, Security(HEADER)] = None,
) -> Principal:
    """FastAPI dependency: the principal, once it has every scope that the endpoint requires.

    Raises:
        Forbidden: it lacks one.
    """
    principal = principal_of(request)
    for scope in required.scopes:
        principal.require(Scope(scope))
    return principal


Ingester = Annotated[Principal, Security(authorize, scopes=[Scope.INGEST])]
Reader = Annotated[Principal, Security(authorize, scopes=[Scope.READ])]
Administrator = Annotated[Principal, Security(authorize, scopes=[Scope.ADMIN])]
Anybody = Annotated[Principal, Security(authorize)]
"""Whoever the gate let in, whatever the scopes: for what is about the caller alone."""

Endpoint: TypeAlias = Callable[[Any], Awaitable[Response]]


class GuardedEndpoint(Protocol):
    """A bare Starlette endpoint that says which scope it needs and how the OpenAPI document shows it."""

    required_scope: Scope
    operation: Mapping[str, Any] | None

    async def __call__(self, request: Any, /) -> Response:
        """Answer the request."""
        ...


def guarded(scope: Scope, *, operation: Mapping[str, Any] | None = None) -> Callable[[Endpoint], GuardedEndpoint]:
    """Decorate a bare Starlette endpoint: it runs only for a principal with the scope.

    Args:
        scope: what the caller needs; the endpoint itself checks teams.
        operation: its OpenAPI operation object; responses to bad requests and security are added to it.
    """

    def decorate(endpoint: Endpoint) -> GuardedEndpoint:
        @wraps(endpoint)
        async def checked(request: Any) -> Response:
            principal_of(request).require(scope)
            return await endpoint(request)

        marked = cast(GuardedEndpoint, checked)
        marked.required_scope = scope
        marked.operation = operation
        return marked

    return decorate


def required_scopes(route: RouteContext) -> frozenset[Scope]:
    """The scopes that an endpoint says it needs; empty: it forgot to say."""
    if marked := getattr(route.endpoint, "required_scope", None):
        return frozenset({marked})
    named = (scope for part in _authorizing(route) for scope in part.own_oauth_scopes or ())
    return frozenset(Scope(scope) for scope in named)


def says_who(route: RouteContext) -> bool:
    """Whether an endpoint says who may use it: whoever has a scope, or anybody whom the gate lets in."""
    return bool(required_scopes(route) or _authorizing(route))


def _authorizing(route: RouteContext) -> list[Any]:
    dependant = getattr(route, "dependant", None)
    return [part for part in (dependant.dependencies if dependant else ()) if part.call is authorize]
