"""The process that keeps a data folder's PostgreSQL running for as long as somebody uses it.

    python -m tallystick.storage.keeper DATA_DIR BINARIES

Users of the folder each hold a shared lock on `users.lock`, which the kernel drops when they end, however
they end. The keeper starts PostgreSQL, or adopts one that a killed keeper left running, and starts it again
when it dies. Five times a second it tries to lock `users.lock` for itself alone: when that works nobody is
left, so it stops PostgreSQL and ends. It holds that lock until the end, so whoever comes meanwhile waits and
then begins anew. It ignores SIGTERM and SIGINT for the same reason: who wants it gone ends the users.

Everything here is plain standard library and quick to import; PostgreSQL runs as the owner of `pgdata`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from tallystick.storage.datafolder import (
    ENVIRONMENT,
    PORT,
    Layout,
    RunAs,
    State,
    find_postmaster,
    is_listening,
    is_postgres_of,
    lock,
    open_lock,
    processes_of,
    read_pid_file,
    write_state,
)

ALREADY_KEPT = 3
"""Exit code of a keeper that found another one at work."""

_POLL = 0.2
_IDENTITY_CHECK = 2.0
_REACTION = 3.0
_SHUTDOWN_PATIENCE = 300.0
_LONGEST_PAUSE = 5.0
_LARGEST_LOG = 8 * 1024 * 1024
_NO_REASON = "KEEPER: |the database system is |terminating connection"  # said by us, and to clients
_IMPOSSIBLE_PID = 2**31 - 1

SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "100",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        "random_page_cost": "1.1",  # solid-state disks
        "jit": "off",
        "max_parallel_workers": "2",
        "min_wal_size": "256MB",
        "wal_buffers": "16MB",
        "wal_compression": "off",  # pglz made pages of hashes no smaller, and inserts 1.6 times as dear
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "autovacuum": "on",
        "autovacuum_naptime": "20s",
        "autovacuum_vacuum_scale_factor": "0.05",  # roll-ups update the same rows over and over
        "autovacuum_analyze_scale_factor": "0.02",  # tables grow fast; plans must not lag behind
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] ",
        "lc_messages": "C",
    }
)
"""Settings given at every start; none can be changed from inside. They suit many appends on two cores."""


def shared_buffers_mb(memory: int) -> int:
    """A quarter of the memory, from 128 MB to 4 GB: identities are looked up all over their index.

    With too little of it the index has to be read from disk once there are millions, for every batch.
    """
    return max(128, min(4096, memory // 4 // 2**20))


def max_wal_mb(free: int) -> int:
    """An eighth of the free disk, from 2 to 16 GB. Less than that of log is written where little happens.

    Identities fall anywhere in their index, and the first touch of a page after a checkpoint logs all of it: with
    50 million of them that is a whole page an event, unless millions of events share a checkpoint.
    """
    return max(2048, min(16_384, free // 8 // 2**20))


def memory_bytes() -> int:
    """The memory that this machine, or the container we are in, has."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            found = min(found, int(Path(limit).read_text()))
    return found


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


# --- Starting -------------------------------------------------------------------------------------


def _clear_remains(layout: Layout) -> None:
    """End what a killed PostgreSQL left running and make its pid files harmless.

    Raises:
        BlockingIOError: a PostgreSQL that can't be seen from here has the folder.
    """
    if is_listening(layout):
        raise BlockingIOError("a PostgreSQL outside this container or process namespace uses the folder")
    for how, patience in ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 10.0)):
        until = time.monotonic() + patience
        for pid in processes_of(layout):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        while processes_of(layout) and time.monotonic() < until:
            time.sleep(0.02)
    (layout.socket.parent / f"{layout.socket.name}.lock").unlink(missing_ok=True)
    _disarm_pid_file(layout.pgdata / "postmaster.pid")


def _disarm_pid_file(path: Path) -> None:
    """Name an impossible process where the pid file names one that is alive but isn't ours.

    PostgreSQL would take that one for itself and refuse to start. The rest stays: from it PostgreSQL
    sees whether old processes still share its memory, which is what protects the data.
    """
    try:
        pid, _, rest = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return
    if not pid.strip():  # killed between creating and filling it
        path.unlink()
    elif not pid.strip(b"-").isdigit() or _exists(abs(int(pid))):
        _replace(path, b"%d\n%b" % (_IMPOSSIBLE_PID, rest))


def _replace(path: Path, content: bytes) -> None:
    owner, fresh = path.stat(), path.with_name("postmaster.pid.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(content)
    fresh.replace(path)


def _launch(layout: Layout, binaries: Path) -> subprocess.Popen[bytes]:
    settings = {
        **SETTINGS,
        "shared_buffers": f"{shared_buffers_mb(memory_bytes())}MB",
        "max_wal_size": f"{max_wal_mb(shutil.disk_usage(layout.pgdata).free)}MB",
        "unix_socket_directories": '"' + str(layout.socket_dir).replace('"', '""') + '"',
        "cluster_name": layout.cluster_name,
        "dynamic_shared_memory_type": "posix" if _has_roomy_shared_memory() else "mmap",
    }
    owner = RunAs.owner_of(layout.pgdata)
    return subprocess.Popen(  # noqa: S603 our own program
        [binaries / "postgres", "-D", layout.pgdata, *_options(settings)],
        stdin=subprocess.DEVNULL,
        env=dict(ENVIRONMENT),
        umask=0o077,
        start_new_session=True,
        user=owner.user,
        group=owner.group,
        extra_groups=owner.extra_groups,
    )


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _has_roomy_shared_memory() -> bool:
    # Docker gives 64 MB, which one parallel query fills; then it fails with "no space left on device".
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 asked for its size only
    except OSError:
        return True
    return room.f_frsize * room.f_blocks >= 256 * 1024 * 1024


# --- Keeping --------------------------------------------------------------------------------------


class Keeper:
    """Supervises one data folder. Made by `main`, with the keeper's lock held."""

    def __init__(self, layout: Layout, binaries: Path, own_lock: int) -> None:
        self._layout = layout
        self._binaries = binaries
        self._own_lock = own_lock
        self._users = open_lock(layout.users_lock)
        self._child: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._state = State(os.getpid())
        self._ready = False
        self._log_start = 0
        self._identified = 0.0
        self._next_attempt = 0.0
        write_state(own_lock, self._state)

    def run(self) -> None:
        """Keep PostgreSQL running until nobody is left."""
        while not lock(self._users, wait=False):
            if self._folder_is_gone():
                self._end(signal.SIGQUIT, 5)
                return
            try:
                self._supervise()
            except OSError as error:
                self._note_failure(str(error))
            time.sleep(_POLL)
        self._stop()

    def _folder_is_gone(self) -> bool:
        try:
            there = self._layout.keeper_lock.stat()
        except FileNotFoundError:
            return True
        return not os.path.samestat(there, os.fstat(self._own_lock))

    def _supervise(self) -> None:
        if self._is_alive():
            self._notice_ready()
            self._trim_log()
            return
        if self._pid is not None:
            self._notice_death()
        elif time.monotonic() >= self._next_attempt:
            self._adopt_or_start()

    def _is_alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        if self._pid is None or not _exists(self._pid):
            return False
        now = time.monotonic()
        if now - self._identified > _IDENTITY_CHECK:
            self._identified = now
            return is_postgres_of(self._layout, self._pid)
        return True

    def _adopt_or_start(self) -> None:
        self._pid, self._child, self._ready = find_postmaster(self._layout), None, False
        if self._pid is None:
            _clear_remains(self._layout)
            self._log_start = _size(self._layout.log)
            self._child = _launch(self._layout, self._binaries)
            self._pid = self._child.pid
        _say(f"PostgreSQL {'started' if self._child else 'adopted'}, process {self._pid}")

    def _notice_ready(self) -> None:
        if self._ready:
            return
        found = read_pid_file(self._layout)
        self._ready = found is not None and (found.pid, found.status) == (self._pid, "ready")
        if self._ready:
            self._state = State(os.getpid())
            write_state(self._own_lock, self._state)

    def _notice_death(self) -> None:
        _say(f"PostgreSQL, process {self._pid}, has ended")
        self._pid = None
        if not self._ready:
            code = self._child.returncode if self._child else None
            said = _log_since(self._layout.log, self._log_start)
            self._note_failure(_last_complaint(said) or f"exit code {code}")

    def _note_failure(self, error: str) -> None:
        failures = self._state.failures + 1
        self._next_attempt = time.monotonic() + min(_LONGEST_PAUSE, 0.1 * 2**failures)
        self._state = State(os.getpid(), failures, error)
        write_state(self._own_lock, self._state)
        _say(f"start {failures} failed: {error}")

    def _trim_log(self) -> None:
        # PostgreSQL keeps the file open for appending, so it has to be emptied in place.
        log = self._layout.log
        with suppress(OSError):
            if log.stat().st_size > _LARGEST_LOG:
                with suppress(OSError):
                    log.with_name("postgres.log.1").write_bytes(log.read_bytes())
                os.truncate(log, 0)

    def _stop(self) -> None:
        if not self._is_alive():
            self._pid, self._child = find_postmaster(self._layout), None
        if self._pid is not None:
            self._stop_postgres()
            _say(f"PostgreSQL, process {self._pid}, stopped, because nobody uses it any more")
        if self._layout.socket_dir.parent != self._layout.root:
            with suppress(OSError):
                self._layout.socket_dir.rmdir()

    def _stop_postgres(self) -> None:
        """Stop it with all written out; if it doesn't set about that, as a crash would, which loses nothing.

        A PostgreSQL 18 that is told to stop while it recovers from the crash of one of its processes
        never ends, so it is not waited for blindly.
        """
        said = _size(self._layout.log)
        if self._end(signal.SIGINT, _REACTION):
            return
        if any("LOG:  shutting down" in line for line in _log_since(self._layout.log, said)):
            self._end(signal.SIGINT, _SHUTDOWN_PATIENCE)
        self._end(signal.SIGQUIT, 10)
        self._end(signal.SIGKILL, 10)

    def _end(self, how: signal.Signals, patience: float) -> bool:
        until = time.monotonic() + patience
        with suppress(ProcessLookupError):
            if self._pid is not None and self._is_alive():
                os.kill(self._pid, how)
        while self._is_alive():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _log_since(log: Path, start: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(start)
            return file.read(1024 * 1024).decode(errors="replace").splitlines()
    except OSError:
        return []


def _last_complaint(lines: list[str]) -> str:
    said = [line for line in lines if line.strip() and not re.search(_NO_REASON, line)]
    last = ([line for line in said if re.search("FATAL:|PANIC:", line)] or said or [""])[-1]
    return last.partition("] ")[2] or last


def _say(message: str) -> None:
    with suppress(OSError):  # a full disk must not end the keeper
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        os.write(2, f"{when} [{os.getpid()}] KEEPER:  {message}\n".encode(errors="replace"))


def main(arguments: list[str]) -> int:
    """Become the folder's keeper, in the background; standard error has to be the log already.

    Returns once the keeper holds its lock: 0, or `ALREADY_KEPT` if another one has it.
    """
    layout, binaries = Layout(Path(arguments[0])), Path(arguments[1])
    os.umask(0o077)
    own_lock = open_lock(layout.keeper_lock)
    if not lock(own_lock, wait=False):
        return ALREADY_KEPT
    if os.fork():  # the child shares the lock, and belongs to nobody who would have to wait for it
        return 0
    os.chdir("/")
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, lambda *_: None)  # not SIG_IGN, which PostgreSQL would inherit
    Keeper(layout, binaries, own_lock).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
