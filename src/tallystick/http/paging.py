"""Keyset paging: a page ends with an opaque cursor that says after which row the next one begins.

Rows that are added or removed between two pages never make a row show twice or not at all.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tallystick.core.clock import parse_instant
from tallystick.core.errors import InvalidInput
from tallystick.http.answers import rfc3339

LONGEST_CURSOR = 2048
_BIGINT = 2**63

T = TypeVar("T")
A = TypeVar("A", str, int, datetime, UUID)
B = TypeVar("B", str, int, datetime, UUID)
C = TypeVar("C", str, int, datetime, UUID)


class Page(BaseModel, Generic[T]):
    """Part of a listing, and where the rest of it begins."""

    data: list[T]
    next_cursor: str | None = Field(description="Send this as `cursor` for the next page; null on the last one.")


class PageQuery(BaseModel):
    """Which part of a listing to answer. A listing with filters of its own extends this."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=1000, description="Most rows of one page.")
    cursor: str | None = Field(default=None, description="The `next_cursor` of the page before.")


def cut(rows: Sequence[T], limit: int, position: Callable[[T], tuple[Any, ...]]) -> tuple[Sequence[T], str | None]:
    """The first `limit` rows, and the cursor behind them if there are more.

    Args:
        rows: up to `limit` + 1 rows, in the listing's order.
        limit: most rows of one page.
        position: what the listing is ordered by, of one row.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(*position(rows[limit - 1]))


def encode_cursor(*position: str | int | datetime | UUID) -> str:
    """The position as opaque text that survives in a URL."""
    keys = [rfc3339(key) if isinstance(key, datetime) else key for key in position]
    text = json.dumps(keys, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@overload
def decode_cursor(cursor: str, kind: type[A], /) -> tuple[A]: ...
@overload
def decode_cursor(cursor: str, first: type[A], second: type[B], /) -> tuple[A, B]: ...
@overload
def decode_cursor(cursor: str, first: type[A], second: type[B], third: type[C], /) -> tuple[A, B, C]: ...


def decode_cursor(cursor: str, /, *kinds: type[Any]) -> tuple[Any, ...]:
    """The position that `encode_cursor` wrote, if it has these kinds of keys.

    Raises:
        InvalidInput: anything else was sent.
    """
    try:
        keys = _read(cursor)
        if len(keys) != len(kinds):
            raise ValueError("another listing's cursor")
        return tuple(_key(value, kind) for value, kind in zip(keys, kinds, strict=True))
    except (ValueError, RecursionError, InvalidInput):
        message = "not a cursor of this listing; send the next_cursor of the page before, unchanged"
        raise InvalidInput(message, field="cursor") from None


def _read(cursor: str) -> list[Any]:
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("too long")
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    keys = json.loads(text)
    if not isinstance(keys, list):
        raise ValueError("not a list")
    return keys


def _key(value: Any, kind: type[Any]) -> Any:
    if kind is int and type(value) is int and -_BIGINT <= value < _BIGINT:
        return value
    if kind is int or not isinstance(value, str) or "\0" in value:
        raise ValueError("another kind of key")
    value.encode()  # PostgreSQL has no lone surrogates
    if kind is datetime:
        return parse_instant(value)
    return UUID(value) if kind is UUID else value
