"""Where the pace so far leads: the run rate of a period. Pure; what it costs is rated like any other usage."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tallystick.billing.charging import Answers, lines, usage_of, used_of
from tallystick.billing.models import Account, Line, exact_sum, total_of
from tallystick.billing.tariffs import Part, Tariff, tariffs
from tallystick.billing.totals import statement_lines
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, QUANTITY_DECIMALS, ZERO, round_money
from tallystick.metering.aggregation import seconds
from tallystick.pricing import Cell, Used, rate

FINEST = Decimal(1).scaleb(-QUANTITY_DECIMALS)
RUN_RATE = "run_rate"


class Projection(NamedTuple):
    """What the period comes to at its end if usage goes on as it did; `cost` is None without a price."""

    method: str
    usage: Decimal | None
    cost: Decimal | None


class _Expected(NamedTuple):
    """A part of the period with the usage that is expected by its end."""

    part: Part
    used: Used


def run_rate(of: Tariff, answers: Answers, as_of: datetime) -> Projection | None:
    """What the period comes to if usage goes on at the pace it had so far; None before any of it has passed.

    Usage that adds up is multiplied by whole ÷ elapsed time, each part of the period for itself, and kept
    to 18 decimals; what the price keeps apart keeps its shares. Other usage is taken to stay as it is, and so are
    the single events where the price looks at each: their cost is multiplied. A fee is due in full.
    """
    if as_of <= of.period.start:
        return None
    expected = _expected(of, answers, as_of)
    costs = [cost for each in expected if (cost := _cost(of, each, as_of)) is not None]
    usage = usage_of(of, answers)
    if of.adds_up:
        usage = exact_sum(each.used.quantity for each in expected)
    return Projection(RUN_RATE, usage, exact_sum(costs) if costs else None)


def projected_total(account: Account, charged: Iterable[tuple[Tariff, Answers]]) -> Decimal | None:
    """What the whole period comes to at the pace so far, in the plan's currency; None where nothing can be told.

    Args:
        account: seen from the moment up to which the usage was read.
        charged: every tariff of the account with its usage.
    """
    if account.subscription is None or account.as_of <= account.period.start:
        return None
    expected = [line for of, answers in charged if of.definition for line in _stand_in(of, answers, account.as_of)]
    return exact_sum([total_of(expected), projected_others(account, expected)])


def projected_others(account: Account, expected: Sequence[Line]) -> Decimal:
    """What the lines that are about no metric come to at the period's end: fees, discounts, a minimum.

    Args:
        account: whose.
        expected: for each metric a line whose total is what it comes to.
    """
    ended = replace(account, as_of=max(account.as_of, account.period.end))
    due = [line for of in tariffs(account, ()) for line in lines(of, (), ended.as_of)]
    return total_of([*due, *statement_lines(ended, [*expected, *due])])


def _stand_in(of: Tariff, answers: Answers, as_of: datetime) -> list[Line]:
    """A line whose total is what the tariff comes to at the end; none, where nothing is charged."""
    found, projection = lines(of, answers, as_of), run_rate(of, answers, as_of)
    if not projection or projection.cost is None or not any(line.charge for line in found):
        return []
    return [replace(found[0], total=projection.cost)]


def _expected(of: Tariff, answers: Answers, as_of: datetime) -> list[_Expected]:
    found, at = [], 0
    pace = _Pace(of, answers, as_of) if of.adds_up else None
    for part in of.parts:
        count = len(of.readings(part))
        used = _used(of, part, answers[at : at + count])
        found.append(_Expected(part, pace.at_the_end(part.interval, used) if pace else used))
        at += count
    return found


def _used(of: Tariff, part: Part, answers: Answers) -> Used:
    if part.price is not None:
        return used_of(of, part, answers, final=True)
    return Used(exact_sum(row.quantity or ZERO for answer in answers[-1:] for row in answer))


class _Pace:
    """How fast the whole usage grew so far."""

    def __init__(self, of: Tariff, answers: Answers, as_of: datetime) -> None:
        self._so_far = usage_of(of, answers) or ZERO
        self._elapsed = _length(of.period.start, min(as_of, of.period.end))
        self._as_of = as_of
        self._cells = _shares(of, answers)

    def at_the_end(self, interval: Interval, used: Used) -> Used:
        """The usage of a part at its end: what there is, and the pace for the time that is left."""
        left = _length(max(self._as_of, interval.start), interval.end)
        to_come = EXACT.divide(EXACT.multiply(self._so_far, left), self._elapsed)
        whole = EXACT.add(used.quantity, to_come).quantize(FINEST, rounding=ROUND_HALF_UP, context=EXACT)
        cells = used.cells or self._cells if used.cells or used.quantity == 0 else ()
        return used._replace(quantity=whole, cells=_scaled(cells, whole))


def _shares(of: Tariff, answers: Answers) -> tuple[Cell, ...]:
    """The cells of a part that has some, for those that have not begun."""
    at = 0
    for part in of.parts:
        count = len(of.readings(part))
        if part.price is not None and (cells := used_of(of, part, answers[at : at + count], final=True).cells):
            return cells
        at += count
    return ()


def _scaled(cells: Sequence[Cell], whole: Decimal) -> tuple[Cell, ...]:
    """The cells in their proportions, so that they add up to the whole; the last one takes what division leaves."""
    total = exact_sum(each.used.quantity for each in cells)
    if not total:
        return tuple(cells)
    found, left = [], whole
    for each in cells[:-1]:
        share = EXACT.divide(EXACT.multiply(each.used.quantity, whole), total)
        share = share.quantize(FINEST, rounding=ROUND_HALF_UP, context=EXACT)
        found.append(each._replace(used=each.used._replace(quantity=share)))
        left = EXACT.subtract(left, share)
    return (*found, cells[-1]._replace(used=cells[-1].used._replace(quantity=left)))


def _cost(of: Tariff, expected: _Expected, as_of: datetime) -> Decimal | None:
    part, used = expected
    if part.price is None or not part.charged:
        return None
    if not part.price.needs_each_event:
        return rate(part.price, used).total(part.price.currency)
    elapsed = _length(of.period.start, min(as_of, of.period.end))
    factor = EXACT.divide(_length(*of.period), elapsed)
    so_far = used._replace(quantity=exact_sum(used.amounts or ()))
    return round_money(EXACT.multiply(rate(part.price, so_far).amount, factor), part.price.currency)


def _length(start: datetime, end: datetime) -> Decimal:
    return max(ZERO, seconds(end) - seconds(start))
