"""What the trackers have in common: settings, the spool, and what a fork does to them."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from tallystick_client.address import Address
from tallystick_client.dead_letters import DeadLetters
from tallystick_client.delivery import Delivery
from tallystick_client.errors import NotConfigured, TrackerClosed
from tallystick_client.spool import Spool
from tallystick_client.stats import Counting, Stats
from tallystick_client.tracking import Tracking

MAX_BATCH = 1000
TRACK_PATH = "/api/usage/track"


class Settings(NamedTuple):
    """Where to send, and how."""

    address: Address
    spool: Path
    flush_interval: float
    timeout: float
    exit_timeout: float


def spool_folder(given: str | Path | None, url: str) -> Path:
    """The folder that is given, else `TALLYSTICK_SPOOL`, else the user's for this server."""
    return Path(given or os.environ.get("TALLYSTICK_SPOOL") or default_spool(url))


def default_spool(url: str) -> Path:
    """A folder of the user for one server: `$XDG_STATE_HOME/tallystick/spool-…`, else below `~/.local/state`."""
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local" / "state"
    return folder / "tallystick" / f"spool-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


class BaseTracker(Tracking):
    """The part of a tracker that accepts events. Its subclasses deliver them."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        spool: str | Path | None = None,
        flush_interval: float = 5.0,
        batch_size: int = MAX_BATCH,
        max_spool_bytes: int = 1 << 30,
        durable: bool = False,
        timeout: float = 30.0,
        exit_timeout: float = 5.0,
    ) -> None:
        """Open the spool and begin to deliver what dead processes left in it.

        Args:
            url: of the server, as `http://localhost:8080`; else `TALLYSTICK_URL`.
            api_key: with the scope `ingest`; else `TALLYSTICK_API_KEY`.
            spool: a folder on a local disk, for this server only, which processes may share; else
                `TALLYSTICK_SPOOL`, else a folder of the user.
            flush_interval: seconds after which an event is sent at the latest.
            batch_size: events after which a batch is sent at once; at most 1,000.
            max_spool_bytes: how much may wait on the disk, of all processes.
            durable: let `track()` wait for the disk, so that events survive a power failure, too.
            timeout: seconds for one request.
            exit_timeout: seconds that the end of the process waits for delivery; the rest stays on the disk.

        Raises:
            NotConfigured: no server was named, or a number is out of range.
            SpoolError: the spool can't be written.
        """
        address = Address.of(url, api_key)
        if not 1 <= batch_size <= MAX_BATCH:
            raise NotConfigured(f"batch_size is {batch_size}; allowed is 1 to {MAX_BATCH}")
        folder = spool_folder(spool, address.url)
        self.settings = Settings(address, folder, flush_interval, timeout, exit_timeout)
        self._spool = Spool(folder, max_bytes=max_spool_bytes, batch_events=batch_size, durable=durable)
        self._begin()
        _trackers.add(self)
        self._start()

    def _start(self) -> None:
        """Begin to deliver, where that needs no event loop."""

    def _begin(self) -> None:
        """The state of a process that has tracked nothing yet."""
        self._counting = Counting()
        self._delivery = Delivery(self._spool, self._counting)
        self._closed = False

    def keep(self, event: bytes) -> None:
        """Put an encoded event into the spool, from where it is delivered."""
        if self._closed:
            raise TrackerClosed("the tracker is closed; the event was not accepted")
        full = self._spool.append(event)
        self._counting.queued()
        self._accepted(full)

    def _refused(self) -> None:
        self._counting.add(refused=1)

    def _accepted(self, full: bool) -> None:
        """An event was accepted; `full` says that a batch waits to be sent."""
        raise NotImplementedError

    def stats(self) -> Stats:
        """What this tracker did in this process: queued, sent, retried, dropped and more."""
        return self._counting.now(self._spool.size)

    def dead_letters(self) -> list[dict[str, Any]]:
        """The events of this spool that the server rejected for good, with the reasons."""
        return [letter.members for letter in DeadLetters(self.settings.spool).all()]

    def before_fork(self) -> None:
        """Hold still while the process is copied."""
        self._spool.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._spool.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Begin anew, with a part of the spool of its own; what the parent accepted is the parent's."""
        self._spool.after_fork_in_child()
        closed = self._closed
        self._begin()
        self._closed = closed


_trackers: weakref.WeakSet[BaseTracker] = weakref.WeakSet()
_forking = threading.local()


def _before_fork() -> None:
    _forking.trackers = sorted(_trackers, key=id)  # one order, so that two forking threads can't block each other
    for tracker in _forking.trackers:
        tracker.before_fork()


def _after_fork_in_parent() -> None:
    for tracker in _forking.__dict__.pop("trackers", ()):
        tracker.after_fork_in_parent()


def _after_fork_in_child() -> None:
    for tracker in _forking.__dict__.pop("trackers", ()):
        tracker.after_fork_in_child()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
