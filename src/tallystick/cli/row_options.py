"""The options that say what the rows of files mean, as `import` and `tail` take them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import typer

from tallystick.importing import Format, Identity, ImportOptions, option_help, parse_quantities


def _option(name: str) -> Any:
    return typer.Option(help=option_help(name))


FormatOption: TypeAlias = Annotated[Format, _option("format")]
Columns: TypeAlias = Annotated[str | None, _option("columns")]
Delimiter: TypeAlias = Annotated[str | None, _option("delimiter")]
Team: TypeAlias = Annotated[str | None, _option("team")]
TeamColumn: TypeAlias = Annotated[str | None, _option("team_column")]
Event: TypeAlias = Annotated[str | None, _option("event")]
EventColumn: TypeAlias = Annotated[str | None, _option("event_column")]
Quantity: TypeAlias = Annotated[str | None, _option("quantity")]
QuantityColumn: TypeAlias = Annotated[str | None, _option("quantity_column")]
Quantities: TypeAlias = Annotated[list[str] | None, _option("quantities")]
Unit: TypeAlias = Annotated[str | None, _option("unit")]
UnitColumn: TypeAlias = Annotated[str | None, _option("unit_column")]
TimestampColumn: TypeAlias = Annotated[str | None, _option("timestamp_column")]
TimestampFormat: TypeAlias = Annotated[str, _option("timestamp_format")]
TimestampZone: TypeAlias = Annotated[str, _option("timestamp_zone")]
UserColumn: TypeAlias = Annotated[str | None, _option("user_column")]
EventType: TypeAlias = Annotated[str | None, _option("event_type")]
EventTypeColumn: TypeAlias = Annotated[str | None, _option("event_type_column")]
MetadataColumns: TypeAlias = Annotated[str | None, _option("metadata_columns")]
KeyColumn: TypeAlias = Annotated[str | None, _option("key_column")]
IdentityOption: TypeAlias = Annotated[Identity, _option("identity")]
SourceId: TypeAlias = Annotated[str | None, _option("source_id")]
CreateTeams: TypeAlias = Annotated[bool, typer.Option("--create-teams", help="Create teams that do not exist yet.")]


def import_options(**given: Any) -> ImportOptions:
    """The options as they were typed, understood.

    Raises:
        InvalidInput: they make no sense; names the option.
    """
    return ImportOptions(**{name: _READ.get(name, _as_it_is)(value) for name, value in given.items()})


def _as_it_is(value: Any) -> Any:
    return value


def _list(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str | None) -> Decimal | None:
    from tallystick.core.money import parse_decimal

    return None if text is None else parse_decimal(text, field="quantity")


_READ: dict[str, Callable[[Any], Any]] = {
    "columns": _list,
    "metadata_columns": _list,
    "quantity": _number,
    "quantities": lambda texts: parse_quantities(texts or []),
}
