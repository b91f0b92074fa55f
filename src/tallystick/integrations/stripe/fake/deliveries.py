"""Deliveries of events to whoever wants to know: signed, at least once, in no certain order, tried again."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from threading import RLock
from typing import NamedTuple

import httpx

from tallystick.integrations.stripe.fake.assumptions import HOUR
from tallystick.integrations.stripe.fake.clock import VirtualClock
from tallystick.integrations.stripe.fake.events import Notice

RETRIES = (60, 5 * 60, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 72 * HOUR)
"""When a delivery that failed is tried again, in virtual seconds after the event."""

TIMEOUT = 10.0
"""Real seconds that an endpoint may take."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How deliveries are made.

    Attributes:
        shuffled: in an order of chance rather than that of the events.
        twice: the chance that one is made twice although the first was acknowledged.
    """

    shuffled: bool = False
    twice: float = 0.0


class Delivered(NamedTuple):
    """A delivery that was tried. `status` is None when nobody answered."""

    notice: Notice
    attempt: int
    status: int | None

    @property
    def acknowledged(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300


def sign(body: bytes, secret: str, seconds: int) -> str:
    """The header `Stripe-Signature` of a delivery."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class Deliveries:
    """Makes deliveries.

    Args:
        lock: held while the account is touched; not while an endpoint is waited for.
        clock: says when to try again, and signs.
        manners: how they are made.
        seed: of chance.
        on_answer: told of each that was tried.
    """

    def __init__(
        self, lock: RLock, clock: VirtualClock, manners: Manners, seed: int, on_answer: Callable[[Delivered], None]
    ) -> None:
        self._lock = lock
        self._clock = clock
        self._manners = manners
        self._random = Random(seed)  # noqa: S311 - chance is to be repeatable, not secret
        self._on_answer = on_answer
        self._due: list[tuple[Notice, int]] = []
        self.log: list[Delivered] = []

    def add(self, notices: list[Notice]) -> None:
        """Deliver these, too."""
        for notice in notices:
            self._due.append((notice, 1))
            if self._random.random() < self._manners.twice:
                self._due.append((notice, 1))
        if self._manners.shuffled:
            self._random.shuffle(self._due)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be delivered now; what failed waits for its time."""
        return not self._due

    async def make(self, client: httpx.AsyncClient) -> None:
        """Try all that are due, one after the other."""
        while self._due:
            notice, attempt = self._due[0]
            done = Delivered(notice, attempt, await self._send(client, notice))
            with self._lock:
                self.log.append(done)
                self._on_answer(done)
                if not done.acknowledged:
                    self._again(done)
                del self._due[0]

    async def _send(self, client: httpx.AsyncClient, notice: Notice) -> int | None:
        signature = sign(notice.body, notice.secret, int(self._clock.seconds))
        headers = {"stripe-signature": signature, "content-type": "application/json; charset=utf-8"}
        try:
            answer = await client.post(notice.url, content=notice.body, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError:
            return None
        return answer.status_code

    def _again(self, failed: Delivered) -> None:
        waits = dict(enumerate([RETRIES[0], *(after - before for before, after in pairwise(RETRIES))], 1))
        if (wait := waits.get(failed.attempt)) is not None:
            following = (failed.notice, failed.attempt + 1)
            self._clock.at(self._clock.seconds + wait, lambda: self._due.append(following))
