"""Time: the injected clock, IANA zones, and the instants at which local windows begin.

Every datetime in the product is aware; instants are UTC. Every interval is half-open, `[start, end)`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo, available_timezones

from tallystick.core.errors import InvalidInput

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""The oldest instant at which usage may have happened."""


class Clock(Protocol):
    """Where "now" comes from, so that a test can say when it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = as_utc(now)

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move it on."""
        self._now += by

    def set(self, now: datetime) -> None:
        """Move it to an instant."""
        self._now = as_utc(now)


class Window(StrEnum):
    """The size of one step of a usage series, in the local time of a zone."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Interval(NamedTuple):
    """The instants from `start` on and before `end`."""

    start: datetime
    end: datetime


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: the datetime is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment.isoformat()}")
    return moment.astimezone(UTC)


def parse_instant(text: str, *, field: str | None = None) -> datetime:
    """The instant that an RFC 3339 text names (`2026-03-01T00:00:00Z`, `…+05:45`), in UTC.

    Raises:
        InvalidInput: not RFC 3339, or without an offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not an RFC 3339 instant such as 2026-03-01T00:00:00Z", field=field) from None
    if moment.tzinfo is None or len(text) < len("2026-03-01T00:00Z"):
        raise InvalidInput(f"{text!r} has no offset; write 2026-03-01T00:00:00Z or …+02:00", field=field)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"{text!r} is not in the calendar", field=field) from None


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in _zone_names():
        raise InvalidInput(
            f"{name!r} is not an IANA time zone; use a name such as UTC or America/New_York",
            field="time_zone",
        )
    return ZoneInfo(name)


def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC; the transition itself where midnight is skipped."""
    return datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)


def window_start(moment: datetime, size: Window, tz: ZoneInfo) -> datetime:
    """The instant at which the local window that holds `moment` began, in UTC."""
    if size in (Window.MINUTE, Window.HOUR):
        return _clock_window_start(as_utc(moment), size, tz)
    local = moment.astimezone(tz)
    day = local.date().replace(day=1) if size is Window.MONTH else local.date()
    return local_midnight(day, tz)


def next_window(start: datetime, size: Window, tz: ZoneInfo) -> datetime:
    """The instant at which the window after the one that begins at `start` begins, in UTC."""
    if size is Window.MINUTE:
        return start + timedelta(minutes=1)
    if size is Window.HOUR:
        return _next_local_hour(start, tz)
    day = start.astimezone(tz).date()
    following = _first_of_next_month(day) if size is Window.MONTH else day + timedelta(days=1)
    begin = local_midnight(following, tz)
    while begin <= start:  # Pacific/Apia had no 30 December 2011: that day is no window
        following = _first_of_next_month(following) if size is Window.MONTH else following + timedelta(days=1)
        begin = local_midnight(following, tz)
    return begin


def window_starts(interval: Interval, size: Window, tz: ZoneInfo) -> Iterator[datetime]:
    """Where the windows that touch the interval begin; the first is moved up to the interval's start."""
    if interval.start >= interval.end:
        return
    yield interval.start
    begin = next_window(window_start(interval.start, size, tz), size, tz)
    while begin < interval.end:
        yield begin
        begin = next_window(begin, size, tz)


def windows(interval: Interval, size: Window, tz: ZoneInfo) -> list[Interval]:
    """The interval cut at the local window boundaries inside it; together they are the interval."""
    starts = list(window_starts(interval, size, tz))
    return [Interval(a, b) for a, b in zip(starts, [*starts[1:], interval.end], strict=True)]


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _quarter_start(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _hour_label(moment: datetime, tz: ZoneInfo) -> tuple[int, int, bool]:
    local = moment.astimezone(tz)
    return local.toordinal(), local.hour, local.minute == 0


def _next_local_hour(start: datetime, tz: ZoneInfo) -> datetime:
    """The next instant at which a clock on the wall shows a full hour, or skips over one.

    Offsets since 2000 are multiples of 15 minutes, so the clock changes at quarters of an hour only.
    """
    quarter = timedelta(minutes=15)
    moment = _quarter_start(start)
    before = _hour_label(moment, tz)
    while True:
        moment += quarter
        label = _hour_label(moment, tz)
        if label[2] or label[:2] != before[:2]:
            return moment
        before = label


def _clock_window_start(moment: datetime, size: Window, tz: ZoneInfo) -> datetime:
    if size is Window.MINUTE:
        return moment.replace(second=0, microsecond=0)
    begin = _quarter_start(moment)
    while True:
        label = _hour_label(begin, tz)
        if label[2] or label[:2] != _hour_label(begin - timedelta(minutes=15), tz)[:2]:
            return begin
        begin -= timedelta(minutes=15)
