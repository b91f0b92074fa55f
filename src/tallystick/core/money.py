"""Exact numbers: quantities and amounts are `Decimal` from the parser to the invoice.

Sums, differences and products are exact: the working precision (`EXACT`) exceeds what any product of
a quantity (38 digits) and a price (38 digits) needs, and trapping `Inexact` is left to the tests, so a
quotient (an average, a level over time) is correct to 100 digits. An amount is rounded once, per line,
half away from zero, to the currency's ISO 4217 exponent.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import cache

from iso4217 import Currency

from tallystick.core.errors import InvalidInput

EXACT = Context(prec=100)
"""The context of every computation whose result may have many digits."""

ZERO = Decimal(0)
QUANTITY_LIMIT = Decimal(10) ** 20
QUANTITY_DECIMALS = 18


def plain(number: Decimal) -> str:
    """The number without exponent and without trailing zeros: `1E+3` → `1000`, `0.10` → `0.1`."""
    if not number:  # before it is written out: 0E-300000000 would be a text of 300 MB
        return "0"
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def quantity_problem(number: Decimal) -> str | None:
    """Why this quantity can't be stored exactly in numeric(38,18), or None when it can."""
    if not number.is_finite():
        return "must be a finite number"
    if number.copy_abs() >= QUANTITY_LIMIT:
        return "absolute value must be below 10^20"
    exponent = int(number.as_tuple().exponent)
    if exponent < -QUANTITY_DECIMALS and number and _decimals(number) > QUANTITY_DECIMALS:
        return f"at most {QUANTITY_DECIMALS} decimals are kept"
    return None


def _decimals(number: Decimal) -> int:
    """How many decimals the number needs, trailing zeros not counted; negative: it ends in that many zeros."""
    _, digits, exponent = number.as_tuple()
    zeros = next((i for i, digit in enumerate(reversed(digits)) if digit), 0)
    return -int(exponent) - zeros


def parse_decimal(text: str, *, field: str | None = None) -> Decimal:
    """The finite decimal that `text` spells, exactly.

    Raises:
        InvalidInput: not a finite decimal number.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise InvalidInput(f"{text!r} is not a decimal number", field=field) from None
    if not number.is_finite():
        raise InvalidInput(f"{text!r} is not a finite number", field=field)
    return number


@cache
def currency_exponent(currency: str) -> int:
    """How many decimals the currency has by ISO 4217: USD 2, JPY 0, KWD 3.

    Raises:
        InvalidInput: the code is not in ISO 4217, or has no minor unit (gold, test codes).
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        raise InvalidInput(
            f"{currency!r} is not a currency; use an ISO 4217 code such as USD, EUR or JPY", field="currency"
        ) from None
    if exponent is None:
        raise InvalidInput(f"{currency!r} has no minor unit in ISO 4217 and can't be billed", field="currency")
    return int(exponent)


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of the currency: 0.01 for USD, 1 for JPY."""
    return Decimal(1).scaleb(-currency_exponent(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount to the currency's exponent, half away from zero. For a line, and only once."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT)


def largest_remainder(total: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Shares of `total` in multiples of `unit`, proportional to `weights`, that sum to `total` exactly.

    Each share is rounded toward zero; what is left goes, a unit each, to the largest remainders (the
    earliest of equals). All weights zero: equal weights.

    Raises:
        ValueError: a negative weight, no weights, or a total that is no multiple of the unit.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative, and there must be at least one")
    whole = _sum(weights)
    if whole == 0:
        return largest_remainder(total, [Decimal(1)] * len(weights), unit)
    if EXACT.remainder(total, unit) != 0:
        raise ValueError(f"{total} is not a multiple of {unit}")
    ideal = [EXACT.divide(EXACT.multiply(total, weight), whole) for weight in weights]
    shares = [share.quantize(unit, rounding=ROUND_DOWN, context=EXACT) for share in ideal]
    left = int(EXACT.divide(EXACT.subtract(total, _sum(shares)), unit))
    remainders = [EXACT.subtract(exact, share).copy_abs() for exact, share in zip(ideal, shares, strict=True)]
    order = sorted(range(len(shares)), key=lambda i: (-remainders[i], i))
    for i in order[: abs(left)]:
        shares[i] = EXACT.add(shares[i], unit if left > 0 else -unit)
    return shares


def _sum(numbers: Sequence[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
