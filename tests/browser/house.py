"""A Tallystick that a browser can look at: a real server on a real database, with six weeks of several teams' usage."""

import math
import random
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any, Self

import httpx

from tests.acceptance.command import Command

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
DAYS = 42
SCALE = {"acme": 1.0, "globex": 0.62, "initech": 0.4, "hooli": 0.21, "umbrella": 0.09}
"""How busy each team is, against the busiest."""

EXACT = "123456789012345678.123456789012345678"
"""More digits than two binary floats hold, and above 2^53."""

READY = re.compile(r"ready at (\S+)")
KEY = re.compile(r"(tsk_\S+)")


@dataclass
class House:
    """A server that can be stopped and started again where it was.

    Attributes:
        command: runs `tallystick` on the house's database.
        url: where the server answers.
        key: an admin key.
    """

    command: Command
    url: str = ""
    key: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _readers: list[Thread] = field(default_factory=list, repr=False)

    @classmethod
    @contextmanager
    def open(cls, database_url: str, folder: Path, *, seed: bool = True) -> Iterator[Self]:
        """A running house, stopped in the end."""
        house = cls(Command(database_url, folder))
        house.command.environment["TALLYSTICK_HOME"] = str(folder)
        if seed:
            house.command("apply", str(CATALOGUE))
        house.start()
        try:
            if seed:
                house.furnish()
            yield house
        finally:
            house.stop()

    def start(self) -> None:
        """Start the server, the second time at the same address."""
        port = self.url.rpartition(":")[2] or "0"
        self._process = process = self.command.start("serve", "--port", port, "--log-level", "error")
        assert process.stdout
        assert process.stderr
        self._readers = [Thread(target=process.stderr.read, daemon=True)]
        for line in process.stdout:
            if found := KEY.search(line):
                self.key = found[1]
            if found := READY.search(line):
                self.url = found[1]
                break
        else:
            raise AssertionError("the server ended before it was ready")
        self._readers.append(Thread(target=process.stdout.read, daemon=True))
        for reader in self._readers:
            reader.start()

    def stop(self) -> None:
        """Stop the server as a supervisor would."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        for reader in self._readers:
            reader.join()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """An answer of the API as its admin gets it."""
        answer = httpx.request(
            method, self.url + path, headers={"Authorization": f"Bearer {self.key}"}, timeout=60, **arguments
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, params=parameters)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, json=body)

    def track(self, *events: dict[str, Any]) -> Any:
        return self.post("/api/usage/track", list(events))

    def furnish(self) -> None:
        """Six weeks of traffic, alerts that stand differently, and one event that was rejected."""
        events = traffic(datetime.now(UTC))
        while chunk := list(islice(events, 5_000)):
            self.track(*chunk)
        httpx.post(
            f"{self.url}/api/usage/track",
            headers={"Authorization": f"Bearer {self.key}"},
            json=[
                {
                    "team_id": "acme",
                    "event_name": "api_call",
                    "quantity": "-3",
                    "idempotency_key": "wrong",
                    "unit": "byte",
                }
            ],
            timeout=60,
        )
        for team, budget in (("acme", "150"), ("globex", "300"), ("initech", "20")):
            steps = [{"percent": "80"}, {"percent": "100"}]
            name = "Monthly budget"
            self.post(
                "/api/usage/alerts",
                {"name": name, "team_id": team, "kind": "cost", "threshold_value": budget, "steps": steps},
            )


def traffic(now: datetime) -> Iterator[dict[str, Any]]:
    """What the teams used: busier by day than by night, on weekdays, and from week to week."""
    dice = random.Random(7)
    for hours in range(DAYS * 24, 0, -3):
        at = now - timedelta(hours=hours)
        wave = (1.2 + math.sin((at.hour - 9) / 24 * math.tau)) * (0.45 if at.weekday() > 4 else 1)
        growth = 1 + (DAYS * 24 - hours) / (DAYS * 24)
        for team, scale in SCALE.items():
            yield from _of_team(dice, team, at, wave * growth * scale)


def _of_team(dice: random.Random, team: str, at: datetime, busy: float) -> Iterator[dict[str, Any]]:
    calls = int(busy * dice.randint(900, 1500))
    common = {"team_id": team, "timestamp": at.isoformat(), "user_id": f"user-{dice.randint(1, 90)}"}
    region = dice.choices(["eu-west", "us-east", "ap-south"], [5, 4, 2])[0]
    key = f"{team}-{at.timestamp():.0f}"
    yield {
        **common,
        "event_name": "api_call",
        "quantity": str(calls),
        "idempotency_key": f"{key}-calls",
        "metadata": {"region": region, "endpoint": dice.choice(["/v1/search", "/v1/items", "/v1/export"])},
    }
    yield {
        **common,
        "event_name": "llm_request",
        "quantity": str(calls * dice.randint(300, 700)),
        "idempotency_key": f"{key}-tokens",
        "metadata": {"model": dice.choice(["large", "small", "embedding"])},
    }
