"""The statements about adjustments, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallystick.billing.adjustments.models import BookedPeriod
from tallystick.billing.models import Basis, LineKind
from tallystick.billing.statements.models import StatementLine
from tallystick.core.clock import Interval
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def booked_periods(tx: Connection, team_ids: Sequence[str], known_at: datetime) -> list[BookedPeriod]:
    """The closed statements of these teams that stood in the books at an instant, by team and period."""
    values = {"team_ids": list(team_ids), "known_at": known_at}
    rows = await (await tx.execute(QUERIES["booked_periods"], values)).fetchall()
    return [
        BookedPeriod(id, team_id, subscription_id, Interval(start, end), *rest)
        for id, team_id, subscription_id, start, end, *rest in rows
    ]


async def booked_lines(
    tx: Connection, period_ids: Sequence[int], known_at: datetime
) -> dict[int, dict[str, list[StatementLine]]]:
    """What stood in the books about these statements at an instant: by statement and key, the line itself first."""
    values = {"period_ids": list(period_ids), "known_at": known_at}
    found: dict[int, dict[str, list[StatementLine]]] = {}
    for about, *row in await (await tx.execute(QUERIES["booked_lines"], values)).fetchall():
        row[4], row[10] = LineKind(row[4]), Basis(row[10])
        line = StatementLine(*row)
        found.setdefault(about, {}).setdefault(line.adjusts_key or line.key, []).append(line)
    return found


async def changed_terms(tx: Connection, periods: Sequence[BookedPeriod]) -> dict[int, tuple[str, ...]]:
    """Of these statements those whose prices or terms are others since, and which ones."""
    if not periods:
        return {}
    values: dict[str, Any] = {
        "ids": [each.id for each in periods],
        "team_ids": [each.team_id for each in periods],
        "subscription_ids": [each.subscription_id for each in periods],
        "starts": [each.period.start for each in periods],
        "ends": [each.period.end for each in periods],
        "since": [each.since for each in periods],
        "oldest": min(each.since for each in periods),
    }
    rows = await (await tx.execute(QUERIES["changed_terms"], values)).fetchall()
    return {id: tuple(what) for id, what in rows}


async def mark_rated(tx: Connection, period_ids: Sequence[int], at: datetime) -> None:
    """Note up to when corrections of these statements are booked."""
    if period_ids:
        await tx.execute(QUERIES["rated"], {"period_ids": list(period_ids), "at": at})


async def forget_rating(tx: Connection, period_ids: Sequence[int]) -> None:
    """Have everything that was learned since these statements were closed looked at again."""
    if period_ids:
        await tx.execute(QUERIES["forget_rating"], {"period_ids": list(period_ids)})
