"""The statements about exchange rates, run."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

from tallystick.billing.currencies.history import EcbHistory
from tallystick.billing.currencies.models import ECB, EURO, OLDEST_ESTIMATE, Coverage, Pair, Quote
from tallystick.billing.currencies.rates import Rates
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

FOREVER = datetime.max.replace(tzinfo=UTC)


async def rates_for(
    tx: Connection,
    pairs: Iterable[tuple[str, str]],
    days: Iterable[date],
    *,
    known_at: datetime | None = None,
) -> Rates:
    """The rates that answer for any of these pairs on any of these days, in two statements however many they are.

    Args:
        tx: where uploaded tables are read; inside a closing transaction, its.
        pairs: (base, quote): what is converted and what it becomes. Equal ones cost nothing.
        days: the days that will be asked for.
        known_at: leave out what was uploaded later. The history of the European Central Bank is the installed one.
    """
    legs = sorted({leg for base, quote in pairs if base != quote for leg in _legs(base, quote)})
    wanted = sorted(set(days))
    rates = Rates(EcbHistory.shipped())
    if not legs or not wanted:
        return rates
    values = {
        "bases": [leg.base for leg in legs],
        "quotes": [leg.quote for leg in legs],
        "first": wanted[0] - timedelta(days=OLDEST_ESTIMATE),
        "last": wanted[-1],
        "known_at": known_at or FOREVER,
    }
    for base, quote, day in await (await tx.execute(QUERIES["first_days"], values)).fetchall():
        rates.own.begins(Pair(base, quote), day)
    for row in await (await tx.execute(QUERIES["rates_of_pairs"], values)).fetchall():
        quoted = _quote(row)
        (rates.newer if quoted.source == ECB else rates.own).add(quoted)
    return rates


async def replace_rates(tx: Connection, quotes: Sequence[Quote], source: str, now: datetime) -> tuple[int, int]:
    """Keep these rates under the table's name; those they contradict no longer hold from now on.

    Returns:
        How many are for a pair and day that had none, and how many took the place of others.
    """
    values: dict[str, Any] = {
        "source": source,
        "now": now,
        "days": [each.day for each in quotes],
        "bases": [each.pair.base for each in quotes],
        "quotes": [each.pair.quote for each in quotes],
        "rates": [each.value for each in quotes],
    }
    await tx.execute(QUERIES["lock_rates"])
    replaced = (await tx.execute(QUERIES["supersede_rates"], values)).rowcount
    inserted = (await tx.execute(QUERIES["insert_rates"], values)).rowcount
    return inserted - replaced, replaced


async def tables(tx: Connection) -> list[Coverage]:
    """What is uploaded, by table and pair."""
    rows = await (await tx.execute(QUERIES["tables"])).fetchall()
    return [Coverage(source, Pair(base, quote), first, last, days) for source, base, quote, first, last, days in rows]


def _legs(base: str, quote: str) -> Iterable[Pair]:
    """The pairs, in both directions, from which the rate of this one may be made."""
    ways = (Pair(base, quote), Pair(EURO, base), Pair(EURO, quote))
    return chain.from_iterable((way, way.inverse) for way in ways if way.base != way.quote)


def _quote(row: Sequence[Any]) -> Quote:
    day, base, quote, rate, source = row
    return Quote(day, Pair(base, quote), rate, source)
