"""Storing events of a source that keeps them until they are stored: a file, a topic.

Such a source has nobody to answer to, so what can't be stored now is tried again until it can.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from tallystick.core.errors import StorageError, Unavailable
from tallystick.metering.decoding import Decoded, Limits
from tallystick.metering.ingestion import Outcome
from tallystick.metering.service import Metering

FIRST_PAUSE = timedelta(milliseconds=100)
LONGEST_PAUSE = timedelta(seconds=10)

log = logging.getLogger("tallystick.ingestion")


class Stopped(Exception):
    """It was told to stop before the events were stored; the source still has them."""


class Resending:
    """Stores requests, however often it has to try.

    Args:
        metering: where they are stored.
        stop: set when it should not try any more.
        note: is told, once for each time, that storing has begun to fail.
    """

    def __init__(self, metering: Metering, stop: asyncio.Event, note: Callable[[str], None] = log.warning) -> None:
        self._metering = metering
        self._stop = stop
        self._note = note
        self._failing = False

    async def store(self, decode: Callable[[Limits], Decoded]) -> Outcome:
        """Store the events of a request; returns when they are durable.

        Args:
            decode: what makes the request, by the limits that are in force at each attempt.

        Raises:
            Stopped: they are not stored.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                outcome = await self._metering.ingestor.submit(decode(self._metering.limits.now()))
            except (Unavailable, StorageError) as error:
                await self._failed(error, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._failing = False
                return outcome

    async def pause(self, length: timedelta) -> None:
        """Wait, unless it is time to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), length.total_seconds())

    async def _failed(self, error: Exception, pause: timedelta) -> None:
        if not self._failing:
            self._failing = True
            self._note(f"{error}; trying again until it works")
        await self.pause(pause)
        if self._stop.is_set():
            raise Stopped
