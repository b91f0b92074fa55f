"""A real server with a real database for the client's tests, and a door before it that can be made to fail."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from clients.python.tests.door import Door
from clients.python.tests.serving import Server
from tallystick_client import Tracker
from tests.conftest import migrated_template, server_url, temporary_database

__all__ = ["migrated_template", "server_url"]

BILLING = """
version: 1
currency: USD
metrics:
  api_calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  peak: {event: api_call, aggregation: max, unit: call}
plans:
  standard: {prices: [{metric: api_calls, model: per_unit, unit_price: "0.0008"}]}
"""


@pytest.fixture(scope="session")
def server(server_url: str, migrated_template: str) -> Iterator[Server]:
    """`tallystick serve` on loopback, where teams are made with their first event; one for all tests of a process."""
    with temporary_database(server_url, migrated_template) as url, Server.running(url) as server:
        yield server


@pytest.fixture(scope="session")
def billed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server, where two metrics count calls and a plan charges for one."""
    file = tmp_path_factory.mktemp("billing") / "billing.yaml"
    file.write_text(BILLING)
    command = [sys.executable, "-m", "tallystick", "apply", str(file)]
    environment = {**os.environ, "DATABASE_URL": server.database_url}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return server


@pytest.fixture
def team() -> str:
    """A team that no other test has."""
    return f"team-{uuid4().hex[:8]}"


@pytest.fixture
def door(server: Server) -> Iterator[Door]:
    """The server behind a proxy that fails as it is told."""
    with Door.before(server.url) as door:
        yield door


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where the spool of a test is."""
    return tmp_path / "spool"


@pytest.fixture
def opened(spool: Path) -> Iterator[Callable[..., Tracker]]:
    """Makes trackers on the test's spool, quick ones, and closes them."""
    trackers: list[Tracker] = []

    def make(url: str, **options: object) -> Tracker:
        tracker = Tracker(url, **{"spool": spool, "flush_interval": 0.05, "exit_timeout": 0.2, **options})  # type: ignore[arg-type]
        trackers.append(tracker)
        return tracker

    yield make
    for tracker in trackers:
        tracker.close()


@pytest.fixture
def free_url() -> str:
    """A URL at which nobody answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"
