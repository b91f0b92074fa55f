"""What the database tells, in whichever server process it came about: LISTEN on a connection of its own.

While the connection is down nothing is heard. When it is back, `lost` says so, and whoever listens looks at everything.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from typing import NamedTuple

import psycopg

from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

log = logging.getLogger(__name__)

QUERIES = Queries.load(__package__ or "")
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0


class Signal(NamedTuple):
    """One thing that was told."""

    teams: frozenset[str] = frozenset()
    events: int = 0
    alerts: bool = False
    lost: bool = False


LOST = Signal(alerts=True, lost=True)


async def signals(database: Database) -> AsyncGenerator[Signal]:
    """Everything that is told from now on; `lost` comes first, and again after each time that nothing was heard."""
    pause = FIRST_PAUSE
    while True:
        try:
            async with await database.another_connection() as connection:
                await connection.execute(QUERIES["listen"])
                pause = FIRST_PAUSE
                yield LOST
                async for told in connection.notifies():
                    yield read(told.payload)
        except psycopg.Error as error:
            log.warning("live streams hear nothing: %s; trying again in %.1f s", type(error).__name__, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def read(payload: str) -> Signal:
    """What a message says; one that can't be read says to look at everything."""
    try:
        told = json.loads(payload)
        teams = frozenset(str(team) for team in told.get("teams", ()))
        return Signal(teams, int(told.get("events", 0)), bool(told.get("alerts")))
    except (AttributeError, TypeError, ValueError):
        return LOST
