"""A Tallystick of its own to measure: a fresh data folder, the embedded PostgreSQL, and the real server.

Everything is gone when the block ends, however it ends: the server, PostgreSQL and the folder. `janitor`
sees to that even where this process is killed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.janitor import clearing_up, note
from benchmarks.traffic import catalogue
from tallystick.storage.embedded import EmbeddedServer

Sql = psycopg.Connection[tuple[Any, ...]]

_TALLYSTICK = (sys.executable, "-m", "tallystick")
_READY = re.compile(r"is ready at http://([\d.]+):(\d+)")
_PATIENCE = 60


class Broken(Exception):
    """What was to be measured does not run."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running `tallystick serve`: where it answers, and its process."""

    address: tuple[str, int]
    pid: int


@dataclass(frozen=True, slots=True)
class Installation:
    """A data folder with its PostgreSQL running, and the benchmarks' billing file applied."""

    folder: Path
    database_url: str

    @classmethod
    @contextmanager
    def fresh(cls, parent: Path, source: str | None = None) -> Iterator["Installation"]:
        """A new one in a folder inside `parent`, with the billing file given or that of the benchmarks' traffic."""
        folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-", dir=parent))
        with clearing_up(folder):
            folder.chmod(0o755)  # PostgreSQL has a user of its own when this is root
            with EmbeddedServer.acquire(folder / "data") as embedded:
                installation = cls(folder, embedded.url)
                installation._apply_catalogue(source or catalogue())
                yield installation

    @classmethod
    @contextmanager
    def kept(cls, folder: Path) -> Iterator["Installation"]:
        """The one in this folder, made if it is not there; it stays when the block ends."""
        folder.mkdir(mode=0o755, exist_ok=True)
        with EmbeddedServer.acquire(folder / "data") as embedded:
            installation = cls(folder, embedded.url)
            installation._apply_catalogue(catalogue())
            yield installation

    @contextmanager
    def sql(self) -> Iterator[Sql]:
        """A connection of one's own to its PostgreSQL; every statement commits."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            yield connection

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """The server in dev mode, until the block ends. A second one may follow.

        Raises:
            Broken: it did not start.
        """
        log = self.folder / "serve.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*_TALLYSTICK, "serve", "--dev", "--port", "0", "--log-level", "warning"],
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is for us, and we end it
            )
        try:
            note(self.folder, process.pid)
            yield Server(_address(process, log), process.pid)
        finally:
            _end(process)

    def settle(self, sql: Sql, patience: float = 600.0) -> float:
        """Wait until a server has rolled everything up; the seconds that took.

        Raises:
            Broken: it does not get there.
        """
        began = time.monotonic()
        while sql.execute(_WORK_LEFT).fetchone() != (False,):
            if time.monotonic() - began > patience:
                raise Broken(f"usage is not rolled up after {patience:.0f} s")
            time.sleep(0.02)
        return time.monotonic() - began

    def _apply_catalogue(self, source: str) -> None:
        file = self.folder / "tallystick.yaml"
        file.write_text(source)
        process = subprocess.Popen(
            [*_TALLYSTICK, "apply", str(file)],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        note(self.folder, process.pid)
        said, _ = process.communicate(timeout=_PATIENCE)
        if process.returncode:
            raise Broken(said.strip())

    def _environment(self) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_") and k != "DATABASE_URL"}
        return own | {"TALLYSTICK_DATA_DIR": str(self.folder / "data")}


_WORK_LEFT = """
    SELECT EXISTS (SELECT FROM ingest_batches WHERE rolled_up_at IS NULL)
        OR EXISTS (SELECT FROM metric_versions WHERE rolled_until < 'infinity' AND superseded_at IS NULL)
"""


def _address(process: subprocess.Popen[str], log: Path) -> tuple[str, int]:
    assert process.stdout is not None
    for line in process.stdout:
        if ready := _READY.search(line):
            return ready[1], int(ready[2])
    raise Broken(f"the server did not start: {log.read_text().strip()}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_PATIENCE)
    except BaseException:
        process.kill()
        process.communicate()
        raise


def one(sql: Sql, statement: str, parameters: Sequence[object] = ()) -> Any:
    """The value that a query yields."""
    row = sql.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]
