"""Tables of exchange rates as files: CSV, in one of two shapes.

One rate a line, in any order of columns::

    date,base,quote,rate
    2026-03-31,USD,EUR,0.9012

or the European Central Bank's own, a column per currency, each based on the euro::

    Date,USD,JPY,
    2026-03-31,1.1096,163.14,

Every line is read before any is kept, and the error names the line that does not fit.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from tallystick.billing.currencies.history import NOT_PUBLISHED
from tallystick.billing.currencies.models import (
    CONTRACT,
    ECB,
    EURO,
    IDENTITY,
    Pair,
    Quote,
    known_currency,
    parse_rate,
)
from tallystick.core.errors import InvalidInput

COLUMNS = ("date", "base", "quote", "rate")
LONGEST_NAME = 64
MOST_RATES = 500_000
RESERVED = frozenset({CONTRACT, IDENTITY})


def parse_table(text: str, source: str) -> list[Quote]:
    """The rates of a table, in the file's order.

    Args:
        text: the CSV file; a byte order mark is skipped.
        source: the table's name. `ecb` is for the European Central Bank's own file, when it is newer than the
            installed history.

    Raises:
        InvalidInput: a name that can't be, no rate at all, or a line that does not fit: the first one is named.
    """
    check_name(source)
    rows = _rows(text)
    _, header = next(rows, (0, []))
    names = [name.strip().lower() for name in header]
    quotes = list(_quotes(names, rows, source))
    _check(quotes, source)
    return quotes


def _rows(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows that hold anything, each with the number of its line."""
    reader = csv.reader(text.lstrip("\ufeff").splitlines())
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num}: {error}", field="rates") from None


def check_name(source: str) -> None:
    """See that a table can be called that.

    Raises:
        InvalidInput: it can't.
    """
    printable = source.isprintable() and source.strip() == source and "," not in source
    if not printable or not 1 <= len(source) <= LONGEST_NAME or source in RESERVED:
        message = f"a table's name has 1 to {LONGEST_NAME} printable characters, no comma, and is not "
        raise InvalidInput(message + " or ".join(sorted(RESERVED)), field="name")


def _quotes(names: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], source: str) -> Iterator[Quote]:
    if set(COLUMNS) <= set(names):
        places = [names.index(name) for name in COLUMNS]
        for line, row in rows:
            yield _listed(line, row, places, source)
    elif names[:1] == ["date"]:
        currencies = [_modern(name.upper()) for name in names]
        for line, row in rows:
            yield from _spread(line, row, currencies, source)
    else:
        shape = f"{','.join(COLUMNS)}, or Date and a column per currency"
        raise InvalidInput(f"line 1: a table of rates begins with its columns: {shape}", field="rates")


def _listed(line: int, row: Sequence[str], places: Sequence[int], source: str) -> Quote:
    if len(row) <= max(places):
        raise InvalidInput(f"line {line}: {len(row)} values are too few for the columns of line 1", field="rates")
    day, base, quote, rate = (row[place].strip() for place in places)
    try:
        return Quote(_day(day), Pair.parse(f"{base}/{quote}"), parse_rate(rate), source)
    except InvalidInput as problem:
        raise InvalidInput(f"line {line}: {problem}", field="rates") from None


def _spread(line: int, row: Sequence[str], currencies: Sequence[str | None], source: str) -> Iterator[Quote]:
    try:
        day = _day(row[0].strip())
        for currency, text in zip(currencies, row, strict=False):
            if currency is not None and text.strip() not in NOT_PUBLISHED:
                yield Quote(day, Pair(EURO, currency), parse_rate(text), source)
    except InvalidInput as problem:
        raise InvalidInput(f"line {line}: {problem}", field="rates") from None


def _modern(code: str) -> str | None:
    """The column's currency; None: it is the date's, or that of money that no longer is."""
    try:
        return known_currency(code)
    except InvalidInput:
        return None


def _day(text: str) -> date:
    """The day, as 2026-03-31, or as the ECB's file of a single day writes it, 31 March 2026."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.strptime(text, "%d %B %Y").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        raise InvalidInput(f"{text!r} is not a date such as 2026-03-31") from None


def _check(quotes: Sequence[Quote], source: str) -> None:
    if not quotes:
        raise InvalidInput("the table has no rate", field="rates")
    if len(quotes) > MOST_RATES:
        raise InvalidInput(f"the table has more than {MOST_RATES} rates; upload it in parts", field="rates")
    if source == ECB and (odd := next((each for each in quotes if each.pair.base != EURO), None)):
        raise InvalidInput(f"the table ecb has rates of the euro alone, not {odd.pair}; use another name", field="name")
    seen = set[tuple[frozenset[str], date]]()
    for each in quotes:
        key = frozenset(each.pair), each.day
        if key in seen:
            raise InvalidInput(f"the table has two rates of {each.pair} for {each.day}", field="rates")
        seen.add(key)
