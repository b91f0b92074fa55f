"""From a request body to events: what is well-formed becomes a `NewEvent`, everything else a `Rejection`.

A body is one JSON event, a JSON array of events, or NDJSON. Every event stands alone: a bad one is
rejected with its position, field and reason, and its neighbours are not touched. Numbers stay decimal.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from tallystick.core.clock import EARLIEST
from tallystick.core.errors import InvalidInput, TooLarge
from tallystick.core.ids import content_hash, event_id, new_idempotency_key
from tallystick.core.money import ZERO, plain, quantity_problem
from tallystick.metering.models import NewEvent
from tallystick.metering.splitting import split_leniently

MAX_METADATA_KEYS = 50
MAX_METADATA_BYTES = 16 * 1024
MAX_METADATA_DEPTH = 16
ESCAPED_BYTES = 6
"""Most bytes that JSON may spend on one byte of text (`\\u0041`)."""
MAX_KEY = 255
BOM = b"\xef\xbb\xbf"
MAX_NUMBER_EXPONENT = 1000
LINES_PER_EVENT = 16
COMMAS_PER_EVENT = 256
COMMON_DIGITS = 16
LONGEST_EXACT_INSTANT = len("2026-03-01T00:00:00.000000Z")
"""A text that is no longer and names an offset has no digits past microseconds."""
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class Rejection(NamedTuple):
    """Why the event at a position of a request was not taken.

    `body` is the event as it was sent, in a `format` that `metering.dead_letters.reading` knows. `made_key` says
    that its idempotency key is none that the sender gave.
    """

    position: int
    field: str | None
    code: str
    message: str
    body: bytes
    team_id: str | None = None
    idempotency_key: str | None = None
    format: str = "event"
    made_key: bool = False


class Decoded(NamedTuple):
    """The events of a request: `events` with their places in it and as they were sent, and those rejected already."""

    events: list[tuple[int, NewEvent, bytes | msgspec.Raw]]
    rejections: list[Rejection]
    generated_keys: dict[int, str]
    size: int
    format: str = "event"


class EventIn(msgspec.Struct, forbid_unknown_fields=True):
    """An event as a client sends it."""

    team_id: str
    event_name: str
    quantity: msgspec.Raw = msgspec.Raw(b"1")
    unit: str | None = None
    timestamp: str | None = None
    user_id: str | None = None
    event_type: str | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    idempotency_key: str | None = None


FIELDS = ", ".join(EventIn.__struct_fields__)


class Invalid(Exception):
    """What is wrong with one event; becomes its rejection."""

    def __init__(self, field: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_NUMBER_EXPONENT:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


_events = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(EventIn)
_metadata = msgspec.json.Decoder(dict[str, Any], float_hook=_exact)
_loose = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_number = re.compile(rb'("?)[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?\1')
_past_microseconds = re.compile(r"(\.[0-9]{6})[0-9]+")
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class Limits(NamedTuple):
    """What a request may hold, and what "now" is."""

    now: datetime
    future_tolerance: timedelta
    max_events: int


def split_body(body: bytes, *, ndjson: bool, max_events: int) -> Sequence[bytes | msgspec.Raw]:
    """The events of a body as slices of JSON text.

    Raises:
        InvalidInput: the body is no JSON (the offset is named), empty, or not UTF-8.
        TooLarge: more events than one request may hold.
    """
    body = body.removeprefix(BOM)
    if not ndjson:
        ndjson = _looks_like_lines(body)
    parts: Sequence[bytes | msgspec.Raw]
    if ndjson:
        _bound(body, b"\n", max_events * LINES_PER_EVENT, "lines")
        parts = [line for line in body.split(b"\n") if line.strip()]
    elif body.lstrip()[:1] == b"[":
        _bound(body, b",", max_events * COMMAS_PER_EVENT, "values")
        parts = _decode_array(body, max_events)
    else:
        parts = [body]
    if not parts or not body.strip():
        raise InvalidInput("the body holds no event; send one, an array, or one per line", code="empty_body")
    if len(parts) > max_events:
        raise TooLarge(f"{len(parts)} events in one request; at most {max_events} are allowed")
    return parts


def _bound(body: bytes, sign: bytes, most: int, name: str) -> None:
    """Refuse what would be millions of parts before they are made: they need far more memory than the body."""
    if len(body) > most and body.count(sign) > most:
        raise TooLarge(f"more than {most} {name} in one request; send it as several")


def _decode_array(body: bytes, max_events: int) -> Sequence[bytes | msgspec.Raw]:
    try:
        return _events.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # One event with `NaN` or half a surrogate pair must not take the others with it.
        return split_leniently(body, max_events) or _refuse(f"the body is not valid JSON: {error}")


def _refuse(message: str) -> Sequence[bytes]:
    raise InvalidInput(message, code="malformed_json")


def _looks_like_lines(body: bytes) -> bool:
    """Whether a body that is called JSON is NDJSON: several lines of which the first is a whole object."""
    first, newline, rest = body.strip().partition(b"\n")
    if not newline or not rest.strip() or not (first.startswith(b"{") and first.rstrip().endswith(b"}")):
        return False
    try:
        _loose.decode(first)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def decode(body: bytes, limits: Limits, *, ndjson: bool = False) -> Decoded:
    """The events of a request body; see the module. Raises what `split_body` raises."""
    parts = split_body(body, ndjson=ndjson, max_events=limits.max_events)
    decoded = Decoded([], [], {}, len(parts))
    text = _is_utf8(body)
    for index, part in enumerate(parts):
        try:
            sent = _decode_event(part, text=text)
            if sent.idempotency_key is None:
                sent.idempotency_key = decoded.generated_keys[index] = new_idempotency_key()
            decoded.events.append((index, to_event(sent, limits), part))
        except Invalid as problem:
            decoded.generated_keys.pop(index, None)
            decoded.rejections.append(rejection(index, bytes(part), problem))
    if decoded.size == 1 and decoded.rejections and decoded.rejections[0].code == "malformed_json":
        raise InvalidInput(f"the body is {decoded.rejections[0].message}", code="malformed_json")
    return decoded


def rejection(index: int, raw: bytes, problem: Invalid) -> Rejection:
    """The rejection of an event as it was sent, with what can be read of its team and key."""
    try:
        loose = _loose.decode(raw)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        loose = {}
    team, key = (_clean(loose.get(name)) for name in ("team_id", "idempotency_key"))
    return Rejection(index, problem.field, problem.code, str(problem), raw, team, key)


def _clean(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_KEY and "\x00" not in value else None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_event(raw: bytes | msgspec.Raw, *, text: bool) -> EventIn:
    """An event; unless all of the body is `text`, whether it is UTF-8 is looked at event by event."""
    try:
        if not text:
            bytes(raw).decode()
        return _event.decode(raw)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(None, "malformed_json", f"not valid JSON: {error}") from None


def _explained(message: str) -> Invalid:
    """A decoder's message as field and reason."""
    found = _PATH.search(message)
    field = found["path"] or None if found else None
    reason = _PATH.sub("", message)
    if reason.startswith("Object contains unknown field"):
        name = shown(reason.split("`", 1)[1].rpartition("`")[0])
        return Invalid(name, "unknown_field", f"unknown field '{name}'; allowed are {FIELDS}")
    if reason.startswith("Object missing required field"):
        name = reason.split("`")[1]
        return Invalid(name, "missing_field", f"{name} is required")
    code = f"invalid_{field}" if field in EventIn.__struct_fields__ else "invalid_event"
    return Invalid(field, code, f"{field or 'event'}: {reason}")


def to_event(sent: EventIn, limits: Limits) -> NewEvent:
    """The event that was sent, checked.

    Raises:
        Invalid: a field does not fit; names it and says what is allowed.
    """
    _check_text("team_id", sent.team_id, required=True)
    _check_text("event_name", sent.event_name, required=True)
    _check_text("unit", sent.unit)
    _check_text("user_id", sent.user_id)
    _check_text("event_type", sent.event_type)
    key = sent.idempotency_key or ""
    _check_text("idempotency_key", key, required=True)
    sent_quantity = bytes(sent.quantity)
    quantity, spelled = (_known_quantity if len(sent_quantity) < COMMON_DIGITS else _quantity)(sent_quantity)
    metadata = canonical_metadata(bytes(sent.metadata))
    occurred_at = limits.now if sent.timestamp is None else _check_timestamp(_instant(sent.timestamp), limits)
    content = (sent.event_name, sent.event_type, sent.user_id, spelled, sent.unit, metadata)
    return NewEvent(
        event_id(sent.team_id, key),
        content_hash(_encode(content)),
        sent.team_id,
        sent.user_id,
        sent.event_type,
        sent.event_name,
        quantity,
        sent.unit,
        metadata,
        key,
        occurred_at,
    )


def _quantity(raw: bytes) -> tuple[Decimal, str]:
    """The number that a JSON number or a decimal string spells, exactly, and how we spell it."""
    if not _number.fullmatch(raw):
        raise Invalid("quantity", "invalid_quantity", 'quantity must be a number, or a decimal string such as "0.25"')
    quantity = Decimal(raw.strip(b'"').decode())
    if problem := quantity_problem(quantity):
        raise Invalid("quantity", "invalid_quantity", f"quantity: {problem}")
    return quantity or ZERO, plain(quantity)


_known_quantity = lru_cache(maxsize=4096)(_quantity)
"""For short ones, which come again and again."""


def _instant(text: str) -> datetime:
    """The instant of an RFC 3339 text; digits past microseconds are cut off, which never moves it ahead."""
    try:
        shortened = text if len(text) <= LONGEST_EXACT_INSTANT else _past_microseconds.sub(r"\1", text)
        return msgspec.convert(shortened, datetime)
    except msgspec.ValidationError:
        message = f"timestamp '{shown(text)}' is not RFC 3339 with an offset, such as 2026-03-01T00:00:00Z"
        raise Invalid("timestamp", "invalid_timestamp", message) from None


def shown(text: str, most: int = 100) -> str:
    """What a client sent, fit for a message: short, and without characters that a terminal would obey."""
    cut = text if len(text) <= most else text[:most] + "…"
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in cut)


def _check_text(field: str, value: str | None, *, required: bool = False) -> None:
    if value is None or (0 < len(value) <= MAX_KEY and value.isascii() and value.isprintable()):
        return
    if required and not value:
        raise Invalid(field, f"invalid_{field}", f"{field} must not be empty")
    if len(value) > MAX_KEY or len(value.encode()) > MAX_KEY:
        raise Invalid(
            field,
            f"invalid_{field}",
            f"{field} is {len(value.encode())} bytes long; at most {MAX_KEY} are allowed",
        )
    if not value.isprintable():
        raise Invalid(field, f"invalid_{field}", f"{field} holds a control character")


def _check_timestamp(moment: datetime, limits: Limits) -> datetime:
    if moment.tzinfo is None:
        raise Invalid(
            "timestamp", "invalid_timestamp", "timestamp has no offset; write 2026-03-01T00:00:00Z or …+02:00"
        )
    try:
        moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("timestamp", "invalid_timestamp", "timestamp is out of range") from None
    if moment > limits.now and moment > limits.now + limits.future_tolerance:
        allowed = limits.now + limits.future_tolerance
        raise Invalid(
            "timestamp",
            "timestamp_in_future",
            f"timestamp {moment.isoformat()} is ahead of {allowed.isoformat()}, the latest allowed",
        )
    if moment < EARLIEST:
        raise Invalid(
            "timestamp",
            "timestamp_too_old",
            f"timestamp {moment.isoformat()} is before {EARLIEST.isoformat()}",
        )
    return moment


def canonical_metadata(raw: bytes) -> str | None:
    """Metadata as canonical JSON: keys sorted, numbers exact; None for `null`.

    Raises:
        Invalid: no object, too large, or something PostgreSQL's jsonb can't hold.
    """
    if raw == b"null" or raw.strip() == b"null":
        return None
    _check_size(len(raw) // ESCAPED_BYTES)  # before any work is done for it
    try:
        content = _metadata.decode(raw)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise Invalid("metadata", "invalid_metadata", f"metadata must be a JSON object: {error}") from None
    if len(content) > MAX_METADATA_KEYS:
        raise Invalid(
            "metadata",
            "metadata_too_large",
            f"metadata has {len(content)} keys; at most {MAX_METADATA_KEYS} are allowed",
        )
    if raw.count(b"{") + raw.count(b"[") > MAX_METADATA_DEPTH:
        _check_depth(content)
    encoded = _encode(content)
    _check_size(len(encoded))
    text: str = encoded.decode()
    if "\\u0000" in text:
        _check_null(content)
    return text


def _check_size(size: int) -> None:
    if size > MAX_METADATA_BYTES:
        message = f"metadata is {size} bytes of compact UTF-8; at most {MAX_METADATA_BYTES} are allowed"
        raise Invalid("metadata", "metadata_too_large", message)


def _check_depth(content: object) -> None:
    level: list[object] = [content]
    for _ in range(MAX_METADATA_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise Invalid("metadata", "metadata_too_deep", f"metadata is nested deeper than {MAX_METADATA_DEPTH} levels")


def _children(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _check_null(item: object) -> None:
    texts = [item] if isinstance(item, str) else list(item) if isinstance(item, dict) else []
    if any(isinstance(text, str) and "\x00" in text for text in texts):
        raise Invalid("metadata", "invalid_metadata", "metadata holds a NUL character, which can't be stored")
    for child in _children(item):
        _check_null(child)
