"""The tracker's own metrics."""

from __future__ import annotations

import threading
from typing import NamedTuple


class Stats(NamedTuple):
    """What a tracker did since this process began, in events unless said otherwise."""

    queued: int = 0
    """Accepted by `track()`."""
    sent: int = 0
    """Stored by the server, or known to it already. Includes what dead processes had left."""
    rejected: int = 0
    """Rejected by the server for good; each is among the dead letters."""
    conflicts: int = 0
    """Of those sent: their key was used before with other content, which counts; among the dead letters, too."""
    refused: int = 0
    """Not accepted: `track()` raised, because the spool was full or the event can't be right."""
    dropped: int = 0
    """Accepted and then unreadable on the disk; set aside in the spool. 0, unless the disk is damaged."""
    retried: int = 0
    """Requests that were sent again."""
    spool_bytes: int = 0
    """How much is on the disk now, of all processes of the spool."""


class Counting:
    """Counts from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Stats._fields, 0)

    def add(self, **counts: int) -> None:
        """Add to counts by their names."""
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count

    def queued(self) -> None:
        """Count an event that was accepted, as fast as that can be done."""
        with self._lock:
            self._counts["queued"] += 1

    def now(self, spool_bytes: int) -> Stats:
        """All of them at one moment."""
        with self._lock:
            return Stats(**{**self._counts, "spool_bytes": spool_bytes})
