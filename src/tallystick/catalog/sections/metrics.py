"""The `metrics` section: what is counted."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from tallystick.catalog.models import MetricEntry
from tallystick.catalog.place import Fields, Place, Refused
from tallystick.core.money import plain
from tallystick.metering.models import MAX_DIMENSIONS, SECONDS, Aggregation, Level, MetricDefinition

_EVENT_KEYS = ("event", "event_type")
_TIME_KEYS = ("value_unit", "per", "level")
_PERCENTILE_KEYS = ("percentile", "slot")
KEYS = (
    *("description", *_EVENT_KEYS, "filters", "aggregation", "value", "unit", "dimensions", "allow_negative"),
    *(*_TIME_KEYS, *_PERCENTILE_KEYS, "effective_from"),
)

LABELS = ("user_id", "event_name", "event_type")
"""Fields of an event that can be filtered, kept apart and counted as metadata can."""

_OTHER_FIELDS = ("team_id", "quantity", "unit", "timestamp", "idempotency_key")
_AMBIGUOUS = (*LABELS, "quantity")
_VALUELESS = (Aggregation.COUNT, Aggregation.UNIQUE_COUNT)
_METADATA = "metadata."
_SLOT = re.compile(r"([1-9][0-9]{0,3})([smh])")
_SLOT_SECONDS = {"s": 1, "m": 60, "h": 3600}


def read_metrics(section: Place) -> dict[str, MetricEntry]:
    """The metrics by name; those that are wrong are noted and left out."""
    metrics = {}
    for name, key, value in section.entries():
        key.attempt(Place.name)
        if metric := value.attempt(partial(_read_metric, name=name)):
            metrics[name] = metric
    return metrics


def _read_metric(place: Place, name: str) -> MetricEntry:
    fields = place.fields(KEYS)
    fields.read("description", Place.prose)
    effective_from = fields.read("effective_from", Place.instant)
    if not fields.given(*_EVENT_KEYS):
        place.refuse("needs event or event_type: which events it counts")
    return MetricEntry(_definition(fields, name), effective_from, fields.origin)


def _definition(fields: Fields, name: str) -> MetricDefinition:
    aggregation = fields.need("aggregation", lambda value: value.choice(Aggregation))
    if aggregation:
        _refuse_misplaced(fields, aggregation)
    per = fields.read("per", _per) or "hour"
    value_unit = _value_unit(fields, aggregation)
    return MetricDefinition(
        name=name,
        aggregation=aggregation or Aggregation.SUM,
        unit=_unit(fields, value_unit and f"{value_unit}-{per}"),
        event_name=fields.read("event", Place.text),
        event_type=fields.read("event_type", Place.text),
        filters=fields.read("filters", _filters) or {},
        value=_value(fields, aggregation),
        dimensions=fields.read("dimensions", _dimensions) or (),
        allow_negative=fields.read("allow_negative", Place.flag) or False,
        value_unit=value_unit,
        per=SECONDS[per],
        level=fields.read("level", lambda value: value.choice(Level)) or Level.ABSOLUTE,
        percentile=fields.read("percentile", _percentile) or Decimal(95),
        slot=fields.read("slot", _slot),
    )


def _refuse_misplaced(fields: Fields, aggregation: Aggregation) -> None:
    """Refuse options of another aggregation: they would have no effect, and someone meant one."""
    _only_for(fields, _TIME_KEYS, aggregation, Aggregation.TIME_WEIGHTED)
    _only_for(fields, _PERCENTILE_KEYS, aggregation, Aggregation.PERCENTILE)
    if aggregation in _VALUELESS and fields.given("allow_negative"):
        fields.at("allow_negative").refuse(f"has no meaning for {aggregation}, which looks at no amount")


def _only_for(fields: Fields, keys: tuple[str, ...], aggregation: Aggregation, fitting: Aggregation) -> None:
    if aggregation is not fitting:
        for key in fields.given(*keys):
            fields.at(key).refuse(f"is only for aggregation {fitting}, not {aggregation}")


def _value_unit(fields: Fields, aggregation: Aggregation | None) -> str | None:
    if aggregation is Aggregation.TIME_WEIGHTED:
        return fields.need("value_unit", Place.text, "the unit of the level, such as GB")
    return None


def _unit(fields: Fields, default: str | None) -> str:
    if default and not fields.given("unit"):
        return default
    return fields.need("unit", Place.text, "what one unit of usage is called, such as call or token") or ""


def _value(fields: Fields, aggregation: Aggregation | None) -> str:
    if aggregation is None:
        return ""
    if aggregation is Aggregation.COUNT:
        if fields.given("value"):
            fields.at("value").refuse("has no meaning for count, which counts events")
        return "quantity"
    if aggregation is Aggregation.UNIQUE_COUNT:
        hint = "what is told apart: user_id, or a metadata path such as metadata.session"
        return fields.need("value", lambda value: _source(value, LABELS), hint) or ""
    return fields.read("value", lambda value: _source(value, ("quantity",))) or "quantity"


def _source(place: Place, own: tuple[str, ...]) -> str:
    """Where an event's value is: one of its own fields that fit, or a metadata path."""
    text = place.text()
    if text in own:
        return text
    if text.startswith(_METADATA):
        return _metadata_path(text)
    hint = "" if text in (*LABELS, *_OTHER_FIELDS) else f"; did you mean {_METADATA}{text}?"
    allowed = ", ".join((*own, f"a metadata path such as {_METADATA}bytes"))
    raise Refused(f"must be one of {allowed}, not {text!r}{hint}")


def _label(place: Place) -> str:
    """A field of the event, or a metadata path with or without its prefix."""
    text = place.text()
    if text in _OTHER_FIELDS:
        raise Refused(f"the event's own {text} can't be used here; a metadata key is {_METADATA}{text}")
    return _metadata_path(text)


def dimension_path(text: str) -> str:
    """The name of a dimension as metrics keep it; what can't be one stays as it is written."""
    path = text.removeprefix(_METADATA)
    return text if path in _AMBIGUOUS or path.startswith(_METADATA) else path


def _metadata_path(text: str) -> str:
    """The path without its prefix, where that leaves no doubt."""
    if not all(text.split(".")):
        raise Refused(f"{text!r} is not a metadata path such as region or usage.input_tokens")
    return dimension_path(text)


def _filters(place: Place) -> Mapping[str, tuple[str, ...]]:
    filters = {}
    for _, key, value in place.entries():
        path, texts = key.attempt(_label), value.attempt(_alternatives)
        if path in filters:
            key.refuse(f"{path} is filtered already")
        elif path and texts:
            filters[path] = texts
    return filters


def _alternatives(place: Place) -> tuple[str, ...]:
    """The texts of one value or of a list of them, each once, in an order that does not matter."""
    if not isinstance(place.node.value, list):
        return (_filter_text(place),)
    texts = place.each(_filter_text)
    if not place.items():
        raise Refused("must name at least one value")
    return tuple(sorted(set(texts)))


def _filter_text(place: Place) -> str:
    """The text that a JSON value of this content is compared by: 200 and "200", true and "true" alike."""
    value = place.node.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        written = place.node.text
        return written if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", written) else plain(place.number())
    if value is None:
        raise Refused("null can't be matched; name the values that count")
    return place.text()


def _dimensions(place: Place) -> tuple[str, ...]:
    paths = place.each(_label)
    if len(place.items()) > MAX_DIMENSIONS:
        raise Refused(f"must be at most {MAX_DIMENSIONS}, not {len(place.items())}")
    for path in {path for path in paths if paths.count(path) > 1}:
        raise Refused(f"{path} is there twice")
    return tuple(paths)


def _per(place: Place) -> str:
    if place.node.text not in SECONDS:
        raise Refused(f"must be one of {', '.join(SECONDS)}, not {place.node.text!r}")
    return place.node.text


def _percentile(place: Place) -> Decimal:
    number = place.number()
    if not 0 < number <= 100:
        raise Refused(f"must be above 0 and at most 100, not {plain(number)}")
    return number


def _slot(place: Place) -> int:
    """Seconds of `30s`, `5m`, `1h`: slots must not straddle the hours that usage is rolled up by."""
    match = _SLOT.fullmatch(place.node.text)
    seconds = int(match[1]) * _SLOT_SECONDS[match[2]] if match else 0
    if seconds == 0 or 3600 % seconds:
        raise Refused(f"must divide an hour, such as 30s, 5m, 15m or 1h, not {place.node.text!r}")
    return seconds
