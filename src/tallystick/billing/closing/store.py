"""The statements about closing, run."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from tallystick.billing.statements.models import StatementKind, StatementLine
from tallystick.catalog.rules import LateUsage
from tallystick.core.clock import Interval
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


class Opening(NamedTuple):
    """A statement to be closed."""

    team_id: str
    subscription_id: int
    period: Interval
    currency: str


class Finished(NamedTuple):
    """What a statement comes to."""

    id: int
    subtotal: Decimal
    credits: Decimal
    total: Decimal
    inputs: dict[str, Any]
    digest: str


async def closed_starts(tx: Connection, team_ids: Sequence[str]) -> dict[int, set[datetime]]:
    """Where the closed periods of these teams begin, by subscription."""
    found: dict[int, set[datetime]] = {}
    rows = await (await tx.execute(QUERIES["closed_starts"], {"team_ids": list(team_ids)})).fetchall()
    for subscription_id, start in rows:
        found.setdefault(subscription_id, set()).add(start)
    return found


async def lock_teams(tx: Connection, team_ids: Sequence[str]) -> set[str]:
    """Keep others from closing or changing these teams; those that somebody else keeps are left out."""
    rows = await (await tx.execute(QUERIES["lock_teams"], {"team_ids": sorted(team_ids)})).fetchall()
    return {row[0] for row in rows}


async def open_statements(
    tx: Connection, openings: Sequence[Opening], kind: StatementKind, at: datetime
) -> list[int | None]:
    """Begin to close these; the id of each, or None where the period is closed already."""
    values = {
        "team_ids": [each.team_id for each in openings],
        "subscription_ids": [each.subscription_id for each in openings],
        "starts": [each.period.start for each in openings],
        "ends": [each.period.end for each in openings],
        "currencies": [each.currency for each in openings],
        "kind": str(kind),
        "at": at,
    }
    rows = await (await tx.execute(QUERIES["open_statements"], values)).fetchall()
    ids = {(subscription_id, start): id for id, subscription_id, start in rows}
    if kind is StatementKind.PERIOD:
        await tx.execute(QUERIES["forget_drafts"], values)
    return [ids.get((each.subscription_id, each.period.start)) for each in openings]


async def finish(tx: Connection, finished: Sequence[Finished], known_at: datetime, closed_at: datetime) -> None:
    """Close these statements."""
    values: dict[str, Any] = {
        "ids": [each.id for each in finished],
        "subtotals": [each.subtotal for each in finished],
        "credits": [each.credits for each in finished],
        "totals": [each.total for each in finished],
        "inputs": Jsonb([each.inputs for each in finished]),
        "digests": [each.digest for each in finished],
        "known_at": known_at,
        "closed_at": closed_at,
    }
    await tx.execute(QUERIES["finish_statements"], values)


async def insert_lines(tx: Connection, lines: Sequence[tuple[int, StatementLine]]) -> None:
    """Keep lines, each with the id of its statement."""
    async with tx.cursor() as cursor, cursor.copy(QUERIES["copy_lines"]) as copy:
        for period_id, line in lines:
            await copy.write_row(_columns(period_id, line))


def _columns(period_id: int, line: StatementLine) -> tuple[Any, ...]:
    return (
        period_id,
        line.position,
        line.key,
        str(line.kind),
        line.name,
        line.metric,
        line.unit,
        line.interval_start,
        line.interval_end,
        str(line.basis),
        line.quantity,
        line.events,
        line.unvalued,
        line.price_id,
        line.currency,
        line.amount,
        line.total,
        Jsonb(line.steps),
        line.reason,
        line.billing_currency,
        line.converted_total,
        line.exchange_rate,
        line.rate_date,
        line.rate_source,
        line.adjusts_period_id,
        line.adjusts_key,
        None if line.cause is None else Jsonb(line.cause),
    )


async def later_adjustments(tx: Connection, period_id: int) -> list[int]:
    """The statements in the books that adjust this one."""
    rows = await (await tx.execute(QUERIES["later_adjustments"], {"id": period_id})).fetchall()
    return [row[0] for row in rows]


async def void_statement(tx: Connection, period_id: int, at: datetime, reason: str, actor: str) -> None:
    """Take a statement out of the books."""
    values = {"id": period_id, "at": at, "reason": reason, "actor": actor}
    await tx.execute(QUERIES["void_statement"], values)


async def adjusted_by(tx: Connection, period_id: int) -> list[int]:
    """The statements that this one adjusts."""
    rows = await (await tx.execute(QUERIES["adjusted_by"], {"id": period_id})).fetchall()
    return [row[0] for row in rows]


async def late_usage(tx: Connection, team_ids: Sequence[str], otherwise: LateUsage) -> dict[str, LateUsage]:
    """What becomes of corrections, team by team; `otherwise`: where nothing is said of the team."""
    rows = await (await tx.execute(QUERIES["late_usage"], {"team_ids": list(team_ids)})).fetchall()
    return dict.fromkeys(team_ids, otherwise) | {team_id: LateUsage(rule) for team_id, rule in rows}


async def teams_with_statements(
    tx: Connection, after: str, limit: int, *, only: Sequence[str] | None, late_usage: LateUsage, now: datetime
) -> list[str]:
    """Up to `limit` teams with closed statements, after a position, by id, whose corrections stand alone.

    Args:
        tx: a snapshot or transaction.
        after: the id before the first.
        limit: most teams.
        only: of these.
        late_usage: the rule for teams that have none of their own. By `credit_note` all corrections stand alone, by
            `next_period` those of teams that no subscription runs for any more.
        now: the moment.
    """
    values = {
        "after": after,
        "limit": limit,
        "only": None if only is None else list(only),
        "late_usage": str(late_usage),
        "now": now,
    }
    return [row[0] for row in await (await tx.execute(QUERIES["teams_with_statements"], values)).fetchall()]
