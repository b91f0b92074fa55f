"""The bytes of a file, unpacked, from front to back in bounded memory; and how far in the file that is."""

import os
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from tallystick.core.errors import InvalidInput

CHUNK = 256 * 1024
STDIN = "-"

_GZIP = b"\x1f\x8b"
_OTHER_PACKINGS = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat"),
    b"BZh": ("bzip2", "bzcat"),
    b"\xfd7zXZ": ("xz", "xzcat"),
    b"PK\x03\x04": ("zip", "unzip -p"),
}
_LONGEST_MAGIC = 6


class Damaged(Exception):
    """The bytes end or break where they must not; the text says how. Never leaves this package."""


class Content(Protocol):
    """What readers of lines ask of a file; see `ByteStream`."""

    @property
    def name(self) -> str:
        """The file as the user named it."""
        ...

    @property
    def head(self) -> bytes:
        """The beginning of the content."""
        ...

    @property
    def packed(self) -> bool:
        """Whether the bytes as stored are others."""
        ...

    @property
    def consumed(self) -> int:
        """How many bytes, as stored, have been read so far."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces; once."""
        ...


class ByteStream:
    """The content of one file, read once.

    Attributes:
        name: the file as the user named it.
        size_bytes: its length as stored; None for a pipe.
        consumed: how many of those bytes have been read so far.
        packed: whether it is gzipped (told by its content, not its name).
        head: the beginning of the unpacked content; a line or more, unless a line is longer than that.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.consumed = 0
        self._files = ExitStack()
        self._file = _open(name)
        if name != STDIN:
            self._files.callback(self._file.close)
        with ExitStack() as on_error:
            on_error.callback(self.close)
            self._begin()
            on_error.pop_all()

    @property
    def has_name(self) -> bool:
        """Whether this is a file whose name lasts; standard input and pipes have none."""
        return self.name != STDIN and self.size_bytes is not None

    def chunks(self) -> Iterator[bytes]:
        """The unpacked content in pieces.

        Raises:
            Damaged: the rest can't be read.
        """
        yield self.head
        yield from self._chunks

    def seekable(self) -> BinaryIO:
        """The unpacked content with random access: the file itself, or a copy in the temporary folder."""
        if not self.packed and self.has_name:
            return self._files.enter_context(Path(self.name).open("rb"))
        copy = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with the stream
        for chunk in self.chunks():
            copy.write(chunk)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Close the file, and drop its copy if there is one; standard input stays open."""
        self._files.close()

    def _begin(self) -> None:
        self.size_bytes = _regular_size(self._file)
        first = self._first_bytes()
        _refuse_other_packing(self.name, first)
        self.packed = first.startswith(_GZIP)
        stored = self._stored(first)
        self._chunks = gunzip(stored) if self.packed else stored
        self.head = self._read_head()

    def _read(self, size: int) -> bytes:
        try:
            data: bytes = self._file.read1(size)  # type: ignore[attr-defined]
        except OSError as error:
            raise Damaged(f"can't be read: {error.strerror or error}") from None
        self.consumed += len(data)
        return data

    def _first_bytes(self) -> bytes:
        first = b""
        while len(first) < _LONGEST_MAGIC and (more := self._read(CHUNK)):
            first += more
        return first

    def _stored(self, first: bytes) -> Iterator[bytes]:
        if first:
            yield first
        while chunk := self._read(CHUNK):
            yield chunk

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < CHUNK and b"\n" not in head:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            head += chunk
        return head


def gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a gzip file of one or more members, in pieces of at most `CHUNK` bytes.

    What comes before damage is yielded before the error is raised.

    Raises:
        Damaged: the data is cut off, corrupt or followed by something else.
    """
    member = zlib.decompressobj(wbits=31)
    for stored in packed:
        rest = stored
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # zero padding after the last member is allowed
                if not rest:
                    break
                member = zlib.decompressobj(wbits=31)
            yield from _inflate(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        with suppress(zlib.error):
            yield member.flush()
        raise Damaged("the gzip data is cut off")


def _inflate(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    try:
        content = member.decompress(data, CHUNK)
    except zlib.error:
        raise Damaged("the gzip data is damaged") from None
    if content:
        yield content


def _open(name: str) -> BinaryIO:
    if name == STDIN:
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(f"{name}: {reason[:1].lower()}{reason[1:]}", field="file") from None
    except ValueError:  # a NUL in the name
        raise InvalidInput(f"{name!r} is not a file name", field="file") from None


def _regular_size(file: BinaryIO) -> int | None:
    try:
        status = os.fstat(file.fileno())
    except OSError:  # standard input that is no file
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _refuse_other_packing(name: str, first: bytes) -> None:
    for magic, (packing, command) in _OTHER_PACKINGS.items():
        if first.startswith(magic):
            raise InvalidInput(
                f"{name}: is packed with {packing}, not gzip; give what `{command}` makes of it to "
                "`tallystick import - --source-id FILE`",
                field="file",
            )
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput(f"{name}: is UTF-16; only UTF-8 is read (iconv -f UTF-16 -t UTF-8)", field="file")
