"""What of a row is kept as the event's metadata: all that no field is read from, or the columns chosen."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.importing.plan import METADATA
from tallystick.importing.records import BadValue, Reader
from tallystick.importing.values import lookup, place

MetadataOf = Callable[[dict[str, Any]], dict[str, Any]]

_decode_object = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def metadata_of(chosen: Sequence[str] | None, used: frozenset[str], reader: Reader) -> MetadataOf:
    """What makes a row's metadata. It raises `BadValue` where JSON can't hold a value."""
    return _the_rest(used, reader) if chosen is None else _the_chosen(chosen, reader)


def _the_rest(used: frozenset[str], reader: Reader) -> MetadataOf:
    def metadata(values: dict[str, Any]) -> dict[str, Any]:
        found = {
            column: _kept(reader, column, value)
            for column, value in values.items()
            if column not in used and column != METADATA and value is not None
        }
        return _with_own(found, values, reader) if METADATA in values and METADATA not in used else found

    return metadata


def _the_chosen(chosen: Sequence[str], reader: Reader) -> MetadataOf:
    columns = reader.columns or ()
    lookups = [(column, lookup(column, column in columns)) for column in chosen if column != METADATA]

    def metadata(values: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for column, find in lookups:
            value = find(values)
            if value is not None:
                place(found, column, _kept(reader, column, value), column in values)
        return _with_own(found, values, reader) if METADATA in chosen else found

    return metadata


def _kept(reader: Reader, column: str, value: Any) -> Any:
    try:
        return reader.metadata_value(value)
    except BadValue as error:
        raise BadValue(f"{column!r} {error}") from None


def _with_own(found: dict[str, Any], values: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """Add what the row itself calls `metadata`: an object, or text that is the JSON of one."""
    own = values.get(METADATA)
    if own is None:
        return found
    own = _as_object(_kept(reader, METADATA, own))
    if not isinstance(own, dict):
        own = {METADATA: own}
    if clash := found.keys() & own.keys():
        raise BadValue(f"{min(clash)!r} is both a column and in the row's own metadata")
    return {**found, **own}


def _as_object(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return _decode_object(value)
        except (ValueError, ArithmeticError, RecursionError):
            return value
    return value
