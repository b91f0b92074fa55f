"""Filters on what a metric keeps apart: `{"$eq": "x"}`, `{"$or": [{"$like": "gpt-%"}, {"$in": ["o1", "o3"]}]}`.

A filter has one operator; one without any lets everything through. Values are compared as text, by code point. An
absent value is the empty text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from tallystick.integrations.openmeter.errors import BadQuery

MAX_DEPTH = 8
"""How deep `$and` and `$or` may be nested."""

Predicate: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which values of a dimension are let through.

    Attributes:
        passes: whether a value is.
        values: all values that are, where they can be listed; None: they can't.
    """

    passes: Predicate
    values: tuple[str, ...] | None = None


def one_of(values: tuple[str, ...]) -> Filter:
    """The filter that lets these values through."""
    return Filter(values.__contains__, values)


def read_filter(document: Any, dimension: str, depth: int = MAX_DEPTH) -> Filter:
    """The filter that a JSON value spells.

    Raises:
        BadQuery: it spells none; the message says what is allowed.
    """
    if not isinstance(document, Mapping) or len(document) > 1:
        raise BadQuery(f"the filter of {dimension!r} must be an object with one operator: {', '.join(OPERATORS)}")
    if not document:
        return Filter(lambda _: True)
    ((operator, operand),) = document.items()
    if operator not in OPERATORS:
        raise BadQuery(f"{operator!r} is not an operator; the filter of {dimension!r} may use {', '.join(OPERATORS)}")
    if operator in _COMBINING:
        return _combined(operator, _list(operand, operator, dimension), dimension, depth)
    if operator in _LISTING:
        values = tuple(_text(item, operator, dimension) for item in _list(operand, operator, dimension))
        return one_of(values) if operator == "$in" else _not(values.__contains__)
    return _compared(operator, _text(operand, operator, dimension))


def _combined(operator: str, children: list[Any], dimension: str, depth: int) -> Filter:
    if depth == 0:
        raise BadQuery(f"the filter of {dimension!r} is nested deeper than {MAX_DEPTH} levels")
    combine = _COMBINING[operator]
    parts = [read_filter(child, dimension, depth - 1).passes for child in children]
    return Filter(lambda text: combine(passes(text) for passes in parts))


def _compared(operator: str, wanted: str) -> Filter:
    match operator:
        case "$eq":
            return one_of((wanted,))
        case "$ne":
            return _not(wanted.__eq__)
        case "$like":
            return Filter(lambda text: like(text, wanted))
        case "$nlike":
            return _not(lambda text: like(text, wanted))
        case "$ilike":
            return Filter(lambda text: like(text.lower(), wanted.lower()))
        case "$nilike":
            return _not(lambda text: like(text.lower(), wanted.lower()))
    compare = _ORDERING[operator]
    return Filter(lambda text: compare(text, wanted))


def _not(predicate: Predicate) -> Filter:
    return Filter(lambda text: not predicate(text))


def _text(operand: Any, operator: str, dimension: str) -> str:
    if not isinstance(operand, str) or "\0" in operand:
        raise BadQuery(f"{operator} of the filter of {dimension!r} takes text without NUL characters")
    return operand


def _list(operand: Any, operator: str, dimension: str) -> list[Any]:
    if not isinstance(operand, list) or not operand:
        raise BadQuery(f"{operator} of the filter of {dimension!r} takes a list that is not empty")
    return operand


_COMBINING: Mapping[str, Callable[..., bool]] = {"$and": all, "$or": any}
_LISTING = ("$in", "$nin")
_ORDERING: Mapping[str, Callable[[str, str], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
OPERATORS = ("$eq", "$ne", *_LISTING, "$like", "$nlike", "$ilike", "$nilike", *_ORDERING, *_COMBINING)


def like(text: str, pattern: str) -> bool:
    r"""Whether text is as SQL's LIKE pattern says: `%` is any text, `_` any character, `\` takes the next as it is.

    Takes time in proportion to text × pattern at most, whatever the pattern.
    """
    wanted = _tokens(pattern)
    place = at = 0
    star, resume = -1, 0
    while at < len(text):
        if place < len(wanted) and wanted[place] in (text[at], _ANY_CHARACTER):
            place, at = place + 1, at + 1
        elif place < len(wanted) and wanted[place] is _ANY_TEXT:
            star, resume = place, at
            place += 1
        elif star >= 0:  # the last `%` takes one more
            resume += 1
            place, at = star + 1, resume
        else:
            return False
    return all(token is _ANY_TEXT for token in wanted[place:])


_ANY_TEXT = object()
_ANY_CHARACTER = object()


def _tokens(pattern: str) -> list[object]:
    tokens: list[object] = []
    characters = iter(pattern)
    for character in characters:
        match character:
            case "%":
                tokens.append(_ANY_TEXT)
            case "_":
                tokens.append(_ANY_CHARACTER)
            case "\\":
                tokens.append(next(characters, "\\"))
            case _:
                tokens.append(character)
    return tokens
