"""Virtual time: it stands still until it is moved, or runs on from where it is put."""

import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from tallystick.core.clock import as_utc


class VirtualClock:
    """The fake's time, and what is due in it. Serves as the product's clock in a test as well.

    Moving it does what is due on the way, in order, each at its own moment.

    Args:
        start: where it begins.
        runs: whether it goes on by itself, as fast as real time.
    """

    def __init__(self, start: datetime, *, runs: bool = False) -> None:
        self._base = as_utc(start).timestamp()
        self._real = time.monotonic
        self._started = self._real() if runs else None
        self._moment: float | None = None
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def seconds(self) -> float:
        """Now, as Unix time."""
        if self._moment is not None:
            return self._moment
        return self._base + (self._real() - self._started if self._started is not None else 0)

    def now(self) -> datetime:
        """Now."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def advance(self, by: timedelta) -> None:
        """Move on. Does all that becomes due.

        Raises:
            ValueError: backwards.
        """
        if by < timedelta(0):
            raise ValueError(f"the clock can't go back by {-by}")
        target = self.seconds + by.total_seconds()
        self.run_until(target)
        self._base += by.total_seconds()

    def set(self, now: datetime) -> None:
        """Move on to an instant. Does all that becomes due.

        Raises:
            ValueError: it is in the past.
        """
        self.advance(as_utc(now) - self.now())

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something when it is time."""
        heapq.heappush(self._agenda, (when, next(self._order), action))

    def catch_up(self) -> None:
        """Do what has become due since a running clock was last looked at."""
        if self._agenda and self._agenda[0][0] <= self.seconds:
            self.run_until(self.seconds)

    def run_until(self, when: float) -> None:
        """Do what is due until an instant, each thing at its own moment."""
        while self._agenda and self._agenda[0][0] <= when:
            due, _, action = heapq.heappop(self._agenda)
            self._moment = max(due, self._base if self._started is None else due)
            try:
                action()
            finally:
                self._moment = None
