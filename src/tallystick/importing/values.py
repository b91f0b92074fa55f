"""What a column holds → what a field of an event is: text, an exact quantity, a place in metadata."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import methodcaller
from typing import Any

from tallystick.importing.records import BadValue

Lookup = Callable[[Mapping[str, Any]], Any]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")


def lookup(column: str, flat: bool) -> Lookup:
    """What finds the column's value in a row, or None. Unless `flat`, `a.b.c` descends into objects."""
    if flat or "." not in column:
        return methodcaller("get", column)
    names = column.split(".")

    def descend(values: Mapping[str, Any]) -> Any:
        if column in values:
            return values[column]
        found: Any = values
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return descend


def place(metadata: dict[str, Any], column: str, value: Any, flat: bool) -> None:
    """Put the value where a metric's metadata path of that name finds it."""
    *parents, name = [column] if flat else column.split(".")
    for parent in parents:
        below = metadata.setdefault(parent, {})
        if not isinstance(below, dict):
            raise BadValue(f"has no place beside {parent!r}")
        metadata = below
    metadata[name] = value


def text_of(value: Any) -> str:
    """The value as text; a number as it was written.

    Raises:
        BadValue: a truth, a list or an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadValue(f"is {_kind(value)}, not text")
    return str(value)


def quantity_of(value: Any) -> Decimal:
    """The exact number. A double of a Parquet file is the decimal that its shortest text spells.

    Raises:
        BadValue: not a finite number, or not written as one.
    """
    if isinstance(value, str):
        return _spelled(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadValue(f"is {_kind(value)}, not a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise BadValue(f"is {number}, not a number that can be counted")
    return number


def _spelled(text: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise BadValue(f"is {text[:40]!r}, not a number such as 12.5")
    return Decimal(text)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "text"}
    return names.get(type(value)) or f"a {type(value).__name__}"
