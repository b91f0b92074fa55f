"""Which credits pay how much of which line. Pure.

Credits burn in one order: by priority, the lower first; of one priority those that expire earliest; then
promotional before paid; then the oldest. A recurring grant's allotment expires where the next one begins.
Each pays the lines it may pay in the order of the statement, until it is empty or they are paid.

A grant pays for a period if the two share an instant, for all of the period's usage: what was used before a
grant expired may be paid by it, though the period closes later.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from tallystick.billing.credits.chain import Allotment, Slot, capacity, take
from tallystick.billing.credits.models import Burn, Creditable, Grant, GrantKind
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, QUANTITY_DECIMALS, ZERO, round_money

FINEST = Decimal(1).scaleb(-QUANTITY_DECIMALS)


@dataclass(slots=True)
class Purse:
    """A grant and its slots, which `burn` takes from."""

    grant: Grant
    slots: list[Slot]


class Taking(NamedTuple):
    """What one allotment paid of one line: `units` of what the grant is of, worth `amount` of the currency."""

    grant: Grant
    allotment: Allotment
    line: Creditable
    units: Decimal
    amount: Decimal


@dataclass(slots=True)
class _Open:
    """A line that is being paid: the money that is left to pay, and the units that were paid with units."""

    line: Creditable
    left: Decimal
    covered: Decimal = ZERO


def burn(purses: Sequence[Purse], lines: Sequence[Creditable], period: Interval) -> list[Taking]:
    """Pay the lines of a period, and take what that costs from the purses."""
    open_lines = [_Open(line, line.amount) for line in lines]
    return [taking for purse, place in order(purses, period) for taking in _pay(purse, place, open_lines)]


def order(purses: Sequence[Purse], period: Interval) -> list[tuple[Purse, int]]:
    """The allotments that may pay for the period, with their places in the purses, in the order of burning."""
    found = [
        (purse, place)
        for purse in purses
        for place, slot in enumerate(purse.slots)
        if slot.allotment.start < period.end and slot.allotment.end > period.start
    ]
    return sorted(found, key=lambda each: _rank(each[0].grant, each[0].slots[each[1]].allotment.end))


def _rank(grant: Grant, expires_at: datetime) -> tuple[int, datetime, bool, datetime, int]:
    return grant.priority, expires_at, grant.kind is GrantKind.PAID, grant.created_at, grant.id


def _pay(purse: Purse, place: int, open_lines: Sequence[_Open]) -> Iterator[Taking]:
    for each in open_lines:
        if each.left > 0 and purse.grant.pays(each.line) and (held := capacity(purse.slots, place)) > 0:
            units, amount = _price(purse.grant, each, held)
            if amount > 0:
                take(purse.slots, place, units)
                each.left = EXACT.subtract(each.left, amount)
                yield Taking(purse.grant, purse.slots[place].allotment, each.line, units, amount)


def _price(grant: Grant, each: _Open, held: Decimal) -> tuple[Decimal, Decimal]:
    """How many of the units that are held to burn on a line, and what they pay."""
    if grant.currency is not None:
        amount = min(held, each.left)
        return amount, amount
    units, amount = _worth(each, min(held, EXACT.subtract(countable(each.line.quantity), each.covered)))
    if amount > 0:
        each.covered = EXACT.add(each.covered, units)
    return units, amount


def _worth(each: _Open, most: Decimal) -> tuple[Decimal, Decimal]:
    """How many of the line's last units to pay for, at most `most`, and what they are worth.

    No more are burned than are worth something: none that are free, such as those of a tier without price,
    and none beyond what is left to pay.
    """
    line, covered = each.line, each.covered
    before = _money(line, covered)

    def exactly(units: Decimal) -> Decimal:
        return _value(line, EXACT.add(covered, units))

    def rounded(units: Decimal) -> Decimal:
        return EXACT.subtract(_money(line, EXACT.add(covered, units)), before)

    if most <= 0 or (worth := rounded(most)) <= 0:
        return ZERO, ZERO
    if worth > each.left:
        return fewest(most, _step(most, line), lambda units: rounded(units) >= each.left), each.left
    full = exactly(most)
    return fewest(most, _step(most, line), lambda units: exactly(units) >= full), worth


def countable(quantity: Decimal) -> Decimal:
    """The quantity with the decimals that a ledger can keep, rounded up: a mean may have a hundred."""
    return quantity.quantize(FINEST, rounding=ROUND_CEILING, context=EXACT)


def _value(line: Creditable, units: Decimal) -> Decimal:
    return line.value_of(min(units, line.quantity))


def _money(line: Creditable, units: Decimal) -> Decimal:
    return round_money(_value(line, units), line.currency) if units else ZERO


def _step(most: Decimal, line: Creditable) -> Decimal:
    """Whole units, or as fine as the numbers are."""
    numbers = (most, countable(line.quantity))
    exponents = [int(number.normalize(EXACT).as_tuple().exponent) for number in numbers]
    return Decimal(1).scaleb(min(0, *exponents))


def fewest(most: Decimal, step: Decimal, enough: Callable[[Decimal], bool]) -> Decimal:
    """The fewest units, in multiples of `step`, that are enough as `most` are; enough once is enough beyond."""
    low, high = 0, int(EXACT.divide(most, step).to_integral_value(ROUND_CEILING))
    if high and not enough(EXACT.multiply(step, Decimal(high - 1))):
        return most
    while high - low > 1:  # `high` steps are enough, `low` are not
        middle = (low + high) // 2
        if enough(EXACT.multiply(step, Decimal(middle))):
            high = middle
        else:
            low = middle
    return min(most, EXACT.multiply(step, Decimal(high)))


def burns_of(takings: Sequence[Taking]) -> list[Burn]:
    """What each grant paid of each line, in the order in which it burned."""
    found: dict[tuple[int, str], Burn] = {}
    for grant, _, line, units, amount in takings:
        quantity = None if grant.currency is not None else units
        key = (grant.id, line.key)
        found[key] = merged(found.get(key), Burn(grant.id, line.key, amount, quantity))
    return list(found.values())


def merged(before: Burn | None, more: Burn) -> Burn:
    """Two payments of one grant on one line as one."""
    if before is None:
        return more
    quantity = None
    if before.quantity is not None and more.quantity is not None:
        quantity = EXACT.add(before.quantity, more.quantity)
    return before._replace(amount=EXACT.add(before.amount, more.amount), quantity=quantity)
