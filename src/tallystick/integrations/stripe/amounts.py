"""Amounts as Stripe writes them: whole numbers of a currency's minor unit, by Stripe's own table of exponents.

It is not ISO 4217: Malagasy ariary have no minor unit there, Icelandic krónur two decimals that are always zero, and
dinars three of which the last is. An amount that Stripe can't write is rounded, and lines are rounded so that they add
up to its rounded total: by largest remainder, each by less than one unit.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import reduce

from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, ZERO, currency_exponent

WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""Of which the last has to be zero."""

WHOLE = frozenset(["ISK", "UGX"])
"""Written with two decimals, which have to be zero."""

MOST = 10**12
"""Units of one amount: far above what Stripe charges, and exact in every program that reads it."""


def exponent(currency: str) -> int:
    """How many decimals Stripe's amounts of the currency have.

    Raises:
        InvalidInput: it is no currency, or has more decimals than Stripe knows of.
    """
    code = currency.upper()
    if code in WITHOUT_DECIMALS:
        return 0
    if code in THREE_DECIMALS:
        return 3
    if currency_exponent(code) > 2:
        raise InvalidInput(f"Stripe does not bill in {code}", field="currency")
    return 2


def step(currency: str) -> int:
    """What amounts in minor units are multiples of."""
    code = currency.upper()
    if code in WHOLE:
        return 100
    return 10 if code in THREE_DECIMALS else 1


def in_minor_units(amounts: Sequence[Decimal], currency: str) -> list[int]:
    """These amounts in minor units, so that they add up to what their exact sum rounds to (half away from zero).

    Args:
        amounts: in the currency, of any sign.
        currency: its ISO 4217 code.

    Raises:
        InvalidInput: Stripe does not bill in the currency, or an amount is larger than it takes.
    """
    size, factor = step(currency), EXACT.scaleb(Decimal(1), exponent(currency))
    exact = [EXACT.divide(EXACT.multiply(amount, factor), Decimal(size)) for amount in amounts]
    floors = [int(each.to_integral_value(ROUND_FLOOR)) for each in exact]
    total = int(reduce(EXACT.add, exact, ZERO).to_integral_value(ROUND_HALF_UP))
    rests = [EXACT.subtract(each, Decimal(floor)) for each, floor in zip(exact, floors, strict=True)]
    order = sorted(range(len(floors)), key=lambda i: (-rests[i], i))
    for i in order[: total - sum(floors)]:
        floors[i] += 1
    found = [each * size for each in floors]
    if any(abs(each) >= MOST for each in (*found, sum(found))):
        raise InvalidInput(f"an amount is above what Stripe takes in {currency.upper()}")
    return found


def from_minor_units(units: int, currency: str) -> Decimal:
    """The amount that Stripe writes so."""
    return EXACT.scaleb(Decimal(units), -exponent(currency))
