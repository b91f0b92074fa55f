"""Appending a batch: claim its identities and insert what is fresh, in one transaction.

A large batch is copied to a stage first; a small one travels with the statement that inserts it, so that all
of its transaction is one trip to the server.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from weakref import WeakSet

import msgspec
import psycopg

from tallystick.core.errors import InvalidInput
from tallystick.metering.models import Appended, NewEvent
from tallystick.metering.postgres.partitions import Partitions
from tallystick.storage.database import Connection, Database
from tallystick.storage.migrate import first_line
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
MOST_IN_A_STATEMENT = 256
"""Larger batches are copied: that takes two trips more, and a third less work an event."""

_INSERT_STAGED = QUERIES["claim_and_insert"].format(staged=QUERIES["staged_rows"])
_INSERT_SENT = QUERIES["claim_and_insert"].format(staged=QUERIES["staged_json"])
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_encode = msgspec.json.Encoder().encode


class Appender:
    """Writes batches of events on any connection of the pool."""

    def __init__(self, database: Database, partitions: Partitions) -> None:
        self._database = database
        self._partitions = partitions
        self._staged: WeakSet[Connection] = WeakSet()

    async def append(self, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Write a batch in a transaction of its own; see `EventStore.append`."""
        await self._partitions.ensure(event.occurred_at for event in events)
        small = len(events) <= MOST_IN_A_STATEMENT
        try:
            async with self._database.statements() as connection:
                known = await (self._send if small else self._copy)(connection, events, recorded_at)
                return await _appended(connection, events, known)
        except psycopg.DataError as error:
            raise InvalidInput(f"can't be stored: {first_line(error)}", code="unstorable") from None

    async def write(self, connection: Connection, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Write a small batch inside the caller's transaction, which holds the seal; its partitions must exist."""
        cursor = await connection.execute(_INSERT_SENT, _sent(events, recorded_at))
        return await _appended(connection, events, await _known(cursor))

    async def _send(self, connection: Connection, events: Sequence[NewEvent], recorded_at: datetime) -> list[int]:
        async with connection.pipeline(), connection.transaction():
            await connection.execute(QUERIES["hold_seal"])
            cursor = await connection.execute(_INSERT_SENT, _sent(events, recorded_at))
        return await _known(cursor)

    async def _copy(self, connection: Connection, events: Sequence[NewEvent], recorded_at: datetime) -> list[int]:
        if connection not in self._staged:
            await connection.execute(QUERIES["create_stage"])
            self._staged.add(connection)
        async with connection.transaction():
            async with connection.cursor() as cursor, cursor.copy(QUERIES["copy_to_stage"]) as copy:
                await copy.write("".join(copy_lines(events)))
            async with connection.pipeline():
                await connection.execute(QUERIES["hold_seal"])
                inserted = await connection.execute(_INSERT_STAGED, {"recorded_at": recorded_at})
        return await _known(inserted)


async def _known(cursor: psycopg.AsyncCursor[tuple[Any, ...]]) -> list[int]:
    """The positions of the events that were known before."""
    row = await cursor.fetchone()
    assert row is not None, "the migration puts one row into usage_seal"
    return row[0] or []


async def _appended(connection: Connection, events: Sequence[NewEvent], known: list[int]) -> Appended:
    """What became of a batch, as the identities tell that are recorded: those never change."""
    if not known:
        return Appended(frozenset(), frozenset())
    wanted = {"ids": [events[position].id for position in known]}
    contents: dict[UUID, int] = dict(await (await connection.execute(QUERIES["contents"], wanted)).fetchall())
    conflicts = [position for position in known if contents[events[position].id] != events[position].content]
    return Appended(frozenset(known), frozenset(conflicts))


def copy_lines(events: Iterable[NewEvent]) -> Iterator[str]:
    """The events as lines of COPY's text format."""
    for position, event in enumerate(events):
        yield (
            f"{position}\t{event.id.hex}\t{event.content}\t{_name(event.team_id)}\t{_name(event.user_id)}\t"
            f"{_name(event.event_type)}\t{_name(event.event_name)}\t{event.quantity:f}\t{_name(event.unit)}\t"
            f"{_text(event.metadata)}\t{_text(event.idempotency_key)}\t{event.occurred_at.isoformat()}\t"
            f"{event.amends or chr(92) + 'N'}\n"
        )


def _text(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value


_name = lru_cache(maxsize=8192)(_text)
"""For values that come again and again."""


def _sent(events: Sequence[NewEvent], recorded_at: datetime) -> dict[str, object]:
    rows = [_row(position, event) for position, event in enumerate(events)]
    return {"events": _encode(rows).decode(), "recorded_at": recorded_at}


def _row(position: int, event: NewEvent) -> dict[str, object]:
    """An event as an object with the columns of the stage."""
    return {
        "position": position,
        **msgspec.structs.asdict(event),
        "quantity": f"{event.quantity:f}",
        "metadata": None if event.metadata is None else msgspec.Raw(event.metadata.encode()),
    }
