"""One suite for the fake and for Stripe: each assumption is asserted of both in the same words.

`pytest tests/stripe_live` asks the fake. `STRIPE_TEST_KEY=sk_test_… pytest -m stripe_live` asks Stripe, in a sandbox:
it leaves meters, customers and invoices of test mode behind, and takes some minutes, since Stripe counts when it likes.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from stripe import RequestsClient, StripeClient, StripeError

from tallystick.integrations.stripe.fake import Lag, RunningFake, Setting, running

Found = TypeVar("Found")

PATIENCE = 300
"""Seconds that Stripe may take to count (A16)."""


class Account:
    """A Stripe account, or the fake of one, and what both let a test do."""

    def __init__(self, client: Any, fake: RunningFake | None) -> None:  # bodies here are plain, not TypedDicts
        self.client = client
        self.fake = fake
        self._run = uuid.uuid4().hex[:12]
        self._last = 0

    @property
    def now(self) -> int:
        """The account's time."""
        return int(self.fake.account.clock.seconds if self.fake else time.time())

    def new_name(self) -> str:
        """A name that nothing in the account has: an event name, an identifier, a key."""
        self._last += 1
        return f"t{self._run}{self._last:03d}"

    def later(self, seconds: int) -> None:
        """Let time pass, where that can be done."""
        if self.fake is None:
            pytest.skip(f"takes {seconds // 3600} hours of real time")
        self.fake.account.advance(seconds=seconds)

    def only_in_the_fake(self, reason: str) -> RunningFake:
        """What a sandbox of Stripe can't be asked."""
        if self.fake is None:
            pytest.skip(reason)
        return self.fake

    def eventually(self, look: Callable[[], Found], *, within: int = PATIENCE) -> Found:
        """What is seen as soon as there is something to be seen, or at the end of patience."""
        for _ in range(within // 5):
            if found := look():
                return found
            if self.fake:
                self.fake.account.advance(seconds=5)
            else:
                time.sleep(5)
        return look()

    def refusal(self, call: Callable[[], Any]) -> StripeError:
        """The error that a call ends with."""
        with pytest.raises(StripeError) as refused:
            call()
        return refused.value

    def meter(self, formula: str = "sum", **params: Any) -> Any:
        """A new meter."""
        name = self.new_name()
        return self.client.v1.billing.meters.create({
            "display_name": name, "event_name": name, "default_aggregation": {"formula": formula}, **params,
        })  # fmt: skip

    def customer(self, **params: Any) -> Any:
        """A new customer."""
        return self.client.v1.customers.create({"name": "Assumption", **params})

    def send(self, meter: Any, customer: str, value: str = "1", *, key: str | None = None, **params: Any) -> Any:
        """One meter event."""
        body = {"event_name": meter.event_name, "payload": {"stripe_customer_id": customer, "value": value}, **params}
        return self.client.v1.billing.meter_events.create(body, {"idempotency_key": key} if key else {})

    def cancel(self, meter: Any, identifier: str) -> Any:
        """Take one back."""
        adjustment = {"event_name": meter.event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        return self.client.v1.billing.meter_event_adjustments.create(adjustment)

    def summaries(self, meter: Any, customer: str, start: int, end: int, **params: Any) -> list[Any]:
        """The rows of a summary."""
        asked = {"customer": customer, "start_time": start, "end_time": end, **params}
        return list(self.client.v1.billing.meters.event_summaries.list(meter.id, asked).auto_paging_iter())

    def sum_of_today(self, meter: Any, customer: str) -> float | None:
        """What is counted by now, of events that happened in the last and the next hour."""
        hour = self.now // 3600 * 3600
        rows = self.summaries(meter, customer, hour - 3600, hour + 7200)
        return rows[0].aggregated_value if rows else None


def _fake() -> Iterator[Account]:
    with running(Setting(lag=Lag(0, 30))) as fake:
        yield Account(_client("sk_test_fake", base_addresses=fake.base_addresses), fake)
        assert not fake.account.broken
        assert not fake.account.violations
        assert not fake.account.unserved


def _stripe() -> Iterator[Account]:
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key:
        pytest.skip("asks Stripe itself: set STRIPE_TEST_KEY to a key of a sandbox")
    if not key.startswith(("sk_test_", "rk_test_")):
        pytest.fail("STRIPE_TEST_KEY has to be a test key: the suite makes invoices")
    yield Account(_client(key), None)


def _client(key: str, **options: Any) -> StripeClient:
    return StripeClient(key, max_network_retries=0, http_client=RequestsClient(timeout=(5, 30)), **options)


@pytest.fixture(params=["fake", pytest.param("stripe", marks=pytest.mark.stripe_live)])
def account(request) -> Iterator[Account]:
    yield from _fake() if request.param == "fake" else _stripe()
