"""Billing periods: where each begins and ends, as instants. Pure.

Boundary `n` is `anchor + n × cadence` in the wall time of the team's zone, never a step from boundary
`n - 1`, so a month that is too short moves one boundary and not those after it: the 31st of January is
followed by the 28th of February and the 31st of March. Only then does the wall time become an instant
(Python's arithmetic on a datetime that has a zone is wall time already):

* a wall time that the zone's clocks skip is the instant at which they skip it;
* a wall time that they show twice is the first of the two instants.

Periods are half-open and leave no gap: a period ends at the instant at which the next one begins. The
first begins when the subscription does, the last ends when it does. A local day that a zone skips as a
whole (30 December 2011 in Pacific/Apia) is no period.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
"""A Monday and a 1 January: calendar periods of any unit, however many, begin there or whole periods away."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Subscriptions and reports begin and end before this instant."""

_DAYS = {PeriodUnit.DAY: 1, PeriodUnit.WEEK: 7}
_MONTHS = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.YEAR: 12}
_RESOLUTION = timedelta(microseconds=1)


class Period(NamedTuple):
    """One billing period, `[start, end)` in UTC. `number` counts from 0, the subscription's first."""

    number: int
    start: datetime
    end: datetime

    @property
    def interval(self) -> Interval:
        """The instants of the period."""
        return Interval(self.start, self.end)


@dataclass(frozen=True)
class Schedule:
    """The periods of one subscription.

    Attributes:
        cadence: how long a period is.
        anchor: `calendar` begins months on the 1st, weeks on Monday, quarters and years in January;
            `anniversary` begins periods at the date and time of day at which the subscription started.
        starts_at: when the subscription starts.
        ends_at: when it ends; None: not yet known.
        zone: the team's.
    """

    cadence: BillingPeriod
    anchor: Anchor
    starts_at: datetime
    ends_at: datetime | None
    zone: ZoneInfo

    def period_containing(self, moment: datetime) -> Period | None:
        """The period that holds the instant; None before the subscription starts and once it has ended."""
        if moment < self.starts_at or (self.ends_at is not None and moment >= self.ends_at):
            return None
        return self._period(self._at(moment))

    def periods(self, interval: Interval) -> Iterator[Period]:
        """The periods that share an instant with the interval, whole, in order."""
        moment = max(interval.start, self.starts_at)
        while moment < interval.end and (period := self.period_containing(moment)):
            yield period
            moment = period.end

    def boundary(self, number: int) -> datetime:
        """The instant of boundary `number`, counted from the anchor, in UTC."""
        return instant_of(shifted(self._anchor, self.cadence, number), self.zone)

    @cached_property
    def _anchor(self) -> datetime:
        if self.anchor is Anchor.CALENDAR:
            return EPOCH.replace(tzinfo=self.zone)
        return self.starts_at.astimezone(self.zone).replace(fold=0)

    @cached_property
    def _first(self) -> int:
        return self._at(self.starts_at)

    def _at(self, moment: datetime) -> int:
        """The number of the last boundary that is not after the instant."""
        number = _estimate(self._anchor, self.cadence, moment.astimezone(self.zone))
        while self.boundary(number) > moment:
            number -= 1
        while self.boundary(number + 1) <= moment:
            number += 1
        return number

    def _period(self, number: int) -> Period:
        start = max(self.boundary(number), self.starts_at)
        end = self.boundary(number + 1)
        return Period(number - self._first, start, min(end, self.ends_at or end))


def shifted(wall: datetime, cadence: BillingPeriod, number: int) -> datetime:
    """The wall time `number` cadences on; the last day of a month that does not have the day."""
    steps = number * cadence.every
    if cadence.unit in _DAYS:
        return wall + timedelta(days=steps * _DAYS[cadence.unit])
    years, month = divmod(wall.month - 1 + steps * _MONTHS[cadence.unit], 12)
    year, month = wall.year + years, month + 1
    return wall.replace(year=year, month=month, day=min(wall.day, calendar.monthrange(year, month)[1]))


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which clocks in the zone of this wall time first show it, or skip over it."""
    first = wall.replace(fold=0).astimezone(UTC)
    if first.astimezone(zone) == wall:  # wall times are compared here, since the zone is the same
        return first
    return _skip_between(wall.replace(fold=1).astimezone(UTC), first, zone)


def _skip_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant after `before` and not after `after` at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _RESOLUTION:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _estimate(anchor: datetime, cadence: BillingPeriod, wall: datetime) -> int:
    """The number of a boundary near a wall time, at most one or two off."""
    if cadence.unit in _DAYS:
        return (wall - anchor).days // (cadence.every * _DAYS[cadence.unit])
    months = (wall.year - anchor.year) * 12 + wall.month - anchor.month
    return months // (cadence.every * _MONTHS[cadence.unit])
