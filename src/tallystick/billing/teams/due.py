"""Billing periods that are over and not closed, page by page, for as many teams as there are.

One statement per page gives the subscriptions that may have such a period, with where their last closed one
ended. Which periods follow is arithmetic, which teams of one cadence and zone share. Only of what is due are team
and subscription loaded. Closing moves a period out of the answer, so a run that is broken off goes on by asking
again; `after` lets it pass by what it could not close.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple

from tallystick.billing.periods import Period, Schedule
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Due, DuePosition
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval, zone
from tallystick.storage.database import Connection

FEWEST, MOST = 200, 2_000
"""Subscriptions of one statement: as many as periods are wanted, within these bounds."""


class Candidate(NamedTuple):
    """A subscription that may have periods to close; it is billed up to an instant, but for void statements."""

    id: int
    team_id: str
    billed_until: datetime
    void: Sequence[datetime]
    schedule: Schedule

    def over(self, until: datetime, after: DuePosition | None) -> Iterator[Period]:
        """Its periods that are not closed and end by the instant, in order, behind the position."""
        passed = after.start if after is not None and after.team_id == self.team_id else None
        again = (self.schedule.period_containing(start) for start in self.void)
        for period in chain(again, self.schedule.periods(Interval(self.billed_until, until))):
            if period and period.end <= until and (passed is None or period.start > passed):
                yield period


async def due_periods(
    tx: Connection,
    now: datetime,
    grace: timedelta,
    limit: int,
    after: DuePosition | None = None,
    *,
    team_id: str | None = None,
) -> list[Due]:
    """Up to `limit` billing periods whose end and grace have passed and that are not closed, by team and time.

    The period of a void statement is not closed.

    Args:
        tx: a snapshot or transaction.
        now: the present instant.
        grace: how long after its end a period waits for late usage.
        limit: most periods.
        after: the position of the last one of the page before; None: from the beginning.
        team_id: only this team's.
    """
    until, size = now - grace, min(max(limit, FEWEST), MOST)
    found: list[tuple[Candidate, Period]] = []
    position = DuePosition(after.team_id, store.EVER.start) if after else DuePosition("", store.EVER.start)
    while len(found) < limit:
        candidates = await _candidates(tx, until, position, team_id, size)
        over = ((each, period) for each in candidates for period in each.over(until, after))
        found += islice(over, limit - len(found))
        if len(candidates) < size:
            break
        position = DuePosition(candidates[-1].team_id, candidates[-1].schedule.starts_at)
    return await _loaded(tx, found)


async def _candidates(
    tx: Connection, until: datetime, after: DuePosition, team_id: str | None, limit: int
) -> Sequence[Candidate]:
    values = {
        "until": until,
        "after_team": after.team_id,
        "after_start": after.start,
        "team_id": team_id,
        "limit": limit,
    }
    rows = await (await tx.execute(store.QUERIES["subscriptions_to_bill"], values)).fetchall()
    return [_candidate(row) for row in rows]


def _candidate(row: Sequence[Any]) -> Candidate:
    id, team_id, time_zone, unit, every, anchor, anchored_at, starts_at, ends_at, billed, void = row
    cadence = BillingPeriod(PeriodUnit(unit), every)
    schedule = Schedule(cadence, Anchor(anchor), starts_at, ends_at, zone(time_zone), anchored_at, billed)
    return Candidate(id, team_id, billed or starts_at, void or (), schedule)


async def _loaded(tx: Connection, found: Sequence[tuple[Candidate, Period]]) -> list[Due]:
    if not found:
        return []
    team_ids = list({each.team_id for each, _ in found})
    teams = await store.teams_by_id(tx, team_ids)
    subscriptions = await store.subscriptions_by_id(tx, team_ids, [each.id for each, _ in found])
    return [Due(teams[each.team_id], subscriptions[each.id], period) for each, period in found]
