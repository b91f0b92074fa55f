"""Usage recomputed the slow and obvious way, from a plain list of events: what the store must agree with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT
from tallystick.metering.models import Aggregation, Level, Measure, MetricDefinition


class Fact(NamedTuple):
    """An event, in the order it was recorded, and since when it no longer counts, if it was voided."""

    team: str
    order: tuple[int, int]
    name: str
    occurred_at: datetime
    recorded_at: datetime
    quantity: Decimal
    metadata: Mapping[str, object]
    voided_at: datetime | None = None

    def counts(self, known_at: datetime | None) -> bool:
        """Whether it counts now, or did as far as was known at a moment."""
        if known_at is None:
            return self.voided_at is None
        return self.recorded_at <= known_at and (self.voided_at is None or self.voided_at > known_at)


def recompute(
    definition: MetricDefinition,
    facts: Sequence[Fact],
    window: Interval,
    as_of: datetime,
    group_by: Sequence[str],
    measure: Measure = Measure.TOTAL,
) -> dict[tuple[str | None, ...], Decimal | None]:
    """The usage per dimension values of one window."""
    answer: dict[tuple[str | None, ...], Decimal | None] = {}
    for labels, members in _groups(definition, facts, group_by).items():
        inside = [f for f in members if window.start <= f.occurred_at < window.end]
        if definition.aggregation is Aggregation.TIME_WEIGHTED:
            answer[labels] = _level(definition, members, window, as_of, measure)
        elif inside:
            answer[labels] = _usage(definition, inside)
    return answer


def amounts(
    definition: MetricDefinition, facts: Sequence[Fact], window: Interval, group_by: Sequence[str]
) -> dict[tuple[str | None, ...], tuple[Decimal, ...]]:
    """The values of the single events per dimension values of one window."""
    found = {
        labels: tuple(v for at, v in _ordered(definition, members) if window.start <= at < window.end)
        for labels, members in _groups(definition, facts, group_by).items()
    }
    return {labels: values for labels, values in found.items() if values}


def _groups(
    definition: MetricDefinition, facts: Sequence[Fact], group_by: Sequence[str]
) -> Mapping[tuple[str | None, ...], list[Fact]]:
    groups: dict[tuple[str | None, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        if _matches(definition, fact):
            groups[_labels(fact, group_by)].append(fact)
    return groups


def known_until(definition: MetricDefinition, facts: Sequence[Fact], end: datetime, as_of: datetime) -> datetime:
    """Up to when levels are known: now, or the last value where that is ahead of the clock."""
    matching = [fact for fact in facts if _matches(definition, fact) and fact.occurred_at < end]
    return max([as_of, *(at for at, _ in _ordered(definition, matching))])


def _matches(definition: MetricDefinition, fact: Fact) -> bool:
    return fact.name == definition.event_name and all(
        fact.metadata.get(key) in allowed for key, allowed in definition.filters.items()
    )


def _labels(fact: Fact, names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(None if fact.metadata.get(name) is None else str(fact.metadata[name]) for name in names)


def _value(definition: MetricDefinition, fact: Fact) -> Decimal | None:
    if definition.aggregation is Aggregation.COUNT:
        return Decimal(1)
    found = fact.quantity if definition.value == "quantity" else fact.metadata.get(definition.value)
    if not isinstance(found, Decimal | int):
        return None
    value = Decimal(found)
    return value if value >= 0 or definition.accepts_negative else None


def _ordered(definition: MetricDefinition, facts: Sequence[Fact]) -> list[tuple[datetime, Decimal]]:
    valued = [(f, _value(definition, f)) for f in facts]
    found = [(f.occurred_at, f.order, v) for f, v in valued if v is not None]
    return [(at, v) for at, _, v in sorted(found, key=lambda row: row[:2])]


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000


def _area(definition: MetricDefinition, facts: Sequence[Fact], window: Interval, as_of: datetime) -> Decimal:
    """Σ over each series of level × seconds: step by step through the changes."""
    series: dict[tuple[str | None, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        series[_labels(fact, definition.dimensions)].append(fact)
    total = Decimal(0)
    finish = min(window.end, as_of)
    for members in series.values():
        level = Decimal(0)
        steps = [(at, v) for at, v in _ordered(definition, members) if at < window.end]
        for i, (at, value) in enumerate(steps):
            level = EXACT.add(level, value) if definition.level is Level.DELTA else value
            until = steps[i + 1][0] if i + 1 < len(steps) else finish
            begin, end = max(at, window.start), min(until, finish)
            if end > begin:
                total = EXACT.add(total, EXACT.multiply(level, _seconds(end - begin)))
    return total


def _level(
    definition: MetricDefinition, facts: Sequence[Fact], window: Interval, as_of: datetime, measure: Measure
) -> Decimal | None:
    area, held = _area(definition, facts, window, as_of), _seconds(min(window.end, as_of) - window.start)
    match measure:
        case Measure.TOTAL:
            return EXACT.divide(area, Decimal(definition.per))
        case Measure.AVERAGE:
            return EXACT.divide(area, held) if held > 0 else None
        case Measure.PEAK:
            return _peak(definition, facts, window, as_of)


def _peak(definition: MetricDefinition, facts: Sequence[Fact], window: Interval, as_of: datetime) -> Decimal | None:
    """The highest of the levels at the window's start, if that has come, and after every change inside it."""
    moments = {at for at, _ in _ordered(definition, facts) if window.start <= at < window.end}
    if window.start < as_of:
        moments.add(window.start)
    return max((_level_at(definition, facts, moment) for moment in moments), default=None)


def _level_at(definition: MetricDefinition, facts: Sequence[Fact], moment: datetime) -> Decimal:
    """The sum over all series of their level, when everything of that instant has happened."""
    levels: dict[tuple[str | None, ...], Decimal] = defaultdict(Decimal)
    for fact in sorted(facts, key=lambda f: (f.occurred_at, f.order)):
        value = _value(definition, fact)
        if value is not None and fact.occurred_at <= moment:
            series = _labels(fact, definition.dimensions)
            levels[series] = EXACT.add(levels[series], value) if definition.level is Level.DELTA else value
    return _sum(list(levels.values()))


def _usage(definition: MetricDefinition, inside: Sequence[Fact]) -> Decimal | None:
    valued = [value for _, value in _ordered(definition, inside)]
    match definition.aggregation:
        case Aggregation.COUNT:
            return Decimal(len(inside))
        case Aggregation.SUM:
            return _sum(valued)
        case Aggregation.UNIQUE_COUNT:
            labels = (fact.metadata.get(definition.value) for fact in inside)
            return Decimal(len({str(label) for label in labels if label is not None}))
    return _of_values(definition, inside, valued) if valued else None


def _sum(values: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def _of_values(definition: MetricDefinition, inside: Sequence[Fact], valued: Sequence[Decimal]) -> Decimal:
    match definition.aggregation:
        case Aggregation.MAX:
            return max(valued)
        case Aggregation.MIN:
            return min(valued)
        case Aggregation.AVERAGE:
            return EXACT.divide(_sum(valued), Decimal(len(valued)))
        case Aggregation.LATEST:
            return valued[-1]
        case Aggregation.PERCENTILE:
            return _percentile(definition, inside, valued)
    raise AssertionError(definition.aggregation)


def _percentile(definition: MetricDefinition, inside: Sequence[Fact], valued: Sequence[Decimal]) -> Decimal:
    ranked = sorted(valued)
    if definition.slot is not None:
        slots: dict[int, list[Decimal]] = defaultdict(list)
        for at, value in _ordered(definition, inside):
            slots[int(at.timestamp()) // definition.slot].append(value)
        ranked = sorted(EXACT.divide(_sum(vs), Decimal(len(vs))) for vs in slots.values())
    return ranked[ceil(Fraction(definition.percentile) * len(ranked) / 100) - 1]
