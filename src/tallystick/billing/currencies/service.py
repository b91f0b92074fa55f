"""Exchange rates as one thing: looks them up, keeps uploaded tables, and converts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.currencies import store
from tallystick.billing.currencies.history import EcbHistory
from tallystick.billing.currencies.models import (
    ECB,
    EURO,
    Conversion,
    Coverage,
    Pair,
    Quote,
    Rate,
    Uploaded,
)
from tallystick.billing.currencies.rates import NOTHING
from tallystick.billing.currencies.uploads import parse_table
from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput
from tallystick.storage.database import Database

MOST_DAYS = 1000
LARGEST_AMOUNT = Decimal(10) ** 20


class Daily(NamedTuple):
    """The rate that answers for a day; None: none does."""

    day: date
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class Currencies:
    """The exchange rates of one installation."""

    database: Database
    clock: Clock

    async def rates(self, pair: Pair, first: date | None = None, last: date | None = None) -> Sequence[Daily]:
        """The rate that answers for each day from `first` to `last`, both included; None: there is none.

        Without a last day, up to the first, and without either, of today alone.

        Raises:
            InvalidInput: the last day is before the first, or more than `MOST_DAYS` after it.
        """
        first = first or last or self.clock.now().date()
        days = _days(first, last or first)
        async with self.database.snapshot() as tx:
            rates = await store.rates_for(tx, [pair], days)
        return [Daily(day, rates.find(*pair, day)) for day in days]

    async def convert(
        self, amount: Decimal, pair: Pair, day: date | None = None, pinned: Mapping[str, Decimal] = NOTHING
    ) -> Conversion:
        """An amount of the pair's base in its quote, at the rate that answers for the day; default: today.

        Raises:
            InvalidInput: an amount that is too large.
            NoExchangeRate: none answers.
        """
        if not amount.is_finite() or amount.copy_abs() >= LARGEST_AMOUNT:
            raise InvalidInput("an amount must be below 10^20", field="amount")
        day = day or self.clock.now().date()
        async with self.database.snapshot() as tx:
            rates = await store.rates_for(tx, [pair], [day])
        return rates.convert(amount, *pair, day, pinned)

    async def upload(self, text: str, table: str) -> Uploaded:
        """Keep a table of rates, all of it or nothing. Uploading it again changes nothing.

        Args:
            text: CSV, see `uploads`.
            table: its name, which conversions show as their source. `ecb`: newer rates of the European Central Bank.

        Raises:
            InvalidInput: a line does not fit; it is named.
        """
        quotes = parse_table(text, table)
        unknown = _newer(quotes) if table == ECB else quotes
        async with self.database.transaction() as tx:
            added, replaced = await store.replace_rates(tx, unknown, table, self.clock.now())
        return Uploaded(table, len(quotes), added, replaced)

    async def sources(self) -> Sequence[Coverage]:
        """What there are rates of: the installed history, then uploaded tables."""
        history = EcbHistory.shipped()
        async with self.database.snapshot() as tx:
            uploaded = await store.tables(tx)
        return [*_coverage(history), *uploaded]


def _days(first: date, last: date) -> Sequence[date]:
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidInput(f"the last day must be the first, {first}, or up to {MOST_DAYS - 1} days later", field="to")
    return [first + timedelta(days=number) for number in range(count)]


def _newer(quotes: Sequence[Quote]) -> list[Quote]:
    """What the installed history does not say."""
    history = EcbHistory.shipped()
    return [each for each in quotes if history.rate(each.pair.quote, each.day) != each.value]


def _coverage(history: EcbHistory) -> list[Coverage]:
    """The currencies that the installed history still has rates of on its last day."""
    newest = history.days[-1]
    return [
        Coverage(ECB, Pair(EURO, currency), *history.span(currency))
        for currency in history.currencies
        if history.rate(currency, newest) is not None
    ]
