"""From partials to usage: how the pieces of a window merge, and what number they yield. Pure.

A window's usage is made of pieces from roll-ups and from raw events. Most aggregations merge pieces in
any order (`Bin.add`). A level (time-weighted) is a chain of pieces that don't overlap in time, per
dimension values; between two pieces the earlier one's last level holds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.models import Aggregation, MetricDefinition

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Dimensions = tuple[str | None, ...]


class Piece(NamedTuple):
    """Partials of some events of one metric, window and dimension values; columns as in usage_aggregates."""

    events: int
    unvalued: int
    total: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    moment: Decimal | None = None
    area: Decimal | None = None
    first_at: datetime | None = None
    latest: Decimal | None = None
    latest_at: datetime | None = None
    latest_batch: int | None = None
    latest_position: int | None = None


class LevelAt(NamedTuple):
    """The level that held from an instant on."""

    level: Decimal
    since: datetime
    batch: int
    position: int


def seconds(moment: datetime) -> Decimal:
    """Seconds since 1970, exact to the microsecond."""
    passed = moment - EPOCH
    return Decimal(passed.days * 86_400 + passed.seconds) + Decimal(passed.microseconds).scaleb(-6)


@dataclass(slots=True)
class Bin:
    """What has been gathered for one window and one set of dimension values."""

    events: int = 0
    unvalued: int = 0
    total: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    moment: Decimal = ZERO
    latest: LevelAt | None = None
    last_event_at: datetime | None = None
    slots: dict[datetime, tuple[Decimal, int]] = field(default_factory=dict)
    values: Counter[str] = field(default_factory=Counter)
    area: Decimal | None = None
    peak: Decimal | None = None
    amounts: list[Decimal] = field(default_factory=list)

    def add(self, piece: Piece, slot: datetime | None = None) -> None:
        """Merge a piece; pieces commute."""
        self.events += piece.events
        self.unvalued += piece.unvalued
        if piece.moment is not None:
            self.moment = EXACT.add(self.moment, piece.moment)
        if piece.total is not None:
            self._add_total(piece.total, piece.minimum, piece.maximum)
            if slot is not None:
                total, count = self.slots.get(slot, (ZERO, 0))
                self.slots[slot] = EXACT.add(total, piece.total), count + piece.events - piece.unvalued
        self._add_latest(piece)
        if piece.latest_at is not None and (self.last_event_at is None or piece.latest_at > self.last_event_at):
            self.last_event_at = piece.latest_at

    def merge(self, other: "Bin") -> None:
        """Take in the bin of another team, or of other dimension values, for the same window. Bins commute.

        Peaks and single amounts, which don't add up over teams, are left out.
        """
        self.events += other.events
        self.unvalued += other.unvalued
        self.moment = EXACT.add(self.moment, other.moment)
        if other.total is not None:
            self._add_total(other.total, other.minimum, other.maximum)
        if other.latest is not None and (self.latest is None or other.latest[1:] > self.latest[1:]):
            self.latest = other.latest
        if other.area is not None:
            self.area = EXACT.add(self.area or ZERO, other.area)
        for slot, (total, count) in other.slots.items():
            so_far, counted = self.slots.get(slot, (ZERO, 0))
            self.slots[slot] = EXACT.add(so_far, total), counted + count
        self.values.update(other.values)

    def _add_total(self, total: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> None:
        self.total = total if self.total is None else EXACT.add(self.total, total)
        if minimum is not None:
            self.minimum = minimum if self.minimum is None else min(self.minimum, minimum)
        if maximum is not None:
            self.maximum = maximum if self.maximum is None else max(self.maximum, maximum)

    def _add_latest(self, piece: Piece) -> None:
        level = level_of(piece)
        if level is not None and (self.latest is None or level[1:] > self.latest[1:]):
            self.latest = level


class Partial(NamedTuple):
    """The bin of one window and set of dimension values: usage before the last step (`finish`) is taken."""

    window: Interval
    dimensions: Dimensions
    gathered: Bin


def level_of(piece: Piece) -> LevelAt | None:
    """Where a piece leaves the level; None when it has no value."""
    if piece.latest is None or piece.latest_at is None:
        return None
    return LevelAt(piece.latest, piece.latest_at, piece.latest_batch or 0, piece.latest_position or 0)


def level_area(
    opening: LevelAt | None, pieces: Iterable[Piece], window: Interval, as_of: datetime
) -> tuple[Decimal, LevelAt | None]:
    """Level × seconds over a window, and the level it closes with.

    `pieces` are those of one set of dimension values and must not overlap in time. The last level is
    counted up to the window's end, or up to `as_of` while the window is still running.
    """
    area, current, at = ZERO, opening, window.start
    chained = sorted((p for p in pieces if p.first_at is not None), key=lambda p: (p.first_at, p.latest_at))
    for piece in chained:
        first_at, level = piece.first_at, level_of(piece)
        assert first_at is not None
        assert level is not None
        if current is not None:
            area = EXACT.fma(current.level, seconds(first_at) - seconds(at), area)
        area = EXACT.add(area, piece.area or ZERO)
        current, at = level, level.since
    finish = min(window.end, as_of)
    if current is not None and finish > at:
        area = EXACT.fma(current.level, seconds(finish) - seconds(at), area)
    return area, current


def held_seconds(window: Interval, known_until: datetime) -> Decimal:
    """For how long levels are known in a window, in seconds; zero in one that has not begun."""
    return max(ZERO, EXACT.subtract(seconds(min(window.end, known_until)), seconds(window.start)))


def change_area(opening: Decimal, gathered: Bin, window: Interval, as_of: datetime) -> Decimal:
    """Level × seconds over a window whose events are changes of the level, which was `opening` at its start."""
    finish = max(window.start, min(window.end, as_of))
    held = EXACT.multiply(opening, seconds(finish) - seconds(window.start))
    added = EXACT.subtract(EXACT.multiply(gathered.total or ZERO, seconds(finish)), gathered.moment)
    return EXACT.add(held, added)


def finish(definition: MetricDefinition, gathered: Bin) -> Decimal | None:
    """The usage that a bin amounts to; None where no events have no value."""
    match definition.aggregation:
        case Aggregation.COUNT | Aggregation.SUM:
            return gathered.total or ZERO
        case Aggregation.MAX:
            return gathered.maximum
        case Aggregation.MIN:
            return gathered.minimum
        case Aggregation.AVERAGE:
            valued = gathered.events - gathered.unvalued
            return EXACT.divide(gathered.total, Decimal(valued)) if gathered.total is not None else None
        case Aggregation.LATEST:
            return gathered.latest.level if gathered.latest else None
        case Aggregation.UNIQUE_COUNT:
            return Decimal(len(gathered.values))
        case Aggregation.TIME_WEIGHTED:
            return EXACT.divide(gathered.area or ZERO, Decimal(definition.per))
        case Aggregation.PERCENTILE:
            return nearest_rank(_ranked(definition, gathered), definition.percentile)


def _ranked(definition: MetricDefinition, gathered: Bin) -> list[tuple[Decimal, int]]:
    """The values to rank with their number of occurrences, ascending."""
    if definition.slot is None:
        return sorted((Decimal(text), times) for text, times in gathered.values.items())
    means = [EXACT.divide(total, Decimal(count)) for total, count in gathered.slots.values()]
    return [(mean, 1) for mean in sorted(means)]


def nearest_rank(ranked: Sequence[tuple[Decimal, int]], percentile: Decimal) -> Decimal | None:
    """The smallest value that at least `percentile` per cent of the values don't exceed; None of none.

    The nearest-rank definition: the ⌈p/100 × n⌉-th smallest. It is always one of the values, so it is exact.
    """
    count = sum(times for _, times in ranked)
    rank = EXACT.divide(EXACT.multiply(percentile, Decimal(count)), Decimal(100))
    needed = int(rank.to_integral_value(rounding=ROUND_CEILING))
    for value, times in ranked:
        needed -= times
        if needed <= 0:
            return value
    return None
