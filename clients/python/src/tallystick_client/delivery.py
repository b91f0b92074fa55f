"""How the spool is emptied: the one core of the trackers, without threads, event loop or HTTP.

`Delivery.round()` is a generator. It yields what is to be done, a `Post` or a `Pause`, and is sent what came of it.
A driver does these with threads or with asyncio; that is all in which the two trackers differ.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple, Union

from tallystick_client.answers import Failed, Later, Reply, Settled, TooMuch, Verdict, judge
from tallystick_client.dead_letters import FILE as DEAD_LETTERS
from tallystick_client.dead_letters import dead_letter
from tallystick_client.records import read_contents
from tallystick_client.spool import DAMAGED, Spool
from tallystick_client.stats import Counting

log = logging.getLogger("tallystick_client")

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 60.0


class Post(NamedTuple):
    """Send this body; be sent a `Reply` or `Failed`."""

    body: bytes


class Pause(NamedTuple):
    """Wait for so many seconds; be sent whether to go on."""

    seconds: float


Step = Union[Post, Pause]
Came = Union[Reply, Failed, bool, None]
Steps = Generator[Step, Came, bool]


class Backoff:
    """Exponential backoff with full jitter: after failure n, a random time up to `first * 2^n`."""

    def __init__(self, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0

    def next(self, asked: float | None) -> float:
        """Seconds until the next attempt: never before the server asked for, and not all clients at once."""
        ceiling = min(self._longest, self._first * 2 ** min(self.failures, 30))
        self.failures += 1
        return (asked or 0.0) + random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing


class Delivery:
    """Delivers what is in a spool."""

    def __init__(self, spool: Spool, counting: Counting, backoff: Backoff | None = None) -> None:
        self._spool = spool
        self._counting = counting
        self._backoff = backoff or Backoff()

    def round(self) -> Steps:
        """Deliver everything that is ready now; False if not all of it was, and the rest stays where it is."""
        whole = True
        for path in self._spool.ready():
            try:
                if not (yield from self._file(path)):
                    return False
            except OSError:  # noqa: PERF203 - this file can't be read, or what was rejected not be kept; the others can
                log.exception("%s can't be delivered now; it stays there", path)
                whole = False
        return whole

    def _file(self, path: Path) -> Steps:
        try:
            contents = read_contents(path)
        except FileNotFoundError:  # cleared by hand
            self._spool.remove(path)
            return True
        self._report_damage(path, contents.damaged)
        waiting = [contents.events] if contents.events else []
        while waiting:
            batch = waiting.pop()
            verdict = yield from self._until_answered(batch, path)
            if verdict is None:
                return False
            if isinstance(verdict, TooMuch) and len(batch) > 1:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
            else:
                self._settle(batch, verdict)
        self._spool.remove(path)
        return True

    def _report_damage(self, path: Path, damaged: list[bytes]) -> None:
        if damaged:
            log.error("%d events in %s are damaged on the disk; %s has them", len(damaged), path, DAMAGED)
            self._spool.set_aside(DAMAGED, damaged)
            self._counting.add(dropped=len(damaged))

    def _until_answered(self, batch: list[bytes], path: Path) -> Generator[Step, Came, Settled | TooMuch | None]:
        body = b"[" + b",".join(batch) + b"]"
        while True:
            came = yield Post(body)
            assert isinstance(came, (Reply, Failed))
            verdict = judge(came, len(batch))
            if not isinstance(verdict, Later):
                self._recovered()
                return verdict
            self._report(verdict, path)
            go_on = yield Pause(self._backoff.next(verdict.wait))
            if not go_on:
                return None
            self._spool.recount()
            self._counting.add(retried=1)

    def _report(self, verdict: Later, path: Path) -> None:
        """Say it once per outage, and louder where waiting will not help."""
        if self._backoff.failures == 0:
            self._spool.keep_safe(path)
            level = logging.ERROR if verdict.wrong else logging.WARNING
            log.log(level, "usage is kept in %s and sent again: %s", self._spool.folder, verdict.reason)

    def _recovered(self) -> None:
        if self._backoff.failures:
            log.info("usage is being delivered again")
            self._backoff.failures = 0

    def _settle(self, batch: list[bytes], verdict: Verdict) -> None:
        """Keep what was rejected, then count."""
        if isinstance(verdict, TooMuch):
            error = {"index": 0, "code": verdict.code, "field": None, "message": verdict.message}
            verdict = Settled(0, 0, [error])
        assert isinstance(verdict, Settled)
        conflicts = 0
        if verdict.errors:
            letters = [dead_letter(batch[error["index"]], error) for error in verdict.errors]
            self._spool.set_aside(DEAD_LETTERS, letters)
            first = verdict.errors[0].get("message")
            log.error("%d events rejected, kept in %s: %s", len(letters), self._spool.folder / DEAD_LETTERS, first)
            conflicts = sum(error.get("code") == "conflict" for error in verdict.errors)
        stored = verdict.accepted + verdict.duplicates
        self._counting.add(sent=stored, rejected=len(batch) - stored, conflicts=conflicts)
