"""How values of an answer become Python's: numbers are exact, instants know their zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

Members = Mapping[str, Any]
"""A JSON object of an answer."""


def number(text: Any) -> Decimal:
    """A number, which answers spell as text.

    Raises:
        TypeError, ArithmeticError: it is something else.
    """
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no decimal text")
    return Decimal(text)


def maybe_number(text: Any) -> Decimal | None:
    """A number, or None for null."""
    return None if text is None else number(text)


def instant(text: str) -> datetime:
    """A moment with its offset.

    Raises:
        TypeError, ValueError: it is something else.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment


def maybe_instant(text: str | None) -> datetime | None:
    """A moment, or None for null."""
    return None if text is None else instant(text)
