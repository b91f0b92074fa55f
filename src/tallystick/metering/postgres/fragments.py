"""How a metric definition reads in SQL: which events match, what each is worth, what is kept apart.

Values from the catalogue travel as parameters, never as SQL text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Placeholder

from tallystick.metering.models import Aggregation, MetricDefinition, MetricVersion

EVENT_FIELDS = {
    "user_id": SQL("e.user_id"),
    "event_name": SQL("e.event_name"),
    "event_type": SQL("e.event_type"),
}
"""Names that mean a field of the event; every other path leads into its metadata."""

NOTHING = SQL("NULL::text")
ALWAYS = SQL("TRUE")


def metadata_path(path: str) -> list[str]:
    """The keys that a dotted path descends: `usage.input` and `metadata.usage.input` → [usage, input]."""
    return path.removeprefix("metadata.").split(".")


@dataclass(frozen=True, slots=True)
class MetricSql:
    """The pieces of SQL of one metric version, and their parameters."""

    match: Composable
    value: Composable
    member: Composable
    dimensions: Composable
    parameters: Mapping[str, Any]


def metric_sql(version: MetricVersion) -> MetricSql:
    """Compile a metric version."""
    parameters: dict[str, Any] = {}
    definition = version.definition
    return MetricSql(
        match=_match(version, parameters),
        value=_value(definition, parameters),
        member=_member(definition, parameters),
        dimensions=text_array(
            [_label(path, f"dimension_{i}", parameters) for i, path in enumerate(definition.dimensions)]
        ),
        parameters=parameters,
    )


def text_array(items: Sequence[Composable]) -> Composed:
    """`ARRAY[…]::text[]` of the items."""
    return SQL("ARRAY[{}]::text[]").format(SQL(", ").join(items))


def _text(path: str, name: str, parameters: dict[str, Any]) -> Composable:
    if path in EVENT_FIELDS:
        return EVENT_FIELDS[path]
    parameters[name] = metadata_path(path)
    return SQL("(e.metadata #>> {}::text[])").format(Placeholder(name))


def _label(path: str, name: str, parameters: dict[str, Any]) -> Composable:
    return SQL("usage_label({})").format(_text(path, name, parameters))


def _match(version: MetricVersion, parameters: dict[str, Any]) -> Composed:
    definition = version.definition
    conditions: list[Composable] = []
    for column, wanted in (("event_name", definition.event_name), ("event_type", definition.event_type)):
        if wanted is not None:
            parameters[f"match_{column}"] = wanted
            conditions.append(SQL("e.{} = {}").format(SQL(column), Placeholder(f"match_{column}")))
    for sign, bound, name in (
        (">=", version.effective_from, "effective_from"),
        ("<", version.effective_to, "effective_to"),
    ):
        if bound is not None:
            parameters[name] = bound
            conditions.append(SQL("e.occurred_at {} {}").format(SQL(sign), Placeholder(name)))
    for i, (path, allowed) in enumerate(definition.filters.items()):
        parameters[f"filter_{i}_allowed"] = list(allowed)
        text = _text(path, f"filter_{i}", parameters)
        conditions.append(SQL("{} = ANY({}::text[])").format(text, Placeholder(f"filter_{i}_allowed")))
    return SQL(" AND ").join(conditions)


def _value(definition: MetricDefinition, parameters: dict[str, Any]) -> Composable:
    if definition.aggregation is Aggregation.COUNT:
        return SQL("1::numeric")
    if definition.aggregation is Aggregation.UNIQUE_COUNT:
        return SQL("NULL::numeric")
    return _number(definition, parameters)


def _number(definition: MetricDefinition, parameters: dict[str, Any]) -> Composable:
    """The event's value, NULL where it can't be valued: no number, another unit, or a sign not allowed."""
    number: Composable = SQL("e.quantity")
    conditions: list[Composable] = []
    if definition.value == "quantity":
        parameters["expected_unit"] = definition.expected_unit
        conditions.append(SQL("(e.unit IS NULL OR e.unit = {})").format(Placeholder("expected_unit")))
    else:
        parameters["value_path"] = metadata_path(definition.value)
        number = SQL("usage_number(e.metadata #> {}::text[])").format(Placeholder("value_path"))
    if not definition.accepts_negative:
        conditions.append(SQL("{} >= 0").format(number))
    if not conditions:
        return number
    return SQL("CASE WHEN {} THEN {} END").format(SQL(" AND ").join(conditions), number)


def _member(definition: MetricDefinition, parameters: dict[str, Any]) -> Composable:
    if definition.aggregation is Aggregation.UNIQUE_COUNT:
        return _label(definition.value, "value_path", parameters)
    if definition.keeps_values:
        return SQL("trim_scale({})::text").format(_number(definition, parameters))
    return NOTHING
