"""What can be done with dead letters: look, edit, replay, discard, delete.

What was sent is never changed; an edit is kept beside it, with who made it and when. Replaying is safe to
repeat: a letter's event has the same identity every time, so a replay that was interrupted after the event
was stored, or done twice at the same moment, counts nothing twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, TallystickError
from tallystick.metering.dead_letters import store
from tallystick.metering.dead_letters.models import DeadLetter, Edit, Kind, LetterFilter, Repair, Replay, Replays
from tallystick.metering.dead_letters.reading import repaired, to_send
from tallystick.metering.dead_letters.store import QUERIES
from tallystick.metering.decoding import Limits, Rejection
from tallystick.metering.ingestion import Ingestor, Outcome
from tallystick.storage.database import Connection, Database

LONGEST_REASON = 1000
AT_ONCE = 500
"""Letters that are replayed together, in one commit or a few."""
DELETED_AT_ONCE = 10_000

WAITING = LetterFilter()
NO_REPAIR = Repair()


Letters: TypeAlias = list[DeadLetter]
Replayed: TypeAlias = list[Replay]


class DeadLetters:
    """The dead letters of an installation."""

    def __init__(self, database: Database, ingestor: Ingestor, clock: Clock) -> None:
        self._database = database
        self._ingestor = ingestor
        self._clock = clock

    async def list(
        self, wanted: LetterFilter = WAITING, *, before: int | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        """Dead letters, newest first; `before` is the id to go on from. Long bodies are cut."""
        async with self._database.snapshot() as connection:
            return await store.listed(connection, wanted, before, limit)

    async def get(self, letter_id: int) -> DeadLetter:
        """One dead letter, whole.

        Raises:
            NotFound: there is none of that id.
        """
        async with self._database.snapshot() as connection:
            return await store.letter_of(connection, letter_id)

    async def edits(self, letter_id: int) -> Sequence[Edit]:
        """Every repair of a letter, in order."""
        async with self._database.snapshot() as connection:
            return await store.edits_of(connection, letter_id)

    async def counts(self, team_id: str | None = None) -> dict[str, int]:
        """How many wait, by reason."""
        async with self._database.snapshot() as connection:
            return {each.code: each.letters for each in await store.waiting(connection, team_id)}

    async def edit(self, letter_id: int, repair: Repair, limits: Limits, actor: str) -> DeadLetter:
        """Keep a repaired event beside what was sent; replaying the letter sends it.

        Raises:
            NotFound: there is none of that id.
            Conflict: it was replayed or discarded.
            InvalidInput: the repaired event could not be taken either; says why.
        """
        _check_reason(repair.reason)
        async with self._database.transaction() as connection:
            return await self._edit(connection, letter_id, repair, limits, actor)

    async def _edit(
        self, connection: Connection, letter_id: int, repair: Repair, limits: Limits, actor: str
    ) -> DeadLetter:
        await store.require_waiting(connection, letter_id)
        letter = await store.letter_of(connection, letter_id)
        body = repaired(letter, repair, limits)
        edit = {"id": letter_id, "body": body, "reason": repair.reason, "actor": actor, "now": self._clock.now()}
        await connection.execute(QUERIES["record_edit"], edit)
        return letter._replace(edits=letter.edits + 1, edited=body)

    async def _edit_all(
        self, letters: Sequence[DeadLetter], repair: Repair, limits: Limits, actor: str
    ) -> tuple[Letters, Replayed]:
        """The letters with the repair made, and those for which it could not be."""
        _check_reason(repair.reason)
        edited: Letters = []
        refused: Replayed = []
        async with self._database.transaction() as connection:
            for letter in letters:
                try:
                    edited.append(await self._edit(connection, letter.id, repair, limits, actor))
                except (InvalidInput, Conflict) as error:
                    refused.append(_refused(letter, error))
        return edited, refused

    async def replay(self, letter_id: int, limits: Limits, actor: str, repair: Repair = NO_REPAIR) -> Replay:
        """Send a dead letter again: as it was edited last, else as it came.

        An event without a timestamp keeps the instant at which it first came, one without a key the letter's.

        Args:
            letter_id: which one.
            limits: as for any request.
            actor: who, for the record.
            repair: an edit to be made before.

        Raises:
            NotFound: there is none of that id.
            Conflict: it was replayed or discarded before.
            InvalidInput: the repaired event could not be taken either.
        """
        if repair.event is not None or repair.changes:
            letter = await self.edit(letter_id, repair, limits, actor)
        else:
            letter = await self.get(letter_id)
            store.refuse_settled(letter_id, letter.replayed_at, letter.discarded_at)
        replay = await self._send(letter, limits)
        await self._record([replay], actor)
        return replay

    async def replay_many(
        self, wanted: LetterFilter, limits: Limits, actor: str, repair: Repair = NO_REPAIR, *, after: int = 0
    ) -> Replays:
        """Send again the first of the letters that wait and match, oldest first, each with the same repair made.

        What a letter was forbidden for is no reason to let it in: those are left out unless they are named.
        """
        if repair.event is not None:
            raise InvalidInput("one event can't take the place of many; give the members to change", field="event")
        async with self._database.snapshot() as connection:
            letters, more = await store.next_to_replay(connection, wanted, after, AT_ONCE)
        chosen: Letters = [each for each in letters if each.kind is not Kind.FORBIDDEN or wanted.code or wanted.kind]
        refused: Replayed = []
        if repair.changes:
            chosen, refused = await self._edit_all(chosen, repair, limits, actor)
        sent = await asyncio.gather(*(self._send(each, limits) for each in chosen), return_exceptions=True)
        replays: Replayed = [*refused, *(each for each in sent if isinstance(each, Replay))]
        await self._record(replays, actor)
        for each in sent:
            if isinstance(each, BaseException):  # the others are recorded, so nothing is forgotten
                raise each
        return Replays(replays, letters[-1].id if more else None)

    async def discard(self, letter_id: int, reason: str, actor: str) -> DeadLetter:
        """Give a letter up: it waits no longer, and stays on record. Should its event come again, it is counted.

        Raises:
            NotFound: there is none of that id.
            Conflict: it was replayed or discarded before.
        """
        _check_reason(reason)
        async with self._database.transaction() as connection:
            await store.require_waiting(connection, letter_id)
            given = {"id": letter_id, "reason": reason, "actor": actor, "now": self._clock.now()}
            await connection.execute(QUERIES["discard"], given)
            return await store.letter_of(connection, letter_id)

    async def discard_many(self, wanted: LetterFilter, reason: str, actor: str) -> int:
        """Give up every letter that waits and matches; says how many."""
        _check_reason(reason)
        statement = QUERIES["discard_matching"].format(matching=QUERIES["matching"])
        given = {**wanted.parameters(), "reason": reason, "actor": actor, "now": self._clock.now()}
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, given)).rowcount

    async def restore(self, letter_id: int) -> DeadLetter:
        """Let a letter that was discarded wait again.

        Raises:
            NotFound: there is none of that id.
            Conflict: it was not discarded.
        """
        async with self._database.transaction() as connection:
            restored = await connection.execute(QUERIES["restore"], {"id": letter_id})
            letter = await store.letter_of(connection, letter_id)
        if not restored.rowcount:
            raise Conflict(f"dead letter {letter_id} is {letter.state}, not discarded")
        return letter

    async def delete(self, letter_id: int) -> None:
        """Erase a letter that was replayed or discarded, with its edits.

        Raises:
            NotFound: there is none of that id.
            Conflict: it waits; discard it first.
        """
        async with self._database.transaction() as connection:
            await store.letter_of(connection, letter_id)
            if not (await connection.execute(QUERIES["delete"], {"id": letter_id})).rowcount:
                raise Conflict(f"dead letter {letter_id} waits; discard it before you delete it")

    async def delete_settled(self, before: datetime) -> int:
        """Erase every letter that was replayed or discarded before an instant; says how many."""
        deleted, found = 0, DELETED_AT_ONCE
        while found == DELETED_AT_ONCE:
            async with self._database.transaction() as connection:
                batch = {"before": before, "limit": DELETED_AT_ONCE}
                found = (await connection.execute(QUERIES["delete_settled"], batch)).rowcount
            deleted += found
        return deleted

    async def _send(self, letter: DeadLetter, limits: Limits) -> Replay:
        try:
            decoded, edited = to_send(letter, limits)
        except (InvalidInput, Conflict) as error:
            return _refused(letter, error)
        # An edit says who is billed. What came from a key of another team never does that by itself.
        allowed = letter.team_id if letter.kind is Kind.FORBIDDEN and not edited else None
        outcome = await self._ingestor.submit(decoded, allowed_team=allowed, keep_rejected=False)
        return Replay(letter, outcome, decoded.events[0][1].id if decoded.events else None)

    async def _record(self, replays: Sequence[Replay], actor: str) -> None:
        now = self._clock.now()
        replays = sorted(replays, key=lambda each: each.letter.id)  # two of these take the rows in the same order
        async with self._database.transaction() as connection:
            await _record_taken(connection, [each for each in replays if each.taken], actor, now)
            await _record_rejected(connection, [each for each in replays if not each.taken], now)


async def _record_taken(connection: Connection, taken: Sequence[Replay], actor: str, now: datetime) -> None:
    if taken:
        ids, events = [each.letter.id for each in taken], [each.event_id for each in taken]
        await connection.execute(QUERIES["mark_replayed"], {"ids": ids, "events": events, "actor": actor, "now": now})


async def _record_rejected(connection: Connection, rejected: Sequence[Replay], now: datetime) -> None:
    if rejected:
        reasons = [each.outcome.rejections[0] for each in rejected]
        again = {
            "ids": [each.letter.id for each in rejected],
            "codes": [reason.code for reason in reasons],
            "messages": [reason.message.replace("\0", "\\0") for reason in reasons],
            "now": now,
        }
        await connection.execute(QUERIES["mark_attempted"], again)


def _refused(letter: DeadLetter, error: TallystickError) -> Replay:
    """A replay that came to nothing before anything was sent."""
    reason = Rejection(0, getattr(error, "field", None), error.code, str(error), letter.body, letter.team_id)
    return Replay(letter, Outcome(0, 0, [reason], {}), None)


def _check_reason(reason: str | None) -> None:
    """Pass for a reason that can be stored.

    Raises:
        InvalidInput: it is empty, too long, or holds what PostgreSQL has no text for.
    """
    if reason is None:
        return
    if not 0 < len(reason) <= LONGEST_REASON:
        raise InvalidInput(f"reason has {len(reason)} characters; 1 to {LONGEST_REASON} are allowed", field="reason")
    if "\0" in reason or any("\ud800" <= char <= "\udfff" for char in reason):
        raise InvalidInput("reason must be text, and hold no NUL or half of a surrogate pair", field="reason")
