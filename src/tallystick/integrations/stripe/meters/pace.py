"""How fast is sent: a bucket of tokens. Refusals for being too many make it smaller, calls that are taken larger."""

import asyncio
import time
from collections.abc import Callable

LIVE = 800.0
"""Calls a second with a live key; Stripe takes 1,000."""

STREAM = 8_000.0
"""Events a second of the stream; Stripe takes 10,000."""

TEST = 15.0
"""With a test key, which shares 25 with everything else."""

UNLIMITED = 1e6
"""Of a fake on this machine, which takes what it can."""

LEAST = 1.0
SLOWER_EVERY = 1.0
"""Seconds between two slow-downs: calls that were under way together are refused together."""

RECOVERS_PER_CALL = 0.002
"""Part of the full rate that each call that was taken gives back."""


class Pace:
    """A bucket that holds a second's tokens at most.

    Args:
        rate: calls a second.
        now: monotonic seconds.
    """

    def __init__(self, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        self._full = self._rate = rate
        self._now = now
        self._tokens = min(rate, max(1.0, rate / 10))
        self._seen = now()
        self._slower_at: float | None = None

    @property
    def rate(self) -> float:
        """Calls a second, as it is now."""
        return self._rate

    async def take(self, calls: int = 1) -> None:
        """Wait until so many calls may be made."""
        self._fill()
        self._tokens -= calls
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)

    def refused(self) -> None:
        """Stripe said that it was too many."""
        now = self._now()
        if self._slower_at is None or now - self._slower_at >= SLOWER_EVERY:
            self._slower_at = now
            self._rate = max(LEAST, self._rate / 2)

    def taken(self, calls: int = 1) -> None:
        """Stripe took as many calls."""
        self._rate = min(self._full, self._rate + self._full * RECOVERS_PER_CALL * calls)

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._rate, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
