"""What we bill is what Stripe charges: closed statements become invoices there, once, to the last cent."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.billing.invoices.service import InvoiceService
from tallystick.core.clock import ManualClock
from tallystick.core.errors import Conflict
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.fake import Effect, Fault
from tallystick.storage.database import Database
from tests.integration.stripe_bills_setup import AFTER_MARCH, Till, open_till
from tests.integration.stripe_setup import BAD_CARD

APRIL = "2026-04-05T00:00:00Z"
AFTER_APRIL = datetime.fromisoformat("2026-05-01T02:00:00+00:00")


@pytest.fixture
async def till(database: Database, clock: ManualClock):
    async with open_till(database, clock) as opened:
        yield opened


async def test_a_closed_statement_is_an_invoice_that_is_paid(till: Till) -> None:
    customer = await till.customer()
    await till.house.use(25_000)
    await till.close()
    done = await till.issue()
    assert (done.settled, done.waiting) == (1, 0)
    assert till.invoices(customer) == [("paid", 1500)]
    [invoice] = till.account.invoices(customer)
    assert await till.statements() == [("paid", invoice["id"])]
    [line] = [each for each in invoice["lines"] if each["amount"]]
    assert line["period"] == {"start": 1772323200, "end": 1775001600}
    assert invoice["metadata"]["tallystick_team"] == "acme"


async def test_doing_it_again_bills_nothing_twice(till: Till) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    asked = len(till.account.requests)
    await till.issue()
    assert len(till.account.requests) == asked
    assert till.invoices() == [("paid", 1500)]


async def test_a_bill_that_nobody_paid_is_open_until_stripe_says_otherwise(till: Till) -> None:
    await till.customer(card=BAD_CARD)
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices()
    assert await till.statements() == [("invoiced", invoice["id"])]
    till.api.v1.invoices.pay(invoice["id"], {"paid_out_of_band": True})
    till.go(days=1)
    await till.issue()
    assert await till.statements() == [("paid", invoice["id"])]


async def test_what_comes_to_nothing_is_not_sent(till: Till) -> None:
    await till.customer()
    await till.house.use(10)
    await till.close()
    await till.issue()
    assert till.invoices() == []
    assert await till.statements() == [("paid", None)]


async def test_periods_before_a_team_was_linked_are_not_billed(till: Till) -> None:
    await till.house.team("acme")
    await till.house.use(25_000)
    till.go_to(AFTER_MARCH)
    customer = till.api.v1.customers.create({"name": "acme"}).id
    await till.teams.link("acme", customer)
    await till.close()
    await till.issue()
    assert till.invoices() == []


async def test_a_customer_who_is_sent_invoices_has_days_to_pay(till: Till) -> None:
    await till.customer(collection="send_invoice")
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices()
    assert invoice["status"] == "open"
    assert invoice["due_date"] - invoice["created"] == 14 * 86_400


async def test_lines_add_up_to_what_the_statement_says(till: Till) -> None:
    await till.customer(plan="yen")
    await till.house.use(33_333)
    await till.close(datetime.fromisoformat("2026-03-15T12:00:00+00:00"))
    await till.issue()
    [(due, total)] = await till.rows("SELECT due, total FROM stripe_bills WHERE total > 0")
    assert (due, total) == (Decimal(17), 17)
    assert till.invoices() == [("paid", 17)]


async def test_late_usage_is_on_the_next_bill(till: Till) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    await till.house.use(1000)
    till.go(days=10)
    await till.house.use(20_000, APRIL)
    await till.close(AFTER_APRIL)
    await till.issue()
    assert till.invoices() == [("paid", 1500), ("paid", 1100)]


async def test_late_usage_that_is_written_off_is_on_the_statement_and_on_no_bill(till: Till) -> None:
    await till.customer(policy="write_off")
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    await till.house.use(1000)
    till.go(days=10)
    await till.house.use(20_000, APRIL)
    await till.close(AFTER_APRIL)
    await till.issue()
    assert till.invoices() == [("paid", 1500), ("paid", 1000)]
    lines = await till.rows("SELECT quantity, total, reason FROM statement_lines WHERE kind = 'adjustment'")
    assert lines == [(Decimal(1000), None, "ignored")]


STEPS = {
    "the draft": "POST /v1/invoices",
    "its lines": "POST /v1/invoices/{invoice}/add_lines",
    "reading back": "GET /v1/invoices/{invoice}/lines",
    "making it final": "POST /v1/invoices/{invoice}/finalize",
}
HARM = [
    Effect.UNREACHABLE,
    Effect.RATE_LIMITED,
    Effect.UNAVAILABLE,
    Effect.SERVER_ERROR,
    Effect.LOCK_TIMEOUT,
    Effect.DONE_BUT_SERVER_ERROR,
    Effect.LOST_ANSWER,
    Effect.GARBLED,
]


@pytest.mark.parametrize("effect", HARM)
async def test_whatever_goes_wrong_at_each_step_the_team_is_billed_once(till: Till, effect: Effect) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    till.account.faults.plan(*(Fault(effect, step) for step in STEPS))
    await till.until_quiet()
    assert till.invoices() == [("paid", 1500)]
    assert [status for status, _ in await till.statements()] == ["paid"]


async def test_whoever_is_killed_at_any_step_is_gone_on_for(till: Till) -> None:
    await till.customer()
    deaths = 0
    for month in range(4, 11):
        till.go_to(datetime.fromisoformat(f"2026-{month:02}-01T02:00:00+00:00"))
        await till.house.use(11_000, f"2026-{month - 1:02}-20T00:00:00Z")
        await till.close(till.clock.now())
        await till.bills.plan()
        for before in (True, False):
            try:
                with killed(till.bills.api.client, month - 4, before=before):
                    await till.bills.issue_due()
            except Killed:
                deaths += 1
            till.go(minutes=11)
        await till.until_quiet()
    assert till.invoices() == [("paid", 100)] * 7
    assert [status for status, _ in await till.statements()] == ["paid"] * 7
    assert deaths >= 11


async def test_two_who_issue_at_once_bill_once(till: Till) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    await till.bills.plan()
    [(id,)] = await till.rows("SELECT id FROM stripe_bills")
    async with till.house.database.snapshot() as tx:
        bill = await store.find(tx, id)
    assert bill is not None
    await asyncio.gather(*(till.bills.issuer.issue(bill) for _ in range(4)), return_exceptions=True)
    await till.until_quiet()
    assert till.invoices() == [("paid", 1500)]


async def test_a_refusal_waits_for_somebody_who_is_told(till: Till) -> None:
    customer = await till.customer()
    await till.house.use(25_000)
    await till.close()
    till.api.v1.customers.delete(customer)
    done = await till.issue()
    [held] = done.held
    assert "customer" in held
    kinds = await till.rows("SELECT kind, content ->> 'title' FROM notifications")
    assert [kind for kind, _ in kinds] == ["stripe.bill"]
    till.go(hours=1)
    await till.issue()
    assert await till.rows("SELECT count(*)::int FROM notifications") == [(1,)]
    assert till.invoices() == []


async def test_a_line_that_somebody_added_by_hand_stops_the_bill(till: Till) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    till.account.faults.plan(Fault(Effect.UNREACHABLE, STEPS["making it final"]))
    await till.issue()
    [invoice] = till.account.invoices()
    till.api.v1.invoices.add_lines(invoice["id"], {"lines": [{"amount": 5, "description": "by hand"}]})
    till.go(hours=1)
    [held] = (await till.issue()).held
    assert "other lines" in held
    assert till.invoices() == [("draft", 1505)]


async def test_a_line_that_is_there_twice_is_taken_off(till: Till) -> None:
    await till.customer()
    await till.house.use(25_000)
    await till.close()
    till.account.faults.plan(Fault(Effect.UNREACHABLE, STEPS["making it final"]))
    await till.issue()
    [invoice] = till.account.invoices()
    line = next(each for each in invoice["lines"] if each["amount"])
    again = {"amount": 1500, "description": "again", "metadata": line["metadata"]}
    till.api.v1.invoices.add_lines(invoice["id"], {"lines": [again]})
    await till.until_quiet()
    assert till.invoices() == [("paid", 1500)]


async def test_what_is_voided_at_stripe_is_billed_again_only_when_asked_for(till: Till) -> None:
    await till.customer(card=BAD_CARD)
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices()
    till.api.v1.invoices.void_invoice(invoice["id"])
    bill = await till.bills.heard_of(invoice["id"])
    await till.issue()
    assert bill is not None
    assert [status for status, _ in await till.statements()] == ["closed"]
    assert till.invoices() == [("void", 1500)]
    await till.bills.again(bill.id)
    await till.issue()
    assert till.invoices() == [("void", 1500), ("open", 1500)]


async def test_a_bill_that_was_begun_can_be_given_up_without_a_trace(till: Till) -> None:
    customer = await till.customer()
    await till.house.use(25_000)
    await till.close()
    till.account.faults.plan(Fault(Effect.UNREACHABLE, STEPS["making it final"]))
    await till.issue()
    [(id,)] = await till.rows("SELECT id FROM stripe_bills")
    await till.bills.again(id)
    assert till.invoices() == []
    assert till.api.v1.invoice_items.list({"customer": customer}).data == []
    assert await till.statements() == [("closed", None)]
    await till.issue()
    assert till.invoices() == [("paid", 1500)]


async def test_while_it_is_billed_a_statement_is_neither_voided_nor_invoiced_elsewhere(till: Till) -> None:
    await till.customer(card=BAD_CARD)
    await till.house.use(25_000)
    await till.close()
    await till.bills.plan()
    [(id,)] = await till.rows("SELECT id FROM metered_billing_periods")
    with pytest.raises(Conflict, match="invoiced"):
        await till.house.billing.closing.void(id, "why not", "me")
    with pytest.raises(Conflict, match="invoiced"):
        await InvoiceService(till.house.database, till.clock).draft(id)


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed(client: Any, at: int, *, before: bool) -> Iterator[None]:
    """The process is killed at its request of that number, before it is sent or after it was answered."""
    names = ["create", "retrieve", "add_lines", "finalize_invoice"]
    owners = [(client.v1.invoices, name) for name in names] + [(client.v1.invoices.line_items, "list")]
    count = iter(range(1000))

    def deadly(method: Any) -> Any:
        def call(*arguments: Any) -> Any:
            mine = next(count) == at
            if mine and before:
                raise Killed
            answer = method(*arguments)
            if mine:
                raise Killed
            return answer

        return call

    for owner, name in owners:
        setattr(owner, name, deadly(getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name in owners:
            delattr(owner, name)
