"""Makes and changes teams, and puts them on plans."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallystick.billing.periods import LATEST
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Subscription, Team, TeamChanges, Terms
from tallystick.core.clock import EARLIEST, Clock, Interval, zone
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.http.answers import rfc3339
from tallystick.metering.decoding import Invalid, canonical_metadata
from tallystick.storage.database import Connection, Database

LONGEST_ID = 255
LONGEST_NAME = 255
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams and subscriptions of one installation."""

    database: Database
    clock: Clock

    async def create(
        self,
        team_id: str,
        *,
        name: str | None = None,
        time_zone: str = "UTC",
        metadata: Mapping[str, Any] | None = None,
    ) -> Team:
        """Make a team; without a name it is called by its id.

        Raises:
            InvalidInput: an id, name, zone or metadata that can't be.
            Conflict: there is a team of that id.
        """
        _check_text(team_id, "id", LONGEST_ID)
        team = Team(team_id, name or team_id, time_zone, metadata or {}, self.clock.now())
        changes = _checked(TeamChanges(team.name, team.time_zone, team.metadata))
        async with self.database.transaction() as tx:
            if not await store.insert_team(tx, team, changes["metadata"] or "{}"):
                raise Conflict(f"there is a team {team_id!r} already")
        return team

    async def get(self, team_id: str) -> Team:
        """The team of that id.

        Raises:
            NotFound: there is none.
        """
        async with self.database.snapshot() as tx:
            return await required_team(tx, team_id)

    async def page(self, limit: int, *, after: str = "", only: str | None = None) -> Sequence[Team]:
        """Up to `limit` teams whose id comes after `after`, by id; `only` is the one team to look at."""
        async with self.database.snapshot() as tx:
            return await store.list_teams(tx, limit, after=after, only=only)

    async def update(self, team_id: str, changes: TeamChanges) -> Team:
        """Change a team. Metadata is replaced as a whole; another zone moves the bounds of open periods.

        Raises:
            InvalidInput: a name, zone or metadata that can't be.
            NotFound: there is no such team.
        """
        values = _checked(changes)
        async with self.database.transaction() as tx:
            team = await store.update_team(tx, team_id, values)
        return team or _no_team(team_id)

    async def subscriptions(
        self, team_id: str, limit: int, after: tuple[datetime, int] | None = None
    ) -> Sequence[Subscription]:
        """Up to `limit` subscriptions after the position (starts_at, id), oldest first, ended ones too.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.snapshot() as tx:
            await required_team(tx, team_id)
            return await store.subscriptions(tx, team_id, after=after or store.FIRST, limit=limit)

    async def subscribe(self, team_id: str, terms: Terms) -> Subscription:
        """Put a team on a plan. The subscription in force when this one starts ends there.

        Raises:
            NotFound: there is no such team.
            InvalidInput: no such plan, or an end that is not after the start.
            Conflict: another one starts while this one would run, or the start lies in a settled period.
        """
        now = self.clock.now()
        interval = _checked_interval(terms.starts_at or now, terms.ends_at)
        async with self.database.transaction() as tx:
            await required_team(tx, team_id, lock=True)
            await _check_plan(tx, terms.plan)
            await _make_room(tx, team_id, interval)
            values = {
                "team_id": team_id,
                "plan": terms.plan,
                "starts_at": interval.start,
                "ends_at": terms.ends_at,
                "anchor": str(terms.anchor),
                "created_at": now,
            }
            return await _required(tx, team_id, await store.insert_subscription(tx, values))

    async def end(self, team_id: str, subscription_id: int) -> None:
        """End a subscription now. One that has not begun is taken back; one that has ended stays as it is.

        Raises:
            NotFound: the team has no such subscription.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            await required_team(tx, team_id, lock=True)
            subscription = await _required(tx, team_id, subscription_id)
            if subscription.starts_at >= now:
                await store.withdraw_subscription(tx, subscription)
            elif subscription.ends_at is None or subscription.ends_at > now:
                await store.end_subscription(tx, subscription_id, now)


async def required_team(tx: Connection, team_id: str, *, lock: bool = False) -> Team:
    """The team of that id.

    Raises:
        NotFound: there is none.
    """
    known = team_id.isprintable()  # PostgreSQL's text holds no NUL
    return (await store.find_team(tx, team_id, lock=lock) if known else None) or _no_team(team_id)


def _no_team(team_id: str) -> Team:
    raise NotFound(f"there is no team {team_id!r}")


async def _required(tx: Connection, team_id: str, subscription_id: int) -> Subscription:
    if found := await store.find_subscription(tx, team_id, subscription_id):
        return found
    raise NotFound(f"team {team_id!r} has no subscription {subscription_id}")


async def _check_plan(tx: Connection, plan: str) -> None:
    names = await store.plan_names(tx)
    if plan not in names:
        shown = ", ".join(names[:MOST_NAMED]) or "none is defined yet"
        raise InvalidInput(f"there is no plan {plan!r}; there are: {shown}", field="plan")


async def _make_room(tx: Connection, team_id: str, wanted: Interval) -> None:
    """End the subscription in force at the start of another.

    Raises:
        Conflict: another one starts later than that, or the start lies in a settled period.
    """
    settled = await store.settled_until(tx, team_id)
    if settled is not None and wanted.start < settled:
        raise Conflict(f"team {team_id!r} is billed up to {rfc3339(settled)}; start the subscription there or later")
    held = await store.subscriptions(tx, team_id, wanted)
    for subscription in held:
        if subscription.starts_at >= wanted.start:
            begins = f"subscription {subscription.id} to {subscription.plan!r} at {rfc3339(subscription.starts_at)}"
            raise Conflict(f"team {team_id!r} begins {begins}; end that one first, or let this one end before it")
    for subscription in held:
        await store.end_subscription(tx, subscription.id, wanted.start)


def _checked_interval(start: datetime, end: datetime | None) -> Interval:
    for name, moment in (("starts_at", start), ("ends_at", end)):
        if moment is not None and not EARLIEST <= moment < LATEST:
            message = f"{name} must lie between {rfc3339(EARLIEST)} and {rfc3339(LATEST)}"
            raise InvalidInput(message, field=name)
    if end is not None and end <= start:
        raise InvalidInput(f"ends_at must be after the start, {rfc3339(start)}", field="ends_at")
    return Interval(start, end or store.EVER.end)


def _checked(changes: TeamChanges) -> dict[str, str | None]:
    """The changes as they are stored, metadata as canonical JSON text."""
    if changes.name is not None:
        _check_text(changes.name, "name", LONGEST_NAME)
    if changes.time_zone is not None:
        zone(changes.time_zone)
    metadata = None if changes.metadata is None else _metadata(changes.metadata)
    return {"name": changes.name, "time_zone": changes.time_zone, "metadata": metadata}


def _check_text(text: str, field: str, longest: int) -> None:
    if not text.strip() or not text.isprintable() or len(text.encode()) > longest:
        raise InvalidInput(f"{field} must have 1 to {longest} bytes of printable text", field=field)


def _metadata(metadata: Mapping[str, Any]) -> str | None:
    try:
        return canonical_metadata(json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode())
    except (Invalid, ValueError) as problem:
        raise InvalidInput(str(problem), field="metadata") from None
