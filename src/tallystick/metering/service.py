"""Metering as one thing: everything about usage that the API, the CLI and the worker call.

Open it with a database; closing it writes what waits.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from tallystick.core.clock import Clock
from tallystick.core.settings import Settings
from tallystick.metering.corrections import Corrections, LimitsNow
from tallystick.metering.dead_letters.service import DeadLetters
from tallystick.metering.event_log import EventLog
from tallystick.metering.ingestion import Ingestor
from tallystick.metering.postgres import PostgresEventStore
from tallystick.metering.registry import RegisterTeams, Registry
from tallystick.metering.unvalued import UnvaluedEvents
from tallystick.metering.usage import UsageReader
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class Metering:
    """The parts of metering, wired to one database."""

    store: PostgresEventStore
    ingestor: Ingestor
    usage: UsageReader
    corrections: Corrections
    dead_letters: DeadLetters
    limits: LimitsNow
    unvalued: UnvaluedEvents
    log: EventLog

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database: Database, settings: Settings, clock: Clock, register: RegisterTeams | None = None
    ) -> AsyncIterator["Metering"]:
        """Metering on this database; when the block ends, waiting requests have been written.

        Args:
            database: open.
            settings: of the installation.
            clock: where "now" comes from.
            register: what to do with the teams of events that are not known; None: reject their events.
        """
        store = PostgresEventStore(database)
        await store.ensure_months(clock.now())
        registry = Registry(database, register)
        limits = LimitsNow(clock, timedelta(seconds=settings.future_tolerance_seconds), settings.max_batch_events)
        queue = settings.ingest_queue_events
        async with Ingestor(database, store, registry, clock, queue_events=queue) as ingestor:
            usage = UsageReader(database, store, clock)
            yield cls(
                store=store,
                ingestor=ingestor,
                usage=usage,
                corrections=Corrections(store, registry, clock, limits),
                dead_letters=DeadLetters(database, ingestor, clock),
                limits=limits,
                unvalued=UnvaluedEvents(store, usage, clock),
                log=EventLog(store, usage),
            )
