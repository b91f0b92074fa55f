"""From usage to charges: which price rates which usage of a period. Pure; the amounts are `pricing.rate`'s.

A price that changes inside a period splits the usage of a metric that adds up (a sum, a count, a level
over time): each part is rated by the price that was in force, with tiers, free units and minimum of its
own. Usage that does not add up, and prices that are all one fixed amount per period, are rated once, by
the price in force at the period's end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tallystick.billing.models import Basis, Line, exact_sum
from tallystick.catalog.models import PriceVersion
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, QUANTITY_DECIMALS, ZERO
from tallystick.metering.aggregation import seconds
from tallystick.metering.models import SUMMABLE, MetricDefinition, Usage
from tallystick.pricing import rate

FIXED_MODELS = frozenset({"flat"})
"""Price models that charge once a period, whatever the usage."""

FINEST = Decimal(1).scaleb(-QUANTITY_DECIMALS)


class Part(NamedTuple):
    """A part of a period, and the price that rates its usage; None: nothing is charged for it."""

    interval: Interval
    price: PriceVersion | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """How the usage of one metric over one period is charged: its parts follow each other and are all of it."""

    definition: MetricDefinition
    period: Interval
    basis: Basis
    parts: tuple[Part, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the usage of the period is the sum of the usage of its parts."""
        return self.definition.aggregation in SUMMABLE

    @property
    def windows(self) -> list[Interval]:
        """The intervals whose usage has to be read."""
        return [part.interval for part in self.parts]


class Projection(NamedTuple):
    """What the period comes to at its end if usage goes on as it did; `cost` is None without a price."""

    method: str
    usage: Decimal | None
    cost: Decimal | None


def tariff(definition: MetricDefinition, prices: Sequence[PriceVersion], period: Interval) -> Tariff:
    """How a metric is charged in a period.

    Args:
        definition: the metric.
        prices: its prices that hold at some time of the period, oldest first; they don't overlap.
        period: the billing period.
    """
    fixed = bool(prices) and all(version.price.model in FIXED_MODELS for version in prices)
    if fixed or definition.aggregation not in SUMMABLE:
        whole = Part(period, prices[-1] if prices else None)
        return Tariff(definition, period, Basis.PERIOD_END, (whole,))
    return Tariff(definition, period, Basis.INTERVAL, tuple(_split(prices, period)))


def _split(prices: Sequence[PriceVersion], period: Interval) -> Iterator[Part]:
    at = period.start
    for version in prices:
        start = max(period.start, version.effective_from or period.start)
        end = min(period.end, version.effective_to or period.end)
        if at < start:
            yield Part(Interval(at, start), None)
        yield Part(Interval(start, end), version)
        at = end
    if at < period.end:
        yield Part(Interval(at, period.end), None)


def lines(of: Tariff, usages: Sequence[Usage], as_of: datetime) -> list[Line]:
    """What the usage of the tariff's windows costs; parts of the period that begin after `as_of` are left out."""
    found = zip(of.parts, usages, strict=True)
    return [_line(of, part.price, usage) for part, usage in found if part.interval.start <= as_of]


def _line(of: Tariff, version: PriceVersion | None, usage: Usage) -> Line:
    quantity = usage.quantity or ZERO
    line = Line(
        metric=of.definition.name,
        unit=of.definition.unit,
        interval=usage.window,
        basis=of.basis,
        quantity=quantity,
        events=usage.events,
        unvalued=usage.unvalued,
    )
    if version is None:
        return line
    charge = rate(version.price, quantity)
    return replace(line, price=version, charge=charge, total=charge.total(version.price.currency))


def usage_of(of: Tariff, usages: Sequence[Usage]) -> Decimal | None:
    """The usage of the whole period; None where nothing happened that has a value."""
    if not of.adds_up:
        return usages[0].quantity
    return exact_sum(usage.quantity or ZERO for usage in usages)


def run_rate(of: Tariff, usages: Sequence[Usage], as_of: datetime) -> Projection | None:
    """What the period comes to if usage goes on at the pace it had so far; None before any of it has passed.

    Usage that adds up is multiplied by whole ÷ elapsed time, each part of the period for itself, and kept
    to 18 decimals; other usage is taken to stay as it is. The cost is rated and rounded like any other.
    """
    if as_of <= of.period.start:
        return None
    expected = _paced(of, usages, as_of) if of.adds_up else [usage.quantity for usage in usages]
    rated = [
        rate(part.price.price, quantity or ZERO).total(part.price.price.currency)
        for part, quantity in zip(of.parts, expected, strict=True)
        if part.price is not None
    ]
    whole = exact_sum(quantity or ZERO for quantity in expected) if of.adds_up else expected[0]
    return Projection("run_rate", whole, exact_sum(rated) if rated else None)


def _paced(of: Tariff, usages: Sequence[Usage], as_of: datetime) -> list[Decimal | None]:
    """The usage of each part at its end: what there is, and the pace so far for the time that is left."""
    elapsed = _length(of.period.start, min(as_of, of.period.end))
    so_far = usage_of(of, usages) or ZERO
    expected: list[Decimal | None] = []
    for usage in usages:
        left = _length(max(as_of, usage.window.start), usage.window.end)
        to_come = EXACT.divide(EXACT.multiply(so_far, left), elapsed)
        whole = EXACT.add(usage.quantity or ZERO, to_come)
        expected.append(whole.quantize(FINEST, rounding=ROUND_HALF_UP, context=EXACT))
    return expected


def _length(start: datetime, end: datetime) -> Decimal:
    return max(ZERO, seconds(end) - seconds(start))
