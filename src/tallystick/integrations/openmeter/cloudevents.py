"""CloudEvents 1.0 as usage events.

| CloudEvent | usage event |
|---|---|
| `subject` | team |
| `type` | event name |
| `source`, `id` | together the idempotency key: see `idempotency_key` |
| `time` | timestamp; absent: now |
| `data` | metadata, which has to be a JSON object or absent; its `quantity`, where there is one, is the quantity |

Metrics read values, filters and dimensions from the metadata by path. Extension attributes and `dataschema` are
not kept.
"""

import hashlib
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from tallystick.integrations.foreign import (
    NULL,
    UNREADABLE,
    Dialect,
    Fields,
    Sent,
    quantity_of,
    salvaged_quantity,
    text_of,
)
from tallystick.metering.decoding import MAX_KEY, Decoded, EventIn, Invalid, Limits, split_body

SPECVERSION = "1.0"
BINARY = "ce-"
"""What headers that carry attributes begin with in HTTP's binary mode."""

NAMES = {
    "team_id": "subject",
    "event_name": "type",
    "timestamp": "time",
    "metadata": "data",
    "quantity": "data.quantity",
    "idempotency_key": "id",
}
_ESCAPED = re.compile(r"\\(.)")


class CloudEventIn(msgspec.Struct):
    """A CloudEvent as a client sends it; attributes not named here may be there."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = NULL
    data_base64: str | None = None


_event = msgspec.json.Decoder(CloudEventIn)


def decode(body: bytes, limits: Limits) -> Decoded:
    """The events of a body in structured mode: one, or an array of them.

    Raises:
        InvalidInput: the body is no JSON, or empty.
        TooLarge: more events than one request may hold.
    """
    return CLOUDEVENTS.decode(split_body(body, ndjson=False, max_events=limits.max_events), limits)


def decode_binary(headers: Mapping[str, str], body: bytes, limits: Limits) -> Decoded:
    """The event of a request in HTTP's binary mode: attributes in headers (names in lower case), data in the body."""
    event: dict[str, Any] = {
        name.removeprefix(BINARY): _unescaped(value) for name, value in headers.items() if name.startswith(BINARY)
    }
    if "content-type" in headers:
        event["datacontenttype"] = headers["content-type"]
    if body.strip():
        event["data"] = _as_json(body)
    return CLOUDEVENTS.decode([msgspec.json.encode(event)], limits)


def idempotency_key(source: str, event_id: str) -> str:
    """The idempotency key of a CloudEvent, which source and id identify together.

    It is the compact JSON text `["source","id"]`, so no two pairs share one. One that is longer than keys may be
    is told by its SHA-256, `["sha256:…"]`: an array of one, which no pair is.
    """
    text = msgspec.json.encode([source, event_id])
    if len(text) > MAX_KEY:
        text = msgspec.json.encode([f"sha256:{hashlib.sha256(text).hexdigest()}"])
    return text.decode()


def _translate(raw: Sent) -> EventIn:
    sent = _event.decode(raw)
    if sent.specversion != SPECVERSION:
        raise Invalid("specversion", "invalid_specversion", f"specversion must be {SPECVERSION!r}")
    if not sent.source:
        raise Invalid("source", "invalid_source", "source must not be empty")
    if not sent.id:
        raise Invalid("idempotency_key", "invalid_idempotency_key", "idempotency_key must not be empty")
    data = _data(sent)
    return EventIn(
        team_id=sent.subject,
        event_name=sent.type,
        quantity=quantity_of(data),
        timestamp=sent.time,
        metadata=data,
        idempotency_key=idempotency_key(sent.source, sent.id),
    )


def _data(sent: CloudEventIn) -> msgspec.Raw:
    if sent.data_base64 is None and bytes(sent.data) == b"null":
        return NULL
    media_type = (sent.datacontenttype or "application/json").partition(";")[0].strip().lower()
    if not media_type.endswith(("/json", "+json")):
        raise Invalid("metadata", "invalid_metadata", "metadata must be JSON, with datacontenttype application/json")
    if sent.data_base64 is None:
        return sent.data
    try:
        return msgspec.Raw(b64decode(sent.data_base64, validate=True))
    except (NotBase64, ValueError):
        raise Invalid("metadata", "invalid_metadata", "metadata: data_base64 is not base64") from None


def _salvage(fields: Fields) -> dict[str, Any] | None:
    if "data_base64" in fields:
        return None
    event = CLOUDEVENTS.renamed(fields) | salvaged_quantity(fields.get("data", NULL))
    event.pop("idempotency_key", None)
    source, event_id = text_of(fields.get("source")), text_of(fields.get("id"))
    if source and event_id:
        event["idempotency_key"] = idempotency_key(source, event_id)
    return event


def _unescaped(value: str) -> str:
    """An attribute as it was before it became a header: out of its quotes, and `%`-escapes undone once."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote(value)


def _as_json(body: bytes) -> Any:
    """The body as JSON text, or what is refused as data where it is none."""
    try:
        body.decode()
        return msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE:
        return body.decode(errors="backslashreplace")


CLOUDEVENTS = Dialect(NAMES, _translate, _salvage)
"""How CloudEvents are spelled."""
