"""The statements about comparisons, run."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.meters.models import Lane
from tallystick.integrations.stripe.reconciling.models import Comparison, Drift, Earlier, Sums
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def earlier(tx: Connection, lane_id: int, start: datetime, sums: Sums, since: datetime) -> Earlier | None:
    """The first comparison that showed the same as now, since something changed last; None: there was none."""
    values = {"lane_id": lane_id, "starts_at": start, "accepted": sums.accepted, "stripe": sums.stripe, "since": since}
    rows = await _rows(tx, "earlier", **values)
    return Earlier(*rows[0]) if rows else None


async def note(tx: Connection, found: Comparison, stripe_time: datetime, now: datetime) -> None:
    """Write a comparison down."""
    values = {
        "lane_id": found.lane.id,
        "starts_at": found.interval.start,
        "ends_at": found.interval.end,
        "stripe_time": stripe_time,
        "drift": str(found.drift),
        "detail": found.detail,
        "now": now,
    }
    await tx.execute(QUERIES["note"], {**values, **found.sums._asdict()})


async def compared(tx: Connection, lane_id: int, now: datetime, again: datetime | None) -> None:
    """Write down that a lane was compared, and when it has to be again."""
    await tx.execute(QUERIES["compared"], {"lane_id": lane_id, "now": now, "again": again})


async def last_repair(tx: Connection, lane_id: int) -> int:
    """The number of a lane's last repair; 0: there was none."""
    [(number,)] = await _rows(tx, "last_repair", lane_id=lane_id)
    return int(number)


async def may_repair(tx: Connection, lane_id: int, last: int) -> bool:
    """Whether nobody else repairs a lane now, nor has since this was its last repair; nor does in this transaction."""
    [(alone,)] = await _rows(tx, "repairs_alone", lane_id=lane_id)
    return bool(alone) and await last_repair(tx, lane_id) == last


async def differed(tx: Connection, lane_id: int, start: datetime, since: datetime) -> int:
    """How often a stretch differed, since an instant."""
    [(number,)] = await _rows(tx, "differed", lane_id=lane_id, starts_at=start, since=since)
    return int(number)


async def due(
    tx: Connection, account: str, most: int, sample: int, *, now: datetime, settled: datetime, stale: datetime
) -> list[Lane]:
    """The lanes to be compared, the most pressing first.

    Args:
        tx: a snapshot or transaction.
        account: whose.
        most: how many at most of those that should be.
        sample: how many of the others.
        now: when.
        settled: periods that ended by then are told by now.
        stale: what was not compared since then may be.
    """
    values = {"account": account, "most": most, "sample": sample, "now": now, "settled": settled, "stale": stale}
    return [Lane(*row) for row in await _rows(tx, "due", **values)]


async def looked_until(tx: Connection, team_id: str) -> Interval | None:
    """From when on, and up to where, usage of a team was looked at; None: it never was."""
    rows = await _rows(tx, "looked_until", team_id=team_id)
    return Interval(*rows[0]) if rows else None


async def late_and_carried(tx: Connection, lane_id: int, interval: Interval) -> tuple[Decimal, Decimal]:
    """What came too late of a stretch, and what was carried to it from others."""
    values = {"lane_id": lane_id, "starts_at": interval.start, "ends_at": interval.end}
    [(late,)], [(carried,)] = await _rows(tx, "late_in", **values), await _rows(tx, "carried_in", **values)
    return late, carried


async def latest(tx: Connection, account: str, teams: Sequence[str] | None) -> list[Comparison]:
    """The last comparison of each lane and stretch."""
    rows = await _rows(tx, "latest", account=account, teams=teams)
    return [
        Comparison(Lane(*row[:7]), Interval(row[7], row[8]), Sums(*row[9:13]), Drift(row[13]), row[14]) for row in rows
    ]


async def _rows(tx: Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    return await (await tx.execute(QUERIES[name], values)).fetchall()
