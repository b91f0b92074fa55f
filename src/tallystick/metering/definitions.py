"""A metric's definition as JSON, in which it is stored, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from tallystick.core.money import plain
from tallystick.metering.models import Aggregation, Level, MetricDefinition


def definition_to_json(definition: MetricDefinition) -> dict[str, Any]:
    """Every field, so that a default that changes later does not change what was stored.

    The percentile is decimal text: a JSON number would come back as a float.
    """
    filters = {path: list(texts) for path, texts in definition.filters.items()}
    return asdict(definition) | {
        "filters": filters,
        "dimensions": list(definition.dimensions),
        "percentile": plain(definition.percentile),
    }


def definition_from_json(stored: Mapping[str, Any]) -> MetricDefinition:
    """The definition that `definition_to_json` wrote, equal to the one it was given."""
    return MetricDefinition(
        **{
            **stored,
            "aggregation": Aggregation(stored["aggregation"]),
            "level": Level(stored["level"]),
            "filters": {path: tuple(texts) for path, texts in stored["filters"].items()},
            "dimensions": tuple(stored["dimensions"]),
            "percentile": Decimal(stored["percentile"]),
        }
    )
