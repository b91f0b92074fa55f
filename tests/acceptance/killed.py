"""What is killed, and what puts it under load: a server with its PostgreSQL, senders over HTTP, programs that track."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

CLIENT = Path(__file__).parents[2] / "clients" / "python" / "src"
BATCH = 25
PATIENCE = 120


class Server:
    """`tallystick serve` as a process that can be killed and started again, with a PostgreSQL of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
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
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process
            assert self.process.poll() is None, f"the server ended by itself:\n{self.said()}"
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not ready after {PATIENCE} s:\n{self.said()}")

    def said(self) -> str:
        """The last that the server and its PostgreSQL wrote to their logs."""
        logs = [self.log, self.folder / "postgres.log"]
        return "\n".join(log.read_text(errors="replace")[-5000:] for log in logs if log.exists())

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
        return self.process.wait(timeout=PATIENCE)


class Sender(threading.Thread):
    """Sends batches over HTTP and resends each until it is acknowledged, as a client of one's own does."""

    def __init__(self, number: int, url: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.url = f"{url}/api/usage/track"
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
                keys = [f"http-{self.number}-{batch}-{i}" for i in range(BATCH)]
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


TRACKING = """
import itertools, os, random, sys, threading, time
from tallystick_client import Tracker

url, spool, journal, name = sys.argv[1:]
returned = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
tracker = Tracker(url, spool=spool, flush_interval=0.1, batch_size=200)

def work(thread):
    for number in itertools.count():
        key = f"{name}-{thread}-{number}"
        tracker.track(random.choice(["acme", "globex"]), "call", 1, idempotency_key=key, region="eu")
        os.write(returned, f"{key}\\n".encode())
        while number % 20 == 0 and tracker.stats().spool_bytes > 1_000_000:  # as fast as the server takes it
            time.sleep(0.01)

for thread in range(2):
    threading.Thread(target=work, args=[thread]).start()
"""


class Programs:
    """Processes that track through the client on one disk spool, and write down each event that `track()` accepted."""

    THREADS = 2

    def __init__(self, server: Server, folder: Path, number: int) -> None:
        self._server = server
        self._spool = folder / "spool"
        self._journal = folder / "journal"
        self._started = 0
        self._journal.touch()
        self._running = [self._start() for _ in range(number)]

    def _start(self) -> subprocess.Popen[bytes]:
        self._started += 1
        arguments = [self._server.url, str(self._spool), str(self._journal), f"program-{self._started}"]
        command = [sys.executable, "-c", TRACKING, *arguments]
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(CLIENT)})

    def kill(self, rng: random.Random) -> None:
        """Kill one and start another."""
        chosen = self._running.pop(rng.randrange(len(self._running)))
        assert chosen.poll() is None, "it ended by itself"
        self._end(chosen)
        self._running.append(self._start())

    def end(self) -> None:
        """Kill them all."""
        ended = [process.poll() for process in self._running]
        while self._running:
            self._end(self._running.pop())
        assert not any(code is not None for code in ended), "one had ended by itself"

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def deliver(self) -> str:
        """What a program that is started afterwards delivers of what the dead ones left."""
        code = "import sys; from tallystick_client import Tracker; t = Tracker(sys.argv[1], spool=sys.argv[2])\n"
        code += "assert t.flush(120); assert t.stats().dropped == t.stats().rejected == 0; print(t.stats().sent)"
        command = [sys.executable, "-c", code, self._server.url, str(self._spool)]
        environment = {**os.environ, "PYTHONPATH": str(CLIENT)}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert list(self._spool.iterdir()) == [], "something is left, or was rejected"
        return done.stdout.strip()

    def wait_until_accepted(self, events: int) -> None:
        """A busy machine may take longer to start a program than it was given to live."""
        deadline = time.monotonic() + PATIENCE
        while len(self.accepted) < events:
            assert time.monotonic() < deadline, "nothing is tracked"
            time.sleep(0.1)

    @property
    def accepted(self) -> set[str]:
        """The keys for which `track()` returned. One that was cut off with its process is none."""
        return set(self._journal.read_text().split("\n")[:-1])

    @property
    def uncertain(self) -> int:
        """How many events may be kept whose acceptance nobody could write down any more."""
        return self._started * self.THREADS
