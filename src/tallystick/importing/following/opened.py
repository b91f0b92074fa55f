"""An open file that somebody else writes to, read by whole lines."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tallystick.core.errors import InvalidInput
from tallystick.importing.following.place import Head, Place, fingerprint
from tallystick.importing.lines import MAX_LINE_BYTES, Line, LineSplitter
from tallystick.importing.stream import ByteStream

BLOCK = 1024 * 1024
GZIP = b"\x1f\x8b"


class Replaced(Exception):
    """What was read of the file is not in it any more: it was truncated, or written anew."""


class Block(NamedTuple):
    """Whole lines, and the place after them."""

    lines: list[Line]
    after: Place


class _Scan(NamedTuple):
    """How far a line that is longer than a block has been looked through for its end."""

    place: Place
    offset: int
    splitter: LineSplitter


class OpenFile:
    """A file that stays the same when it is renamed or removed.

    Attributes:
        identity: device and inode.
    """

    def __init__(self, file: BinaryIO, packed: ByteStream | None = None) -> None:
        self._file = file
        self._packed = packed
        self._fd = file.fileno()
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        self._read_to_its_end: tuple[int, int, int] | None = None
        self._scan: _Scan | None = None

    @classmethod
    def open(cls, path: Path) -> "OpenFile":
        """Open a file; of a gzipped one, a copy of its content.

        Raises:
            OSError: it can't be read.
            InvalidInput: it is a folder, a pipe or the like, or its content can't be unpacked.
            Damaged: the gzipped content is not whole.
        """
        if not stat.S_ISREG(path.stat().st_mode):
            raise InvalidInput(f"{path}: is no file that could be followed (pipes: tallystick import -)", field="file")
        file = path.open("rb")
        if os.pread(file.fileno(), len(GZIP), 0) != GZIP:
            return cls(file)
        file.close()
        stream = ByteStream(os.fspath(path))
        return cls(stream.seekable(), stream)

    @property
    def packed(self) -> bool:
        """Whether the file was gzipped, so that this is its copy."""
        return self._packed is not None

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._fd).st_size

    @property
    def modified_ns(self) -> int:
        """When something was written to it last, in nanoseconds since 1970."""
        return os.fstat(self._fd).st_mtime_ns

    @property
    def modified_at(self) -> datetime:
        """The same, to the second."""
        return datetime.fromtimestamp(self.modified_ns // 10**9, UTC)

    def head(self) -> Head | None:
        """Its beginning; None while there is no whole line but blank ones."""
        data = os.pread(self._fd, BLOCK, 0)
        blank = len(data) - len(data.lstrip(b"\xef\xbb\xbf \t\r\n"))
        end = data.find(b"\n", blank) + 1
        if end:
            return Head(data[:end])
        return Head(data) if len(data) == BLOCK else None

    def start(self, name: str, head: Head) -> Place:
        """The place before its first line."""
        return Place(name, *self.identity, len(head.seen), fingerprint(head.seen))

    def holds(self, place: Place) -> bool:
        """Whether it is the file of a place: its beginning and what was read last are in it."""
        return self.begins(place) and self._has(place.offset - place.seam_bytes, place.seam_bytes, place.seam)

    def begins(self, place: Place) -> bool:
        """Whether it begins as the file of a place does."""
        return self._has(0, place.head_bytes, place.head)

    def read(self, place: Place) -> Block | None:
        """Lines after the place, a block at most; None if there is no whole one yet.

        Raises:
            Replaced: what comes before the place is not what was read.
        """
        status = os.fstat(self._fd)
        now = (status.st_size, status.st_mtime_ns, place.offset)
        if now == self._read_to_its_end:
            return None
        block = self._block(place)
        self._read_to_its_end = None if block else now
        return block

    def end(self, place: Place) -> Place:
        """The place after all whole lines that are there."""
        while block := self._block(place):
            place = block.after
        return place

    def rest(self, place: Place) -> bytes:
        """What comes after the place; after the last whole line, the beginning of one that has no end."""
        return os.pread(self._fd, MAX_LINE_BYTES, place.offset)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()
        if self._packed:
            self._packed.close()

    def _has(self, offset: int, length: int, expected: str) -> bool:
        return fingerprint(os.pread(self._fd, length, offset)) == expected

    def _block(self, place: Place) -> Block | None:
        seam = place.seam_bytes
        data = os.pread(self._fd, seam + BLOCK, place.offset - seam)
        if fingerprint(data[:seam]) != place.seam or not self.begins(place):
            raise Replaced
        end = data.rfind(b"\n") + 1
        if end > seam:
            splitter = LineSplitter(number=place.line, offset=place.offset)
            lines = list(splitter.feed(data[seam:end]))
            return Block(lines, place.moved(lines[-1].number, lines[-1].offset, data[:end]))
        return self._overlong(place) if len(data) == seam + BLOCK else None

    def _overlong(self, place: Place) -> Block | None:
        """A line that is longer than a block; None while its end is not there."""
        scan = self._scan
        if scan is None or scan.place != place:
            scan = _Scan(place, place.offset, LineSplitter(number=place.line, offset=place.offset))
        while data := os.pread(self._fd, BLOCK, scan.offset):
            end = data.find(b"\n") + 1
            lines = list(scan.splitter.feed(data[:end] if end else data))
            if lines:
                return Block(lines, place.moved(lines[-1].number, lines[-1].offset, data[:end]))
            scan = scan._replace(offset=scan.offset + len(data))
        self._scan = scan
        return None
