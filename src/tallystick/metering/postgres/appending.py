"""Appending a batch: copy it to a stage, claim its identities, insert what is fresh, all in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from weakref import WeakSet

import psycopg

from tallystick.core.errors import InvalidInput
from tallystick.metering.models import Appended, NewEvent
from tallystick.metering.postgres.partitions import Partitions
from tallystick.storage.database import Connection, Database
from tallystick.storage.migrate import first_line
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Appender:
    """Writes batches of events on any connection of the pool."""

    def __init__(self, database: Database, partitions: Partitions) -> None:
        self._database = database
        self._partitions = partitions
        self._staged: WeakSet[Connection] = WeakSet()

    async def append(self, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Write a batch in a transaction of its own; see `EventStore.append`."""
        await self._partitions.ensure(event.occurred_at for event in events)
        try:
            async with self._database.transaction() as connection:
                return await self.write(connection, events, recorded_at)
        except psycopg.DataError as error:
            raise InvalidInput(f"can't be stored: {first_line(error)}", code="unstorable") from None

    async def write(self, connection: Connection, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Write a batch inside the caller's transaction; its partitions must exist."""
        await self._stage(connection, events)
        batch = await self._next_batch(connection)
        claimed = await connection.execute(QUERIES["claim_and_insert"], {"batch": batch, "recorded_at": recorded_at})
        if claimed.rowcount:
            fresh = {"batch": batch, "events": claimed.rowcount, "recorded_at": recorded_at}
            await connection.execute(QUERIES["record_batch"], fresh)
        if claimed.rowcount == len(events):
            return Appended(frozenset(), frozenset())
        known = await (await connection.execute(QUERIES["known_before"], {"batch": batch})).fetchall()
        return Appended(
            frozenset(position for position, _ in known),
            frozenset(position for position, differs in known if differs),
        )

    async def _stage(self, connection: Connection, events: Sequence[NewEvent]) -> None:
        if connection not in self._staged:
            await connection.execute(QUERIES["create_stage"])
            self._staged.add(connection)
        async with connection.cursor() as cursor, cursor.copy(QUERIES["copy_to_stage"]) as copy:
            await copy.write("".join(copy_lines(events)))

    async def _next_batch(self, connection: Connection) -> int:
        row = await (await connection.execute(QUERIES["next_batch"])).fetchone()
        assert row is not None
        return int(row[0])


def copy_lines(events: Iterable[NewEvent]) -> Iterator[str]:
    """The events as lines of COPY's text format."""
    for position, event in enumerate(events):
        yield (
            f"{position}\t{event.id}\t{event.content}\t{_text(event.team_id)}\t{_text(event.user_id)}\t"
            f"{_text(event.event_type)}\t{_text(event.event_name)}\t{event.quantity:f}\t{_text(event.unit)}\t"
            f"{_text(event.metadata)}\t{_text(event.idempotency_key)}\t{event.occurred_at.isoformat()}\t"
            f"{event.amends or chr(92) + 'N'}\n"
        )


def _text(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value
