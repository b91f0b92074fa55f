"""What tests of Stripe's meters share: an installation, a fake Stripe with a clock of its own, and both at work."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tallystick.core.clock import Interval, ManualClock
from tallystick.core.money import plain
from tallystick.integrations.stripe.fake import FakeStripe, RunningFake, Setting, running
from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.api import MeterApi
from tallystick.integrations.stripe.meters.enrolment import enrol
from tallystick.integrations.stripe.meters.models import LatePolicy, Meter
from tallystick.integrations.stripe.meters.service import Meters, Synced
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened
from tests.integration.stripe_setup import EVENTS, client

START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
LANE = ("api_calls", "acme")
UNLIMITED = 1e9

__all__ = ["EVENTS", "LANE", "START", "Shop", "open_shop"]


@dataclass(slots=True)
class Shop:
    """An installation whose usage Stripe's meters are told."""

    house: House
    fake: RunningFake
    api: MeterApi
    meters: Meters
    customers: dict[str, str]

    @property
    def account(self) -> FakeStripe:
        """The fake account."""
        return self.fake.account

    @property
    def clock(self) -> ManualClock:
        """The installation's clock."""
        return self.house.clock

    def go(self, **by: float) -> None:
        """Let time pass, here and there."""
        self.clock.advance(timedelta(**by))
        self.account.advance(**by)

    def go_to(self, moment: str) -> None:
        """Let time pass up to an instant."""
        self.go(seconds=(datetime.fromisoformat(moment) - self.clock.now()).total_seconds())

    async def customer(self, team_id: str = "acme", *, policy: str = "next_period", **terms: Any) -> str:
        """A team with a customer there, enrolled now."""
        await self.house.team(team_id, **terms)
        created = self.api.client.v1.customers.create({"name": team_id})
        self.customers[team_id] = created.id
        async with self.house.database.transaction() as tx:
            await enrol(
                tx,
                self.api.account,
                team_id,
                created.id,
                now=self.clock.now(),
                late_policy=LatePolicy(policy),
                metered_from=START,
            )
        return created.id

    async def meter(self, metric: str = "api_calls") -> None:
        """A meter there for a metric."""
        made = self.api.client.v1.billing.meters.create(
            {"display_name": metric, "event_name": metric, "default_aggregation": {"formula": "sum"}}
        )
        async with self.house.database.transaction() as tx:
            await store.keep_meter(tx, self.api.account, Meter(metric, metric, made.id), self.clock.now())

    async def sync(self) -> Synced:
        """Book and send."""
        return await self.meters.sync()

    async def quiet(self, hours: int = 3) -> None:
        """Let time pass and both sides work until nothing waits."""
        for _ in range(60):
            self.go(hours=hours)
            await self.sync()
            if not await self.waiting():
                return
        raise AssertionError(f"still waiting: {await self.rows('SELECT * FROM stripe_deltas ORDER BY id')}")

    async def waiting(self) -> int:
        """Deltas that are pending."""
        return sum(each.pending + each.parked for each in await self.meters.standing())

    def told(self, metric: str = "api_calls", team_id: str = "acme") -> Decimal:
        """What Stripe has accepted, whether it is counted yet or not."""
        return self.account.total(metric, self.customers[team_id])

    async def ledger(self, metric: str = "api_calls", team_id: str = "acme") -> Decimal:
        """What the ledger says, since the beginning."""
        windows = [Interval(START, self.clock.now() + timedelta(days=1))]
        [[usage]] = await self.house.metering.usage.read([UsageQuestion(metric, team_id, windows)])
        return usage.quantity or Decimal(0)

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.house.database.snapshot() as tx:
            return await (await tx.execute(statement, values)).fetchall()

    async def outbox(self) -> list[tuple[str, ...]]:
        """Every delta: quantity, hour and minute of its stamp, state."""
        found = await self.rows("SELECT quantity, stamped_at, state FROM stripe_deltas ORDER BY id")
        return [(plain(quantity), f"{stamp:%d %H:%M}", state) for quantity, stamp, state in found]

    async def states(self) -> dict[str, int]:
        """How many deltas are in which state."""
        return dict(await self.rows("SELECT state, count(*)::int FROM stripe_deltas GROUP BY 1"))


@contextmanager
def sound(fake: RunningFake) -> Iterator[None]:
    """Afterwards Stripe was asked for nothing that its description does not have."""
    yield
    assert fake.account.violations == []
    assert fake.account.unserved == []
    assert fake.account.broken == []


@asynccontextmanager
async def open_shop(
    database: Database, clock: ManualClock, setting: Setting | None = None, *, streams: bool = False, **options: Any
) -> AsyncIterator[Shop]:
    """An installation with a metric and its meter. The fake's clock begins where ours is; both are moved by hand."""
    setting = setting or Setting(at=clock.now())
    with running(setting) as fake, sound(fake):
        async with opened(database, clock) as house:
            api = await MeterApi.open(client(fake), streams=fake.url if streams else None)
            try:
                meters = Meters.open(database, house.metering, clock, api, rate=UNLIMITED, **options)
                shop = Shop(house, fake, api, meters, {})
                await shop.meter()
                yield shop
            finally:
                api.close()
