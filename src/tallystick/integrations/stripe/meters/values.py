"""How a quantity is spelled for Stripe: plain notation, and at most 15 significant digits.

A quantity that needs more digits is told in parts that add up to it exactly. Zeros at the end may count as digits
(nobody knows), so a number of more than 15 digits before the point can't be told at all.
"""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal

from tallystick.core.money import EXACT, QUANTITY_DECIMALS, plain

DIGITS = 15
LEAST = Decimal(1).scaleb(-QUANTITY_DECIMALS)


def told(usage: Decimal | None) -> Decimal:
    """A window's usage as Stripe is told it: none is zero, and no more than 18 decimals.

    Sums have no more. Only usage that was divided (a level × time, an average) is rounded, half to even.
    """
    return Decimal(0) if usage is None else usage.quantize(LEAST, context=EXACT)


def spelled(quantity: Decimal) -> str:
    """The quantity without exponent."""
    return plain(quantity)


def parts(quantity: Decimal) -> list[Decimal]:
    """Quantities that add up to this one, each with digits that Stripe takes, where that can be had.

    What can't be told, because it is 10^15 or more, is one part: Stripe refuses it, and it is kept.
    """
    if abs(quantity) >= Decimal(10) ** DIGITS:
        return [quantity]
    return list(_parts(quantity))


def _parts(quantity: Decimal) -> Iterator[Decimal]:
    left = quantity
    while left:
        last = left.adjusted() - DIGITS + 1  # the place of the last digit: 7.25 begins at 0, 0.00725 at -3
        part = left.quantize(Decimal(1).scaleb(last), rounding=ROUND_DOWN, context=EXACT)
        yield Decimal(plain(part))
        left = EXACT.subtract(left, part)
