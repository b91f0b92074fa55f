"""The loops: roll usage up, look at alerts, close periods that are over, and so on. Several processes may run them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from tallystick.alerts.service import Alerts
from tallystick.billing.closing.models import Closed
from tallystick.billing.closing.service import Closing
from tallystick.billing.credits.service import Credits
from tallystick.core.clock import Clock
from tallystick.core.errors import TallystickError
from tallystick.enforcement.service import Enforcement
from tallystick.integrations.billing_provider import BillingProvider, Synced
from tallystick.metering.service import Metering
from tallystick.notifications.service import Notifications
from tallystick.overview.keeping import Keeper

log = logging.getLogger("tallystick.worker")

EVALUATE_EVERY = 1.0
"""Seconds between two looks at alerts while no roll-up here says that there is something to look at."""

MONTHS_EVERY = 3600.0
CLOSE_EVERY = 60.0
SETTLE_EVERY = 60.0
NOTIFY_EVERY = 0.2
TIDY_EVERY = 5.0
PRUNE_EVERY = 600.0
COLLECT_EVERY = 1.0
LOOK_OVER_EVERY = 1.0
LONGEST_PAUSE = 30.0
FINISH_SECONDS = 15.0

Work = Callable[[], Awaitable[bool]]


@asynccontextmanager
async def running(
    metering: Metering,
    clock: Clock,
    rollup_interval: float,
    *,
    closing: Closing | None = None,
    credits: Credits | None = None,
    alerts: Alerts | None = None,
    notifications: Notifications | None = None,
    enforcement: Enforcement | None = None,
    provider: BillingProvider | None = None,
    overview: Keeper | None = None,
    sync_interval: float = 3600.0,
) -> AsyncIterator[None]:
    """Run every loop while the block runs; a round that is under way is finished.

    Args:
        metering: whose usage is rolled up.
        clock: where "now" comes from.
        rollup_interval: seconds between two roll-ups.
        closing: closes periods; None: nothing is closed.
        credits: books what expires or is given anew; None: nothing is booked until a period closes.
        alerts: evaluated after each roll-up that touched a team; None: nothing is.
        notifications: sends what is due; None: nothing is sent.
        enforcement: ends throttles and reservations whose time has come; None: they end all the same, untold.
        provider: who collects what teams owe; None: nobody does.
        overview: keeps the overview of all teams current; None: it stays as it is.
        sync_interval: seconds between two synchronisations with the provider.
    """
    stop, touched = asyncio.Event(), asyncio.Event()

    async def roll_up() -> bool:
        done = await metering.store.roll_up(clock.now())
        if done.touched:
            touched.set()
        return done.more

    async def evaluate() -> bool:
        touched.clear()
        return alerts is not None and (await alerts.evaluate()).more

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
        asyncio.create_task(_repeat("alerts", evaluate, EVALUATE_EVERY, stop, touched)),
        asyncio.create_task(_repeat("months ahead", create_months, MONTHS_EVERY, stop)),
        asyncio.create_task(_repeat("closing", close_periods, CLOSE_EVERY, stop)),
        asyncio.create_task(_repeat("credits", settle_credits, SETTLE_EVERY, stop)),
        asyncio.create_task(_repeat("notifications", _notifying(notifications, clock), NOTIFY_EVERY, stop)),
        asyncio.create_task(_repeat("old notifications", _pruning(notifications), PRUNE_EVERY, stop)),
        asyncio.create_task(_repeat("limits", _tidying(enforcement), TIDY_EVERY, stop)),
        asyncio.create_task(_repeat("collection", _collecting(provider), COLLECT_EVERY, stop)),
        asyncio.create_task(_repeat("overview", _looking_over(overview), LOOK_OVER_EVERY, stop)),
        asyncio.create_task(_repeat("synchronisation", _synchronising(provider), sync_interval, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        touched.set()
        await _finish(loops)
        if notifications is not None:
            await notifications.close()
        if provider is not None:
            await provider.close()


def _notifying(notifications: Notifications | None, clock: Clock) -> Work:
    async def notify() -> bool:
        return notifications is not None and (await notifications.deliver_due(clock.now())).more

    return notify


def _pruning(notifications: Notifications | None) -> Work:
    async def prune() -> bool:
        return notifications is not None and await notifications.prune()

    return prune


def _tidying(enforcement: Enforcement | None) -> Work:
    async def tidy() -> bool:
        return enforcement is not None and await enforcement.tidy()

    return tidy


def _collecting(provider: BillingProvider | None) -> Work:
    async def collect() -> bool:
        return provider is not None and await provider.tend()

    return collect


def _looking_over(overview: Keeper | None) -> Work:
    async def look_over() -> bool:
        if overview is not None:
            await overview.keep()  # what is left waits for the next round: nothing here is urgent
        return False

    return look_over


def _synchronising(provider: BillingProvider | None) -> Work:
    async def synchronise() -> bool:
        if provider is not None:
            _tell_synced(provider.name, await provider.sync())
        return False

    return synchronise


async def _finish(loops: Sequence[asyncio.Task[None]]) -> None:
    """Let every round that is under way end; one whose database does not answer is broken off."""
    _, hanging = await asyncio.wait(loops, timeout=FINISH_SECONDS)
    for loop in hanging:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


def _tell(done: Closed) -> None:
    if done.statements or done.corrections:
        log.info("closed %d statements and %d corrections", len(done.statements), len(done.corrections))
    for failure in done.failures:
        log.warning("closing %s: %s", failure.team_id, failure.message)


def _tell_synced(name: str, done: Synced) -> None:
    if any(done.counts.values()):
        log.info("%s: %s", name, ", ".join(f"{count} {what}" for what, count in done.counts.items() if count))
    for problem in done.problems:
        log.warning("%s: %s", name, problem)


async def _repeat(
    name: str, work: Work, interval: float, stop: asyncio.Event, wake: asyncio.Event | None = None
) -> None:
    """Do the work, at once again while it says there is more; after a failure wait longer each time.

    `wake` ends a pause early; it is set when `stop` is, too.
    """
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
        await _wait(wake or stop, pause)


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(wake.wait(), timeout=seconds)
    except TimeoutError:
        return
