"""The statements about billing periods, run."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tallystick.billing.models import Statement
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def save_statement(tx: Connection, statement: Statement, lines: Sequence[Mapping[str, Any]]) -> None:
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
        "currency": subscription.currency,
        "computed_at": account.as_of,
    }
    await tx.execute(QUERIES["forget_overlapped"], values)
    await tx.execute(QUERIES["save_statement"], values)
