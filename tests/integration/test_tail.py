"""`tallystick tail` as a process of its own: it is killed, its database is killed, its logs are rotated."""

import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tallystick.storage.embedded import EmbeddedServer
from tests.acceptance.command import PATIENCE, Command
from tests.conftest import servers_folder

REQUEST = '192.0.2.1 - acme [17/May/2025:10:05:{second:02} +0000] "GET /{number} HTTP/1.1" 200 {number}'
OPTIONS = ("--team-column", "remote_user", "--create-teams")


@pytest.fixture
def tallystick(database_url: str, tmp_path: Path) -> Command:
    command = Command(database_url, tmp_path)
    command.environment["XDG_STATE_HOME"] = str(tmp_path)
    return command


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def write(path: Path, *numbers: int) -> None:
    with path.open("a") as file:
        file.writelines(REQUEST.format(second=number % 60, number=number) + "\n" for number in numbers)


def tail(tallystick: Command, *arguments: str) -> subprocess.Popen[str]:
    return tallystick.start("tail", *OPTIONS, "--state-dir", str(tallystick.folder / "state"), *arguments)


def once(tallystick: Command, *arguments: str) -> str:
    return tallystick("tail", *OPTIONS, "--state-dir", str(tallystick.folder / "state"), "--once", *arguments)


def paths(database_url: str) -> list[str]:
    """The paths of the requests that were stored, one for each event."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT metadata ->> 'path' FROM usage_events ORDER BY 1").fetchall()
    return [path for (path,) in rows]


def wait_for(database_url: str, events: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(paths(database_url)) < events:
        assert time.monotonic() < deadline, f"{len(paths(database_url))} events, not {events}"
        time.sleep(0.1)


def test_lines_are_metered_as_they_are_written_in_several_files(tallystick: Command, database_url: str, log: Path):
    other = log.with_name("other.log")
    write(log, 1)
    process = tail(tallystick, str(log), str(other))
    wait_for(database_url, 1)
    write(log, 2)
    write(other, 3)
    wait_for(database_url, 3)
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    assert out == "3 events stored, 0 were there already\n"
    assert paths(database_url) == ["/1", "/2", "/3"]


def test_once_reads_what_is_there_and_the_next_time_goes_on(tallystick: Command, database_url: str, log: Path):
    write(log, 1, 2)
    assert once(tallystick, str(log)) == "2 events stored, 0 were there already\n"
    write(log, 3)
    log.rename(log.with_name("access.log.1"))
    write(log, 4)
    assert once(tallystick, str(log)) == "2 events stored, 0 were there already\n"
    shutil.rmtree(tallystick.folder / "state")
    assert once(tallystick, str(log)) == "0 events stored, 1 were there already\n"
    assert paths(database_url) == ["/1", "/2", "/3", "/4"]


def test_a_line_that_is_no_event_is_kept_as_a_dead_letter_once(tallystick: Command, database_url: str, log: Path):
    write(log, 1)
    with log.open("a") as file:
        file.write("nonsense\nnonsense\n")
    write(log, 2)
    process = tail(tallystick, "--once", str(log))
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    assert out == "2 events stored, 0 were there already\n"
    assert f"{log}:2: is not a line of the common or combined log format" in error
    assert "2 lines were refused and kept as dead letters" in error
    shutil.rmtree(tallystick.folder / "state")
    once(tallystick, str(log))
    with psycopg.connect(database_url) as connection:
        letters = connection.execute("SELECT convert_from(body, 'UTF8'), seen FROM dead_letters").fetchall()
    assert letters == [("nonsense", 2)] * 2


def test_what_can_not_be_followed_is_one_line(tallystick: Command, log: Path):
    write(log, 1)
    assert "is no file that could be followed" in tallystick("tail", str(log.parent), "--team", "a", code=2)
    assert "there is no column 'user'" in tallystick("tail", str(log), "--team-column", "user", code=2)
    assert "Traceback" not in tallystick("tail", "/proc/version", "--team", "a", "--state-dir", str(log), code=2)


# --- Kills ----------------------------------------------------------------------------------------


class World:
    """A log that is written and rotated, followed by a process that is killed, on a server that is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "access.log"
        self.tallystick = Command("", folder)
        self.tallystick.environment |= {"TALLYSTICK_DATA_DIR": str(folder / "data")}
        del self.tallystick.environment["DATABASE_URL"]
        self.process: subprocess.Popen[str] | None = None
        self.written = 0

    def write(self, lines: int) -> None:
        write(self.log, *range(self.written, self.written + lines))
        self.written += lines

    def rotate(self, *, truncate: bool) -> None:
        if not self.log.exists():
            return
        for number in range(99, 0, -1):
            with suppress(FileNotFoundError):
                self.log.with_name(f"access.log.{number}").rename(self.log.with_name(f"access.log.{number + 1}"))
        if truncate:
            shutil.copy2(self.log, self.log.with_name("access.log.1"))
            self.log.write_text("")
        else:
            self.log.rename(self.log.with_name("access.log.1"))

    def restart(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.process = tail(self.tallystick, str(self.log))

    def kill_postgresql(self) -> None:
        with suppress(OSError, IndexError, ValueError):
            file = self.folder / "data" / "pgdata" / "postmaster.pid"
            subprocess.run(["kill", "-9", file.read_text().split()[0]], check=False, capture_output=True)

    def wait_until_it_follows(self) -> None:
        """Until then it does not know that there is a file: what is rotated away before is none of its files."""
        deadline = time.monotonic() + PATIENCE
        while not list((self.folder / "state").glob("*.json")):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def world() -> Iterator[World]:
    where = servers_folder()
    with tempfile.TemporaryDirectory(prefix="tallystick-tail-", dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        world = World(Path(folder))
        yield world
        world.stop()


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_each_line_counts_once_through_kills_and_rotations(world: World, kills: int):
    rng = random.Random()
    world.write(1)
    with EmbeddedServer.acquire(world.folder / "data") as server:
        world.restart()
        world.wait_until_it_follows()
        for kill in range(kills):
            for _ in range(rng.randrange(1, 12)):
                world.write(rng.randrange(1, 400))
                time.sleep(rng.uniform(0, 0.3))
                if rng.random() < 0.25:
                    world.rotate(truncate=rng.random() < 0.5)
            world.kill_postgresql() if kill % 3 == 2 else world.restart()
        world.stop()
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(AssertionError):
                once(world.tallystick, str(world.log))
                break
            assert time.monotonic() < deadline
        stored = paths(server.url)
    print(f"{kills} kills: {world.written} lines written, {len(stored)} stored, {len(set(stored))} distinct")
    assert len(stored) == len(set(stored)), "a line counts twice"
    assert set(stored) == {f"/{number}" for number in range(world.written)}, "a line is lost"
