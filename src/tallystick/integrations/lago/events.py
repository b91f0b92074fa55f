"""Lago's events as usage events.

| Lago | usage event |
|---|---|
| `external_subscription_id` | team; where it is absent, the deprecated `external_customer_id` |
| `code` | event name |
| `transaction_id` | idempotency key |
| `timestamp` | timestamp: Unix seconds as a number or text, decimals to the microsecond; absent: now |
| `properties` | metadata; its `quantity`, where there is one, is the quantity |
| `precise_total_amount_cents` | the metadata key of that name |
"""

import re
from datetime import timedelta
from decimal import Decimal
from math import floor
from typing import Any

import msgspec

from tallystick.core.errors import InvalidInput, TooLarge
from tallystick.core.money import EXACT
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
from tallystick.metering.aggregation import EPOCH
from tallystick.metering.decoding import Decoded, EventIn, Invalid, Limits, split_body

NAMES = {
    "team_id": "external_subscription_id",
    "event_name": "code",
    "idempotency_key": "transaction_id",
    "timestamp": "timestamp",
    "metadata": "properties",
    "quantity": "properties.quantity",
}
AMOUNT = "precise_total_amount_cents"

_BATCH = re.compile(rb'\s*\{\s*"events"\s*:\s*(?P<events>\[.*\])\s*\}\s*', re.DOTALL)
_SECONDS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?")


class LagoEventIn(msgspec.Struct):
    """An event as a client sends it; fields not named here may be there."""

    transaction_id: str
    code: str
    external_subscription_id: str | None = None
    external_customer_id: str | None = None
    timestamp: msgspec.Raw = NULL
    properties: msgspec.Raw = NULL
    precise_total_amount_cents: msgspec.Raw = NULL


class _OneIn(msgspec.Struct):
    event: msgspec.Raw


class _BatchIn(msgspec.Struct):
    events: list[msgspec.Raw]


_event = msgspec.json.Decoder(LagoEventIn)
_one = msgspec.json.Decoder(_OneIn)
_batch = msgspec.json.Decoder(_BatchIn)
_properties = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_one(body: bytes, limits: Limits) -> Decoded:
    """The event of `{"event": {…}}`.

    Raises:
        InvalidInput: the body is not that.
    """
    try:
        return LAGO.decode([_one.decode(body).event], limits)
    except UNREADABLE as error:
        raise InvalidInput(f'the body is not {{"event": {{…}}}}: {error}', code="malformed_json") from None


def decode_batch(body: bytes, limits: Limits) -> Decoded:
    """The events of `{"events": [{…}, …]}`.

    Raises:
        InvalidInput: the body is not that, or holds no event.
        TooLarge: more events than one request may hold.
    """
    try:
        parts = _batch.decode(body).events
    except UNREADABLE as error:
        # One event that is no JSON must not take the others with it.
        if not (found := _BATCH.fullmatch(body)):
            raise InvalidInput(f'the body is not {{"events": […]}}: {error}', code="malformed_json") from None
        return LAGO.decode(split_body(found["events"], ndjson=False, max_events=limits.max_events), limits)
    if not parts:
        raise InvalidInput("the body holds no event", code="empty_body")
    if len(parts) > limits.max_events:
        raise TooLarge(f"{len(parts)} events in one request; at most {limits.max_events} are allowed")
    return LAGO.decode(parts, limits)


def _translate(raw: Sent) -> EventIn:
    sent = _event.decode(raw)
    team = sent.external_subscription_id or sent.external_customer_id
    if not team:
        raise Invalid("team_id", "missing_field", "team_id is required")
    if not sent.transaction_id:
        raise Invalid("idempotency_key", "invalid_idempotency_key", "idempotency_key must not be empty")
    return EventIn(
        team_id=team,
        event_name=sent.code,
        quantity=quantity_of(sent.properties),
        timestamp=instant(sent.timestamp),
        metadata=_metadata(sent.properties, sent.precise_total_amount_cents),
        idempotency_key=sent.transaction_id,
    )


def instant(seconds: msgspec.Raw) -> str | None:
    """The RFC 3339 text of Unix seconds, a JSON number or text; None of null.

    Digits past microseconds are cut off, which never moves it ahead.

    Raises:
        Invalid: something else, or not in the calendar.
    """
    text = bytes(seconds).decode()
    if text == "null":
        return None
    try:
        return (EPOCH + timedelta(microseconds=floor(_number(text.strip('"')).scaleb(6, EXACT)))).isoformat()
    except (ValueError, ArithmeticError):
        problem = 'timestamp must be Unix seconds, such as 1772366400 or "1772366400.123"'
        raise Invalid("timestamp", "invalid_timestamp", problem) from None


def _number(text: str) -> Decimal:
    if not _SECONDS.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _metadata(properties: msgspec.Raw, amount: msgspec.Raw) -> msgspec.Raw:
    if bytes(amount) == b"null":
        return properties
    own = {} if bytes(properties) == b"null" else _properties.decode(properties)
    return msgspec.Raw(msgspec.json.encode({AMOUNT: amount, **own}))


def _salvage(fields: Fields) -> dict[str, Any]:
    properties = fields.get("properties", NULL)
    event = LAGO.renamed(fields) | salvaged_quantity(properties)
    if customer := text_of(fields.get("external_customer_id")):
        event.setdefault("team_id", customer)
    if "timestamp" in event:
        event["timestamp"] = _salvaged_instant(event["timestamp"])
    if AMOUNT in fields and "quantity" in event:  # then the properties are an object, or absent
        event["metadata"] = _metadata(properties, fields[AMOUNT])
    return event


def _salvaged_instant(seconds: msgspec.Raw) -> Any:
    try:
        return instant(seconds)
    except (Invalid, UnicodeDecodeError):
        return seconds


LAGO = Dialect(NAMES, _translate, _salvage)
"""How Lago spells an event."""
