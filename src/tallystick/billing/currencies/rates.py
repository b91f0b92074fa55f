"""Which rate answers for a pair of currencies on a day.

In comes what is known: contracts, uploaded tables, the European Central Bank's history. Out goes a rate with its day
and source, or an error that names the gap. In this order:

1. *A contract* pins the pair, in either direction: its rate, whatever the day.
2. *An uploaded table* has the pair, in either direction: from its first day on the table alone answers for the pair.
3. *The European Central Bank*, whose rates are euros in other currencies. Two others are converted by way of the
   euro; where an uploaded table has one of the two legs, rule 2 holds for the leg.

Of the days, the last one counts on which the rate (both legs, if there are two) was published, the day itself
included: a weekend has Friday's rate. It may be `OLDEST_RATE` days back. After that it is no longer a weekend but a gap
in somebody's data, and an error: no other source steps in unasked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from tallystick.billing.currencies.history import EcbHistory
from tallystick.billing.currencies.models import (
    CONTRACT,
    ECB,
    EURO,
    IDENTITY,
    OLDEST_ESTIMATE,
    OLDEST_RATE,
    Conversion,
    NoExchangeRate,
    Pair,
    Quote,
    Rate,
    quotient,
)
from tallystick.core.money import EXACT

NOTHING: Mapping[str, Decimal] = MappingProxyType({})
ONE = Decimal(1)


class _Published(NamedTuple):
    """A fraction, so that it is divided once: `above` of the quoted currency for `below` of the base."""

    above: Decimal
    below: Decimal
    source: str


@dataclass(slots=True)
class Table:
    """The uploaded rates of some pairs; `since` has the first day of a pair, also where its rates are not loaded."""

    quotes: dict[tuple[Pair, date], Quote] = field(default_factory=dict)
    since: dict[Pair, date] = field(default_factory=dict)

    def add(self, quote: Quote) -> None:
        """Add one line. Of two about the same pair and day, in either direction, the later one holds."""
        self.quotes.pop((quote.pair.inverse, quote.day), None)
        self.quotes[quote.pair, quote.day] = quote
        self.begins(quote.pair, quote.day)

    def begins(self, pair: Pair, day: date) -> None:
        """Note that the table has this pair from a day on, if not from an earlier one."""
        self.since[pair] = min(day, self.since.get(pair, day))

    def answers(self, pair: Pair, day: date) -> bool:
        """Whether the table answers for the pair on this day."""
        return any(self.since.get(each, date.max) <= day for each in (pair, pair.inverse))

    def published(self, pair: Pair, day: date) -> _Published | None:
        """What the table says of that very day."""
        if found := self.quotes.get((pair, day)):
            return _Published(found.value, ONE, found.source)
        if found := self.quotes.get((pair.inverse, day)):
            return _Published(ONE, found.value, found.source)
        return None


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of some pairs around some days, loaded. Asking for others finds less than there is."""

    history: EcbHistory
    own: Table = field(default_factory=Table)
    newer: Table = field(default_factory=Table)
    """Rates of the European Central Bank that were uploaded because they are newer than the history."""

    def rate(self, base: str, quote: str, day: date, pinned: Mapping[str, Decimal] = NOTHING) -> Rate:
        """The rate that answers for the day.

        Args:
            base: the currency to be converted.
            quote: what it is to become.
            day: the day; the last rate published on or before it counts.
            pinned: the contract's rates, by pair as in `USD/EUR`.

        Raises:
            NoExchangeRate: there is none that is recent enough; the message names the gap.
        """
        return self.find(base, quote, day, pinned) or self._missing(Pair(base, quote), day)

    def find(self, base: str, quote: str, day: date, pinned: Mapping[str, Decimal] = NOTHING) -> Rate | None:
        """The rate that answers for the day, or None where `rate` raises."""
        return self._find(Pair(base, quote), day, pinned, OLDEST_RATE)

    def estimate(self, base: str, quote: str, day: date, pinned: Mapping[str, Decimal] = NOTHING) -> Rate:
        """The rate that answers for the day, or else the last one that did, up to `OLDEST_ESTIMATE` days before.

        For what is not settled yet: an open statement is better shown at an old rate, whose day it names, than not.

        Raises:
            NoExchangeRate: there is not even that.
        """
        pair = Pair(base, quote)
        return self._find(pair, day, pinned, OLDEST_ESTIMATE) or self._missing(pair, day)

    def _find(self, pair: Pair, day: date, pinned: Mapping[str, Decimal], oldest: int) -> Rate | None:
        base, quote = pair
        if base == quote:
            return Rate(base, quote, ONE, day, IDENTITY)
        if contract := _pinned(pair, pinned):
            return _rate(pair, contract, day)
        for age in range(oldest + 1):
            published_on = day - timedelta(days=age)
            if found := self._published(pair, day, published_on):
                return _rate(pair, found, published_on)
        return None

    def convert(
        self, amount: Decimal, base: str, quote: str, day: date, pinned: Mapping[str, Decimal] = NOTHING
    ) -> Conversion:
        """The amount of `base` in `quote` at the rate that answers for the day.

        Raises:
            NoExchangeRate: as `rate`.
        """
        return self.rate(base, quote, day, pinned).convert(amount)

    def _published(self, pair: Pair, asked: date, day: date) -> _Published | None:
        """What was published of the pair on `day`, by who answers for `asked`."""
        if self.own.answers(pair, asked):
            return self.own.published(pair, day)
        if pair.base == EURO:
            return self._ecb(pair.quote, day)
        legs = [self._published(Pair(EURO, code), asked, day) for code in pair if code != EURO]
        if pair.quote == EURO:
            legs.append(_Published(ONE, ONE, ""))
        return _crossed(*legs)

    def _ecb(self, currency: str, day: date) -> _Published | None:
        if newer := self.newer.published(Pair(EURO, currency), day):
            return newer
        value = self.history.rate(currency, day)
        return None if value is None else _Published(value, ONE, ECB)

    def _missing(self, pair: Pair, day: date) -> Rate:
        gap = f"no exchange rate {pair} for {day}"
        if self.own.answers(pair, day):
            raise NoExchangeRate(f"{gap}: the uploaded table, which answers for the pair, has {_NONE}; {_UPLOAD}")
        reasons = [self._gap(code, day) for code in pair if code != EURO]
        raise NoExchangeRate(f"{gap}: {next(filter(None, reasons), f'not both of {pair} have {_NONE}')}; {_UPLOAD}")

    def _gap(self, currency: str, day: date) -> str | None:
        """What is missing of the euro in this currency; None: nothing."""
        if self.find(EURO, currency, day):
            return None
        leg = Pair(EURO, currency)
        if self.own.answers(leg, day):
            return f"the uploaded table, which answers for {leg}, has {_NONE}"
        return self.history.gap(currency, day)


_NONE = f"none of that day or the {OLDEST_RATE} before it"
_UPLOAD = "upload one (tallystick currencies upload), or pin one for the team (exchange_rate)"


def _pinned(pair: Pair, pinned: Mapping[str, Decimal]) -> _Published | None:
    if (value := pinned.get(str(pair))) is not None:
        return _Published(value, ONE, CONTRACT)
    if (value := pinned.get(str(pair.inverse))) is not None:
        return _Published(ONE, value, CONTRACT)
    return None


def _crossed(base: _Published | None, quote: _Published | None) -> _Published | None:
    """From euros in two currencies to the one in the other."""
    if base is None or quote is None:
        return None
    above, below = (EXACT.multiply(a, b) for a, b in ((quote.above, base.below), (quote.below, base.above)))
    sources = dict.fromkeys(source for source in (base.source, quote.source) if source)
    return _Published(above, below, ", ".join(sources))


def _rate(pair: Pair, found: _Published, day: date) -> Rate:
    value = found.above if found.below == ONE else quotient(found.above, found.below)
    return Rate(*pair, value, day, found.source)
