"""What a comparison with Stripe is. No I/O."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO, plain
from tallystick.integrations.stripe.meters.models import Lane


class Drift(StrEnum):
    """How Stripe's sum differs from ours."""

    NONE = "none"
    """Not at all."""
    WAITING = "waiting"
    """By what has not been sent, settled or looked at yet."""
    LAG = "lag"
    """Nobody knows yet: its summaries lag, so it is looked at again."""
    MISSING = "missing"
    """It said yes to something that it does not count."""
    EXTRA = "extra"
    """It counts something of ours more often than once."""
    FOREIGN = "foreign"
    """It counts something that was never ours."""

    @property
    def is_wrong(self) -> bool:
        """Whether somebody should hear of it."""
        return self in (Drift.MISSING, Drift.EXTRA, Drift.FOREIGN)


class Sums(NamedTuple):
    """The sums of a stretch of a lane.

    Attributes:
        local: what the ledger says that Stripe should have: the usage, less what came too late, and with what was
            carried here because it came too late elsewhere.
        accepted: what Stripe said yes to.
        waiting: what is booked and not settled.
        stripe: what its summaries show.
    """

    local: Decimal
    accepted: Decimal
    waiting: Decimal
    stripe: Decimal


class Stretch(NamedTuple):
    """A billing period as far as usage was looked at, in whole minutes; and the period, as far as Stripe is told it."""

    interval: Interval
    period: Interval


class Comparison(NamedTuple):
    """A stretch of a lane held against Stripe.

    Attributes:
        lane: which.
        interval: the stretch: a billing period, up to where usage was looked at.
        sums: ours and Stripe's.
        drift: how they differ.
        detail: what was found, and what was done about it.
        repaired: deltas that were taken out of the books or put in, so that it comes right.
        agrees: whether Stripe counts what it said yes to, as far as doubles can tell.
    """

    lane: Lane
    interval: Interval
    sums: Sums
    drift: Drift
    detail: str
    repaired: int = 0
    agrees: bool = False

    @property
    def line(self) -> str:
        """It on one line, for people."""
        numbers = f"{plain(self.sums.local)} here, {plain(self.sums.stripe)} at Stripe"
        told = f"{self.lane.team_id}, {self.lane.metric}: {self.drift}: {numbers} {self.detail}"
        return told.rstrip()

    @property
    def absolute(self) -> Decimal:
        """How much more Stripe has than it should, in the metric's unit."""
        return EXACT.subtract(self.sums.stripe, self.sums.local)

    @property
    def percent(self) -> Decimal | None:
        """The same in percent of what it should have, to four places; None: it should have nothing, and has."""
        if not self.sums.local:
            return None if self.sums.stripe else ZERO
        part = EXACT.divide(EXACT.multiply(self.absolute, Decimal(100)), abs(self.sums.local))
        return part.quantize(Decimal("0.0001"), context=EXACT)


class Earlier(NamedTuple):
    """A comparison of the same stretch before.

    Attributes:
        stripe_time: when it was, by Stripe's clock.
        accepted, stripe: the sums then.
    """

    stripe_time: datetime
    accepted: Decimal
    stripe: Decimal


class Explanation(NamedTuple):
    """Of which deltas a difference is made.

    Attributes:
        ids: the deltas; none: nobody knows.
        missing: whether they are not counted; else they are counted twice.
    """

    ids: tuple[int, ...] = ()
    missing: bool = False


class Minute(NamedTuple):
    """A minute in which Stripe's sum is another than ours: by how much, and of which deltas that is made."""

    interval: Interval
    difference: Decimal
    explained: Explanation
