"""Usage becomes deltas: each window's usage less what was booked of it, in one transaction with the books.

A round looks at the windows that were closed since the last one, and again at those of metrics whose usage has changed
since (late events, corrections, other definitions) or about which something in the outbox has. It decides by what is,
not by what happened: however often and wherever it is repeated, what was booked adds up to the usage.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.billing.teams import store as teams
from tallystick.core.clock import Clock, Interval
from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.deltas import deltas
from tallystick.integrations.stripe.meters.identity import identifier
from tallystick.integrations.stripe.meters.models import Lane, Meter, MeteredTeam, NewDelta, Window
from tallystick.integrations.stripe.meters.values import spelled, told
from tallystick.integrations.stripe.meters.windows import closed_until, hour_of, hours, whole_periods
from tallystick.metering.models import SUMMABLE, Known, MetricDefinition
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Connection, Database

PAGE = 100
"""Teams of one transaction."""

LATENESS = timedelta(minutes=10)
"""How long after its end a window is left alone, for events that are a little late."""

LONGEST_JITTER = timedelta(seconds=45)

LOOKBACK = timedelta(days=62)
"""How far back usage is looked at again when it has changed. What changes still later is adjusted here alone."""


class Planned(NamedTuple):
    """What a round of planning did: teams looked at, deltas booked, and the last team; None: it was the last page."""

    teams: int
    deltas: int
    after: str | None


class Look(NamedTuple):
    """Which windows of a team's metric are looked at; they follow each other without a gap."""

    team: MeteredTeam
    meter: Meter
    span: Interval
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class _Round:
    """What one page of teams is looked at with.

    Attributes:
        now: when.
        lateness: how long windows have to be over.
        periods: the billing periods of each team.
        metrics: those that have a meter, with the definition in force.
        changed: of each team the metrics whose usage, as far as it was looked at, is another now.
        whole: everything is looked at again.
    """

    now: datetime
    lateness: timedelta
    periods: Mapping[str, Sequence[Interval]]
    metrics: Sequence[tuple[Meter, MetricDefinition]]
    changed: Mapping[str, frozenset[str]]
    whole: bool

    def until(self, team: MeteredTeam) -> datetime:
        """Up to where the team's windows are closed."""
        return max(closed_until(self.now, self.lateness, self.periods[team.team_id]), team.metered_from)

    def seen(self, team: MeteredTeam) -> rows.SeenUntil:
        """Up to where the team is looked at, and the edges of periods around it."""
        until = self.until(team)
        ends = [end for _, end in self.periods[team.team_id]]
        last = max((end for end in ends if end <= until), default=None)
        return rows.SeenUntil(team.team_id, until, last, min((end for end in ends if end > until), default=None))

    def looks(self, team: MeteredTeam) -> Iterator[Look]:
        """What has to be looked at."""
        periods = self.periods[team.team_id]
        for meter, definition in self.metrics:
            span = Interval(self._start(team, meter.metric), self.until(team))
            if span.start >= span.end:
                continue
            if definition.aggregation in SUMMABLE:
                yield Look(team, meter, span, hours(span, periods))
            else:
                for window in whole_periods(span, periods, team.metered_from):
                    yield Look(team, meter, window.interval, [window])

    def _start(self, team: MeteredTeam, metric: str) -> datetime:
        again = self.whole or metric in self.changed.get(team.team_id, frozenset())
        start = _earliest(team, self.now) if again else min(team.planned_until, team.replan_from or team.planned_until)
        return max(team.metered_from, hour_of(start))


@dataclass(frozen=True, slots=True)
class Planner:
    """Books what Stripe is to be told.

    Attributes:
        database, metering, clock: of the installation.
        account: whose meters.
        grace: how long after a period's end usage may still be sent for it.
        lateness: see `LATENESS`.
        jitter: how long after a period's end, and its lateness, it is looked at: not when everybody else does.
    """

    database: Database
    metering: Metering
    clock: Clock
    account: str
    grace: timedelta
    lateness: timedelta = LATENESS
    jitter: timedelta = field(default_factory=lambda: LONGEST_JITTER * random.random())  # noqa: S311 - spreads calls

    async def run(self, only: Sequence[str] | None = None, *, urgent: bool = False, whole: bool = False) -> Planned:
        """Look at every metered team, page by page.

        Args:
            only: these teams; None: all.
            urgent: only those about whose outbox something has changed, or whose billing period has ended.
            whole: everything again, as far back as it may change.
        """
        looked, booked, after = 0, 0, ""
        while True:
            done = await self.page(after, only, urgent=urgent, whole=whole)
            looked, booked = looked + done.teams, booked + done.deltas
            if done.after is None:
                return Planned(looked, booked, None)
            after = done.after

    async def page(
        self, after: str = "", only: Sequence[str] | None = None, *, urgent: bool = False, whole: bool = False
    ) -> Planned:
        """Look at a page of teams whose id comes after `after`; teams that somebody else looks at are left to them."""
        now = self.clock.now()
        at = now - self.lateness - self.jitter if urgent else None
        if at is not None and not await self._presses(at):
            return Planned(0, 0, None)
        known_at = await self.metering.store.seal(now)
        async with self.database.transaction() as tx:
            found = await store.claim_teams(tx, self.account, PAGE, after=after, only=only, urgent_at=at)
            if not found:
                return Planned(0, 0, None)
            this = await self._round(tx, found, now, whole=whole)
            looks = [look for team in found for look in this.looks(team)]
            usage = await self._usage(looks)
            booked = await self._book(tx, looks, usage, now)
            await store.looked_at(tx, [this.seen(team) for team in found], known_at, now)
        return Planned(len(found), booked, found[-1].team_id if len(found) == PAGE else None)

    async def _presses(self, at: datetime) -> bool:
        """Whether a team can't wait; asked every second, so it costs next to nothing."""
        async with self.database.snapshot() as tx:
            return await store.presses(tx, self.account, at)

    async def _round(self, tx: Connection, found: Sequence[MeteredTeam], now: datetime, *, whole: bool) -> _Round:
        versions = await self.metering.usage.metrics()
        meters = [each for each in await store.meters_of(tx, self.account) if each.metric in versions]
        return _Round(
            now=now,
            lateness=self.lateness,
            periods=await periods_of(tx, [each.team_id for each in found], now),
            metrics=[(meter, versions[meter.metric][-1].definition) for meter in meters],
            changed=await self._changed(found, now),
            whole=whole,
        )

    async def _changed(self, found: Sequence[MeteredTeam], now: datetime) -> dict[str, frozenset[str]]:
        """Of each team the metrics whose usage, as far as it was looked at, is another now."""
        seen = [each for each in found if _earliest(each, now) < each.planned_until]
        asked = [
            Known(each.team_id, Interval(_earliest(each, now), each.planned_until), each.known_at) for each in seen
        ]
        answers = await self.metering.store.changed(asked)
        return {each.team_id: names for each, names in zip(seen, answers, strict=True)}

    async def _usage(self, looks: Sequence[Look]) -> list[dict[Window, Decimal]]:
        """The usage of every window, all in one snapshot."""
        questions = [_question(look) for look in looks]
        answers = await self.metering.usage.read(questions) if questions else []
        return [
            {window: told(usage.quantity) for window, usage in zip(look.windows, answer, strict=True)}
            for look, answer in zip(looks, answers, strict=True)
        ]

    async def _book(
        self, tx: Connection, looks: Sequence[Look], usage: Sequence[Mapping[Window, Decimal]], now: datetime
    ) -> int:
        used = [look for look, found in zip(looks, usage, strict=True) if any(found.values())]
        await store.open_lanes(tx, self.account, [(look.team, look.meter) for look in used])
        known = await store.lanes_of(tx, self.account, [look.team.team_id for look in looks])
        lanes = {(lane.customer_id, lane.event_name): lane for lane in known}
        work = [
            (lane, look, found)
            for look, found in zip(looks, usage, strict=True)
            if (lane := lanes.get((look.team.customer_id, look.meter.event_name)))
        ]
        books = await store.booked(tx, [(lane.id, look.span) for lane, look, _ in work])
        entries = [
            entry(lane, look.meter, delta)
            for (lane, look, found), before in zip(work, books, strict=True)
            for delta in deltas(found, before, now=now, grace=self.grace)
        ]
        await store.book(tx, entries, now)
        return len(entries)


def entry(lane: Lane, meter: Meter, delta: NewDelta) -> rows.Entry:
    """A delta with all that is sent of it."""
    name = identifier(lane, delta.kind, delta.window, delta.seq)
    request: dict[str, Any] = {
        "event_name": lane.event_name,
        "payload": {meter.customer_key: lane.customer_id, meter.value_key: spelled(delta.quantity)},
        "identifier": name,
        "timestamp": int(delta.stamped_at.timestamp()),
    }
    return rows.Entry(lane.id, delta, name, request)


def _earliest(team: MeteredTeam, now: datetime) -> datetime:
    return max(team.metered_from, hour_of(now - LOOKBACK))


def _question(look: Look) -> UsageQuestion:
    return UsageQuestion(look.meter.metric, look.team.team_id, [window.interval for window in look.windows])


async def periods_of(tx: Connection, ids: Sequence[str], now: datetime) -> dict[str, list[Interval]]:
    """The billing periods of each team that are looked at, in order."""
    span = Interval(now - LOOKBACK - timedelta(days=1), now + timedelta(days=1))
    known = await teams.teams_by_id(tx, ids)
    held = await teams.subscriptions_of(tx, ids, span)
    return {
        team_id: [
            period.interval for each in held[team_id] for period in each.schedule(known[team_id].zone).periods(span)
        ]
        for team_id in ids
    }
