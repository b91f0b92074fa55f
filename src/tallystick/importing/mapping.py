"""From a row to its events, by the plan of its file."""

from collections.abc import Sequence
from typing import Any

from tallystick.importing.identity import RowKey, key_of_event
from tallystick.importing.metadata import MetadataOf
from tallystick.importing.models import Row, RowProblem
from tallystick.importing.plan import METADATA, Plan, Taken, listed
from tallystick.importing.records import BadValue, Record

NO_KEY = "a pipe has no name to tell its lines by; give --source-id, --key-column or --identity content"


class _Refused(Exception):
    """A row, or one event of it, that can't be imported."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = RowProblem(field, code, message)


class Mapper:
    """Turns the rows of one file into events, one after the other; a row is judged by itself alone."""

    def __init__(self, plan: Plan, metadata: MetadataOf, row_key: RowKey | None) -> None:
        self._plan = plan
        self._metadata = metadata
        self._row_key = row_key

    def rows(self, record: Record) -> Sequence[Row]:
        """The events of a row, or the reasons why there are none; one that fails spoils no other."""
        if record.problem:
            return [_row(record, None, record.problem)]
        try:
            event = self._event(record.values)
            key = self._key(record)
        except _Refused as refused:
            return [_row(record, None, refused.problem)]
        if self._plan.quantities:
            return [self._one_of_several(record, event, key, name) for name in self._plan.quantities]
        event["idempotency_key"] = key
        return [_row(record, event, None)]

    def _one_of_several(self, record: Record, shared: dict[str, Any], key: str, name: str) -> Row:
        try:
            quantity = _value(self._plan.quantities[name], record.values)
        except _Refused as refused:
            return _row(record, None, refused.problem)
        own = {"event_name": name, "quantity": quantity, "idempotency_key": key_of_event(key, name)}
        if METADATA in shared:
            own[METADATA] = dict(shared[METADATA])
        return _row(record, {**shared, **own}, None)

    def _event(self, values: dict[str, Any]) -> dict[str, Any]:
        event = self._plan.constants.copy()
        for taken in self._plan.taken:
            value = _value(taken, values)
            if value is not None:
                event[taken.field] = value
        try:
            metadata = self._metadata(values)
        except BadValue as error:
            raise _Refused(METADATA, "invalid", str(error)) from None
        if metadata:
            event[METADATA] = metadata
        return event

    def _key(self, record: Record) -> str:
        own = _value(self._plan.key, record.values) if self._plan.key else None
        if own is not None:
            return str(own)
        if self._row_key is None:
            raise _Refused("idempotency_key", "missing", NO_KEY)
        return self._row_key(record.position, record.raw)


def _value(taken: Taken, values: dict[str, Any]) -> Any:
    field, column, find, convert, required = taken
    value = find(values)
    if value is None or value == "":
        # A quantity that is there but empty is not the quantity 1 that a row without one has.
        if required or (field == "quantity" and column in values):
            raise _Refused(field, "missing", f"{column!r} has no value; the row has: {listed(list(values))}")
        return None
    try:
        return convert(value)
    except BadValue as error:
        raise _Refused(field, "invalid", f"{column!r} {error}") from None


def _row(record: Record, event: dict[str, Any] | None, problem: RowProblem | None) -> Row:
    return Row(record.position, record.offset, event, problem, record.raw)
