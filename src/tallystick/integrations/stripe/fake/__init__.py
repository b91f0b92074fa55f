"""A stateful fake of Stripe, for tests and demonstrations. Nothing in the product starts it.

It speaks HTTP on loopback, is driven by Stripe's own SDK, and keeps an account in memory: meters and their events,
customers, prices, subscriptions, invoices, credit notes, webhooks. It refuses what Stripe's description of its API
refuses, remembers idempotency keys as Stripe does, counts events after a while, and fails on purpose where it is
told to. What documents leave open it assumes, in `assumptions.py`, and nowhere else.

    with running(Setting(at=datetime(2026, 3, 1, tzinfo=UTC))) as fake:
        stripe = StripeClient("sk_test_fake", base_addresses=fake.base_addresses, max_network_retries=0)
        fake.account.faults.plan(Fault(Effect.LOST_ANSWER, "POST /v1/billing/meter_events"))
        ...
        fake.account.advance(hours=1)
        assert fake.account.total("tokens", customer.id) == Decimal(12)

As a process of its own: `python -m tallystick.integrations.stripe.fake --port 12111`.
"""

from tallystick.integrations.stripe.fake.account import FakeStripe, Handled, Setting
from tallystick.integrations.stripe.fake.assumptions import ASSUMED, Assumptions
from tallystick.integrations.stripe.fake.clock import VirtualClock
from tallystick.integrations.stripe.fake.deliveries import Manners, sign
from tallystick.integrations.stripe.fake.faults import Effect, Fault
from tallystick.integrations.stripe.fake.limits import LIVE, SANDBOX, Limits
from tallystick.integrations.stripe.fake.server import RunningFake, running
from tallystick.integrations.stripe.fake.usage import Lag

__all__ = [
    "ASSUMED",
    "LIVE",
    "SANDBOX",
    "Assumptions",
    "Effect",
    "FakeStripe",
    "Fault",
    "Handled",
    "Lag",
    "Limits",
    "Manners",
    "RunningFake",
    "Setting",
    "VirtualClock",
    "running",
    "sign",
]
