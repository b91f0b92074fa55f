"""Rate limits, and one request at a time for each customer and meter."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tallystick.integrations.stripe.fake.refusals import rate_limited

_METER_EVENTS = frozenset({"POST /v1/billing/meter_events", "POST /v2/billing/meter_events"})
_STREAM = "POST /v2/billing/meter_event_stream"


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests (of the stream: events) a second, None for any number. Real time, whatever the clock says.

    Attributes:
        meter_events: calls that send one event; a limit apart from the rest.
        stream_events: events of the stream.
        each: calls of every other operation.
        together: calls of all others together.
        one_per_lane: whether a second call for a customer and meter is refused while one is under way.
    """

    meter_events: int | None = None
    stream_events: int | None = None
    each: int | None = None
    together: int | None = None
    one_per_lane: bool = True


LIVE = Limits(meter_events=1_000, stream_events=10_000, each=25, together=100)
"""What Stripe documents for live mode."""

SANDBOX = Limits(meter_events=25, each=25, together=25)
"""What it documents for a sandbox, where there is no stream."""


class Buckets:
    """Counts requests of the second under way, and lanes that are taken."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now = now
        self._second = 0
        self._counts: dict[str, int] = {}
        self._lanes: set[tuple[str, str]] = set()
        self.refused = 0

    def pass_rate(self, operation: str, events: int = 1) -> None:
        """Let a request through.

        Raises:
            Refused: there were too many in this second.
        """
        if operation in _METER_EVENTS:
            self._count("meter_events", self._limits.meter_events, 1, "endpoint-rate")
        elif operation == _STREAM:
            self._count("stream_events", self._limits.stream_events, events, "endpoint-rate")
        else:
            self._count(operation, self._limits.each, 1, "endpoint-rate")
            self._count("together", self._limits.together, 1, "global-rate")

    def enter(self, lane: tuple[str, str] | None) -> None:
        """Take a lane.

        Raises:
            Refused: another request is in it.
        """
        if lane is None or not self._limits.one_per_lane:
            return
        if lane in self._lanes:
            self.refused += 1
            raise rate_limited(None)
        self._lanes.add(lane)

    def leave(self, lane: tuple[str, str] | None) -> None:
        """Give a lane up."""
        self._lanes.discard(lane or ("", ""))

    def _count(self, name: str, most: int | None, by: int, reason: str) -> None:
        if most is None:
            return
        if (second := int(self._now())) != self._second:
            self._second = second
            self._counts.clear()
        self._counts[name] = self._counts.get(name, 0) + by
        if self._counts[name] > most:
            self.refused += 1
            raise rate_limited(reason)
