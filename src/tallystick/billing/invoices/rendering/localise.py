"""Amounts, quantities, dates and periods as people of a locale write them.

Babel knows the patterns; how many decimals an amount has is ISO 4217's business (`core.money`), and every
digit is exact: nothing passes through a binary number.
"""

import re
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_time
from babel.numbers import NumberPattern

from tallystick.core.clock import Interval, local_midnight
from tallystick.core.money import EXACT, currency_exponent

NO_BREAK = "\N{NO-BREAK SPACE}"

SHOWN = Decimal("0.000001")
"""Quantities and unrounded amounts are shown to six decimals; one that has more is marked with ≈."""

MOST_DECIMALS = 28
"""Unit prices are shown with every decimal that they may have."""

RATE = Decimal(1).scaleb(-10)
"""Exchange rates are shown to ten decimals; one that has more is marked with ≈."""

_GLUED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Localiser:
    """Writes numbers, amounts and dates for one locale and zone."""

    locale: Locale
    zone: ZoneInfo

    @classmethod
    def of(cls, locale: str, zone: ZoneInfo) -> Self:
        """For the locale of that name."""
        return cls(Locale.parse(locale), zone)

    def money(self, amount: Decimal, currency: str) -> str:
        """A rounded amount, with the decimals of its currency."""
        exponent = currency_exponent(currency)
        return self._currency(amount, currency, exponent, exponent)

    def exact_money(self, amount: Decimal, currency: str) -> str:
        """An amount that is not rounded, to six decimals; ≈ where it has more."""
        shown, mark = _cut(amount)
        return mark + self._currency(shown, currency, currency_exponent(currency), 6)

    def price(self, unit_price: Decimal, currency: str) -> str:
        """What a unit costs, with every decimal."""
        return self._currency(unit_price, currency, currency_exponent(currency), MOST_DECIMALS)

    def quantity(self, number: Decimal) -> str:
        """A quantity to six decimals; ≈ where it has more."""
        shown, mark = _cut(number)
        return mark + self.number(shown)

    def number(self, number: Decimal) -> str:
        """A number with every decimal."""
        return self._apply(self.locale.decimal_formats[None], number, 0, MOST_DECIMALS)

    def rate(self, rate: Decimal) -> str:
        """An exchange rate to ten decimals; ≈ where it has more."""
        shown, mark = _cut(rate, RATE)
        return mark + self.number(shown)

    def percent(self, number: Decimal, decimals: int = 6) -> str:
        """A percentage, of which 19 is 19 %."""
        return self._apply(self.locale.percent_formats[None], EXACT.divide(number, Decimal(100)), 0, decimals)

    def day(self, day: date) -> str:
        """A day."""
        return format_date(day, "medium", self.locale)

    def period(self, interval: Interval) -> str:
        """Half-open instants as people say them: whole days by the first and the last one, else with the time."""
        start, end = (moment.astimezone(self.zone) for moment in interval)
        if _is_midnight(start, self.zone) and _is_midnight(end, self.zone) and start < end:
            first, last = start.date(), end.date() - timedelta(days=1)
            return self.day(first) if first == last else format_interval(first, last, "yMMMd", locale=self.locale)
        return f"{self._moment(start)} – {self._moment(end)}"

    def _moment(self, local: datetime) -> str:
        seconds = "short" if local.second == 0 and local.microsecond == 0 else "medium"
        return f"{self.day(local.date())} {format_time(local, seconds, locale=self.locale)}".replace(" ", NO_BREAK)

    def _currency(self, amount: Decimal, currency: str, least: int, most: int) -> str:
        text = self._apply(self.locale.currency_formats["standard"], amount, least, most, currency)
        return _GLUED.sub(NO_BREAK, text)

    def _apply(
        self, pattern: NumberPattern, number: Decimal, least: int, most: int, currency: str | None = None
    ) -> str:
        with localcontext(EXACT):
            shaped = _with_decimals(pattern, least, most)
            text: str = shaped.apply(number + 0, self.locale, currency=currency, currency_digits=False)
        return text


@lru_cache(maxsize=256)
def _with_decimals(pattern: NumberPattern, least: int, most: int) -> NumberPattern:
    shaped = copy(pattern)
    shaped.frac_prec = (least, most)
    return shaped


def _cut(number: Decimal, last: Decimal = SHOWN) -> tuple[Decimal, str]:
    shown = number.quantize(last, rounding=ROUND_HALF_EVEN, context=EXACT)
    return shown, "" if shown == number else f"≈{NO_BREAK}"


def _is_midnight(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the local day begins there; where midnight is skipped that is a later hour."""
    return local_midnight(local.date(), zone) == local
