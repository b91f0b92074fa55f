"""The usage of one team: what was gathered for each window and set of dimension values, and what it comes to. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.aggregation import (
    Bin,
    Dimensions,
    LevelAt,
    Partial,
    Piece,
    change_area,
    finish,
    held_seconds,
    level_area,
)
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import Measure, MetricDefinition, Usage

Place = tuple[int, Dimensions]


class Peak(NamedTuple):
    """The highest level of a window, when it changed first, and the sum of its changes; from the level before all."""

    highest: Decimal
    first_at: datetime
    change: Decimal


@dataclass(slots=True)
class Gathered:
    """What was read for one team; `request` is any of those it answers.

    Attributes:
        request: what is asked for; `windows` are numbered from 1.
        names: the dimensions that tell series of levels apart.
        bins: what merges in any order.
        chains: pieces of levels, per series and window.
        openings: the level of each series before the first window.
        opening_totals: the sum of all changes before the first window.
        peaks: the highest levels.
    """

    request: UsageRequest
    names: tuple[str, ...]
    bins: dict[Place, Bin] = field(default_factory=lambda: defaultdict(Bin))
    chains: dict[Dimensions, dict[int, list[Piece]]] = field(default_factory=lambda: defaultdict(dict))
    openings: dict[Dimensions, LevelAt] = field(default_factory=dict)
    opening_totals: dict[Dimensions, Decimal] = field(default_factory=dict)
    peaks: dict[Dimensions, dict[int, Peak]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def definition(self) -> MetricDefinition:
        """The metric as it was defined last, which says what all of it comes to."""
        return self.request.versions[-1].definition

    def add(self, of: MetricDefinition, place: int, slot: datetime | None, at: Dimensions, piece: Piece) -> None:
        """Take in a piece of a window."""
        if not of.sets_level:
            self.bins[place, at].add(piece, slot if of.slot else None)
            return
        self.chains[at].setdefault(place, []).append(piece)
        gathered = self.bins[place, self.grouped(at)]
        gathered.events += piece.events
        gathered.unvalued += piece.unvalued

    def open_level(self, at: Dimensions, level: LevelAt) -> None:
        """Take in the level of a series before the first window; the last one of several holds."""
        if at not in self.openings or level[1:] > self.openings[at][1:]:
            self.openings[at] = level

    def open_total(self, at: Dimensions, total: Decimal) -> None:
        """Take in changes of a level before the first window."""
        self.opening_totals[at] = EXACT.add(self.opening_totals.get(at, ZERO), total)

    def grouped(self, series: Dimensions) -> Dimensions:
        """The dimension values that are asked for, of those of a series."""
        return tuple(series[self.names.index(name)] for name in self.request.group_by)

    def results(self) -> Iterator[Usage]:
        """The usage per window and dimension values, in order; ask once, for this or for the partials."""
        known_until = self._known_until()
        self._settle(known_until)
        for place, dimensions in sorted(self.bins, key=_order):
            yield self._usage(place, dimensions, known_until)

    def partials(self) -> Iterator[Partial]:
        """What the usage of the total is made of, in order; ask once, for this or for the results."""
        self._settle(self._known_until())
        for place, dimensions in sorted(self.bins, key=_order):
            yield Partial(self.request.windows[place - 1], dimensions, self.bins[place, dimensions])

    def _settle(self, known_until: datetime) -> None:
        """Turn levels into areas and peaks."""
        if self.definition.sets_level:
            self._settle_levels(known_until)
        elif self.definition.changes_level:
            self._settle_changes(known_until)
        if self.request.measure is Measure.PEAK:
            self._settle_peaks(known_until)

    def _usage(self, place: int, dimensions: Dimensions, known_until: datetime) -> Usage:
        window, gathered = self.request.windows[place - 1], self.bins[place, dimensions]
        return Usage(
            metric=self.definition.name,
            window=window,
            dimensions=dimensions,
            quantity=self._quantity(gathered, window, known_until),
            events=gathered.events,
            unvalued=gathered.unvalued,
            amounts=tuple(gathered.amounts) if self.request.each else None,
        )

    def _quantity(self, gathered: Bin, window: Interval, known_until: datetime) -> Decimal | None:
        match self.request.measure:
            case Measure.AVERAGE:
                held = held_seconds(window, known_until)
                return EXACT.divide(gathered.area or ZERO, held) if held else None
            case Measure.PEAK:
                return gathered.peak
            case Measure.TOTAL:
                return finish(self.definition, gathered)

    def _settle_levels(self, known_until: datetime) -> None:
        for series in {*self.chains, *self.openings}:
            level, grouped = self.openings.get(series), self.grouped(series)
            for place, window in enumerate(self.request.windows, start=1):
                pieces = self.chains[series].get(place, ()) if series in self.chains else ()
                if level is None and not pieces:
                    continue
                area, level = level_area(level, pieces, window, known_until)
                if area or pieces:
                    gathered = self.bins[place, grouped]
                    gathered.area = EXACT.add(gathered.area or ZERO, area)

    def _settle_changes(self, known_until: datetime) -> None:
        for dimensions in {*(at for _, at in self.bins), *self.opening_totals}:
            level = self.opening_totals.get(dimensions, ZERO)
            for place, window in enumerate(self.request.windows, start=1):
                gathered = self.bins.get((place, dimensions), Bin())
                area = change_area(level, gathered, window, known_until)
                level = EXACT.add(level, gathered.total or ZERO)
                if area or gathered.events:
                    gathered.area = area
                    self.bins[place, dimensions] = gathered

    def _settle_peaks(self, known_until: datetime) -> None:
        openings = self._opening_of_groups()
        for dimensions in {*self.peaks, *openings, *(at for _, at in self.bins)}:
            opening = level = openings.get(dimensions, ZERO)
            peaks = self.peaks.get(dimensions, {})
            for place, window in enumerate(self.request.windows, start=1):
                inside = peaks.get(place)
                held: list[Decimal] = []
                if window.start < known_until and (inside is None or inside.first_at > window.start):
                    held.append(level)
                if inside is not None:
                    held.append(EXACT.add(opening, inside.highest))
                    level = EXACT.add(level, inside.change)
                highest = max(held, default=None)
                if highest or (place, dimensions) in self.bins:
                    self.bins[place, dimensions].peak = highest

    def _opening_of_groups(self) -> dict[Dimensions, Decimal]:
        """The level of each set of dimension values that is asked for, before the first window."""
        if not self.definition.sets_level:
            return dict(self.opening_totals)
        levels: dict[Dimensions, Decimal] = {}
        for series, opening in self.openings.items():
            at = self.grouped(series)
            levels[at] = EXACT.add(levels.get(at, ZERO), opening.level)
        return levels

    def _known_until(self) -> datetime:
        """Levels are known up to now, or up to the last event where that is (a little) ahead of the clock."""
        ahead = [p.latest_at for places in self.chains.values() for ps in places.values() for p in ps if p.latest_at]
        ahead += [gathered.last_event_at for gathered in self.bins.values() if gathered.last_event_at]
        return max([self.request.as_of, *ahead])


def _order(place: Place) -> tuple[int, Sequence[tuple[bool, str]]]:
    return place[0], [(text is None, text or "") for text in place[1]]
