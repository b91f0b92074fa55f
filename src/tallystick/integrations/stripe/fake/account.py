"""The fake account as a whole: its parts put together, and what a test or a demonstration asks of it."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import NamedTuple

from tallystick.integrations.stripe.fake.assumptions import ASSUMED, FINALISATION_GRACE, Assumptions, exact_sum
from tallystick.integrations.stripe.fake.clock import VirtualClock
from tallystick.integrations.stripe.fake.credit_notes import CreditNotes
from tallystick.integrations.stripe.fake.customers import Customers
from tallystick.integrations.stripe.fake.deliveries import Delivered, Deliveries, Manners
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.events import Events
from tallystick.integrations.stripe.fake.faults import Faults
from tallystick.integrations.stripe.fake.idempotency import Idempotency
from tallystick.integrations.stripe.fake.invoices import Invoices
from tallystick.integrations.stripe.fake.items import InvoiceItems
from tallystick.integrations.stripe.fake.limits import Buckets, Limits
from tallystick.integrations.stripe.fake.meters import Meters
from tallystick.integrations.stripe.fake.prices import Prices
from tallystick.integrations.stripe.fake.reports import Reports
from tallystick.integrations.stripe.fake.subscriptions import Subscriptions
from tallystick.integrations.stripe.fake.usage import Lag, Usage
from tallystick.integrations.stripe.fake.world import Call, Served, World, serves

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
"""Where the clock of a fake begins unless it is told otherwise."""

KEPT_REQUESTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a fake is like.

    Attributes:
        at: where its clock begins.
        runs: whether the clock goes on by itself; otherwise it stands until it is moved.
        api_key: the secret key that it takes.
        seed: of all chance, so that a run can be repeated.
        assumed: what documents leave open.
        lag: how long after it was accepted an event is counted, in virtual seconds.
        limits: how many requests a second it takes.
        latency: how long a request takes, in real seconds; requests overlap only where it is not zero.
        manners: how it delivers events.
        grace: how many seconds an invoice of a subscription stays a draft.
    """

    at: datetime = BEGINNING
    runs: bool = False
    api_key: str = "sk_test_fake"
    seed: int = 0
    assumed: Assumptions = ASSUMED
    lag: Lag = field(default_factory=Lag)
    limits: Limits = field(default_factory=Limits)
    latency: float = 0.0
    manners: Manners = field(default_factory=Manners)
    grace: int = FINALISATION_GRACE


class Handled(NamedTuple):
    """A request that was answered; status 0 stands for a connection that was cut."""

    operation: str
    status: int
    idempotency_key: str | None
    replayed: bool
    params: Object


class FakeStripe:
    """A Stripe account in memory.

    Attributes:
        setting: what it is like.
        clock: its time.
        faults: what is to go wrong.
        requests: the last ones that were answered.
        counts: how many there were of each operation and status, all of them.
        violations: requests that were refused because the API's description refuses them, each as one line.
        unserved: what was asked for that the fake does not do.
        broken: answers of the fake that were not as described; there have to be none.
    """

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting = setting or Setting()
        self.lock = RLock()
        self.clock = VirtualClock(setting.at, runs=setting.runs)
        self.faults = Faults(setting.seed)
        self.requests: deque[Handled] = deque(maxlen=KEPT_REQUESTS)
        self.counts: Counter[tuple[str, int]] = Counter()
        self.violations: list[str] = []
        self.unserved: list[str] = []
        self.broken: list[str] = []
        self._assemble(setting)

    def advance(self, **by: float) -> None:
        """Move the clock on, `advance(hours=1)`, and do all that becomes due on the way."""
        with self.lock:
            self.clock.advance(timedelta(**by))

    def total(self, event_name: str, customer: str) -> Decimal:
        """What the events that were accepted come to, exactly, whether they are counted yet or not."""
        with self.lock:
            meter = self.usage.meter_named(event_name)
            events = self.usage.events(meter["id"], customer) if meter else []
            return exact_sum([event.value for event in events if not event.cancelled])

    def totals(self) -> dict[tuple[str, str], Decimal]:
        """The same for every event name and customer that has events."""
        with self.lock:
            lanes = [(meter, who) for meter in self.world.meters.values() for who in self.usage.customers(meter["id"])]
            return {(meter["event_name"], who): self.total(meter["event_name"], who) for meter, who in lanes}

    def invoices(self, customer: str | None = None) -> list[Object]:
        """The invoices that are not deleted, oldest first, as they would be answered but with all their lines."""
        with self.lock:
            found = [each for each in self.world.invoices.values() if not each.get("deleted")]
            wanted = [each for each in found if customer in {None, each["customer"]}]
            return [{**self.parts.shown(each), "lines": self.parts.lines(each["id"])} for each in wanted]

    def events(self, kind: str | None = None) -> list[Object]:
        """What happened in the account, oldest first."""
        with self.lock:
            return [each for each in self.told.all() if kind in {None, each["type"]}]

    def _assemble(self, setting: Setting) -> None:
        self.world = world = World(self.clock, setting.assumed, setting.seed)
        self.told = Events(world)
        self.usage = Usage(world, setting.lag, Reports(world, self.told.publish_thin).add)
        self.meters = Meters(world, self.usage)
        customers = Customers(world)
        self.parts = Invoices(world, customers)
        self.subscriptions = Subscriptions(world, self.usage, self.parts, setting.grace)
        self.deliveries = Deliveries(self.lock, self.clock, setting.manners, setting.seed, self._answered)
        self.idempotency = Idempotency(setting.assumed)
        self.buckets = Buckets(setting.limits)
        self.served: dict[str, Served] = {"GET /v1/account": serves(_account)}
        for part in (
            self.told,
            self.meters,
            customers,
            Prices(world),
            self.parts,
            InvoiceItems(world, self.parts),
            CreditNotes(world, customers, self.parts),
            self.subscriptions,
        ):
            self._serve(part.operations())
        world.listeners.append(self._happened)

    def _serve(self, operations: Mapping[str, Served]) -> None:
        self.served.update(operations)

    def _happened(self, kind: str, about: Object) -> None:
        if kind == "invoice.created" and about["billing_reason"] != "manual" and self.told.told_of(kind):
            self.subscriptions.awaits_answer(about["id"])

    def _answered(self, delivered: Delivered) -> None:
        if delivered.acknowledged and delivered.notice.kind == "invoice.created" and delivered.notice.about:
            self.subscriptions.acknowledged(delivered.notice.about)


def _account(call: Call) -> Object:  # noqa: ARG001 - it takes nothing
    return {
        "id": "acct_fake",
        "object": "account",
        "country": "US",
        "default_currency": "usd",
        "charges_enabled": True,
        "settings": {"dashboard": {"display_name": "Fake", "timezone": "Etc/UTC"}},
    }
