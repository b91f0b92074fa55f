"""What a statement is made of. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import Any

from tallystick.billing.currencies import Conversion
from tallystick.billing.teams.models import Subscription, Team
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.terms import PlanTerms, ScopedDiscount, TeamTerms
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO, round_money
from tallystick.http.answers import rfc3339
from tallystick.pricing import Charge

NO_SUBSCRIPTION = "the team has no subscription"
NO_PRICE = "no price"
"""Why usage between two prices costs nothing."""


class Basis(StrEnum):
    """Which usage a price is applied to.

    `interval`: the usage of the part of the period in which the price was in force. `period_end`: the
    usage of the whole period, at the price in force at its end, because usage that can't be added up
    (a maximum, an average) can't be split at a change of price either.
    """

    INTERVAL = "interval"
    PERIOD_END = "period_end"


class LineKind(StrEnum):
    """What a line of a statement is for.

    `usage`: of a metric, at a price. `fee`: for the period, whatever is used. `discount`: an amount off the
    lines before it. `commitment`: what a minimum or a commitment of the whole plan adds. `adjustment`: what a
    line of an earlier, closed statement should have said, minus what was booked for it.
    """

    USAGE = "usage"
    FEE = "fee"
    DISCOUNT = "discount"
    COMMITMENT = "commitment"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Account:
    """A team and its terms in one period, seen from one moment.

    Attributes:
        team: who is billed.
        as_of: the moment.
        period: the billing period; without a subscription the calendar month.
        subscription: the one in force; None: the team is metered, not billed.
        prices: by name, the prices that hold at some time of the period, oldest first: the plan's, and the
            team's own in their place.
        full: the period as long as it would be had the subscription not begun or ended inside it: what
            proration divides by; None: the period itself.
        terms: what the plan says besides its prices; None without a subscription.
        agreed: what was agreed with the team alone.
        known_at: only what was recorded up to here counts; None: everything.
    """

    team: Team
    as_of: datetime
    period: Interval
    subscription: Subscription | None
    prices: Mapping[str, Sequence[PriceVersion]]
    full: Interval | None = None
    terms: PlanTerms | None = None
    agreed: TeamTerms = field(default_factory=TeamTerms)
    known_at: datetime | None = None

    @property
    def currency(self) -> str | None:
        """The plan's; None without one."""
        return self.subscription.currency if self.subscription else None

    @property
    def billing_currency(self) -> str | None:
        """What the team is billed in: its own, or the plan's; None without a plan."""
        return (self.team.currency or self.currency) if self.subscription else None

    @property
    def final(self) -> bool:
        """Whether the period is over, so that commitments are trued up."""
        return self.as_of >= self.period.end

    @property
    def discounts(self) -> tuple[ScopedDiscount, ...]:
        """What comes off charges: the plan's discounts, then the team's."""
        return (self.terms.discounts if self.terms else ()) + self.agreed.discounts

    def uncharged(self) -> Sequence[tuple[Interval, str]]:
        """Stretches of the period for which nothing is charged, in order: trials and pauses."""
        return self.subscription.uncharged(self.period) if self.subscription else ()

    def reason_without_price(self) -> str:
        """Why a metric that has no price costs nothing that could be told."""
        if self.subscription is None:
            return NO_SUBSCRIPTION
        return f"plan {self.subscription.plan!r} has no price for this metric"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an adjustment is: what was learned after the statement was closed.

    Attributes:
        late: events of the period that were recorded since.
        amended: events of it that were replaced since.
        voided: events of it that no longer count since.
        terms: prices or terms of the period that were recorded since.
        events: ids of the first of those events.
        since: they were recorded after this moment; before, they were booked.
        would_be: where the catalogue says to charge nothing for it, the amounts that it would have been.
    """

    late: int = 0
    amended: int = 0
    voided: int = 0
    terms: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    since: datetime | None = None
    would_be: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """The cause as it is stored and shown."""
        return {
            "late": self.late,
            "amended": self.amended,
            "voided": self.voided,
            "terms": list(self.terms),
            "events": list(self.events),
            "since": None if self.since is None else rfc3339(self.since),
            "would_be": None if self.would_be is None else dict(self.would_be),
        }


@dataclass(frozen=True, slots=True)
class Adjusts:
    """Which line of which closed statement an adjustment corrects, and why.

    Attributes:
        period_id: the closed statement.
        key: its line.
        cause: why.
        currency: of the adjustment's amount and total, which the line's price was in: not always the present plan's.
    """

    period_id: int
    key: str
    cause: Cause
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement.

    Attributes:
        key: what the line is about; once in its statement, and the same whenever the statement is made anew.
        kind: what it is for.
        name: the price's name; of a metric without a price the metric.
        metric: whose usage is charged; None: not usage.
        unit: of the quantity.
        interval: the instants that are charged.
        basis: which usage the price is applied to.
        quantity: the usage as it is rated; nothing (the average of no events) is rated as zero.
        events: how many events it is made of.
        unvalued: how many matched but had no value that could be read; they don't count.
        price: the price with the interval in which it holds; None: nothing is charged for this usage.
        charge: the exact amount and the steps that add up to it; None where nothing is charged.
        total: the amount rounded, once, to the currency; None where nothing is charged.
        reason: why nothing is charged; None where something is.
        conversion: the total in the currency that the team is billed in; None: it is the same.
        adjusts: of an adjustment, what it corrects.
    """

    key: str
    kind: LineKind
    name: str
    metric: str | None
    unit: str
    interval: Interval
    basis: Basis
    quantity: Decimal
    events: int = 0
    unvalued: int = 0
    price: PriceVersion | None = None
    charge: Charge | None = None
    total: Decimal | None = None
    reason: str | None = None
    conversion: Conversion | None = None
    adjusts: Adjusts | None = None

    @property
    def due(self) -> Decimal | None:
        """What the line adds to the bill, in the currency of the bill; None where nothing is charged."""
        return self.conversion.converted if self.conversion else self.total


@dataclass(frozen=True, slots=True)
class Statement:
    """All charges of a team and period, as far as they are known.

    Without a subscription the lines tell usage alone, and `reason` says why there is no total.

    Attributes:
        account: whose, for which period, seen from when.
        lines: usage, fees, discounts, commitments, then adjustments of earlier periods.
        credits: what prepaid credit takes off, in the currency of the bill.
    """

    account: Account
    lines: Sequence[Line]
    credits: Decimal = field(default=ZERO)

    @property
    def subtotal(self) -> Decimal | None:
        """The sum of what the lines add to the bill, in the team's billing currency."""
        currency = self.account.billing_currency
        return round_money(due_of(self.lines), currency) if currency else None

    @property
    def total(self) -> Decimal | None:
        """What the team owes: the subtotal less the credits."""
        subtotal = self.subtotal
        return None if subtotal is None else EXACT.subtract(subtotal, self.credits)

    @property
    def reason(self) -> str | None:
        """Why there is no total; None where there is one."""
        return None if self.account.subscription else NO_SUBSCRIPTION


def total_of(lines: Iterable[Line]) -> Decimal:
    """The sum of the lines' totals, in the currency of their prices."""
    return exact_sum(line.total for line in lines if line.total is not None)


def due_of(lines: Iterable[Line]) -> Decimal:
    """The sum of what the lines add to the bill."""
    return exact_sum(line.due for line in lines if line.due is not None)


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The sum, without the 28 digits that Python's `sum` would keep."""
    return reduce(EXACT.add, numbers, ZERO)
