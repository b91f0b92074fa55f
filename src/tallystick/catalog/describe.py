"""Metrics, prices and teams as keys and texts, to be compared and shown in a plan of changes."""

from collections.abc import Iterator, Mapping
from typing import Any

from tallystick.catalog.documents import rules_to_json, team_terms_to_json, terms_to_json
from tallystick.catalog.rules import BillingRules
from tallystick.catalog.terms import TeamTerms, Terms
from tallystick.core.money import plain
from tallystick.metering.models import SECONDS, Aggregation, MetricDefinition
from tallystick.pricing import Price

_PER = {seconds: name for name, seconds in SECONDS.items()}


def describe_metric(definition: MetricDefinition) -> dict[str, str]:
    """The keys of a metric as the file writes them, without those at their default."""
    return dict(_metric_keys(definition))


def _metric_keys(definition: MetricDefinition) -> Iterator[tuple[str, str]]:
    yield "aggregation", str(definition.aggregation)
    yield "unit", definition.unit
    if definition.event_name:
        yield "event", definition.event_name
    if definition.event_type:
        yield "event_type", definition.event_type
    if definition.aggregation is not Aggregation.COUNT:
        yield "value", definition.value
    for path, texts in sorted(definition.filters.items()):
        yield f"filters.{path}", ", ".join(texts)
    if definition.dimensions:
        yield "dimensions", ", ".join(definition.dimensions)
    if definition.allow_negative:
        yield "allow_negative", "true"
    yield from _options(definition)


def _options(definition: MetricDefinition) -> Iterator[tuple[str, str]]:
    if definition.aggregation is Aggregation.TIME_WEIGHTED:
        yield "value_unit", definition.expected_unit
        yield "per", _PER[definition.per]
        yield "level", str(definition.level)
    if definition.aggregation is Aggregation.PERCENTILE:
        yield "percentile", plain(definition.percentile)
        if definition.slot:
            yield "slot", _duration(definition.slot)


def _duration(seconds: int) -> str:
    units = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    length, name = next(unit for unit in units if (seconds and seconds % unit[0] == 0) or unit[0] == 1)
    return f"{seconds // length}{name}"


def describe_price(price: Price) -> dict[str, str]:
    """The keys of a price as the file writes them; a tier, or a rate of a matrix, on one line."""
    parameters = price.to_parameters()
    metric = {"metric": price.metric} if price.metric and parameters.pop("name", price.metric) != price.metric else {}
    return {**metric, "model": price.model, "currency": price.currency, **dict(_flat(parameters))}


def describe_terms(terms: Terms) -> dict[str, str]:
    """The terms of a plan as the file writes them, without those at their default."""
    return dict(_flat(_instants_shortened(terms_to_json(terms))))


def describe_team_terms(terms: TeamTerms) -> dict[str, str]:
    """What was agreed with a team."""
    return dict(_flat(_instants_shortened(team_terms_to_json(terms))))


def describe_rules(rules: BillingRules) -> dict[str, str]:
    """How periods are closed and invoices written."""
    document = rules_to_json(rules)
    return {"grace": _duration(int(rules.grace.total_seconds())), "late_usage": str(rules.late_usage)} | dict(
        _flat({key: value for key, value in document.items() if key not in ("grace", "late_usage")})
    )


def _instants_shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Discounts with `from` and `to`, as the file writes them."""
    names = {"effective_from": "from", "effective_to": "to"}
    discounts = [
        {names.get(key, key): value.replace("+00:00", "Z") if key in names else value for key, value in each.items()}
        for each in document.get("discounts", ())
    ]
    return {**document, "discounts": discounts} if discounts else document


def _flat(parameters: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in parameters.items():
        at = f"{path}{key}"
        if isinstance(value, list | tuple):
            yield from ((f"{at}[{i}]", _inline(item)) for i, item in enumerate(value))
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{at}.")
        else:
            yield at, _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inline(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return f"[{'; '.join(_inline(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
