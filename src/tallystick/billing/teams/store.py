"""The statements about teams and subscriptions, run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tallystick.billing.teams.models import Subscription, Team
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

EVER = Interval(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
FIRST = (EVER.start, 0)
"""The position before a team's first subscription."""

MOST_SUBSCRIPTIONS = 10_000


async def insert_team(tx: Connection, team: Team, metadata: str) -> bool:
    """Add a team; whether there was none of its id."""
    values = {
        "id": team.id,
        "name": team.name,
        "time_zone": team.time_zone,
        "metadata": metadata,
        "created_at": team.created_at,
    }
    return (await tx.execute(QUERIES["insert_team"], values)).rowcount == 1


async def find_team(tx: Connection, team_id: str, *, lock: bool = False) -> Team | None:
    """The team of that id; locked, if asked for, until the transaction ends."""
    statement = QUERIES["lock_team" if lock else "find_team"]
    row = await (await tx.execute(statement, {"id": team_id})).fetchone()
    return Team(*row) if row else None


async def list_teams(tx: Connection, limit: int, *, after: str = "", only: str | None = None) -> list[Team]:
    """Up to `limit` teams whose id comes after `after`, by id; `only` is the one team to look at."""
    values = {"limit": limit, "after": after, "only": only}
    return [Team(*row) for row in await (await tx.execute(QUERIES["list_teams"], values)).fetchall()]


async def update_team(tx: Connection, team_id: str, changes: Mapping[str, str | None]) -> Team | None:
    """The team with the changes (`name`, `time_zone`, `metadata` as JSON text); None: there is none."""
    row = await (await tx.execute(QUERIES["update_team"], {"id": team_id, **changes})).fetchone()
    return Team(*row) if row else None


async def plan_names(tx: Connection) -> list[str]:
    """The plans that can be subscribed to."""
    return [name for (name,) in await (await tx.execute(QUERIES["plan_names"])).fetchall()]


async def subscriptions(
    tx: Connection,
    team_id: str,
    during: Interval = EVER,
    *,
    after: tuple[datetime, int] = FIRST,
    limit: int = MOST_SUBSCRIPTIONS,
) -> list[Subscription]:
    """Subscriptions of a team in force at some instant of the interval, oldest first."""
    values = {
        "team_id": team_id,
        "start": during.start,
        "end": during.end,
        "after_start": after[0],
        "after_id": after[1],
        "limit": limit,
    }
    rows = await (await tx.execute(QUERIES["subscriptions"], values)).fetchall()
    return [_subscription(row) for row in rows]


async def find_subscription(tx: Connection, team_id: str, subscription_id: int) -> Subscription | None:
    """One subscription of the team."""
    values = {"team_id": team_id, "id": subscription_id}
    row = await (await tx.execute(QUERIES["find_subscription"], values)).fetchone()
    return _subscription(row) if row else None


async def insert_subscription(tx: Connection, values: Mapping[str, Any]) -> int:
    """Subscribe a team; the new subscription's id."""
    row = await (await tx.execute(QUERIES["insert_subscription"], values)).fetchone()
    assert row is not None
    return int(row[0])


async def end_subscription(tx: Connection, subscription_id: int, at: datetime) -> None:
    """End a subscription at this instant."""
    await tx.execute(QUERIES["end_subscription"], {"id": subscription_id, "at": at})


async def withdraw_subscription(tx: Connection, subscription: Subscription) -> None:
    """Take back a subscription that has not begun; the one that it was to follow goes on."""
    await tx.execute(QUERIES["withdraw_subscription"], {"id": subscription.id})
    values = {"team_id": subscription.team_id, "at": subscription.starts_at}
    await tx.execute(QUERIES["resume_subscription"], values)


async def settled_until(tx: Connection, team_id: str) -> datetime | None:
    """Up to when the team's billing periods can't change any more; None: all can."""
    row = await (await tx.execute(QUERIES["settled_until"], {"team_id": team_id})).fetchone()
    return row[0] if row else None


def _subscription(row: Sequence[Any]) -> Subscription:
    id, team_id, plan, currency, unit, every, anchor, starts_at, ends_at, created_at = row
    cadence = BillingPeriod(PeriodUnit(unit), every)
    return Subscription(id, team_id, plan, currency, cadence, Anchor(anchor), starts_at, ends_at, created_at)
