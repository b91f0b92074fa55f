"""Usage that came when its period's invoice was final: never sent with its old timestamp, and never restamped unseen.

It stays booked where it belongs, as late. What is done about it is a deed of its own, by the policy of the team: told
in the period that is running (`next_period`), priced here as an adjustment (`invoice_item`), or given away
(`write_off`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.core.clock import Clock, Interval
from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.models import Kind, LatePolicy, Meter, NewDelta, Window
from tallystick.integrations.stripe.meters.planning import LATENESS, entry, periods_of
from tallystick.integrations.stripe.meters.windows import closed_until, deadline, hour_of, stamp
from tallystick.storage.database import Connection, Database

PAGE = 500
CARRIED = "late usage of another period"


@dataclass(frozen=True, slots=True)
class LateUsage:
    """Deals with usage that came too late. Attributes as of `Planner`."""

    database: Database
    clock: Clock
    account: str
    grace: timedelta
    lateness: timedelta = LATENESS

    async def run(self, only: Sequence[str] | None = None) -> int:
        """Deal with all there is; how many deltas were dealt with."""
        dealt, after = 0, 0
        while True:
            async with self.database.transaction() as tx:
                found = await store.late_usage(tx, self.account, PAGE, after=after, only=only)
                dealt += await self._deal(tx, found)
            if len(found) < PAGE:
                return dealt
            after = found[-1].id

    async def _deal(self, tx: Connection, found: Sequence[rows.LateUsage]) -> int:
        now = self.clock.now()
        periods = await periods_of(tx, sorted({each.lane.team_id for each in found}), now)
        meters = {meter.event_name: meter for meter in await store.meters_of(tx, self.account)}
        done = []
        for late in found:
            if late.policy is not LatePolicy.NEXT_PERIOD:
                done.append((late.id, str(late.policy)))
            elif stretch := self._stretch(periods[late.lane.team_id], now):
                id = await self._carry(tx, late, meters[late.lane.event_name], stretch, now)
                done.append((late.id, f"carried by {id}"))
        await store.dealt_with(tx, done)
        return len(done)

    def _stretch(self, periods: Sequence[Interval], now: datetime) -> Window | None:
        """The period that is running, stamped in its last closed hour; None: it has none yet, or there is none."""
        until = closed_until(now, self.lateness, periods)
        running = next((each for each in periods if each.start < until <= each.end and now < each.end), None)
        if running is None:
            return None
        hour = Interval(max(running.start, hour_of(until - timedelta.resolution)), until)
        return Window(*running, hour, running.end)

    async def _carry(self, tx: Connection, late: rows.LateUsage, meter: Meter, stretch: Window, now: datetime) -> int:
        seq = await store.last_seq(tx, late.lane.id, Kind.CARRIED, late.window) + 1
        stamped_at = stamp(stretch.stamp, seq)
        until = deadline(stamped_at, stretch.period_end, self.grace)
        delta = NewDelta(Kind.CARRIED, late.window, seq, late.quantity, stamped_at, until, CARRIED)
        [id] = await store.book(tx, [entry(late.lane, meter, delta)], now)
        return id
