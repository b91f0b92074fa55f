"""Looks at a server while it is under load: its memory, and how far the roll-up is behind."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import psutil

from benchmarks.installation import Installation, Server, Sql, one

PAUSE = 0.2

_BEHIND = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8
    FROM ingest_batches WHERE rolled_up_at IS NULL
"""


@dataclass(slots=True)
class Watched:
    """What was seen, five times a second.

    Attributes:
        resident: bytes of memory that the server's process holds, libraries included.
        behind: seconds since the oldest batch was recorded that no roll-up has taken; 0 when all were.
    """

    resident: list[int] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)


@contextmanager
def watching(installation: Installation, server: Server) -> Iterator[Watched]:
    """Watch the server while the block runs."""
    watched, stop = Watched(), Event()
    thread = Thread(target=_watch, args=(watched, stop, installation, server), daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        stop.set()
        thread.join()


def resident(server: Server) -> int:
    """Bytes of memory that the server's process holds now."""
    return int(psutil.Process(server.pid).memory_info().rss)


def _watch(watched: Watched, stop: Event, installation: Installation, server: Server) -> None:
    with installation.sql() as sql:
        due = time.monotonic()
        while True:
            _look(watched, sql, server)
            due = max(due + PAUSE, time.monotonic())
            if stop.wait(due - time.monotonic()):
                return


def _look(watched: Watched, sql: Sql, server: Server) -> None:
    watched.resident.append(resident(server))
    watched.behind.append(one(sql, _BEHIND))
