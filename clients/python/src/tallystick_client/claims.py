"""Who owns which part of the spool.

Every process writes into a folder of its own and holds a lock on it for as long as it lives. The lock goes with the
process, however that ends, and then another may claim the folder and deliver what is in it. So no two processes
write to one file, and none waits for another.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tallystick_client.events import new_key

LOCK = "owner.lock"
EVENTS = ".events"
_OWNED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Claim:
    """One folder of the spool, owned by this process until `release()`."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock: int | None = lock

    @classmethod
    def new(cls, spool: Path) -> Claim:
        """A folder that did not exist. Its name sorts after those of older ones.

        Raises:
            OSError: it can't be made.
        """
        while True:
            folder = spool / new_key()
            folder.mkdir(mode=0o700)
            if claim := cls.of(folder):  # else somebody took it for an abandoned one, and removes it
                return claim

    @classmethod
    def of(cls, folder: Path) -> Claim | None:
        """The folder, if its owner is dead; None while it lives or if the folder is gone."""
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), (folder / LOCK).stat()):
                return cls(folder, lock)
        except OSError:
            pass  # held by another, or removed by the one who held it before us
        os.close(lock)
        return None

    def files(self) -> list[Path]:
        """The files with events, oldest first."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.suffix == EVENTS)
        return []

    def release(self) -> None:
        """Let go of the folder, and remove it if nothing is left in it."""
        if self._lock is None:
            return
        if not self.files():
            with contextlib.suppress(OSError):
                (self.folder / LOCK).unlink()
                self.folder.rmdir()
        self.forget()

    def forget(self) -> None:
        """Close this process's handle and leave the lock to whoever shares it: the parent, after a fork."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def abandoned(spool: Path) -> Iterator[Claim]:
    """Claims on the folders whose owners are dead, oldest first."""
    with contextlib.suppress(FileNotFoundError):
        for folder in sorted(path for path in spool.iterdir() if _OWNED.fullmatch(path.name)):
            if claim := Claim.of(folder):
                yield claim


def bytes_in(spool: Path) -> int:
    """How much the spool holds, of every process, dead letters included."""
    total = 0
    for folder, _, names in os.walk(spool):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # delivered and deleted in the meantime
                total += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH116, PTH118 - twice as fast
    return total
