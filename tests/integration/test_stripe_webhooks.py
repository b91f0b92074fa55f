"""What Stripe tells is taken in once, only when it is Stripe, and followed by asking what is the case now."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.fake import sign
from tallystick.integrations.stripe.outcomes import Class, Outcome, StripeRefused
from tallystick.integrations.stripe.webhooks.handling import Handling
from tallystick.storage.database import Database
from tests.integration.stripe_bills_setup import Till, open_till
from tests.integration.stripe_setup import BAD_CARD

SECRETS = ("whsec_old", "whsec_new")
PATH = "/api/webhooks/stripe"


@pytest.fixture
async def till(database: Database, clock: ManualClock):
    async with open_till(database, clock) as opened:
        yield opened


@asynccontextmanager
async def door(till: Till, secrets: str | None = ",".join(SECRETS)) -> AsyncIterator[httpx.AsyncClient]:
    """The application, to which Stripe has no key."""
    settings = Settings(stripe_webhook_secret=secrets)
    async with AppState.open(settings, till.house.database, till.clock) as whole:
        transport = httpx.ASGITransport(create_app(replace(whole, metering=till.house.metering)))
        async with httpx.AsyncClient(transport=transport, base_url="http://tallystick") as client:
            yield client


def event(kind: str, about: str, id: str = "evt_1", **more: Any) -> bytes:
    document = {
        "id": id, "object": "event", "type": kind, "created": 1772323200, "livemode": False,
        "data": {"object": {"id": about, "object": "invoice", "secret": "card 4242"}}, **more,
    }  # fmt: skip
    return json.dumps(document).encode()


async def send(
    client: httpx.AsyncClient, till: Till, body: bytes, *, secret: str = SECRETS[0], seconds: float = 0
) -> httpx.Response:
    at = int((till.clock.now() + timedelta(seconds=seconds)).timestamp())
    return await client.post(PATH, content=body, headers={"stripe-signature": sign(body, secret, at)})


def handling(till: Till) -> Handling:
    return Handling(till.house.database, till.clock, till.bills, live=False)


@pytest.mark.parametrize("secret", SECRETS)
async def test_either_secret_opens_the_door_while_they_are_exchanged(till: Till, secret: str) -> None:
    async with door(till) as client:
        answer = await send(client, till, event("invoice.paid", "in_1"), secret=secret)
        assert (answer.status_code, answer.json()) == (200, {"new": True})


async def test_a_message_is_kept_once_however_often_it_comes(till: Till) -> None:
    async with door(till) as client:
        answers = [await send(client, till, event("invoice.paid", "in_1")) for _ in range(3)]
    assert [answer.json()["new"] for answer in answers] == [True, False, False]
    assert await till.rows("SELECT type, object_id FROM stripe_events") == [("invoice.paid", "in_1")]


@pytest.mark.parametrize("seconds", [-301, 301, 3600])
async def test_a_signature_of_the_past_or_the_future_opens_nothing(till: Till, seconds: int) -> None:
    async with door(till) as client:
        answer = await send(client, till, event("invoice.paid", "in_1"), seconds=seconds)
    assert answer.status_code == 401
    assert await till.rows("SELECT id FROM stripe_events") == []


async def test_another_secret_or_body_or_no_signature_opens_nothing(till: Till) -> None:
    body = event("invoice.paid", "in_1")
    at = int(till.clock.now().timestamp())
    async with door(till) as client:
        answers = [
            await send(client, till, body, secret="whsec_wrong"),
            await client.post(PATH, content=body + b" ", headers={"stripe-signature": sign(body, SECRETS[0], at)}),
            await client.post(PATH, content=body),
        ]
    assert [answer.status_code for answer in answers] == [401] * 3


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"id": 1}', event("x", "y", created="soon"), b"\xff"])
async def test_what_is_signed_and_no_event_is_refused(till: Till, body: bytes) -> None:
    async with door(till) as client:
        assert (await send(client, till, body)).status_code == 400


async def test_without_a_secret_there_is_no_door(till: Till) -> None:
    async with door(till, None) as client:
        assert (await send(client, till, event("invoice.paid", "in_1"))).status_code == 404


async def test_nothing_of_the_payload_is_kept(till: Till) -> None:
    async with door(till) as client:
        await send(client, till, event("invoice.paid", "in_1"))
    [row] = await till.rows("SELECT to_jsonb(e)::text FROM stripe_events e")
    assert "4242" not in row[0]


async def test_payment_is_followed_in_whatever_order_messages_come(till: Till) -> None:
    await till.customer(card=BAD_CARD)
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices()
    till.api.v1.invoices.pay(invoice["id"], {"paid_out_of_band": True})
    async with door(till) as client:
        for number, kind in enumerate(["paid", "payment_failed", "finalized", "created"]):
            await send(client, till, event(f"invoice.{kind}", invoice["id"], f"evt_{number}"))
    assert await till.statements() == [("invoiced", invoice["id"])]
    assert await handling(till).run() == 4
    assert await till.statements() == [("paid", invoice["id"])]
    assert await handling(till).run() == 0


async def test_stripes_own_deliveries_are_taken(till: Till) -> None:
    customer = await till.customer(card=BAD_CARD)
    received: list[tuple[bytes, str]] = []
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    [invoice] = till.account.invoices(customer)
    till.api.v1.invoices.void_invoice(invoice["id"])
    for each in till.account.events():
        body = json.dumps(each).encode()
        received.append((body, sign(body, SECRETS[1], int(till.clock.now().timestamp()))))
    async with door(till) as client:
        for body, signature in reversed(received):
            answer = await client.post(PATH, content=body, headers={"stripe-signature": signature})
            assert answer.status_code == 200, answer.text
    await handling(till).run()
    assert await till.statements() == [("closed", invoice["id"])]
    assert await till.rows("SELECT DISTINCT state FROM stripe_bills") == [("void",)]


async def test_a_deleted_customer_is_billed_no_more_and_somebody_is_told(till: Till) -> None:
    customer = await till.customer()
    till.api.v1.customers.delete(customer)
    async with door(till) as client:
        await send(client, till, event("customer.deleted", customer))
    await handling(till).run()
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    assert await till.rows("SELECT count(*)::int FROM stripe_bills") == [(0,)]
    assert await till.rows("SELECT kind FROM notifications") == [("stripe.customer",)]


async def test_a_message_of_the_other_mode_changes_nothing(till: Till) -> None:
    async with door(till) as client:
        await send(client, till, event("customer.deleted", "cus_1", livemode=True))
    asked = len(till.account.requests)
    await handling(till).run()
    assert len(till.account.requests) == asked
    assert await till.rows("SELECT outcome FROM stripe_events") == [("of another mode than the key",)]


async def test_when_stripe_is_away_a_message_waits(till: Till) -> None:
    customer = await till.customer()
    async with door(till) as client:
        await send(client, till, event("customer.updated", customer))
    customers: Any = till.bills.api.client.v1.customers
    customers.retrieve = _away
    await handling(till).run()
    assert await till.rows("SELECT attempts, processed_at FROM stripe_events") == [(1, None)]
    del customers.retrieve
    till.go(hours=1)
    await handling(till).run()
    assert await till.rows("SELECT attempts, outcome FROM stripe_events") == [(2, "nothing changed for us")]


async def test_an_error_report_of_meters_is_fetched_and_answered_whatever_it_says(till: Till) -> None:
    meter = {"display_name": "calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    made = till.api.v1.billing.meters.create(meter)
    payload = {"stripe_customer_id": "cus_nobody", "value": "1"}
    till.api.v1.billing.meter_events.create({"event_name": "calls", "payload": payload, "identifier": "not ours"})
    till.go(hours=1)
    [report] = till.api.v2.core.events.list({"object_id": made.id}).data
    body = json.dumps({
        "id": report.id, "object": "v2.core.event", "type": report.type, "livemode": False,
        "created": till.clock.now().isoformat(), "related_object": {"id": made.id},
    }).encode()  # fmt: skip
    async with door(till) as client:
        assert (await send(client, till, body)).json() == {"new": True}
    await handling(till).run()
    assert await till.rows("SELECT outcome FROM stripe_events") == [("0 rejected, 1 not ours",)]


async def billed_in_april(till: Till) -> tuple[str, str]:
    """A customer that Stripe bills itself for April, and its subscription; a thousand calls are told, of 25,000."""
    customer = await till.customer(mode="meters")
    meter = {"display_name": "calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    made = till.api.v1.billing.meters.create(meter)
    recurring = {"interval": "month", "usage_type": "metered", "meter": made.id}
    price = {"currency": "usd", "product_data": {"name": "Calls"}, "recurring": recurring, "unit_amount": 1}
    monthly = till.api.v1.prices.create(price)
    till.go_to(datetime.fromisoformat("2026-04-01T00:00:00+00:00"))
    subscription = till.api.v1.subscriptions.create({"customer": customer, "items": [{"price": monthly.id}]})
    await till.house.use(25_000, "2026-04-01T00:30:00Z")
    payload = {"stripe_customer_id": customer, "value": "1000"}
    till.api.v1.billing.meter_events.create({"event_name": "calls", "payload": payload})
    return customer, subscription.id


async def test_a_subscriptions_invoice_is_the_statement_of_its_period(till: Till) -> None:
    customer, _ = await billed_in_april(till)
    await till.close(datetime.fromisoformat("2026-05-01T02:00:00+00:00"))
    [invoice] = till.account.invoices(customer)
    async with door(till) as client:
        for number, kind in enumerate(["paid", "finalized", "created", "paid"]):
            await send(client, till, event(f"invoice.{kind}", invoice["id"], f"evt_{number % 3}"))
    assert await handling(till).run() == 3
    assert await till.statements() == [("closed", None), ("paid", invoice["id"])]
    drift = await till.rows("SELECT content -> 'facts' ->> 4 FROM notifications WHERE kind = 'stripe.drift'")
    assert [json.loads(each) for (each,) in drift] == [{"label": "Difference", "value": "-5"}]


async def test_an_invoice_waits_for_a_statement_that_is_closed_much_later(till: Till) -> None:
    customer, _ = await billed_in_april(till)
    till.go_to(datetime.fromisoformat("2026-05-01T02:00:00+00:00"))
    [invoice] = till.account.invoices(customer)
    async with door(till) as client:
        await send(client, till, event("invoice.paid", invoice["id"]))
    for _ in range(60):  # ten days, as long as a billing file may wait for late usage
        await handling(till).run()
        till.go(hours=4)
    assert await till.statements() == []
    [(tries, outcome)] = await till.rows("SELECT attempts, outcome FROM stripe_events WHERE processed_at IS NULL")
    assert outcome == "its statement is not closed yet"
    assert tries < 60, "Stripe is asked less and less often"
    await till.close()
    till.go(hours=6)
    await handling(till).run()
    assert await till.statements() == [("closed", None), ("paid", invoice["id"])]


async def test_a_subscription_that_ends_is_told_once(till: Till) -> None:
    _, subscription = await billed_in_april(till)
    till.api.v1.subscriptions.cancel(subscription)
    async with door(till) as client:
        for number, kind in enumerate(["deleted", "updated", "created"]):
            await send(client, till, event(f"customer.subscription.{kind}", subscription, f"evt_{number}"))
    await handling(till).run()
    assert await till.rows("SELECT subscription_id, subscription_status FROM stripe_teams") == [
        (subscription, "canceled")
    ]
    assert await till.rows("SELECT content ->> 'title' FROM notifications WHERE kind = 'stripe.customer'") == [
        ("acme: subscription at Stripe is canceled",)
    ]


def _away(*_: Any) -> Any:
    raise StripeRefused("look", Outcome(Class.UNKNOWN))
