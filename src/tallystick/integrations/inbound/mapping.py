"""From a payload to events, in our words: what a source's map says, exactly."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from tallystick.core.errors import InvalidInput
from tallystick.core.money import plain
from tallystick.integrations.inbound.models import EventMap, FieldMap, Path, Source, TimeFormat
from tallystick.metering.decoding import Decoded, Invalid, Limits, decode, rejection, shown

MOST_EXPONENT = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROOT = "$"
PER_SECOND = {TimeFormat.UNIX: 1, TimeFormat.UNIX_MS: 1000}
MISSING = object()


class Taken(NamedTuple):
    """The events of a payload, and how many items were passed over."""

    decoded: Decoded
    ignored: int


class _Place(NamedTuple):
    """Where a field is looked for: an item, the payload it is in, and the request's headers."""

    item: Any
    payload: Any
    headers: Mapping[str, str]


def read_payload(body: bytes, *, form: bool = False) -> Any:
    """The payload, with numbers as they are written.

    Raises:
        InvalidInput: it is not JSON, or no form.
    """
    if form:
        return _form(body)
    try:
        return _payload.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise InvalidInput(f"the body is not valid JSON: {error}", code="malformed_json") from None


def events_of(source: Source, payload: Any, headers: Mapping[str, str], limits: Limits) -> Taken:
    """The events of a payload; those that can't be made are rejected, as far as they could be.

    Raises:
        InvalidInput: there is no list where the source's items are.
        TooLarge: more events than one request may hold.
    """
    items = _items(source, payload)
    places = [_Place(item, payload, headers) for item in items]
    wanted = [place for place in places if _is_wanted(source, place)]
    ignored = len(places) - len(wanted)
    if not wanted:
        return Taken(Decoded([], [], {}, 0), ignored)
    made = [_event(source, place, number) for number, place in enumerate(wanted)]
    raws = [_encode(words) for words, _ in made]
    decoded = decode(b"[" + b",".join(raws) + b"]", limits)
    return Taken(_without(decoded, raws, {i: problem for i, (_, problem) in enumerate(made) if problem}), ignored)


def _without(decoded: Decoded, raws: Sequence[bytes], problems: Mapping[int, Invalid]) -> Decoded:
    """The events without those whose fields could not be made, which are rejected for that."""
    events = [each for each in decoded.events if each[0] not in problems]
    rejections = [each for each in decoded.rejections if each.position not in problems]
    rejections += [rejection(position, raws[position], problem) for position, problem in problems.items()]
    return Decoded(events, rejections, {}, decoded.size)


def _items(source: Source, payload: Any) -> Sequence[Any]:
    if source.items is None:
        return [payload]
    found = _at(payload, source.items)
    if not isinstance(found, list):
        raise InvalidInput(f"there is no list at {'.'.join(source.items)} in the payload", code="malformed_body")
    return found


def _is_wanted(source: Source, place: _Place) -> bool:
    for path, allowed in source.when.items():
        value = _found(place, tuple(path.split(".")))
        if value is MISSING or _text(value) not in allowed:
            return False
    return True


def _event(source: Source, place: _Place, number: int) -> tuple[dict[str, Any], Invalid | None]:
    """The fields of an event as far as they can be made, and what is wrong with the first that can't."""
    words: dict[str, Any] = {}
    problem: Invalid | None = None
    for name, field in source.map.fields():
        try:
            if (value := _value(name, field, place)) is not MISSING:
                words[name] = value
        except Invalid as error:
            problem = problem or error
    if metadata := _metadata(source.map, place):
        words["metadata"] = metadata
    if "idempotency_key" not in words:
        problem = problem or _give_key(source, place, number, words)
    return words, problem


def _give_key(source: Source, place: _Place, number: int, words: dict[str, Any]) -> Invalid | None:
    """The id of a Standard Webhooks message is its identity; without one nobody could send the event again."""
    id = place.headers.get("webhook-id") or place.headers.get("svix-id")
    if source.map.idempotency_key is None and id:
        words["idempotency_key"] = f"{id}/{number}" if source.items is not None else id
        return None
    return Invalid("idempotency_key", "missing_field", "idempotency_key is required; the payload has none")


def _metadata(wanted: EventMap, place: _Place) -> Any:
    if wanted.metadata == "all":
        return place.item
    found = {name: _raw(field, place) for name, field in wanted.metadata.items()}
    return {name: value for name, value in found.items() if value is not MISSING and value is not None}


def _value(name: str, field: FieldMap, place: _Place) -> Any:
    """The value of a field; MISSING where there is none, and then the field is left out."""
    value = _raw(field, place)
    if value is MISSING or value is None:
        return MISSING if field.default is None else field.default
    if field.lookup is not None:
        return _looked_up(name, field, _text(value))
    if field.format in PER_SECOND:
        return _instant(name, value, PER_SECOND[field.format])
    return value if name == "quantity" else _text(value)


def _raw(field: FieldMap, place: _Place) -> Any:
    if field.value is not None:
        return field.value
    if field.header is not None:
        return place.headers.get(field.header.lower(), MISSING)
    if field.path is not None:
        return _found(place, field.path)
    parts = [_found(place, path) for path in field.join]
    if any(part is MISSING or part is None for part in parts):
        return MISSING
    return "/".join(_text(part) for part in parts)


def _looked_up(name: str, field: FieldMap, text: str) -> str:
    table = field.lookup or {}
    if text in table:
        return table[text]
    if field.default is not None:
        return field.default
    code = "unknown_team" if name == "team_id" else f"invalid_{name}"
    raise Invalid(name, code, f"{name}: '{shown(text)}' is not in the source's lookup")


def _instant(name: str, value: Any, per_second: int) -> str:
    """An instant in RFC 3339; what is finer than a microsecond is cut off, which never moves it ahead."""
    try:
        microseconds = Decimal(_text(value)) * 1_000_000 / per_second
        return (EPOCH + timedelta(microseconds=int(microseconds))).isoformat()
    except (InvalidOperation, ValueError, OverflowError):
        raise Invalid(name, f"invalid_{name}", f"{name} '{shown(_text(value))}' is not Unix time") from None


def _found(place: _Place, path: Path) -> Any:
    if path[0] == ROOT:
        return _at(place.payload, path[1:])
    return _at(place.item, path)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def _text(value: Any) -> str:
    """A value as text: numbers as they are written, the rest as JSON."""
    match value:
        case str():
            return value
        case bool() | None | dict() | list():
            return _encode(value).decode()
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=1000))
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(f"the body is no form: {error}", code="malformed_body") from None


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MOST_EXPONENT:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


_payload = msgspec.json.Decoder(Any, float_hook=_exact)
_encode = msgspec.json.Encoder(decimal_format="number").encode
