"""The statements about teams and subscriptions, run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tallystick.billing.teams.models import Pause, Subscription, Team
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
        "currency": team.currency,
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


async def teams_by_id(tx: Connection, team_ids: Sequence[str]) -> dict[str, Team]:
    """Those of the teams that exist, by id."""
    return {row[0]: Team(*row) for row in await _rows(tx, "teams_by_id", {"ids": list(team_ids)})}


async def update_team(tx: Connection, team_id: str, changes: Mapping[str, str | None]) -> Team | None:
    """The team with the changes (`metadata` as JSON text, `currency` empty for the plan's); None: there is none."""
    row = await (await tx.execute(QUERIES["update_team"], {"id": team_id, **changes})).fetchone()
    return Team(*row) if row else None


class Offer(NamedTuple):
    """A plan that can be subscribed to: `name` is what it is stored under, such as `growth@2`."""

    name: str
    family: str
    version: int


class StoredPause(NamedTuple):
    """A pause with its number."""

    id: int
    pause: Pause


async def plans_on_offer(tx: Connection) -> list[Offer]:
    """The plans that can be subscribed to, the newest version of each last."""
    return [Offer(*row) for row in await _rows(tx, "plans_on_offer", {})]


async def record_at(tx: Connection, now: datetime) -> None:
    """Make `now` the recorded time of what this transaction changes about subscriptions."""
    await tx.execute(QUERIES["record_at"], {"now": now})


async def subscriptions(
    tx: Connection,
    team_id: str,
    during: Interval = EVER,
    *,
    after: tuple[datetime, int] = FIRST,
    limit: int = MOST_SUBSCRIPTIONS,
    known_at: datetime | None = None,
) -> list[Subscription]:
    """Subscriptions of a team in force at some instant of the interval, oldest first.

    With `known_at`, as they were known then: what was recorded later is left out.
    """
    return await _subscriptions(tx, [team_id], during, after=after, limit=limit, known_at=known_at)


async def subscriptions_of(
    tx: Connection, team_ids: Sequence[str], during: Interval = EVER, known_at: datetime | None = None
) -> dict[str, list[Subscription]]:
    """Subscriptions of many teams in force at some instant of the interval, by team, oldest first."""
    found: dict[str, list[Subscription]] = {team_id: [] for team_id in team_ids}
    for subscription in await _subscriptions(tx, list(found), during, limit=None, known_at=known_at):
        found[subscription.team_id].append(subscription)
    return found


async def find_subscription(tx: Connection, team_id: str, subscription_id: int) -> Subscription | None:
    """One subscription of the team."""
    found = await _subscriptions(tx, [team_id], ids=[subscription_id])
    return found[0] if found else None


async def subscriptions_by_id(tx: Connection, team_ids: Sequence[str], ids: Sequence[int]) -> dict[int, Subscription]:
    """Subscriptions of these teams that have one of the ids."""
    found = await _subscriptions(tx, team_ids, ids=ids, limit=None)
    return {subscription.id: subscription for subscription in found}


async def _subscriptions(
    tx: Connection,
    team_ids: Sequence[str],
    during: Interval = EVER,
    *,
    ids: Sequence[int] | None = None,
    after: tuple[datetime, int] = FIRST,
    limit: int | None = MOST_SUBSCRIPTIONS,
    known_at: datetime | None = None,
) -> list[Subscription]:
    values = {
        "team_ids": list(team_ids),
        "ids": None if ids is None else list(ids),
        "start": during.start,
        "end": during.end,
        "after_start": after[0],
        "after_id": after[1],
        "limit": limit,
        "known_at": known_at or EVER.end,
    }
    return [_subscription(row) for row in await _rows(tx, "subscriptions", values)]


async def insert_subscription(tx: Connection, values: Mapping[str, Any]) -> int:
    """Subscribe a team; the new subscription's id.

    `anchored_at`, `trial_days` and `trial_ends_at` may be missing: a subscription that takes over from another at
    once goes on with its anniversaries and the rest of its trial, and any other has the trial of the plan.
    """
    unsaid = dict.fromkeys(("anchored_at", "trial_days", "trial_ends_at"))
    [(id,)] = await _rows(tx, "insert_subscription", {**unsaid, **values})
    return int(id)


async def end_subscription(
    tx: Connection,
    subscription_id: int,
    at: datetime | None,
    *,
    canceled_at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """End a subscription at this instant, or not at all; `canceled_at`: when it was canceled, if it was."""
    values = {"id": subscription_id, "at": at, "canceled_at": canceled_at, "reason": reason}
    await tx.execute(QUERIES["end_subscription"], values)


async def withdraw_subscription(tx: Connection, subscription: Subscription) -> None:
    """Take back a subscription that has not begun; the one that it was to follow goes on."""
    await tx.execute(QUERIES["withdraw_subscription"], {"id": subscription.id})
    await resume_subscription(tx, subscription.team_id, subscription.starts_at)


async def resume_subscription(tx: Connection, team_id: str, at: datetime) -> None:
    """Let the subscription that would end at this instant go on as if that had not been said."""
    await tx.execute(QUERIES["resume_subscription"], {"team_id": team_id, "at": at})


async def replace_plan(tx: Connection, subscription_id: int, plan: str) -> None:
    """Put a subscription on another plan from its very start."""
    await tx.execute(QUERIES["replace_plan"], {"id": subscription_id, "plan": plan})


async def end_trial(tx: Connection, subscription_id: int, at: datetime | None) -> None:
    """Let the trial end at this instant; None: there is none."""
    await tx.execute(QUERIES["end_trial"], {"id": subscription_id, "at": at})


async def settled_until(tx: Connection, team_id: str) -> datetime | None:
    """Up to when the team's billing periods can't change any more; None: all can."""
    row = await (await tx.execute(QUERIES["settled_until"], {"team_id": team_id})).fetchone()
    return row[0] if row else None


async def pauses_after(tx: Connection, team_id: str, at: datetime) -> list[StoredPause]:
    """The team's pauses that reach past the instant, in order."""
    rows = await _rows(tx, "pauses_after", {"team_id": team_id, "at": at})
    return [StoredPause(id, Pause(start, end)) for id, start, end in rows]


async def insert_pause(tx: Connection, team_id: str, pause: Pause, now: datetime) -> None:
    """Pause a team."""
    await tx.execute(QUERIES["insert_pause"], {"team_id": team_id, "now": now, **pause._asdict()})


async def supersede_pause(tx: Connection, stored: StoredPause, now: datetime) -> None:
    """Take back a pause, or make room for another in its place."""
    await tx.execute(QUERIES["supersede_pause"], {"id": stored.id, "now": now})


async def end_stale_pauses(tx: Connection, team_id: str, now: datetime) -> None:
    """Let pauses that were never resumed end with the subscription that they were of, where it has ended."""
    await tx.execute(QUERIES["end_stale_pauses"], {"team_id": team_id, "now": now})


async def _rows(tx: Connection, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return await (await tx.execute(QUERIES[name], values)).fetchall()


def _subscription(row: Sequence[Any]) -> Subscription:
    id, team_id, plan, currency, unit, every, anchor, starts_at, ends_at, created_at, *more = row
    anchored_at, trial_ends_at, canceled_at, reason, billed_until, paused_from, paused_until = more
    return Subscription(
        id=id,
        team_id=team_id,
        plan=plan,
        currency=currency,
        cadence=BillingPeriod(PeriodUnit(unit), every),
        anchor=Anchor(anchor),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=created_at,
        anchored_at=anchored_at,
        trial_ends_at=trial_ends_at,
        pauses=tuple(map(Pause, paused_from or (), paused_until or ())),
        canceled_at=canceled_at,
        cancel_reason=reason,
        billed_until=billed_until,
    )
