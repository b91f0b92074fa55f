"""For Django projects, synchronous and asynchronous.

    MIDDLEWARE = [..., "tallystick_client.middleware.django.TallystickMiddleware"]
    TALLYSTICK = {
        "tracker": "shop.usage.tracker",  # a Tracker, or a function that returns one
        "team": "shop.usage.team_of",     # a function from the request to a team, or None: not recorded
        "event": "api_call",              # this is the default
    }

Put it first, so that it sees what the others answer; `team` is asked after the call, when all of them have run.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable
from typing import Any, Callable, Union

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from tallystick_client.middleware.calls import EVENT, Calls, TeamOf

Answer = Union[HttpResponseBase, Awaitable[HttpResponseBase]]


class _Recorder:
    """What the project's settings say, and how a call is recorded by them."""

    def __init__(self) -> None:
        configured: dict[str, Any] = getattr(settings, "TALLYSTICK", {})
        if missing := [name for name in ("tracker", "team") if name not in configured]:
            raise ImproperlyConfigured(f"settings.TALLYSTICK lacks {' and '.join(missing)}")
        tracker = _resolved(configured["tracker"])
        team: TeamOf[HttpRequest] = _resolved(configured["team"])
        self._calls = Calls(tracker() if callable(tracker) else tracker, configured.get("event", EVENT), team, _route)

    def record(self, request: HttpRequest, status: int, started: int) -> None:
        self._calls.record(request, request.method or "", status, started)


def _route(request: HttpRequest) -> str | None:
    match = request.resolver_match
    return f"/{match.route}" if match else None


def _resolved(named: Any) -> Any:
    return import_string(named) if isinstance(named, str) else named


def TallystickMiddleware(  # noqa: N802 - Django's settings name middleware as classes
    get_response: Callable[[HttpRequest], Any],
) -> Callable[[HttpRequest], Answer]:
    """Record every call of a Django project; see the module."""
    recorder = _Recorder()
    if not inspect.iscoroutinefunction(get_response):

        def serve(request: HttpRequest) -> HttpResponseBase:
            started, response = time.perf_counter_ns(), None
            try:
                response = get_response(request)
                return response
            finally:
                recorder.record(request, _status(response), started)

        return serve

    async def serve_async(request: HttpRequest) -> HttpResponseBase:
        started, response = time.perf_counter_ns(), None
        try:
            response = await get_response(request)
            return response
        finally:
            recorder.record(request, _status(response), started)

    return serve_async


TallystickMiddleware.sync_capable = True  # type: ignore[attr-defined] # how Django asks what it may give
TallystickMiddleware.async_capable = True  # type: ignore[attr-defined]


def _status(response: HttpResponseBase | None) -> int:
    return 500 if response is None else response.status_code
