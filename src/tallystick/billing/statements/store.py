"""The statements about statements, run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tallystick.billing.models import Basis, LineKind, Statement
from tallystick.billing.statements.models import ClosedPeriod, ClosedStatement, StatementKind, StatementLine, Status
from tallystick.core.clock import Interval
from tallystick.core.money import ZERO
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

Row = Sequence[Any]


async def save_draft(tx: Connection, statement: Statement, lines: Sequence[Mapping[str, Any]]) -> None:
    """Keep an open statement in `metered_billing_periods`, `lines` as its snapshot of usage.

    Drafts of periods that overlap it are forgotten: the team's zone or subscription has changed since.
    """
    account, subscription = statement.account, statement.account.subscription
    if subscription is None:
        return
    values = {
        "team_id": account.team.id,
        "subscription_id": subscription.id,
        "period_start": account.period.start,
        "period_end": account.period.end,
        "lines": Jsonb(list(lines)),
        "total": statement.total,
        "currency": account.billing_currency,
        "computed_at": account.as_of,
    }
    await tx.execute(QUERIES["forget_overlapped"], values)
    await tx.execute(QUERIES["save_draft"], values)


async def closed_period(tx: Connection, period_id: int, *, lock: bool = False) -> ClosedPeriod | None:
    """The closed statement of that id, without its lines; locked, if asked for, until the transaction ends."""
    statement = QUERIES["lock_closed_period" if lock else "closed_period"]
    row = await (await tx.execute(statement, {"id": period_id})).fetchone()
    return _period(row) if row else None


async def closed_statement(tx: Connection, period_id: int) -> ClosedStatement | None:
    """The closed statement of that id; None: there is none, or the period is still open."""
    period = await closed_period(tx, period_id)
    return ClosedStatement(period, (await lines_of(tx, [period_id])).get(period_id, [])) if period else None


async def list_periods(
    tx: Connection,
    limit: int,
    *,
    team_id: str | None = None,
    status: str | None = None,
    after: tuple[datetime, int] | None = None,
) -> list[ClosedPeriod]:
    """Up to `limit` statements, the newest period first; open drafts have no `known_at`, `closed_at` or digest."""
    start, id = after or (None, None)
    values = {"team_id": team_id, "status": status, "after_start": start, "after_id": id, "limit": limit}
    return [_period(row) for row in await (await tx.execute(QUERIES["list_periods"], values)).fetchall()]


async def lines_of(tx: Connection, period_ids: Sequence[int]) -> dict[int, list[StatementLine]]:
    """The lines of these statements, by statement, in their order."""
    return await _grouped(tx, "lines_of", period_ids, "period_id")


async def adjustments_of(tx: Connection, period_ids: Sequence[int]) -> dict[int, list[StatementLine]]:
    """What was booked later about these statements, by statement, the earliest first; what is void is left out."""
    return await _grouped(tx, "adjustments_of", period_ids, "adjusts_period_id")


async def _grouped(tx: Connection, name: str, period_ids: Sequence[int], by: str) -> dict[int, list[StatementLine]]:
    found: dict[int, list[StatementLine]] = {}
    for row in await (await tx.execute(QUERIES[name], {"period_ids": list(period_ids)})).fetchall():
        line = _line(row)
        found.setdefault(getattr(line, by), []).append(line)
    return found


async def find_line(tx: Connection, line_id: int) -> StatementLine | None:
    """One line of a closed statement."""
    row = await (await tx.execute(QUERIES["line"], {"id": line_id})).fetchone()
    return _line(row) if row else None


def _period(row: Row) -> ClosedPeriod:
    id, team_id, subscription_id, kind, start, end, status, currency, subtotal, *rest = row
    kinds = StatementKind(kind), Interval(start, end), Status(status)
    return ClosedPeriod(id, team_id, subscription_id, *kinds, currency, ZERO if subtotal is None else subtotal, *rest)


def _line(row: Row) -> StatementLine:
    values = list(row)
    values[4], values[10] = LineKind(values[4]), Basis(values[10])
    return StatementLine(*values)
