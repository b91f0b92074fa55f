"""What a message means: one event, several, or none; in our words, or as a CloudEvent.

An event that brings no idempotency key gets one from the message's place: topic, partition, offset and what else
stays the same however often it is read (a hash of key, value and timestamp, in case the topic is made anew and counts
from 0 again). So reading a message again is no second event.

What can't be an event is a rejection, and becomes a dead letter. No message stands in the way of those behind it.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tallystick.core.errors import InvalidInput, TooLarge
from tallystick.integrations.kafka.models import HEADER, Format, Message, Reading
from tallystick.integrations.openmeter.cloudevents import CLOUDEVENTS
from tallystick.metering.decoding import Decoded, Invalid, Limits, Rejection, decode, rejection, split_body

RAW = "kafka"
"""The format of a dead letter whose body is the value of a message that can't be read."""

NOTHING = Decoded([], [], {}, 0)

_CE_HEADER = "ce_"
_SCHEMA_ID_BYTES = 5
_LONGEST_TOPIC = 150
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NULL = msgspec.Raw(b"null")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class _Kind(msgspec.Struct):
    specversion: msgspec.Raw = _NULL


_kind = msgspec.json.Decoder(_Kind)


def read(message: Message, reading: Reading, limits: Limits) -> Decoded:
    """The events of a message. A message without a value, which marks a deletion, has none."""
    if not message.value:
        return NOTHING
    decoded = _read(message, message.value, reading, limits)
    return decoded._replace(rejections=_known_again(message, reading, decoded.rejections))


def _read(message: Message, value: bytes, reading: Reading, limits: Limits) -> Decoded:
    try:
        if _is_binary_cloudevent(message, reading):
            return _cloudevents(message, [_of_headers(message)], reading, limits)
        parts = [bytes(part) for part in split_body(_json(value), ndjson=False, max_events=limits.max_events)]
        if _is_cloudevent(message, parts[0], reading):
            return _cloudevents(message, parts, reading, limits)
        return _events(message, parts, reading, limits)
    except (InvalidInput, TooLarge) as error:
        return _refused(message, error)


def together(all_decoded: Iterable[Decoded]) -> Decoded:
    """The events of several messages as one request."""
    events, rejections, keys, size = [], [], {}, 0
    for decoded in all_decoded:
        events += [(size + at, event, raw) for at, event, raw in decoded.events]
        rejections += [each._replace(position=size + each.position) for each in decoded.rejections]
        keys.update({size + at: key for at, key in decoded.generated_keys.items()})
        size += decoded.size
    return Decoded(events, rejections, keys, size)


def key_of(message: Message, reading: Reading) -> str:
    """The idempotency key that the message's place gives."""
    parts = (reading.source.encode(), message.topic.encode(), message.key or b"", message.value or b"")
    seed = b"".join(b"%d:%b" % (len(part), part) for part in parts) + b"%d" % message.timestamp_ms
    digest = hashlib.blake2b(seed, digest_size=12).hexdigest()
    return f"kafka:{message.topic[:_LONGEST_TOPIC]}:{message.partition}:{message.offset}:{digest}"


def _events(message: Message, parts: list[bytes], reading: Reading, limits: Limits) -> Decoded:
    defaults = {"idempotency_key": key_of(message, reading)} | _defaults(message, reading)
    keys = _keys(defaults["idempotency_key"], len(parts))
    filled = [_filled(part, defaults | {"idempotency_key": key}) for part, key in zip(parts, keys, strict=True)]
    if None not in filled:
        return decode(_array(filled), limits)
    return together(
        decode(_array([event]), limits) if event is not None else _no_object(part)
        for event, part in zip(filled, parts, strict=True)
    )


def _keys(key: str, events: int) -> list[str]:
    return [key] if events == 1 else [f"{key}:{at}" for at in range(events)]


def _array(events: Iterable[bytes | None]) -> bytes:
    return b"[" + b",".join(event or b"" for event in events) + b"]"


def _no_object(part: bytes) -> Decoded:
    return Decoded([], [rejection(0, part, Invalid(None, "malformed_json", "not a JSON object"))], {}, 1)


def _cloudevents(message: Message, parts: list[bytes], reading: Reading, limits: Limits) -> Decoded:
    defaults = {CLOUDEVENTS.names[name]: value for name, value in _defaults(message, reading).items() if name in _OURS}
    return CLOUDEVENTS.decode([_filled(part, defaults) or part for part in parts], limits)


_OURS = ("team_id", "event_name", "timestamp")
"""The fields that an attribute of a CloudEvent may get from beside it; its identity is its own."""


def _of_headers(message: Message) -> bytes:
    """The CloudEvent whose attributes are headers and whose data is the value."""
    event: dict[str, Any] = {}
    for name, value in message.headers:
        if name.lower().startswith(_CE_HEADER):
            event[name.lower().removeprefix(_CE_HEADER)] = _text(value)
    if media_type := _media_type(message):
        event["datacontenttype"] = media_type
    data = message.value or b""
    try:
        data.decode()
        event["data"] = msgspec.json.decode(data, type=msgspec.Raw)
    except _UNREADABLE:
        event["data_base64"] = base64.b64encode(data).decode()
    return _encode(event)


def _is_binary_cloudevent(message: Message, reading: Reading) -> bool:
    has_version = any(name.lower() == f"{_CE_HEADER}specversion" for name, _ in message.headers)
    return has_version and reading.format is not Format.EVENT


def _is_cloudevent(message: Message, part: bytes, reading: Reading) -> bool:
    if reading.format is not Format.AUTO:
        return reading.format is Format.CLOUDEVENT
    if _media_type(message).startswith("application/cloudevents"):
        return True
    try:
        return _kind.decode(part).specversion != _NULL
    except _UNREADABLE:
        return False


def _media_type(message: Message) -> str:
    found = next((value for name, value in message.headers if name.lower() == "content-type"), None)
    return (_text(found) or "").strip().lower()


def _json(value: bytes) -> bytes:
    """The value without the prefix that producers with a schema registry put before it."""
    if value[:1] == b"\0" and value[_SCHEMA_ID_BYTES : _SCHEMA_ID_BYTES + 1] in (b"{", b"["):
        return value[_SCHEMA_ID_BYTES:]
    return value


def _defaults(message: Message, reading: Reading) -> dict[str, str]:
    """What the message says of its events beside its value."""
    found = {"timestamp": _happened(message.timestamp_ms)}
    found |= {name: _origin(message, origin) for name, origin in reading.fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _happened(timestamp_ms: int) -> str | None:
    """The instant as text; None for none; one that is out of range stays a number, so that it is refused."""
    try:
        return (_EPOCH + timedelta(milliseconds=timestamp_ms)).isoformat() if timestamp_ms > 0 else None
    except OverflowError:
        return str(timestamp_ms)


def _origin(message: Message, origin: str) -> str | None:
    if origin == "topic":
        return message.topic
    if origin == "key":
        return _text(message.key)
    name = origin.removeprefix(HEADER)
    return _text(next((value for header, value in reversed(message.headers) if header == name), None))


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _filled(part: bytes, defaults: Mapping[str, str]) -> bytes | None:
    """The event with what it does not say itself; None if it is no JSON object."""
    try:
        part.decode()
        members: dict[str, Any] = dict(_members.decode(part))
    except _UNREADABLE:
        return None
    for name, value in defaults.items():
        if members.get(name, _NULL) == _NULL:
            members[name] = value
    return _encode(members)


def _known_again(message: Message, reading: Reading, rejections: Sequence[Rejection]) -> list[Rejection]:
    """Rejections of which those without a key have one that is the same when the message is read again."""
    return [
        each
        if each.idempotency_key
        else each._replace(idempotency_key=f"{key_of(message, reading)}:{each.position}", made_key=True)
        for each in rejections
    ]


def _refused(message: Message, error: InvalidInput | TooLarge) -> Decoded:
    return Decoded([], [Rejection(0, None, error.code, str(error), message.value or b"", format=RAW)], {}, 1)
