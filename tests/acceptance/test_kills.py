"""kill -9 of the server and of PostgreSQL at random moments under load: nothing acknowledged is lost or doubled."""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from tallystick.storage.embedded import EmbeddedServer

SENDERS = 4
BATCH = 25

CATALOGUE = """
version: 1
metrics:
  calls: {event: call, aggregation: sum, unit: call, dimensions: [region]}
  level: {event: call, aggregation: time_weighted, value_unit: call, unit: call-hour}
teams: {acme: {name: Acme}, globex: {name: Globex}}
"""


class Server:
    """`tallystick serve` as a process that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {**os.environ, "TALLYSTICK_DATA_DIR": str(folder)}
        self.environment.pop("DATABASE_URL", None)
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "tallystick", *arguments]
        done = subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        command = [sys.executable, "-m", "tallystick", "serve", "--dev", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process
            assert self.process.poll() is None, f"the server ended by itself:\n{self.log.read_text()}"
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not ready after a minute:\n{self.log.read_text()}")

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def kill_postgresql(self) -> None:
        with suppress(OSError, IndexError, ValueError):
            os.kill(int((self.folder / "pgdata" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(timeout=60)


class Sender(threading.Thread):
    """Sends batches and resends each until it is acknowledged, as a client does."""

    def __init__(self, number: int, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.url = f"http://127.0.0.1:{port}/api/usage/track"
        self.stop = stop
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.failures = 0

    def run(self) -> None:
        rng = random.Random(self.number)
        with httpx.Client(timeout=20) as client:
            batch = 0
            while not self.stop.is_set():
                batch += 1
                keys = [f"{self.number}-{batch}-{i}" for i in range(BATCH)]
                events = [self._event(key, rng) for key in keys]
                self.sent.update(keys)
                while not self._send(client, events) and not self.stop.is_set():
                    time.sleep(rng.uniform(0.01, 0.1))

    def _event(self, key: str, rng: random.Random) -> dict[str, object]:
        return {
            "team_id": rng.choice(["acme", "globex"]),
            "event_name": "call",
            "quantity": 1,
            "metadata": {"region": rng.choice(["eu", "us"])},
            "idempotency_key": key,
        }

    def _send(self, client: httpx.Client, events: list[dict[str, object]]) -> bool:
        try:
            answer = client.post(self.url, json=events)
        except httpx.HTTPError:
            self.failures += 1
            return False
        if answer.status_code == 503:
            self.failures += 1
            return False
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] + answer.json()["duplicates"] == len(events)
        self.acknowledged.update(str(event["idempotency_key"]) for event in events)
        return True


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="tallystick-kills-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "tallystick.yaml").write_text(CATALOGUE)
        server = Server(Path(folder) / "data")
        server.run("apply", f"{folder}/tallystick.yaml")
        yield server
        if server.process and server.process.poll() is None:
            server.stop()


@pytest.mark.parametrize("kills", [20, pytest.param(300, marks=pytest.mark.soak)])
def test_every_acknowledged_event_is_there_once_after_kills_at_random_moments(server: Server, kills: int) -> None:
    rng = random.Random()
    server.start()
    server.wait_until_ready()
    stop = threading.Event()
    senders = [Sender(number, server.port, stop) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    for kill in range(kills):
        time.sleep(rng.uniform(0.05, 0.8))
        if kill % 2:
            server.kill_postgresql()
        if not kill % 2 or rng.random() < 0.2:
            server.kill()
            server.start()
        server.wait_until_ready()
    time.sleep(0.5)
    stop.set()
    for sender in senders:
        sender.join(timeout=30)
        assert not sender.is_alive()
    assert server.stop() == 0
    print(f"{kills} kills")
    _check(server, senders)


def _check(server: Server, senders: list[Sender]) -> None:
    acknowledged = set[str]().union(*(sender.acknowledged for sender in senders))
    sent = set[str]().union(*(sender.sent for sender in senders))
    with EmbeddedServer.acquire(server.folder) as postgresql, psycopg.connect(postgresql.url) as connection:
        stored = [key for (key,) in connection.execute("SELECT idempotency_key FROM usage_events")]
    print(
        f"{sum(sender.failures for sender in senders)} failed requests: {len(sent)} sent, "
        f"{len(acknowledged)} acknowledged, {len(stored)} stored, {len(set(stored))} distinct"
    )
    assert len(stored) == len(set(stored)), "an event was stored twice"
    assert acknowledged <= set(stored), "an acknowledged event is lost"
    assert set(stored) <= sent
    assert len(acknowledged) > 100
    for team in ("acme", "globex"):
        assert "no discrepancy" in server.run("validate-period", team)
