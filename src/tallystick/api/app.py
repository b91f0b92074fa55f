"""Puts the application together: the gate, the routes of every domain, and the OpenAPI document."""

import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from tallystick import __version__
from tallystick.alerts import routes as alerts
from tallystick.api import health
from tallystick.api.across import across
from tallystick.api.documentation import add_documentation
from tallystick.api.short_way import BareEndpoints, ShortWay, endpoints
from tallystick.api.state import AppState
from tallystick.billing import routes as billing
from tallystick.billing.credits import routes as credits
from tallystick.billing.currencies import routes as currencies
from tallystick.billing.current import Present
from tallystick.billing.invoices import routes as invoices
from tallystick.catalog import routes as catalog
from tallystick.enforcement import doors as enforcement_doors
from tallystick.enforcement import routes as enforcement
from tallystick.enforcement.service import Enforcement
from tallystick.http import session
from tallystick.http.access import says_who
from tallystick.http.capacity import Capacity
from tallystick.http.gate import BROWSER_PATHS, OPEN_PATHS, SIGNED_PATHS, Gate
from tallystick.http.keys import routes as keys
from tallystick.http.keys.service import KeyService
from tallystick.http.openapi import COMMON, completed
from tallystick.http.pace import Watch
from tallystick.http.principal import Principal
from tallystick.http.problems import HANDLERS
from tallystick.integrations import routes as compatible
from tallystick.integrations.inbound import routes as inbound
from tallystick.integrations.inbound.service import Inbound
from tallystick.integrations.openmeter import routes as meters
from tallystick.integrations.settlement import ProviderSettlement
from tallystick.integrations.stripe.webhooks import routes as stripe_webhooks
from tallystick.integrations.stripe.webhooks.inbox import StripeInbox
from tallystick.live import routes as live
from tallystick.live.hub import Hub
from tallystick.metering import routes as metering
from tallystick.metering import tracking
from tallystick.metering.dead_letters import routes as dead_letters
from tallystick.notifications import routes as notifications
from tallystick.overview import routes as overview
from tallystick.overview.service import Overviews
from tallystick.portal import routes as portal_routes
from tallystick.portal.models import PREFIX
from tallystick.portal.service import Portal
from tallystick.web import policy
from tallystick.web.site import Site

DESCRIPTION = """
Usage metering and usage-based billing whose bill both sides can check, down to the event.

**Keys.** Every request carries an API key: `Authorization: Bearer tsk_…` or `X-API-Key: tsk_…`. A key has
scopes (`ingest`, `read`, `admin`) and may be for one team alone. Only `/health` answers without one.

**Errors** are [problem details](https://www.rfc-editor.org/rfc/rfc9457) with a `code` for programs and a
one-line `detail` for people.

**Numbers** that count, quantities and amounts, are exact decimal text (`"0.0008"`). **Instants** are RFC 3339
in UTC (`2026-03-15T12:00:00Z`), and intervals include their start and exclude their end.

**Listings** answer `{"data": […], "next_cursor": …}`; send `next_cursor` as `cursor` for the next page.
"""

TAGS = [
    {"name": "usage", "description": "Track usage, look at it, correct it, and see what it costs."},
    {"name": "dead letters", "description": "Rejected events: why they were, and sending them again."},
    {"name": "teams", "description": "Who is billed, and on which plan."},
    {"name": "billing", "description": "Statements: open ones, closed ones, how they came about, and closing."},
    {"name": "invoices", "description": "Invoices and credit notes: numbered without gaps, and final once they are."},
    {"name": "credits", "description": "What was granted to a team, what is left of it, and what burned it."},
    {"name": "currencies", "description": "Exchange rates, and what an amount is in another currency."},
    {"name": "compatibility", "description": "For producers and readers that were made for another system."},
    {"name": "alerts", "description": "Limits on usage, cost, credit, change and silence, and what was told of them."},
    {"name": "limits", "description": "Whether a team may use more; reservations, limits and throttles."},
    {"name": "webhooks", "description": "Usage from systems that can only call a URL."},
    {"name": "notifications", "description": "Where people and machines are told, how, and what became of it."},
    {"name": "keys", "description": "Who may use this API, and for what."},
    {"name": "health", "description": "For load balancers and supervisors."},
]

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
"""FastAPI's own instrumentation costs 3 µs a request even while nobody listens to it."""


BARE: Sequence[Route] = (
    *tracking.routes,
    *enforcement_doors.routes,
    *live.routes,
    *inbound.routes,
    *stripe_webhooks.routes,
    *compatible.routes,
    *meters.routes,
)
"""Starlette routes of the domains. They come first, since they are the busy ones."""

ROUTERS = (
    metering.router,
    dead_letters.router,
    billing.router,
    catalog.router,
    invoices.router,
    credits.router,
    currencies.router,
    alerts.router,
    enforcement.router,
    inbound.router,
    notifications.router,
    keys.router,
    portal_routes.router,
    session.router,
    overview.router,
)
"""FastAPI routers of the domains."""

RESERVED = frozenset({"api", "docs", "health", "openapi.json"})
"""What the paths of endpoints begin with. Every other path is the dashboard's."""


class Application(FastAPI):
    """FastAPI with problems and bare endpoints in its OpenAPI document, and a short way to the latter."""

    gate: Callable[[ASGIApp], Gate]
    embedded_by: Sequence[str] = ()

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's layers, and past them the bare endpoints behind a gate of their own."""
        bare = endpoints(BARE)
        every = ShortWay(bare, self.gate(BareEndpoints(bare)), super().build_middleware_stack())
        return across(self.embedded_by, every)

    def openapi(self) -> dict[str, Any]:
        """The complete document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi(), iter_route_contexts(self.routes))
        return self.openapi_schema


def create_app(state: AppState) -> FastAPI:
    """The application over these services.

    Raises:
        RuntimeError: an endpoint does not say which scope it needs.
        ConfigurationError: what the settings say of inbound webhooks or of embedding does not fit.
    """
    settings, portal = state.settings, Portal(state.database, state.clock)
    verify = partial(_verify, state.keys, portal)
    gate = partial(
        Gate,
        verify=verify,
        max_body_bytes=settings.max_body_bytes,
        dev=state.dev,
        capacity=Capacity(requests=settings.max_requests, body_bytes=settings.max_held_bytes),
        watch=Watch(settings.request_timeout_seconds),
    )
    embedded_by = policy.origins(settings.embed_origins) + (policy.THIS_MACHINE if state.dev else ())
    app = assembled(gate, embedded_by)
    for part in fields(state):
        setattr(app.state, part.name, getattr(state, part.name))
    app.state.enforcement = _enforcement(state)
    app.state.inbound = _inbound(state)
    app.state.settlement = ProviderSettlement(state.provider, state.database)
    app.state.stripe_inbox = StripeInbox.open(settings, state.database, state.clock)
    present = Present(state.database, state.metering.usage)
    app.state.live = Hub(state.database, present, state.clock, most=settings.max_streams)
    app.state.overviews = Overviews(state.database, state.clock, stripe=settings.stripe_api_key is not None)
    app.state.portal = portal
    app.state.verify = verify
    app.state.readiness = health.Readiness(state.database)
    return app


def assembled(gate: Callable[..., Gate], embedded_by: Sequence[str] = ()) -> Application:
    """Every route behind the gate, without the services that endpoints work with.

    Raises:
        RuntimeError: an endpoint does not say which scope it needs.
    """
    site = Site.open(RESERVED, embedded_by)
    app = Application(
        title="Tallystick",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=TAGS,
        middleware=[Middleware(gate, public=site)],
        exception_handlers=dict(HANDLERS),
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.gate = gate
    app.embedded_by = embedded_by
    add_documentation(app)
    _mount(app)
    _refuse_silent_endpoints(app)
    _refuse_hidden_endpoints(app)
    return app


async def _verify(keys: KeyService, portal: Portal, token: str) -> Principal:
    """Who sent a key or a portal token."""
    return await (portal.verify(token) if token.startswith(PREFIX) else keys.verify(token))


def _enforcement(state: AppState) -> Enforcement:
    metering, patience = state.metering, state.settings.check_patience_seconds
    return Enforcement(state.database, metering.usage, metering.store, state.clock, patience=patience)


def _inbound(state: AppState) -> Inbound:
    return Inbound.open(state.settings.inbound_file, os.environ, state.database, state.metering, state.clock)


def _mount(app: FastAPI) -> None:
    for route in BARE:
        app.router.add_route(route.path, route.endpoint, methods=route.methods, name=route.name)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, responses=COMMON)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _refuse_silent_endpoints(app: FastAPI) -> None:
    silent = [route.path for route in iter_route_contexts(app.routes) if not _is_guarded(route)]
    if silent:
        raise RuntimeError(f"no scope is required at {', '.join(map(str, silent))}; see tallystick.http.access")


def _refuse_hidden_endpoints(app: FastAPI) -> None:
    paths = [str(route.path) for route in iter_route_contexts(app.routes)]
    if hidden := [path for path in paths if path[1:].partition("/")[0] not in RESERVED]:
        raise RuntimeError(f"the dashboard is in front of {', '.join(hidden)}; see RESERVED")


def _is_guarded(route: RouteContext) -> bool:
    return route.path in OPEN_PATHS | BROWSER_PATHS | SIGNED_PATHS or says_who(route)
