"""The one usage query: roll-ups of whole hours, plus raw events for everything else, in one snapshot.

Requests that differ by the team alone are read together: one statement per kind of piece and metric version,
whether it is one team or ten thousand. What the statements are is in `sources`, what becomes of the pieces in
`gathering`.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Composed

from tallystick.core.clock import EARLIEST, Interval
from tallystick.core.money import ZERO
from tallystick.metering.aggregation import LevelAt, Partial, Piece
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.gathering import Gathered, Peak
from tallystick.metering.models import Measure, MetricVersion, Usage
from tallystick.metering.postgres.fragments import picked
from tallystick.metering.postgres.sources import Group, Source, all_events, clip, matching
from tallystick.metering.postgres.unrolled import Unrolled, read_unrolled
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
E_DIMENSIONS = SQL("e.dimensions")
PLACE = SQL("width_bucket(e.occurred_at, %(bounds)s::timestamptz[]) AS place, {} AS grouped")
OPENINGS = SQL("LEFT JOIN jsonb_to_recordset(%(openings)s::jsonb) "
               "AS o (team_id text, dimensions text[], level numeric) "
               "ON o.team_id = e.team_id AND o.dimensions = e.dimensions")  # fmt: skip
LEVEL_CHANGE = SQL("e.value - coalesce(lag(e.value) OVER (PARTITION BY e.team_id, e.dimensions "
                   "ORDER BY e.occurred_at, e.batch_id, e.position), o.level, 0)")  # fmt: skip


async def read_usage(connection: Connection, requests: Sequence[UsageRequest]) -> list[list[Usage]]:
    """The usage of each request as the connection's snapshot has it."""
    answers: list[list[Usage]] = [[] for _ in requests]
    async for gathered, places in _read(connection, requests):
        usage = list(gathered.results())
        for position in places:
            answers[position] = list(usage)
    return answers


async def read_partials(connection: Connection, requests: Sequence[UsageRequest]) -> list[list[Partial]]:
    """What the usage of each request is made of, as the connection's snapshot has it."""
    answers: list[list[Partial]] = [[] for _ in requests]
    async for gathered, places in _read(connection, requests):
        partials = list(gathered.partials())
        for position in places:
            answers[position] = list(partials)
    return answers


async def _read(
    connection: Connection, requests: Sequence[UsageRequest]
) -> AsyncIterator[tuple[Gathered, Sequence[int]]]:
    """What was read for each team and set of alike requests, and where those requests are."""
    unrolled = await read_unrolled(connection, requests)
    for group, positions in _groups(requests):
        reading = _Reading(connection, group, unrolled)
        await reading.read()
        for team_id, places in positions.items():
            if team_id in reading.gathered:
                yield reading.gathered.pop(team_id), places


def _groups(requests: Sequence[UsageRequest]) -> Iterator[tuple[Group, Mapping[str, list[int]]]]:
    """Requests that differ by the team alone, and of each team where its requests are."""
    groups: dict[Any, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    numbers: dict[int, int] = {}  # of a list of windows, which is long and shared by the requests of many teams
    known: dict[tuple[Interval, ...], int] = {}
    for position, request in enumerate(requests):
        if id(request.windows) not in numbers:
            numbers[id(request.windows)] = known.setdefault(tuple(request.windows), len(known))
        groups[_likeness(request, numbers[id(request.windows)])][request.team_id].append(position)
    for positions in groups.values():
        request = requests[next(iter(positions.values()))[0]]
        dimensions = [name for version in reversed(request.versions) for name in version.definition.dimensions]
        yield Group(request, sorted(positions), tuple(dict.fromkeys(dimensions))), positions


def _likeness(request: UsageRequest, windows: int) -> tuple[Any, ...]:
    """All of a request but its team; its windows are told by a number."""
    versions = tuple((version.id, version.effective_from, version.effective_to) for version in request.versions)
    where = tuple((name, tuple(texts)) for name, texts in request.where.items())
    asked = (request.group_by, where, request.raw, request.known_at, request.each, request.measure)
    return versions, windows, request.as_of, asked


class _Reading:
    """Reads the pieces of one group, version by version."""

    def __init__(self, connection: Connection, group: Group, unrolled: Unrolled) -> None:
        self.connection = connection
        self.group = group
        self.unrolled = unrolled
        self.gathered: dict[str, Gathered] = {}

    def _of(self, team_id: str) -> Gathered:
        if team_id not in self.gathered:
            self.gathered[team_id] = Gathered(self.group.request, self.group.names)
        return self.gathered[team_id]

    async def read(self) -> None:
        """Read everything that the requests need."""
        request = self.group.request
        for version in request.versions:
            await self._read_version(version)
        if request.each:
            await self._read_amounts()
        if request.measure is Measure.PEAK:
            await self._read_peaks()

    async def _read_version(self, version: MetricVersion) -> None:
        """Read the version's pieces inside the windows, and the level they open with."""
        if inside := clip(self.group.whole, version):
            await self._read_windows(Source(self.group, version, inside, self.unrolled))
        definition = version.definition
        before = clip(Interval(EARLIEST, self.group.whole.start), version)
        if before and definition.sets_level:
            await self._read_opening_levels(Source(self.group, version, before, self.unrolled))
        elif before and definition.changes_level:
            await self._read_opening_totals(Source(self.group, version, before, self.unrolled))

    async def _read_windows(self, source: Source) -> None:
        for statement in source.pieces():
            for team_id, place, slot, dimensions, *columns in await self._fetch(statement, source, self.group.bounds):
                self._of(team_id).add(source.definition, place, slot, tuple(dimensions), Piece(*columns))
        if not source.definition.keeps_values:
            return
        for statement in source.values():
            for team_id, place, dimensions, value, times in await self._fetch(statement, source, self.group.bounds):
                self._of(team_id).bins[place, tuple(dimensions)].values[value] += int(times)

    async def _read_opening_levels(self, source: Source) -> None:
        for statement in source.opening_levels():
            for team_id, dimensions, *level in await self._fetch(statement, source, []):
                self._of(team_id).open_level(tuple(dimensions), LevelAt(*level))

    async def _read_opening_totals(self, source: Source) -> None:
        for statement in source.pieces():
            rows = await self._fetch(statement, source, [EARLIEST, self.group.whole.start])
            for team_id, _place, _slot, dimensions, *columns in rows:
                self._of(team_id).open_total(tuple(dimensions), Piece(*columns).total or ZERO)

    async def _read_amounts(self) -> None:
        slots, parameters = self._single_events()
        for team_id, place, dimensions, amounts in await self._run(QUERIES["raw_amounts"].format(**slots), parameters):
            self._of(team_id).bins[place, tuple(dimensions)].amounts = amounts

    async def _read_peaks(self) -> None:
        slots, parameters = self._single_events()
        if self.group.request.versions[-1].definition.sets_level:
            slots |= {"change": LEVEL_CHANGE, "openings": OPENINGS}
            parameters["openings"] = self._openings()
        else:
            slots |= {"change": SQL("e.value"), "openings": SQL("")}
        for team_id, place, dimensions, *peak in await self._run(QUERIES["level_peaks"].format(**slots), parameters):
            self._of(team_id).peaks[tuple(dimensions)][place] = Peak(*peak)

    def _single_events(self) -> tuple[dict[str, Composable], dict[str, Any]]:
        """The slots and parameters of a statement about the raw events (e) of all versions in the windows."""
        events, parameters = all_events(self.group)
        request, names = self.group.request, self.group.names
        slots: dict[str, Composable] = {
            "events": events,
            "columns": PLACE.format(picked(request.group_by, names, E_DIMENSIONS)),
            "matching": matching(request, names, E_DIMENSIONS),
        }
        return slots, parameters

    def _openings(self) -> str:
        """The levels of the series before the first window, as JSON."""
        return json.dumps([
            {"team_id": team_id, "dimensions": series, "level": str(opening.level)}
            for team_id, gathered in self.gathered.items()
            for series, opening in gathered.openings.items()
        ])  # fmt: skip

    async def _fetch(self, statement: Composed, source: Source, bounds: Sequence[datetime]) -> list[tuple[Any, ...]]:
        return await self._run(statement, {**source.parameters, "bounds": list(bounds)})

    async def _run(self, statement: Composed, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self.connection.execute(statement, parameters)).fetchall()
