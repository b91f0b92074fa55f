"""Reads and writes dead letters: which statement answers what."""

from collections.abc import Sequence
from datetime import datetime

from tallystick.core.clock import Interval
from tallystick.core.errors import Conflict, NotFound
from tallystick.metering.dead_letters.models import DeadLetter, Edit, LetterFilter, State, Waiting
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
WHOLE = 2**31 - 1
SHOWN = 20_000
"""Bytes of a body in a listing: any usual event is shown whole. A body may be as large as a request."""
MOST_BYTES = 16 * 1024 * 1024
"""Of bodies that are held at once to be replayed."""


async def listed(connection: Connection, wanted: LetterFilter, before: int | None, limit: int) -> list[DeadLetter]:
    """Letters, newest first, of long bodies the beginning."""
    statement = QUERIES["dead_letters"].format(columns=QUERIES["columns"], matching=QUERIES["matching"])
    parameters = {**wanted.parameters(), "before": before, "limit": limit, "length": SHOWN}
    rows = await (await connection.execute(statement, parameters)).fetchall()
    return [DeadLetter(*row) for row in rows]


async def letter_of(connection: Connection, letter_id: int) -> DeadLetter:
    """One letter, whole.

    Raises:
        NotFound: there is none of that id.
    """
    for letter in await _letters(connection, [letter_id]):
        return letter
    raise NotFound(f"there is no dead letter {letter_id}")


async def _letters(connection: Connection, ids: Sequence[int]) -> list[DeadLetter]:
    statement = QUERIES["letters"].format(columns=QUERIES["columns"])
    rows = await (await connection.execute(statement, {"ids": list(ids), "length": WHOLE})).fetchall()
    return [DeadLetter(*row) for row in rows]


async def edits_of(connection: Connection, letter_id: int) -> list[Edit]:
    """Every repair of a letter, in order."""
    rows = await (await connection.execute(QUERIES["edits"], {"id": letter_id})).fetchall()
    return [Edit(*row) for row in rows]


async def next_to_replay(
    connection: Connection, wanted: LetterFilter, after: int, limit: int
) -> tuple[list[DeadLetter], bool]:
    """Letters that a filter means and that wait, oldest first, whole; and whether there are more of them."""
    statement = QUERIES["letters_to_replay"].format(matching=QUERIES["matching"])
    parameters = {**wanted.parameters(), "state": State.WAITING, "after": after, "limit": limit}
    found = await (await connection.execute(statement, parameters)).fetchall()
    ids: list[int] = []
    size = 0
    for letter_id, bytes_of_it in found:
        size += bytes_of_it
        if ids and size > MOST_BYTES:
            break
        ids.append(letter_id)
    return await _letters(connection, ids), len(ids) < len(found) or len(found) == limit


async def waiting(
    connection: Connection, team_id: str | None = None, interval: Interval | None = None
) -> Sequence[Waiting]:
    """How many letters wait, by reason; of a team, and whose events happened in an interval."""
    start, end = interval or (None, None)
    parameters = {"team_id": team_id, "start": start, "end": end}
    return [Waiting(*row) for row in await (await connection.execute(QUERIES["waiting"], parameters)).fetchall()]


async def require_waiting(connection: Connection, letter_id: int) -> None:
    """Keep a letter that waits as it is until the transaction ends.

    Raises:
        NotFound: there is none of that id.
        Conflict: it was replayed or discarded.
    """
    row = await (await connection.execute(QUERIES["lock_letter"], {"id": letter_id})).fetchone()
    if row is None:
        raise NotFound(f"there is no dead letter {letter_id}")
    refuse_settled(letter_id, *row)


def refuse_settled(letter_id: int, replayed_at: datetime | None, discarded_at: datetime | None) -> None:
    """Pass for a letter that waits.

    Raises:
        Conflict: it was replayed or discarded; says when.
    """
    if replayed_at is not None:
        raise Conflict(f"dead letter {letter_id} was replayed at {replayed_at.isoformat()}")
    if discarded_at is not None:
        raise Conflict(f"dead letter {letter_id} was discarded at {discarded_at.isoformat()}; restore it first")
