"""The files beside a followed one that may be what it was before a rotation."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_NUMBERS = r"\d[\dTZ_.:-]*"


class Sibling(NamedTuple):
    """A file in the folder of a followed one.

    Attributes:
        path: of it.
        identity: its device and inode.
        modified_ns: when it was written to last, in nanoseconds since 1970.
        size: in bytes, as stored.
        rotated: it is named as rotation names files: `access.log.1`, `access.log-20260301.gz`, `access-2026-03-01.log`.
    """

    path: Path
    identity: tuple[int, int]
    modified_ns: int
    size: int
    rotated: bool

    @property
    def version(self) -> tuple[Path, int]:
        """What changes when something is written to it."""
        return self.path, self.modified_ns

    @property
    def packed(self) -> bool:
        """Whether it is gzipped, by its name."""
        return self.path.suffix == ".gz"


def siblings(path: Path) -> list[Sibling]:
    """The files beside this one, the oldest first. It is none of them itself; a link's target is."""
    folders = dict.fromkeys([path.parent, path.resolve().parent])
    rotated = _rotated(path.name)
    found = [each for folder in folders for each in _files(folder, rotated) if each.path != path]
    return sorted(found, key=lambda each: each.modified_ns)


def _files(folder: Path, rotated: re.Pattern[str]) -> Iterator[Sibling]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_file():
                status = entry.stat()
                identity = (status.st_dev, status.st_ino)
                named = rotated.fullmatch(entry.name) is not None
                yield Sibling(Path(entry.path), identity, status.st_mtime_ns, status.st_size, named)
        except OSError:  # removed since it was listed
            continue


def _rotated(name: str) -> re.Pattern[str]:
    whole, stem, extension = (re.escape(part) for part in (name, Path(name).stem, Path(name).suffix))
    behind = rf"{whole}[.-]{_NUMBERS}"
    before = rf"{stem}[.-]{_NUMBERS}{extension}"
    return re.compile(rf"(?:{behind}|{before})(?:\.gz)?")
