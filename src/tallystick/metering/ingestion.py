"""Ingestion with group commit: requests that wait together are written in one transaction.

A request's events are answered only after the transaction that holds them has committed. The queue is
bounded: over capacity a request is refused at once, and nothing of it was taken. An event that PostgreSQL
can't store is found by halving the batch and rejected alone.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, Unavailable
from tallystick.metering.decoding import Decoded, Invalid, Rejection
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import Appended, NewEvent
from tallystick.metering.registry import Registry
from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
log = logging.getLogger("tallystick.ingestion")

MOST_EVENTS_PER_COMMIT = 10_000
WRITERS = 2


class Outcome(NamedTuple):
    """What became of one request. A conflict is counted as a duplicate and reported among the errors."""

    accepted: int
    duplicates: int
    rejections: Sequence[Rejection]
    generated_keys: dict[int, str]


@dataclass(eq=False, slots=True)
class _Request:
    decoded: Decoded
    done: asyncio.Future[Outcome]
    allowed_team: str | None
    keep_rejected: bool
    accepted: int = 0
    duplicates: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.decoded.size


class _Item(NamedTuple):
    """An event on its way to the store, with the request and place it came from."""

    request: _Request
    position: int
    event: NewEvent
    raw: bytes


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
        return await request.done

    async def _write_forever(self) -> None:
        while True:
            while not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            group = self._take_group()
            try:
                await self._write(group)
            except Exception as error:  # noqa: BLE001 - whatever it is, the requests that wait must hear of it
                self._fail(group, error)

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
        await self._append(self._first_of_each(admitted), now)
        await self._keep_dead_letters(group, now)
        for request in group:
            if not request.done.done():
                request.done.set_result(self._outcome(request))

    def _admit(self, item: _Item) -> bool:
        problem = self._registry.problem(item.event)
        if item.request.allowed_team not in (None, item.event.team_id):
            problem = Invalid(
                "team_id", "forbidden_team", f"this key may only write for team {item.request.allowed_team!r}"
            )
        if problem is not None:
            item.request.rejections.append(_refused(item, problem))
        return problem is None

    def _first_of_each(self, items: Iterable[_Item]) -> list[_Item]:
        """The first item of each identity; the others are duplicates, or conflicts, of it."""
        first: dict[bytes, _Item] = {}
        for item in items:
            known = first.setdefault(item.event.id.bytes, item)
            if known is not item:
                self._repeated(item, differs=known.event.content != item.event.content)
        return list(first.values())

    def _repeated(self, item: _Item, *, differs: bool) -> None:
        item.request.duplicates += 1
        if differs:
            key = item.event.idempotency_key
            message = f"idempotency key {key!r} was used before with other content; the first one counts"
            problem = Invalid("idempotency_key", "conflict", message)
            item.request.rejections.append(_refused(item, problem))

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
        letters = [
            _dead_letter(rejected, now) for request in group if request.keep_rejected for rejected in request.rejections
        ]
        if not letters:
            return
        letters.sort(key=lambda letter: letter["digest"])  # two writers take the same rows in the same order
        async with self._database.transaction() as connection, connection.cursor() as cursor:
            await cursor.executemany(QUERIES["store_dead_letter"], letters)

    def _outcome(self, request: _Request) -> Outcome:
        rejections = sorted(request.rejections, key=lambda rejected: rejected.position)
        return Outcome(request.accepted, request.duplicates, rejections, request.decoded.generated_keys)


def _refused(item: _Item, problem: Invalid) -> Rejection:
    """The rejection of a well-formed event, with the key that was made for it where it had none."""
    team_id, key = item.event.team_id, item.event.idempotency_key
    return Rejection(item.position, problem.field, problem.code, str(problem), item.raw, team_id, key)


def _dead_letter(rejected: Rejection, now: datetime) -> dict[str, Any]:
    digest = hashlib.sha256(b"\x00".join([rejected.code.encode(), rejected.body])).digest()
    return {
        "digest": digest,
        "team_id": rejected.team_id,
        "idempotency_key": rejected.idempotency_key,
        "body": rejected.body,
        "code": rejected.code,
        "field": rejected.field,
        "message": rejected.message.replace("\x00", "\\0"),
        "now": now,
    }
