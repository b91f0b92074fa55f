"""What changed usage after it was known: which metrics, and which events.

An hour that has passed changes by late events and corrections, and the roll-up keeps when (`changed_hours`).
What it has not taken yet is looked up beside it. So the answer includes everything that is acknowledged.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.sql import SQL, Composed

from tallystick.core.clock import EARLIEST, Interval
from tallystick.metering.metrics import changes_since, metric_versions
from tallystick.metering.models import Cause, Causes, CausingEvent, Known, MetricVersion
from tallystick.metering.postgres.fragments import ALWAYS, having, metric_events, metric_sql
from tallystick.metering.postgres.keyset import AFTER_TIME, read_position, time_position
from tallystick.metering.postgres.sources import HOUR, RANGES, hour_of, joined
from tallystick.metering.revisions import differences, lasts
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
FOREVER = datetime.max.replace(tzinfo=UTC)
NEVER = SQL("FALSE")


async def read_changed(connection: Connection, known: Sequence[Known]) -> list[frozenset[str]]:
    """For each, the metrics whose usage may be another than what was known."""
    if not known:
        return []
    changed: list[set[str]] = [set() for _ in known]
    in_force = await metric_versions(connection)
    parameters = {
        "numbers": list(range(len(known))),
        "teams": [each.team_id for each in known],
        "starts": [each.interval.start for each in known],
        "ends": [each.interval.end for each in known],
        "moments": [each.known_at for each in known],
        "tail": await _tail(connection),
    }
    for number, event_name, inside in await _rows(connection, QUERIES["changes"], parameters):
        changed[number].update(_counting(in_force, event_name, known[number].interval, inside=inside))
    for number, names in await _redefined(connection, known, in_force):
        changed[number].update(names)
    return [frozenset(names) for names in changed]


def _counting(
    versions: Sequence[MetricVersion], event_name: str | None, interval: Interval, *, inside: bool
) -> Iterator[str]:
    """The metrics that events of this name, in the interval or before it, count for; no name: any."""
    for version in versions:
        definition = version.definition
        if not inside and not lasts(definition):
            continue
        started = version.effective_from is None or version.effective_from < interval.end
        over = version.effective_to is not None and version.effective_to <= interval.start
        named = event_name is None or definition.event_name in (None, event_name)
        if named and started and (lasts(definition) or not over):
            yield version.name


async def _redefined(
    connection: Connection, known: Sequence[Known], in_force: Sequence[MetricVersion]
) -> list[tuple[int, list[str]]]:
    """Per number, the metrics that were defined otherwise for the interval when it was known."""
    instants = await changes_since(connection, min(each.known_at for each in known))
    lasting = {version.name for version in in_force if lasts(version.definition)}
    by_age: dict[int, dict[str, list[Interval]]] = {len(instants): {}}
    found = []
    for number, each in enumerate(known):
        age = bisect_right(instants, each.known_at)
        if age not in by_age:
            by_age[age] = differences(await metric_versions(connection, each.known_at), in_force)
        names = [
            name
            for name, spans in by_age[age].items()
            if any(s.start < each.interval.end and (name in lasting or s.end > each.interval.start) for s in spans)
        ]
        found.append((number, names))
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """Which changes are asked for; see `EventStore.causes`."""

    team_id: str
    versions: Sequence[MetricVersion]
    interval: Interval
    since: datetime
    until: datetime | None
    where: Mapping[str, Sequence[str | None]]


async def read_causes(connection: Connection, question: Question, limit: int, after: tuple[str, ...] | None) -> Causes:
    """Which events changed the usage, how many of each kind, and a page of them."""
    causes, parameters = await _causes(connection, question)
    if causes is None:
        return Causes(0, 0, 0, [], None)
    counted = QUERIES["count_causes"].format(causes=causes)
    counts: dict[str, int] = dict(await _rows(connection, counted, parameters))
    parameters["limit"] = limit + 1
    if after is not None:
        parameters |= read_position(after, by_time=True)
    page = QUERIES["page_of_causes"].format(causes=causes, after=AFTER_TIME if after else ALWAYS)
    rows = await _rows(connection, page, parameters)
    events = [CausingEvent(id, Cause(cause), *rest) for id, cause, *rest in rows[:limit]]
    position = time_position(events[-1].occurred_at, events[-1].id) if len(rows) > limit else None
    return Causes(
        counts.get(Cause.LATE, 0), counts.get(Cause.AMENDED, 0), counts.get(Cause.VOIDED, 0), events, position
    )


async def _causes(connection: Connection, question: Question) -> tuple[Composed | None, dict[str, Any]]:
    """The statement of the events that changed the usage, None when no hour was touched, and its parameters."""
    interval = question.interval
    if any(lasts(version.definition) for version in question.versions):
        interval = Interval(EARLIEST, interval.end)
    parameters: dict[str, Any] = {
        "team_id": question.team_id,
        "since": question.since,
        "until": question.until or FOREVER,
        "end": interval.end,
        "tail": await _tail(connection),
    }
    hours = [row[0] for row in await _rows(connection, QUERIES["hours_of_changes"], parameters)]
    ranges = list(joined([Interval(h, h + HOUR) for h in hours], hour_of(question.since), interval))
    if not (ranges and question.versions):
        return None, parameters
    parameters |= {"range_starts": [r.start for r in ranges], "range_ends": [r.end for r in ranges]}
    source = SQL("{} JOIN usage_events e ON e.team_id = %(team_id)s "
                 "AND e.occurred_at >= r.start AND e.occurred_at < r.finish").format(RANGES)  # fmt: skip
    parts = []
    for i, version in enumerate(question.versions):
        sql = metric_sql(version, f"v{i}_")
        matching, wanted = having(question.where, version.definition.dimensions, sql.dimensions, f"v{i}_")
        parameters |= {**sql.parameters, **wanted}
        parts.append(metric_events(sql, source, matching, known=NEVER))
    return QUERIES["causing_events"].format(events=SQL(" UNION ALL ").join(parts)), parameters


async def _tail(connection: Connection) -> list[int]:
    return [row[0] for row in await _rows(connection, QUERIES["tail"], {})]


async def _rows(connection: Connection, statement: SQL | Composed, parameters: Mapping[str, Any]) -> list[Any]:
    return await (await connection.execute(statement, parameters)).fetchall()
