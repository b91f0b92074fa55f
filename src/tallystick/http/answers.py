"""How values look in an answer: numbers that matter as plain decimal text, instants as RFC 3339 with Z."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, PlainSerializer, WithJsonSchema
from starlette.responses import Response

from tallystick.core.clock import as_utc
from tallystick.core.money import plain


def rfc3339(moment: datetime) -> str:
    """The instant in UTC as `2026-03-15T12:00:00Z`, with microseconds where there are any."""
    return as_utc(moment).isoformat().replace("+00:00", "Z")


Number = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["0.0008"]}, mode="serialization"),
]
"""A quantity or an amount in a response model: exact decimal text, no exponent, never a float."""

Instant = Annotated[
    AwareDatetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-15T12:00:00Z"]}, mode="serialization"
    ),
]
"""A moment in a response model."""


def dumps(value: Any) -> bytes:
    """The value as compact JSON in UTF-8.

    Raises:
        TypeError: it holds something that has no text here.
        ValueError: it holds a float that JSON has no number for.
    """
    return json.dumps(value, default=_text, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class Json(Response):
    """A JSON answer whose decimals and instants are text."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body: what `dumps` makes of the content."""
        return dumps(content)


def _text(value: Any) -> str:
    match value:
        case Decimal():
            return plain(value)
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in an answer")
