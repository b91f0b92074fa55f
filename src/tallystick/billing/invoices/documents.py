"""A document as JSON: as it is stored, exported, and what its digest is over.

Decimals are plain decimal text, instants RFC 3339 in UTC, days ISO 8601. Read back it is the same document.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from tallystick.billing.invoices.models import InvoiceContent
from tallystick.http.answers import rfc3339

TOTALS = ("subtotal", "credited", "tax", "due")
"""What is computed from the rest, and shown with it."""


@cache
def _reader() -> TypeAdapter[InvoiceContent]:
    return TypeAdapter(InvoiceContent)


def as_json(content: InvoiceContent) -> dict[str, Any]:
    """The document for people and programs: everything it says, and its totals."""
    document: dict[str, Any] = to_json(content)
    return document | {name: to_json(getattr(content, name)) for name in TOTALS}


def to_json(value: Any) -> Any:
    """A part of a document as JSON."""
    if is_dataclass(value):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_json(value._asdict())
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case StrEnum():
            return str(value)
        case Mapping():
            return {key: to_json(each) for key, each in value.items()}
        case tuple() | list():
            return [to_json(each) for each in value]
        case _:
            return value


def from_json(document: Mapping[str, Any]) -> InvoiceContent:
    """The document that `to_json` wrote."""
    return _reader().validate_python(document)


def digest(content: InvoiceContent) -> str:
    """SHA-256, in hexadecimal, of the document as canonical JSON: keys in order, no spaces, UTF-8."""
    text = json.dumps(to_json(content), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
