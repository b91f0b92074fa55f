"""How long a request may take: its body has to come at a pace, and its answer has to begin in time.

A client that sends a byte now and then holds memory and a place among the requests, and so does a request
whose database does not answer. Neither lasts: the first gets 408, the second 503. An answer that has begun
is bounded by the connection, which is broken off when nobody reads it.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

from fastapi import Depends
from starlette.requests import Request
from starlette.types import Message, Receive

from tallystick.core.errors import TallystickError, Unavailable

PACE = "tallystick.pace"
"""The key of the ASGI scope under which the gate leaves the request's pace."""

SECONDS = 30.0
BODY_SECONDS = 20.0
BODY_BYTES_PER_SECOND = 4096
"""A body may take `BODY_SECONDS`, and a second more for each of these."""

UNHURRIED_SECONDS = 3600.0
LOOK_SECONDS = 1.0
RETRY_AFTER = 5


class TooSlow(TallystickError):
    """The body did not come in time."""

    code = "too_slow"
    status = 408
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({"Connection": "close"})


class Watch:
    """Ends requests that are late. One timer looks after all of them: one for each would cost more than the gate."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._under_way: set[Pace] = set()
        self._looking = False

    def begin(self) -> "Pace":
        """The pace of the request that this task is about to answer."""
        loop = asyncio.get_running_loop()
        pace = Pace(loop.time(), self.seconds, asyncio.current_task(loop))
        self._under_way.add(pace)
        if not self._looking:
            self._looking = True
            loop.call_later(self._interval, self._look)
        return pace

    def end(self, pace: "Pace") -> None:
        """The request is over."""
        self._under_way.discard(pace)
        pace.forgive()

    @property
    def _interval(self) -> float:
        return min(LOOK_SECONDS, self.seconds / 4)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for pace in self._under_way:
            pace.end_if_late(now)
        self._looking = bool(self._under_way)
        if self._looking:
            loop.call_later(self._interval, self._look)


class Pace:
    """The deadline of one request, which moves on while its body is coming."""

    __slots__ = ("_begun", "_deadline", "_received", "_seconds", "_task", "_waiting", "expired")

    def __init__(self, begun: float, seconds: float, task: "asyncio.Task[object] | None") -> None:
        self._begun = begun
        self._seconds = seconds
        self._deadline = begun + seconds
        self._task = task
        self._received = 0
        self._waiting = False
        self.expired = False

    def end_if_late(self, now: float) -> None:
        """Cancel the request's task once its deadline has passed."""
        if now >= self._deadline and self._task is not None and not self.expired:
            self.expired = True
            self._task.cancel()

    def forgive(self) -> None:
        """Take the cancellation back: what follows in the task is another request's, or the server's."""
        if self.expired and self._task is not None:
            self._task.uncancel()

    def late(self) -> TallystickError:
        """What to answer a request whose deadline has passed."""
        if self._waiting:
            return TooSlow("the body came too slowly; send it again, all of it")
        return Unavailable(
            f"there was no answer within {self._seconds:g} s (TALLYSTICK_REQUEST_TIMEOUT_SECONDS); try again",
            retry_after=RETRY_AFTER,
        )

    def unhurried(self) -> None:
        """Give the request as long as work on all of the books may take."""
        self._seconds = UNHURRIED_SECONDS
        self._deadline = self._now() + self._seconds

    def answered(self) -> None:
        """The answer has begun."""
        self._deadline = math.inf

    def receiving(self, receive: Receive, seen: Callable[[int], None]) -> Receive:
        """What receives the body: it says how many bytes came, and moves the deadline."""

        async def received() -> Message:
            self._waiting = self._received >= 0
            message = await receive()
            self._waiting = False
            if self._received >= 0 and message["type"] == "http.request":
                size = len(message.get("body", b""))
                self._came(size, more=message.get("more_body", False))
                seen(size)
            return message

        return received

    def _came(self, size: int, *, more: bool) -> None:
        if more:
            self._received += size
            self._deadline = self._begun + BODY_SECONDS + self._received / BODY_BYTES_PER_SECOND
        else:
            if self._received:
                self._deadline = self._now() + self._seconds
            self._received = -1  # all of it is there

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _unhurried(request: Request) -> None:
    if (pace := request.scope.get(PACE)) is not None:
        pace.unhurried()


Unhurried = Depends(_unhurried)
"""Among the dependencies of an endpoint: its work is on all of the books, and may take up to an hour."""
