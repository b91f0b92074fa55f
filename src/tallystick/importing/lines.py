"""Lines of bytes with their numbers, in bounded memory."""

from collections.abc import Iterator
from typing import NamedTuple

from tallystick.importing.stream import Content

MAX_LINE_BYTES = 1024 * 1024
"""A longer line can't be an event; it is passed over without being held in memory."""

_BOM = b"\xef\xbb\xbf"
_SHOWN_BYTES = 200


class Line(NamedTuple):
    """One line and its `ending` (LF, CRLF or nothing); `offset` bytes of the file, as stored, end with it."""

    number: int
    offset: int
    content: bytes
    ending: bytes
    problem: str | None


class LineSplitter:
    """Cuts content that comes piece by piece into its lines.

    Args:
        number: how many lines of the file lie before the first piece.
        offset: how many bytes of it do.
    """

    def __init__(self, *, number: int = 0, offset: int = 0) -> None:
        self._number = number
        self._end = offset
        self._rest = b""  # the beginning of a line without its end yet, and how much of it is not held
        self._dropped = 0

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece."""
        *whole, rest = (self._rest + piece).split(b"\n")
        for content in whole:
            self._number += 1
            self._end += self._dropped + len(content) + 1
            yield _line(self._number, self._end, content, b"\n", self._dropped)
            self._dropped = 0
        if len(rest) > MAX_LINE_BYTES:
            self._dropped += len(rest) - _SHOWN_BYTES
            rest = rest[:_SHOWN_BYTES]
        self._rest = rest

    def last(self) -> Line | None:
        """The line that has no end, if there is one."""
        if not self._rest:
            return None
        end = self._end + self._dropped + len(self._rest)
        return _line(self._number + 1, end, self._rest, b"", self._dropped)


def lines(content: Content) -> Iterator[Line]:
    """The lines of the content, numbered from 1; a byte-order mark before the first is dropped.

    Raises:
        Damaged: the rest of the file can't be read. A line cut off by that is not yielded.
    """
    splitter = LineSplitter()
    for piece in content.chunks():
        for line in splitter.feed(piece):
            yield line._replace(offset=content.consumed) if content.packed else line
    if last := splitter.last():
        yield last._replace(offset=content.consumed)


def _line(number: int, offset: int, content: bytes, ending: bytes, dropped: int) -> Line:
    problem = None
    if dropped or len(content) > MAX_LINE_BYTES:
        problem = f"is longer than {MAX_LINE_BYTES} bytes"
        content = content[:_SHOWN_BYTES]
    elif b"\0" in content:
        problem = "contains a NUL byte"
    if number == 1:
        content = content.removeprefix(_BOM)
    if content.endswith(b"\r"):
        content, ending = content[:-1], b"\r" + ending
    return Line(number, offset, content, ending, problem)
