"""How one price is applied to one period: which part is charged by which version, and which usage is read for it.

A price that changes inside a period splits the usage of a metric that adds up (a sum, a count, a level over
time): each part is rated by the version that was in force, with tiers, free units and minimum of its own. Usage
that does not add up, and prices that are all one fixed amount per period, are rated once, by the version in
force at the period's end.

A trial or a pause is charged nothing. Usage that adds up is taken out of a part without splitting it: the usage
before a pause and after it is rated together. Of usage that doesn't, what happens from the first to the last
charged instant is rated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple, Self

from tallystick.billing.models import NO_PRICE, Account, Basis
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.terms import ScopedDiscount
from tallystick.core.clock import Interval
from tallystick.core.money import ZERO
from tallystick.metering.aggregation import seconds
from tallystick.metering.models import SUMMABLE, Measure, MetricDefinition, MetricVersion
from tallystick.metering.usage import UsageQuestion
from tallystick.pricing import SCHEDULE, Discount, Price

FIXED_MODELS = frozenset({"flat"})
"""Price models that charge once a period, whatever the usage."""

MOMENT = datetime.resolution


class Slice(NamedTuple):
    """A window whose usage is read: the schedule's band that it is in, and why it is not charged if it isn't."""

    window: Interval
    band: str | None = None
    reason: str | None = None


class Part(NamedTuple):
    """A part of a period that is charged alike.

    Attributes:
        interval: the part.
        version: the version that is in force in it; None: none is.
        price: what usage costs in it: the version's price with discounts, and for the time that is charged.
        slices: the windows that its usage is read in; together they are the interval.
    """

    interval: Interval
    version: PriceVersion | None
    price: Price | None
    slices: tuple[Slice, ...]

    @property
    def charged(self) -> tuple[Slice, ...]:
        """The slices that the price applies to."""
        return tuple(each for each in self.slices if each.reason is None) if self.version else ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions of events that the price keeps apart."""
        return tuple(name for name in self.price.group_by if name != SCHEDULE) if self.price else ()


@dataclass(frozen=True, slots=True)
class Tariff:
    """How one name of a price list is charged over one period: its parts follow each other and are all of it.

    Attributes:
        name: the price's name; of a metric without a price the metric's.
        definition: the metric; None: a fee.
        period: the billing period.
        basis: which usage the price is applied to.
        parts: one for each version.
        why: why nothing is charged where there is no version.
    """

    name: str
    definition: MetricDefinition | None
    period: Interval
    basis: Basis
    parts: tuple[Part, ...]
    why: str = NO_PRICE

    @property
    def metric(self) -> str | None:
        """The metric's name; None: a fee."""
        return self.definition.name if self.definition else None

    @property
    def adds_up(self) -> bool:
        """Whether the usage of the period is the sum of the usage of its parts."""
        return self.definition is not None and _adds_up(self.definition, [part.version for part in self.parts])

    @property
    def plain(self) -> bool:
        """Whether it reads all usage of the metric, as it is."""
        prices = [part.price for part in self.parts if part.price]
        spans = all(part.slices and (len(part.slices) == 1 or self.adds_up) for part in self.parts)
        return spans and not any(price.where or Measure(price.measure) is not Measure.TOTAL for price in prices)

    @property
    def priced(self) -> bool:
        """Whether any version is in force at some time of the period."""
        return any(part.version for part in self.parts)

    def questions(self, team_id: str, *, known_at: datetime | None = None, raw: bool = False) -> list[UsageQuestion]:
        """What has to be known to charge it: of every part its usage.

        Where the price keeps dimensions apart whose usage doesn't add up, the same is asked without them, too.
        """
        if self.definition is None:
            return []
        metric = self.definition.name
        return [
            UsageQuestion(
                metric=metric,
                team_id=team_id,
                windows=[each.window for each in part.slices],
                group_by=dimensions,
                where=part.price.where if part.price else {},
                raw=raw,
                known_at=known_at,
                each=bool(part.price and part.price.needs_each_event),
                measure=Measure(part.price.measure) if part.price else Measure.TOTAL,
            )
            for part in self.parts
            for dimensions in self.readings(part)
        ]

    def readings(self, part: Part) -> list[tuple[str, ...]]:
        """By which dimensions the usage of a part is read: one reading, or two; of a fee none."""
        if self.definition is None:
            return []
        dimensions = part.dimensions
        return [dimensions] if not dimensions or self.adds_up else [dimensions, ()]


class Terms(NamedTuple):
    """What holds for all prices of a period.

    Attributes:
        period: the billing period.
        full: the period as long as it would be had the subscription not begun or ended inside it.
        uncharged: trials and pauses.
        discounts: what comes off charges, in the order in which it does.
    """

    period: Interval
    full: Interval
    uncharged: Sequence[tuple[Interval, str]] = ()
    discounts: Sequence[ScopedDiscount] = ()

    @classmethod
    def of(cls, account: Account) -> Self:
        """The terms of an account."""
        return cls(account.period, account.full or account.period, account.uncharged(), account.discounts)


def tariffs(account: Account, definitions: Iterable[MetricDefinition]) -> list[Tariff]:
    """How everything is charged that the account has a price for, and what has none; fees come last.

    Args:
        account: the team's terms in the period.
        definitions: the metrics to be charged or shown; prices of others are left out.
    """
    terms, known = Terms.of(account), {each.name: each for each in definitions}
    found, priced = [], set()
    for name, versions in account.prices.items():
        metric = versions[-1].price.metric
        if metric is None or metric in known:
            found.append(tariff(name, known[metric] if metric else None, versions, terms))
            priced.add(metric)
    why = account.reason_without_price()
    found += [tariff(name, known[name], (), terms, why) for name in known if name not in priced]
    return sorted(found, key=lambda each: (each.metric is None, each.metric or "", each.name))


def plain_tariff(charged: Iterable[Tariff], definition: MetricDefinition, period: Interval) -> Tariff:
    """What reads all usage of a metric as it is: one of those that it is charged by, or one without a price."""
    bare = tariff(definition.name, definition, (), Terms(period, period))
    return next((of for of in charged if of.metric == definition.name and of.plain), bare)


def tariff(
    name: str,
    definition: MetricDefinition | None,
    versions: Sequence[PriceVersion],
    terms: Terms,
    why: str = NO_PRICE,
) -> Tariff:
    """How one name of a price list is charged in a period.

    Args:
        name: the price's.
        definition: of the metric; None: a fee.
        versions: of the price, those that hold at some time of the period, oldest first; they don't overlap.
        terms: the period's.
        why: why nothing is charged where there is no version.
    """
    if _charged_once(definition, versions):
        last = versions[-1] if versions else None
        whole = _part(definition, terms.period, last, terms, terms.period.end - MOMENT)
        return Tariff(name, definition, terms.period, Basis.PERIOD_END, (whole,), why)
    covering = [each for each in terms.discounts if _covers(each, definition)]
    found = _split(versions, terms.period, covering)
    parts = tuple(_part(definition, interval, version, terms, interval.start) for interval, version in found)
    return Tariff(name, definition, terms.period, Basis.INTERVAL, parts, why)


def _part(
    definition: MetricDefinition | None,
    interval: Interval,
    version: PriceVersion | None,
    terms: Terms,
    at: datetime,
) -> Part:
    """A part with the discounts that are in force at the moment."""
    slices = tuple(_slices(definition, interval, version, terms.uncharged))
    if version is None:
        return Part(interval, None, None, slices)
    discounts = [
        Discount(percent=each.percent)
        for each in terms.discounts
        if each.percent is not None and _covers(each, definition) and in_force(each, at)
    ]
    price = version.price.with_discounts(discounts) if discounts else version.price
    part, whole = length([each.window for each in slices if each.reason is None]), length([terms.full])
    return Part(interval, version, price if part == whole else price.prorated(part, whole), slices)


def in_force(discount: ScopedDiscount, at: datetime) -> bool:
    """Whether the discount holds at the moment."""
    begun = discount.effective_from is None or discount.effective_from <= at
    return begun and (discount.effective_to is None or at < discount.effective_to)


def _covers(discount: ScopedDiscount, definition: MetricDefinition | None) -> bool:
    return not discount.metrics or (definition is not None and definition.name in discount.metrics)


def latest_definitions(metrics: Mapping[str, Sequence[MetricVersion]]) -> dict[str, MetricDefinition]:
    """Of each metric the definition that was given last."""
    return {name: versions[-1].definition for name, versions in metrics.items()}


def length(intervals: Sequence[Interval]) -> Decimal:
    """How long they are together, in seconds."""
    return sum((seconds(each.end) - seconds(each.start) for each in intervals), ZERO)


def _charged_once(definition: MetricDefinition | None, versions: Sequence[PriceVersion]) -> bool:
    prices = [version.price for version in versions]
    if prices and all(price.model in FIXED_MODELS and not price.prorate for price in prices):
        return True
    return definition is not None and not _adds_up(definition, versions)


def _adds_up(definition: MetricDefinition, versions: Sequence[PriceVersion | None]) -> bool:
    if definition.aggregation not in SUMMABLE:
        return False
    return all(version is None or version.price.measure.value == Measure.TOTAL.value for version in versions)


def _split(
    versions: Sequence[PriceVersion], period: Interval, discounts: Sequence[ScopedDiscount]
) -> Iterator[tuple[Interval, PriceVersion | None]]:
    """The period cut where another version begins, and where a discount begins or ends."""
    bounds = {each.effective_from for each in discounts} | {each.effective_to for each in discounts}
    for interval, version in _versions(versions, period):
        cuts = sorted(at for at in bounds if at and version and interval.start < at < interval.end)
        for start, end in pairwise([interval.start, *cuts, interval.end]):
            yield Interval(start, end), version


def _versions(versions: Sequence[PriceVersion], period: Interval) -> Iterator[tuple[Interval, PriceVersion | None]]:
    at = period.start
    for version in versions:
        start = max(period.start, version.effective_from or period.start)
        end = min(period.end, version.effective_to or period.end)
        if at < start:
            yield Interval(at, start), None
        yield Interval(start, end), version
        at = end
    if at < period.end:
        yield Interval(at, period.end), None


def _slices(
    definition: MetricDefinition | None,
    interval: Interval,
    version: PriceVersion | None,
    uncharged: Sequence[tuple[Interval, str]],
) -> Iterator[Slice]:
    stretches = list(_stretches(interval, uncharged))
    if definition is not None and not _adds_up(definition, [version]):
        stretches = _spanned(stretches)
    schedule = version.price.schedule if version and definition is not None else None
    for window, reason in stretches:
        if schedule is None or reason is not None:
            yield Slice(window, None, reason)
        else:
            yield from (Slice(each, band) for each, band in schedule.windows(window))


def _stretches(interval: Interval, uncharged: Sequence[tuple[Interval, str]]) -> Iterator[tuple[Interval, str | None]]:
    """The interval cut where charging stops and goes on."""
    at = interval.start
    for stretch, reason in uncharged:
        start, end = max(stretch.start, interval.start), min(stretch.end, interval.end)
        if start >= end:
            continue
        if at < start:
            yield Interval(at, start), None
        yield Interval(start, end), reason
        at = end
    if at < interval.end:
        yield Interval(at, interval.end), None


def _spanned(stretches: Sequence[tuple[Interval, str | None]]) -> list[tuple[Interval, str | None]]:
    """The stretches with everything from the first to the last charged one in one."""
    charged = [place for place, (_, reason) in enumerate(stretches) if reason is None]
    if not charged:
        return list(stretches)
    first, last = charged[0], charged[-1]
    span = Interval(stretches[first][0].start, stretches[last][0].end)
    return [*stretches[:first], (span, None), *stretches[last + 1 :]]
