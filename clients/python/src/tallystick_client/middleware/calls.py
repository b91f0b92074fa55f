"""What every middleware records of a call, and what happens if that fails: nothing to the call."""

from __future__ import annotations

import logging
import time
from typing import Any, Callable, Generic, Optional, TypeVar

from tallystick_client.errors import TallystickClientError
from tallystick_client.tracking import Tracking

log = logging.getLogger("tallystick_client")

EVENT = "api_call"
UNMATCHED = "(unmatched)"
"""The endpoint of calls that no route took: their paths are anything at all, so they are not kept apart."""
CLIENT_GONE = 499
"""The status of a call whose client left before there was one, as web servers log it."""

Request = TypeVar("Request")
TeamOf = Callable[[Request], Optional[str]]
"""Whose call it is; None for a call that is not to be recorded, such as an anonymous one."""

EndpointOf = Callable[[Request], Optional[str]]
"""The template of the route that took a call; None if none did."""


def milliseconds(started: int) -> str:
    """Since an instant of `time.perf_counter_ns()`, to the microsecond, as decimal text."""
    whole, microseconds = divmod((time.perf_counter_ns() - started) // 1000, 1000)
    return f"{whole}.{microseconds:03d}"


class Calls(Generic[Request]):
    """Records calls as events of quantity 1.

    Their metadata: `endpoint` (the route's template, such as `/users/{id}`), `method`, `status` and `duration_ms`.
    """

    def __init__(self, tracker: Tracking, event: str, team: TeamOf[Request], endpoint: EndpointOf[Request]) -> None:
        self._tracker = tracker
        self._event = event
        self._team = team
        self._endpoint = endpoint

    def record(self, request: Request, method: str, status: int, started: int) -> None:
        """Record a call that has ended. Never raises: a call is not to fail because it could not be recorded."""
        try:
            team = self._team(request)
            if team is not None:
                facts = _facts(self._endpoint(request), method, status, started)
                self._tracker.track(team, self._event, 1, properties=facts)
        except TallystickClientError as error:
            log.error("a call was not recorded: %s", error)
        except Exception:
            log.exception("a call was not recorded")


def _facts(endpoint: str | None, method: str, status: int, started: int) -> dict[str, Any]:
    return {
        "endpoint": endpoint or UNMATCHED,
        "method": method,
        "status": status,
        "duration_ms": milliseconds(started),
    }
