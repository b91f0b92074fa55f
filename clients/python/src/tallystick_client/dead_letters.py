"""Events that can't be delivered by sending them again as they are: kept with the reason, until somebody decides.

They are lines of one file of the spool, shared by its processes. Who writes to it holds a lock on it; who takes
letters out puts another file in its place, which a writer that waited for the lock notices.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, NamedTuple

FILE = "dead-letters.ndjson"
_EVENT = re.compile(rb'"event"\s*:\s*')
"""Where the event begins. The texts before it can't hold this: in them quotes are escaped."""


class Letter(NamedTuple):
    """A rejected event: the line that keeps it, and what that says."""

    line: bytes
    members: dict[str, Any]
    """`code`, `field`, `message`, `at` and `event`."""

    @property
    def code(self) -> str:
        """Why it was rejected, for programs."""
        return str(self.members.get("code"))

    @property
    def key(self) -> str:
        """The event's idempotency key."""
        return str(self.members["event"].get("idempotency_key"))

    @property
    def event(self) -> bytes:
        """The event, byte for byte."""
        return event_in(self.line)


def dead_letter(event: bytes, reason: dict[str, Any]) -> bytes:
    """The line that keeps an event, byte for byte, beside why it was rejected."""
    why = {name: reason.get(name) for name in ("code", "field", "message")}
    why["at"] = datetime.now(timezone.utc).isoformat()
    return json.dumps(why, separators=(",", ":")).encode()[:-1] + b',"event":' + event + b"}"


class DeadLetters:
    """The rejected events of a spool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE

    def all(self) -> list[Letter]:
        """All of them, oldest first.

        A letter can be there twice, if the process was killed just after writing it; its event has the same key.
        """
        return [letter for line in _lines(self._path) if (letter := _letter(line))]

    def take(self, meant: Callable[[Letter], bool], keep: Callable[[Letter], None] | None = None) -> list[Letter]:
        """Take letters out.

        Args:
            meant: which.
            keep: puts each somewhere else, before any is taken out; if it raises, all stay.
        """
        if not self._path.exists():
            return []
        with locked(self._path):
            taken, left = [], []
            for line in _lines(self._path):
                letter = _letter(line)
                if letter and meant(letter):
                    taken.append(letter)
                else:
                    left.append(line)
            for letter in taken if keep else ():
                assert keep is not None
                keep(letter)
            if taken:
                self._replace(left)
        return taken

    def _replace(self, lines: list[bytes]) -> None:
        """Put another file in place of the one that is locked; gone, if nothing is left."""
        if not lines:
            self._path.unlink()
            return
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        with new.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def event_in(line: bytes) -> bytes:
    """The event that a line ends with, byte for byte."""
    found = _EVENT.search(line)
    return line[found.end() :].rstrip()[:-1].rstrip() if found else b""


def _letter(line: bytes) -> Letter | None:
    """The letter of a line; None if it can't be read, because it was cut short or edited into something else."""
    try:
        members = json.loads(line, parse_float=Decimal)
        whole = json.loads(event_in(line), parse_float=Decimal) == members["event"]
    except (ValueError, TypeError, KeyError):
        return None
    return Letter(line, members) if whole and isinstance(members["event"], dict) else None


def _lines(path: Path) -> list[bytes]:
    with contextlib.suppress(FileNotFoundError):
        return [line for line in path.read_bytes().split(b"\n") if line]
    return []


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """The file, open for appending, which is made where it does not exist, and a lock on it."""
    while True:
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(opened), path.stat()):  # else another is in its place now
                    yield opened
                    return
        finally:
            os.close(opened)
