"""Links teams with customers, and in the same transaction what follows: whose usage meters are told, late usage."""

from dataclasses import dataclass

from tallystick.billing.teams.service import required_team
from tallystick.catalog.rules import LateUsage
from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict
from tallystick.integrations.stripe.meters.enrolment import enrol, withdraw
from tallystick.integrations.stripe.meters.models import LatePolicy
from tallystick.integrations.stripe.teams import store
from tallystick.integrations.stripe.teams.models import KnownTeam, LinkedTeam, Mode, Terms
from tallystick.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class StripeTeams:
    """The teams of one installation that are customers of one account."""

    database: Database
    clock: Clock
    account: str

    async def link(self, team_id: str, customer_id: str, terms: Terms | None = None) -> LinkedTeam:
        """From now on the team is this customer. Again with other terms: these hold from the next bill on.

        Raises:
            NotFound: there is no such team.
            Conflict: another team is this customer.
        """
        terms, now = terms or Terms(), self.clock.now()
        async with self.database.transaction() as tx:
            await required_team(tx, team_id, lock=True)
            other = await store.find_by_customer(tx, self.account, customer_id)
            if other is not None and other.team_id != team_id:
                raise Conflict(f"customer {customer_id} is team {other.team_id} already")
            await store.link(tx, self.account, team_id, customer_id, terms=terms, now=now)
            await store.set_late_usage(tx, team_id, _late_usage(terms.late_policy))
            await self._meter(tx, team_id, customer_id, terms)
            found = await store.find(tx, team_id)
        assert found is not None
        return found

    async def unlink(self, team_id: str) -> None:
        """The team is no customer any more. Bills and usage that are on their way still arrive.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.transaction() as tx:
            await required_team(tx, team_id, lock=True)
            await store.unlink(tx, team_id)
            await store.set_late_usage(tx, team_id, None)
            await withdraw(tx, team_id)

    async def all(self) -> list[LinkedTeam]:
        """Every team that is a customer, by id."""
        async with self.database.snapshot() as tx:
            return await store.linked(tx)

    async def known(self) -> list[KnownTeam]:
        """Every team of the installation, by id."""
        async with self.database.snapshot() as tx:
            return await store.every(tx)

    async def _meter(self, tx: Connection, team_id: str, customer_id: str, terms: Terms) -> None:
        if terms.mode is not Mode.METERS:
            await withdraw(tx, team_id)
            return
        await enrol(
            tx,
            self.account,
            team_id,
            customer_id,
            now=self.clock.now(),
            late_policy=terms.late_policy,
            metered_from=terms.billed_from,
        )


def _late_usage(policy: LatePolicy) -> str | None:
    """What the books make of late usage under a policy; None: what the billing file says.

    To write off is the only one that the books have to know of: priced by what it comes to now less what it came to
    before, late usage is an adjustment under both of the others.
    """
    return str(LateUsage.IGNORE) if policy is LatePolicy.WRITE_OFF else None
