"""The statements about teams at Stripe, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallystick.integrations.stripe.meters.models import LatePolicy
from tallystick.integrations.stripe.teams.models import Collection, KnownTeam, LinkedTeam, Mode, Terms
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
PAGE = 1000


async def find(tx: Connection, team_id: str) -> LinkedTeam | None:
    """A team and its customer; None: it has none."""
    return _one(await (await tx.execute(QUERIES["find"], {"team_id": team_id})).fetchone())


async def find_by_customer(tx: Connection, account: str, customer_id: str) -> LinkedTeam | None:
    """The team that a customer is; None: none is."""
    values = {"account": account, "customer_id": customer_id}
    return _one(await (await tx.execute(QUERIES["find_by_customer"], values)).fetchone())


async def linked(tx: Connection) -> list[LinkedTeam]:
    """Every team that is a customer, by id."""
    return [_team(row) for row in await (await tx.execute(QUERIES["list"])).fetchall()]


async def link(tx: Connection, account: str, team_id: str, customer_id: str, *, terms: Terms, now: datetime) -> None:
    """From now on a team is this customer, on these terms."""
    values = {"account": account, "team_id": team_id, "customer_id": customer_id, "now": now, **terms._asdict()}
    await tx.execute(QUERIES["link"], values)


async def unlink(tx: Connection, team_id: str) -> None:
    """A team is no customer any more."""
    await tx.execute(QUERIES["unlink"], {"team_id": team_id})


async def customer_gone(tx: Connection, account: str, customer_id: str, now: datetime) -> str | None:
    """A customer was deleted; its team, if it is one."""
    values = {"account": account, "customer_id": customer_id, "now": now}
    row = await (await tx.execute(QUERIES["customer_gone"], values)).fetchone()
    return row[0] if row else None


async def subscription_changed(
    tx: Connection, account: str, customer_id: str, id: str, status: str
) -> tuple[str, Mode] | None:
    """A customer's subscription is in another state; its team and mode, if it is one."""
    values = {"account": account, "customer_id": customer_id, "id": id, "status": status}
    row = await (await tx.execute(QUERIES["subscription_changed"], values)).fetchone()
    return (row[0], Mode(row[1])) if row else None


async def set_late_usage(tx: Connection, team_id: str, late_usage: str | None) -> None:
    """What becomes of corrections of a team's closed periods; None: what the billing file says."""
    await tx.execute(QUERIES["late_usage"], {"team_id": team_id, "late_usage": late_usage})


async def every(tx: Connection) -> list[KnownTeam]:
    """Every team, by id."""
    found: list[KnownTeam] = []
    while True:
        values = {"after": found[-1].id if found else "", "limit": PAGE}
        page = [KnownTeam(*row) for row in await (await tx.execute(QUERIES["every"], values)).fetchall()]
        found += page
        if len(page) < PAGE:
            return found


def _one(row: Sequence[Any] | None) -> LinkedTeam | None:
    return _team(row) if row else None


def _team(row: Sequence[Any]) -> LinkedTeam:
    team_id, account, customer_id, mode, late_policy, collection, *rest = row
    return LinkedTeam(team_id, account, customer_id, Mode(mode), LatePolicy(late_policy), Collection(collection), *rest)
