"""How fast is sent: a bucket of tokens. Refusals for being too many make it smaller, calls that are taken larger."""

import asyncio
import time
from collections.abc import Callable

LIVE = 800.0
"""Calls a second with a live key; Stripe takes 1,000."""

TEST = 15.0
"""With a test key, which shares 25 with everything else."""

UNLIMITED = 1e6
"""Of a fake on this machine, which takes what it can."""

LEAST = 1.0
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
        self._rate = max(LEAST, self._rate / 2)

    def taken(self) -> None:
        """Stripe took a call."""
        self._rate = min(self._full, self._rate + self._full * RECOVERS_PER_CALL)

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._rate, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
