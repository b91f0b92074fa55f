"""What is remembered about a followed path: one small JSON file, replaced as a whole after lines were stored."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tallystick.core.errors import ConfigurationError, Conflict
from tallystick.importing.following.place import Head, Place, fingerprint

MOST_BEGINNINGS = 1000


class _Stored(msgspec.Struct):
    """The content of the file."""

    path: str
    places: list[Place]
    beginnings: dict[str, int]
    version: int = 1


class Memory:
    """What is remembered about one path. While it is open, no other process may open it.

    Attributes:
        fresh: nothing was remembered when it was opened.
        saved_ns: when it was written last before it was opened, in nanoseconds since 1970; else, the first time.
    """

    def __init__(self, folder: Path, path: Path) -> None:
        """Open it.

        Args:
            folder: where it is kept; made if it isn't there.
            path: the followed path, absolute.

        Raises:
            Conflict: another process follows the path with this folder.
            ConfigurationError: the folder can't be used, or the file in it is damaged.
        """
        self.saved_ns = 0
        self._file = folder / f"{path.name}-{fingerprint(os.fsencode(path))[:12]}.json"
        self._path = os.fsencode(path).decode(errors="backslashreplace")
        self._open = ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock()
            stored = self._load()
        except OSError as error:
            self.close()
            raise ConfigurationError(f"{self._file}: {error.strerror}; --state-dir names another folder") from None
        except BaseException:
            self.close()
            raise
        self.fresh = stored is None
        self._places = list(stored.places) if stored else []
        self._beginnings = dict(stored.beginnings) if stored else {}

    @property
    def places(self) -> tuple[Place, ...]:
        """The places in files that may still grow, the oldest file first."""
        return tuple(self._places)

    def name(self, source: str, head: Head, *, certainly_new: bool) -> str:
        """What stands for a file in the keys of its lines.

        It depends on nothing but whose file it is, the path and how the file begins; and on how many files that began
        the same are known to have been there before. Where that is not certain, the file gets the name of the last of
        them, so that what it shares with it is not counted twice.
        """
        before = self._beginnings.get(fingerprint(head.seen), 0)
        generation = before if certainly_new else max(before - 1, 0)
        parts = [source.encode(errors="surrogateescape"), self._path.encode(), b"%d" % generation, head.seen]
        return fingerprint(b"".join(b"%d:%b" % (len(part), part) for part in parts))[:24]

    def begin(self, place: Place, *, certainly_new: bool) -> None:
        """Remember a file of which nothing has been read."""
        before = self._beginnings.pop(place.head, 0)
        self._beginnings[place.head] = before + 1 if certainly_new else max(before, 1)
        for oldest in list(self._beginnings)[:-MOST_BEGINNINGS]:
            del self._beginnings[oldest]
        self._places.append(place)
        self.save()

    def move(self, old: Place, new: Place) -> None:
        """Remember that more was read."""
        self._places[self._places.index(old)] = new
        self.save()

    def forget(self, place: Place) -> None:
        """Remember no more of a file that won't grow any more."""
        self._places.remove(place)
        self.save()

    def save(self) -> None:
        """Write it, so that it is there as a whole whatever happens."""
        content = msgspec.json.encode(_Stored(self._path, self._places, self._beginnings))
        written = self._file.with_suffix(".new")
        with written.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.saved_ns = self.saved_ns or written.stat().st_mtime_ns
        written.replace(self._file)

    def close(self) -> None:
        """Let others open it."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        file = self._open.enter_context(self._file.with_suffix(".lock").open("wb"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"{self._path} is being followed by another process already") from None

    def _load(self) -> _Stored | None:
        try:
            content = self._file.read_bytes()
            self.saved_ns = self._file.stat().st_mtime_ns
            return msgspec.json.decode(content, type=_Stored)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ConfigurationError(
                f"{self._file} is damaged; remove it, and {self._path} is read again from its beginning: "
                "what was counted is not counted twice"
            ) from None
