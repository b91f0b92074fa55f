"""kill -9 of the processes that send, at random moments: everything arrives, and what comes twice has the same id."""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest

from tallystick.notifications.courier import LEASE, PER_CHANNEL
from tallystick.notifications.models import State
from tests.integration.notifications.receivers import answering, receiver
from tests.integration.notifications.setup import exceeded, opened_town

WORKER = """
import asyncio, sys
from tallystick.core.clock import ManualClock, parse_instant
from tallystick.core.settings import Settings
from tallystick.notifications.service import Notifications
from tallystick.storage.database import Database

async def work():
    clock = ManualClock(parse_instant(sys.argv[2]))
    async with await Database.open(Settings(database_url=sys.argv[1])) as database:
        service = Notifications(database, clock, Settings(private_networks="127.0.0.1"))
        print("ready", flush=True)
        while True:
            await service.deliver_due(clock.now())

asyncio.run(work())
"""
MESSAGES = 60
KILLS = 3


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as one:
        yield one


def worker(database_url, now):
    """A process that sends as fast as it can."""
    command = [sys.executable, "-c", WORKER, database_url, now.isoformat()]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


async def test_processes_that_are_killed_while_they_send_lose_nothing(town, database_url):
    dice = random.Random(7)

    async def slowly(writer):
        await asyncio.sleep(dice.random() * 0.05)
        await answering(200)(writer)

    async with receiver() as hook:
        hook.behaviour = slowly
        await town.webhook(hook.url)
        for kill in range(KILLS):
            await town.tell(*(exceeded(f"key:{kill}:{n}") for n in range(MESSAGES // KILLS)))
            sender = await asyncio.to_thread(worker, database_url, town.clock.now())
            hook.arrived.clear()
            await asyncio.wait_for(hook.arrived.wait(), 60)
            await asyncio.sleep(dice.random() * 0.1)
            sender.kill()
            await asyncio.to_thread(sender.communicate)
            town.clock.advance(LEASE)
        await town.send()
        await town.pass_time(timedelta(hours=1), timedelta(minutes=30))

    ids: dict[str, set[str]] = {request.json()["key"]: set() for request in hook.requests}
    for request in hook.requests:
        ids[request.json()["key"]].add(request.headers["webhook-id"])
    assert len(ids) == MESSAGES
    assert {len(each) for each in ids.values()} == {1}
    assert len(hook.requests) <= MESSAGES + KILLS * PER_CHANNEL
    assert Counter(await town.states()) == {State.SENT: MESSAGES}
    repeated = {key for key, times in Counter(each.json()["key"] for each in hook.requests).items() if times > 1}
    uncertain = {each.notification.key for each in await town.deliveries() if each.uncertain}
    assert repeated <= uncertain, "what may have come twice is known"
