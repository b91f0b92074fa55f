"""How far a file has been read, and how it is known again under another name."""

import hashlib
from typing import NamedTuple

MAX_SEAM_BYTES = 1024
MAX_HEAD_BYTES = 4096


def fingerprint(content: bytes) -> str:
    """What stands for a part of a file: 128 bits, as hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class Head(NamedTuple):
    """The beginning of a file, up to the end of its first line that is not blank."""

    text: bytes

    @property
    def seen(self) -> bytes:
        """As much of it as is compared."""
        return self.text[:MAX_HEAD_BYTES]

    @property
    def lines(self) -> int:
        """How many lines it is."""
        return self.text.count(b"\n")


class Place(NamedTuple):
    """How far one file has been read. It is known again by its content, and sooner by its inode.

    Attributes:
        name: stands for the file in the keys of its lines.
        device, inode: where the file system has it.
        head_bytes, head: length and fingerprint of the file's beginning.
        line: how many lines have been read.
        offset: how many bytes those are.
        seam_bytes, seam: length and fingerprint of the last of them.
    """

    name: str
    device: int
    inode: int
    head_bytes: int
    head: str
    line: int = 0
    offset: int = 0
    seam_bytes: int = 0
    seam: str = fingerprint(b"")

    def moved(self, line: int, offset: int, read: bytes) -> "Place":
        """The place after more lines; `read` ends at `offset`."""
        seam = read[-MAX_SEAM_BYTES:]
        return self._replace(line=line, offset=offset, seam_bytes=len(seam), seam=fingerprint(seam))


def line_key(name: str, line: int, content: bytes) -> str:
    """The idempotency key of a line that has none of its own.

    The number tells equal lines apart. The content is part of it for the case that two files get the same name
    because what was known about the first is lost: then only lines that are equal in both could be confused.
    """
    return f"tail:{name}:{line}:{hashlib.blake2b(content, digest_size=8).hexdigest()}"
