"""A bill is given to Stripe in many requests; it can be stopped before and after each of them, and is gone on with.

Each test bills a month, breaks it off at the first request, then the next month at the second, and so on until a whole
bill went through untouched. Whatever happened, there is one invoice, with the right lines, made final once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import stripe

from tallystick.core.clock import ManualClock
from tallystick.core.ids import event_id
from tallystick.integrations.stripe.fake import Effect, Fault
from tallystick.storage.database import Database
from tests.integration.billing_setup import CATALOGUE
from tests.integration.stripe_bills_setup import Till, open_till

PRICES = 120
"""So many lines take two requests."""

WIDE = "".join(
    f"      - {{name: p{each}, metric: api_calls, model: per_unit, unit_price: 0.0{each:04}}}\n"
    for each in range(1, PRICES + 1)
)
LATE = "billing: {late_usage: credit_note}\n"


class Killed(BaseException):
    """The process is gone."""


class Deadly(stripe.RequestsClient):
    """The process is killed at its request of a number, before it is sent or after it was answered."""

    def __init__(self) -> None:
        super().__init__(timeout=(5, 20))
        self.made = 0
        self.at: int | None = None
        self.before = True

    def request(self, *arguments: Any, **options: Any) -> Any:
        here = self.made == self.at
        self.made += 1
        if here and self.before:
            raise Killed
        answer = super().request(*arguments, **options)
        if here:
            raise Killed
        return answer


@pytest.fixture
def deadly() -> Deadly:
    return Deadly()


@pytest.fixture
async def till(database: Database, clock: ManualClock, deadly: Deadly) -> AsyncIterator[Till]:
    async with open_till(database, clock, http_client=deadly) as opened:
        await opened.house.apply(f"{LATE}{CATALOGUE}  wide:\n    prices:\n{WIDE}")
        yield opened


def month(number: int) -> datetime:
    """Two hours after the end of March, of April, and so on."""
    return datetime(2026 + (number + 3) // 12, (number + 3) % 12 + 1, 1, 2, tzinfo=UTC)


async def wide(till: Till, number: int) -> None:
    """An invoice of 120 lines."""
    till.go_to(month(number))
    await till.house.use(1000, (month(number) - timedelta(days=9)).isoformat(), idempotency_key=f"{number}")
    await till.close(till.clock.now())


async def credited(till: Till, number: int) -> None:
    """An invoice, paid, and a credit note over it."""
    till.go_to(month(number))
    at = (month(number) - timedelta(days=9)).isoformat()
    for quantity, key in ((15_000, f"{number}"), (5000, f"{number}-wrong")):
        await till.house.use(quantity, at, idempotency_key=key)
    await till.close(till.clock.now())
    await till.until_quiet()
    await till.house.metering.corrections.void(event_id("acme", f"{number}-wrong"), reason="wrong", actor="test")
    till.go(hours=2)
    await till.close(till.clock.now())


SCENES: dict[str, tuple[str, Callable[[Till, int], Awaitable[None]], int]] = {
    "an invoice of many lines": ("wide", wide, 7),
    "a credit note": ("standard", credited, 3),
}


async def until_untouched(
    till: Till, deadly: Deadly, scene: str, strike: Callable[[int], None], pause: timedelta
) -> int:
    """Bill month after month, struck at the first request, the second, and so on; how many it took."""
    plan, prepare, _ = SCENES[scene]
    await till.customer(plan=plan)
    for number in range(30):
        await prepare(till, number)
        await till.bills.plan()
        deadly.made = 0
        strike(number)
        try:
            await till.bills.issue_due()
            deaths = 0
        except Killed:
            deaths = 1
        deadly.at = None
        till.account.faults.clear()
        made = deadly.made
        if not deaths:
            till.go(hours=2)
        else:
            till.go_to(till.clock.now() + pause)
        await till.until_quiet()
        await all_is_well(till)
        if made <= number:
            return number
    raise AssertionError("it never went through")


async def all_is_well(till: Till) -> None:
    """Every bill is one invoice or credit note, with its own lines, final once."""
    bills = await till.rows(
        "SELECT reference, kind, total, lines, stripe_id, state FROM stripe_bills WHERE state <> 'nothing'"
    )
    found = {each["metadata"]["tallystick_bill"]: each for each in till.account.invoices()}
    notes = {each["metadata"]["tallystick_bill"]: each for each in till.account.world.credit_notes.values()}
    assert len(found) == len(till.account.invoices())
    assert len(found) + len(notes) == len(bills)
    final = Counter(each["data"]["object"]["id"] for each in till.account.events("invoice.finalized"))
    for reference, kind, total, lines, stripe_id, state in bills:
        assert state == "paid"
        if kind == "credit_note":
            assert (notes[reference]["id"], notes[reference]["amount"]) == (stripe_id, -total)
            continue
        invoice = found[reference]
        assert (invoice["id"], invoice["total"], invoice["status"]) == (stripe_id, total, "paid")
        told = [(each["metadata"]["tallystick_line"], each["amount"]) for each in invoice["lines"]]
        assert sorted(told) == sorted((key, amount) for key, _, amount, *_ in lines)
        assert final[stripe_id] == 1
    assert [each for each in till.account.world.invoice_items.values() if not each["invoice"]] == []


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("before", "hours"), [(True, 30), (False, 0.2), (False, 30)])
async def test_a_process_that_is_killed_at_any_request_is_gone_on_for(
    till: Till, deadly: Deadly, scene: str, before: bool, hours: float
) -> None:
    def strike(number: int) -> None:
        deadly.at, deadly.before = number, before

    assert await until_untouched(till, deadly, scene, strike, timedelta(hours=hours)) >= SCENES[scene][2]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(
    "effect", [Effect.UNREACHABLE, Effect.SERVER_ERROR, Effect.DONE_BUT_SERVER_ERROR, Effect.LOST_ANSWER]
)
async def test_a_request_that_fails_before_or_after_it_is_done_is_gone_on_from(
    till: Till, deadly: Deadly, scene: str, effect: Effect
) -> None:
    def strike(number: int) -> None:
        till.account.faults.plan(Fault(effect, skip=number))

    assert await until_untouched(till, deadly, scene, strike, timedelta()) >= SCENES[scene][2]


async def test_what_is_due_in_all_is_what_was_used_in_all(till: Till) -> None:
    """Lines are rounded by largest remainder: 120 prices of fractions of a cent lose none."""
    await till.customer(plan="wide")
    await till.house.use(7, "2026-03-05T00:00:00Z")
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices()
    [(total,)] = await till.rows("SELECT total FROM metered_billing_periods")
    assert Decimal(invoice["total"]).scaleb(-2) == total
    assert sum(each["amount"] for each in invoice["lines"]) == invoice["total"]


@pytest.mark.parametrize(("before", "hours"), [(True, 30), (False, 0.2), (False, 30)])
async def test_items_are_added_once_wherever_the_process_is_killed(
    till: Till, deadly: Deadly, before: bool, hours: float
) -> None:
    """Late usage of a team whose usage Stripe bills: each month corrects the one before it."""
    customer = await till.customer(mode="meters", policy="invoice_item")
    for number in range(6):
        till.go_to(month(number))
        at = (month(number) - timedelta(days=9)).isoformat()
        await till.house.use(20_000, at, idempotency_key=f"{number}")
        await till.close(till.clock.now())
        await till.house.use(1000 * (number + 1), at, idempotency_key=f"{number}-late")
        await till.bills.plan()
        deadly.made, deadly.at, deadly.before = 0, number - 1, before
        with suppress(Killed):
            await till.bills.issue_due()
        deadly.at = None
        till.go(hours=hours)
        await till.until_quiet()
        items = till.account.world.invoice_items.values()
        assert [each["amount"] for each in items] == [100 * (each + 1) for each in range(number)]
        assert {each["customer"] for each in items} <= {customer}
    assert set(await till.rows("SELECT kind, state FROM stripe_bills")) == {("items", "final")}
