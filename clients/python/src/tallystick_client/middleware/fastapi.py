"""For FastAPI applications, and Starlette ones: `team` is asked with the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick_client.middleware.asgi import AsgiMiddleware, Scope
from tallystick_client.middleware.calls import EVENT, TeamOf
from tallystick_client.tracking import Tracking

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request


def track_calls(app: Starlette, tracker: Tracking, *, team: TeamOf[Request], event: str = EVENT) -> None:
    """Record every call of a FastAPI or Starlette application.

        track_calls(app, tracker, team=lambda request: getattr(request.state, "team", None))

    Args:
        app: the application, before it has started.
        tracker: where calls are recorded.
        team: whose call it is; asked after the call, when dependencies have set `request.state`. None: not recorded.
        event: the name of the events.
    """
    from starlette.requests import Request  # noqa: PLC0415 - the package does without a framework

    def of_scope(scope: Scope) -> str | None:
        return team(Request(scope))

    app.add_middleware(AsgiMiddleware, tracker=tracker, team=of_scope, event=event)
