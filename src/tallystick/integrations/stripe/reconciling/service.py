"""Reconciliation: stretches of lanes are held against Stripe's summaries, told apart, and put right under a cap.

    usage of the period ─▶ booked ─▶ accepted ─?─ summaries of Stripe
                            │           └ same: confirmed
                            │           └ less: missing ─▶ by hour, by minute ─▶ which delta ─▶ lost, and booked anew
                            └ waiting   └ more: extra   ─▶ by hour, by minute ─▶ cancelled within a day, else offset
                                                foreign ─▶ reported, never touched

Nothing is believed at first sight: summaries lag, so a difference has to look the same an hour later, by Stripe's
clock. What is repaired is booked like anything else, with its cause beside it; right after, there is nothing to repair.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, ZERO, plain
from tallystick.integrations.stripe.meters import rows
from tallystick.integrations.stripe.meters import store as outbox
from tallystick.integrations.stripe.meters.doubts import COUNTED_WITHIN, exact_sum, rounding, same
from tallystick.integrations.stripe.meters.models import Lane
from tallystick.integrations.stripe.meters.planning import periods_of
from tallystick.integrations.stripe.meters.service import Meters
from tallystick.integrations.stripe.meters.values import told
from tallystick.integrations.stripe.meters.windows import HOUR, hour_of, minute_of
from tallystick.integrations.stripe.outcomes import StripeRefused
from tallystick.integrations.stripe.reconciling import store
from tallystick.integrations.stripe.reconciling.comparing import accepted, drift_of, explained, waiting
from tallystick.integrations.stripe.reconciling.models import Comparison, Drift, Minute, Stretch, Sums
from tallystick.integrations.stripe.reconciling.repairing import Repairs
from tallystick.integrations.stripe.reconciling.telling import drifted
from tallystick.metering.models import SUMMABLE
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion, find_metric
from tallystick.notifications import enqueue

log = logging.getLogger("tallystick.stripe")

CAP = Decimal(1)
"""Percent of a stretch's sum up to which differences are repaired without anybody being asked."""

SETTLED = timedelta(minutes=20)
"""How long after its end a billing period is compared."""

STALE = timedelta(days=1)

SAMPLE = 6
"""Lanes compared in an automatic round that need not be: Stripe allows some 10,000 reads a month for nothing."""

MOST_PRESSING = 60
"""Lanes compared in a round that should be, of which there is one each minute."""

MOST_DOUBLINGS = 4
"""What goes on to differ is looked at after 1, 2, 4, 8 and then every 16 hours."""

MOST_MINUTES = 60
"""Minutes that are looked at one by one for a difference."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Comparisons of one account's meters with the ledger."""

    meters: Meters
    metering: Metering
    clock: Clock

    async def run(
        self, teams: Sequence[str] | None = None, *, repair: bool = True, cap: Decimal = CAP
    ) -> list[Comparison]:
        """Compare the billing period that is running, and the one before it, of teams or of all.

        Args:
            teams: whose; None: everybody's.
            repair: whether differences that are understood are put right.
            cap: in percent of what Stripe should have, up to which they are.

        Raises:
            InvalidInput: the cap is no percentage.
            StripeRefused: Stripe can't be asked.
        """
        if not ZERO <= cap <= 100:
            raise InvalidInput("the cap has to be between 0 and 100 percent", field="cap")
        async with self.meters.database.snapshot() as tx:
            lanes = await outbox.lanes_of(tx, self.meters.api.account, teams)
        await self.meters.planner.run(sorted({lane.team_id for lane in lanes}), whole=True)
        return [each for lane in lanes async for each in self._lane(lane, repair=repair, cap=cap)]

    async def tend(self, *, sample: int = SAMPLE) -> list[Comparison]:
        """Compare what is due: lanes under suspicion, periods that have ended, and a sample of the others.

        Where Stripe can't be asked it is left for the next time.

        Args:
            sample: how many of the others, each once a day at most.
        """
        now, account = self.clock.now(), self.meters.api.account
        times = {"now": now, "settled": now - SETTLED, "stale": now - STALE}
        async with self.meters.database.snapshot() as tx:
            lanes = await store.due(tx, account, MOST_PRESSING, sample, **times)
        if not lanes:
            return []
        await self.meters.planner.run(sorted({lane.team_id for lane in lanes}), whole=True)
        found: list[Comparison] = []
        try:
            for lane in lanes:
                found += [each async for each in self._lane(lane, repair=True, cap=CAP)]
        except StripeRefused as error:
            log.warning("what Stripe has counted can't be looked at now: %s", error)
        return found

    async def latest(self, teams: Sequence[str] | None = None) -> list[Comparison]:
        """The last comparison of each lane and period, without asking Stripe."""
        async with self.meters.database.snapshot() as tx:
            return await store.latest(tx, self.meters.api.account, teams)

    async def _lane(self, lane: Lane, *, repair: bool, cap: Decimal) -> AsyncIterator[Comparison]:
        now, again = self.clock.now(), None
        for stretch in await self._stretches(lane, now):
            if repair:
                await Repairs(self.meters, lane).clear(stretch.interval, now)
            found = await self._compare(lane, stretch, now, repair=repair, cap=cap)
            if found.drift not in (Drift.NONE, Drift.FOREIGN):
                after = now + await self._pause(found, now)
                again = after if again is None else min(again, after)
            yield found
        async with self.meters.database.transaction() as tx:
            await store.compared(tx, lane.id, now, again)

    async def _pause(self, found: Comparison, now: datetime) -> timedelta:
        """How long a stretch that differs is left alone: twice as long each time, unless it was put right just now."""
        if found.repaired:
            return COUNTED_WITHIN
        async with self.meters.database.snapshot() as tx:
            before = await store.differed(tx, found.lane.id, found.interval.start, now - STALE * 2)
        times: int = 2 ** min(max(before - 1, 0), MOST_DOUBLINGS)
        return COUNTED_WITHIN * times

    async def _stretches(self, lane: Lane, now: datetime) -> list[Stretch]:
        """The last two billing periods of which something was looked at, as far as it was, in whole minutes."""
        async with self.meters.database.snapshot() as tx:
            seen = await store.looked_until(tx, lane.team_id)
            periods = (await periods_of(tx, [lane.team_id], now))[lane.team_id]
        if seen is None:
            return []
        told_from = [Interval(max(a, seen.start), b) for a, b in periods or [seen] if b > seen.start]
        cut = [Stretch(Interval(_minute(a), _minute(min(b, seen.end))), Interval(a, b)) for a, b in told_from]
        return [each for each in cut if each.interval.start < each.interval.end][-2:]

    async def _compare(self, lane: Lane, stretch: Stretch, now: datetime, *, repair: bool, cap: Decimal) -> Comparison:
        stripe, at = await self.meters.api.counted(lane.meter_id, lane.customer_id, stretch.interval)
        async with self.meters.database.snapshot() as tx:
            deltas = await outbox.told_in(tx, lane.id, stretch.interval)
            late, carried = await store.late_and_carried(tx, lane.id, stretch.interval)
            last = await store.last_repair(tx, lane.id)
        local = EXACT.add(EXACT.subtract(await self._usage(lane, stretch), late), carried)
        sums = Sums(
            local,
            exact_sum(each.quantity for each in accepted(deltas)),
            exact_sum(each.quantity for each in waiting(deltas)),
            stripe,
        )
        agrees = same(sums.stripe, sums.accepted, rounding(deltas))
        found = Comparison(lane, stretch.interval, sums, drift_of(sums, deltas), "", agrees=agrees)
        if found.drift is Drift.LAG and await self._lasts(found, deltas, at or now):
            found, minutes = await self._found(found, deltas, cap)
            if repair and minutes:
                found = await self._repaired(found, minutes, deltas, now, last)
        return await self._noted(found, at or now, now)

    async def _usage(self, lane: Lane, stretch: Stretch) -> Decimal:
        """The usage that Stripe has to be told: what adds up as far as it was looked at, else the whole period's."""
        definition = find_metric(lane.metric, await self.metering.usage.metrics())[-1].definition
        window = stretch.interval if definition.aggregation in SUMMABLE else stretch.period
        [[usage]] = await self.metering.usage.read([UsageQuestion(lane.metric, lane.team_id, [window])])
        return told(usage.quantity)

    async def _lasts(self, found: Comparison, deltas: Sequence[rows.Told], at: datetime) -> bool:
        """Whether it looked the same an hour before, by Stripe's clock, and nothing has happened here since."""
        since = max((each.settled_at for each in deltas if each.settled_at), default=found.interval.start)
        async with self.meters.database.snapshot() as tx:
            before = await store.earlier(tx, found.lane.id, found.interval.start, found.sums, since)
        return before is not None and at >= before.stripe_time + COUNTED_WITHIN

    async def _found(
        self, found: Comparison, deltas: Sequence[rows.Told], cap: Decimal
    ) -> tuple[Comparison, list[Minute]]:
        """What the difference is made of, and the minutes that may be put right."""
        difference = EXACT.subtract(found.sums.stripe, found.sums.accepted)
        minutes = await self._minutes(found.lane, found.interval, deltas)
        understood = [minute for minute in minutes if minute.explained.ids]
        total = exact_sum(minute.difference for minute in understood)
        if not understood or not same(total, difference, rounding(deltas)):
            where = f"of {plain(difference)} in all, {plain(total)} can be told to be ours"
            found = found._replace(drift=Drift.MISSING if difference < 0 and total else Drift.FOREIGN, detail=where)
        else:
            found = found._replace(drift=Drift.MISSING if difference < 0 else Drift.EXTRA)
        allowed = EXACT.divide(EXACT.multiply(max(abs(found.sums.local), abs(found.sums.stripe)), cap), Decimal(100))
        if exact_sum(abs(minute.difference) for minute in understood if not _is_reported(minute, deltas)) > allowed:
            return found._replace(detail=f"{found.detail} more than {plain(cap)} %: not repaired".strip()), []
        return found, understood

    async def _repaired(
        self, found: Comparison, minutes: Sequence[Minute], deltas: Sequence[rows.Told], now: datetime, last: int
    ) -> Comparison:
        """The difference is put right, unless somebody else is at it, or has been since it was looked at."""
        async with self.meters.database.transaction() as guard:
            if not await store.may_repair(guard, found.lane.id, last):
                return found._replace(detail=f"{found.detail} somebody else repairs it".strip())
            done = await Repairs(self.meters, found.lane).make(minutes, deltas, now)
        return found._replace(detail=f"{found.detail} {done.told}".strip(), repaired=done.number)

    async def _minutes(self, lane: Lane, stretch: Interval, deltas: Sequence[rows.Told]) -> list[Minute]:
        """The minutes with deltas of ours in which Stripe's sum is another: hours first, then the minutes of those."""
        hours = Interval(hour_of(stretch.start), hour_of(stretch.end - timedelta.resolution) + HOUR)
        counted = await self.meters.api.counted_hourly(lane.meter_id, lane.customer_id, hours)
        ours: dict[datetime, list[rows.Told]] = {}
        for each in deltas:
            ours.setdefault(hour_of(each.stamped_at), []).append(each)
        wrong = [hour for hour, of in ours.items() if not same(_sum(of), counted.get(hour, ZERO), rounding(of))]
        stamps = sorted({minute_of(each.stamped_at) for hour in wrong for each in accepted(ours[hour])})
        found = [await self._minute(lane, minute, deltas) for minute in stamps[:MOST_MINUTES]]
        return [minute for minute in found if minute is not None]

    async def _minute(self, lane: Lane, minute: Interval, deltas: Sequence[rows.Told]) -> Minute | None:
        ours = [each for each in deltas if minute.start <= each.stamped_at < minute.end]
        counted, _ = await self.meters.api.counted(lane.meter_id, lane.customer_id, minute)
        if same(_sum(ours), counted, rounding(ours)):
            return None
        difference = EXACT.subtract(counted, _sum(ours))
        return Minute(minute, difference, explained(difference, ours))

    async def _noted(self, found: Comparison, stripe_time: datetime, now: datetime) -> Comparison:
        async with self.meters.database.transaction() as tx:
            await store.note(tx, found, stripe_time, now)
            if found.agrees:
                await outbox.confirm(tx, found.lane.id, found.interval)
            if found.drift.is_wrong:
                await enqueue(tx, [drifted(found, now)])
        return found


def _sum(deltas: Sequence[rows.Told]) -> Decimal:
    return exact_sum(each.quantity for each in accepted(deltas))


def _minute(moment: datetime) -> datetime:
    return minute_of(moment).start


def _is_reported(minute: Minute, deltas: Sequence[rows.Told]) -> bool:
    """Whether Stripe itself has said that what is missing in a minute was not counted: no cap is needed for that."""
    return all(each.is_reported for each in deltas if each.id in minute.explained.ids)
