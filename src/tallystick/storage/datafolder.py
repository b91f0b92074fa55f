"""A data folder of the embedded PostgreSQL: where its parts are, its locks, and what runs in it.

Shared by those who use the folder (`embedded`) and the process that keeps its server running (`keeper`).
Nothing here changes anything but lock files. Plain standard library, quick to import.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

if sys.platform != "win32":  # importing must work everywhere; running is refused in embedded.py
    import fcntl

ENVIRONMENT = MappingProxyType({"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"})
"""What PostgreSQL's programs see of the environment; C so that their messages can be read."""

PORT = 5432
"""Only part of the socket's name: nothing listens on the network."""

_STATE_BYTES = 2048
_LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


class Layout(NamedTuple):
    """Where the parts of a data folder are. `root` is absolute and free of symbolic links."""

    root: Path

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own data; exists only when complete."""
        return self.root / "pgdata"

    @property
    def password(self) -> Path:
        """The database user's password."""
        return self.root / "password"

    @property
    def users_lock(self) -> Path:
        """Locked shared by every user, and for itself alone by a keeper that stops."""
        return self.root / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by whoever prepares the folder or starts a keeper."""
        return self.root / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for as long as it lives; holds its `State`."""
        return self.root / "keeper.lock"

    @property
    def log(self) -> Path:
        """What PostgreSQL and the keeper say, up to 8 MiB; what was before is in `postgres.log.1`."""
        return self.root / "postgres.log"

    @property
    def digest(self) -> str:
        """Tells this folder's processes and socket from those of other folders."""
        return sha256(os.fsencode(self.root)).hexdigest()[:12]

    @property
    def socket_dir(self) -> Path:
        """`run`, or a short path in /tmp (not TMPDIR: all processes must agree) where that is too long."""
        inside = self.root / "run"
        short = len(os.fsencode(_socket_in(inside))) <= _LONGEST_SOCKET_PATH
        return inside if short else Path("/tmp") / f"tallystick-{self.digest}"  # noqa: S108 owner is checked

    @property
    def socket(self) -> Path:
        """PostgreSQL's socket."""
        return _socket_in(self.socket_dir)

    @property
    def cluster_name(self) -> str:
        """What `ps` shows in the title of every PostgreSQL process of this folder."""
        return f"tallystick-{self.digest}"


def _socket_in(folder: Path) -> Path:
    return folder / f".s.PGSQL.{PORT}"


# --- Locks ----------------------------------------------------------------------------------------


def open_lock(path: Path) -> int:
    """Open a lock file, and create it if need be. Programs started from here don't inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock an open lock file; False if it is taken and `wait` is off. Closing unlocks."""
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class State(NamedTuple):
    """What the keeper says in its lock file: failed starts in a row, and what PostgreSQL said last."""

    pid: int = 0
    failures: int = 0
    error: str = ""


def read_state(layout: Layout) -> State:
    """The state that the keeper wrote last; an empty one if there is none."""
    try:
        return State(*json.loads(layout.keeper_lock.read_bytes()))
    except (OSError, ValueError, TypeError):
        return State()


def write_state(descriptor: int, state: State) -> None:
    """Write the keeper's state into its open lock file; silently not, where the disk is full."""
    # Always the same length, so that after the first time a full disk can't refuse it.
    text = json.dumps(state._replace(error=state.error[:300]))
    with suppress(OSError):
        os.pwrite(descriptor, text.encode().ljust(_STATE_BYTES), 0)


class RunAs(NamedTuple):
    """The user a program is started as, in the words of `subprocess`; None is who we are."""

    user: int | None = None
    group: int | None = None
    extra_groups: Sequence[int] | None = None

    @classmethod
    def owner_of(cls, path: Path) -> "RunAs":
        """The owner of `path` if we are root, for PostgreSQL refuses to run as root; else who we are."""
        if os.geteuid():
            return cls()
        owner = path.stat()
        return cls(owner.st_uid, owner.st_gid, ())


# --- What runs in a folder ------------------------------------------------------------------------


class PidFile(NamedTuple):
    """The parts of `postmaster.pid` that matter here; `status` is `ready` once connections are accepted."""

    pid: int
    status: str


def read_pid_file(layout: Layout) -> PidFile | None:
    """What PostgreSQL wrote about itself. The process it names may be dead, or by now be another one."""
    try:
        lines = (layout.pgdata / "postmaster.pid").read_bytes().splitlines()
        return PidFile(abs(int(lines[0])), lines[7].decode().strip() if len(lines) > 7 else "")
    except (OSError, ValueError, IndexError):
        return None


def find_postmaster(layout: Layout) -> int | None:
    """The pid of the folder's running PostgreSQL, or None."""
    found = read_pid_file(layout)
    return found.pid if found and is_postgres_of(layout, found.pid) else None


def is_listening(layout: Layout) -> bool:
    """Whether some PostgreSQL listens on the folder's socket, even one of another container."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(layout.socket))
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
    return True


def is_postgres_of(layout: Layout, pid: int) -> bool:
    """Whether this process is alive and a PostgreSQL server process of the folder."""
    if not Path("/proc/self/stat").exists():
        return pid in _listed_by_ps(layout, ["-p", str(pid)])
    try:  # PostgreSQL works inside its data folder; a zombie works nowhere
        return Path(f"/proc/{pid}/comm").read_bytes() == b"postgres\n" and Path(f"/proc/{pid}/cwd").samefile(
            layout.pgdata
        )
    except OSError:
        return False


def processes_of(layout: Layout) -> list[int]:
    """The pids of every live PostgreSQL server process of the folder."""
    if not Path("/proc/self/stat").exists():
        return _listed_by_ps(layout, ["-ax"])
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208 names only
    return [pid for pid in pids if is_postgres_of(layout, pid)]


def _listed_by_ps(layout: Layout, which: list[str]) -> list[int]:
    command = ["/bin/ps", *which, "-ww", "-o", "pid=,command="]
    listing = subprocess.run(command, capture_output=True, check=False, errors="replace")  # noqa: S603 ours
    rows = [line.strip().partition(" ") for line in listing.stdout.splitlines()]
    return [int(pid) for pid, _, title in rows if _is_title(layout, title.strip())]


def _is_title(layout: Layout, title: str) -> bool:
    child = title.startswith(f"postgres: {layout.cluster_name}: ")
    return child or f"/postgres -D {layout.pgdata} -c" in title
