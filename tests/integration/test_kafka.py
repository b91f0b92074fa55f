"""`tallystick consume`: every message counts once, whatever becomes of readers, the database and other messages."""

import asyncio
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tallystick.billing.teams.registration import register_teams
from tallystick.core.clock import SystemClock
from tallystick.core.errors import ConfigurationError
from tallystick.core.settings import Settings
from tallystick.integrations.kafka.models import Message, Reading, Subscription
from tallystick.integrations.kafka.source import KafkaSource, Stored
from tallystick.metering.service import Metering
from tallystick.storage.database import Database
from tallystick.storage.embedded import EmbeddedServer
from tests.acceptance.command import PATIENCE, Command
from tests.conftest import servers_folder
from tests.integration.kafka_broker import Broker, running_broker

EVENT = {"team_id": "acme", "event_name": "call"}


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with running_broker() as running:
        yield running


@pytest.fixture
async def metering(database: Database) -> AsyncIterator[Metering]:
    async with Metering.open(database, Settings(), SystemClock(), register_teams) as opened:
        yield opened


class Reader:
    """Reads a topic to its end, as a member of a group."""

    def __init__(self, broker: Broker, metering: Metering) -> None:
        self.broker = broker
        self.metering = metering
        self.stored: list[Stored] = []
        self.notes: list[str] = []

    async def read(
        self, topic: str, *, group: str = "g", reading: Reading | None = None, from_end: bool = False
    ) -> None:
        subscription = Subscription([self.broker.servers], [topic], f"{topic}-{group}", from_end=from_end)
        source = KafkaSource(subscription, reading or Reading(), self.metering, self.stored.append, self.notes.append)
        await asyncio.wait_for(source.run(asyncio.Event(), once=True), PATIENCE)

    def tally(self) -> tuple[int, int, int]:
        """Accepted, duplicates and refused since the last time."""
        outcomes = [each.outcome for each in self.stored]
        self.stored.clear()
        refused = sum(len(each.rejections) for each in outcomes)
        return sum(each.accepted for each in outcomes), sum(each.duplicates for each in outcomes), refused


@pytest.fixture
def reader(broker: Broker, metering: Metering) -> Reader:
    return Reader(broker, metering)


async def test_what_was_stored_is_not_read_again_and_if_it_is_it_is_known(reader: Reader, broker: Broker):
    topic = broker.topic()
    broker.produce(topic, *[{**EVENT, "quantity": n} for n in range(500)])
    await reader.read(topic)
    assert reader.tally() == (500, 0, 0)
    broker.produce(topic, EVENT)
    await reader.read(topic)
    assert reader.tally() == (1, 0, 0)
    await reader.read(topic, group="another")
    assert reader.tally() == (0, 501, 0)


async def test_a_message_that_is_no_event_stops_none_behind_it(reader: Reader, broker: Broker, database_url: str):
    topic = broker.topic()
    poison = [b"nonsense", b"\xff\x00", None, b"[", {"event_name": "call"}, {**EVENT, "quantity": "NaN"}, b"{" * 9999]
    for value in poison:
        broker.produce(topic, EVENT, value, EVENT, partition=0)
    await reader.read(topic)
    places = {m.place for each in reader.stored for m in each.places}
    assert reader.tally() == (14, 0, 6)
    assert f"{topic}[0]@1" in places
    await reader.read(topic, group="another")
    assert reader.tally() == (0, 14, 6)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*), min(seen), max(seen) FROM dead_letters").fetchone() == (6, 2, 2)


async def test_cloudevents_and_native_events_share_a_topic(reader: Reader, broker: Broker, database_url: str):
    topic = broker.topic()
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/app",
        "type": "call",
        "subject": "acme",
        "data": {"quantity": 2},
    }
    broker.produce(topic, EVENT, event)
    headers = [(f"ce_{name}", value) for name, value in {**event, "id": "2"}.items() if name not in ("data", "subject")]
    broker.produce(topic, {"quantity": 3}, headers=headers, key="globex")
    await reader.read(topic, reading=Reading(fields={"team_id": "key"}))
    assert reader.tally() == (3, 0, 0)
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT team_id, quantity::int FROM usage_events ORDER BY 2").fetchall()
    assert found == [("acme", 1), ("acme", 2), ("globex", 3)]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_packed_messages_are_read_or_what_is_missing_is_said(reader: Reader, broker: Broker, codec: str):
    topic = broker.topic()
    broker.packing(codec).produce(topic, *[{**EVENT, "metadata": {"text": "x" * 100}}] * 50)
    if codec != "gzip" and find_spec("cramjam") is None:
        with pytest.raises(ConfigurationError, match=f"Kafka: .*{codec}"):
            await reader.read(topic)
    else:
        await reader.read(topic)
        assert reader.tally() == (50, 0, 0)


async def test_a_group_may_begin_at_the_end_and_misses_nothing_from_there(reader: Reader, broker: Broker):
    topic = broker.topic()
    broker.produce(topic, EVENT, EVENT)
    await reader.read(topic, from_end=True)
    assert reader.tally() == (0, 0, 0)
    broker.produce(topic, EVENT)  # while nobody reads
    await reader.read(topic, from_end=True)
    assert reader.tally() == (1, 0, 0)


async def test_brokers_that_are_away_are_said_once_and_waited_for(metering: Metering):
    notes: list[str] = []
    noted = asyncio.Event()

    def note(text: str) -> None:
        notes.append(text)
        noted.set()

    subscription = Subscription(["127.0.0.1:9"], ["usage"], "g")
    stop = asyncio.Event()
    source = KafkaSource(subscription, Reading(), metering, lambda _: None, note)
    running = asyncio.create_task(source.run(stop))
    await asyncio.wait_for(noted.wait(), PATIENCE)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, PATIENCE)
    [told] = notes
    assert told.startswith("Kafka at 127.0.0.1:9: ")
    assert told.endswith("; trying again")


def test_batches_are_bounded_in_bytes_and_leave_nothing_out(broker: Broker):
    source = KafkaSource(Subscription([], [], ""), Reading(), None, print, print)  # type: ignore[arg-type]
    sizes = [1, 10, 5 * 2**20, 3, 2**21, 2**21, 2**21]
    messages = [Message("t", 0, at, 0, None, b"x" * size, ()) for at, size in enumerate(sizes)]
    batches = list(source._batches(messages))
    assert [message for batch in batches for message in batch] == messages
    assert [len(batch) for batch in batches] == [2, 1, 2, 2]
    assert list(source._batches([])) == []


# --- Kills ----------------------------------------------------------------------------------------


class Members:
    """Two processes of one group on one database, killed at random."""

    def __init__(self, broker: Broker, topic: str, folder: Path) -> None:
        self.arguments = ["consume", "--kafka", broker.servers, "--topic", topic, "--group", topic, "--create-teams"]
        self.tallystick = Command("", folder)
        self.tallystick.environment |= {"TALLYSTICK_DATA_DIR": str(folder / "data")}
        del self.tallystick.environment["DATABASE_URL"]
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def restart(self, number: int) -> None:
        if number < len(self.processes):
            self.processes[number].kill()
            self.processes[number].communicate()
            self.processes[number] = self.tallystick.start(*self.arguments)
        else:
            self.processes.append(self.tallystick.start(*self.arguments))

    def kill_postgresql(self) -> None:
        with suppress(OSError, IndexError, ValueError):
            os.kill(int((self.folder / "data" / "pgdata" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> list[int]:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.communicate(timeout=PATIENCE)
        return [process.returncode for process in self.processes]


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.soak)])
def test_every_message_counts_once_through_kills_of_readers_and_database(broker: Broker, kills: int):
    rng = random.Random()
    topic = broker.topic()
    produced = 0
    ended = threading.Event()

    def produce() -> None:
        nonlocal produced
        while not ended.is_set():
            broker.produce(topic, *[{**EVENT, "metadata": {"n": produced + n}} for n in range(100)])
            produced += 100
            time.sleep(0.1)

    where = servers_folder()
    with tempfile.TemporaryDirectory(prefix="tallystick-kafka-", dir=where, ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        members = Members(broker, topic, Path(name))
        with EmbeddedServer.acquire(Path(name) / "data") as server:
            producer = threading.Thread(target=produce, daemon=True)
            producer.start()
            for number in range(2):
                members.restart(number)
            _wait_for(server.url, 100)
            for kill in range(kills):
                members.kill_postgresql() if kill % 3 == 1 else members.restart(rng.randrange(2))
                time.sleep(rng.uniform(0.3, 2))
            ended.set()
            producer.join()
            _wait_for(server.url, produced)
            assert members.stop() == [0, 0]
            stored = _numbers(server.url)
    print(f"{kills} kills: {produced} produced, {len(stored)} stored, {len(set(stored))} distinct")
    assert len(stored) == len(set(stored)), "a message counts twice"
    assert sorted(stored) == list(range(produced)), "a message is lost"


def _numbers(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT metadata FROM usage_events").fetchall()
    return [int(metadata["n"] if isinstance(metadata, dict) else json.loads(metadata)["n"]) for (metadata,) in rows]


def _wait_for(url: str, events: int) -> None:
    deadline = time.monotonic() + PATIENCE
    found = -1
    while found < events:
        assert time.monotonic() < deadline, f"{found} of {events} stored"
        with suppress(psycopg.Error):
            found = len(_numbers(url))
        time.sleep(0.2)
