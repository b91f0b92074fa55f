"""The interval a report is about: from local dates or instants as people write them, and cut into windows."""

import re
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from tallystick.billing.periods import LATEST
from tallystick.core.clock import (
    EARLIEST,
    Interval,
    Window,
    local_midnight,
    next_window,
    parse_instant,
    window_starts,
)
from tallystick.core.errors import InvalidInput

MOST_WINDOWS = 10_000
"""Windows of one series."""

CURRENT = "current"
"""The period that is running."""

_MONTH = re.compile(r"\d{4}-\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLUS_LOST = re.compile(r"(T\S+) (\d{2}:\d{2})")


def read_bound(text: str, tz: ZoneInfo, *, field: str) -> datetime:
    """The instant that `from` or `to` means: RFC 3339, or a date, which is its first instant in the zone.

    Raises:
        InvalidInput: neither, or outside the years that are kept.
    """
    try:
        moment = _read(text.strip(), tz, field)
    except (OverflowError, ValueError):
        raise InvalidInput(f"{field} {text!r} is not in the calendar", field=field) from None
    if not EARLIEST <= moment <= LATEST:
        raise InvalidInput(f"{field} must lie between {EARLIEST.year} and {LATEST.year}, not at {text!r}", field=field)
    return moment


def read_period(text: str, tz: ZoneInfo, now: datetime) -> Interval:
    """The instants that name the period that is meant: `current`, a month (`2026-03`), a date or an RFC 3339 instant.

    Raises:
        InvalidInput: none of these.
    """
    if text == CURRENT:
        return Interval(now, now + datetime.resolution)
    month = _MONTH.fullmatch(text) is not None
    start = read_bound(f"{text}-01" if month else text, tz, field="period")
    if month:
        return Interval(start, next_window(start, Window.MONTH, tz))
    return Interval(start, next_window(start, Window.DAY, tz) if _DAY.fullmatch(text) else start + datetime.resolution)


def _read(text: str, tz: ZoneInfo, field: str) -> datetime:
    if _DAY.fullmatch(text):
        return local_midnight(date.fromisoformat(text), tz)
    written = _PLUS_LOST.sub(r"\1+\2", text)  # a `+` that was not escaped in a URL arrives as a space
    try:
        return parse_instant(written, field=field)
    except InvalidInput as error:
        message = f"{field}: {error}; or a date such as 2026-03-01, in the team's time zone"
        raise InvalidInput(message, field=field) from None


def cut(interval: Interval, size: Window, tz: ZoneInfo) -> list[Interval]:
    """The interval's windows, in order; together they are the interval.

    Raises:
        InvalidInput: the interval is empty, or has more windows than one report may.
    """
    if interval.start >= interval.end:
        raise InvalidInput("from must be before to", field="from")
    starts = list(islice(window_starts(interval, size, tz), MOST_WINDOWS + 1))
    if len(starts) > MOST_WINDOWS:
        message = f"more than {MOST_WINDOWS:,} windows of a {size} lie between from and to; choose a larger window"
        raise InvalidInput(message, field="window")
    return [Interval(a, b) for a, b in zip(starts, [*starts[1:], interval.end], strict=True)]
