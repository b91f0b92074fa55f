"""Rounds of work for whoever waits: one at a time, and each begins after those that it answers have come."""

import asyncio
from collections.abc import Awaitable, Callable


class Rounds:
    """Runs rounds while somebody waits for one.

    Who comes while a round runs waits for the next, so what a round finds out is never older than the question.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._next: asyncio.Future[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._began = 0.0

    def running_for(self) -> float:
        """For how many seconds the present round has been running; 0: none is."""
        return asyncio.get_running_loop().time() - self._began if self._running is not None else 0.0

    async def join(self) -> None:
        """Wait for a round that has not begun yet. Raises what it raises.

        Who leaves does not end it: others may wait for it, too.
        """
        await asyncio.shield(self._following())

    def begin(self) -> None:
        """See to it that there is a round, and wait for none."""
        if self._running is None:
            self._following()

    def _following(self) -> asyncio.Future[None]:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._next.add_done_callback(_look_at)
        following = self._next
        if self._running is None:
            self._began = asyncio.get_running_loop().time()
            self._running = asyncio.create_task(self._run())
        return following

    async def _run(self) -> None:
        try:
            while (following := self._next) is not None:
                self._next = None
                self._began = asyncio.get_running_loop().time()
                await self._round(following)
        finally:
            self._running = None

    async def _round(self, following: asyncio.Future[None]) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            following.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            following.set_exception(error)
        else:
            following.set_result(None)


def _look_at(round: asyncio.Future[None]) -> None:
    """A failure that nobody waited for any more is not worth a warning: each who did has heard of it."""
    if not round.cancelled():
        round.exception()
