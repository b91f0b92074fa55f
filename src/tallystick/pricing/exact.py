"""Arithmetic whose result is exact, or an error: nothing a price computes is rounded on the way.

Decimal operators follow the caller's context, which by default keeps 28 digits; these functions don't.
500 digits hold any product and sum of a usage (38 digits from the store, 100 from a division) and the
numbers of a price (38 digits); should a result need more, `Inexact` is raised instead of a wrong amount.
A quotient need not end; it is kept to 100 digits, like every quotient of the product (`core.money.EXACT`).
"""

from collections.abc import Callable, Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import partial

from tallystick.core.money import EXACT, ZERO

_EXACTLY = Context(prec=500, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_HUNDREDTH = Decimal("0.01")

# Methods bound once: a call costs 0.08 µs, entering a local context 0.6 µs.
add = _EXACTLY.add
subtract = _EXACTLY.subtract
multiply = _EXACTLY.multiply
divide_whole = _EXACTLY.divmod
divide = EXACT.divide

Scale = Callable[[Decimal], Decimal]
"""What makes the numbers of a period those of a part of it."""


def total(numbers: Iterable[Decimal]) -> Decimal:
    """The sum of the numbers."""
    result = ZERO
    for number in numbers:
        result = add(result, number)
    return result


def divide_up(quantity: Decimal, size: Decimal) -> Decimal:
    """How many times `size` is needed to hold the non-negative quantity: the quotient's ceiling."""
    whole, rest = divide_whole(quantity, size)
    return add(whole, 1) if rest else whole


def per_cent(rate: Decimal) -> Decimal:
    """What one unit of money costs at a rate in per cent: 2.9 → 0.029."""
    return multiply(rate, _HUNDREDTH)


def times_hundred(unit_price: Decimal) -> Decimal:
    """The rate in per cent that `per_cent` made this unit price of."""
    return multiply(unit_price, 100)


def share_of_time(part: Decimal, whole: Decimal) -> Scale:
    """Scales by part ÷ whole; the product comes first, so that 30 × 10 ÷ 30 is 10."""
    return partial(_scaled, part, whole)


def _scaled(part: Decimal, whole: Decimal, number: Decimal) -> Decimal:
    return divide(multiply(number, part), whole)
