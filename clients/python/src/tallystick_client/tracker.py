"""`Tracker`: delivers from a thread of its own. For every program, those with an event loop included."""

from __future__ import annotations

import atexit
import contextlib
import encodings.idna  # noqa: F401 - the first connection would import it, see Tracker._connected
import logging
import threading
import time
from types import TracebackType

import httpx

from tallystick_client.address import TRANSPORT_ERRORS
from tallystick_client.answers import Failed, Reply
from tallystick_client.base import TRACK_PATH, BaseTracker
from tallystick_client.delivery import Came, Pause, Steps

_left_to_the_parent: list[object] = []
"""Connections that a forked child shares with its parent: kept, because closing them would speak on the wire."""

LAST_STEPS = 1.0
"""Seconds for the thread to put things away once its time is over; it takes them only with a request under way."""

log = logging.getLogger("tallystick_client")


class Tracker(BaseTracker):
    """Records usage: `track()` accepts an event at once, a thread delivers it.

        with Tracker("http://localhost:8080", "tsk_…") as tracker:
            tracker.track("acme", "api_call", 1, endpoint="/v1/search")

    One per process is enough; every thread may use it. What was accepted is on the disk, so it is delivered by the
    next tracker on the same spool if this process dies.
    """

    def _begin(self) -> None:
        super()._begin()
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._full = False
        self._deadline: float | None = None
        self._thread: threading.Thread | None = None
        self._client: httpx.Client | None = None
        atexit.register(self.close)

    def after_fork_in_child(self) -> None:
        """Begin anew; the thread starts with the first event."""
        _left_to_the_parent.append(self._client)
        super().after_fork_in_child()

    # --- For its user -------------------------------------------------------------------------------

    def flush(self, timeout: float | None = None) -> bool:
        """Send everything now; True when the server has answered for all of it, False if that took too long."""
        self._start()
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= mine or self._is_over(), timeout) and (
                self._done >= mine
            )

    def close(self, timeout: float | None = None) -> bool:
        """Deliver what can be delivered within the time (else `exit_timeout`); the rest stays on the disk.

        Happens by itself at the end of the process. Returns whether everything was delivered.
        """
        if self._closed:
            return True
        self._closed = True
        atexit.unregister(self.close)
        patience = self.settings.exit_timeout if timeout is None else timeout
        if self._thread is None:
            self._spool.close()
            return True
        with self._changed:
            self._deadline = time.monotonic() + patience
            self._asked += 1
            self._changed.notify_all()
        self._thread.join(patience + LAST_STEPS)
        return self._done == self._asked

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- The thread ---------------------------------------------------------------------------------

    def _accepted(self, full: bool) -> None:
        if self._thread is None:
            with contextlib.suppress(RuntimeError):  # no thread to be had now; the event is on the disk
                self._start()
        if full:
            with self._changed:
                self._full = True
                self._changed.notify_all()

    def _start(self) -> None:
        with self._changed:
            if self._thread is None and not self._closed:
                with contextlib.suppress(*TRANSPORT_ERRORS):  # then the thread finds it, and says so
                    self._connected()
                self._thread = threading.Thread(target=self._run, name="tallystick-tracker", daemon=True)
                self._thread.start()

    def _is_over(self) -> bool:
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        due, over = time.monotonic() + self.settings.flush_interval, False
        while not over:
            with self._changed:
                asked, over = self._asked, self._deadline is not None
            whole = over or asked > self._done or time.monotonic() >= due
            delivered = self._round(whole=whole)
            if whole:
                due = time.monotonic() + self.settings.flush_interval
                self._finish(asked if delivered else 0)
            if not over:
                self._wait(asked, due)
        self._spool.close()
        if self._client is not None:
            self._client.close()

    def _finish(self, asked: int) -> None:
        with self._changed:
            self._done = max(self._done, asked)
            self._changed.notify_all()

    def _wait(self, asked: int, due: float) -> None:
        """Until the interval is over, a batch is full, or somebody asks."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._full or self._asked > asked or self._deadline is not None,
                max(0.0, due - time.monotonic()),
            )
            self._full = False

    def _round(self, *, whole: bool) -> bool:
        """Deliver what is ready; a whole round also takes the batch that is being filled."""
        try:
            if whole:
                self._spool.seal()
            self._spool.adopt()
            return self._drive(self._delivery.round())
        except Exception:
            log.exception("usage can't be delivered now; it stays in %s", self.settings.spool)
            return False

    def _drive(self, steps: Steps) -> bool:
        came: Came = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                return bool(end.value)
            came = self._pause(step.seconds) if isinstance(step, Pause) else self._post(step.body)

    def _pause(self, seconds: float) -> bool:
        """Wait; False if the end of the process can't wait for so long."""
        until = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(
                lambda: self._deadline is not None and until > self._deadline, max(0.0, until - time.monotonic())
            )
            return self._deadline is None or until <= self._deadline

    def _connected(self) -> httpx.Client:
        """The client, made before there is a thread: a fork while it is imported would leave half a module behind."""
        if self._client is None:
            address = self.settings.address
            self._client = httpx.Client(base_url=address.url, headers=address.headers, timeout=self.settings.timeout)
        return self._client

    def _post(self, body: bytes) -> Came:
        try:
            answer = self._connected().post(TRACK_PATH, content=body)
            return Reply(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        except TRANSPORT_ERRORS as error:
            return Failed(f"{type(error).__name__}: {error}")
