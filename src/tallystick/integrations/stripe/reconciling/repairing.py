"""Differences that are understood are put right, each with a row that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.meters import store as outbox
from tallystick.integrations.stripe.meters.doubts import exact_sum, gross, same
from tallystick.integrations.stripe.meters.models import Kind, Lane, NewDelta, State
from tallystick.integrations.stripe.meters.planning import entry
from tallystick.integrations.stripe.meters.service import Meters
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.integrations.stripe.meters.windows import minute_of
from tallystick.integrations.stripe.reconciling.comparing import accepted
from tallystick.integrations.stripe.reconciling.models import Minute

MOST_UNCLEAR = 20
"""Deltas of a lane that were set aside and are looked at again at once."""

CANCELLABLE = timedelta(hours=23)
"""How long after it was accepted an event can be taken back: Stripe allows 24 hours."""


class Done(NamedTuple):
    """What was done: how many deltas it took, and in words."""

    number: int
    told: str


@dataclass(frozen=True, slots=True)
class Repairs:
    """Puts differences of a lane right."""

    meters: Meters
    lane: Lane

    async def make(self, minutes: Sequence[Minute], deltas: Sequence[outbox.Told], now: datetime) -> Done:
        """Put these minutes right, as far as that is still possible."""
        by_id = {each.id: each for each in deltas}
        told = [await self._one(minute, by_id[id], now) for minute in minutes for id in minute.explained]
        done = [each for each in told if each is not None]
        return Done(len(done), "; ".join(dict.fromkeys(done)) or "too late to be put right here")

    async def clear(self, stretch: Interval, now: datetime) -> None:
        """Look again at deltas that were set aside because it was not clear whether they had arrived."""
        async with self.meters.database.snapshot() as tx:
            deltas = await outbox.told_in(tx, self.lane.id, stretch)
        unclear = [each for each in deltas if each.state is State.QUARANTINED and each.is_unclear]
        for delta in unclear[:MOST_UNCLEAR]:
            await self._clear(
                delta, [each for each in deltas if minute_of(each.stamped_at) == minute_of(delta.stamped_at)], now
            )

    async def _clear(self, delta: outbox.Told, beside: Sequence[outbox.Told], now: datetime) -> None:
        """One that was set aside is counted, perhaps twice, or it is not; where neither is clear it stays aside."""
        counted, _ = await self.meters.api.counted(
            self.lane.meter_id, self.lane.customer_id, minute_of(delta.stamped_at)
        )
        size, sure = gross(beside), exact_sum(each.quantity for each in accepted(beside))
        difference = EXACT.subtract(counted, sure)
        cause = f"{plain(difference)} more are counted in its minute than are sure"
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            if any(same(difference, times * delta.quantity, size) for times in (1, 2)):
                await outbox.found(tx, delta.id, now)
                await outbox.note_repair(
                    tx, self.lane.id, delta.id, delta.quantity, drift="doubt", action="counted", cause=cause, now=now
                )
            elif same(counted, sure, size):
                await void(tx, [delta.id], State.LOST, drift="doubt", cause=cause, now=now)

    async def _one(self, minute: Minute, delta: outbox.Told, now: datetime) -> str | None:
        if minute.difference * delta.quantity < 0:
            return await self._anew(delta, now)
        if delta.settled_at and delta.settled_at <= now < delta.settled_at + CANCELLABLE:
            outcome = await self.meters.api.cancel(self.lane.event_name, delta.identifier)
            if outcome.kind.is_done:
                return await self._cancelled(delta, now)
        return await self._offset(delta, now) if now < delta.deadline else None

    async def _anew(self, delta: outbox.Told, now: datetime) -> str:
        """What does not count is booked again, under another name."""
        cause = f"accepted, and {plain(delta.quantity)} is missing in the summary of its minute"
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            await void(tx, [delta.id], State.LOST, drift="missing", cause=cause, now=now)
        return "booked anew"

    async def _cancelled(self, delta: outbox.Told, now: datetime) -> str:
        """What counts twice is taken back, and booked again."""
        cause = f"{plain(delta.quantity)} is counted twice in the summary of its minute"
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            await void(tx, [delta.id], State.CANCELLED, drift="extra", cause=cause, now=now)
        return "taken back and booked anew"

    async def _offset(self, delta: outbox.Told, now: datetime) -> str:
        """What counts twice, and can't be taken back any more, gets its opposite in the same minute."""
        cause = f"{plain(delta.quantity)} is counted twice in the summary of its minute"
        quantity = EXACT.minus(delta.quantity)
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            meters = {meter.event_name: meter for meter in await outbox.meters_of(tx, self.lane.account)}
            seq = await outbox.last_seq(tx, self.lane.id, Kind.REPAIR, delta.window) + 1
            new = NewDelta(Kind.REPAIR, delta.window, seq, quantity, delta.stamped_at, delta.deadline, cause)
            [id] = await outbox.book(tx, [entry(self.lane, meters[self.lane.event_name], new)], now)
            await outbox.note_repair(
                tx, self.lane.id, id, quantity, drift="extra", action="offset", cause=cause, now=now
            )
        return "offset"
