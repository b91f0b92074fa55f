"""One open stream: what it has not been told yet, never more than a little.

Whoever reads slowly is not told everything late, but the latest: a second usage takes the first one's place, teams
that were touched add up to one message, and of alerts the newest are kept.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from tallystick.core.clock import Clock
from tallystick.live import messages

MOST_ALERTS = 32
MOST_TEAMS = 1000
"""Teams of one `touched` message; beyond, it says fewer than there were."""


class Listener:
    """What one stream is about to tell.

    Attributes:
        team_id: whose usage it shows; None: it hears of all teams.
        own: it belongs to somebody who may see this team alone.
    """

    __slots__ = ("_alerts", "_closed", "_events", "_ready", "_teams", "_usage", "own", "team_id")

    def __init__(self, team_id: str | None, *, own: bool = False) -> None:
        self.team_id = team_id
        self.own = own
        self._usage: bytes | None = None
        self._alerts: deque[bytes] = deque(maxlen=MOST_ALERTS)
        self._teams: set[str] = set()
        self._events = 0
        self._closed = False
        self._ready = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed

    def show(self, usage: bytes) -> None:
        """Tell this usage, in the place of an earlier one that was not told yet."""
        self._usage = usage
        self._ready.set()

    def alert(self, told: bytes) -> None:
        """Tell of an alert."""
        self._alerts.append(told)
        self._ready.set()

    def touch(self, teams: Iterable[str], events: int) -> None:
        """Tell that teams were touched."""
        self._teams.update(teams)
        self._events += events
        self._ready.set()

    def close(self) -> None:
        """Tell nothing more."""
        self._closed = True
        self._ready.set()

    async def next(self, clock: Clock, seconds: float) -> bytes:
        """What there is to be told, waited for; nothing after so many seconds or when it is closed."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                return b""
        if not self._closed:
            self._ready.clear()
        return self._take(clock.now())

    def _take(self, now: datetime) -> bytes:
        parts = [self._usage or b"", *self._alerts]
        if self._teams or self._events:
            parts.append(messages.touched(now, sorted(self._teams)[:MOST_TEAMS], self._events))
        self._usage, self._events = None, 0
        self._alerts.clear()
        self._teams.clear()
        return b"".join(parts)
