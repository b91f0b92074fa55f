"""A value of the file while it is checked: it reads itself, and says what is wrong in words that help.

A reader gives the value or raises `Refused`; `attempt` notes that as a problem and goes on. So checks run
to the end of the file and everything wrong is reported at once. Nothing half-read is used, because the
noted problems are raised in the end.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from tallystick.catalog.errors import Position, Problems, below
from tallystick.catalog.models import Origin
from tallystick.catalog.reader import Entry, Node
from tallystick.core.clock import parse_instant, zone
from tallystick.core.errors import InvalidInput
from tallystick.core.money import currency_exponent, parse_decimal, plain, quantity_problem

T = TypeVar("T")
D = TypeVar("D", bound=date)
E = TypeVar("E", bound=StrEnum)

MAX_TEXT = 255
MAX_NAME = 64
MAX_SHOWN = 20
_NAME = re.compile(r"[a-z0-9_.-]+")
_YEARS = "must be in the years 1900 to 9998"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Refused(Exception):
    """A reader's way to say why it does not take the value it stands at."""


def suggestion(given: str, known: Iterable[str]) -> str:
    """`; did you mean 'tokens'?` where a known word is close, else what is known."""
    words = sorted(known)
    if close := get_close_matches(given, words, n=1):
        return f"; did you mean {close[0]!r}?"
    if not words:
        return "; there is none"
    shown = words[:MAX_SHOWN] + ["…"] * (len(words) > MAX_SHOWN)
    return f"; allowed: {', '.join(shown)}"


def check_name(name: str) -> None:
    """Refuse what is no name."""
    if not _NAME.fullmatch(name):
        raise Refused("must be made of a to z, 0 to 9 and _ . -")
    if len(name) > MAX_NAME:
        raise Refused(f"must have at most {MAX_NAME} characters, not {len(name)}")


def _in_range(moment: D) -> D:
    if not 1900 <= moment.year <= 9998:
        raise Refused(_YEARS)
    return moment


@dataclass(frozen=True, slots=True)
class Place:
    """A value, its key path, and where complaints about it go."""

    node: Node
    path: str
    problems: Problems

    @property
    def position(self) -> Position:
        """Where this stands, for problems that are found later."""
        return Position(self.problems.file, self.node.line, self.node.column, self.path)

    def refuse(self, message: str) -> None:
        """Note what is wrong with this value."""
        self.problems.add(self.node.line, self.node.column, self.path, message)

    def attempt(self, reader: Callable[["Place"], T]) -> T | None:
        """What the reader makes of this value; None where it refuses it, which is noted."""
        try:
            return reader(self)
        except Refused as refused:
            self.refuse(str(refused))
            return None

    def fields(self, allowed: Collection[str] | None = None) -> "Fields":
        """The mapping's keys, each of which must be one of the allowed, if those are named."""
        entries = self._mapping()
        for key, entry in entries.items():
            if allowed is not None and key not in allowed:
                self._at(key, entry).refuse(f"is not known here{suggestion(key, allowed)}")
        return Fields(self, entries)

    def entries(self) -> Iterator[tuple[str, "Place", "Place"]]:
        """The keys of a mapping that are names of the user's: the key, its place, and its value's."""
        for key, entry in self._mapping().items():
            yield key, self._at(key, entry), Place(entry.node, below(self.path, key), self.problems)

    def items(self) -> list["Place"]:
        """The values of a list."""
        value = self.node.value
        if isinstance(value, list):
            return [Place(node, f"{self.path}[{i}]", self.problems) for i, node in enumerate(value)]
        raise Refused("must be a list")

    def each(self, reader: Callable[["Place"], T | None]) -> list[T]:
        """What the reader makes of the values of a list, without those it refuses."""
        read = (item.attempt(reader) for item in self.items())
        return [value for value in read if value is not None]

    def text(self) -> str:
        """Text of 1 to 255 bytes, without control characters."""
        if not isinstance(self.node.value, str):
            given = self.node.text
            raise Refused(f'must be text; put it in quotes: "{given}"' if given else "must be text")
        return self.key()

    def key(self) -> str:
        """The same, of a value that is text however it looks: `404`, `on`."""
        text = self.node.text
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise Refused("must not hold control characters")
        if not 1 <= len(text.encode()) <= MAX_TEXT:
            raise Refused(f"must have 1 to {MAX_TEXT} bytes, not {len(text.encode()):,}")
        return text

    def prose(self) -> str:
        """Text for people: any scalar, of any length."""
        if isinstance(self.node.value, dict | list):
            raise Refused("must be text")
        return self.node.text

    def name(self) -> str:
        """A name: lower-case letters, digits and `_ . -`, up to 64 of them."""
        check_name(self.node.text)
        return self.node.text

    def number(self) -> Decimal:
        """A number that can be kept exactly, as such or in quotes."""
        value = self.node.value
        if isinstance(value, str):
            try:
                value = parse_decimal(value)
            except InvalidInput:
                raise Refused(f"must be a number, not {value!r}") from None
        if not isinstance(value, Decimal):
            raise Refused("must be a number")
        if problem := quantity_problem(value):
            raise Refused(problem)
        return value

    def not_negative(self) -> Decimal:
        """A number of 0 or more."""
        number = self.number()
        if number < 0:
            raise Refused(f"is {plain(number)}: must not be negative")
        return number

    def positive(self) -> Decimal:
        """A number above 0."""
        if self.not_negative() == 0:
            raise Refused("must be above zero")
        return self.number()

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number in a range."""
        number = self.number()
        if number != number.to_integral_value() or not lowest <= number <= highest:
            raise Refused(f"must be a whole number from {lowest} to {highest}, not {plain(number)}")
        return int(number)

    def flag(self) -> bool:
        """`true` or `false`."""
        if isinstance(self.node.value, bool):
            return self.node.value
        raise Refused("must be true or false")

    def choice(self, words: type[E]) -> E:
        """One of the words of an enumeration."""
        if self.node.text in list(words):
            return words(self.node.text)
        raise Refused(f"must be one of {', '.join(words)}{self._not_given()}")

    def one_of(self, known: Collection[str], what: str) -> str:
        """The name of something that the file defines elsewhere."""
        if isinstance(self.node.value, dict | list):
            raise Refused(f"must be the name of a {what}{suggestion('', known)}")
        if self.node.text in known:
            return self.node.text
        raise Refused(f"no {what} is named {self.node.text!r}{suggestion(self.node.text, known)}")

    def currency(self) -> str:
        """An ISO 4217 code."""
        self._of_core(currency_exponent)
        return self.node.text

    def zone(self) -> str:
        """The name of an IANA time zone."""
        self._of_core(zone)
        return self.node.text

    def instant(self) -> datetime:
        """An instant with its offset, in UTC."""
        return _in_range(self._of_core(parse_instant))

    def day_or_instant(self) -> date | datetime:
        """A date, which begins at midnight where the team is, or an instant."""
        if not _DAY.fullmatch(self.node.text):
            return self.instant()
        try:
            return _in_range(date.fromisoformat(self.node.text))
        except ValueError:
            raise Refused(f"{self.node.text} is not in the calendar") from None

    def _of_core(self, read: Callable[[str], T]) -> T:
        try:
            return read(self.node.text)
        except InvalidInput as error:
            raise Refused(str(error)) from None
        except OverflowError:
            raise Refused(_YEARS) from None

    def _not_given(self) -> str:
        return f", not {self.node.text!r}" if self.node.text else ""

    def _at(self, key: str, entry: Entry) -> "Place":
        return Place(Node(key, entry.line, entry.column, key), below(self.path, key), self.problems)

    def _mapping(self) -> Mapping[str, Entry]:
        if isinstance(self.node.value, dict):
            return self.node.value
        raise Refused("must be a mapping of keys to values")


class Fields:
    """The keys of one mapping. A key without a value counts as absent."""

    def __init__(self, place: Place, entries: Mapping[str, Entry]) -> None:
        self.place = place
        self._entries = entries

    @property
    def keys(self) -> list[str]:
        """The keys that are written, in their order."""
        return list(self._entries)

    @property
    def origin(self) -> Origin:
        """Where the mapping and its keys stand."""
        keys = {key: self.at(key).position for key in self._entries}
        return Origin(self.place.position, keys)

    def at(self, key: str) -> Place:
        """Where the key stands; the mapping, where it does not."""
        entry = self._entries.get(key)
        node = Node(None, entry.line, entry.column) if entry else self.place.node
        return Place(node, below(self.place.path, key), self.place.problems)

    def get(self, key: str) -> Place | None:
        """The value under the key."""
        entry = self._entries.get(key)
        if entry is None or entry.node.value is None:
            return None
        return Place(entry.node, below(self.place.path, key), self.place.problems)

    def read(self, key: str, reader: Callable[[Place], T]) -> T | None:
        """What the reader makes of the value under the key; None where there is none."""
        place = self.get(key)
        return None if place is None else place.attempt(reader)

    def need(self, key: str, reader: Callable[[Place], T], hint: str = "") -> T | None:
        """The same for a key that has to be there."""
        if self.get(key) is None:
            self.at(key).refuse(f"is required{': ' if hint else ''}{hint}")
        return self.read(key, reader)

    def given(self, *keys: str) -> list[str]:
        """Which of the keys have a value."""
        return [key for key in keys if self.get(key) is not None]
