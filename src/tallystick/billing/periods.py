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

What is billed stays billed: up to `billed_until` the periods are closed, so the next one begins there, even
where another time zone has moved the boundaries since. The boundary that moved by some hours is put back to
that instant; the period after it is longer or shorter by as much, and no instant is billed twice or never.
"""

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
"""A Monday and a 1 January: calendar periods of any unit, however many, begin there or whole periods away."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Subscriptions and reports begin and end before this instant."""

FARTHEST_ZONES = timedelta(hours=26)
"""The clocks of two zones are never farther apart: from -12:00 to +14:00."""

_DAYS = {PeriodUnit.DAY: 1, PeriodUnit.WEEK: 7}
_MONTHS = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.YEAR: 12}
_RESOLUTION = timedelta(microseconds=1)


class Period(NamedTuple):
    """One billing period, `[start, end)` in UTC.

    Attributes:
        number: counted from 0, the subscription's first.
        start, end: its instants.
        full: the period as long as it would be had the subscription not begun or ended inside it: what a
            share of it is a share of.
    """

    number: int
    start: datetime
    end: datetime
    full: Interval

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
            `anniversary` begins periods at the date and time of day of `anchored_at`.
        starts_at: when the subscription starts.
        ends_at: when it ends; None: not yet known.
        zone: the team's.
        anchored_at: the instant whose anniversaries count; None: the start. A subscription that another plan
            takes over hands on its own.
        billed_until: the end of the last period that is closed; None: none is.
    """

    cadence: BillingPeriod
    anchor: Anchor
    starts_at: datetime
    ends_at: datetime | None
    zone: ZoneInfo
    anchored_at: datetime | None = None
    billed_until: datetime | None = None

    def period_containing(self, moment: datetime) -> Period | None:
        """The period that holds the instant; None before the subscription starts and once it has ended."""
        if moment < self.starts_at or (self.ends_at is not None and moment >= self.ends_at):
            return None
        return self._period(self._at(moment), moment)

    def periods(self, interval: Interval) -> Iterator[Period]:
        """The periods that share an instant with the interval, whole, in order."""
        moment = max(interval.start, self.starts_at)
        while moment < interval.end and (period := self.period_containing(moment)):
            yield period
            moment = period.end

    def boundary(self, number: int) -> datetime:
        """The instant of boundary `number`, counted from the anchor, in UTC."""
        if number == self._put_back and self.billed_until is not None:
            return self.billed_until
        return self._nominal(number)

    def _nominal(self, number: int) -> datetime:
        """The boundary as the cadence has it, whatever is billed."""
        if number == 0 and self.anchor is Anchor.ANNIVERSARY:
            return self._anchored_at  # itself, also where it is the second of two equal wall times
        return _boundary(self._anchor, self.cadence, number, self.zone)

    @cached_property
    def _anchored_at(self) -> datetime:
        return (self.anchored_at or self.starts_at).astimezone(UTC)

    @cached_property
    def _anchor(self) -> datetime:
        """The wall time of boundary 0."""
        if self.anchor is Anchor.CALENDAR:
            return EPOCH.replace(tzinfo=None)
        return self._anchored_at.astimezone(self.zone).replace(tzinfo=None, fold=0)

    @cached_property
    def _first(self) -> int:
        return self._at(self.starts_at)

    @cached_property
    def _put_back(self) -> int | None:
        """The number of the boundary that was elsewhere when the period before it was closed."""
        billed = self.billed_until
        if billed is None or billed <= self.starts_at or (self.ends_at is not None and billed >= self.ends_at):
            return None
        number = self._last_before(billed, self._nominal)
        nearest = min(number, number + 1, key=lambda each: abs(self._nominal(each) - billed))
        return nearest if abs(self._nominal(nearest) - billed) <= FARTHEST_ZONES else None

    def _at(self, moment: datetime) -> int:
        """The number of the last boundary that is not after the instant."""
        return self._last_before(moment, self.boundary)

    def _last_before(self, moment: datetime, boundary: Callable[[int], datetime]) -> int:
        local = moment.astimezone(self.zone).replace(tzinfo=None, fold=0)
        number = _estimate(self._anchor, self.cadence, local)
        while boundary(number) > moment:
            number -= 1
        while boundary(number + 1) <= moment:
            number += 1
        return number

    def _period(self, number: int, moment: datetime) -> Period:
        full = Interval(self.boundary(number), self.boundary(number + 1))
        start, end = max(full.start, self.starts_at), min(full.end, self.ends_at or full.end)
        if self.billed_until is not None and start < self.billed_until < end:  # closed early, and then it went on
            billed = moment < self.billed_until
            start, end = (start, self.billed_until) if billed else (self.billed_until, end)
        return Period(number - self._first, start, end, full)


@lru_cache(maxsize=16_384)
def _boundary(anchor: datetime, cadence: BillingPeriod, number: int, zone: ZoneInfo) -> datetime:
    """The instant of a boundary; teams with calendar periods of one length and zone share it."""
    return instant_of(shifted(anchor, cadence, number).replace(tzinfo=zone), zone)


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
