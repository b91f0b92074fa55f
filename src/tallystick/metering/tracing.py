"""Tracing one event: what was recorded, which metrics count it and as what, and what happened to it when."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.metering.models import Correction, UsageEvent


class Moment(NamedTuple):
    """Something that happened to the event."""

    at: datetime
    what: str


class Counted(NamedTuple):
    """That a metric counts the event: as what, and the roll-up it is in.

    Attributes:
        metric: the metric's name.
        dimensions: name → value, of those it keeps apart.
        value: what the event is worth to it; None: it could not be valued.
        bucket: the interval of the roll-up; None: not rolled up yet, the usage query reads the event itself.
        bucket_events: how many events are in that roll-up.
        bucket_total: the sum of their values; None where there is none.
    """

    metric: str
    dimensions: dict[str, str | None]
    value: Decimal | str | None
    bucket: Interval | None
    bucket_events: int | None
    bucket_total: Decimal | None


class Trace(NamedTuple):
    """Everything known about one event."""

    event: UsageEvent
    correction: Correction | None
    counted: Sequence[Counted]
    timeline: Sequence[Moment]
