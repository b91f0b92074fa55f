"""The PostgreSQL that comes with the product: one server per data folder, shared by all who use it.

    with EmbeddedServer.acquire(Path("/var/lib/tallystick")) as server:
        psycopg.connect(server.url)

The first user starts it and the last one's end stops it. In between, a keeper process starts it again when it
dies, and the users start the keeper again when that dies. Who uses the folder is known to the kernel alone (a
shared file lock), so a killed process is never counted on. `keeper` tells how that works, and
docs/decisions/0001-embedded-postgresql.md why it is so.
"""

import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import quote

import psycopg

from tallystick.core.errors import StorageError
from tallystick.storage.datafolder import (
    PORT,
    Layout,
    State,
    find_postmaster,
    lock,
    open_lock,
    read_pid_file,
    read_state,
)
from tallystick.storage.keeper import ALREADY_KEPT

if sys.platform != "win32":
    from tallystick.storage.provisioning import ELSEWHERE, NAME, disk_full, name_of, prepare

logger = logging.getLogger("tallystick.storage")

_POLL = 0.02
_REPORT_EVERY = 10.0
_PAUSE_AFTER_ERROR = 5.0
_NO_SERVER_PATIENCE = 30.0
_RECOVERY_PATIENCE = 600.0
_ENOUGH_FAILURES = 3
_TRANSIENT = ("pre-existing shared memory block", "lock file", "outside this container")


class EmbeddedServer:
    """A counted handle on the PostgreSQL of a data folder, made by `acquire`.

    The server runs while any handle is held on the machine. `release` gives one up; a process that ends,
    however it ends, gives up all of its own. A forked child holds its parent's handles too: the server stays
    until both have released them or ended, and a release in one takes nothing from the other; but only the
    parent replaces a killed keeper. A program that is started (exec) inherits nothing and acquires for itself.

    Attributes:
        url: libpq URL of the database `tallystick`, over the unix socket, with the password in it.
        data_dir: the folder, absolute and free of symbolic links.
        log_path: the log of PostgreSQL and of its keeper.
    """

    def __init__(self, layout: Layout, url: str, users_lock: int) -> None:
        self.url = url
        self.data_dir = layout.root
        self.log_path = layout.log
        self._layout = layout
        self._users_lock: int | None = users_lock
        Thread(target=self._replace_killed_keepers, name="tallystick-keeper-watch", daemon=True).start()

    @classmethod
    def acquire(cls, data_dir: Path) -> Self:
        """Create the database if the folder is new, start its server if it is down, wait until it answers.

        Blocks: some seconds the first time, well under one later, longer when there is a crash to recover
        from (ten minutes at most) or a server that is just stopping to wait for.

        Raises:
            StorageError: it can't be had; the message says why and what to do.
        """
        if sys.platform == "win32":
            raise StorageError("the embedded PostgreSQL needs Linux or macOS: set DATABASE_URL to your own")
        layout = Layout(Path(data_dir).expanduser().resolve())
        with _explained(layout):
            layout.root.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            users_lock = open_lock(layout.users_lock)
            try:
                _become_user(layout, users_lock)
                return cls(layout, _await_server(layout), users_lock)
            except BaseException:
                os.close(users_lock)
                raise

    def release(self) -> None:
        """Give the handle up; the last one gone, the server stops (shortly after this returns)."""
        held, self._users_lock = self._users_lock, None
        if held is not None:
            os.close(held)  # never unlocked: that would also take the lock from a forked process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _replace_killed_keepers(self) -> None:
        while self._users_lock is not None:
            try:
                _wait_for_end_of_keeper(self._layout)
                if self._users_lock is not None:
                    _ensure_keeper(self._layout)
            except (OSError, StorageError) as error:
                logger.warning("PostgreSQL of %s has no keeper: %s", self.data_dir, error)
                time.sleep(_PAUSE_AFTER_ERROR)

    @property
    def postmaster_pid(self) -> int:
        """The server's main process now; another one after a crash.

        Raises:
            StorageError: it isn't running at this moment.
        """
        found = read_pid_file(self._layout)
        if found is None:
            raise StorageError(f"PostgreSQL is not running in {self.data_dir}")
        return found.pid


def _become_user(layout: Layout, users_lock: int) -> None:
    if not lock(users_lock, shared=True, wait=False):
        logger.info("waiting for the PostgreSQL of %s to finish stopping", layout.root)
        lock(users_lock, shared=True)


def _await_server(layout: Layout) -> str:
    """See to it that a keeper is at work, until the server answers; return its URL."""
    before = read_state(layout)
    _ensure_keeper(layout)  # may have to create the database first, which takes its time
    patience = _Patience(layout, before)
    url = _url(layout)
    while not _accepts(url, layout):
        patience.check()
        time.sleep(_POLL)
        _ensure_keeper(layout)
    return url


def _url(layout: Layout) -> str:
    password, host = quote(layout.password.read_text().strip()), quote(str(layout.socket_dir), safe="")
    return f"postgresql://{NAME}:{password}@/{NAME}?host={host}&port={PORT}"


def _accepts(url: str, layout: Layout) -> bool:
    found = read_pid_file(layout)
    if found is None or found.status != "ready":
        return False
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        reason = str(error)
        if "password authentication failed" in reason:
            raise StorageError(
                f"the database in {layout.pgdata} refuses the password in {layout.password}: "
                f"restore that file from the same backup as the database"
            ) from error
        if f'database "{NAME}" does not exist' in reason:
            raise StorageError(f"the server in {layout.pgdata} has no database {NAME}: restore it") from error
        return "too many clients" in reason  # busy, but there
    return True


class _Patience:
    """Decides for how long to wait for the server, by whether it makes headway."""

    def __init__(self, layout: Layout, before: State) -> None:
        self._layout = layout
        self._before = before
        self._began = self._alive = self._reported = time.monotonic()
        self._looked = 0.0

    def check(self) -> None:
        """Return if it is worth waiting on.

        Raises:
            StorageError: it isn't.
        """
        self._raise_if_failing(read_state(self._layout))
        now = time.monotonic()
        if now - self._looked > 1:
            self._looked = now
            if find_postmaster(self._layout) is not None:
                self._alive = now
        if now - self._alive > _NO_SERVER_PATIENCE:
            raise self._given_up("it does not start")
        if now - self._began > _RECOVERY_PATIENCE:
            raise self._given_up("it has been recovering for ten minutes")
        if now - self._reported > _REPORT_EVERY:
            self._reported = now
            waited = now - self._began
            logger.info("PostgreSQL is still starting (%.0f s); its log is %s", waited, self._layout.log)

    def _raise_if_failing(self, state: State) -> None:
        if not state.failures or state == self._before:
            return
        if "No space left on device" in state.error:
            raise disk_full(self._layout)
        waits = any(reason in state.error for reason in _TRANSIENT)
        if state.failures >= _ENOUGH_FAILURES and not waits:
            raise self._given_up(state.error)

    def _given_up(self, reason: str) -> StorageError:
        said = read_state(self._layout).error
        more = f" ({said})" if said and said != reason else ""
        return StorageError(
            f"PostgreSQL can't be started in {self._layout.root}: {reason}{more}. See {self._layout.log}"
        )


def _ensure_keeper(layout: Layout) -> None:
    start_lock = open_lock(layout.start_lock)
    try:
        lock(start_lock)
        if not _has_keeper(layout):
            _spawn_keeper(layout, prepare(layout, start_lock))
    finally:
        os.close(start_lock)


def _wait_for_end_of_keeper(layout: Layout) -> None:
    keeper_lock = open_lock(layout.keeper_lock)
    try:
        lock(keeper_lock, shared=True)
    finally:
        os.close(keeper_lock)


def _has_keeper(layout: Layout) -> bool:
    # The start lock is held, so that this look can't be in a new keeper's way.
    keeper_lock = open_lock(layout.keeper_lock)
    try:
        return not lock(keeper_lock, wait=False)
    finally:
        os.close(keeper_lock)


def _spawn_keeper(layout: Layout, binaries: Path) -> None:
    package_root = Path(__file__).resolve().parents[2]
    with os.fdopen(os.open(layout.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as log:
        done = subprocess.run(  # noqa: S603 our own program
            [sys.executable, "-P", "-m", "tallystick.storage.keeper", layout.root, binaries],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(package_root)},
        )
    if done.returncode not in (0, ALREADY_KEPT):
        raise StorageError(f"the process that keeps PostgreSQL running can't be started: see {layout.log}")


# --- Errors ---------------------------------------------------------------------------------------


@contextmanager
def _explained(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explanation(layout, error) from error


def _explanation(layout: Layout, error: OSError) -> StorageError:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return disk_full(layout)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            why = f"{error.strerror}: {_whose(Path(error.filename or layout.root))}"
        case errno.ENOTDIR | errno.EEXIST:
            why = f"{error.filename} is not a folder"
        case errno.ENOLCK | errno.EOPNOTSUPP | errno.ENOSYS:
            why = "its file system has no file locks (choose one on a local disk)"
        case _:
            why = str(error)
    advice = f"choose another (TALLYSTICK_DATA_DIR) {ELSEWHERE}"
    return StorageError(f"the data folder {layout.root} can't be used: {why}; {advice}")


def _whose(path: Path) -> str:
    there = next(place for place in (path, *path.parents) if _can_look_at(place))
    owner, we = there.stat().st_uid, os.geteuid()
    return str(there) if owner == we else f"{there} belongs to {name_of(owner)}, and this is {name_of(we)}"


def _can_look_at(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
