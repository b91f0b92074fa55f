"""The loops: roll usage up, create the months ahead, close periods that are over. Several processes may run them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tallystick.billing.closing.models import Closed
from tallystick.billing.closing.service import Closing
from tallystick.billing.credits.service import Credits
from tallystick.core.clock import Clock
from tallystick.core.errors import TallystickError
from tallystick.metering.service import Metering

log = logging.getLogger("tallystick.worker")

MONTHS_EVERY = 3600.0
CLOSE_EVERY = 60.0
SETTLE_EVERY = 60.0
LONGEST_PAUSE = 30.0

Work = Callable[[], Awaitable[bool]]


@asynccontextmanager
async def running(
    metering: Metering,
    clock: Clock,
    rollup_interval: float,
    closing: Closing | None = None,
    credits: Credits | None = None,
) -> AsyncIterator[None]:
    """Run every loop while the block runs; a round that is under way is finished.

    Args:
        metering: whose usage is rolled up.
        clock: where "now" comes from.
        rollup_interval: seconds between two roll-ups.
        closing: closes periods; None: nothing is closed.
        credits: books what expires or is given anew; None: nothing is booked until a period closes.
    """
    stop = asyncio.Event()

    async def roll_up() -> bool:
        return (await metering.store.roll_up(clock.now())).more

    async def create_months() -> bool:
        await metering.store.ensure_months(clock.now())
        return False

    async def close_periods() -> bool:
        if closing is not None:
            _tell(await closing.run(patient=True))
        return False

    async def settle_credits() -> bool:
        return await credits.settle() if credits is not None else False

    loops = [
        asyncio.create_task(_repeat("roll-up", roll_up, rollup_interval, stop)),
        asyncio.create_task(_repeat("months ahead", create_months, MONTHS_EVERY, stop)),
        asyncio.create_task(_repeat("closing", close_periods, CLOSE_EVERY, stop)),
        asyncio.create_task(_repeat("credits", settle_credits, SETTLE_EVERY, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*loops)


def _tell(done: Closed) -> None:
    if done.statements or done.corrections:
        log.info("closed %d statements and %d corrections", len(done.statements), len(done.corrections))
    for failure in done.failures:
        log.warning("closing %s: %s", failure.team_id, failure.message)


async def _repeat(name: str, work: Work, interval: float, stop: asyncio.Event) -> None:
    """Do the work, at once again while it says there is more; after a failure wait longer each time."""
    pause = interval
    while not stop.is_set():
        try:
            more = await work()
            pause = 0.0 if more else interval
        except TallystickError as error:
            pause = min(max(pause, interval) * 2, LONGEST_PAUSE)
            log.warning("%s: %s; trying again in %.1f s", name, error, pause)
        except Exception:
            pause = min(max(pause, interval) * 2, LONGEST_PAUSE)
            log.exception("%s failed; trying again in %.1f s", name, pause)
        await _wait(stop, pause)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout=seconds)
    except TimeoutError:
        return
