"""Usage that is learned of when its period's invoice is final: by each policy, in both modes, it is on the statement.

The price list has tiers, so what is late costs what the whole costs now less what it cost before, and not its quantity
times a price. 25,000 calls of March cost 15.00; 10,000 more make it 25.00, and 60,000 fewer would be none.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.ids import event_id
from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.api import MeterApi
from tallystick.integrations.stripe.meters.models import Meter
from tallystick.integrations.stripe.meters.service import Meters
from tallystick.storage.database import Database
from tests.integration.stripe_bills_setup import Till, open_till

MARCH = "2026-03-10T00:00:00Z"
FINAL = datetime.fromisoformat("2026-04-01T01:00:00+00:00")
LATER = datetime.fromisoformat("2026-04-02T12:00:00+00:00")
AFTER_APRIL = datetime.fromisoformat("2026-05-01T02:00:00+00:00")

MORE = (10_000, Decimal(10))
FEWER = (-20_000, Decimal(-15))
"""Calls, and what they change the bill of March by."""


@dataclass(frozen=True, slots=True)
class Street:
    """An installation with bills and meters, at one account."""

    till: Till
    meters: Meters

    async def late(self, mode: str, policy: str, change: int) -> str:
        """March is billed, then there is more of it, or less; April has usage, too, and is billed."""
        customer = await self.till.customer(mode=mode, policy=policy)
        for quantity, key in ((5000, "kept"), (20_000, "gone")):
            await self.till.house.use(quantity, MARCH, idempotency_key=key)
        await self.settle()
        await self.till.close()
        await self.settle()
        self.till.go_to(LATER)
        if change > 0:
            await self.till.house.use(change, MARCH)
        else:
            await self.till.house.metering.corrections.void(event_id("acme", "gone"), reason="wrong", actor="test")
        await self.till.house.use(40_000, "2026-04-02T09:00:00Z")
        await self.settle()
        await self.till.close(AFTER_APRIL)
        await self.settle()
        return customer

    async def settle(self) -> None:
        await self.meters.sync()
        await self.till.issue()

    async def adjustments(self) -> list[tuple[Any, ...]]:
        """What the statements show as an adjustment: its quantity, its amount, and why it has none."""
        return await self.till.rows("SELECT quantity, total, reason FROM statement_lines WHERE kind = 'adjustment'")

    def told(self, customer: str) -> dict[str, Decimal]:
        """What Stripe's meter has of each month."""
        meter = self.till.account.usage.meter_named("api_calls")
        assert meter is not None
        found: dict[str, Decimal] = {}
        for each in self.till.account.usage.events(meter["id"], customer):
            at = datetime.fromtimestamp(each.timestamp, UTC)
            assert at >= FINAL or each.received_at < FINAL.timestamp()  # never with a timestamp of what is final
            month = f"{at:%B}"
            found[month] = found.get(month, Decimal(0)) + each.value
        return found

    def items(self, customer: str) -> list[int]:
        """The items that wait for the customer's next invoice."""
        listed = self.till.api.v1.invoice_items.list({"customer": customer, "pending": True})
        return [each.amount for each in listed.data]


@pytest.fixture
async def street(database: Database, clock: ManualClock) -> AsyncIterator[Street]:
    async with open_till(database, clock) as till:
        api = await MeterApi.open(till.api)
        made = till.api.v1.billing.meters.create(
            {"display_name": "Calls", "event_name": "api_calls", "default_aggregation": {"formula": "sum"}}
        )
        async with database.transaction() as tx:
            await store.keep_meter(tx, api.account, Meter("api_calls", "api_calls", made.id), clock.now())
        try:
            yield Street(till, Meters.open(database, till.house.metering, clock, api, rate=1e9))
        finally:
            api.close()


@pytest.mark.parametrize(("change", "amount"), [MORE, FEWER])
async def test_by_next_period_meters_are_told_in_the_period_that_is_running(
    street: Street, change: int, amount: Decimal
) -> None:
    customer = await street.late("meters", "next_period", change)
    assert street.told(customer) == {"March": 25_000, "April": 40_000 + change}
    assert street.items(customer) == []
    assert await street.adjustments() == [(change, amount, None)]


@pytest.mark.parametrize(("change", "amount"), [MORE, FEWER])
async def test_by_invoice_item_meters_are_told_nothing_and_the_difference_is_an_item(
    street: Street, change: int, amount: Decimal
) -> None:
    customer = await street.late("meters", "invoice_item", change)
    assert street.told(customer) == {"March": 25_000, "April": 40_000}
    assert street.items(customer) == [int(amount * 100)]
    assert await street.adjustments() == [(change, amount, None)]
    await street.settle()
    assert street.items(customer) == [int(amount * 100)]  # once


@pytest.mark.parametrize(("change", "amount"), [MORE, FEWER])
async def test_by_write_off_nobody_is_charged_and_the_statement_says_so(
    street: Street, change: int, amount: Decimal
) -> None:
    customer = await street.late("meters", "write_off", change)
    assert street.told(customer) == {"March": 25_000, "April": 40_000}
    assert street.items(customer) == []
    assert await street.adjustments() == [(change, None, "ignored")]


@pytest.mark.parametrize("policy", ["next_period", "invoice_item"])
@pytest.mark.parametrize(("change", "amount"), [MORE, FEWER])
async def test_in_bills_that_are_made_here_the_difference_is_a_line_of_the_next(
    street: Street, policy: str, change: int, amount: Decimal
) -> None:
    customer = await street.late("invoice_items", policy, change)
    [march, april] = street.till.account.invoices(customer)
    assert (march["total"], april["total"]) == (1500, 3000 + int(amount * 100))
    assert int(amount * 100) in [line["amount"] for line in april["lines"]]
    assert await street.adjustments() == [(change, amount, None)]
    assert street.told(customer) == {}


async def test_in_bills_that_are_made_here_what_is_written_off_is_on_the_statement_alone(street: Street) -> None:
    customer = await street.late("invoice_items", "write_off", MORE[0])
    assert [each["total"] for each in street.till.account.invoices(customer)] == [1500, 3000]
    assert await street.adjustments() == [(MORE[0], None, "ignored")]


async def test_late_usage_stays_on_record_with_its_own_timestamp(street: Street) -> None:
    await street.late("meters", "next_period", MORE[0])
    found = await street.till.rows(
        "SELECT kind, quantity, stamped_at::date::text, state, cause FROM stripe_deltas "
        "WHERE quantity = 10000 ORDER BY id"
    )
    assert found == [
        ("usage", 10_000, "2026-03-10", "late", "correction"),
        ("carried", 10_000, "2026-04-02", "accepted", "late usage of another period"),
    ]
