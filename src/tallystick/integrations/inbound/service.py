"""Inbound webhooks as one thing: who may send, what becomes of it, and what came so far."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from tallystick.core.clock import Clock
from tallystick.core.errors import NotFound, TallystickError
from tallystick.integrations.inbound.mapping import Taken, events_of, read_payload
from tallystick.integrations.inbound.models import InboundFile, Source
from tallystick.integrations.inbound.reading import read_file
from tallystick.integrations.inbound.signatures import Call, Verify, verifier
from tallystick.metering.ingestion import Outcome
from tallystick.metering.service import Metering
from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
log = logging.getLogger("tallystick.inbound")

TOLD_OF = timedelta(days=30)
FORM = "application/x-www-form-urlencoded"
NOTHING = Outcome(0, 0, (), {})


class Received(NamedTuple):
    """What became of one request."""

    taken: Taken
    outcome: Outcome

    @property
    def rejected(self) -> int:
        """How many events were not taken, and are dead letters now."""
        return self.taken.decoded.size - self.outcome.accepted - self.outcome.duplicates


class Tally(NamedTuple):
    """What came from a source in the last 30 days; nothing ever: no `last_at`."""

    source: str
    scheme: str
    requests: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    ignored: int = 0
    last_at: datetime | None = None


class Inbound:
    """The sources of an installation.

    Args:
        file: what the settings say; None: there is no source.
        environment: where the secrets are.
        database: where tallies are kept.
        metering: where events go.
        clock: where "now" comes from.

    Raises:
        ConfigurationError: a secret is not in the environment.
    """

    def __init__(
        self,
        file: InboundFile | None,
        environment: Mapping[str, str],
        database: Database,
        metering: Metering,
        clock: Clock,
    ) -> None:
        self._sources: Mapping[str, Source] = file.sources if file is not None else {}
        self._verifiers: Mapping[str, Verify] = {
            name: verifier(source.signature, environment) for name, source in self._sources.items()
        }
        self._database = database
        self._metering = metering
        self.clock = clock

    @classmethod
    def open(
        cls, path: Path | None, environment: Mapping[str, str], database: Database, metering: Metering, clock: Clock
    ) -> Self:
        """The sources that a settings file names; none without a file.

        Raises:
            ConfigurationError: the file or a secret does not fit.
        """
        return cls(read_file(path) if path is not None else None, environment, database, metering, clock)

    async def receive(self, name: str, call: Call) -> Received:
        """Take a request in, once it has shown who it is from.

        Raises:
            NotFound: there is no such source.
            Refused: it is not signed as the source signs.
            InvalidInput: the payload can't be read.
            Unavailable: nothing can be stored now; it should be sent again.
        """
        source, verify = self._sources.get(name), self._verifiers.get(name)
        if source is None or verify is None:
            raise NotFound(f"there is no webhook source {name!r}")
        verify(call)
        form = call.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        taken = events_of(source, read_payload(call.body, form=form), call.headers, self._metering.limits.now())
        outcome = await self._metering.ingestor.submit(taken.decoded) if taken.decoded.size else NOTHING
        received = Received(taken, outcome)
        await self._count(name, received)
        return received

    async def tallies(self) -> Sequence[Tally]:
        """What came from each source in the last 30 days, by name."""
        async with self._database.snapshot() as tx:
            found = await tx.execute(QUERIES["tallies"], {"since": self.clock.now() - TOLD_OF})
            counted = {name: counts for name, *counts in await found.fetchall()}
        named = sorted(self._sources.items())
        return [Tally(name, source.signature.scheme, *counted.get(name, ())) for name, source in named]

    async def _count(self, name: str, received: Received) -> None:
        """Note what came. The events are stored: nothing about counting may change their answer now."""
        values = {
            "source": name,
            "accepted": received.outcome.accepted,
            "duplicates": received.outcome.duplicates,
            "rejected": received.rejected,
            "ignored": received.taken.ignored,
            "now": self.clock.now(),
        }
        try:
            async with self._database.transaction() as tx:
                await tx.execute(QUERIES["tally"], values)
        except TallystickError as error:
            log.warning("a request of %s is stored but was not counted: %s", name, error)
