"""What a statement is made of. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce

from tallystick.billing.teams.models import Subscription, Team
from tallystick.catalog.models import PriceVersion
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO, round_money
from tallystick.pricing import Charge

NO_SUBSCRIPTION = "the team has no subscription"


class Basis(StrEnum):
    """Which usage a price is applied to.

    `interval`: the usage of the part of the period in which the price was in force. `period_end`: the
    usage of the whole period, at the price in force at its end, because usage that can't be added up
    (a maximum, an average) can't be split at a change of price either.
    """

    INTERVAL = "interval"
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True)
class Account:
    """A team and its terms at one moment.

    Attributes:
        team: who is billed.
        as_of: the moment.
        period: the billing period that holds it; without a subscription the calendar month.
        subscription: the one in force; None: the team is metered, not billed.
        prices: by metric, the plan's prices that hold at some time of the period, oldest first.
    """

    team: Team
    as_of: datetime
    period: Interval
    subscription: Subscription | None
    prices: Mapping[str, Sequence[PriceVersion]]

    @property
    def currency(self) -> str | None:
        """The plan's; None without one."""
        return self.subscription.currency if self.subscription else None

    def reason_without_price(self) -> str:
        """Why a metric that has no price costs nothing that could be told."""
        if self.subscription is None:
            return NO_SUBSCRIPTION
        return f"plan {self.subscription.plan!r} has no price for this metric"


@dataclass(frozen=True, slots=True)
class Line:
    """What the usage of one metric over one interval costs.

    Attributes:
        metric, unit: what is charged.
        interval: the usage that is charged.
        basis: why that usage.
        quantity: the usage as it is rated; nothing (the average of no events) is rated as zero.
        events: how many events it is made of.
        unvalued: how many matched but had no value that could be read; they don't count.
        price: the price with the interval in which it holds; None: nothing is charged for this usage.
        charge: the exact amount and the steps that add up to it; None without a price.
        total: the amount rounded, once, to the currency; None without a price.
    """

    metric: str
    unit: str
    interval: Interval
    basis: Basis
    quantity: Decimal
    events: int
    unvalued: int
    price: PriceVersion | None = None
    charge: Charge | None = None
    total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """All charges of a team and period, as far as they are known; `total` is the sum of the lines' totals.

    Without a subscription the lines tell usage alone, and `reason` says why there is no total.
    """

    account: Account
    lines: Sequence[Line]

    @property
    def total(self) -> Decimal | None:
        """What the team owes so far, with the decimals of the plan's currency."""
        currency = self.account.currency
        return round_money(total_of(self.lines), currency) if currency else None

    @property
    def reason(self) -> str | None:
        """Why there is no total; None where there is one."""
        return None if self.account.subscription else NO_SUBSCRIPTION


def total_of(lines: Sequence[Line]) -> Decimal:
    """The sum of what the lines come to on a bill."""
    return exact_sum(line.total for line in lines if line.total is not None)


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The sum, without the 28 digits that Python's `sum` would keep."""
    return reduce(EXACT.add, numbers, ZERO)
