"""The format of the spool's files: one event per line, each behind the checksum of its bytes.

    3f1c9a02 {"team_id":"acme",…}⏎

Lines can be read by people and by `grep`. A line that was cut short, or of which a bit has changed, is noticed;
the lines beside it are not touched by that.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from zlib import crc32

CHECKSUM_DIGITS = 8


class Contents(NamedTuple):
    """What a file of the spool holds."""

    events: list[bytes]
    damaged: list[bytes]
    """Whole lines whose checksum is wrong. Never sent, never deleted: they are set aside."""
    torn: bytes
    """A last line without an end: `track()` died while writing it, so it was never accepted."""


def line_of(event: bytes) -> bytes:
    """The line that keeps an event, whose JSON holds no line feed."""
    return b"%08x %b\n" % (crc32(event), event)


def read_contents(path: Path) -> Contents:
    """The events of a file, and what of it can't be trusted.

    Raises:
        OSError: the file can't be read.
    """
    *lines, torn = path.read_bytes().split(b"\n")
    contents = Contents([], [], torn)
    for line in lines:
        event = line[CHECKSUM_DIGITS + 1 :]
        if line[: CHECKSUM_DIGITS + 1] == b"%08x " % crc32(event):
            contents.events.append(event)
        elif line:
            contents.damaged.append(line)
    return contents
