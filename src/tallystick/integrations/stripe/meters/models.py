"""What is told to Stripe's meters: windows, deltas, lanes. No I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from tallystick.core.clock import Interval

BLIND = timedelta(hours=20)
"""How long what may have arrived is sent again as it is: Stripe knows its identifier for 24 hours at least."""

OLDEST = timedelta(days=34)
"""Age of a timestamp after which nothing is sent: Stripe takes 35 days."""


class Kind(StrEnum):
    """Why there is a delta."""

    USAGE = "usage"
    """A window's usage is another than what was booked of it."""
    CARRIED = "carried"
    """Usage that was late, told in the period that is running."""
    REPAIR = "repair"
    """The opposite of what Stripe has counted though it was not sent."""


class State(StrEnum):
    """What became of a delta."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    LATE = "late"
    QUARANTINED = "quarantined"
    LOST = "lost"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


VOID = frozenset({State.LOST, State.REJECTED, State.CANCELLED})
"""What Stripe does not count, nor will: such usage is booked anew."""


class LatePolicy(StrEnum):
    """What becomes of usage that is learned of when its period's invoice is final."""

    NEXT_PERIOD = "next_period"
    """Stripe is told in the period that is running."""
    INVOICE_ITEM = "invoice_item"
    """It is priced here for its own period, as an adjustment, and charged as an item of the next invoice."""
    WRITE_OFF = "write_off"
    """Nobody is charged."""


@dataclass(frozen=True, slots=True)
class MeteredTeam:
    """A team whose usage Stripe's meters are told, and how far that was looked at.

    Attributes:
        team_id, customer_id: whose, here and there.
        late_policy: what becomes of usage that comes too late.
        metered_from: usage before it is none of Stripe's.
        planned_until: windows up to here have been looked at,
        known_at: by what was known at this instant.
        replan_from: windows from here on have to be looked at again.
    """

    team_id: str
    customer_id: str
    late_policy: LatePolicy
    metered_from: datetime
    planned_until: datetime
    known_at: datetime
    replan_from: datetime | None


class Meter(NamedTuple):
    """A meter of Stripe's, and the metric whose usage it is told."""

    metric: str
    event_name: str
    meter_id: str
    customer_key: str = "stripe_customer_id"
    value_key: str = "value"


class Window(NamedTuple):
    """Usage that is booked together: an hour of UTC, cut at the edges of billing periods, or a whole period.

    Attributes:
        start, end: its instants.
        stamp: the hour, inside of it, in which its deltas are stamped.
        period_end: where the billing period ends; None: there is none.
    """

    start: datetime
    end: datetime
    stamp: Interval
    period_end: datetime | None

    @property
    def interval(self) -> Interval:
        """Its instants."""
        return Interval(self.start, self.end)


class Booked(NamedTuple):
    """What was booked of a window: the sum of what counts, and the last number."""

    window: Interval
    quantity: Decimal
    last_seq: int


class NewDelta(NamedTuple):
    """A delta to be booked.

    Attributes:
        kind: why there is one.
        window: what it is about.
        seq: its number in the window.
        quantity: signed, never zero.
        stamped_at: the instant in the request.
        deadline: after it, it is late.
        cause: why, in a word or two.
        state: pending, or late at once.
    """

    kind: Kind
    window: Interval
    seq: int
    quantity: Decimal
    stamped_at: datetime
    deadline: datetime
    cause: str
    state: State = State.PENDING


class Lane(NamedTuple):
    """A customer and a meter."""

    id: int
    account: str
    customer_id: str
    event_name: str
    meter_id: str
    team_id: str
    metric: str


class Sending(NamedTuple):
    """A delta that is about to be sent, of a lane that nobody else sends of.

    Attributes:
        id: its number.
        lane_id: its lane's.
        identifier, request, quantity, deadline: what was booked.
        key_number: the number of its idempotency key.
        doubt_since: since when it may have arrived, before this time.
        looked_at: when, by Stripe's clock, it was first looked for there; None: it was not.
        failures: of its lane, in a row.
    """

    id: int
    lane_id: int
    identifier: str
    request: dict[str, Any]
    quantity: Decimal
    deadline: datetime
    key_number: int
    doubt_since: datetime | None
    looked_at: datetime | None
    failures: int

    @property
    def idempotency_key(self) -> str:
        """Begins with the identifier, so that whichever of the two an error report names leads here."""
        return f"{self.identifier}:{self.key_number}"

    @property
    def stamped_at(self) -> datetime:
        """The instant in the request, which is a full second."""
        return datetime.fromtimestamp(self.request["timestamp"], UTC)

    def may_be_sent(self, now: datetime) -> bool:
        """Whether it can be sent as it is, without a look at what Stripe has counted.

        Not after its deadline. What may have arrived neither after Stripe may have forgotten it, nor once it was looked
        for, nor when the clock was put back: nobody knows then how long ago that was.
        """
        if now >= self.deadline or self.looked_at is not None:
            return False
        return self.doubt_since is None or self.doubt_since <= now < self.doubt_since + BLIND
