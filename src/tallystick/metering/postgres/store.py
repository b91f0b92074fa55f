"""The event store on PostgreSQL: which statement answers which operation. See `metering.event_store`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick.core.clock import Interval
from tallystick.metering.aggregation import Partial
from tallystick.metering.event_store import EventPage, Following, RollUpProgress, Trail, UsageRequest
from tallystick.metering.models import (
    NEWEST_FIRST,
    Appended,
    Causes,
    Correction,
    EventFilter,
    Known,
    Listing,
    MetricVersion,
    NewEvent,
    Unvalued,
    Usage,
    UsageEvent,
)
from tallystick.metering.postgres.appending import Appender
from tallystick.metering.postgres.changes import Question, read_causes, read_changed
from tallystick.metering.postgres.following import read_following
from tallystick.metering.postgres.listing import page_of_events
from tallystick.metering.postgres.partitions import Partitions
from tallystick.metering.postgres.rollups import RollUp
from tallystick.metering.postgres.tracing import read_trace
from tallystick.metering.postgres.usage import read_partials, read_usage
from tallystick.metering.recordings import Recordings
from tallystick.metering.tracing import Trace
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


class PostgresEventStore:
    """Raw events in monthly partitions, identities beside them, and roll-ups per hour."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database)
        self._appender = Appender(database, self._partitions)
        self._recordings = Recordings()

    @property
    def recordings(self) -> Recordings:
        """What this process has recorded or corrected."""
        return self._recordings

    async def append(self, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Store the events whose identity is new; durable when it returns. Ids in `events` are distinct.

        Raises:
            InvalidInput: an event can't be stored; nothing of the batch was.
        """
        try:
            return await self._appender.append(events, recorded_at)
        finally:
            self._recordings.note({event.team_id for event in events})

    async def contents(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        """With which content each of these identities was recorded; those that were not are absent."""
        async with self._database.statements() as connection:  # a part of writing, which is not to wait for readers
            return dict(await (await connection.execute(QUERIES["contents"], {"ids": list(ids)})).fetchall())

    async def usage(self, requests: Sequence[UsageRequest]) -> list[list[Usage]]:
        """The usage of each request, all from one snapshot; windows without events are absent."""
        async with self._database.snapshot() as connection:
            return await read_usage(connection, requests)

    async def partials(self, requests: Sequence[UsageRequest]) -> list[list[Partial]]:
        """What the usage of each request is made of, all from one snapshot; windows without events are absent."""
        async with self._database.snapshot() as connection:
            return await read_partials(connection, requests)

    async def follow(
        self,
        requests: Sequence[UsageRequest],
        trails: Sequence[Trail] = (),
        identities: Sequence[UUID] = (),
        awaited: Sequence[UUID] = (),
    ) -> Following:
        """The usage of requests, what came to usage that was read before, and which identities are recorded."""
        async with self._database.snapshot() as connection:
            return await read_following(connection, requests, trails, identities, awaited)

    async def seal(self, now: datetime) -> datetime:
        """Draw a line under the past: what was recorded up to the instant that it returns, `now` or later, is final."""
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES["lock_seal"])
            row = await (await connection.execute(QUERIES["seal"], {"now": now})).fetchone()
        assert row is not None, "the migration puts one row there"
        sealed: datetime = row[0]
        return sealed

    async def changed(self, known: Sequence[Known]) -> list[frozenset[str]]:
        """For each of these, the metrics whose usage may be another now; empty where nothing has changed."""
        async with self._database.snapshot() as connection:
            return await read_changed(connection, known)

    async def causes(
        self,
        team_id: str,
        versions: Sequence[MetricVersion],
        interval: Interval,
        since: datetime,
        *,
        until: datetime | None = None,
        where: Mapping[str, Sequence[str | None]] | None = None,
        limit: int = 100,
        after: tuple[str, ...] | None = None,
    ) -> Causes:
        """Which events changed the usage of a metric over an interval, recorded after `since` and up to `until`."""
        question = Question(team_id, versions, interval, since, until, where or {})
        async with self._database.snapshot() as connection:
            return await read_causes(connection, question, limit, after)

    async def event(self, event_id: UUID) -> UsageEvent | None:
        """One event as it was recorded, or None."""
        async with self._database.snapshot() as connection:
            row = await (await connection.execute(QUERIES["event_by_id"], {"id": event_id})).fetchone()
            return UsageEvent(*row) if row else None

    async def correction(self, event_id: UUID) -> Correction | None:
        """The correction that voided an event, or None."""
        async with self._database.snapshot() as connection:
            row = await (await connection.execute(QUERIES["correction_of"], {"id": event_id})).fetchone()
            return Correction(*row) if row else None

    async def events(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        after: tuple[str, ...] | None = None,
        listing: Listing = NEWEST_FIRST,
    ) -> EventPage:
        """Raw events in the order of the listing; `after` is where the page before ended."""
        async with self._database.snapshot() as connection:
            return await page_of_events(connection, wanted, listing, limit, after)

    async def unvalued(self, interval: Interval, team_id: str | None = None, *, limit: int = 1000) -> list[Unvalued]:
        """Which metrics find no value in events of which teams, the most first, as far as roll-ups have got."""
        wanted = {"start": interval.start, "end": interval.end, "team_id": team_id, "limit": limit}
        async with self._database.snapshot() as connection:
            return [Unvalued(*row) for row in await (await connection.execute(QUERIES["unvalued"], wanted)).fetchall()]

    async def void(self, correction: Correction, replacement: NewEvent | None = None) -> bool:
        """Void an event, with the replacement in its place; False when it was corrected before."""
        if replacement is not None:
            await self._partitions.ensure([replacement.occurred_at])
        try:
            return await self._void(correction, replacement)
        finally:
            self._recordings.note(None)

    async def _void(self, correction: Correction, replacement: NewEvent | None) -> bool:
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES["hold_seal"])
            row = await (await connection.execute(QUERIES["event_by_id"], {"id": correction.event_id})).fetchone()
            if row is None or not await self._record(connection, correction, UsageEvent(*row)):
                return False
            if replacement is not None:
                await self._appender.write(connection, [replacement], correction.recorded_at)
        return True

    async def _record(self, connection: Connection, correction: Correction, event: UsageEvent) -> bool:
        cursor = await connection.execute(QUERIES["record_correction"], correction._asdict())
        recorded = await cursor.fetchone()
        if recorded is None:
            return False
        mark: dict[str, Any] = {
            "team_id": event.team_id,
            "occurred_at": event.occurred_at,
            "event_name": event.event_name,
            "recorded_at": recorded[0],
        }
        await connection.execute(QUERIES["mark_dirty"], mark)
        return True

    async def amendments(self, event_id: UUID) -> int:
        """How often the event was amended so far."""
        async with self._database.snapshot() as connection:
            row = await (await connection.execute(QUERIES["count_amendments"], {"id": event_id})).fetchone()
            return int(row[0]) if row else 0

    async def trace(self, event_id: UUID) -> Trace | None:
        """Everything known about one event, or None."""
        async with self._database.snapshot() as connection:
            return await read_trace(connection, event_id)

    async def roll_up(self, now: datetime, *, limit: int = 100_000) -> RollUpProgress:
        """Bring the roll-ups forward by some batches, corrected hours and backfill."""
        return await RollUp(self._database, now, limit).run()

    async def ensure_months(self, now: datetime) -> None:
        """Create the partitions of this month and the next three."""
        await self._partitions.ensure_ahead(now)
