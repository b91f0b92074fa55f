"""Meter queries: the usage of a metric over windows, for teams together or each by itself.

The numbers are those of every report and bill, from the one usage path. What is asked for together (teams, values
that a filter lets through) is merged from exact partials before the last step is taken, so an average is the average
of all events, and a distinct count counts what several teams share once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import md5
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tallystick.core.clock import EARLIEST, Clock, Interval, Window, next_window, window_start, window_starts
from tallystick.integrations.openmeter.errors import BadQuery
from tallystick.integrations.openmeter.filters import Filter
from tallystick.integrations.openmeter.questions import CUSTOMER, SUBJECT, MeterQuestion
from tallystick.metering.aggregation import Bin, Dimensions, Partial, finish
from tallystick.metering.models import Aggregation, MetricDefinition, MetricVersion
from tallystick.metering.usage import UsageQuestion, UsageReader, find_metric
from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

MOST_WINDOWS = 50_000
TEAMS_AT_ONCE = 200
LONGEST_LABEL = 160
UTC = ZoneInfo("UTC")
NARROWING = (Window.MONTH, Window.DAY, Window.HOUR, Window.MINUTE)
"""The steps in which the first and the last event of an open interval are found."""


class MeterRow(NamedTuple):
    """The usage of one window, and of one team and set of dimension values where those are kept apart.

    `team_id` is None where teams are not kept apart, a value of `group_by` where an event has none.
    """

    window: Interval
    team_id: str | None
    group_by: Mapping[str, str | None]
    value: Decimal


class Meter(NamedTuple):
    """A metric with the instants at which it was first and last defined."""

    definition: MetricDefinition
    created_at: datetime
    updated_at: datetime


class _Series(NamedTuple):
    """What is gathered together."""

    window: Interval
    team_id: str | None
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class Meters:
    """Answers questions about meters, which are metrics by another name."""

    database: Database
    usage: UsageReader
    clock: Clock
    ahead: timedelta
    """How far ahead of the clock events may be."""

    async def all(self) -> list[Meter]:
        """Every meter, by name."""
        async with self.database.snapshot() as connection:
            rows = await (await connection.execute(QUERIES["metric_times"])).fetchall()
        times = {name: (first, last) for name, first, last in rows}
        metrics = await self.usage.metrics()
        return [Meter(metrics[name][-1].definition, *times[name]) for name in sorted(metrics) if name in times]

    async def get(self, slug: str) -> Meter:
        """One meter.

        Raises:
            NotFound: there is no metric of that name; the message lists those there are.
        """
        meters = {meter.definition.name: meter for meter in await self.all()}
        find_metric(slug, await self.usage.metrics())
        return meters[slug]

    async def rows(self, slug: str, question: MeterQuestion) -> list[MeterRow]:
        """The rows that answer a question, in the order of time; windows in which nothing happened are absent.

        A row's window is the whole local window, also where the interval asked for cuts it. Without windows it is
        the interval asked for; where that has an open end, from the minute of the first event to that of the last.

        Raises:
            NotFound: there is no metric of that name.
            BadQuery: a dimension that the metric doesn't keep apart, or too many windows.
        """
        reading = _Reading(
            self.usage, find_metric(slug, await self.usage.metrics()), question, await self._teams(question)
        )
        asked = await self._asked(reading)
        possible = None if asked is None else self._possible(asked, reading)
        if asked is None or possible is None:
            return []
        rows = reading.rows(await reading.gather(_cut(possible, question)))
        return [row._replace(window=_shown(row.window, asked, question)) for row in rows]

    async def _teams(self, question: MeterQuestion) -> Sequence[str]:
        if question.teams is not None:
            return question.teams
        async with self.database.snapshot() as connection:
            return [row[0] for row in await (await connection.execute(QUERIES["teams"])).fetchall()]

    async def _asked(self, reading: "_Reading") -> Interval | None:
        """The interval asked for; an open end is where the first or the last event is. None: there is no event."""
        question = reading.question
        if question.start is not None and question.end is not None:
            return Interval(question.start, question.end)
        latest = self._latest(reading)
        whole = self._possible(Interval(question.start or EARLIEST, question.end or latest), reading)
        found = None if whole is None else await reading.occupied(whole)
        if found is None:
            return None
        last = latest if reading.runs_on else found.end
        return Interval(question.start or found.start, question.end or last)

    def _possible(self, interval: Interval, reading: "_Reading") -> Interval | None:
        """The part of an interval in which there can be usage."""
        possible = Interval(max(interval.start, EARLIEST), min(interval.end, self._latest(reading)))
        return possible if possible.start < possible.end else None

    def _latest(self, reading: "_Reading") -> datetime:
        """From this instant on there can't be any usage."""
        now = self.clock.now()
        return now if reading.runs_on else now + self.ahead + timedelta(microseconds=1)


class _Reading:
    """Reads one metric for one question."""

    def __init__(
        self, usage: UsageReader, versions: Sequence[MetricVersion], question: MeterQuestion, teams: Sequence[str]
    ) -> None:
        self.usage = usage
        self.definition = versions[-1].definition
        self.runs_on = self.definition.aggregation is Aggregation.TIME_WEIGHTED
        """Whether usage goes on after the last event."""
        self.question = question
        self.teams = teams
        _check(question, self.definition)
        self.where = {name: labels for name, each in question.filters.items() if (labels := _labels(each))}
        self.filtered = tuple(name for name in question.filters if name not in self.where)
        self.read = tuple(dict.fromkeys((*question.group_by, *self.filtered)))
        self.grouped = tuple(self.read.index(name) for name in question.group_by)

    async def gather(self, windows: Sequence[Interval]) -> dict[_Series, Bin]:
        """What happened in windows that follow each other without a gap.

        Some teams at a time, so that a question about all of them leaves room for other requests in between.
        """
        gathered: dict[_Series, Bin] = {}
        for begin in range(0, len(self.teams), TEAMS_AT_ONCE):
            teams = self.teams[begin : begin + TEAMS_AT_ONCE]
            answers = await self.usage.partials([self._about(team_id, windows) for team_id in teams])
            for team_id, partials in zip(teams, answers, strict=True):
                for partial in self._let_through(partials):
                    gathered.setdefault(self._series(team_id, partial), Bin()).merge(partial.gathered)
        return gathered

    def _about(self, team_id: str, windows: Sequence[Interval]) -> UsageQuestion:
        return UsageQuestion(self.definition.name, team_id, windows, group_by=self.read, where=self.where)

    def _series(self, team_id: str, partial: Partial) -> _Series:
        by_team = self.question.by_team or self.question.by_customer
        dimensions = tuple(partial.dimensions[place] for place in self.grouped)
        return _Series(partial.window, team_id if by_team else None, dimensions)

    def _let_through(self, partials: Iterable[Partial]) -> Iterable[Partial]:
        tests = [(self.read.index(name), self.question.filters[name].passes) for name in self.filtered]
        for partial in partials:
            if all(passes(partial.dimensions[place] or "") for place, passes in tests):
                yield partial

    def rows(self, gathered: Mapping[_Series, Bin]) -> list[MeterRow]:
        """What was gathered comes to, in the order of time, team and values; nothing where it has no value."""
        found = []
        for series in sorted(gathered, key=_order):
            value = _value(self.definition, gathered[series])
            if value is not None:
                group_by = dict(zip(self.question.group_by, series.dimensions, strict=True))
                found.append(MeterRow(series.window, series.team_id, group_by, value))
        return found

    async def occupied(self, interval: Interval) -> Interval | None:
        """From the minute of the first event in the interval to the end of that of the last; None: there is none."""
        first = last = interval
        for size in NARROWING:
            inside = _bounded([*_starts(first, size), *_starts(last, size)], last.end)
            gap = Interval(first.end, last.start)
            busy = {series.window for series, bin in (await self.gather(inside)).items() if bin.events} - {gap}
            if not busy:
                return None
            first, last = min(busy), max(busy)
        return Interval(first.start, last.end)


def _starts(interval: Interval, size: Window) -> list[datetime]:
    """Where windows begin inside an interval, and where it ends, which sets it apart from what follows."""
    return [*window_starts(interval, size, UTC), interval.end]


def _bounded(starts: Iterable[datetime], end: datetime) -> list[Interval]:
    ordered = sorted({*starts, end})
    return [Interval(a, b) for a, b in pairwise(ordered)]


def _check(question: MeterQuestion, definition: MetricDefinition) -> None:
    for name in (*question.group_by, *question.filters):
        if name not in definition.dimensions:
            allowed = ", ".join((SUBJECT, CUSTOMER, *definition.dimensions))
            raise BadQuery(
                f"{name!r} is not kept apart by meter {definition.name!r}; groupBy may be: {allowed}", field="groupBy"
            )


def _labels(wanted: Filter) -> tuple[str, ...]:
    """The values by which events can be picked where they are stored; none where a filter is not a list of values.

    The empty text also means an absent value, which is not stored as one.
    """
    if wanted.values is None or "" in wanted.values:
        return ()
    return tuple(_label(value) for value in wanted.values)


def _label(value: str) -> str:
    """A value as dimensions keep it: a long one by its beginning and its MD5, as `usage_label` in SQL does."""
    encoded = value.encode()
    if len(encoded) <= LONGEST_LABEL:
        return value
    return f"{value[:24]}…md5:{md5(encoded, usedforsecurity=False).hexdigest()}"


def _value(definition: MetricDefinition, gathered: Bin) -> Decimal | None:
    """What a bin comes to; None where events happened, but none with a value."""
    if definition.aggregation is Aggregation.SUM and gathered.total is None:
        return None
    return finish(definition, gathered)


def _order(series: _Series) -> tuple[Interval, str, list[str]]:
    return series.window, series.team_id or "", [text or "" for text in series.dimensions]


def _cut(interval: Interval, question: MeterQuestion) -> list[Interval]:
    if question.window is None:
        return [interval]
    starts: list[datetime] = []
    for start in window_starts(interval, question.window, question.zone):
        starts.append(start)
        if len(starts) > MOST_WINDOWS:
            raise BadQuery(f"more than {MOST_WINDOWS} windows; ask for a shorter interval or a larger windowSize")
    return _bounded(starts, interval.end)


def _shown(window: Interval, asked: Interval, question: MeterQuestion) -> Interval:
    """The window of a row: the whole local one, or the interval asked for."""
    if question.window is None:
        return asked
    start = window_start(window.start, question.window, question.zone)
    return Interval(start, next_window(start, question.window, question.zone))
