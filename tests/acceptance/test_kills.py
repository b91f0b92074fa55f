"""kill -9 of server, PostgreSQL and clients at random under load: what was acknowledged or accepted counts once."""

import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tallystick.storage.embedded import EmbeddedServer
from tests.acceptance.killed import Programs, Sender, Server
from tests.conftest import servers_folder

SENDERS = 2
PROGRAMS = 2

CATALOGUE = """
version: 1
metrics:
  calls: {event: call, aggregation: sum, unit: call, dimensions: [region]}
  level: {event: call, aggregation: time_weighted, value_unit: call, unit: call-hour}
teams: {acme: {name: Acme}, globex: {name: Globex}}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    where = servers_folder()
    with tempfile.TemporaryDirectory(prefix="tallystick-kills-", dir=where, ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    (folder / "tallystick.yaml").write_text(CATALOGUE)
    server = Server(folder / "data")
    server.run("apply", f"{folder}/tallystick.yaml")
    server.start()
    yield server
    if server.process and server.process.poll() is None:
        server.stop()


@pytest.fixture
def programs(server: Server, folder: Path) -> Iterator[Programs]:
    programs = Programs(server, folder, PROGRAMS)
    yield programs
    programs.end()


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.soak)])
def test_what_was_acknowledged_or_accepted_is_there_once_after_kills_at_random_moments(
    server: Server, programs: Programs, kills: int
) -> None:
    rng, stop = random.Random(), threading.Event()
    senders = [Sender(number, server.url, stop) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    server.wait_until_ready()
    victims = _killed(server, programs, rng, kills)
    programs.wait_until_accepted(200)
    programs.end()
    stop.set()
    for sender in senders:
        sender.join(timeout=30)
        assert not sender.is_alive()
    left = programs.deliver()
    assert server.stop() == 0
    print(f"{kills} kills: {victims}; {left} events found in the spool afterwards")
    _check(server, senders, programs)


def _killed(server: Server, programs: Programs, rng: random.Random, kills: int) -> dict[str, int]:
    """Kill each kind in turn, in an order by chance; now and then the next falls before the last one is up again."""
    victims = {"server": 0, "postgresql": 0, "client": 0}
    order: list[str] = []
    for _ in range(kills):
        order = order or rng.sample(list(victims), 3)
        victim = order.pop()
        victims[victim] += 1
        time.sleep(rng.uniform(0.05, 0.8))
        if victim == "server":
            server.kill()
            server.start()
        elif victim == "postgresql":
            server.kill_postgresql()
        else:
            programs.kill(rng)
        if rng.random() < 0.8:
            server.wait_until_ready()
    server.wait_until_ready()
    time.sleep(0.5)
    return victims


def _check(server: Server, senders: list[Sender], programs: Programs) -> None:
    acknowledged = set[str]().union(*(sender.acknowledged for sender in senders))
    sent = set[str]().union(*(sender.sent for sender in senders))
    accepted = programs.accepted
    with EmbeddedServer.acquire(server.folder) as postgresql, psycopg.connect(postgresql.url) as connection:
        stored = [key for (key,) in connection.execute("SELECT idempotency_key FROM usage_events")]
        for team in ("acme", "globex"):
            assert "no discrepancy" in server.run("validate-period", team)
    print(
        f"over HTTP {len(sent)} sent, {sum(sender.failures for sender in senders)} requests failed, "
        f"{len(acknowledged)} acknowledged; by the client {len(accepted)} accepted; "
        f"{len(stored)} stored, {len(set(stored))} distinct"
    )
    assert len(stored) == len(set(stored)), "an event was stored twice"
    assert acknowledged <= set(stored), "an acknowledged event is lost"
    assert accepted <= set(stored), "an accepted event is lost"
    assert len(set(stored) - sent - accepted) <= programs.uncertain, "an event that nobody sent"
    assert len(acknowledged) > 100
    assert len(accepted) > 100
