"""What a client remembers of a server that does not answer, so that those who wait for a check wait once, not each."""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable

log = logging.getLogger("tallystick_client")

PAUSE = 1.0
"""Seconds for which a server that did not answer is not asked again."""


class Outage:
    """Whether the server can be asked. While it can't, one request every `PAUSE` seconds finds out. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next: float | None = None

    def may_ask(self) -> bool:
        """Whether to ask now; who is told so while the server is out is the one who finds out."""
        if self._next is None:
            return True
        with self._lock:
            if self._next is None:
                return True
            if (now := self._clock()) < self._next:
                return False
            self._next = now + PAUSE
            return True

    def began(self, reason: object) -> None:
        """There was no answer. Said once per outage."""
        with self._lock:
            if self._next is None:
                log.warning("checks are answered without the server: %s", reason)
            self._next = self._clock() + PAUSE

    def ended(self) -> None:
        """There was one."""
        if self._next is not None:
            with self._lock:
                self._next = None
            log.info("checks are answered by the server again")
