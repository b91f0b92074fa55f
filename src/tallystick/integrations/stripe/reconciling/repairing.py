"""Differences that are understood are put right, each with a row that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.meters import rows
from tallystick.integrations.stripe.meters import store as outbox
from tallystick.integrations.stripe.meters.doubts import COUNTED_WITHIN, exact_sum, rounding
from tallystick.integrations.stripe.meters.models import Kind, Lane, NewDelta, State
from tallystick.integrations.stripe.meters.planning import entry
from tallystick.integrations.stripe.meters.service import Meters
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.integrations.stripe.meters.windows import minute_of
from tallystick.integrations.stripe.reconciling.comparing import accepted, arrived, is_unclear
from tallystick.integrations.stripe.reconciling.models import Minute
from tallystick.storage.database import Connection

MOST_UNCLEAR = 20
"""Minutes of a lane with deltas that were set aside, which are looked at again at once."""

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

    async def make(self, minutes: Sequence[Minute], deltas: Sequence[rows.Told], now: datetime) -> Done:
        """Put these minutes right, as far as that is still possible."""
        by_id = {each.id: each for each in deltas}
        told = [await self._one(minute, by_id[id], now) for minute in minutes for id in minute.explained.ids]
        done = [each for each in told if each is not None]
        return Done(len(done), "; ".join(dict.fromkeys(done)) or "too late to be put right here")

    async def clear(self, stretch: Interval, now: datetime) -> None:
        """Look again at deltas that were set aside because it was not clear whether they had arrived."""
        async with self.meters.database.snapshot() as tx:
            deltas = await outbox.told_in(tx, self.lane.id, stretch)
        minutes = dict.fromkeys(minute_of(each.stamped_at) for each in deltas if is_unclear(each))
        for minute in list(minutes)[:MOST_UNCLEAR]:
            await self._clear(minute, [each for each in deltas if minute_of(each.stamped_at) == minute], now)

    async def _clear(self, minute: Interval, beside: Sequence[rows.Told], now: datetime) -> None:
        """Decide which of a minute arrived, once it has looked the same for an hour, by Stripe's clock."""
        if any(each.state is State.PENDING for each in beside):
            return
        counted, at = await self.meters.api.counted(self.lane.meter_id, self.lane.customer_id, minute)
        sure = exact_sum(each.quantity for each in accepted(beside))
        told = f"Stripe counts {plain(counted)} in its minute, {plain(sure)} of them are sure"
        unclear = [each for each in beside if is_unclear(each)]
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            if not _looked_so_for_long(unclear, told, at or now):
                for each in unclear:
                    await outbox.unclear(tx, each.id, told, at or now)
            elif (there := arrived(EXACT.subtract(counted, sure), unclear, rounding(beside))) is not None:
                await self._decide(tx, unclear, there, told, now)

    async def _decide(
        self, tx: Connection, unclear: Sequence[rows.Told], there: frozenset[int], cause: str, now: datetime
    ) -> None:
        """Those that are there are counted; the others are lost, and booked anew."""
        for each in unclear:
            if each.id in there:
                await outbox.found(tx, each.id, now)
                await outbox.note_repair(
                    tx, self.lane.id, each.id, each.quantity, drift="doubt", action="counted", cause=cause, now=now
                )
        lost = [each.id for each in unclear if each.id not in there]
        await void(tx, lost, State.LOST, drift="doubt", cause=cause, now=now)

    async def _one(self, minute: Minute, delta: rows.Told, now: datetime) -> str | None:
        if minute.explained.missing:
            return await self._anew(delta, now)
        if delta.settled_at and delta.settled_at <= now < delta.settled_at + CANCELLABLE:
            outcome = await self.meters.api.cancel(self.lane.event_name, delta.identifier)
            if outcome.kind.is_done:
                return await self._cancelled(delta, now)
        return await self._offset(delta, now) if now < delta.deadline else None

    async def _anew(self, delta: rows.Told, now: datetime) -> str:
        """What does not count is booked again, under another name."""
        cause = f"accepted, and {plain(delta.quantity)} is missing in the summary of its minute"
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            await void(tx, [delta.id], State.LOST, drift="missing", cause=cause, now=now)
        return "booked anew"

    async def _cancelled(self, delta: rows.Told, now: datetime) -> str:
        """What counts twice is taken back, and booked again."""
        cause = f"{plain(delta.quantity)} is counted twice in the summary of its minute"
        async with self.meters.database.transaction() as tx:
            await outbox.hold(tx, [self.lane.id])
            await void(tx, [delta.id], State.CANCELLED, drift="extra", cause=cause, now=now)
        return "taken back and booked anew"

    async def _offset(self, delta: rows.Told, now: datetime) -> str:
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


def _looked_so_for_long(unclear: Sequence[rows.Told], told: str, at: datetime) -> bool:
    """Whether each of them was seen like this an hour ago: summaries lag."""
    same_as_before = all(each.outcome == f"{rows.UNCLEAR}: {told}" for each in unclear)
    return same_as_before and all(each.looked_at and each.looked_at + COUNTED_WITHIN <= at for each in unclear)
