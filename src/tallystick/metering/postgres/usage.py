"""The one usage query: roll-ups of whole hours, plus raw events for everything else, in one snapshot.

Raw events are read for hours that a window boundary cuts, hours that a correction made dirty, hours that
are not backfilled yet, and for the tail: events of batches that no roll-up has taken. What is read raw is
left out of the roll-ups and the other way round, so every event counts once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Literal

from tallystick.core.clock import EARLIEST, Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.aggregation import (
    Bin,
    Dimensions,
    LevelAt,
    Piece,
    change_area,
    finish,
    level_area,
)
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import MetricDefinition, MetricVersion, Usage
from tallystick.metering.postgres.fragments import ALWAYS, MetricSql, metric_sql, text_array
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
HOUR = timedelta(hours=1)
TO_HOUR = {"minute": 0, "second": 0, "microsecond": 0}

Place = tuple[int, Dimensions]


@dataclass(frozen=True, slots=True)
class _State:
    """What a snapshot says about one team: batches and hours that the roll-ups don't hold."""

    rolled_until: Mapping[int, datetime | None]
    tail: list[int]
    tail_hours: frozenset[datetime]
    dirty_hours: frozenset[datetime]


async def read_usage(connection: Connection, request: UsageRequest) -> list[Usage]:
    """The request's usage as the connection's snapshot has it."""
    reading = _Reading(connection, request, await _state(connection, request))
    for version in request.versions:
        await reading.gather(version)
    return list(reading.results())


async def _state(connection: Connection, request: UsageRequest) -> _State:
    if request.raw:
        return _State({}, [], frozenset(), frozenset())
    team = {"team_id": request.team_id}
    versions = {"versions": [version.id for version in request.versions]}
    rolled = await (await connection.execute(QUERIES["rolled_until"], versions)).fetchall()
    tail = [row[0] for row in await (await connection.execute(QUERIES["tail"])).fetchall()]
    dirty = await (await connection.execute(QUERIES["dirty_hours_of_team"], team)).fetchall()
    hours: list[tuple[datetime]] = []
    if tail and any(version.definition.sets_level for version in request.versions):
        hours = await (await connection.execute(QUERIES["tail_hours"], {**team, "tail": tail})).fetchall()
    return _State(dict(rolled), tail, frozenset(h for (h,) in hours), frozenset(h for (h,) in dirty))


class _Reading:
    """Gathers the pieces of one request, version by version, and turns them into usage."""

    def __init__(self, connection: Connection, request: UsageRequest, state: _State) -> None:
        self.connection = connection
        self.request = request
        self.state = state
        self.bounds = [request.windows[0].start, *(w.end for w in request.windows)]
        self.bins: dict[Place, Bin] = defaultdict(Bin)
        self.chains: dict[Dimensions, dict[int, list[Piece]]] = defaultdict(lambda: defaultdict(list))
        self.openings: dict[Dimensions, LevelAt] = {}
        self.opening_totals: dict[Dimensions, Decimal] = defaultdict(lambda: ZERO)

    @property
    def definition(self) -> MetricDefinition:
        return self.request.versions[-1].definition

    async def gather(self, version: MetricVersion) -> None:
        """Read the version's pieces inside the windows, and the level they open with."""
        inside = _clip(Interval(self.bounds[0], self.bounds[-1]), version)
        if inside is not None:
            await self._gather_windows(_Source(self, version, inside))
        definition = version.definition
        before = _clip(Interval(EARLIEST, self.bounds[0]), version)
        if before is not None and definition.sets_level:
            await self._gather_opening_levels(_Source(self, version, before))
        elif before is not None and definition.changes_level:
            await self._gather_opening_totals(_Source(self, version, before))

    async def _gather_windows(self, source: "_Source") -> None:
        for place, slot, dimensions, *columns in await source.pieces(self.bounds):
            self._keep(source.version.definition, place, slot, tuple(dimensions), Piece(*columns))
        if source.version.definition.keeps_values:
            for place, dimensions, value, times in await source.values(self.bounds):
                self.bins[place, tuple(dimensions)].values[value] += int(times)

    def _keep(
        self, definition: MetricDefinition, place: int, slot: datetime | None, at: Dimensions, piece: Piece
    ) -> None:
        if not definition.sets_level:
            self.bins[place, at].add(piece, slot if definition.slot else None)
            return
        self.chains[at][place].append(piece)
        gathered = self.bins[place, self._grouped(at)]
        gathered.events += piece.events
        gathered.unvalued += piece.unvalued

    async def _gather_opening_levels(self, source: "_Source") -> None:
        for dimensions, level, since, batch, position in await source.opening_levels():
            at, found = tuple(dimensions), LevelAt(level, since, batch, position)
            if at not in self.openings or found[1:] > self.openings[at][1:]:
                self.openings[at] = found

    async def _gather_opening_totals(self, source: "_Source") -> None:
        for _place, _slot, dimensions, *columns in await source.pieces([EARLIEST, self.bounds[0]]):
            at = tuple(dimensions)
            self.opening_totals[at] = EXACT.add(self.opening_totals[at], Piece(*columns).total or ZERO)

    def _grouped(self, dimensions: Dimensions) -> Dimensions:
        names = self.definition.dimensions
        return tuple(dimensions[names.index(name)] for name in self.request.group_by)

    def results(self) -> Iterator[Usage]:
        """The usage per window and dimension values, in order."""
        if self.definition.sets_level:
            self._settle_levels()
        elif self.definition.changes_level:
            self._settle_changes()
        ordered = sorted(self.bins, key=lambda key: (key[0], [(text is None, text or "") for text in key[1]]))
        for place, dimensions in ordered:
            gathered = self.bins[place, dimensions]
            quantity = finish(self.definition, gathered)
            window = self.request.windows[place - 1]
            yield Usage(self.definition.name, window, dimensions, quantity, gathered.events, gathered.unvalued)

    def _settle_levels(self) -> None:
        known_until = self._known_until()
        for dimensions in {*self.chains, *self.openings}:
            level, grouped = self.openings.get(dimensions), self._grouped(dimensions)
            for place, window in enumerate(self.request.windows, start=1):
                pieces = self.chains[dimensions][place] if dimensions in self.chains else []
                if level is None and not pieces:
                    continue
                area, level = level_area(level, pieces, window, known_until)
                if area or pieces:
                    gathered = self.bins[place, grouped]
                    gathered.area = EXACT.add(gathered.area or ZERO, area)

    def _settle_changes(self) -> None:
        known_until = self._known_until()
        groups = {*(dimensions for _, dimensions in self.bins), *self.opening_totals}
        for dimensions in groups:
            level = self.opening_totals.get(dimensions, ZERO)
            for place, window in enumerate(self.request.windows, start=1):
                gathered = self.bins.get((place, dimensions), Bin())
                area = change_area(level, gathered, window, known_until)
                level = EXACT.add(level, gathered.total or ZERO)
                if area or gathered.events:
                    gathered.area = area
                    self.bins[place, dimensions] = gathered

    def _known_until(self) -> datetime:
        """Levels are known up to now, or up to the last event where that is (a little) ahead of the clock."""
        ahead = [p.latest_at for places in self.chains.values() for ps in places.values() for p in ps if p.latest_at]
        ahead += [gathered.last_event_at for gathered in self.bins.values() if gathered.last_event_at]
        return max([self.request.as_of, *ahead])


def _clip(interval: Interval, version: MetricVersion) -> Interval | None:
    start = max(interval.start, version.effective_from or interval.start)
    end = min(interval.end, version.effective_to or interval.end)
    return Interval(start, end) if start < end else None


class _Source:
    """Where the pieces of one version inside one interval come from."""

    def __init__(self, reading: _Reading, version: MetricVersion, interval: Interval) -> None:
        self.connection = reading.connection
        self.request = reading.request
        self.version = version
        self.interval = interval
        self.sql: MetricSql = metric_sql(version)
        raw_hours, self.rolled_until = self._raw_hours(reading)
        self.ranges = list(_ranges(raw_hours, self.rolled_until, interval))
        self.parameters: dict[str, Any] = {
            **self.sql.parameters,
            "version": version.id,
            "team_id": self.request.team_id,
            "start": interval.start,
            "end": interval.end,
            "raw_hours": sorted(raw_hours),
            "range_starts": [r.start for r in self.ranges],
            "range_ends": [r.end for r in self.ranges],
            "tail": reading.state.tail,
            **{f"where_{name}": list(values) for name, values in self._where()},
        }

    def _where(self) -> Iterator[tuple[int, Sequence[str]]]:
        for name, values in self.request.where.items():
            yield self.version.definition.dimensions.index(name) + 1, values

    def _raw_hours(self, reading: _Reading) -> tuple[frozenset[datetime], datetime]:
        """The hours to read raw, and the instant from which everything is."""
        if self.request.raw:
            return frozenset(), self.interval.start
        bounds = {*reading.bounds, self.interval.start, self.interval.end}
        cut = {b.replace(**TO_HOUR) for b in bounds if b != b.replace(**TO_HOUR)}  # type: ignore[arg-type]
        hours = cut | reading.state.dirty_hours | reading.state.tail_hours
        until = reading.state.rolled_until[self.version.id] or self.interval.end
        return frozenset(h for h in hours if h < self.interval.end and h + HOUR > self.interval.start), until

    def _rolled_parameters(self) -> dict[str, Any]:
        return {**self.parameters, "end": min(self.interval.end, self.rolled_until)}

    @property
    def _has_raw(self) -> bool:
        return bool(self.ranges or self.parameters["tail"])

    async def pieces(self, bounds: Sequence[datetime]) -> list[tuple[Any, ...]]:
        """Rows of place, slot, dimensions and the columns of a Piece."""
        definition = self.version.definition
        slots: dict[str, Composable] = {
            "dimensions": self._grouped(), "slot": self._slot(), "matching": self._matching("a."),
        }  # fmt: skip
        name = "rollup_levels" if definition.keeps_order else "rollup_totals"
        rows = await self._fetch(QUERIES[name].format(**_used(name, slots)), self._rolled_parameters(), bounds)
        if self._has_raw:
            kind = "ordered_partials" if definition.keeps_order else "partials"
            rows += await self._fetch(self._raw_pieces(kind), self.parameters, bounds)
        if definition.keeps_order and not definition.sets_level:
            rows = [(row[0], None, self._pick(row[2]), *row[3:]) for row in rows]
        return rows

    def _pick(self, dimensions: Sequence[str | None]) -> Dimensions:
        names = self.version.definition.dimensions
        return tuple(dimensions[names.index(name)] for name in self.request.group_by)

    def _raw_pieces(self, kind: str) -> Composed:
        definition = self.version.definition
        grouped = SQL("dimensions") if definition.keeps_order else self._grouped()
        slot: Composable = SQL("NULL::timestamptz")
        if definition.sets_level:
            slot = SQL("date_trunc('hour', occurred_at, 'UTC')")
        elif definition.slot:
            slot = _bin(definition)
        columns = SQL(
            "width_bucket(occurred_at, %(bounds)s::timestamptz[]) AS place, {} AS slot, {} AS grouped"
        ).format(slot, grouped)
        slots: dict[str, Composable] = {
            "group": SQL("place, slot, grouped"),
            "columns": columns,
            "events": self._events(),
            "matching": self._matching(""),
        }
        if kind == "partials":
            slots["moment"] = moment(definition)
        return QUERIES[kind].format(**slots)

    async def values(self, bounds: Sequence[datetime]) -> list[tuple[Any, ...]]:
        """Rows of place, dimensions, value and number of occurrences."""
        rolled = QUERIES["rollup_values"].format(dimensions=self._grouped(), matching=self._matching("a."))
        rows = await self._fetch(rolled, self._rolled_parameters(), bounds)
        if self._has_raw:
            columns = SQL("width_bucket(occurred_at, %(bounds)s::timestamptz[]) AS place, {} AS grouped")
            raw = QUERIES["raw_values"].format(
                columns=columns.format(self._grouped()), events=self._events(), matching=self._matching("")
            )
            rows += await self._fetch(raw, self.parameters, bounds)
        return rows

    async def opening_levels(self) -> list[tuple[Any, ...]]:
        """Rows of dimensions, level, since when, batch and position: at most one per source and dimensions."""
        rolled = QUERIES["rollup_opening"].format(matching=self._matching("a."))
        rows = await self._fetch(rolled, self._rolled_parameters(), [])
        if self._has_raw:
            raw = QUERIES["opening_levels"].format(events=self._events(), matching=self._matching(""))
            rows += await self._fetch(raw, self.parameters, [])
        return rows

    def _grouped(self) -> Composable:
        names = self.version.definition.dimensions
        return text_array(
            [SQL("dimensions[{}]").format(Literal(names.index(name) + 1)) for name in self.request.group_by]
        )

    def _slot(self) -> Composable:
        return SQL("a.period_start") if self.version.definition.slot else SQL("NULL::timestamptz")

    def _matching(self, prefix: str) -> Composable:
        conditions: list[Composable] = [
            SQL("{}dimensions[{}] = ANY({})").format(SQL(prefix), Literal(place), SQL(f"%(where_{place})s::text[]"))
            for place, _ in self._where()
        ]
        return SQL(" AND ").join(conditions) if conditions else ALWAYS

    def _events(self) -> Composable:
        """The version's raw events in the ranges, and those of the tail outside them."""
        ranged = SQL("unnest(%(range_starts)s::timestamptz[], %(range_ends)s::timestamptz[]) AS r (start, finish) "
                     "JOIN usage_events e ON e.team_id = %(team_id)s "
                     "AND e.occurred_at >= r.start AND e.occurred_at < r.finish")  # fmt: skip
        inside = SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s")
        tail = SQL("e.batch_id = ANY(%(tail)s::bigint[]) AND e.team_id = %(team_id)s AND {} AND NOT EXISTS ("
                   "SELECT FROM unnest(%(range_starts)s::timestamptz[], %(range_ends)s::timestamptz[]) "
                   "AS r (start, finish) "
                   "WHERE e.occurred_at >= r.start AND e.occurred_at < r.finish)").format(inside)  # fmt: skip
        parts = []
        if self.ranges:
            parts.append(metric_events(self.sql, ranged, inside))
        if self.parameters["tail"]:
            parts.append(metric_events(self.sql, SQL("usage_events e"), tail))
        return SQL(" UNION ALL ").join(parts)

    async def _fetch(
        self, statement: Composed, parameters: dict[str, Any], bounds: Sequence[datetime]
    ) -> list[tuple[Any, ...]]:
        cursor = await self.connection.execute(statement, {**parameters, "bounds": list(bounds)})
        return await cursor.fetchall()


def _used(name: str, slots: dict[str, Composable]) -> dict[str, Composable]:
    return {"matching": slots["matching"]} if name == "rollup_levels" else slots


def _bin(definition: MetricDefinition) -> Composable:
    return SQL("date_bin({}::interval, occurred_at, '2000-01-01Z')").format(
        Literal(f"{definition.bucket_seconds} seconds")
    )


def moment(definition: MetricDefinition) -> Composable:
    """Σ change × its instant, which changes of a level need; NULL for every other metric."""
    if definition.changes_level:
        return SQL("sum(value * extract(epoch FROM occurred_at))")
    return SQL("NULL::numeric")


def metric_events(sql: MetricSql, source: Composable, scope: Composable) -> Composed:
    """The statement of the events that a metric version counts, from a source and within a scope."""
    return QUERIES["metric_events"].format(
        dimensions=sql.dimensions,
        value=sql.value,
        member=sql.member,
        match=sql.match,
        source=source,
        scope=scope,
    )


def _ranges(raw_hours: frozenset[datetime], rolled_until: datetime, interval: Interval) -> Iterator[Interval]:
    """The disjoint intervals to read raw: whole hours, joined where they touch, and all from `rolled_until` on."""
    spans = [Interval(hour, hour + HOUR) for hour in sorted(raw_hours) if hour < rolled_until]
    if rolled_until < interval.end:
        spans.append(Interval(max(rolled_until, interval.start), interval.end))
    joined: list[Interval] = []
    for span in spans:
        if joined and joined[-1].end >= span.start:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    for span in joined:
        clipped = Interval(max(span.start, interval.start), min(span.end, interval.end))
        if clipped.start < clipped.end:
            yield clipped
