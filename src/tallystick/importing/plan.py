"""Which column is which field of the event: settled, and refused, before the first row is read."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.core.errors import InvalidInput
from tallystick.importing.instants import instant_reader
from tallystick.importing.models import ImportOptions, option_name
from tallystick.importing.records import Reader
from tallystick.importing.values import Lookup, lookup, quantity_of, text_of

METADATA = "metadata"
_SHOWN_COLUMNS = 20


class Taken(NamedTuple):
    """A field that is read from a column of every row; `required`: each row must have a value there."""

    field: str
    column: str
    find: Lookup
    convert: Callable[[Any], Any]
    required: bool


class Plan(NamedTuple):
    """How a row of one file becomes events.

    Attributes:
        constants: fields that are the same in every event, or where the row has none.
        taken: fields from columns.
        quantities: event name → its quantity, where a row gives several events; else empty.
        key: the column of the rows' own keys, if there can be one.
    """

    constants: dict[str, Any]
    taken: list[Taken]
    quantities: dict[str, Taken]
    key: Taken | None

    @property
    def used(self) -> frozenset[str]:
        """The columns that some field is read from."""
        all_taken = [*self.taken, *self.quantities.values(), *([self.key] if self.key else [])]
        return frozenset(taken.column for taken in all_taken)


class _Field(NamedTuple):
    """A field of the event; `filled`: a column for it must have values; `meaning`: an event needs it."""

    name: str
    constant_option: str | None
    column_option: str
    filled: bool
    meaning: str | None = None


_EVENT_NAME = _Field("event_name", "event", "event_column", True, "what happened")
_QUANTITY = _Field("quantity", "quantity", "quantity_column", True)
_KEY = _Field("idempotency_key", None, "key_column", True)
_FIELDS = [
    _Field("team_id", "team", "team_column", True, "whose usage it is"),
    _EVENT_NAME,
    _QUANTITY,
    _Field("unit", "unit", "unit_column", False),
    _Field("timestamp", None, "timestamp_column", True, "when it happened"),
    _Field("user_id", None, "user_column", False),
    _Field("event_type", "event_type", "event_type_column", False),
]


def make_plan(name: str, options: ImportOptions, reader: Reader) -> Plan:
    """Settle where each field comes from.

    Raises:
        InvalidInput: a column that the file has not, or nothing gives a field that an event needs.
    """
    return _Planner(name, options, reader.columns).plan(reader.defaults)


def listed(columns: Sequence[str]) -> str:
    """The first columns, for a message; in quotes where one is not printable, because a message is one line."""
    more = len(columns) - _SHOWN_COLUMNS
    shown = (column if column.isprintable() else repr(column) for column in columns[:_SHOWN_COLUMNS])
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


class _Planner:
    def __init__(self, name: str, options: ImportOptions, columns: tuple[str, ...] | None) -> None:
        self._name = name
        self._options = options
        self._columns = columns
        self._converters: dict[str, Callable[[Any], Any]] = {
            "quantity": quantity_of,
            "timestamp": instant_reader(options.timestamp_format, options.timestamp_zone),
        }

    def plan(self, defaults: Mapping[str, str]) -> Plan:
        several = self._quantities()
        fields = [field for field in _FIELDS if not (several and field in (_EVENT_NAME, _QUANTITY))]
        constants: dict[str, Any] = {} if several else {"quantity": Decimal(1), **defaults}
        constants |= self._constants(fields)
        taken = [found for field in fields if (found := self._taken(field)) is not None]
        key = self._taken(_KEY)
        self._check_metadata()
        self._refuse_gaps(fields, constants, taken)
        return Plan(constants, taken, several, key)

    def _constants(self, fields: list[_Field]) -> dict[str, Any]:
        given = {f.name: getattr(self._options, f.constant_option) for f in fields if f.constant_option}
        return {name: value for name, value in given.items() if value is not None}

    def _quantities(self) -> dict[str, Taken]:
        return {
            event: self._from_column(_QUANTITY, "quantities", column)
            for event, column in self._options.quantities.items()
        }

    def _taken(self, field: _Field) -> Taken | None:
        """The field's column: the one an option names, else the one of the field's own name."""
        if field.constant_option and getattr(self._options, field.constant_option) is not None:
            return None
        named = getattr(self._options, field.column_option)
        if named is not None:
            return self._from_column(field, field.column_option, named)
        if self._columns is None:
            needed = field.meaning is not None
        elif field.name in self._columns:
            needed = field.filled and field is not _KEY
        else:
            return None
        return self._from_column(field._replace(filled=needed), field.column_option, field.name)

    def _from_column(self, field: _Field, option: str, column: str) -> Taken:
        self._check_column(option, column)
        convert = self._converters.get(field.name, text_of)
        return Taken(field.name, column, lookup(column, column in (self._columns or ())), convert, field.filled)

    def _check_column(self, option: str, column: str) -> None:
        if self._columns is None or column in self._columns or column.partition(".")[0] in self._columns:
            return
        raise InvalidInput(
            f"{self._name}: there is no column {column!r} for {option_name(option)}; "
            f"the columns are: {listed(self._columns)}",
            field=option,
        )

    def _check_metadata(self) -> None:
        for column in self._options.metadata_columns or ():
            self._check_column("metadata_columns", column)

    def _refuse_gaps(self, fields: list[_Field], constants: dict[str, Any], taken: list[Taken]) -> None:
        given = constants.keys() | {each.field for each in taken}
        for field in fields:
            if field.meaning and field.name not in given:
                raise self._gap(field)

    def _gap(self, field: _Field) -> InvalidInput:
        names = [field.constant_option, field.column_option]
        options = " or ".join(option_name(name) for name in names if name)
        return InvalidInput(
            f"{self._name}: nothing says {field.meaning}; give {options}; "
            f"the columns are: {listed(self._columns or ())}",
            field=field.column_option,
        )
