"""The outbox is emptied: deltas are sent in the order in which they were booked, one at a time for each lane.

    lease lanes ─▶ write down that their first deltas may arrive ─▶ send ─▶ write down what became of them

Each arrow crosses a commit, so a process can die at any of them: what it leaves in doubt is sent again as it was, which
Stripe recognises, and after 20 hours is looked for instead (`doubts`). Any number of processes may do this; a lane is
leased to one of them, and one that comes back late from the dead can only report what Stripe has answered.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick.core.clock import Clock
from tallystick.core.ids import new_secret
from tallystick.integrations.stripe.meters import doubts, rows, store
from tallystick.integrations.stripe.meters.api import STREAM_BATCH, THREADS, MeterApi
from tallystick.integrations.stripe.meters.models import Sending
from tallystick.integrations.stripe.meters.pace import Pace
from tallystick.integrations.stripe.meters.recording import Line, Tried, record
from tallystick.integrations.stripe.outcomes import Class, Outcome
from tallystick.storage.database import Database

log = logging.getLogger("tallystick.stripe")

LEASE = timedelta(minutes=10)
LEASE_USED = 240.0
"""Seconds of a lease after which no further call is begun."""


class Sizes(NamedTuple):
    """How much is taken at once: lanes, and deltas of each."""

    lanes: int
    depth: int


CALLS = Sizes(lanes=64, depth=4)
STREAM = Sizes(lanes=250, depth=25)

MOST_ROUNDS = 10_000

STREAM_FROM = 5000
"""Deltas that wait before the stream is used: ten seconds of single calls."""


class Sent(NamedTuple):
    """What a round did.

    Attributes:
        accepted: deltas that Stripe said yes to.
        waiting: that have to be tried again.
        settled: that are late, quarantined or lost.
        more: there may be more to send right now.
    """

    accepted: int = 0
    waiting: int = 0
    settled: int = 0
    more: bool = False

    def and_then(self, following: "Sent") -> "Sent":
        """What two rounds did together."""
        return Sent(
            self.accepted + following.accepted,
            self.waiting + following.waiting,
            self.settled + following.settled,
            following.more,
        )


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends what waits, for one account."""

    database: Database
    clock: Clock
    api: MeterApi
    pace: Pace
    stream_pace: Pace

    async def drain(self) -> Sent:
        """Send what can be sent now: rounds, two at a time, so that one sends while the other writes."""
        total = Sent()
        for _ in range(MOST_ROUNDS):
            one, other = await asyncio.gather(self.run(), self.run())
            total = total.and_then(one).and_then(other)
            if not (one.more or other.more):
                break
        return total

    async def run(self) -> Sent:
        """One round. Repeat it while it says that there is more."""
        lease, now, began = new_secret(16), self.clock.now(), time.monotonic()
        streamed = await self._streams(now)
        sizes = STREAM if streamed else CALLS
        lines = await self._lease(lease, now, sizes)
        if not lines:
            return Sent()
        if streamed:
            await self._stream(lines, lease, now)
        calling = _Calling(asyncio.Semaphore(THREADS), began + LEASE_USED)
        await asyncio.gather(*(self._work(line, calling, now) for line in lines))
        done = await record(self.database, lines, lease, now, self.clock.now())
        return Sent(*done, more=len(lines) == sizes.lanes or any(line.more for line in lines))

    async def _streams(self, now: datetime) -> bool:
        if not self.api.streams:
            return False
        async with self.database.snapshot() as tx:
            return await store.backlog(tx, self.api.account, now, STREAM_FROM) >= STREAM_FROM

    async def _lease(self, lease: str, now: datetime, sizes: Sizes) -> list[Line]:
        async with self.database.transaction() as tx:
            leased = await store.claim_lanes(tx, self.api.account, sizes.lanes, lease=lease, now=now, until=now + LEASE)
            heads = await store.heads(tx, leased, sizes.depth)
            lines = [_triage(each, heads[each.lane.id], now, sizes.depth) for each in leased]
            await store.sending(tx, {line.lane.id: line.last for line in lines}, now)
        return lines

    async def _work(self, line: Line, calling: "_Calling", now: datetime) -> None:
        if line.doubtful is not None:
            line.doubt = await doubts.look(self.database, self.api, line.lane, line.doubtful, now)
        for delta in line.send[len(line.tried) :]:
            async with calling.threads:
                if calling.is_over:
                    return
                outcome = await self._call(delta)
                calling.refused |= outcome.is_about_account
            line.tried.append(Tried(delta, outcome))
            line.more |= outcome.replayed  # another key can be tried at once
            if not (outcome.kind.is_done or (outcome.kind is Class.POISON and delta.doubt_since is None)):
                return

    async def _call(self, delta: Sending) -> Outcome:
        await self.pace.take()
        outcome = await self.api.send(delta.request, delta.idempotency_key)
        _heed(self.pace, outcome, 1)
        return outcome

    async def _stream(self, lines: Sequence[Line], lease: str, now: datetime) -> None:
        """Send by the stream; what it refuses as a batch is left for single calls."""
        batches = [(f"tsb_{lease}_{number}", batch) for number, batch in enumerate(_batches(lines))]
        async with self.database.transaction() as tx:
            ids = {key: [delta.id for line in batch for delta in line.send] for key, batch in batches}
            await store.streaming(tx, ids, now)
        await asyncio.gather(*(self._send_batch(key, batch, now) for key, batch in batches))

    async def _send_batch(self, key: str, batch: Sequence[Line], now: datetime) -> None:
        requests = [delta.request for line in batch for delta in line.send]
        await self.stream_pace.take(len(requests))
        outcome = await self.api.stream(requests, key, now)
        _heed(self.stream_pace, outcome, len(requests))
        if outcome.kind in (Class.POISON, Class.CONFIGURATION, Class.LATE, Class.CLOCK):
            log.warning("a batch for Stripe's stream was refused: %s", outcome.message)
            return
        for line in batch:
            line.tried = [Tried(delta, outcome) for delta in line.send]


@dataclass(slots=True)
class _Calling:
    """The single calls of a round: as many at once as there are threads, so that one that says no spares the others."""

    threads: asyncio.Semaphore
    until: float
    refused: bool = False

    @property
    def is_over(self) -> bool:
        """Whether no further call is begun."""
        return self.refused or time.monotonic() > self.until


def _heed(pace: Pace, outcome: Outcome, calls: int) -> None:
    """Let the pace learn from an answer."""
    if outcome.is_too_fast:
        pace.refused()
    elif outcome.kind.is_done:
        pace.taken(calls)


def _triage(leased: rows.Leased, heads: Sequence[Sending], now: datetime, depth: int) -> Line:
    """What to do with the first deltas of a lane; nothing overtakes one that is in doubt."""
    line = Line(leased.lane, leased.failures, more=len(heads) == depth)
    for delta in heads:
        if delta.may_be_sent(now):
            line.send.append(delta)
        elif delta.doubt_since is None:
            line.late.append(delta)
        else:
            line.doubtful = None if line.send else delta
            break
    return line


def _batches(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lanes whose deltas fit a request together; those of a lane stay together, in their order."""
    batch: list[Line] = []
    room = STREAM_BATCH
    for line in lines:
        if not line.send:
            continue
        if len(line.send) > room:
            yield batch
            batch, room = [], STREAM_BATCH
        batch.append(line)
        room -= len(line.send)
    if batch:
        yield batch
