"""Following usage: what to add to a usage that was read before, so that it need not be read again.

A mark is the snapshot that usage was read in. What another snapshot sees beyond it are the transactions that it did
not see, however the ids of batches and the times of commits are interleaved. Only usage that is a sum can be added
to; corrections take something away, so after one the team's usage is read anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composed, Literal, Placeholder

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.event_store import Followed, Following, Mark, Trail, UsageRequest
from tallystick.metering.models import Aggregation, MetricVersion
from tallystick.metering.postgres.fragments import metric_events, metric_sql
from tallystick.metering.postgres.sources import clip
from tallystick.metering.postgres.usage import read_usage
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

MOST_BATCHES = 500
"""After more than these, reading usage anew is the shorter way."""

ADDS_UP = frozenset({Aggregation.SUM, Aggregation.COUNT})
"""To usage of these the values of further events are added, whenever they happened."""

SOURCE = SQL("(SELECT * FROM usage_events WHERE batch_id = ANY(%(batches)s::bigint[]) "
             "AND occurred_at >= %(start)s AND occurred_at < %(end)s OFFSET 0) e "
             "JOIN unnest({}::text[], {}::timestamptz[], {}::timestamptz[]) "
             "AS f (team_id, start, finish) ON f.team_id = e.team_id")  # fmt: skip
"""OFFSET 0 has the batches read first: they are new, so the planner's statistics know nothing of them."""

INSIDE = SQL("e.occurred_at >= f.start AND e.occurred_at < f.finish")


class _Arrived(NamedTuple):
    """What a mark has not seen, as of another: batches, corrected events, and whose events the batches hold."""

    mark: Mark
    batches: Sequence[int]
    corrected: Sequence[UUID]
    teams: frozenset[str]


class _Part(NamedTuple):
    """The interval of a followed usage in which one version of its metric counts; `place` is where in its trail."""

    place: int
    team_id: str
    interval: Interval


async def read_following(
    connection: Connection,
    requests: Sequence[UsageRequest],
    trails: Sequence[Trail],
    identities: Sequence[UUID],
    awaited: Sequence[UUID],
) -> Following:
    """The answers as the connection's snapshot has them; see `EventStore.follow`."""
    arrived = [await _arrived(connection, trail) for trail in trails]
    came = any(each.batches for each in arrived)
    return Following(
        mark=arrived[0].mark if arrived else await _mark(connection),
        usage=await read_usage(connection, requests) if requests else [],
        added=[await _added(connection, *pair) for pair in zip(trails, arrived, strict=True)],
        recorded=await _recorded(connection, [*identities, *(awaited if came else ())]),
    )


async def _mark(connection: Connection) -> Mark:
    row = await (await connection.execute(QUERIES["mark"])).fetchone()
    assert row is not None, "a select without a table has one row"
    return Mark(row[0])


async def _recorded(connection: Connection, identities: Sequence[UUID]) -> frozenset[UUID]:
    if not identities:
        return frozenset()
    found = await connection.execute(QUERIES["contents"], {"ids": list(identities)})
    return frozenset(row[0] for row in await found.fetchall())


async def _arrived(connection: Connection, trail: Trail) -> _Arrived:
    parameters = {
        "mark": trail.mark,
        "most": MOST_BATCHES + 1,
        "start": trail.hull.start,
        "end": trail.hull.end,
    }
    row = await (await connection.execute(QUERIES["arrived"], parameters)).fetchone()
    assert row is not None, "a select without a table has one row"
    return _Arrived(Mark(row[0]), row[1], row[2], frozenset(row[3]))


async def _added(connection: Connection, trail: Trail, arrived: _Arrived) -> Mapping[int, Decimal | None]:
    """What came to the followed usage of a trail, by its place."""
    if len(arrived.batches) > MOST_BATCHES:
        return dict.fromkeys(range(len(trail.followed)))
    added: dict[int, Decimal | None] = {}
    for place, total, adds_up in await _sums(connection, trail.followed, arrived) if arrived.teams else ():
        so_far = added.get(place, ZERO)
        added[place] = EXACT.add(so_far, total) if adds_up and so_far is not None else None
    if arrived.corrected:
        corrected = await _teams_of(connection, arrived.corrected)
        added |= dict.fromkeys(place for place, each in enumerate(trail.followed) if each.team_id in corrected)
    return added


async def _teams_of(connection: Connection, ids: Sequence[UUID]) -> frozenset[str]:
    found = await connection.execute(QUERIES["teams_of_events"], {"ids": list(ids)})
    return frozenset(row[0] for row in await found.fetchall())


async def _sums(
    connection: Connection, followed: Sequence[Followed], arrived: _Arrived
) -> list[tuple[int, Decimal, bool]]:
    """What the batches add to each followed usage, by its place, and whether it can be added: one statement."""
    touched = [place for place, each in enumerate(followed) if each.team_id in arrived.teams]
    versions = list({v.id: v for place in touched for v in followed[place].versions}.values())
    parts = [list(_parts(version, followed, touched)) for version in versions]
    spans = [part.interval for each in parts for part in each]
    if not spans:
        return []
    parameters: dict[str, Any] = {
        "batches": list(arrived.batches),
        "start": min(span.start for span in spans),
        "end": max(span.end for span in spans),
    }
    statements = [_sum(number, *pair, parameters) for number, pair in enumerate(zip(versions, parts, strict=True))]
    rows = await (await connection.execute(SQL(" UNION ALL ").join(statements), parameters)).fetchall()
    places = [{part.team_id: part.place for part in each} for each in parts]
    adds_up = [version.definition.aggregation in ADDS_UP for version in versions]
    return [(places[number][team_id], total, adds_up[number]) for number, team_id, total in rows]


def _parts(version: MetricVersion, followed: Sequence[Followed], places: Sequence[int]) -> Iterator[_Part]:
    for place in places:
        each = followed[place]
        if any(one.id == version.id for one in each.versions) and (interval := clip(each.interval, version)):
            yield _Part(place, each.team_id, interval)


def _sum(number: int, version: MetricVersion, parts: Sequence[_Part], parameters: dict[str, Any]) -> Composed:
    """The statement about one version, whose parameters are added to those there are."""
    prefix = f"v{number}_"
    sql = metric_sql(version, prefix)
    own = {
        f"{prefix}teams": [part.team_id for part in parts],
        f"{prefix}starts": [part.interval.start for part in parts],
        f"{prefix}ends": [part.interval.end for part in parts],
    }
    parameters |= own | dict(sql.parameters)
    source = SOURCE.format(*(Placeholder(name) for name in own))
    return QUERIES["arrived_sums"].format(number=Literal(number), events=metric_events(sql, source, INSIDE))
