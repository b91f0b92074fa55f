"""Metrics, prices and teams as keys and texts, to be compared and shown in a plan of changes."""

from collections.abc import Iterator, Mapping
from typing import Any

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
    length, name = next((length, name) for length, name in ((3600, "h"), (60, "m"), (1, "s")) if seconds % length == 0)
    return f"{seconds // length}{name}"


def describe_price(price: Price) -> dict[str, str]:
    """The keys of a price as the file writes them; a tier on one line."""
    terms = dict(_flat(price.to_parameters()))
    return {"model": price.model, "currency": price.currency, **terms}


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in parameters.items():
        if isinstance(value, list | tuple):
            yield from ((f"{key}[{i}]", _inline(item)) for i, item in enumerate(value))
        else:
            yield key, _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inline(inner)}" for key, inner in value.items())
    return str(value)
