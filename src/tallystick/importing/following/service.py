"""Following trails until told to stop: what they find is stored, and only then is it done."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from tallystick.importing.following.models import Piece
from tallystick.importing.following.trail import Trail
from tallystick.importing.models import Row
from tallystick.importing.sending import line_rejection, request
from tallystick.metering.decoding import Decoded, Limits, Rejection
from tallystick.metering.ingestion import Outcome
from tallystick.metering.resending import Resending, Stopped
from tallystick.metering.service import Metering

POLL = timedelta(milliseconds=200)
BATCH_ROWS = 2000
IN_FLIGHT = 4


class Stored(NamedTuple):
    """Some rows of a path, and what became of them; rejections tell their places among the rows."""

    path: str
    rows: Sequence[Row]
    outcome: Outcome


async def follow(
    trails: Sequence[Trail],
    metering: Metering,
    *,
    stop: asyncio.Event,
    once: bool,
    team_id: str | None,
    tell: Callable[[Stored], None],
    note: Callable[[str], None],
) -> None:
    """Store what the trails find.

    Args:
        trails: begun.
        metering: where it is stored. While it can't be reached, rows wait in their files.
        stop: ends it when set.
        once: end it when everything that is there has been stored.
        team_id: whose the lines are, if they are all one team's; for lines that are no events.
        tell: is told what became of rows, once they are stored.
        note: is told what a person should know.
    """
    follower = _Follower(Resending(metering, stop, note), stop, team_id, tell)
    try:
        async with asyncio.TaskGroup() as tasks:
            for trail in trails:
                tasks.create_task(follower.follow(trail, once=once))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


class _Follower:
    def __init__(
        self, resending: Resending, stop: asyncio.Event, team_id: str | None, tell: Callable[[Stored], None]
    ) -> None:
        self._resending = resending
        self._stop = stop
        self._team_id = team_id
        self._tell = tell
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def follow(self, trail: Trail, *, once: bool) -> None:
        with suppress(Stopped):
            while not self._stop.is_set():
                if piece := trail.next():
                    await self._store(piece)
                    trail.done(piece)
                elif once:
                    return
                else:
                    await self._resending.pause(POLL)

    async def _store(self, piece: Piece) -> None:
        """Store all rows of a piece; in batches, of which some are under way at the same time.

        Raises:
            Stopped: not all of them are stored.
        """
        batches = [piece.rows[at : at + BATCH_ROWS] for at in range(0, len(piece.rows), BATCH_ROWS)]
        results = await asyncio.gather(*(self._send(piece, rows) for rows in batches), return_exceptions=True)
        for failure in results:
            if isinstance(failure, BaseException):
                raise failure

    async def _send(self, piece: Piece, rows: Sequence[Row]) -> None:
        def rejection(place: int, row: Row) -> Rejection:
            return line_rejection(place, row, piece.followed.key(row), self._team_id)

        def decode(limits: Limits) -> Decoded:
            return request(rows, limits, rejection)

        async with self._in_flight:
            outcome = await self._resending.store(decode)
        self._tell(Stored(str(piece.followed.path), rows, outcome))
