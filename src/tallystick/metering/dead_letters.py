"""Dead letters: rejected events, kept with the reason until they are repaired and sent again."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.metering.decoding import Decoded, Limits, decode
from tallystick.metering.ingestion import Ingestor, Outcome
from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


class DeadLetter(NamedTuple):
    """A rejected event as it was sent, why it was rejected, and how often it came."""

    id: int
    team_id: str | None
    idempotency_key: str | None
    body: bytes
    code: str
    field: str | None
    message: str
    received_at: datetime
    last_seen_at: datetime
    seen: int
    replayed_at: datetime | None
    replayed_as: UUID | None


class Replay(NamedTuple):
    """What became of a dead letter that was sent again."""

    letter: DeadLetter
    outcome: Outcome

    @property
    def taken(self) -> bool:
        """Whether its event is stored now, by this replay or because it was there already."""
        return not self.outcome.rejections


class DeadLetters:
    """The dead letters of an installation."""

    def __init__(self, database: Database, ingestor: Ingestor, clock: Clock) -> None:
        self._database = database
        self._ingestor = ingestor
        self._clock = clock

    async def list(
        self,
        *,
        team_id: str | None = None,
        code: str | None = None,
        replayed: bool | None = False,
        before: int | None = None,
        limit: int = 100,
    ) -> list[DeadLetter]:
        """Dead letters, newest first; `before` is the id to go on from."""
        wanted = {"team_id": team_id, "code": code, "replayed": replayed, "before": before, "limit": limit}
        async with self._database.snapshot() as connection:
            rows = await (await connection.execute(QUERIES["dead_letters"], wanted)).fetchall()
        return [DeadLetter(*row) for row in rows]

    async def get(self, letter_id: int) -> DeadLetter:
        """One dead letter.

        Raises:
            NotFound: there is none of that id.
        """
        async with self._database.snapshot() as connection:
            row = await (await connection.execute(QUERIES["dead_letter"], {"id": letter_id})).fetchone()
        if row is None:
            raise NotFound(f"there is no dead letter {letter_id}")
        return DeadLetter(*row)

    async def counts(self, team_id: str | None = None) -> dict[str, int]:
        """How many wait to be repaired, by reason."""
        async with self._database.snapshot() as connection:
            rows = await (await connection.execute(QUERIES["dead_letter_counts"], {"team_id": team_id})).fetchall()
        return {code: int(letters) for code, letters, _ in rows}

    async def replay(self, letter_id: int, limits: Limits, *, body: bytes | None = None) -> Replay:
        """Send a dead letter again, as it is or repaired.

        Args:
            letter_id: which one.
            limits: as for any request.
            body: the repaired event as JSON; None sends it as it was. An event without a timestamp keeps
                the instant at which it was first received.

        Raises:
            NotFound: there is none of that id.
            Conflict: it was replayed before.
            InvalidInput: the repaired body is no single JSON event.
        """
        letter = await self.get(letter_id)
        if letter.replayed_at is not None:
            raise Conflict(f"dead letter {letter_id} was replayed at {letter.replayed_at.isoformat()}")
        decoded = self._decoded(letter, body if body is not None else letter.body, limits)
        replay = Replay(letter, await self._ingestor.submit(decoded, keep_rejected=False))
        if replay.taken and decoded.events:
            done = {"id": letter_id, "event_id": decoded.events[0][1].id, "now": self._clock.now()}
            async with self._database.transaction() as connection:
                await connection.execute(QUERIES["mark_replayed"], done)
        return replay

    def _decoded(self, letter: DeadLetter, body: bytes, limits: Limits) -> Decoded:
        try:
            event = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput(f"dead letter {letter.id} is no JSON object: {error}; send a repaired body") from None
        event.setdefault("timestamp", msgspec.Raw(msgspec.json.encode(letter.received_at)))
        if letter.idempotency_key is not None:
            event.setdefault("idempotency_key", msgspec.Raw(msgspec.json.encode(letter.idempotency_key)))
        return decode(msgspec.json.encode(event), limits)
