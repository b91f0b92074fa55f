"""Idempotency keys for rows that have none.

    position   <source>:<line>[:<event>]         the same line of the same file is the same event
    content    content:<hash of the line>[:<event>]   the same text is the same event, wherever it stands

The event's name is part of the key where a row gives several events. The source is the file's name without
folder and `.gz`, or what the user says; in it `:` and `%` are escaped, so no two rows share a key. Nothing
else enters a key: not the order of reading, not the process, not the rest of the file. A log that grows
keeps the keys of its earlier lines.
"""

import hashlib
import os
from collections.abc import Callable, Sequence

from tallystick.core.errors import InvalidInput
from tallystick.importing.formats import bare_name
from tallystick.importing.models import Identity, ImportOptions
from tallystick.importing.stream import STDIN

MAX_KEY_LENGTH = 255
_LONGEST_POSITION = len(":") + len(str(2**63))

RowKey = Callable[[int, bytes], str]


def row_key(identity: Identity, source: str | None) -> RowKey | None:
    """What gives a row, by its position and content, its key; None where position means nothing (a pipe)."""
    if identity is Identity.CONTENT:
        return lambda _, raw: f"content:{hashlib.blake2b(raw, digest_size=16).hexdigest()}"
    if source is None:
        return None
    prefix = _bounded(source.replace("%", "%25").replace(":", "%3A"), MAX_KEY_LENGTH - _LONGEST_POSITION)
    return lambda position, _: f"{prefix}:{position}"


def key_of_event(row: str, event: str) -> str:
    """The key of one of the several events of a row."""
    return _bounded(f"{row}:{event}", MAX_KEY_LENGTH)


def _bounded(text: str, length: int) -> str:
    """The text, or the hash of one that is too long for a key."""
    if len(text) <= length:
        return text
    return "hash-" + hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def source_id(path: str, has_name: bool, options: ImportOptions) -> str | None:
    """What stands for the file in its rows' keys; None for a pipe that the user gave no name."""
    if options.source_id is not None:
        return options.source_id
    if not has_name:
        return None
    return os.fsencode(bare_name(path)).decode(errors="backslashreplace")


def refuse_shared_sources(paths: Sequence[str], options: ImportOptions) -> None:
    """Stop before files are imported whose rows would get the same keys: their events would be lost.

    Raises:
        InvalidInput: two files of the same name, or several under one `--source-id`.
    """
    if options.identity is not Identity.POSITION or options.key_column is not None:
        return
    seen: dict[str | None, str] = {}
    for path in paths:
        other = seen.setdefault(source_id(path, path != STDIN, options), path)
        if other != path:
            raise InvalidInput(
                f"{other} and {path} would give their lines the same keys; import each with a --source-id of "
                "its own, or name the column that holds a key with --key-column",
                field="source_id",
            )
