"""For Flask applications: `team` is asked inside the request's context."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Callable

from tallystick_client.middleware.calls import EVENT
from tallystick_client.middleware.wsgi import ENDPOINT, WsgiMiddleware
from tallystick_client.tracking import Tracking

if TYPE_CHECKING:
    from flask import Flask, Request

log = logging.getLogger("tallystick_client")

_TEAM = "tallystick.team"


def track_calls(app: Flask, tracker: Tracking, *, team: Callable[[], str | None], event: str = EVENT) -> None:
    """Record every call of a Flask application, those that fail and those that stream included.

        track_calls(app, tracker, team=lambda: g.get("team"))

    Args:
        app: the application.
        tracker: where calls are recorded.
        team: whose call it is, from `flask.g`, `flask.request` or the session; asked when the view has run. None: not
            recorded.
        event: the name of the events.
    """
    from flask import request  # noqa: PLC0415 - the package does without a framework

    def note(_error: BaseException | None = None) -> None:
        """Leave what only the context knows for the time when it is gone."""
        current: Request = request._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - documented
        environ, rule = current.environ, current.url_rule
        environ[ENDPOINT] = rule.rule if rule else None
        try:
            environ[_TEAM] = team()
        except Exception:
            log.exception("a call was not recorded")

    app.teardown_request(note)
    # The framework's own way to add a middleware; mypy takes it for a method that is being replaced.
    app.wsgi_app = WsgiMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, tracker, team=lambda environ: environ.get(_TEAM), event=event
    )
