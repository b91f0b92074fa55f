"""Schedules: bands of local time, such as peak and off-peak, in which usage has prices of its own.

A band is chosen by the wall clock of the schedule's zone: by the hour, the weekday, and whether the day is a
holiday. The first band that fits applies, in the order of the list, and `otherwise` where none does. An hour
that the clocks skip does not exist, and one that they repeat is in the same band both times.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from tallystick.core.clock import Interval, zone
from tallystick.pricing.parameters import Parameters, inside, invalid

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MINUTES_A_DAY = 24 * 60


class Holidays(StrEnum):
    """What a holiday is to a band: a day like others, a day on which it does not apply, or the only kind it does."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    ONLY = "only"


class Hours(NamedTuple):
    """The minutes of a local day from `start` on and before `end`; 1440 is midnight at its end."""

    start: int
    end: int

    def __str__(self) -> str:
        """As it is written: `08:00-20:00`."""
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in self)


@dataclass(frozen=True, slots=True)
class Band:
    """The local times that go by one name.

    Attributes:
        name: the name, for which a matrix has a rate.
        hours: the times of day; none: the whole day.
        weekdays: the days of the week, 0 is Monday; none: every day.
        holidays: what a holiday is to the band.
    """

    name: str
    hours: tuple[Hours, ...] = ()
    weekdays: frozenset[int] = frozenset()
    holidays: Holidays = Holidays.INCLUDE

    def holds(self, minute: int, weekday: int, *, holiday: bool) -> bool:
        """Whether a minute of a local day is in the band."""
        if self.holidays is (Holidays.EXCLUDE if holiday else Holidays.ONLY):
            return False
        if self.weekdays and weekday not in self.weekdays:
            return False
        return not self.hours or any(start <= minute < end for start, end in self.hours)

    def to_parameters(self) -> dict[str, Any]:
        """What `from_parameters` reads, without what is at its default."""
        parameters: dict[str, Any] = {"name": self.name}
        if self.hours:
            parameters["hours"] = [str(hours) for hours in self.hours]
        if self.weekdays:
            parameters["weekdays"] = [WEEKDAYS[day] for day in sorted(self.weekdays)]
        if self.holidays is not Holidays.INCLUDE:
            parameters["holidays"] = str(self.holidays)
        return parameters

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `name`, `hours`, `weekdays` and `holidays`."""
        hours = tuple(sorted(_hours(text, parameters.field("hours")) for text in parameters.texts("hours")))
        weekdays = frozenset(_weekday(text, parameters.field("weekdays")) for text in parameters.texts("weekdays"))
        name, holidays = parameters.text("name"), parameters.choice("holidays", Holidays)
        parameters.finish()
        return cls(name, hours, weekdays, holidays or Holidays.INCLUDE)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which band an instant is in.

    Attributes:
        time_zone: the IANA zone whose wall clock decides.
        bands: the bands; the first that fits applies.
        otherwise: the name of the band for the rest.
        holidays: the local days that are holidays.

    Raises:
        InvalidInput: an unknown zone, or no band.
    """

    time_zone: str
    bands: tuple[Band, ...]
    otherwise: str
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        with inside("schedule"):
            zone(self.time_zone)
            if not self.bands:
                raise invalid("bands", "must be a list with at least one entry")

    @property
    def names(self) -> frozenset[str]:
        """The names of all bands."""
        return frozenset({*(band.name for band in self.bands), self.otherwise})

    def band_at(self, moment: datetime) -> str:
        """The band that an instant is in."""
        local = moment.astimezone(zone(self.time_zone))
        minute, holiday = local.hour * 60 + local.minute, local.date() in self.holidays
        fitting = (band.name for band in self.bands if band.holds(minute, local.weekday(), holiday=holiday))
        return next(fitting, self.otherwise)

    def windows(self, interval: Interval) -> list[tuple[Interval, str]]:
        """The interval cut where the band changes: contiguous windows, each with its band; neighbours differ."""
        return list(_windows(self, Interval(interval.start.astimezone(UTC), interval.end.astimezone(UTC))))

    def to_parameters(self) -> dict[str, Any]:
        """What `from_parameters` reads, in one canonical form."""
        parameters: dict[str, Any] = {
            "time_zone": self.time_zone,
            "bands": [band.to_parameters() for band in self.bands],
            "otherwise": self.otherwise,
        }
        if self.holidays:
            parameters["holidays"] = [day.isoformat() for day in sorted(self.holidays)]
        return parameters

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `time_zone`, `bands`, `otherwise` and `holidays`."""
        time_zone, otherwise = parameters.text("time_zone"), parameters.text("otherwise")
        holidays = frozenset(_day(text, parameters.field("holidays")) for text in parameters.texts("holidays"))
        bands = tuple(Band.from_parameters(entry) for entry in parameters.entries("bands"))
        parameters.finish()
        return cls(time_zone, bands, otherwise, holidays)


@lru_cache(maxsize=1024)  # the periods of many teams are the same
def _windows(schedule: Schedule, interval: Interval) -> tuple[tuple[Interval, str], ...]:
    tz = zone(schedule.time_zone)
    found: list[tuple[Interval, str]] = []
    for start, end in pairwise(_cuts(schedule, interval, tz)):
        band = schedule.band_at(start)
        if found and found[-1][1] == band:
            start = found.pop()[0].start  # noqa: PLW2901 - the window before goes on
        found.append((Interval(start, end), band))
    return tuple(found)


def _cuts(schedule: Schedule, interval: Interval, tz: ZoneInfo) -> list[datetime]:
    """The interval's bounds and every instant inside it at which the band may change, in order."""
    times = {minute for band in schedule.bands for hours in band.hours for minute in hours} | {0}
    days = _days(interval, tz)
    wall = {instant for day in days for minute in times for instant in _instants(day, minute % MINUTES_A_DAY, tz)}
    inner = sorted({instant for instant in wall if interval.start < instant < interval.end})
    bounds = [interval.start, *inner, interval.end] if interval.start < interval.end else []
    changes = [change for a, b in pairwise(bounds) if (change := _clock_change(a, b, tz)) is not None]
    return sorted({*bounds, *changes})


def _days(interval: Interval, tz: ZoneInfo) -> Iterator[date]:
    """The local days that the interval touches, and a day more on either side."""
    day, last = (instant.astimezone(tz).date() for instant in interval)
    day -= DAY
    while day <= last + DAY:
        yield day
        day += DAY


def _instants(day: date, minute: int, tz: ZoneInfo) -> Iterator[datetime]:
    """When the wall clock shows this time, both times where it is repeated; near the change where it is skipped."""
    for fold in (0, 1):
        yield datetime.combine(day, time(minute // 60, minute % 60, fold=fold), tz).astimezone(UTC)


def _clock_change(start: datetime, end: datetime, tz: ZoneInfo) -> datetime | None:
    """The instant between the two at which the clocks are changed; None: they aren't.

    Clocks change at whole seconds. Two changes less than a day apart have not happened, and would have to
    cancel out to go unseen.
    """
    first, before = start.replace(microsecond=0), start.astimezone(tz).utcoffset()
    if end.astimezone(tz).utcoffset() == before:
        return None
    seconds = range((end - first) // SECOND + 1)
    return first + SECOND * bisect_left(
        seconds, True, key=lambda second: (first + SECOND * second).astimezone(tz).utcoffset() != before
    )


def _hours(text: str, field: str) -> Hours:
    try:
        start, end = (_minute(part) for part in text.split("-"))
    except ValueError:
        raise invalid(field, f"is {text!r}: must be a time of day such as 08:00-20:00") from None
    if end <= start:
        each = (Hours(start, MINUTES_A_DAY), Hours(0, end))
        hint = " and ".join(str(hours) for hours in each if hours.start < hours.end)
        raise invalid(field, f"is {text!r}: must end after it starts, on the same day; over midnight, write {hint}")
    return Hours(start, end)


def _minute(text: str) -> int:
    if text.strip() == "24:00":
        return MINUTES_A_DAY
    at = datetime.strptime(text.strip(), "%H:%M")  # noqa: DTZ007 - a time on the wall
    return at.hour * 60 + at.minute


def _weekday(text: str, field: str) -> int:
    try:
        name = text.strip().lower()
        return WEEKDAYS.index(name[:3] if name in LONG_WEEKDAYS else name)
    except ValueError:
        raise invalid(field, f"is {text!r}: must be one of {', '.join(WEEKDAYS)}") from None


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(field, f"is {text!r}: must be a day such as 2026-12-25") from None
