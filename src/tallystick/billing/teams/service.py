"""Makes and changes teams, and shows their subscriptions; what becomes of those is in `moves`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallystick.billing.teams import store
from tallystick.billing.teams.finding import no_team, required_team
from tallystick.billing.teams.models import Subscription, Team, TeamChanges, Terms
from tallystick.billing.teams.moves import Moves
from tallystick.core.clock import Clock, zone
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.core.money import currency_exponent
from tallystick.metering.decoding import Invalid, canonical_metadata
from tallystick.storage.database import Database

__all__ = ["LONGEST_ID", "LONGEST_NAME", "Teams", "required_team"]

LONGEST_ID = 255
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams and subscriptions of one installation."""

    database: Database
    clock: Clock

    @property
    def moves(self) -> Moves:
        """What can become of a team's subscription."""
        return Moves(self.database, self.clock)

    async def create(
        self,
        team_id: str,
        *,
        name: str | None = None,
        time_zone: str = "UTC",
        metadata: Mapping[str, Any] | None = None,
        currency: str | None = None,
    ) -> Team:
        """Make a team; without a name it is called by its id, without a currency billed in that of its plan.

        Raises:
            InvalidInput: an id, name, zone, metadata or currency that can't be.
            Conflict: there is a team of that id.
        """
        _check_text(team_id, "id", LONGEST_ID)
        team = Team(team_id, name or team_id, time_zone, metadata or {}, self.clock.now(), currency or None)
        changes = _checked(TeamChanges(team.name, team.time_zone, team.metadata, currency))
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
            InvalidInput: a name, zone, metadata or currency that can't be.
            NotFound: there is no such team.
        """
        values = _checked(changes)
        async with self.database.transaction() as tx:
            team = await store.update_team(tx, team_id, values)
        return team or no_team(team_id)

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

    async def subscriptions_of(self, team_ids: Sequence[str]) -> dict[str, list[Subscription]]:
        """All subscriptions of these teams, by team, oldest first."""
        async with self.database.snapshot() as tx:
            return await store.subscriptions_of(tx, team_ids)

    async def subscribe(self, team_id: str, terms: Terms) -> Subscription:
        """Put a team on a plan, as `Moves.start` says."""
        return await self.moves.start(team_id, terms)

    async def end(self, team_id: str, subscription_id: int) -> None:
        """End a subscription now, as `Moves.end` says."""
        await self.moves.end(team_id, subscription_id)


def _checked(changes: TeamChanges) -> dict[str, str | None]:
    """The changes as they are stored, metadata as canonical JSON text."""
    if changes.name is not None:
        _check_text(changes.name, "name", LONGEST_NAME)
    if changes.time_zone is not None:
        zone(changes.time_zone)
    if changes.currency:
        currency_exponent(changes.currency)
    metadata = None if changes.metadata is None else _metadata(changes.metadata)
    return {
        "name": changes.name,
        "time_zone": changes.time_zone,
        "metadata": metadata,
        "currency": changes.currency,
    }


def _check_text(text: str, field: str, longest: int) -> None:
    if not text.strip() or not text.isprintable() or len(text.encode()) > longest:
        raise InvalidInput(f"{field} must have 1 to {longest} bytes of printable text", field=field)


def _metadata(metadata: Mapping[str, Any]) -> str | None:
    try:
        return canonical_metadata(json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode())
    except (Invalid, ValueError) as problem:
        raise InvalidInput(str(problem), field="metadata") from None
