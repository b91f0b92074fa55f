"""From a rejection to the row that keeps it.

The same event rejected again for the same reason is the same letter and is only counted. An event that came
without an idempotency key can't be told from another one with the same content, so each of those is a letter
of its own: none is taken for a resend.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tallystick.core.clock import EARLIEST
from tallystick.core.ids import new_idempotency_key
from tallystick.metering.decoding import Rejection
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def keep(connection: Connection, rejections: Iterable[Rejection], now: datetime) -> None:
    """Keep rejected events, in the caller's transaction."""
    rows = [row_of(rejected, now) for rejected in rejections]
    rows.sort(key=lambda row: row["digest"])  # two writers take the same rows in the same order
    if rows:
        async with connection.cursor() as cursor:
            await cursor.executemany(QUERIES["keep"], rows)


def row_of(rejected: Rejection, now: datetime) -> dict[str, Any]:
    """The row of a rejected event."""
    members = _readable(rejected.body)
    key = rejected.idempotency_key
    if key is None and members is not None:
        key = new_idempotency_key()
    alone = key if rejected.made_key or rejected.idempotency_key is None else None
    return {
        "digest": _digest(rejected, alone),
        "team_id": rejected.team_id,
        "idempotency_key": key,
        "format": rejected.format,
        "body": bytes(rejected.body),
        "code": rejected.code,
        "field": rejected.field,
        "message": rejected.message.replace("\x00", "\\0"),
        "occurred_at": _happened(members or {}) or now,
        "now": now,
    }


def _digest(rejected: Rejection, alone: str | None) -> bytes:
    parts = [rejected.code.encode(), bytes(rejected.body), *([alone.encode()] if alone else ())]
    return hashlib.sha256(b"\x00".join(parts)).digest()


def _readable(body: bytes) -> Mapping[str, msgspec.Raw] | None:
    try:
        return _members.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _happened(members: Mapping[str, msgspec.Raw]) -> datetime | None:
    """The instant that the event names, if it names one that can be."""
    for name in ("timestamp", "time"):
        if name not in members:
            continue
        try:
            moment = msgspec.json.decode(members[name], type=datetime)
            if moment.tzinfo and (instant := moment.astimezone(UTC)) >= EARLIEST:
                return instant
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
            continue
    return None
