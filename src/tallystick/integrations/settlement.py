"""The billing provider as billing sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.billing.settlement import Done, Standing
from tallystick.integrations.billing_provider import BillingProvider
from tallystick.integrations.stripe.meters import store
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class ProviderSettlement:
    """Answers for the provider; how things stand is read here, without asking it."""

    provider: BillingProvider
    database: Database

    @property
    def name(self) -> str:
        """What people call it."""
        return self.provider.name

    async def sync(self, teams: Sequence[str] | None) -> Done:
        """Tell it all that can be told now."""
        done = await self.provider.sync(teams)
        return Done(done.counts, done.problems)

    async def standing(self, team_id: str) -> Standing | None:
        """How the usage stands that it is told of a team; None: it is told none."""
        async with self.database.snapshot() as tx:
            rows = await store.standing(tx, [team_id])
        return Standing(*rows[0][1:]) if rows else None
