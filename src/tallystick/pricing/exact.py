"""Arithmetic whose result is exact, or an error: nothing a price computes is rounded on the way.

Decimal operators follow the caller's context, which by default keeps 28 digits; these functions don't.
500 digits hold any product and sum of a usage (38 digits from the store, 100 from a division) and the
numbers of a price (38 digits); should a result need more, `Inexact` is raised instead of a wrong amount.
"""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

_EXACTLY = Context(prec=500, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])

# Methods bound once: a call costs 0.08 µs, entering a local context 0.6 µs.
add = _EXACTLY.add
subtract = _EXACTLY.subtract
multiply = _EXACTLY.multiply


def divide_up(quantity: Decimal, size: Decimal) -> Decimal:
    """How many times `size` is needed to hold the non-negative quantity: the quotient's ceiling."""
    whole, rest = _EXACTLY.divmod(quantity, size)
    return add(whole, 1) if rest else whole
