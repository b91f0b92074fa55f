"""Effective intervals: `effective_from` (inclusive) and `effective_to` (exclusive), and a history made of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from tallystick.catalog.errors import Position, Problems
from tallystick.catalog.models import PriceEntry, instant_text
from tallystick.catalog.place import Fields, Place, Refused

T = TypeVar("T")

FROM, TO = "effective_from", "effective_to"


class Effective(NamedTuple):
    """From when on and up to when; None is unbounded, or from the moment it is applied."""

    start: datetime | None
    end: datetime | None


def read_effective(fields: Fields, start: str = FROM, end: str = TO) -> Effective:
    """The interval under two keys; the end has to be after the start."""
    begin = fields.read(start, Place.instant)
    return Effective(begin, fields.read(end, _after(begin, start)))


def _after(begin: datetime | None, name: str) -> Callable[[Place], datetime]:
    def read(place: Place) -> datetime:
        moment = place.instant()
        if begin is not None and moment <= begin:
            raise Refused(f"must be after {name}, {instant_text(begin)}")
        return moment

    return read


def check_history(entries: Sequence[tuple[str, PriceEntry]], problems: Problems) -> None:
    """Note prices of one name that begin together, or of which one begins before another has ended."""
    names = dict.fromkeys(name for name, _ in entries)
    for name in names:
        _check_one(name, [entry for other, entry in entries if other == name], problems)


def _check_one(name: str, entries: list[PriceEntry], problems: Problems) -> None:
    first: dict[datetime | None, Position] = {}
    for entry in entries:
        here = entry.origin.of(FROM)
        known = first.setdefault(entry.effective_from, here)
        if known.key != here.key:
            _note(problems, here, _together(name, entry.effective_from, known.line))
    dated = [entry for entry in entries if entry.effective_from is not None]
    for entry in entries:
        _check_overlap(name, entry, dated, problems)


def _check_overlap(name: str, entry: PriceEntry, dated: list[PriceEntry], problems: Problems) -> None:
    """An end has to come before the next entry begins; the one without a start begins before all others."""
    end, start = entry.effective_to, entry.effective_from
    if end is None:
        return
    following = [
        (other.effective_from, other.origin.of(FROM).line)
        for other in dated
        if other.effective_from is not None and (start is None or other.effective_from > start)
    ]
    begin, line = min(following, default=(end, 0))
    if begin < end:
        message = f"overlaps the next one of {name}: must not be after {instant_text(begin)}, its start in line {line}"
        _note(problems, entry.origin.of(TO), message)


def _note(problems: Problems, here: Position, message: str) -> None:
    problems.add(here.line, here.column, here.key, message)


def _together(name: str, instant: datetime | None, line: int) -> str:
    if instant is None:
        hint = "say from when this one holds, or give it a name of its own"
        return f"{name} has one without effective_from in line {line} already; {hint}"
    return f"{name} has a price from {instant_text(instant)} in line {line} already"
