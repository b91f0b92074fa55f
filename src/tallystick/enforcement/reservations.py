"""Reservations: a part of a limit is kept free for work that is under way.

Who reserves at the same time is decided in one transaction, one after the other, under a lock that other processes
wait for; so usage and reservations together never exceed a hard limit. A reservation names the event that will carry
its usage. From the moment that event is recorded it is usage, and the reservation counts no more: both follow from
the same snapshot, so nothing counts twice and there is no moment in between at which it counts not at all.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, NotFound, TallystickError
from tallystick.core.ids import event_id
from tallystick.core.money import EXACT, ZERO
from tallystick.enforcement import store
from tallystick.enforcement.counters import Counters
from tallystick.enforcement.judging import judge
from tallystick.enforcement.models import Reservation, ReservationState, Standing, Verdict
from tallystick.enforcement.rounds import Rounds
from tallystick.enforcement.store import Key
from tallystick.metering.event_store import EventStore
from tallystick.storage.database import Connection, Database

COMMITTED_FOR = timedelta(days=1)
"""How long a reservation whose events are named goes on keeping their quantity free until they are recorded."""

KEPT_FOR = timedelta(days=30)
"""How long a reservation can be looked at after it was made."""

PAGE = 1000

BEGINNING = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""The position before the first reservation."""


class Wish(NamedTuple):
    """What somebody wants to reserve.

    Attributes:
        key: of which team and metric.
        quantity: how much, above zero.
        lasts: how long it is kept free unless it is committed.
        actor: who reserves.
        reference: a key of the client's own: sent again, it is answered with the same reservation.
        idempotency_keys: of the events that will carry the usage; none: one, named after the reservation.
    """

    key: Key
    quantity: Decimal
    lasts: timedelta
    actor: str
    reference: str | None = None
    idempotency_keys: Sequence[str] = ()


class Reserved(NamedTuple):
    """The verdict about a wish, before it was granted, and the reservation if it was."""

    verdict: Verdict
    reservation: Reservation | None


@dataclass(eq=False, slots=True)
class _Waiting:
    wish: Wish
    reserved: Reserved | None = None
    refused: TallystickError | None = field(default=None)
    left: bool = False
    """Whoever asked has been answered without it."""

    def answer(self) -> Reserved:
        if self.refused is not None:
            raise self.refused
        assert self.reserved is not None, "a round decides everything that waits for it"
        return self.reserved


class Reservations:
    """Reserving, committing, releasing."""

    def __init__(self, database: Database, events: EventStore, counters: Counters, clock: Clock) -> None:
        self._database = database
        self._events = events
        self._counters = counters
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._deciding = Rounds(self._decide)
        self._recorded: list[UUID] = []
        self._settling = Rounds(self._settle_recorded)

    def stuck_for(self) -> float:
        """For how many seconds the database has not answered what it was asked."""
        return self._deciding.running_for()

    async def reserve(self, wish: Wish) -> Reserved:
        """Keep a quantity free, if the limits allow it.

        Raises:
            NotFound: there is no such team or metric.
            InvalidInput: the metric's usage can't be limited.
            Conflict: the reference was used for something else.
            Unavailable: the database can't be reached; nothing was reserved.
        """
        waiting = _Waiting(wish)
        self._waiting.append(waiting)
        try:
            await self._deciding.join()
        except asyncio.CancelledError:
            waiting.left = True  # nobody would know of it
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            raise
        return waiting.answer()

    async def find(self, reservation_id: UUID) -> Reservation:
        """One reservation.

        Raises:
            NotFound: there is none of that id, or it was over long ago.
        """
        async with self._database.snapshot() as tx:
            return _existing(await store.find_reservation(tx, reservation_id), reservation_id)

    async def page(
        self,
        limit: int,
        *,
        after: tuple[datetime, UUID],
        team_id: str | None = None,
        metric: str | None = None,
        waiting: bool = False,
    ) -> list[Reservation]:
        """Up to `limit` reservations after a position, oldest first; `waiting`: those that keep something free."""
        async with self._database.snapshot() as tx:
            now = self._clock.now()
            return await store.reservations(
                tx, limit, now, after=after, team_id=team_id, metric=metric, waiting=waiting
            )

    async def commit(self, reservation_id: UUID, idempotency_keys: Collection[str]) -> Reservation:
        """Name the events that carry the usage, which may be recorded already or are about to be.

        Its quantity stays free until all of them are recorded. A reservation that has run out keeps it free again,
        though somebody else may have taken its place meanwhile: what was used was used.

        Raises:
            NotFound: there is no such reservation.
            Conflict: it was released.
        """
        async with self._database.transaction() as tx:
            found = _existing(await store.find_reservation(tx, reservation_id, lock=True), reservation_id)
            if found.state is ReservationState.RELEASED:
                raise Conflict(f"reservation {reservation_id} was released; reserve again")
            ids = [event_id(found.team_id, key) for key in idempotency_keys]
            until = max(found.holds_until, self._clock.now() + COMMITTED_FOR)
            committed = found._replace(
                state=ReservationState.COMMITTED, event_ids=ids, holds_until=until, ended_at=None
            )
            moved = await store.move(tx, committed)
        self._counters.moved(found.team_id)
        return moved

    async def settle(self, reservation: Reservation) -> Reservation:
        """Write down that the usage of a reservation is recorded: it keeps nothing free any more."""
        self._recorded.append(reservation.id)
        await self._settling.join()
        return reservation._replace(state=ReservationState.SETTLED, ended_at=self._clock.now())

    async def _settle_recorded(self) -> None:
        ids, self._recorded = self._recorded, []
        async with self._database.transaction() as tx:
            await store.settle(tx, ids, self._clock.now())

    async def restore(self, reservation: Reservation) -> Reservation:
        """Put a reservation back to how it was, because nothing of its usage could be recorded."""
        return await self._move(reservation)

    async def release(self, reservation_id: UUID) -> Reservation:
        """Give back what a reservation keeps free. Again: nothing happens.

        Raises:
            NotFound: there is no such reservation.
            Conflict: its usage is recorded.
        """
        async with self._database.transaction() as tx:
            found = _existing(await store.find_reservation(tx, reservation_id, lock=True), reservation_id)
            if found.state is ReservationState.SETTLED:
                raise Conflict(f"the usage of reservation {reservation_id} is recorded; void its events instead")
            if found.state is not ReservationState.RELEASED:
                released = found._replace(state=ReservationState.RELEASED, ended_at=self._clock.now())
                found = await store.move(tx, released)
        self._counters.moved(found.team_id)
        return found

    async def tidy(self) -> bool:
        """Write down what has run out or is recorded, and forget what was over long ago; whether there is more."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            expired = await store.expire(tx, now, PAGE)
            forgotten = await store.forget_reservations(tx, now - KEPT_FOR, PAGE)
            await store.forget_changes(tx)
            named = await store.waiting_for_events(tx, PAGE)
        recorded = await self._events.contents([id for ids in named.values() for id in ids]) if named else {}
        settled = [id for id, event_ids in named.items() if all(each in recorded for each in event_ids)]
        if settled:
            async with self._database.transaction() as tx:
                await store.settle(tx, settled, now)
        return PAGE in (expired, forgotten, len(settled))

    async def _move(self, reservation: Reservation) -> Reservation:
        async with self._database.transaction() as tx:
            moved = await store.move(tx, reservation)
        self._counters.moved(moved.team_id)
        return moved

    # --- Deciding ---------------------------------------------------------------------------------

    async def _decide(self) -> None:
        """Decide everything that waits, in the order in which it came."""
        waiting, self._waiting = self._waiting, []
        if not (keys := {each.wish.key for each in waiting}):
            return
        async with self._database.transaction() as tx:
            await store.lock_reserving(tx, keys)
            standings = await self._standings(waiting)
            granted = await self._granted(tx, waiting, standings)
            if granted:
                await store.insert_reservations(tx, granted)
            await self._give_back(tx, [each for each in waiting if each.left])
        if granted:
            self._counters.moved(*{each.team_id for each in granted})

    async def _give_back(self, tx: Connection, left: Sequence[_Waiting]) -> None:
        """Release what was granted after nobody waited for it any more; what has a reference can be asked for again."""
        for each in left:
            made = each.reserved.reservation if each.reserved else None
            if made is not None and made.reference is None:
                await store.move(tx, made._replace(state=ReservationState.RELEASED, ended_at=self._clock.now()))

    async def _standings(self, waiting: Sequence[_Waiting]) -> dict[Key, Standing]:
        """How everybody stands, read after the lock was taken; who can't be read is told why."""
        keys = {each.wish.key for each in waiting}
        try:
            return await self._counters.present(keys, exact=True)
        except TallystickError as error:
            if len(keys) == 1:
                for each in waiting:
                    each.refused = error
                return {}
        standings: dict[Key, Standing] = {}
        for key in keys:
            standings |= await self._standings([each for each in waiting if each.wish.key == key])
        return standings

    async def _granted(
        self, tx: Connection, waiting: Sequence[_Waiting], standings: dict[Key, Standing]
    ) -> list[Reservation]:
        """Answer each, and return the reservations that are new."""
        known = await store.by_reference(
            tx, {(w.wish.key.team_id, w.wish.reference) for w in waiting if w.wish.reference is not None}
        )
        now = self._clock.now()
        more: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        granted = []
        for each in waiting:
            standing = standings.get(each.wish.key)
            if standing is None or each.refused is not None or each.left:
                continue
            verdict = judge(standing, each.wish.quantity, now, more_held=more[each.wish.key])
            reference = (each.wish.key.team_id, each.wish.reference or "")
            made = known.get(reference)
            if made is None and verdict.allowed:
                made = _new(each.wish, now)
                granted.append(made)
                more[each.wish.key] = EXACT.add(more[each.wish.key], made.quantity)
                if each.wish.reference is not None:
                    known[reference] = made
            elif made is not None:
                each.refused = _mismatch(made, each.wish)
            each.reserved = Reserved(verdict._replace(allowed=_stands(made, now)) if made else verdict, made)
        return granted


def _new(wish: Wish, now: datetime) -> Reservation:
    id = uuid4()
    keys = wish.idempotency_keys or [carrying_key(id)]
    return Reservation(
        id=id,
        team_id=wish.key.team_id,
        metric=wish.key.metric,
        quantity=wish.quantity,
        state=ReservationState.HELD,
        reference=wish.reference,
        event_ids=[event_id(wish.key.team_id, key) for key in keys],
        actor=wish.actor,
        created_at=now,
        holds_until=now + wish.lasts,
        ended_at=None,
    )


def _stands(made: Reservation, now: datetime) -> bool:
    """Whether what it is for may go on: it keeps something free, or its usage is recorded."""
    return made.standing(now) not in (ReservationState.RELEASED, ReservationState.EXPIRED)


def carrying_key(reservation_id: UUID, number: int = 1) -> str:
    """The idempotency key of the event that carries a reservation's usage, unless others are named."""
    return f"reservation:{reservation_id}" if number == 1 else f"reservation:{reservation_id}:{number}"


def _mismatch(made: Reservation, wish: Wish) -> Conflict | None:
    if (made.metric, made.quantity) == (wish.key.metric, wish.quantity):
        return None
    return Conflict(f"reference {wish.reference!r} was used for {made.quantity:f} of {made.metric}; choose another")


def _existing(found: Reservation | None, reservation_id: UUID) -> Reservation:
    if found is None:
        raise NotFound(f"there is no reservation {reservation_id}")
    return found
