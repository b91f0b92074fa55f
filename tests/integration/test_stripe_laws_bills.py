"""Whatever happens on the way, Stripe charges what the books say: each statement once, and in all what was used.

A schedule is random: usage in time and late, corrections, periods that close, faults of Stripe and of the network,
processes that are killed anywhere, two that issue at once. TALLYSTICK_TEST_EXAMPLES says how many are tried.
"""

import asyncio
import os
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from tallystick.core.clock import Interval, ManualClock
from tallystick.core.ids import event_id
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.fake import Effect, Setting
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database
from tests.conftest import temporary_database
from tests.integration.stripe_bills_setup import START, Till, open_till

EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "4"))
STEPS = 40
TEAMS = {"acme": "next_period", "beta": "invoice_item"}
"""With their policies; in bills that are made here both mean an adjustment on the next one."""

BEGINNING = datetime.fromisoformat("2026-03-25T12:00:00+00:00")
TROUBLES = (
    Effect.UNREACHABLE,
    Effect.RATE_LIMITED,
    Effect.UNAVAILABLE,
    Effect.SERVER_ERROR,
    Effect.LOCK_TIMEOUT,
    Effect.DONE_BUT_SERVER_ERROR,
    Effect.LOST_ANSWER,
    Effect.GARBLED,
)
EXPONENT = re.compile(r"'-?\d+(\.\d+)?[eE][+-]?\d+'")


@dataclass(slots=True)
class Story:
    """A random schedule of an installation that bills by Stripe."""

    till: Till
    random: Random
    customers: dict[str, str]
    sent: list[tuple[str, str]] = field(default_factory=list)
    uses: int = 0

    async def step(self) -> None:
        """Something happens."""
        happenings: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (6, self.use),
            (2, self.correct),
            (5, self.time_passes),
            (3, self.close),
            (3, self.issue),
            (5, self.die),
            (2, self.race),
            (2, self.trouble),
            (1, self.peace),
        ]
        [happening] = self.random.choices([each for _, each in happenings], [weight for weight, _ in happenings])
        await happening()

    async def use(self) -> None:
        self.uses += 1
        team, key = self.random.choice(list(TEAMS)), str(self.uses)
        age = timedelta(days=self.random.choice((0, 1, 20, 45)) * self.random.random())
        at = max(self.till.clock.now() - age, START)
        await self.till.house.use(self.random.randint(1, 60_000), at.isoformat(), team_id=team, idempotency_key=key)
        self.sent.append((team, key))

    async def correct(self) -> None:
        if self.sent:
            team, key = self.sent.pop(self.random.randrange(len(self.sent)))
            await self.till.house.metering.corrections.void(event_id(team, key), reason="wrong", actor="test")

    async def time_passes(self) -> None:
        self.till.go(minutes=self.random.choice((12, 61, 60 * 26, 60 * 24 * 9)))

    async def close(self) -> None:
        await self.till.house.billing.closing.run()

    async def issue(self) -> None:
        await self.till.bills.plan()
        await self.till.bills.issue_due()

    async def die(self) -> None:
        """A process is killed somewhere; what it has asked of Stripe goes on."""
        task = asyncio.ensure_future(self.issue())
        await asyncio.wait([task], timeout=self.random.choice((0.02, 0.1, 0.3)) * self.random.random())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def race(self) -> None:
        await asyncio.gather(self.issue(), self.issue())

    async def trouble(self) -> None:
        self.till.account.faults.clear()
        self.till.account.faults.at_random(self.random.choice((0.2, 0.7)), TROUBLES)

    async def peace(self) -> None:
        self.till.account.faults.clear()

    async def come_to_rest(self) -> None:
        """Nothing goes wrong any more; what came late is closed with the period that is running."""
        self.till.account.faults.clear()
        for _ in range(2):
            self.till.go(days=32)
            await self.close()
            await self.till.until_quiet()

    async def owed(self, team_id: str) -> int:
        """What a team owes in all, in cents: of each closed month what its usage comes to, by the price list."""
        closed = await self.till.rows(
            "SELECT period_start, period_end FROM metered_billing_periods WHERE team_id = %s AND kind = 'period' "
            "AND digest IS NOT NULL AND status <> 'void'",
            team_id,
        )
        months = [Interval(start, end) for start, end in closed]
        [usage] = await self.till.house.metering.usage.read([UsageQuestion("api_calls", team_id, months)])
        return sum(cents(each.quantity or Decimal(0)) for each in usage)

    def charged(self, team_id: str) -> int:
        """What Stripe charges a team in all."""
        return sum(each["total"] for each in self.till.account.invoices(self.customers[team_id]))


def cents(usage: Decimal) -> int:
    """The price list: 10,000 for nothing, then 0.001 up to 100,000, then 0.0008."""
    free, cheap = Decimal(10_000), Decimal(100_000)
    amount = (min(usage, cheap) - min(usage, free)) * Decimal("0.001") + max(usage - cheap, Decimal(0)) * Decimal(
        "0.0008"
    )
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_stripe_charges_each_statement_once_and_in_all_what_was_used(
    seed: int, server_url: str, migrated_template: str
) -> None:
    clock = ManualClock(BEGINNING)
    with temporary_database(server_url, migrated_template) as url:
        async with (
            await Database.open(Settings(database_url=url)) as database,
            open_till(database, clock, Setting(at=BEGINNING, seed=seed)) as till,
        ):
            customers = {team: await till.customer(team, policy=policy) for team, policy in TEAMS.items()}
            story = Story(till, Random(seed), customers)
            for _ in range(STEPS):
                await story.step()
            await story.come_to_rest()
            for team in TEAMS:
                assert story.charged(team) == await story.owed(team), team
            await each_once(till)
            assert not [each for each in till.account.requests if EXPONENT.search(repr(each.params))]


async def each_once(till: Till) -> None:
    """Each statement is one invoice of its total, final once, with lines that add up to it; nothing is left over."""
    invoices = till.account.invoices()
    by_statement = defaultdict(list)
    for each in invoices:
        by_statement[int(each["metadata"]["tallystick_statement"])].append(each)
        assert sum(line["amount"] for line in each["lines"]) == each["total"]
    statements = await till.rows(
        "SELECT id, total, stripe_invoice_id, status FROM metered_billing_periods WHERE total <> 0"
    )
    for id, total, stripe_id, status in statements:
        [invoice] = by_statement.pop(id)
        assert (Decimal(invoice["total"]).scaleb(-2), invoice["id"], status) == (total, stripe_id, invoice["status"])
    assert all(each["total"] == 0 for left in by_statement.values() for each in left)
    final = Counter(each["data"]["object"]["id"] for each in till.account.events("invoice.finalized"))
    assert final == Counter(each["id"] for each in invoices)
    assert [each for each in till.account.world.invoice_items.values() if not each["invoice"]] == []
