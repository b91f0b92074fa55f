"""kill -9 of the processes that evaluate, at random moments: what is crossed is told once all the same."""

import asyncio
import os
import random
import subprocess
import sys
from decimal import Decimal

import pytest

from tests.integration.alerts_setup import at, opened_tower

WORKER = """
import asyncio, sys
from tallystick.alerts.service import Alerts
from tallystick.billing.service import Billing
from tallystick.core.clock import ManualClock, parse_instant
from tallystick.core.settings import Settings
from tallystick.metering.service import Metering
from tallystick.storage.database import Database

async def work():
    clock = ManualClock(parse_instant("2026-03-15T12:00:00Z"))
    async with await Database.open(Settings(database_url=sys.argv[1])) as database:
        async with Metering.open(database, Settings(), clock) as metering:
            alerts = Alerts.open(database, metering, Billing.open(database, metering, clock), clock)
            print("ready", flush=True)
            while True:
                await metering.store.roll_up(clock.now())
                await alerts.evaluate()

asyncio.run(work())
"""
KILLS = 3


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


def worker(database_url):
    """A process that rolls up and evaluates as fast as it can."""
    started = subprocess.Popen(
        [sys.executable, "-c", WORKER, database_url], stdout=subprocess.PIPE, env=os.environ, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


async def test_workers_that_are_killed_at_any_moment_tell_everything_once(tower, database_url):
    dice = random.Random(5)
    steps = [at(percent) for percent in range(10, 101, 5)]
    for _ in range(3):
        await tower.add("usage", 1000, *steps[:10])
    await tower.add("cost", Decimal("0.1"), *steps)

    for _ in range(KILLS):
        workers = await asyncio.gather(*(asyncio.to_thread(worker, database_url) for _ in range(2)))
        try:
            for _ in range(5):
                await tower.house.use(40)
                await asyncio.sleep(dice.random() * 0.2)
        finally:
            for each in workers:
                each.kill()
                await asyncio.to_thread(each.communicate)
    await tower.house.use(10_110 - KILLS * 5 * 40)
    await tower.look()

    told = await tower.rows("SELECT content ->> 'alert_id', content -> 'step' ->> 'id', count(*) FROM notifications "
                            "WHERE kind LIKE 'alert.%%' GROUP BY 1, 2")  # fmt: skip
    assert [count for *_, count in told] == [1] * (3 * 10 + 19)
    history = await tower.history()
    assert len(history) == len(told)
    for each in history[::7]:
        assert (await tower.alerts.reproduce(each.id)).agrees
