"""From the arguments of `track()` to one line of JSON: checked, exact, and with an identity of its own.

What the server would reject for certain is refused here, where the mistake is. Floats are refused wherever they
are: 0.1 is not a tenth, and a bill is made of these numbers.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Context, Decimal, Inexact
from enum import Enum
from functools import lru_cache
from typing import Any, Union
from uuid import UUID

from tallystick_client.errors import InvalidEvent

Quantity = Union[Decimal, int, str]
"""An exact number: a `Decimal`, an `int`, or decimal text such as "0.25"."""

MAX_TEXT_BYTES = 255
MAX_METADATA_KEYS = 50
MAX_METADATA_BYTES = 16 * 1024
MAX_METADATA_DEPTH = 16
MAX_DIGITS_BEFORE_POINT = 20
MAX_DECIMALS = 18

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_SMALLEST = Decimal(1).scaleb(-MAX_DECIMALS)
_EXACTLY = Context(prec=MAX_DIGITS_BEFORE_POINT + MAX_DECIMALS + 2, traps=[Inexact])
_VARIANTS = "89ab"
_SHORT = 10**18
"""Below it a whole number is written without a closer look."""


def new_key() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random, so that keys sort by when they were made."""
    made, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    variant = _VARIANTS[int(chance[3], 16) & 3]
    return f"{made[:8]}-{made[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"


def encode_event(
    team: str,
    event: str,
    quantity: Quantity,
    metadata: Mapping[str, Any],
    *,
    unit: str | None = None,
    timestamp: datetime | None = None,
    user_id: str | None = None,
    event_type: str | None = None,
    idempotency_key: str | None = None,
) -> bytes:
    """The event as one line of compact JSON in UTF-8, with the key and the instant made here where none were given.

    Raises:
        InvalidEvent: a value does not fit; names it and says what is allowed.
    """
    key = f'"{new_key()}"' if idempotency_key is None else _text("key", idempotency_key)
    made = _now() if timestamp is None else _instant(timestamp)
    encoded = (
        f'{{"team_id":{_name("team", team)},"event_name":{_name("event", event)},"quantity":"{exact_text(quantity)}",'
        f'"timestamp":"{made}","idempotency_key":{key}'
    )
    if unit is not None:
        encoded += f',"unit":{_text("unit", unit, empty=True)}'
    if user_id is not None:
        encoded += f',"user_id":{_text("user_id", user_id, empty=True)}'
    if event_type is not None:
        encoded += f',"event_type":{_text("event_type", event_type, empty=True)}'
    if metadata:
        encoded += f',"metadata":{_metadata(metadata)}'
    return f"{encoded}}}".encode()


def exact_text(quantity: Quantity) -> str:
    """A quantity as decimal text.

    Raises:
        InvalidEvent: a float, not a finite number, 10^20 or more, or more than 18 decimals.
    """
    kind = type(quantity)
    if kind is int and -_SHORT < quantity < _SHORT:  # type: ignore[operator] # an int, as the line says
        return str(quantity)
    if isinstance(quantity, (bool, float)) or not isinstance(quantity, (Decimal, int, str)):
        raise InvalidEvent(f"quantity is a {kind.__name__}; give an exact number: Decimal('0.1'), 3 or '0.1'")
    if isinstance(quantity, str) and not _NUMBER.fullmatch(quantity):
        raise InvalidEvent(f"quantity {quantity[:40]!r} is not a decimal number such as '0.25'")
    number = Decimal(quantity)
    if not number.is_finite() or number.adjusted() >= MAX_DIGITS_BEFORE_POINT:
        raise InvalidEvent(f"quantity {str(number)[:40]} is out of range; allowed is less than 10^20")
    if number and _has_too_many_decimals(number):
        raise InvalidEvent(f"quantity {str(number)[:60]} has more than {MAX_DECIMALS} decimals")
    return str(number)


def _has_too_many_decimals(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -MAX_DECIMALS:
        return False
    try:
        number.quantize(_SMALLEST, context=_EXACTLY)
    except Inexact:
        return True
    return False


def _text(name: str, value: object, *, empty: bool = False) -> str:
    """A text as JSON."""
    if not isinstance(value, str):
        raise InvalidEvent(f"{name} is a {type(value).__name__}; it has to be text")
    if not value and not empty:
        raise InvalidEvent(f"{name} must not be empty")
    if not value.isprintable():
        raise InvalidEvent(f"{name} {value[:40]!r} holds a control character")
    if len(value) > MAX_TEXT_BYTES // 4 and len(value.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise InvalidEvent(f"{name} is longer than the {MAX_TEXT_BYTES} bytes that are allowed")
    return _quote(value)


def _name(name: str, value: object) -> str:
    """A text as JSON, one of those that come again and again."""
    return _known_text(name, value) if type(value) is str else _text(name, value)


@lru_cache(maxsize=4096)
def _known_text(name: str, value: str) -> str:
    return _text(name, value)


def _instant(timestamp: datetime) -> str:
    if getattr(timestamp, "tzinfo", None) is None:
        raise InvalidEvent("timestamp has to be a datetime with a time zone, such as datetime.now(timezone.utc)")
    return timestamp.astimezone(timezone.utc).isoformat()


_this_second: tuple[int, str] = (0, "")


def _now() -> str:
    """This instant. Its second is written once per second, which most events share with the one before."""
    global _this_second  # noqa: PLW0603 - a pair that is replaced as one, so threads need no lock
    second, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    written, text = _this_second
    if written != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _this_second = second, text
    return f"{text}.{microseconds:06d}+00:00"


def _metadata(metadata: Mapping[str, Any]) -> str:
    """Metadata as JSON."""
    if len(metadata) > MAX_METADATA_KEYS:
        raise InvalidEvent(f"metadata has {len(metadata)} keys; at most {MAX_METADATA_KEYS} are allowed")
    encoded = _flat(metadata) or _nested(metadata)
    try:
        size = len(encoded) if encoded.isascii() else len(encoded.encode())
    except UnicodeEncodeError:
        raise InvalidEvent("metadata holds half a surrogate pair, which is no character") from None
    if size > MAX_METADATA_BYTES:
        raise InvalidEvent(f"metadata is {size} bytes of JSON; at most {MAX_METADATA_BYTES} are allowed")
    return encoded


def _flat(metadata: Mapping[str, Any]) -> str | None:
    """Metadata of texts and whole numbers, as most is, without the encoder; None if it holds anything else."""
    members = []
    for name, value in metadata.items():
        if type(name) is not str:
            return None
        if type(value) is str:
            members.append(f"{_quoted_name(name)}:{_quote(value)}")
        elif type(value) is int and -_SHORT < value < _SHORT:
            members.append(f"{_quoted_name(name)}:{value}")
        else:
            return None
    return f"{{{','.join(members)}}}"


def _nested(metadata: Mapping[str, Any]) -> str:
    """Metadata of any kind that is allowed."""
    for name, value in metadata.items():
        _check_value(f"metadata {name!r}", value, 2)
    try:
        return _encode(metadata)
    except InvalidEvent:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(f"metadata can't be written as JSON: {error}") from None


def _check_value(name: str, value: object, depth: int) -> None:
    if isinstance(value, float):
        raise InvalidEvent(f"{name} holds the float {value!r}; give an exact number: Decimal('{value!r}') or text")
    if isinstance(value, Decimal) and not value.is_finite():
        raise InvalidEvent(f"{name} is {value}, which is no number")
    if not isinstance(value, (Mapping, list, tuple)):
        return
    if depth > MAX_METADATA_DEPTH:
        raise InvalidEvent(f"{name} is nested deeper than {MAX_METADATA_DEPTH} levels")
    for child in value.values() if isinstance(value, Mapping) else value:
        _check_value(name, child, depth + 1)


def _as_plain(value: object) -> object:
    """What JSON has no word for: numbers stay exact, as text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise InvalidEvent(f"metadata can't hold a {type(value).__name__}; allowed is what JSON has, and Decimal")


_encode = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False, default=_as_plain
).encode
_quote = json.encoder.encode_basestring
_quoted_name = lru_cache(maxsize=1024)(_quote)
