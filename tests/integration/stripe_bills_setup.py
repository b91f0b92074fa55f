"""What tests of bills at Stripe share: an installation, a fake Stripe with a clock of its own, and a linked team."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallystick.core.clock import ManualClock
from tallystick.integrations.stripe.bills.api import BillApi
from tallystick.integrations.stripe.bills.service import Bills, Issued
from tallystick.integrations.stripe.fake import FakeStripe, RunningFake, Setting, running
from tallystick.integrations.stripe.meters.models import LatePolicy
from tallystick.integrations.stripe.teams.models import Collection, Mode, Terms
from tallystick.integrations.stripe.teams.service import StripeTeams
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened
from tests.integration.stripe_setup import CARD, client

ACCOUNT = "acct_fake/test"
START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
AFTER_MARCH = datetime.fromisoformat("2026-04-01T02:00:00+00:00")


@dataclass(slots=True)
class Till:
    """An installation whose bills Stripe collects."""

    house: House
    fake: RunningFake
    bills: Bills
    teams: StripeTeams

    @property
    def account(self) -> FakeStripe:
        """The fake account."""
        return self.fake.account

    @property
    def clock(self) -> ManualClock:
        """The installation's clock."""
        return self.house.clock

    @property
    def api(self) -> Any:
        """Stripe's own SDK."""
        return self.bills.api.client

    def go_to(self, moment: datetime) -> None:
        """Let time pass, here and there."""
        by = moment - self.clock.now()
        self.clock.advance(by)
        self.account.advance(seconds=by.total_seconds())

    def go(self, **by: float) -> None:
        """Let time pass, here and there."""
        self.go_to(self.clock.now() + timedelta(**by))

    async def customer(self, team_id: str = "acme", *, card: Any = CARD, plan: str = "standard", **terms: Any) -> str:
        """A team with a customer there, billed from March on."""
        await self.house.team(team_id, plan=plan)
        created: str = self.api.v1.customers.create({"name": team_id, **card}).id
        await self.teams.link(team_id, created, linking(**terms))
        return created

    async def close(self, moment: datetime = AFTER_MARCH) -> None:
        """Close what is over at a moment."""
        if moment > self.clock.now():
            self.go_to(moment)
        await self.house.billing.closing.run()

    async def issue(self) -> Issued:
        """Plan, and issue what is due."""
        planned = await self.bills.plan()
        assert planned.problems == ()
        return await self.bills.issue_due()

    async def until_quiet(self, days: int = 3) -> None:
        """Let time pass until nothing waits."""
        for _ in range(days * 24):
            await self.issue()
            if not await self.rows("SELECT FROM stripe_bills WHERE state IN ('planned', 'drafted')"):
                return
            self.go(hours=1)
        raise AssertionError(await self.rows("SELECT state, hold, failures, key_number FROM stripe_bills"))

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.house.database.snapshot() as tx:
            return await (await tx.execute(statement, values)).fetchall()

    async def statements(self) -> list[tuple[Any, ...]]:
        """Status and invoice of every statement."""
        return await self.rows("SELECT status, stripe_invoice_id FROM metered_billing_periods ORDER BY id")

    def invoices(self, customer: str | None = None) -> list[tuple[str, int]]:
        """Status and total of every invoice there."""
        return [(each["status"], each["total"]) for each in self.account.invoices(customer)]


def linking(
    mode: str = "invoice_items", policy: str = "next_period", collection: str = "charge_automatically"
) -> Terms:
    return Terms(Mode(mode), LatePolicy(policy), Collection(collection), START)


@asynccontextmanager
async def open_till(
    database: Database, clock: ManualClock, setting: Setting | None = None, **options: Any
) -> AsyncIterator[Till]:
    """An installation in the middle of March, and the fake; both clocks are moved by hand."""
    with running(setting or Setting(at=clock.now())) as fake:
        async with opened(database, clock) as house:
            bills = Bills.open(database, clock, BillApi(client(fake, **options), ACCOUNT))
            yield Till(house, fake, bills, StripeTeams(database, clock, ACCOUNT))
        assert fake.account.violations == []
        assert fake.account.unserved == []
        assert fake.account.broken == []
