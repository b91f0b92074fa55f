"""Lines of bytes with their numbers, in bounded memory."""

from collections.abc import Iterator
from typing import NamedTuple

from tallystick.importing.stream import ByteStream

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


def lines(stream: ByteStream) -> Iterator[Line]:
    """The lines of the content, numbered from 1; a byte-order mark before the first is dropped.

    Raises:
        Damaged: the rest of the file can't be read. A line cut off by that is not yielded.
    """
    number, end = 0, 0
    rest, dropped = b"", 0  # the beginning of a line without its end yet, and how much of it is not held
    for chunk in stream.chunks():
        *whole, rest = (rest + chunk).split(b"\n")
        for content in whole:
            number += 1
            end += dropped + len(content) + 1
            yield _line(number, stream.consumed if stream.packed else end, content, b"\n", dropped)
            dropped = 0
        if len(rest) > MAX_LINE_BYTES:
            dropped += len(rest) - _SHOWN_BYTES
            rest = rest[:_SHOWN_BYTES]
    if rest:
        yield _line(number + 1, stream.consumed, rest, b"", dropped)


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
