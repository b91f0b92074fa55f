"""From usage to the lines of a statement. Pure; the amounts are `pricing.rate`'s.

    account ─▶ tariffs ─▶ questions ─▶ usage ─▶ a line per part of a price ─▶ lines about the whole statement

Everything that says what a period costs goes this way: report, statement, closing, adjustment, preview,
explanation and validation. They differ in whose terms they take and which usage they read.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeVar

from tallystick.billing.models import Account, Line, LineKind, exact_sum
from tallystick.billing.tariffs import Part, Slice, Tariff, tariffs
from tallystick.billing.totals import statement_lines
from tallystick.core.clock import Interval
from tallystick.core.money import ZERO
from tallystick.http.answers import rfc3339
from tallystick.metering.models import Measure, MetricDefinition, Usage
from tallystick.metering.usage import UsageQuestion, UsageReader
from tallystick.pricing import SCHEDULE, Cell, Used, rate

T = TypeVar("T")

ONE = Decimal(1)
MOST_AT_A_TIME = 16
"""Accounts that are charged in one go."""

UNIT_OF_FEES = "period"

Answers = Sequence[Sequence[Usage]]
"""What each question of a tariff was answered."""


@dataclass(frozen=True, slots=True)
class Charging:
    """The charging of one account: what has to be read for it, and the lines that come of it."""

    account: Account
    tariffs: Sequence[Tariff]

    @classmethod
    def of(cls, account: Account, definitions: Sequence[MetricDefinition]) -> Self:
        """The charging of everything that has a price; without a subscription of every metric, free of charge."""
        priced = {version.price.metric for versions in account.prices.values() for version in versions}
        shown = [each for each in definitions if account.subscription is None or each.name in priced]
        return cls(account, tariffs(account, shown))

    def questions(self, *, raw: bool = False) -> list[UsageQuestion]:
        """The usage that has to be read."""
        known_at, team_id = self.account.known_at, self.account.team.id
        return [each for of in self.tariffs for each in of.questions(team_id, known_at=known_at, raw=raw)]

    def lines(self, answers: Answers) -> list[Line]:
        """What it comes to: usage and fees, then discounts, minimum and commitment of the whole statement."""
        charged = [line for of, found in self.by_tariff(answers) for line in lines(of, found, self.account.as_of)]
        return [*charged, *statement_lines(self.account, charged)]

    def by_tariff(self, answers: Answers) -> Iterator[tuple[Tariff, Answers]]:
        """Each tariff with the answers to its questions."""
        at = 0
        for of in self.tariffs:
            count = readings(of)
            yield of, answers[at : at + count]
            at += count


async def charge(
    usage: UsageReader, work: Sequence[Charging], *, as_of: datetime, raw: bool = False
) -> list[list[Line]]:
    """The lines of each, all from one look at the usage.

    Args:
        usage: where it is read.
        work: what is charged.
        as_of: up to when levels hold in windows still running.
        raw: recompute the usage from raw events.
    """
    answers = await answered(usage, work, as_of=as_of, raw=raw)
    return [each.lines(found) async for each, found in taking_turns(zip(work, answers, strict=True))]


async def answered(
    usage: UsageReader, work: Sequence[Charging], *, as_of: datetime, raw: bool = False
) -> list[Answers]:
    """The usage that each has to know, all from one look."""
    asked = [each.questions(raw=raw) async for each in taking_turns(work)]
    questions = [question for of_one in asked for question in of_one]
    answers = await usage.read(questions, as_of=as_of) if questions else []
    found: list[Answers] = []
    at = 0
    for of_one in asked:
        found.append(answers[at : at + len(of_one)])
        at += len(of_one)
    return found


async def taking_turns(work: Iterable[T]) -> AsyncIterator[T]:
    """The work, with pauses in which requests that the same process answers get their turn."""
    for place, each in enumerate(work, start=1):
        yield each
        if place % MOST_AT_A_TIME == 0:
            await asyncio.sleep(0)


def readings(of: Tariff) -> int:
    """How many questions the tariff asks."""
    return sum(len(of.readings(part)) for part in of.parts)


def lines(of: Tariff, answers: Answers, as_of: datetime) -> list[Line]:
    """What the usage of the tariff's parts costs; parts of the period that begin after `as_of` are left out."""
    found: list[Line] = []
    final, at = as_of >= of.period.end, 0
    for part in of.parts:
        count = len(of.readings(part))
        if part.interval.start <= as_of:
            found += _lines(of, part, answers[at : at + count], final=final)
        at += count
    return found


def _lines(of: Tariff, part: Part, answers: Answers, *, final: bool) -> Iterator[Line]:
    """A line for what is charged, and one for each stretch that is not."""
    rows = [row for answer in answers[-1:] for row in answer]
    if part.price is not None and part.charged:
        used = used_of(of, part, answers, final=final)
        yield _charged(of, part, used, unvalued=_unvalued(part.charged, rows))
    elif part.price is None:
        yield _free(of, part, part.interval, of.why, rows)
    for each in part.slices:
        if each.reason is not None and part.price is not None:
            yield _free(of, part, each.window, each.reason, [row for row in rows if row.window == each.window])


def _charged(of: Tariff, part: Part, used: Used, unvalued: int) -> Line:
    assert part.price is not None
    made = rate(part.price, used)
    interval = Interval(part.charged[0].window.start, part.charged[-1].window.end)
    return Line(
        key=line_key(of, interval),
        kind=kind_of(of),
        name=of.name,
        metric=of.metric,
        unit=unit_of(of, part),
        interval=interval,
        basis=of.basis,
        quantity=used.quantity,
        events=used.events,
        unvalued=unvalued,
        price=part.version,
        charge=made,
        total=made.total(part.price.currency),
    )


def _free(of: Tariff, part: Part, interval: Interval, reason: str, rows: Sequence[Usage]) -> Line:
    """A line that shows what was used and is not charged."""
    quantity = exact_sum(row.quantity or ZERO for row in rows)
    return Line(
        key=line_key(of, interval),
        kind=kind_of(of),
        name=of.name,
        metric=of.metric,
        unit=unit_of(of, part),
        interval=interval,
        basis=of.basis,
        quantity=quantity if of.definition else ZERO,
        events=sum(row.events for row in rows),
        unvalued=sum(row.unvalued for row in rows),
        reason=reason,
    )


def line_key(of: Tariff, interval: Interval) -> str:
    """What a line is about: the same however often the period is charged anew."""
    return f"{kind_of(of)}:{of.name}@{rfc3339(interval.start)}"


def kind_of(of: Tariff) -> LineKind:
    """What the tariff's lines are for."""
    return LineKind.USAGE if of.definition else LineKind.FEE


def unit_of(of: Tariff, part: Part) -> str:
    """What the quantities of the tariff's part are counted in: an average or peak in the unit of the level itself."""
    if of.definition is None:
        return UNIT_OF_FEES
    level = part.price is not None and Measure(part.price.measure) is not Measure.TOTAL
    return of.definition.expected_unit if level else of.definition.unit


def used_of(of: Tariff, part: Part, answers: Answers, *, final: bool) -> Used:
    """What the price of a part rates: the usage of its charged slices, in the cells that the price keeps apart."""
    if of.definition is None:
        return Used(ONE, final=final)
    assert part.price is not None
    bands = {each.window: each.band for each in part.charged}
    whole = [row for row in answers[-1] if row.window in bands]
    cells = _cells(part, answers[0], bands) if part.price.group_by else ()
    quantity = exact_sum(row.quantity or ZERO for row in whole)
    return Used(quantity, sum(row.events for row in whole), _amounts(part, whole), cells, final)


def _cells(part: Part, rows: Sequence[Usage], bands: dict[Interval, str | None]) -> tuple[Cell, ...]:
    """The usage by the price's dimensions, in the order of their values."""
    assert part.price is not None
    found: dict[tuple[str | None, ...], list[Usage]] = defaultdict(list)
    for row in rows:
        if row.window in bands:
            named = {**dict(zip(part.dimensions, row.dimensions, strict=True)), SCHEDULE: bands[row.window]}
            found[tuple(named[name] for name in part.price.group_by)].append(row)
    return tuple(
        Cell(values, Used(exact_sum(row.quantity or ZERO for row in of_one), sum(row.events for row in of_one),
                          _amounts(part, of_one)))
        for values, of_one in sorted(found.items(), key=lambda each: [(text is None, text or "") for text in each[0]])
    )  # fmt: skip


def _amounts(part: Part, rows: Sequence[Usage]) -> tuple[Decimal, ...] | None:
    """The values of the single events, in the order of time, where the price asks for them."""
    if part.price is None or not part.price.needs_each_event:
        return None
    return tuple(amount for row in rows for amount in row.amounts or ())


def _unvalued(charged: Sequence[Slice], rows: Sequence[Usage]) -> int:
    windows = {each.window for each in charged}
    return sum(row.unvalued for row in rows if row.window in windows)


def usage_of(of: Tariff, answers: Answers) -> Decimal | None:
    """The usage of the whole period; None where nothing happened that has a value, and of a fee."""
    rows = whole_usage(of, answers) if of.definition else []
    if not of.adds_up:
        return next((row.quantity for row in rows if row.quantity is not None), None)
    return exact_sum(row.quantity or ZERO for row in rows)


def whole_usage(of: Tariff, answers: Answers) -> list[Usage]:
    """Of every part the usage of its windows, not kept apart a second time."""
    found: list[Usage] = []
    at = 0
    for part in of.parts:
        at += len(of.readings(part))
        found += answers[at - 1]
    return found
