"""What the trackers have in common: settings, the spool, `track()`, and what a fork does to them."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx

from tallystick_client.dead_letters import dead_letters
from tallystick_client.delivery import Delivery
from tallystick_client.errors import NotConfigured, TallystickClientError, TrackerClosed
from tallystick_client.events import Quantity, encode_event
from tallystick_client.spool import Spool
from tallystick_client.stats import Counting, Stats

MAX_BATCH = 1000
TRACK_PATH = "/api/usage/track"
TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError)
"""What keeps a request from being answered: the network, certificates, a closed client, a setting."""


class Tracking(Protocol):
    """Anything with `track()`: a `Tracker`, an `AsyncTracker`, a `RecordingTracker`."""

    def track(
        self,
        team: str,
        event: str,
        quantity: Quantity = 1,
        *,
        unit: str | None = None,
        timestamp: datetime | None = None,
        user_id: str | None = None,
        event_type: str | None = None,
        idempotency_key: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **metadata: Any,
    ) -> None:
        """Accept a usage event; see `Tracker.track`."""


class Settings(NamedTuple):
    """Where to send, and how."""

    url: str
    api_key: str | None
    spool: Path
    flush_interval: float
    timeout: float
    exit_timeout: float

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        key = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {**key, "Content-Type": "application/json", "User-Agent": "tallystick-client"}


def default_spool(url: str) -> Path:
    """A folder of the user for one server: `$XDG_STATE_HOME/tallystick/spool-…`, else below `~/.local/state`."""
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local" / "state"
    return folder / "tallystick" / f"spool-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


class BaseTracker:
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
        api_key = api_key or os.environ.get("TALLYSTICK_API_KEY")
        url = (url or os.environ.get("TALLYSTICK_URL") or "").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise NotConfigured(f"the server's url is {url!r}; give url= or TALLYSTICK_URL, as http://localhost:8080")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise NotConfigured("the API key holds characters that no key has; it begins with tsk_")
        if not 1 <= batch_size <= MAX_BATCH:
            raise NotConfigured(f"batch_size is {batch_size}; allowed is 1 to {MAX_BATCH}")
        folder = Path(spool or os.environ.get("TALLYSTICK_SPOOL") or default_spool(url))
        self.settings = Settings(url, api_key, folder, flush_interval, timeout, exit_timeout)
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

    def track(
        self,
        team: str,
        event: str,
        quantity: Quantity = 1,
        *,
        unit: str | None = None,
        timestamp: datetime | None = None,
        user_id: str | None = None,
        event_type: str | None = None,
        idempotency_key: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **metadata: Any,
    ) -> None:
        """Accept a usage event. It is on the disk when this returns, and will count exactly once.

        Takes some tens of microseconds, no network; safe from every thread and after a fork.

        Args:
            team: the customer who is billed.
            event: the name of what happened, which metrics of the billing file refer to.
            quantity: how much, exactly: a `Decimal`, an `int` or decimal text. Floats are refused.
            unit: checked against the metric's unit.
            timestamp: when it happened, with a time zone; now, if not given.
            user_id: who did it.
            event_type: a second name, for metrics that count a group of events.
            idempotency_key: makes a repeated call count once; a UUIDv7 is made if not given.
            properties: more metadata, for names that are no identifiers or are parameters here.
            **metadata: what else to count or group by; text, whole numbers, `Decimal`, lists, dictionaries.

        Raises:
            InvalidEvent: the event can't be right.
            SpoolFull, SpoolError: it could not be kept. Earlier ones are.
            TrackerClosed: after `close()`.
        """
        try:
            if self._closed:
                raise TrackerClosed("the tracker is closed; the event was not accepted")
            encoded = encode_event(
                team,
                event,
                quantity,
                {**properties, **metadata} if properties else metadata,
                unit=unit,
                timestamp=timestamp,
                user_id=user_id,
                event_type=event_type,
                idempotency_key=idempotency_key,
            )
            full = self._spool.append(encoded)
        except TallystickClientError:
            self._counting.add(refused=1)
            raise
        self._counting.add(queued=1)
        self._accepted(full)

    def _accepted(self, full: bool) -> None:
        """An event was accepted; `full` says that a batch waits to be sent."""
        raise NotImplementedError

    def stats(self) -> Stats:
        """What this tracker did in this process: queued, sent, retried, dropped and more."""
        return self._counting.now(self._spool.size)

    def dead_letters(self) -> list[dict[str, Any]]:
        """The events of this spool that the server rejected for good, with the reasons."""
        return dead_letters(self.settings.spool)

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
