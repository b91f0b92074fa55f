"""kill -9 of processes that track, at random moments: everything `track()` returned for is delivered exactly once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clients.python.tests.serving import Server
from tallystick_client import Tracker

SOURCE = Path(__file__).parents[1] / "src"

TRACKING = """
import itertools, os, sys, threading
from tallystick_client import Tracker

url, spool, team, journal, name = sys.argv[1:]
returned = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
tracker = Tracker(url, spool=spool, flush_interval=0.05, batch_size=40)

def work(thread):
    for number in itertools.count():
        key = f"{name}-{thread}-{number}"
        tracker.track(team, "call", 1, idempotency_key=key, region="eu")
        os.write(returned, f"{key}\\n".encode())
        if not number % 10:
            threading.Event().wait(0.01)

for thread in range(2):
    threading.Thread(target=work, args=[thread]).start()
"""


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.soak)])
def test_what_track_returned_for_is_delivered_once_after_kills_at_random_moments(
    server: Server, team: str, spool: Path, tmp_path: Path, kills: int
):
    rng = random.Random()
    journal = tmp_path / "journal"
    running = [start(server.url, spool, team, journal, f"p{number}") for number in range(2)]
    for number in range(2, kills):  # two processes at any time, on one spool
        time.sleep(rng.uniform(0.1, 0.6))
        kill(running.pop(rng.randrange(2)))
        running.append(start(server.url, spool, team, journal, f"p{number}"))
    wait_until_tracked(journal, 200)
    for process in running:
        kill(process)
    with Tracker(server.url, spool=spool, exit_timeout=0) as tracker:
        assert tracker.flush(60)
        found = tracker.stats().sent
    returned = journal.read_text().split()
    stored = server.stored(team)
    print(
        f"{kills} kills: track() returned {len(returned)} times, {len(stored)} stored, {len(set(stored))} distinct, "
        f"{found} of them found in the spool by the last process"
    )
    assert len(stored) == len(set(stored)), "an event was stored twice"
    assert set(returned) <= set(stored), "an accepted event is lost"
    assert len(set(stored) - set(returned)) <= 2 * kills, "only what was being tracked when it was killed"
    assert len(returned) > 100
    assert list(spool.iterdir()) == []


def start(url: str, spool: Path, team: str, journal: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", TRACKING, url, str(spool), team, str(journal), name]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SOURCE)})


def wait_until_tracked(journal: Path, events: int) -> None:
    """A busy machine may take longer to start a process than it was given to live."""
    deadline = time.monotonic() + 60
    while not journal.exists() or len(journal.read_bytes().splitlines()) < events:
        assert time.monotonic() < deadline, "nothing is tracked"
        time.sleep(0.1)


def kill(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None, "it ended by itself"
    process.kill()
    process.wait()
