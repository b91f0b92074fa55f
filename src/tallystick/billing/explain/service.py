"""Explains a line: price, usage by window and dimension, steps, adjustments, and the events behind it.

Everything is read as it was known when the statement was closed. Totals at every level add up to the level above:
the values of events to the usage of their window, usage to the line's quantity (where it adds up at all), steps to
its amount, and the line with its adjustments to what is booked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tallystick.billing.models import LineKind, exact_sum
from tallystick.billing.statements import store
from tallystick.billing.statements.models import ClosedPeriod, StatementLine
from tallystick.core.clock import Clock, Interval, Window, parse_instant, windows, zone
from tallystick.core.errors import NotFound
from tallystick.core.money import ZERO
from tallystick.metering.event_store import EventPage
from tallystick.metering.models import SUMMABLE, Causes, EventFilter, Measure, MetricVersion, Usage, UsageEvent
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.pricing import Price, exact
from tallystick.storage.database import Database

_ROUNDED_OFF = Decimal(1).scaleb(-70)
"""More than rounding at 100 digits can take from usage below 10^20."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a line came about.

    Attributes:
        period: the statement that it stands in, without its lines.
        line: the line.
        price: the price version that rated it, as it was; None: nothing was rated.
        dimensions: the dimensions that the usage below is kept apart by.
        usage: what was used, by local day and dimension values; in one piece where it does not add up.
        adds_up: whether the usage sums to the line's quantity.
        adjustments: what was booked about the line later.
        booked: the line's total and theirs, in the currency of the bill.
    """

    period: ClosedPeriod
    line: StatementLine
    price: Mapping[str, Any] | None
    dimensions: tuple[str, ...]
    usage: Sequence[Usage]
    adds_up: bool
    adjustments: Sequence[StatementLine]

    @property
    def usage_total(self) -> Decimal:
        """The sum of the usage, to the last digit."""
        return exact.total(usage.quantity or ZERO for usage in self.usage)

    @property
    def booked(self) -> Decimal:
        """What is booked about the line by now."""
        said = [self.line.converted_total, *(each.converted_total for each in self.adjustments)]
        return exact_sum(total for total in said if total is not None)


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explains lines."""

    database: Database
    metering: Metering
    clock: Clock

    async def line(self, line_id: int) -> tuple[ClosedPeriod, StatementLine]:
        """A line of a closed statement, and the statement.

        Raises:
            NotFound: there is no such line.
        """
        async with self.database.snapshot() as tx:
            line = await store.find_line(tx, line_id)
            period = await store.closed_period(tx, line.period_id) if line else None
        if line is None or period is None:
            raise NotFound(f"there is no line {line_id} of a closed statement")
        return period, line

    async def explain(self, line_id: int) -> Explanation:
        """How a line came about.

        Raises:
            NotFound: there is no such line.
        """
        period, line = await self.line(line_id)
        async with self.database.snapshot() as tx:
            later = (await store.adjustments_of(tx, [period.id])).get(period.id, [])
        adjustments = [each for each in later if each.adjusts_key == line.key]
        price = _price_of(period, line)
        dimensions, usage, adds_up = await self._usage(period, line, price)
        return Explanation(period, line, price, dimensions, usage, adds_up, adjustments)

    async def _usage(
        self, period: ClosedPeriod, line: StatementLine, price: Mapping[str, Any] | None
    ) -> tuple[tuple[str, ...], Sequence[Usage], bool]:
        versions = await self._versions(period, line)
        if not versions or line.kind is LineKind.ADJUSTMENT:
            return (), [], False
        definition, terms = versions[-1].definition, _terms(price)
        measure = Measure(terms.measure) if terms else Measure.TOTAL
        adds_up = _adds_up(versions, terms)
        cut = list(_charged_days(period, line)) if adds_up else [(line.interval, True)]
        question = UsageQuestion(
            metric=definition.name,
            team_id=period.team_id,
            windows=[window for window, _ in cut],
            group_by=definition.dimensions if adds_up else (),
            where=terms.where if terms else {},
            known_at=period.known_at,
            measure=measure,
        )
        [found] = await self.metering.usage.read([question], as_of=max(period.known_at, period.period.end))
        charged = {window for window, counts in cut if counts}
        shown = [usage for usage in found if usage.window in charged and (usage.events or usage.quantity)]
        return question.group_by, _to_the_last_digit(shown, line.quantity) if adds_up else shown, adds_up

    async def events(self, line_id: int, limit: int, after: tuple[str, ...] | None = None) -> EventPage:
        """A page of the events behind a line, the newest first, with what each is worth to its metric.

        Raises:
            NotFound: there is no such line.
        """
        period, line = await self.line(line_id)
        versions = await self._versions(period, line)
        if not versions:
            return EventPage([], None)
        terms = _terms(_price_of(period, line))
        wanted = EventFilter(
            team_id=period.team_id,
            versions=versions,
            where=terms.where if terms else {},
            known_at=period.known_at,
            corrected=False,
        )
        stretches = _charged(period, line) if _adds_up(versions, terms) else [line.interval]
        return await self._events_within(wanted, stretches, limit, after)

    async def _events_within(
        self, wanted: EventFilter, stretches: Sequence[Interval], limit: int, after: tuple[str, ...] | None
    ) -> EventPage:
        """A page of the events of some stretches of time, the newest first; one that is full may be the last."""
        events: list[UsageEvent] = []
        values: list[Decimal | None] = []
        for place, stretch in reversed(list(enumerate(stretches))):
            asked = replace(wanted, interval=stretch)
            page = await self.metering.store.events(asked, limit=limit - len(events), after=after)
            events, values = [*events, *page.events], [*values, *page.values]
            if page.after is not None or place == 0:
                return EventPage(events, page.after, values)
            if len(events) == limit:  # the place to go on from is told where something follows
                rest = replace(wanted, interval=Interval(stretches[0].start, stretch.end))
                again = await self.metering.store.events(rest, limit=len(page.events), after=after)
                return EventPage(events, again.after, values)
        return EventPage(events, None, values)

    async def causes(self, line_id: int, limit: int, after: tuple[str, ...] | None = None) -> Causes:
        """A page of the events that an adjustment is about.

        Raises:
            NotFound: there is no such line, or it is no adjustment.
        """
        period, line = await self.line(line_id)
        if line.cause is None:
            raise NotFound(f"line {line_id} is no adjustment")
        versions = await self._versions(period, line)
        if not versions:
            return Causes(0, 0, 0, [], None)
        since = parse_instant(line.cause["since"])
        return await self.metering.store.causes(
            period.team_id, versions, line.interval, since, until=period.known_at, limit=limit, after=after
        )

    async def _versions(self, period: ClosedPeriod, line: StatementLine) -> Sequence[MetricVersion]:
        """How the line's metric was defined, as known when the statement was closed."""
        if line.metric is None:
            return ()
        return (await self.metering.usage.metrics(period.known_at)).get(line.metric, ())


def _price_of(period: ClosedPeriod, line: StatementLine) -> Mapping[str, Any] | None:
    """The price version as it was closed with; the same one may stand in parts."""
    return next((each for each in period.inputs["prices"] if each["id"] == line.price_id), None)


def _terms(price: Mapping[str, Any] | None) -> Price | None:
    if price is None:
        return None
    return Price.from_parameters(price["metric"], price["model"], price["currency"], price["parameters"])


def _to_the_last_digit(shown: Sequence[Usage], whole: Decimal) -> list[Usage]:
    """The usage as it adds up to the whole: level × time is a quotient of 100 digits, and so are its parts.

    What their rounding leaves over, if that is all that is missing, goes to the last part.
    """
    left = exact.subtract(whole, exact.total(usage.quantity or ZERO for usage in shown))
    if not shown or not left or left.copy_abs() > _ROUNDED_OFF:
        return list(shown)
    *others, last = shown
    return [*others, last._replace(quantity=exact.add(last.quantity or ZERO, left))]


def _adds_up(versions: Sequence[MetricVersion], terms: Price | None) -> bool:
    """Whether the line's usage is the sum of the usage of its parts."""
    total = terms is None or Measure(terms.measure) is Measure.TOTAL
    return total and versions[-1].definition.aggregation in SUMMABLE


def _charged(period: ClosedPeriod, line: StatementLine) -> list[Interval]:
    """What the line is about: its interval without trials and pauses, in order."""
    found: list[Interval] = []
    for window, counts in _charged_days(period, line):
        if counts and found and found[-1].end == window.start:
            found[-1] = Interval(found[-1].start, window.end)
        elif counts:
            found.append(window)
    return found


def _charged_days(period: ClosedPeriod, line: StatementLine) -> Sequence[tuple[Interval, bool]]:
    """The line's local days, cut where a trial or a pause begins or ends, and whether each is charged."""
    free = [_interval(each) for each in period.inputs["uncharged"]]
    days = windows(line.interval, Window.DAY, zone(period.inputs["time_zone"]))
    bounds = {bound for each in (*days, *free) for bound in each if line.interval.start <= bound <= line.interval.end}
    cut = [Interval(start, end) for start, end in pairwise(sorted(bounds))]
    if line.reason is not None:
        return [(each, True) for each in cut]
    return [(each, not any(_inside(each.start, stretch) for stretch in free)) for each in cut]


def _inside(moment: datetime, interval: Interval) -> bool:
    return interval.start <= moment < interval.end


def _interval(document: Mapping[str, str]) -> Interval:
    return Interval(parse_instant(document["start"]), parse_instant(document["end"]))
