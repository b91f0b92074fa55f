"""How a metric definition reads in SQL: which events match, what each is worth, what is kept apart.

Values from the catalogue travel as parameters, never as SQL text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Literal, Placeholder

from tallystick.metering.models import Aggregation, MetricDefinition, MetricVersion
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

EVENT_FIELDS = {
    "user_id": SQL("e.user_id"),
    "event_name": SQL("e.event_name"),
    "event_type": SQL("e.event_type"),
}
"""Names that mean a field of the event; every other path leads into its metadata."""

NOTHING = SQL("NULL::text")
ALWAYS = SQL("TRUE")
DIMENSIONS = SQL("dimensions")


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


def metric_sql(version: MetricVersion, prefix: str = "") -> MetricSql:
    """Compile a metric version; where several are in one statement, the prefix tells their parameters apart."""
    named = _Parameters(prefix)
    definition = version.definition
    return MetricSql(
        match=_match(version, named),
        value=_value(definition, named),
        member=_member(definition, named),
        dimensions=text_array([_label(path, f"dimension_{i}", named) for i, path in enumerate(definition.dimensions)]),
        parameters=named.values,
    )


def text_array(items: Sequence[Composable]) -> Composed:
    """`ARRAY[…]::text[]` of the items."""
    return SQL("ARRAY[{}]::text[]").format(SQL(", ").join(items))


def picked(names: Sequence[str], dimensions: Sequence[str], column: Composable = DIMENSIONS) -> Composable:
    """The values of these names among a version's dimensions, as an array; NULL for one that it does not have."""
    if tuple(names) == tuple(dimensions):
        return column
    return text_array([place_of(name, dimensions, column) for name in names])


def place_of(name: str, dimensions: Sequence[str], column: Composable = DIMENSIONS) -> Composable:
    """The value of one of a version's dimensions; NULL when it does not have it."""
    if name not in dimensions:
        return NOTHING
    return SQL("({})[{}]").format(column, Literal(dimensions.index(name) + 1))


def having(
    where: Mapping[str, Sequence[str | None]], dimensions: Sequence[str], column: Composable, prefix: str
) -> tuple[Composable, dict[str, Any]]:
    """Whether a version's dimensions have one of the wanted values each, None being an absent one; and parameters."""
    named = _Parameters(prefix)
    conditions: list[Composable] = [ALWAYS]
    for i, (name, wanted) in enumerate(where.items()):
        value = place_of(name, dimensions, column)
        texts = named.add(f"having_{i}", [text for text in wanted if text is not None])
        absent = SQL(" OR {} IS NULL").format(value) if None in wanted else SQL("")
        conditions.append(SQL("({} = ANY({}::text[]){})").format(value, texts, absent))
    return SQL(" AND ").join(conditions), named.values


def metric_events(
    sql: MetricSql,
    source: Composable,
    scope: Composable,
    *,
    dimensions: Composable | None = None,
    known: Composable = ALWAYS,
) -> Composed:
    """The statement of the events that a metric version counts, from a source and within a scope.

    Args:
        sql: the compiled version.
        source: the table, with the alias `e`, or a join that has it.
        scope: which events of the source.
        dimensions: what stands for the dimensions; None: the version's.
        known: which corrections (`c`) count.
    """
    return QUERIES["metric_events"].format(
        dimensions=sql.dimensions if dimensions is None else dimensions,
        value=sql.value,
        member=sql.member,
        match=sql.match,
        source=source,
        scope=scope,
        known=known,
    )


def moment(definition: MetricDefinition) -> Composable:
    """Σ change × its instant, which changes of a level need; NULL for every other metric."""
    if definition.changes_level:
        return SQL("sum(value * extract(epoch FROM occurred_at))")
    return SQL("NULL::numeric")


@dataclass(frozen=True, slots=True)
class _Parameters:
    """Values that travel beside a statement, each under a name of its own."""

    prefix: str
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> Placeholder:
        self.values[self.prefix + name] = value
        return Placeholder(self.prefix + name)


def _text(path: str, name: str, named: _Parameters) -> Composable:
    if path in EVENT_FIELDS:
        return EVENT_FIELDS[path]
    return SQL("(e.metadata #>> {}::text[])").format(named.add(name, metadata_path(path)))


def _label(path: str, name: str, named: _Parameters) -> Composable:
    return SQL("usage_label({})").format(_text(path, name, named))


def _match(version: MetricVersion, named: _Parameters) -> Composed:
    definition = version.definition
    conditions: list[Composable] = []
    for column, wanted in (("event_name", definition.event_name), ("event_type", definition.event_type)):
        if wanted is not None:
            conditions.append(SQL("e.{} = {}").format(SQL(column), named.add(f"match_{column}", wanted)))
    if version.effective_from is not None:
        conditions.append(SQL("e.occurred_at >= {}").format(named.add("effective_from", version.effective_from)))
    if version.effective_to is not None:
        conditions.append(SQL("e.occurred_at < {}").format(named.add("effective_to", version.effective_to)))
    for i, (path, allowed) in enumerate(definition.filters.items()):
        text = _text(path, f"filter_{i}", named)
        conditions.append(SQL("{} = ANY({}::text[])").format(text, named.add(f"filter_{i}_allowed", list(allowed))))
    return SQL(" AND ").join(conditions)


def _value(definition: MetricDefinition, named: _Parameters) -> Composable:
    if definition.aggregation is Aggregation.COUNT:
        return SQL("1::numeric")
    if definition.aggregation is Aggregation.UNIQUE_COUNT:
        return SQL("NULL::numeric")
    return _number(definition, named)


def _number(definition: MetricDefinition, named: _Parameters) -> Composable:
    """The event's value, NULL where it can't be valued: no number, another unit, or a sign not allowed."""
    if definition.value == "quantity":
        unit = named.add("expected_unit", definition.expected_unit)
        number = SQL("CASE WHEN e.unit IS NULL OR e.unit = {} THEN e.quantity END").format(unit)
    else:
        path = named.add("value_path", metadata_path(definition.value))
        number = SQL("usage_number(e.metadata #> {}::text[])").format(path)
    return number if definition.accepts_negative else SQL("usage_unsigned({})").format(number)


def _member(definition: MetricDefinition, named: _Parameters) -> Composable:
    if definition.aggregation is Aggregation.UNIQUE_COUNT:
        return _label(definition.value, "value_path", named)
    if definition.keeps_values:
        return SQL("trim_scale({})::text").format(_number(definition, named))
    return NOTHING
