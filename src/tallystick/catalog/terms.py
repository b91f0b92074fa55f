"""The terms of whole plans and of single teams: what is agreed besides prices. No I/O.

They are kept as versions in time, like prices. Those in force at a billing period's end hold for all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

ONE = Decimal(1)


class PeriodUnit(StrEnum):
    """What a plan's billing period is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class BillingPeriod(NamedTuple):
    """The length of a plan's billing periods: `every` times the unit."""

    unit: PeriodUnit = PeriodUnit.MONTH
    every: int = 1

    def __str__(self) -> str:
        return str(self.unit) if self.every == 1 else f"{self.every} {self.unit}s"


@dataclass(frozen=True, slots=True)
class ScopedDiscount:
    """What comes off the charges of some prices for some time: a percentage of them, or an amount per period.

    Attributes:
        percent: 10 is 10 %, above 0, at most 100; None where it is an amount.
        amount: in the plan's currency, per billing period; None where it is a percentage.
        metrics: the metrics whose charges it comes off; empty: all charges, fees too.
        effective_from, effective_to: the usage it holds for, half-open; None is unbounded.
        name: what it is called on the bill.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None
    metrics: tuple[str, ...] = ()
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    name: str = ""

    def covers(self, metric: str | None) -> bool:
        """Whether it comes off the charges of the metric; None: of a fee."""
        return not self.metrics or metric in self.metrics


class PlanCommitment(NamedTuple):
    """What a team on the plan commits itself to pay per billing period, in the plan's currency.

    Attributes:
        amount: the charges it covers.
        overage_factor: what charges beyond it are multiplied by.
        true_up: whether what is missing from it is charged at the period's end.
    """

    amount: Decimal
    overage_factor: Decimal = ONE
    true_up: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan says besides currency, period and prices.

    Attributes:
        trial_days: how many days, from the start of a subscription, nothing is charged.
        minimum: the least that all charges of a billing period come to, in the plan's currency.
        commitment: what is to be paid per billing period.
        discounts: what comes off charges, in the order in which it does.
    """

    trial_days: int = 0
    minimum: Decimal | None = None
    commitment: PlanCommitment | None = None
    discounts: tuple[ScopedDiscount, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan as it is billed: `name` is what it is stored under, such as `growth@2`; the rest as in `Terms`."""

    name: str
    version: int
    currency: str
    period: BillingPeriod
    trial_days: int = 0
    minimum: Decimal | None = None
    commitment: PlanCommitment | None = None
    discounts: tuple[ScopedDiscount, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamTerms:
    """What was agreed with one team.

    Attributes:
        discounts: what comes off its charges, after the plan's discounts.
        exchange_rates: rates pinned by contract, by pair: `USD/EUR: 0.9` makes 0.90 EUR of 1.00 USD.
    """

    discounts: tuple[ScopedDiscount, ...] = ()
    exchange_rates: Mapping[str, Decimal] = field(default_factory=dict)


def versioned(family: str, version: int) -> str:
    """What a version of a plan is stored under: `growth`, and from the second on `growth@2`."""
    return family if version == 1 else f"{family}@{version}"


def family_of(plan: str) -> str:
    """The plan's name without its version."""
    return plan.partition("@")[0]


def version_of(plan: str) -> int:
    """The version in the name that a plan is stored under."""
    return int(plan.partition("@")[2] or 1)
