"""The billing provider as billing sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.billing.settlement import NOTHING_TOLD, BillsStanding, Done, Standing
from tallystick.integrations.billing_provider import BillingProvider
from tallystick.integrations.stripe.bills import store as bills
from tallystick.integrations.stripe.meters import store as meters
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
        """How usage and bills of a team stand that it is given; None: it is given none."""
        async with self.database.snapshot() as tx:
            told, billed = await meters.standing(tx, [team_id]), await bills.standing(tx, [team_id])
        if not told and not billed:
            return None
        usage = Standing(*told[0][1:]) if told else NOTHING_TOLD
        return usage._replace(bills=BillsStanding(*billed[0][1:])) if billed else usage
