"""Reads what a document is made of: the closed statement, what credits paid of it, the team, the rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tallystick.billing.credits import store as credits
from tallystick.billing.credits.models import Burn
from tallystick.billing.invoices.content import Corrected, Sources
from tallystick.billing.invoices.models import Recipient, Reference
from tallystick.billing.statements import store as statements
from tallystick.billing.statements.models import ClosedPeriod, ClosedStatement, Status
from tallystick.billing.teams.service import required_team
from tallystick.catalog.store import billing_rules
from tallystick.core.clock import Interval
from tallystick.core.errors import Conflict, NotFound
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def billable(tx: Connection, period_id: int) -> ClosedPeriod:
    """The closed statement of that id, which nobody else invoices or voids until the transaction ends.

    Raises:
        NotFound: there is none.
        Conflict: it is not closed, or no longer to be billed.
    """
    period = await statements.closed_period(tx, period_id, lock=True)
    if period is None:
        raise NotFound(f"there is no closed statement {period_id}; a period is closed once it is over")
    if period.status is not Status.CLOSED:
        raise Conflict(f"statement {period_id} is {period.status}; only one that is closed can be invoiced")
    return period


async def load(tx: Connection, period: ClosedPeriod) -> Sources:
    """Everything that the document of this statement is made of, as it is now."""
    lines = (await statements.lines_of(tx, [period.id])).get(period.id, [])
    burns = (await credits.burns(tx, [period.id])).get(period.id, [])
    team = await required_team(tx, period.team_id)
    recipient, locale = await find_recipient(tx, team.id)
    rules = (await billing_rules(tx)).invoice
    return Sources(
        statement=ClosedStatement(period, lines),
        burns=burns,
        grants=await _grant_names(tx, burns),
        corrected=await _corrected(tx, sorted({line.adjusts_period_id for line in lines if line.adjusts_period_id})),
        team=team,
        recipient=recipient,
        locale=locale,
        rules=rules,
    )


async def find_recipient(tx: Connection, team_id: str) -> tuple[Recipient | None, str | None]:
    """How a team wants to be addressed, and in which language; None: nothing was said."""
    row = await (await tx.execute(QUERIES["find_recipient"], {"team_id": team_id})).fetchone()
    if row is None:
        return None, None
    name, address, tax_id, email, reference, locale = row
    return Recipient(team_id, name, tuple(address), tax_id, email, reference), locale


async def save_recipient(tx: Connection, recipient: Recipient, locale: str | None, now: datetime) -> None:
    """Keep how a team wants to be addressed."""
    values: Mapping[str, Any] = {
        "team_id": recipient.team_id,
        "name": recipient.name,
        "address": list(recipient.address),
        "tax_id": recipient.tax_id,
        "email": recipient.email,
        "reference": recipient.reference,
        "locale": locale,
        "now": now,
    }
    await tx.execute(QUERIES["save_recipient"], values)


async def _grant_names(tx: Connection, burns: Sequence[Burn]) -> dict[int, str]:
    if not burns:
        return {}
    rows = await (await tx.execute(QUERIES["grant_names"], {"ids": [burn.grant_id for burn in burns]})).fetchall()
    return dict(rows)


async def _corrected(tx: Connection, period_ids: Sequence[int]) -> dict[int, Corrected]:
    if not period_ids:
        return {}
    rows = await (await tx.execute(QUERIES["corrected"], {"ids": list(period_ids)})).fetchall()
    return {
        id: Corrected(Interval(start, end), Reference(number, issued_on) if number else None)
        for id, start, end, number, issued_on in rows
    }
