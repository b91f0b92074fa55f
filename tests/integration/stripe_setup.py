"""What the tests of the fake Stripe share: a fake that runs, Stripe's own SDK, and short ways to say things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stripe

from tallystick.integrations.stripe.fake import FakeStripe, RunningFake, Setting, running

CARD = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
BAD_CARD = {"invoice_settings": {"default_payment_method": "pm_card_chargeCustomerFail"}}
EVENTS = "POST /v1/billing/meter_events"


class Shop:
    """A fake with the SDK's client for it."""

    def __init__(self, fake: RunningFake, **options: Any) -> None:
        self.fake = fake
        self.account: FakeStripe = fake.account
        self.client: Any = client(fake, **options)

    @property
    def now(self) -> int:
        """The fake's time."""
        return int(self.account.clock.seconds)

    def meter(self, name: str = "tokens", formula: str = "sum", **params: Any) -> Any:
        return self.client.v1.billing.meters.create(
            {"display_name": name, "event_name": name, "default_aggregation": {"formula": formula}, **params}
        )

    def customer(self, **params: Any) -> str:
        identity: str = self.client.v1.customers.create({"name": "Acme", **params}).id
        return identity

    def send(self, customer: str, value: str = "1", *, key: str | None = None, name: str = "tokens", **params: Any):
        event = {"event_name": name, "payload": {"stripe_customer_id": customer, "value": value}, **params}
        return self.client.v1.billing.meter_events.create(event, {"idempotency_key": key} if key else {})

    def metered(self, meter: Any, **pricing: Any) -> Any:
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        return self.price(recurring=recurring, **pricing)

    def price(self, **pricing: Any) -> Any:
        return self.client.v1.prices.create({"currency": "usd", "product_data": {"name": "Usage"}, **pricing})

    def subscribe(self, customer: str, *prices: Any, **params: Any) -> Any:
        items = [{"price": price.id} for price in prices]
        return self.client.v1.subscriptions.create({"customer": customer, "items": items, **params})

    def draft(self, customer: str, *amounts: int, **params: Any) -> Any:
        invoice = self.client.v1.invoices.create({"customer": customer, **params})
        lines = [{"amount": amount} for amount in amounts]
        return self.client.v1.invoices.add_lines(invoice.id, {"lines": lines})

    def total(self, customer: str, name: str = "tokens") -> int:
        return int(self.account.total(name, customer))

    def refusal(self, call: Callable[[], Any]) -> stripe.StripeError:
        with pytest.raises(stripe.StripeError) as refused:
            call()
        return refused.value


def client(fake: RunningFake, **options: Any) -> stripe.StripeClient:
    options = {"max_network_retries": 0, "http_client": stripe.RequestsClient(timeout=(5, 20)), **options}
    addresses: Any = fake.base_addresses
    return stripe.StripeClient("sk_test_fake", base_addresses=addresses, **options)


@contextmanager
def open_shop(setting: Setting | None = None) -> Iterator[Shop]:
    """A fake; when it is left it has answered nothing that Stripe's description does not have."""
    with running(setting) as fake:
        yield Shop(fake)
        assert fake.account.broken == []
