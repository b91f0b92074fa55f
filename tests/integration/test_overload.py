"""Over capacity, and without its database, the server refuses plainly, keeps its memory, and recovers by itself."""

import asyncio
import json
import os
import random
import signal
import socket
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tallystick.storage.embedded import EmbeddedServer
from tests.conftest import servers_folder
from tests.integration.test_server import Served, serving, wait_until_closed

PATIENCE = 120
REQUEST_SECONDS = 3
TAKING_BACK = 12
"""What taking a statement back from a database that does not answer may add to that."""
MIB = 1024 * 1024
BATCH = 100
WARMING = 5
"""Seconds under load after which a server has taken the memory that it works with."""

TIGHT = {
    "TALLYSTICK_AUTO_REGISTER_TEAMS": "true",
    "TALLYSTICK_REQUEST_TIMEOUT_SECONDS": str(REQUEST_SECONDS),
}


def events(prefix: str, number: int = BATCH, **fields: object) -> list[dict[str, object]]:
    return [
        {"team_id": "acme", "event_name": "call", "idempotency_key": f"{prefix}-{i}", **fields} for i in range(number)
    ]


def bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def track(
    served: Served, sent: list[dict[str, object]], timeout: float = PATIENCE, key: str | None = None
) -> httpx.Response:
    return httpx.post(served.url + "/api/usage/track", json=sent, timeout=timeout, headers=bearer(key))


def stored(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT idempotency_key FROM usage_events")]


def until_it_works(call: object) -> None:
    """Until it answers 200, with generous patience."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if call().status_code == 200:  # type: ignore[operator]
                return
        time.sleep(0.2)
    raise AssertionError("it did not recover")


def get(served: Served, path: str) -> httpx.Response:
    return httpx.get(served.url + path, timeout=PATIENCE)


READS = ("/api/usage/events", "/api/usage/report?team_id=acme", "/api/usage/dead-letters", "/api/teams")


def assert_refused_in_time(call: object) -> None:
    began = time.monotonic()
    answer = call()  # type: ignore[operator]
    took = time.monotonic() - began
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert took < REQUEST_SECONDS + TAKING_BACK + 20, took  # and not for ever; the machine may be busy


# --- A database that does not answer ----------------------------------------------------------------


@contextmanager
def own_database() -> Iterator[Path]:
    """A data folder whose PostgreSQL nobody else uses."""
    where = servers_folder()
    with tempfile.TemporaryDirectory(prefix="tallystick-overload-", dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


def processes_of(folder: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((folder / "pgdata" / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children(recursive=True)]


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """PostgreSQL with every process of it stopped: connections stay open and say nothing."""
    stopped = processes_of(folder)
    for each in stopped:
        each.suspend()
    try:
        yield
    finally:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.resume()


def test_a_frozen_database_is_told_as_503_to_writers_and_readers_and_work_goes_on_when_it_thaws() -> None:
    with own_database() as folder, serving("", "--dev", TALLYSTICK_DATA_DIR=str(folder), **TIGHT) as served:
        assert track(served, events("before")).status_code == 200
        with frozen(folder):
            threads = [
                threading.Thread(target=assert_refused_in_time, args=(call,))
                for call in (
                    lambda: track(served, events("during")),
                    *(lambda path=path: get(served, path) for path in READS),
                    lambda: get(served, "/health/ready"),
                )
            ]
            failures: list[object] = []
            threading.excepthook = lambda failure: failures.append(failure.exc_value)
            try:
                for thread in threads:
                    thread.start()
                assert get(served, "/health").status_code == 200
                for thread in threads:
                    thread.join()
            finally:
                threading.excepthook = threading.__excepthook__
            assert failures == []
        until_it_works(lambda: track(served, events("during")))
        for path in READS:
            until_it_works(lambda path=path: get(served, path))
        assert served.stop() == 0
        with EmbeddedServer.acquire(folder) as server:
            keys = stored(server.url)
    assert sorted(keys) == sorted(str(event["idempotency_key"]) for event in events("before") + events("during"))


def test_a_server_whose_database_is_frozen_still_stops_when_it_is_told_to() -> None:
    with own_database() as folder, serving("", "--dev", TALLYSTICK_DATA_DIR=str(folder), **TIGHT) as served:
        assert track(served, events("before")).status_code == 200
        with frozen(folder):
            with suppress(httpx.HTTPError):
                track(served, events("during"), timeout=1)
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(PATIENCE) is not None


def test_a_killed_database_is_told_as_503_and_comes_back() -> None:
    with own_database() as folder, serving("", "--dev", TALLYSTICK_DATA_DIR=str(folder), **TIGHT) as served:
        for round_ in range(3):
            until_it_works(lambda round_=round_: track(served, events(f"round-{round_}")))
            processes_of(folder)[0].kill()
            for path in READS:
                assert get(served, path).status_code in {200, 503}
        for path in READS:
            until_it_works(lambda path=path: get(served, path))
        assert served.stop() == 0
        with EmbeddedServer.acquire(folder) as server:
            assert len(stored(server.url)) == 3 * BATCH


def test_a_table_that_somebody_locks_is_told_as_503_and_everything_goes_on_when_it_is_free(database_url: str) -> None:
    with serving(database_url, "--dev", **TIGHT) as served:
        assert track(served, events("before")).status_code == 200
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE usage_events, ingest_batches IN ACCESS EXCLUSIVE MODE")
            assert_refused_in_time(lambda: track(served, events("during")))
            assert_refused_in_time(lambda: get(served, "/api/usage/events"))
            assert get(served, "/api/teams").status_code == 200  # what needs another table goes on
            connection.rollback()
        until_it_works(lambda: track(served, events("during")))
        until_it_works(lambda: get(served, "/api/usage/events"))
        assert served.stop() == 0
    assert len(stored(database_url)) == len(set(stored(database_url))) == 2 * BATCH


def test_what_was_answered_with_503_before_it_was_written_is_never_written(database_url: str) -> None:
    """An event without a key would count twice, were it stored although its sender was told to send it again."""
    with serving(database_url, "--dev", **TIGHT) as served:
        assert track(served, events("before")).status_code == 200
        without_key = [{"team_id": "acme", "event_name": "call"}] * 5
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE usage_events, ingest_batches IN ACCESS EXCLUSIVE MODE")
            senders = [threading.Thread(target=track, args=(served, without_key)) for _ in range(8)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            connection.rollback()
        until_it_works(lambda: track(served, events("after")))
        assert served.stop() == 0
    assert len(stored(database_url)) == 2 * BATCH


def test_slow_reading_does_not_keep_events_out(database_url: str) -> None:
    """Reports that all wait for a lock leave connections to write with."""
    with serving(database_url, TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
        key = served.key
        assert track(served, events("before"), key=key).status_code == 200
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE usage_aggregates IN ACCESS EXCLUSIVE MODE")
            report = (served.url + "/api/usage/report?team_id=acme",)
            readers = [
                threading.Thread(target=httpx.get, args=report, kwargs={"headers": bearer(key), "timeout": PATIENCE})
                for _ in range(30)
            ]
            for reader in readers:
                reader.start()
            time.sleep(3)  # what is remembered of the key is too old by then
            assert track(served, [*events("during"), *events("during")], key=key).status_code == 200
            assert get(served, "/health/ready").status_code == 200
            connection.rollback()
        for reader in readers:
            reader.join(PATIENCE)


# --- Stopping under load ----------------------------------------------------------------------------


def test_every_request_that_is_under_way_when_the_server_is_told_to_stop_is_answered(database_url: str) -> None:
    clients = 24
    with serving(database_url, "--dev", TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
        assert track(served, events("before")).status_code == 200
        with psycopg.connect(database_url) as connection:  # so that all of them wait when the signal comes
            connection.execute("LOCK TABLE usage_events IN ACCESS EXCLUSIVE MODE")
            waiting = [_sent(served, events(f"client-{number}")) for number in range(clients)]
            time.sleep(1)
            served.process.send_signal(signal.SIGTERM)
            wait_until_closed(served.address)
            connection.rollback()
        answers = [_answer(each) for each in waiting]
        assert served.process.wait(PATIENCE) == 0
    assert Counter(answer.split(b" ", 2)[1] for answer in answers) == {b"200": clients}
    assert all(b'"accepted":100' in answer for answer in answers)
    assert len(stored(database_url)) == (clients + 1) * BATCH


def _sent(served: Served, batch: list[dict[str, object]]) -> socket.socket:
    body = json.dumps(batch).encode()
    connection = socket.create_connection(served.address, timeout=PATIENCE)
    head = f"POST /api/usage/track HTTP/1.1\r\nHost: {served.address[0]}\r\nContent-Length: {len(body)}\r\n"
    connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    return connection


def _answer(connection: socket.socket) -> bytes:
    with connection:
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


# --- Too much ---------------------------------------------------------------------------------------


class Crowd:
    """Clients that send more than the server takes, each as fast as it can, and count what it says."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.name = uuid.uuid4().hex
        self.said: Counter[int] = Counter()
        self.runs = 0
        self.accepted: set[str] = set()
        self.sent: set[str] = set()
        self.slowest_refusal = 0.0

    async def run(self, clients: int, seconds: float) -> None:
        """Send for so long."""
        self.runs += 1
        until = time.monotonic() + seconds
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        async with httpx.AsyncClient(base_url=self.served.url, timeout=PATIENCE, limits=limits) as client:
            await asyncio.gather(*(self._client(client, number, until) for number in range(clients)))

    async def _client(self, client: httpx.AsyncClient, number: int, until: float) -> None:
        batch = 0
        while time.monotonic() < until:
            batch += 1
            keys = [f"{self.name}-{self.runs}-{number}-{batch}-{i}" for i in range(400)]
            self.sent.update(keys)
            body = [{**event, "idempotency_key": key} for event, key in zip(self._events(), keys, strict=True)]
            began = time.monotonic()
            answer = await client.post("/api/usage/track", json=body)
            self.said[answer.status_code] += 1
            if answer.status_code == 200:
                assert answer.json()["accepted"] == len(keys)
                self.accepted.update(keys)
            else:
                assert answer.headers["retry-after"]
                self.slowest_refusal = max(self.slowest_refusal, time.monotonic() - began)

    def _events(self) -> list[dict[str, object]]:
        return events("", 400, metadata={"padding": "x" * 500, "region": random.choice(["eu", "us"])})


class Memory(threading.Thread):
    """Watches how much memory a process has."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.samples: list[int] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Take a sample now and then."""
        while not self.over.wait(0.5):
            with suppress(psutil.Error):
                self.samples.append(self.process.memory_info().rss)

    def largest(self, part: slice) -> float:
        """The most, in MiB, in a part of the time."""
        return max(self.samples[part]) / MIB


@pytest.mark.parametrize("seconds", [15, pytest.param(3600, marks=pytest.mark.soak)])
def test_memory_stays_flat_and_nothing_is_lost_while_too_much_is_sent(database_url: str, seconds: int) -> None:
    tight = {"TALLYSTICK_INGEST_QUEUE_EVENTS": "4000", "TALLYSTICK_MAX_HELD_BYTES": str(4 * MIB)}
    with serving(database_url, "--dev", TALLYSTICK_AUTO_REGISTER_TEAMS="true", **tight) as served:
        crowd, memory = Crowd(served), Memory(served.process.pid)
        asyncio.run(crowd.run(48, WARMING))
        memory.start()
        asyncio.run(crowd.run(48, seconds))
        memory.over.set()
        memory.join()
        assert served.stop() == 0
    third = len(memory.samples) // 3
    first, last = memory.largest(slice(0, third)), memory.largest(slice(-third, None))
    print(f"{dict(crowd.said)}, {len(crowd.accepted)} accepted; {first:.0f} MiB at first, {last:.0f} MiB at last")
    assert set(crowd.said) == {200, 503}
    assert last < first * 1.15 + 20
    assert last < 400
    keys = stored(database_url)
    assert len(keys) == len(set(keys))
    assert crowd.accepted <= set(keys) <= crowd.sent


def test_the_server_has_no_more_threads_or_files_after_a_crowd_than_before(database_url: str) -> None:
    with serving(database_url, "--dev", TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
        process = psutil.Process(served.process.pid)
        asyncio.run(Crowd(served).run(32, 3))
        few = process.num_fds() + 8  # connections to the database come and go; a crowd would leave 32 each time
        for _ in range(3):
            asyncio.run(Crowd(served).run(32, 1))
        deadline = time.monotonic() + PATIENCE
        while process.num_fds() > few and time.monotonic() < deadline:
            time.sleep(0.1)
        assert process.num_fds() <= few
        assert process.num_threads() < 20 + (os.cpu_count() or 1)
