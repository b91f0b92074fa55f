"""Where the pieces of one metric version inside one interval come from, for some teams: as statements.

Roll-ups of whole hours, and raw events for everything else. Raw are the hours that a window's bound cuts and
everything from some instant on (of all teams alike: the ranges), hours of one team that corrections, the tail
or a moment of knowledge take out of the roll-ups (its own hours), and the tail. What is read raw is left out
of the roll-ups and the other way round, so every event counts once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Literal

from tallystick.core.clock import Interval, as_utc
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import MetricDefinition, MetricVersion
from tallystick.metering.postgres.fragments import (
    ALWAYS,
    DIMENSIONS,
    MetricSql,
    metric_events,
    metric_sql,
    moment,
    picked,
    place_of,
)
from tallystick.metering.postgres.unrolled import Unrolled
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
HOUR = timedelta(hours=1)
NULL_SLOT = SQL("NULL::timestamptz")
PLACE = SQL("width_bucket(occurred_at, %(bounds)s::timestamptz[]) AS place, {} AS slot, {} AS grouped")
KNOWN = SQL("c.recorded_at <= %(known_at)s")
INSIDE = SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s")
RANGES = SQL("unnest(%(range_starts)s::timestamptz[], %(range_ends)s::timestamptz[]) AS r (start, finish)")
BUCKETS = SQL("a.metric_version_id = %(version)s "
              "AND a.period_start >= %(start)s AND a.period_start < %(rolled_end)s "
              "AND date_trunc('hour', a.period_start, 'UTC') <> ALL(%(cut_hours)s::timestamptz[])")  # fmt: skip
OWN = SQL("unnest(%(own_teams)s::text[], %(own_hours)s::timestamptz[]) AS o (team_id, hour)")


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that differ by the team alone.

    Attributes:
        request: any of them.
        teams: of all of them.
        names: every dimension of the versions, the last version's first: they tell the series of levels apart.
    """

    request: UsageRequest
    teams: Sequence[str]
    names: tuple[str, ...]

    @property
    def whole(self) -> Interval:
        """From the first window's start to the last one's end."""
        return Interval(self.request.windows[0].start, self.request.windows[-1].end)

    @property
    def bounds(self) -> list[datetime]:
        """Where the windows begin, and where the last one ends."""
        return [self.request.windows[0].start, *(window.end for window in self.request.windows)]


class Source:
    """The statements that read one version inside one interval, and their parameters."""

    def __init__(self, group: Group, version: MetricVersion, interval: Interval, unrolled: Unrolled) -> None:
        self.request = group.request
        self.version = version
        self.definition: MetricDefinition = version.definition
        self.interval = interval
        self.names = group.names
        self.sql: MetricSql = metric_sql(version)
        self.live_from = self._live_from(unrolled)
        cut = frozenset() if self.request.raw else _cut_hours({*group.bounds, *interval}, interval)
        self.ranges = list(joined([Interval(hour, hour + HOUR) for hour in cut], self.live_from, interval))
        self.own = [] if self.request.raw else list(self._own_hours(group.teams, unrolled, cut))
        self.tail = [] if self.request.raw else list(unrolled.tail)
        self.parameters: dict[str, Any] = {
            **self.sql.parameters,
            "version": version.id,
            "teams": list(group.teams),
            "known_at": self.request.known_at,
            "start": interval.start,
            "end": interval.end,
            "rolled_end": min(interval.end, self.live_from),
            "cut_hours": sorted(cut),
            "range_starts": [r.start for r in self.ranges],
            "range_ends": [r.end for r in self.ranges],
            "own_teams": [team_id for team_id, _ in self.own],
            "own_hours": [hour for _, hour in self.own],
            "tail": self.tail,
            **{f"where_{i}": list(texts) for i, texts in enumerate(self.request.where.values())},
        }

    def _live_from(self, unrolled: Unrolled) -> datetime:
        """The instant from which everything is read raw.

        What was known at a moment is rolled up for the hours that had passed by then; hours in which something
        was recorded later, after they had passed, are read raw by themselves.
        """
        if self.request.raw:
            return self.interval.start
        until = unrolled.rolled_until[self.version.id] or self.interval.end
        return until if self.request.known_at is None else min(until, hour_of(self.request.known_at))

    def _own_hours(
        self, teams: Sequence[str], unrolled: Unrolled, cut: frozenset[datetime]
    ) -> Iterator[tuple[str, datetime]]:
        ordered = self.definition.sets_level
        end = min(self.interval.end, self.live_from)
        for team_id in teams:
            for hour in sorted(unrolled.hours(team_id, self.request.known_at, ordered=ordered) - cut):
                if hour + HOUR > self.interval.start and hour < end:
                    yield team_id, hour

    @property
    def has_rolled(self) -> bool:
        """Whether there may be roll-ups to read."""
        return self.live_from > self.interval.start

    @property
    def has_raw(self) -> bool:
        """Whether there may be raw events to read."""
        return bool(self.ranges or self.own or self.tail)

    def pieces(self) -> list[Composed]:
        """Statements with rows of team, place, slot, dimensions and the columns of a Piece."""
        if self.definition.keeps_order:
            return [self._chained()]
        slot = SQL("a.period_start") if self.definition.slot else NULL_SLOT
        statements = [self._from_rollups("rollup_totals", slot=slot)] if self.has_rolled else []
        if self.has_raw:
            statements.append(self._partials("partials", moment=moment(self.definition)))
        return statements

    def _chained(self) -> Composed:
        pieces = [self._from_rollups("rollup_ordered")] if self.has_rolled else []
        if self.has_raw:
            pieces.append(QUERIES["ordered_pieces"].format(partials=self._partials("ordered_partials")))
        return QUERIES["chained"].format(pieces=SQL(" UNION ALL ").join(pieces))

    def _from_rollups(self, name: str, column: Composable = DIMENSIONS, **slots: Composable) -> Composed:
        return QUERIES[name].format(
            dimensions=self._kept(column), rolled=self._rolled(), matching=self._matching("a."), **slots
        )

    def _partials(self, name: str, **slots: Composable) -> Composed:
        slot: Composable = NULL_SLOT
        if self.definition.sets_level:
            slot = SQL("date_trunc('hour', occurred_at, 'UTC')")
        elif self.definition.slot:
            slot = SQL("date_bin({}::interval, occurred_at, '2000-01-01Z')").format(
                Literal(f"{self.definition.bucket_seconds} seconds")
            )
        return self._from_raw(name, slot, group=SQL("team_id, place, slot, grouped"), **slots)

    def _from_raw(self, name: str, slot: Composable = NULL_SLOT, **slots: Composable) -> Composed:
        columns = PLACE.format(slot, self._kept())
        return QUERIES[name].format(columns=columns, events=self.events(), matching=self._matching(""), **slots)

    def values(self) -> list[Composed]:
        """Statements with rows of team, place, dimensions, value and number of occurrences, where that matters."""
        occurrences = SQL("sum(a.occurrences)" if self.definition.ranks_values else "1")
        rolled = [self._from_rollups("rollup_values", occurrences=occurrences)] if self.has_rolled else []
        return [*rolled, self._from_raw("raw_values")] if self.has_raw else rolled

    def opening_levels(self) -> list[Composed]:
        """Statements with rows of team, dimensions, level, since when, batch and position."""
        rolled = [self._from_rollups("rollup_opening", SQL("l.dimensions"))] if self.has_rolled else []
        if not self.has_raw:
            return rolled
        raw = QUERIES["opening_levels"].format(
            dimensions=self._kept(), events=self.events(), matching=self._matching("")
        )
        return [*rolled, raw]

    def _kept(self, column: Composable = DIMENSIONS) -> Composable:
        """The dimensions that pieces are kept apart by: those asked for, but all of them where levels are chained."""
        names = self.names if self.definition.sets_level else self.request.group_by
        return picked(names, self.definition.dimensions, column)

    def _matching(self, prefix: str) -> Composable:
        return matching(self.request, self.definition.dimensions, SQL(prefix + "dimensions"))

    def _rolled(self) -> Composable:
        """Which buckets can be taken as they are: whole, complete, and not to be read raw."""
        if not self.own:
            return BUCKETS
        return SQL("{} AND NOT EXISTS (SELECT FROM {} WHERE o.team_id = a.team_id "
                   "AND o.hour = date_trunc('hour', a.period_start, 'UTC'))").format(BUCKETS, OWN)  # fmt: skip

    def events(self) -> Composable:
        """The version's raw events in the ranges, in the teams' own hours, and those of the tail outside both."""
        parts = []
        if self.ranges:
            source = SQL("{} JOIN usage_events e ON e.team_id = ANY(%(teams)s::text[]) "
                         "AND e.occurred_at >= r.start AND e.occurred_at < r.finish").format(RANGES)  # fmt: skip
            parts.append(self._events_of(source, INSIDE))
        if self.own:
            source = SQL("{} JOIN usage_events e ON e.team_id = o.team_id "
                         "AND e.occurred_at >= o.hour "
                         "AND e.occurred_at < o.hour + interval '1 hour'").format(OWN)  # fmt: skip
            parts.append(self._events_of(source, INSIDE))
        if self.tail:
            parts.append(self._events_of(SQL("usage_events e"), self._in_tail()))
        return SQL(" UNION ALL ").join(parts)

    def _in_tail(self) -> Composable:
        scope = SQL("e.batch_id = ANY(%(tail)s::bigint[]) AND e.team_id = ANY(%(teams)s::text[]) AND {} "
                    "AND NOT EXISTS (SELECT FROM {} WHERE e.occurred_at >= r.start AND e.occurred_at < r.finish)"
                    ).format(INSIDE, RANGES)  # fmt: skip
        if not self.own:
            return scope
        return SQL("{} AND NOT EXISTS (SELECT FROM {} WHERE o.team_id = e.team_id "
                   "AND o.hour = date_trunc('hour', e.occurred_at, 'UTC'))").format(scope, OWN)  # fmt: skip

    def _events_of(self, source: Composable, scope: Composable) -> Composed:
        return metric_events(self.sql, source, known_scope(self.request, scope), known=known(self.request))


def all_events(group: Group) -> tuple[Composed, dict[str, Any]]:
    """Every raw event that the versions count in the windows, with all dimensions, and the parameters."""
    parameters: dict[str, Any] = {
        "teams": list(group.teams),
        "known_at": group.request.known_at,
        "start": group.whole.start,
        "end": group.whole.end,
        "bounds": group.bounds,
        **{f"where_{i}": list(texts) for i, texts in enumerate(group.request.where.values())},
    }
    scope = known_scope(group.request, SQL("e.team_id = ANY(%(teams)s::text[]) AND {}").format(INSIDE))
    parts = []
    for i, version in enumerate(group.request.versions):
        sql = metric_sql(version, f"v{i}_")
        parameters |= sql.parameters
        parts.append(metric_events(
            sql, SQL("usage_events e"), scope, known=known(group.request),
            dimensions=picked(group.names, version.definition.dimensions, SQL("({})").format(sql.dimensions)),
        ))  # fmt: skip
    return SQL(" UNION ALL ").join(parts), parameters


def known(request: UsageRequest) -> Composable:
    """Which corrections (`c`) the request knows of."""
    return ALWAYS if request.known_at is None else KNOWN


def known_scope(request: UsageRequest, scope: Composable) -> Composable:
    """Of the events in a scope those that the request knows of."""
    return scope if request.known_at is None else SQL("{} AND e.recorded_at <= %(known_at)s").format(scope)


def matching(request: UsageRequest, dimensions: Sequence[str], column: Composable = DIMENSIONS) -> Composable:
    """Whether dimensions have the values that the request wants."""
    conditions = [
        SQL("{} = ANY({})").format(place_of(name, dimensions, column), SQL(f"%(where_{i})s::text[]"))
        for i, name in enumerate(request.where)
    ]
    return SQL(" AND ").join(conditions) if conditions else ALWAYS


def clip(interval: Interval, version: MetricVersion) -> Interval | None:
    """The part of the interval in which the version holds."""
    start = max(interval.start, version.effective_from or interval.start)
    end = min(interval.end, version.effective_to or interval.end)
    return Interval(start, end) if start < end else None


def hour_of(moment: datetime) -> datetime:
    """The hour that an instant is in, by where it begins."""
    return as_utc(moment).replace(minute=0, second=0, microsecond=0)


def _cut_hours(bounds: set[datetime], interval: Interval) -> frozenset[datetime]:
    cut = {hour_of(bound) for bound in bounds if bound != hour_of(bound)}
    return frozenset(hour for hour in cut if hour < interval.end and hour + HOUR > interval.start)


def joined(spans: Sequence[Interval], live_from: datetime, interval: Interval) -> Iterator[Interval]:
    """The disjoint intervals inside one that some spans make up, with everything from `live_from` on."""
    ordered = sorted(span for span in spans if span.start < live_from)
    if live_from < interval.end:
        ordered.append(Interval(max(live_from, interval.start), interval.end))
    found: list[Interval] = []
    for span in ordered:
        if found and found[-1].end >= span.start:
            found[-1] = Interval(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    for span in found:
        clipped = Interval(max(span.start, interval.start), min(span.end, interval.end))
        if clipped.start < clipped.end:
            yield clipped
