"""The fake Stripe tells what happened: signed, at least once, tried again, thin where data is fetched."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import httpx
import jsonschema_rs
import pytest
import stripe

from tallystick.integrations.stripe.fake import Manners, Setting, sign
from tallystick.integrations.stripe.fake.description import stripe as description
from tests.integration.stripe_setup import BAD_CARD, CARD, Shop, open_shop


class Receiver:
    """An endpoint that keeps what it is sent and answers as it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.received: list[tuple[bytes, str]] = []

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.received]

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((body, self.headers["stripe-signature"]))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@pytest.fixture
def receiver():
    with Receiver().listening() as listening:
        yield listening


@pytest.fixture
def shop():
    with open_shop() as opened:
        yield opened


def listen(shop: Shop, receiver: Receiver, *kinds: str) -> str:
    endpoint = {"url": receiver.url, "enabled_events": list(kinds or ("*",))}
    secret: str = shop.client.v1.webhook_endpoints.create(endpoint).secret
    return secret


def test_an_event_is_delivered_signed_so_that_the_sdk_takes_it(receiver):
    with open_shop(Setting(at=_now(), runs=True)) as shop:
        secret = listen(shop, receiver, "customer.created")
        customer = shop.customer()
        shop.fake.settle()
        ((body, signature),) = receiver.received
        event = shop.client.construct_event(body.decode(), signature, secret)
        assert (event.type, event.data.object.id) == ("customer.created", customer)
        with pytest.raises(stripe.SignatureVerificationError):
            shop.client.construct_event(body.decode().replace("Acme", "Evil"), signature, secret)


def _now() -> datetime:
    return datetime.now(UTC)


def test_a_signature_is_that_of_the_sdk():
    theirs = stripe.WebhookSignature.generate_signature_header('{"a":1}', "whsec_1", timestamp=5)
    assert sign(b'{"a":1}', "whsec_1", 5) == theirs


def test_only_what_was_asked_for_is_told(shop, receiver):
    listen(shop, receiver, "invoice.paid", "invoice.payment_failed")
    for card in (CARD, BAD_CARD):
        invoice = shop.draft(shop.customer(**card), 1000)
        shop.client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    shop.fake.settle()
    assert receiver.kinds == ["invoice.paid", "invoice.payment_failed"]


def test_what_nobody_took_is_tried_again_later(shop, receiver):
    listen(shop, receiver, "customer.created")
    receiver.status = 500
    shop.customer()
    shop.fake.settle()
    receiver.status = 200
    shop.account.advance(minutes=1)
    shop.fake.settle()
    shop.account.advance(days=4)
    shop.fake.settle()
    assert receiver.kinds == ["customer.created"] * 2
    assert [delivered.status for delivered in shop.account.deliveries.log] == [500, 200]


def test_deliveries_may_come_twice_and_in_any_order(receiver):
    with open_shop(Setting(manners=Manners(shuffled=True, twice=0.5), seed=1, latency=0.001)) as shop:
        listen(shop, receiver)
        with shop.account.lock:  # so that they are due together
            for number in range(20):
                shop.account.world.announce("customer.updated", {"id": f"cus_{number}"})
        shop.fake.settle()
        order = [json.loads(body)["data"]["object"]["id"] for body, _ in receiver.received]
        assert set(order) == {f"cus_{number}" for number in range(20)}
        assert len(order) > 20
        assert order != sorted(order, key=lambda each: int(each[4:]))


def test_a_draft_waits_for_whoever_listens_and_for_three_days_at_most(shop, receiver):
    listen(shop, receiver, "invoice.created")
    receiver.status = 500
    for _ in range(2):
        customer = shop.customer(**CARD)
        shop.subscribe(customer, shop.metered(shop.meter(f"m{customer}"), unit_amount=100))
    shop.account.advance(days=31, hours=2)
    shop.fake.settle()
    assert {invoice["status"] for invoice in shop.account.invoices()} == {"draft"}
    receiver.status = 200
    shop.account.advance(minutes=1)
    shop.fake.settle()
    shop.account.advance(hours=1)
    assert {invoice["status"] for invoice in shop.account.invoices()} == {"paid"}


def test_a_draft_that_nobody_acknowledges_is_final_after_three_days(shop):
    shop.client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    shop.subscribe(shop.customer(**CARD), shop.metered(shop.meter(), unit_amount=100))
    shop.account.advance(days=33, hours=23)
    assert {invoice["status"] for invoice in shop.account.invoices()} == {"draft"}
    shop.account.advance(hours=1)
    assert {invoice["status"] for invoice in shop.account.invoices()} == {"paid"}


def test_events_that_were_not_counted_are_reported_thinly(receiver):
    with open_shop(Setting(at=_now(), runs=True)) as shop:
        destination = shop.client.v2.core.event_destinations.create({
            "name": "errors", "type": "webhook_endpoint", "event_payload": "thin",
            "enabled_events": ["v1.billing.meter.error_report_triggered"],
            "webhook_endpoint": {"url": receiver.url}, "include": ["webhook_endpoint.signing_secret"],
        })  # fmt: skip
        meter = shop.meter()
        shop.send("cus_unknown", "1", identifier="lost", key="lost:0")
        shop.account.advance(seconds=10)
        shop.fake.settle()
        ((body, signature),) = receiver.received
        assert "data" not in json.loads(body)
        secret = destination.webhook_endpoint.signing_secret
        notification = shop.client.parse_event_notification(body.decode(), signature, secret)
        assert notification.related_object.id == meter.id
        (kind,) = notification.fetch_event().data.reason.error_types
        assert kind.code == "meter_event_customer_not_found"
        assert [sample.request.identifier for sample in kind.sample_errors] == ["lost:0"]


def test_an_event_for_no_meter_in_the_stream_is_reported_without_one(shop):
    token = shop.client.v2.billing.meter_event_session.create().authentication_token
    event = {"event_name": "unknown", "payload": {"stripe_customer_id": "cus_1", "value": "1"}}
    shop.client.v2.billing.meter_event_stream.create({"events": [event]}, {"api_key": token})
    shop.account.advance(seconds=10)
    (found,) = shop.client.v2.core.events.list().data
    assert found.type == "v1.billing.meter.no_meter_found"


def test_what_happened_can_be_listed(shop):
    shop.draft(shop.customer(), 100)
    kinds = [event.type for event in shop.client.v1.events.list({"limit": 100}).data]
    assert kinds[::-1] == ["customer.created", "invoice.created", "invoiceitem.created", "invoice.updated"]
    (created,) = shop.client.v1.events.list({"type": "invoice.created"}).data
    assert created.data.object.object == "invoice"


def test_another_reader_of_schemas_agrees_that_answers_are_as_described(shop):
    """`broken` is judged by the fake's own reader; here another library judges, on answers of every kind."""
    meter, customer = shop.meter(), shop.customer(**CARD)
    shop.subscribe(customer, shop.metered(meter, unit_amount=100), shop.price(
        unit_amount=900, recurring={"interval": "month"}))  # fmt: skip
    invoice = shop.draft(customer, 1000, 2000)
    shop.client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    shop.client.v1.credit_notes.create({"invoice": invoice.id, "amount": 100, "credit_amount": 100})
    shop.account.advance(days=40)
    for path in (
        "billing/meters", "customers", f"customers/{customer}/balance_transactions", "products", "prices", "events",
        "subscriptions", "invoices", "invoiceitems", "credit_notes", "webhook_endpoints", f"invoices/{invoice.id}",
        f"invoices/{invoice.id}/lines", "account",
    ):  # fmt: skip
        answer = httpx.get(f"{shop.fake.url}/v1/{path}", headers={"authorization": "Bearer sk_test_fake"}).json()
        _judge(path, answer)


def _judge(path: str, answer: Any) -> None:
    document = json.loads(description_text())
    found = description().find("GET", f"/v1/{path}")
    assert found
    described = document["paths"][found.operation.name.removeprefix("GET ")]["get"]["responses"]["200"]
    schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
    jsonschema_rs.validate(_with_nulls(schema), answer)


def _with_nulls(schema: Any) -> Any:
    """OpenAPI's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_with_nulls(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _with_nulls(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def description_text() -> str:
    return files("tallystick.integrations.stripe.fake").joinpath("stripe_openapi_subset.json").read_text()


@contextmanager
def process(*arguments: str) -> Iterator[str]:
    """Where a fake answers that is a process."""
    command = [sys.executable, "-m", "tallystick.integrations.stripe.fake", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            yield running.stdout.readline().strip()
        finally:
            running.terminate()
    assert running.returncode == 0


@pytest.mark.parametrize("at", ["2026-05-01T00:00:00Z", "2026-05-01"])
def test_a_fake_that_is_a_process_is_looked_into_moved_and_harmed_by_its_own_routes(at):
    with process("--at", at) as url:
        _harm(url)


def test_a_fake_that_is_a_process_and_runs_has_the_time_of_day():
    with process("--runs") as url:
        now = datetime.fromisoformat(httpx.get(f"{url}/_fake/state").json()["now"])
    assert abs((datetime.now(UTC) - now).total_seconds()) < 60


def _harm(url: str) -> None:
    auth = {"authorization": "Bearer sk_test_fake"}
    fault = {"effect": "server_error", "operation": "POST /v1/customers"}
    assert httpx.post(f"{url}/_fake/faults", json=[fault]).status_code == 200
    answers = [httpx.post(f"{url}/v1/customers", content="name=a", headers=auth).status_code for _ in range(2)]
    assert answers == [500, 200]
    moved = httpx.post(f"{url}/_fake/clock", json={"advance_seconds": 60}).json()
    assert moved == {"now": "2026-05-01T00:01:00Z"}
    state = httpx.get(f"{url}/_fake/state").json()
    assert state["requests"] == {"POST /v1/customers 200": 1, "POST /v1/customers 500": 1}
    assert httpx.get(f"{url}/_fake/totals").json() == []
    assert httpx.get(f"{url}/_fake/unknown").status_code == 404
    assert httpx.post(f"{url}/_fake/clock", json={"advance_seconds": -1}).status_code == 400
