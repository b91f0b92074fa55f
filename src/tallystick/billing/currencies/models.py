"""What a rate and a conversion are, and how an amount is converted. No I/O.

A rate says how much of `quote` one unit of `base` is worth. A published rate is used as it was published. A
quotient (the inverse of a published rate, or two rates by way of the euro) is kept to `RATE_DIGITS` significant
digits, and that is the rate that is used *and* stored: whoever multiplies what stands on a bill gets the bill.
"""

from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from tallystick.core.errors import Conflict, InvalidInput
from tallystick.core.money import EXACT, currency_exponent, parse_decimal, round_money

EURO = "EUR"
"""What the European Central Bank's rates are based on, and the way from any currency to any other."""

OLDEST_RATE = 7
"""How many days old a rate may be: weekends and the longest run of holidays, and no more."""

OLDEST_ESTIMATE = 366
"""How many days old it may be where nothing is settled by it: of a statement that is still open."""

RATE_DIGITS = 28
"""Significant digits of a rate that is a quotient; one of the largest amounts is not changed by the 29th."""

ECB = "ecb"
CONTRACT = "contract"
IDENTITY = "identity"
"""Sources of rates besides uploaded tables, which are called by their names."""

_QUOTIENT = Context(prec=RATE_DIGITS)


class NoExchangeRate(Conflict):
    """There is no rate of the pair for the day, nor a recent enough one; the message names the gap."""

    code = "no_exchange_rate"


class Pair(NamedTuple):
    """Two currencies, written `USD/EUR`: what one of `base` is worth in `quote`."""

    base: str
    quote: str

    @classmethod
    def parse(cls, text: str, *, field: str | None = None) -> Self:
        """The pair that `USD/EUR` spells.

        Raises:
            InvalidInput: it is not two different currencies of ISO 4217.
        """
        base, slash, quote = text.strip().partition("/")
        if not slash:
            raise InvalidInput(f"{text!r} is not a pair of currencies such as USD/EUR", field=field)
        pair = cls(known_currency(base, field=field), known_currency(quote, field=field))
        if pair.base == pair.quote:
            raise InvalidInput(f"{text!r} has the same currency twice", field=field)
        return pair

    @property
    def inverse(self) -> "Pair":
        """The same two, the other way round."""
        return Pair(self.quote, self.base)

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


class Rate(NamedTuple):
    """One `base` is worth `value` of `quote`.

    Attributes:
        base: the currency that is converted.
        quote: the currency that it becomes.
        value: more than zero; as published, or a quotient of `RATE_DIGITS` significant digits.
        day: when it was published; for a pinned rate the day that was asked for.
        source: `ecb`, `contract`, `identity`, or an uploaded table's name; both, with a comma, if it took two.
    """

    base: str
    quote: str
    value: Decimal
    day: date
    source: str

    def convert(self, amount: Decimal) -> "Conversion":
        """The amount of `base` in `quote`, rounded once, half away from zero, to `quote`'s minor unit."""
        converted = round_money(EXACT.multiply(amount, self.value), self.quote)
        return Conversion(amount, self.base, converted, self.quote, self.value, self.day, self.source)


class Conversion(NamedTuple):
    """An amount in two currencies, and why it is that much.

    Attributes:
        original: what was converted, exactly as it was.
        original_currency: its currency.
        converted: original × rate, rounded to the minor unit of `currency`.
        currency: what it was converted to.
        rate: how much of `currency` one unit of `original_currency` is worth.
        rate_date: the day whose rate it is.
        source: who says so; see `Rate.source`.
    """

    original: Decimal
    original_currency: str
    converted: Decimal
    currency: str
    rate: Decimal
    rate_date: date
    source: str


class Quote(NamedTuple):
    """One line of a table of rates, as it was uploaded."""

    day: date
    pair: Pair
    value: Decimal
    source: str


class Uploaded(NamedTuple):
    """What became of an uploaded table.

    Attributes:
        table: its name.
        rates: how many rates it has.
        added: how many of them are for a pair and day that had none.
        replaced: how many hold from now on in place of others; the rest was there already.
    """

    table: str
    rates: int
    added: int
    replaced: int


class Coverage(NamedTuple):
    """Which days a source has rates of a pair for: `first` and `last` are included."""

    source: str
    pair: Pair
    first: date
    last: date
    days: int


def known_currency(code: str, *, field: str | None = None) -> str:
    """The ISO 4217 code in capitals.

    Raises:
        InvalidInput: there is no such currency, or it has no minor unit.
    """
    code = code.strip().upper()
    try:
        currency_exponent(code)
    except InvalidInput as unknown:
        raise InvalidInput(str(unknown), field=field) from None
    return code


def parse_rate(text: str, *, field: str | None = None) -> Decimal:
    """The rate that the text spells, exactly.

    Raises:
        InvalidInput: not a decimal number above zero that a column can hold.
    """
    value = parse_decimal(text, field=field)
    exponent = int(value.as_tuple().exponent)
    if value <= 0 or value >= Decimal(10) ** 20 or exponent < -RATE_DIGITS:
        message = f"a rate must be above 0, below 10^20, and have at most {RATE_DIGITS} decimals, not {text}"
        raise InvalidInput(message, field=field)
    return value


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The rate that two rates make, to `RATE_DIGITS` significant digits."""
    return _QUOTIENT.divide(dividend, divisor)


def rate_day(end: datetime, tz: ZoneInfo) -> date:
    """The day whose rate converts what an interval before `end` came to: the last local day that it touches."""
    return (end - timedelta(microseconds=1)).astimezone(tz).date()
