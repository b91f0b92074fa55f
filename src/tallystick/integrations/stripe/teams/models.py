"""A team as a customer of Stripe. No I/O."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tallystick.integrations.stripe.meters.models import LatePolicy


class Mode(StrEnum):
    """Who makes a team's bills."""

    INVOICE_ITEMS = "invoice_items"
    """We do: Stripe is given finished lines, and collects."""
    METERS = "meters"
    """Stripe does, out of the usage that its meters are told."""


class Collection(StrEnum):
    """How a bill is collected, in Stripe's words."""

    CHARGE = "charge_automatically"
    SEND = "send_invoice"


class Terms(NamedTuple):
    """How a team is billed by Stripe.

    Attributes:
        mode: who makes its bills.
        late_policy: what becomes of usage that is learned of when its period is billed.
        collection: whether bills are charged, or sent to be paid.
        billed_from: periods that ended by then are none of Stripe's; None: the one that is running is the first.
    """

    mode: Mode = Mode.INVOICE_ITEMS
    late_policy: LatePolicy = LatePolicy.NEXT_PERIOD
    collection: Collection = Collection.CHARGE
    billed_from: datetime | None = None


class Changes(NamedTuple):
    """Terms that somebody asks for; what is None stays as it is. Attributes as of `Terms`."""

    mode: Mode | None = None
    late_policy: LatePolicy | None = None
    collection: Collection | None = None
    billed_from: datetime | None = None

    def of(self, terms: Terms) -> Terms:
        """The terms, changed."""
        given = {name: value for name, value in self._asdict().items() if value is not None}
        return terms._replace(**given)


class KnownTeam(NamedTuple):
    """A team of the installation."""

    id: str
    name: str
    time_zone: str


class LinkedTeam(NamedTuple):
    """A team and its customer.

    Attributes:
        team_id, account, customer_id: who, where, and who there.
        mode, late_policy, collection, billed_from: how it is billed.
        linked_at: since when it is this customer.
        gone_at: since when the customer is deleted; None: it is not.
        subscription_id, subscription_status: its subscription at Stripe that changed last.
    """

    team_id: str
    account: str
    customer_id: str
    mode: Mode
    late_policy: LatePolicy
    collection: Collection
    billed_from: datetime
    linked_at: datetime
    gone_at: datetime | None
    subscription_id: str | None
    subscription_status: str | None


class Customer(NamedTuple):
    """A customer as Stripe shows it, without anything personal."""

    id: str
    team_id: str | None
    """What its metadata says; None: nothing."""
    deleted: bool = False
