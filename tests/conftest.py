"""Fixtures that every test may use: a real PostgreSQL, a fresh database per test, and a clock that stands still.

The server is the embedded one, shared by all test processes of a run, or the one that DATABASE_URL names
(whose user must be allowed to create databases).
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.storage.database import Database
from tallystick.storage.embedded import EmbeddedServer
from tallystick.storage.migrate import migrate

ROOMY = 4 * 2**30
"""Bytes: four times what the servers of one run have ever taken."""

SHARED = Path(__file__).resolve().parents[2] / "shared"


# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile("tallystick", deadline=None)
hypothesis.settings.load_profile("tallystick")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real usage data kept beside the repository; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real usage data (../shared/data) is not here")
    return SHARED / "data"


def servers_folder() -> Path:
    """Where test servers live: in memory if there is plenty, since the many small databases are bound by the disk.

    Not under pytest's own folder, which root closes to PostgreSQL's user.
    """
    memory = Path("/dev/shm")  # noqa: S108
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOMY
    return memory if roomy else Path(tempfile.gettempdir())


def server_folder() -> Path:
    """Where this run's server lives."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    return servers_folder() / f"tallystick-tests-{run[:12]}"


def pytest_unconfigure() -> None:
    """Remove the folders of servers that have stopped, when the whole run is over."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for folder in servers_folder().glob("tallystick-tests-*"):
            with suppress(FileNotFoundError):  # another run that ends now removes it, too
                stopped = not (folder / "pgdata" / "postmaster.pid").exists()
                if stopped and time.time() - folder.stat().st_mtime > 60:
                    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server on which databases can be created."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    folder = server_folder()
    folder.mkdir(mode=0o755, exist_ok=True)
    with EmbeddedServer.acquire(folder) as server:
        yield server.url


def on_database(url: str, name: str) -> str:
    """The URL's server, another database."""
    return make_conninfo(url, dbname=name)


@contextmanager
def temporary_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """The URL of a database that exists for the length of the block."""
    name = f"tallystick_test_{uuid.uuid4().hex[:12]}"
    copy = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template or "template0"))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(copy)
    try:
        yield on_database(server_url, name)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="session")
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a database with today's schema and nothing in it, to copy from."""
    with temporary_database(server_url) as url:
        migrate(url)
        yield str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def database_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """A fresh database with today's schema."""
    with temporary_database(server_url, migrated_template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, fresh database."""
    async with await Database.open(Settings(database_url=database_url)) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon on 15 March 2026, UTC."""
    return ManualClock(datetime(2026, 3, 15, 12, tzinfo=UTC))
