"""Ingestion with group commit: requests that wait together are written in one transaction.

A request's events are answered only after the transaction that holds them has committed. The queue is
bounded: over capacity a request is refused at once, and nothing of it was taken. An event that PostgreSQL
can't store is found by halving the batch and rejected alone.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, StorageError, TallystickError, Unavailable
from tallystick.metering.dead_letters.keeping import keep
from tallystick.metering.decoding import Decoded, Invalid, Rejection
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import Appended, NewEvent
from tallystick.metering.registry import Registry
from tallystick.storage.database import Database

log = logging.getLogger("tallystick.ingestion")

MOST_EVENTS_PER_COMMIT = 10_000
WRITE_SECONDS = 20
"""For so long a database that does not answer is waited for."""
WRITERS = 2


class Outcome(NamedTuple):
    """What became of one request. A conflict is counted as a duplicate and reported among the errors."""

    accepted: int
    duplicates: int
    rejections: Sequence[Rejection]
    generated_keys: dict[int, str]


class _Writing(NamedTuple):
    """The requests that are written together, and until when that may take."""

    group: "Sequence[_Request]"
    deadline: asyncio.Timeout

    def break_off_if_unwanted(self) -> None:
        """End it now if nobody waits for any of it. The answers that there are have been given before it ends."""
        if all(request.done.cancelled() for request in self.group) and not self.deadline.expired():
            self.deadline.reschedule(asyncio.get_running_loop().time())


@dataclass(eq=False, slots=True)
class _Request:
    decoded: Decoded
    done: asyncio.Future[Outcome]
    allowed_team: str | None
    keep_rejected: bool
    accepted: int = 0
    duplicates: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    kept: int = 0
    written_by: _Writing | None = None

    def new_rejections(self) -> Sequence[Rejection]:
        """Those that were not handed out yet, to become dead letters."""
        found = self.rejections[self.kept :]
        self.kept = len(self.rejections)
        return found if self.keep_rejected else ()

    @property
    def size(self) -> int:
        return self.decoded.size

    def start_again(self) -> None:
        """Forget what became of it so far."""
        self.accepted = self.duplicates = self.kept = 0
        self.rejections = []


class _Item(msgspec.Struct, frozen=True, gc=False):
    """An event on its way to the store, with the request and place it came from. There are many: it is a light one."""

    request: _Request
    position: int
    event: NewEvent
    raw: bytes | msgspec.Raw


class Ingestor:
    """Takes requests, writes them in groups, and answers each after its commit."""

    def __init__(
        self,
        database: Database,
        store: EventStore,
        registry: Registry,
        clock: Clock,
        *,
        queue_events: int = 50_000,
    ) -> None:
        self._database = database
        self._store = store
        self._registry = registry
        self._clock = clock
        self._queue_events = queue_events
        self._waiting: deque[_Request] = deque()
        self._waiting_events = 0
        self._wake = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> "Ingestor":
        self._writers = [asyncio.create_task(self._write_forever(), name=f"ingest-writer-{i}") for i in range(WRITERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what waits, then stop."""
        self._closing = True
        self._wake.set()
        await asyncio.gather(*self._writers)

    async def submit(self, decoded: Decoded, *, allowed_team: str | None = None, keep_rejected: bool = True) -> Outcome:
        """Store a request's events; returns when they are durable.

        Args:
            decoded: the request.
            allowed_team: the only team that the sender's key may write for; None for any.
            keep_rejected: whether rejected events become dead letters; not when they are some already.

        Raises:
            Unavailable: the queue is full, or the database can't be reached; nothing was acknowledged.
        """
        if self._closing or (self._waiting and self._waiting_events + decoded.size > self._queue_events):
            raise Unavailable("too many events are waiting to be stored; send them again", retry_after=1)
        request = _Request(decoded, asyncio.get_running_loop().create_future(), allowed_team, keep_rejected)
        self._waiting.append(request)
        self._waiting_events += request.size
        self._wake.set()
        try:
            return await request.done
        except asyncio.CancelledError:
            self._withdraw(request)
            raise

    def _withdraw(self, request: _Request) -> None:
        """Nobody waits for the answer any more: what is not being written yet never will be.

        What is being written is broken off when nobody waits for any of it.
        """
        if request in self._waiting:
            self._waiting.remove(request)
            self._waiting_events -= request.size
        elif request.written_by:
            request.written_by.break_off_if_unwanted()

    async def _write_forever(self) -> None:
        while True:
            while not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            group = self._take_group()
            await self._write_or_fail(group)

    async def _write_or_fail(self, group: Sequence[_Request]) -> None:
        """Write a group; where that fails unexpectedly, each request alone, so that none suffers for another."""
        try:
            async with asyncio.timeout(WRITE_SECONDS) as deadline:
                for request in group:
                    request.written_by = _Writing(group, deadline)
                await self._write(group)
        except TimeoutError:
            self._fail(group, Unavailable(f"the database did not store it within {WRITE_SECONDS:g} s", retry_after=5))
        except Exception as error:  # noqa: BLE001 - whatever it is, the requests that wait must hear of it
            if len(group) == 1 or isinstance(error, Unavailable | StorageError):
                self._fail(group, error)
                return
            for request in group:
                request.start_again()
                await self._write_or_fail([request])

    def _take_group(self) -> list[_Request]:
        group: list[_Request] = []
        size = 0
        while self._waiting and (not group or size + self._waiting[0].size <= MOST_EVENTS_PER_COMMIT):
            request = self._waiting.popleft()
            size += request.size
            group.append(request)
        self._waiting_events -= size
        return group

    def _fail(self, group: Sequence[_Request], error: Exception) -> None:
        if not isinstance(error, Unavailable):
            log.error("a group of %d requests could not be stored", len(group), exc_info=error)
        for request in group:
            if not request.done.done():
                request.done.set_exception(error)

    async def _write(self, group: Sequence[_Request]) -> None:
        now = self._clock.now()
        items = [_Item(r, position, event, raw) for r in group for position, event, raw in r.decoded.events]
        await self._registry.refresh({item.event.team_id for item in items}, now)
        for request in group:
            request.rejections.extend(request.decoded.rejections)
        admitted = [item for item in items if self._admit(item)]
        # Before the events: when this fails, nothing was stored, and all of it can be sent again.
        await self._keep_dead_letters(group, now)
        first = _first_of_each(admitted)
        await self._append(first, now)
        if len(first) < len(admitted):
            await self._settle_repeats(_repeats(admitted))
        await self._keep_late_dead_letters(group, now)
        for request in group:
            if not request.done.done():
                request.done.set_result(self._outcome(request))

    def _admit(self, item: _Item) -> bool:
        sender = item.request.allowed_team
        if sender not in (None, item.event.team_id):
            problem = Invalid("team_id", "forbidden_team", f"this key may only write for team {sender!r}")
            # It is the sender's dead letter: the team it names did not send it and must not find it.
            item.request.rejections.append(_refused(item, problem)._replace(team_id=sender))
            return False
        if refusal := self._registry.problem(item.event):
            item.request.rejections.append(_refused(item, refusal))
        return refusal is None

    def _repeated(self, item: _Item, *, differs: bool) -> None:
        item.request.duplicates += 1
        if differs:
            key = item.event.idempotency_key
            message = f"idempotency key {key!r} was used before with other content; the first one counts"
            problem = Invalid("idempotency_key", "conflict", message)
            item.request.rejections.append(_refused(item, problem))

    async def _settle_repeats(self, repeats: Sequence[_Item]) -> None:
        """Count the further items of identities that are stored by now."""
        stored = await self._store.contents([item.event.id for item in repeats])
        for item in repeats:
            if item.event.id in stored:
                self._repeated(item, differs=stored[item.event.id] != item.event.content)
            else:  # the first of them could not be stored, and neither can this one
                item.request.rejections.append(_refused(item, Invalid(None, "unstorable", "can't be stored")))

    async def _append(self, items: Sequence[_Item], now: datetime) -> None:
        if not items:
            return
        try:
            self._settle(items, await self._store.append([item.event for item in items], now))
        except InvalidInput as error:
            if len(items) == 1:
                problem = Invalid(None, "unstorable", str(error))
                items[0].request.rejections.append(_refused(items[0], problem))
                return
            middle = len(items) // 2
            await self._append(items[:middle], now)
            await self._append(items[middle:], now)

    def _settle(self, items: Sequence[_Item], appended: Appended) -> None:
        for position, item in enumerate(items):
            if position in appended.duplicates:
                self._repeated(item, differs=position in appended.conflicts)
            else:
                item.request.accepted += 1

    async def _keep_dead_letters(self, group: Sequence[_Request], now: datetime) -> None:
        if rejections := [rejected for request in group for rejected in request.new_rejections()]:
            async with self._database.transaction() as connection:
                await keep(connection, rejections, now)

    async def _keep_late_dead_letters(self, group: Sequence[_Request], now: datetime) -> None:
        """Keep what was rejected while storing. The events are committed: nothing may change their answer now."""
        try:
            await self._keep_dead_letters(group, now)
        except TallystickError as error:
            log.error("rejected events are answered but could not be kept: %s", error)

    def _outcome(self, request: _Request) -> Outcome:
        rejections = sorted(request.rejections, key=lambda rejected: rejected.position)
        return Outcome(request.accepted, request.duplicates, rejections, request.decoded.generated_keys)


def _first_of_each(items: Iterable[_Item]) -> list[_Item]:
    """The first item of each identity."""
    first: dict[UUID, _Item] = {}
    for item in items:
        first.setdefault(item.event.id, item)
    return list(first.values())


def _repeats(items: Iterable[_Item]) -> list[_Item]:
    """The items whose identity an earlier one has."""
    seen: set[UUID] = set()
    repeats = []
    for item in items:
        if item.event.id in seen:
            repeats.append(item)
        seen.add(item.event.id)
    return repeats


def _refused(item: _Item, problem: Invalid) -> Rejection:
    """The rejection of a well-formed event, with the key that was made for it where it had none."""
    team_id, key = item.event.team_id, item.event.idempotency_key
    decoded = item.request.decoded
    made = item.position in decoded.generated_keys
    raw = bytes(item.raw)
    return Rejection(item.position, problem.field, problem.code, str(problem), raw, team_id, key, decoded.format, made)
