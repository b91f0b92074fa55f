"""Counts the values of fields: how many, of which kind, how many different ones, and the range of numbers.

Memory is bounded: so many fields, and of each so many values. Different values are counted exactly up to
`MOST_EXACT`. Beyond that every second hash is forgotten, and every second of the rest when there are too many again, so
that what is kept, doubled as often, estimates how many there are (adaptive sampling, Wegman 1984).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from tallystick.core.money import EXACT, ZERO, plain
from tallystick.importing.analysis.models import FieldReport, Numbers
from tallystick.importing.records import BadValue, Reader

MOST_FIELDS = 200
MOST_EXACT = 8192
MOST_COUNTED = 1000
LONGEST_SHOWN = 80
DEEPEST = 5
TOP = 5

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,37})(?:\.[0-9]{1,38})?")


class Distinct:
    """How many different texts there were."""

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._halvings = 0

    def add(self, text: str) -> None:
        """Count a text, once however often it comes."""
        hashed = int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())
        if hashed & ((1 << self._halvings) - 1) == 0:
            self._kept.add(hashed)
            if len(self._kept) > MOST_EXACT:
                self._halvings += 1
                self._kept = {each for each in self._kept if each & ((1 << self._halvings) - 1) == 0}

    @property
    def exact(self) -> bool:
        """Whether the count is exact."""
        return self._halvings == 0

    @property
    def count(self) -> int:
        """How many there were, or an estimate."""
        return len(self._kept) << self._halvings


class Range:
    """The range and the sum of numbers, exact."""

    def __init__(self) -> None:
        self.count = 0
        self.falls = 0
        self.decimals = 0
        self.total = ZERO
        self._lowest = self._highest = self._last = ZERO

    def add(self, number: Decimal) -> None:
        """Add a number."""
        if not self.count:
            self._lowest = self._highest = self._last = number
        self.count += 1
        self.falls += number < self._last
        self._lowest, self._highest = min(self._lowest, number), max(self._highest, number)
        self._last = number
        self.total = EXACT.add(self.total, number)
        self.decimals = max(self.decimals, -int(number.as_tuple().exponent))

    @property
    def numbers(self) -> Numbers | None:
        """What was found; None: no number."""
        if not self.count:
            return None
        return Numbers(self.count, self._lowest, self._highest, self.total, self.decimals, self.falls)


class FieldCounts:
    """What is known about one field."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.present = 0
        self.kinds: Counter[str] = Counter()
        self.distinct = Distinct()
        self.range = Range()
        self.values: Counter[str] = Counter()

    def add(self, value: Any) -> bool:
        """Count a value; whether it is a number."""
        self.present += 1
        number = number_of(value)
        kind = "number" if number is not None else _kind(value)
        self.kinds[kind] += 1
        text = plain(number) if number is not None else str(value)
        self.distinct.add(text)
        shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
        if len(self.values) < MOST_COUNTED or shown in self.values:
            self.values[shown] += 1
        if number is not None:
            self.range.add(number)
        return number is not None

    @property
    def report(self) -> FieldReport:
        """What was found."""
        kinds = [kind for kind, _ in self.kinds.most_common()]
        distinct = min(self.distinct.count, self.present)
        top = self.values.most_common(TOP) if distinct < self.present else []
        return FieldReport(self.name, self.present, kinds, distinct, self.distinct.exact, top, self.range.numbers)


class Fields:
    """The fields of the rows of one file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.counts: dict[str, FieldCounts] = {}
        self.more = False

    def add(self, values: Mapping[str, Any]) -> list[str]:
        """Count a row, its values by path; which of its fields hold a number."""
        return [name for name, value in values.items() if self._add(name, value)]

    def _add(self, name: str, value: Any) -> bool:
        if name not in self.counts:
            if len(self.counts) >= MOST_FIELDS:
                self.more = True
                return False
            self.counts[name] = FieldCounts(name)
        return self.counts[name].add(self._read(value))

    def _read(self, value: Any) -> Any:
        if isinstance(value, datetime | date):
            return value
        try:
            return self._reader.metadata_value(value)
        except BadValue:
            return str(value)


def flat(values: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The values of a row by path, those inside objects too; absent and empty ones left out."""
    for name, value in values.items():
        path = (*parents, str(name))
        if isinstance(value, dict) and value and len(path) < DEEPEST:
            yield from flat(value, path)
        elif value is not None and value != "":
            yield ".".join(path), value


def number_of(value: Any) -> Decimal | None:
    """The finite number that a value is or spells; None: it does neither."""
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, datetime | date):
        return "time"
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "text"
