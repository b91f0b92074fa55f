"""The disk spool: what `track()` accepted is here until the server has answered for it.

A file is a batch. `append` writes to the open one, `seal` closes it, `ready` names those to be delivered, `remove`
deletes one that was. A file is only ever appended to, by one process, in one `write` per event; so a process that is
killed leaves whole lines and at most one torn one, of an event that was never accepted. Nothing keeps a position: a
batch that was sent but not yet deleted is sent again, and its keys make it count once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path
from typing import NoReturn

from tallystick_client.claims import EVENTS, Claim, abandoned, bytes_in
from tallystick_client.dead_letters import FILE as DEAD_LETTERS
from tallystick_client.dead_letters import locked
from tallystick_client.errors import SpoolError, SpoolFull
from tallystick_client.records import line_of

DAMAGED = "damaged.log"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Spool:
    """A folder of batches, shared with other processes; see the module. Safe to use from many threads."""

    _own: Claim | None

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = 1 << 30,
        batch_events: int = 1000,
        batch_bytes: int = 4 << 20,
        durable: bool = False,
    ) -> None:
        """Open the folder, which is made where it does not exist.

        Args:
            folder: on a local disk; for one server only.
            max_bytes: how much it may hold, of all processes together, as counted every few seconds.
            batch_events: a file with so many events is sealed.
            batch_bytes: so is one of this size.
            durable: wait for the disk at each event, so that it survives a power failure, too.

        Raises:
            SpoolError: the folder can't be made or written to.
        """
        self.folder = folder
        self.max_bytes = max_bytes
        self._batch_events = batch_events
        self._batch_bytes = batch_bytes
        self._durable = durable
        self._start_afresh()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._total = bytes_in(folder)
            self._own = Claim.new(folder)  # now, so that a folder that can't be written to is noticed now
        except OSError as error:
            self._refuse(error)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()  # writing
        self._claiming = threading.Lock()  # adopting, which has to look at the disk for longer
        self._own = None
        self._adopted: list[Claim] = []
        self._sealed: list[Path] = []
        self._open: int | None = None
        self._path = self.folder
        self._number = self._events = self._size = self._total = 0

    # --- Writing ------------------------------------------------------------------------------------

    def append(self, event: bytes) -> bool:
        """Keep an event. When this returns it outlives the process; says whether a batch has become full.

        Raises:
            SpoolFull: the spool or the disk is full. The event is not kept; earlier ones are.
            SpoolError: the disk refuses for another reason. Likewise.
        """
        line = line_of(event)
        with self._lock:
            if self._total + len(line) > self.max_bytes:
                raise SpoolFull(
                    f"the spool {self.folder} holds {self._total} bytes of at most {self.max_bytes}: "
                    f"the server has not taken them, or {DEAD_LETTERS} has grown; the event was not accepted"
                )
            try:
                self._write(line)
            except OSError as error:
                self._take_back()
                self._refuse(error)
            self._events += 1
            self._size += len(line)
            self._total += len(line)
            full = self._events >= self._batch_events or self._size >= self._batch_bytes
            if full:
                self._seal()
            return full

    def _write(self, line: bytes) -> None:
        if self._open is None:
            self._start_file()
        assert self._open is not None
        if (written := os.write(self._open, line)) < len(line):
            os.write(self._open, line[written:])  # says why the rest did not fit
        if self._durable:
            os.fsync(self._open)

    def _start_file(self) -> None:
        if self._own is None:
            self._own = Claim.new(self.folder)
        elif not self._own.folder.exists():  # somebody cleared the spool by hand
            self._own.release()
            self._own = Claim.new(self.folder)
        self._number += 1
        self._path = self._own.folder / f"{self._number:010d}{EVENTS}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._open = os.open(self._path, flags, 0o600)
        self._events = self._size = 0
        if self._durable:
            _sync_folder(self._own.folder)
            _sync_folder(self.folder)

    def _take_back(self) -> None:
        """After a write that failed: cut off what it left, and write no more to that file."""
        if self._open is not None:
            with contextlib.suppress(OSError):  # then it is a torn line at the end, which no reader takes
                os.ftruncate(self._open, self._size)
            self._seal()

    def _refuse(self, error: OSError) -> NoReturn:
        kind, reason = (SpoolFull, "the disk is full") if error.errno in _FULL else (SpoolError, "the disk refuses")
        raise kind(f"{reason} for the spool {self.folder}: {error}; the event was not accepted") from error

    def seal(self) -> None:
        """Close the open file, so that it is delivered."""
        with self._lock:
            self._seal()

    def _seal(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None
            self._sealed.append(self._path)

    # --- Delivering ---------------------------------------------------------------------------------

    def adopt(self) -> None:
        """Take over what dead processes have left."""
        self.recount()
        with self._claiming:
            self._adopted = [claim for claim in self._adopted if not self._is_done(claim)]
            self._adopted += [claim for claim in abandoned(self.folder) if not self._is_done(claim)]

    def recount(self) -> None:
        """Count how much there is, of all processes together."""
        total = bytes_in(self.folder)
        with self._lock:
            self._total = total

    @staticmethod
    def _is_done(claim: Claim) -> bool:
        if claim.files():
            return False
        claim.release()
        return True

    def ready(self) -> list[Path]:
        """The files to be delivered: those of dead processes first, then this one's; oldest first."""
        left = [path for claim in self._adopted for path in claim.files()]
        with self._lock:
            return left + self._sealed

    def remove(self, path: Path) -> None:
        """Delete a file whose events the server has answered for."""
        with contextlib.suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            with self._lock:
                self._total -= size
        with self._lock, contextlib.suppress(ValueError):
            self._sealed.remove(path)

    def keep_safe(self, path: Path) -> None:
        """Wait until a file is on the disk itself: it has to stay for longer."""
        with contextlib.suppress(OSError):
            opened = os.open(path, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def set_aside(self, name: str, lines: list[bytes]) -> None:
        """Append lines to one of the files for people: of dead letters, or `DAMAGED`. On disk when it returns.

        Raises:
            OSError: they can't be written.
        """
        content = memoryview(b"".join(line + b"\n" for line in lines))
        size = len(content)
        with locked(self.folder / name) as opened:
            while content:
                content = content[os.write(opened, content) :]
            os.fsync(opened)
        with self._lock:
            self._total += size

    # --- Its end ------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes that it holds, as far as this process knows."""
        return self._total

    def close(self) -> None:
        """Let go of everything: what was not delivered is for the next process to take."""
        with self._lock:
            self._seal()
            for claim in [*self._adopted, *self._owned()]:
                claim.release()
            self._own, self._adopted, self._sealed = None, [], []

    def _owned(self) -> list[Claim]:
        return [] if self._own is None else [self._own]

    def before_fork(self) -> None:
        """Let nobody be in the middle of anything when the process is copied."""
        self._claiming.acquire()
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()
        self._claiming.release()

    def after_fork_in_child(self) -> None:
        """Leave files and locks to the parent, and begin with nothing."""
        if self._open is not None:
            os.close(self._open)
        for claim in [*self._adopted, *self._owned()]:
            claim.forget()
        total = self._total
        self._start_afresh()
        self._total = total


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
