"""Evaluation: of the teams that were touched, is a limit crossed, or no longer?

    touched teams, due checks ─▶ alerts about them ─▶ measured now ─▶ a state that changes?
        ─▶ seal an instant, measure again by what was known at it ─▶ state, history, notification, throttle: one commit

One process evaluates at a time. What is decided is written in one transaction with the notifications and with taking
the teams out of the queue: a process that is killed leaves all of it or nothing, and what is evaluated again finds the
states as they are. A number that changes a state is measured by what was recorded up to a sealed instant, so that it
can be had again at any time.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tallystick.alerts import store
from tallystick.alerts.measuring import Measuring
from tallystick.alerts.models import (
    PROJECTED,
    Alert,
    Cause,
    Check,
    Evaluated,
    Kind,
    Stand,
    State,
    Transition,
)
from tallystick.alerts.rate import end_of_hour
from tallystick.alerts.states import Change, changes
from tallystick.alerts.telling import Told, terms_of
from tallystick.alerts.watching import LATE, MOVED, Finding, Periods, Span, periods_of, watches
from tallystick.core.clock import Clock
from tallystick.core.errors import StorageError, TallystickError, Unavailable
from tallystick.enforcement import throttle
from tallystick.notifications import Notification, enqueue
from tallystick.storage.database import Connection, Database

log = logging.getLogger("tallystick.alerts")

MOST_TEAMS = 250
"""Teams of one round."""

MOST_TOUCHES = 20_000
MOST_CHECKS = 500

Pair = tuple[str, int]
"""A team and an alert."""


class Decision(NamedTuple):
    """A change of a step's state, with what was found; `since` is where its period began when it first changed."""

    finding: Finding
    span: Span
    change: Change
    since: datetime

    @property
    def pair(self) -> Pair:
        """The team and the alert."""
        return self.finding.watch.pair


class _Known(NamedTuple):
    """What is stored about some teams: their alerts, how steps stand, and what is to be looked at when."""

    alerts: Mapping[int, Alert]
    stands: Mapping[Pair, Sequence[Stand]]
    checks: Mapping[Pair, Check]
    by_whom: Mapping[tuple[str | None, str | None], Sequence[Alert]]

    def about(self, team_id: str, family: str | None) -> list[Alert]:
        """The alerts about a team that is on a plan: its own, its plan's, and those of all teams."""
        of_plan = self.by_whom.get((None, family), ()) if family is not None else ()
        return [*self.by_whom.get((team_id, None), ()), *of_plan, *self.by_whom.get((None, None), ())]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluates the alerts of one installation."""

    database: Database
    measuring: Measuring
    clock: Clock

    async def run(self) -> Evaluated:
        """One round: the teams that wait, and what is due. Nothing, where another process is at it."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            if not await store.try_lock_evaluation(tx):
                return Evaluated()
            queue = await store.touched(tx, MOST_TOUCHES)
            watched = set(await store.watched_teams(tx, {team_id for _, team_id in queue}))
            waiting = list(dict.fromkeys(team_id for _, team_id in queue if team_id in watched))
            taken, left = set(waiting[:MOST_TEAMS]), set(waiting[MOST_TEAMS:])
            due = await store.due_checks(tx, now, MOST_CHECKS)
            done = await self._evaluate(tx, taken, due, now) if taken or due else 0
            await store.forget_touched(tx, [number for number, team_id in queue if team_id not in left])
        more = bool(left) or len(queue) == MOST_TOUCHES or len(due) == MOST_CHECKS
        return Evaluated(len(taken), done, more)

    async def seal(self) -> datetime:
        """An instant up to which everything is recorded."""
        return await self.measuring.metering.store.seal(self.clock.now())

    async def _evaluate(self, tx: Connection, teams: set[str], due: Sequence[Check], now: datetime) -> int:
        """Evaluate teams and what is due of others; a team that can't be stops no other. How many changes it made."""
        try:
            async with tx.transaction():  # a savepoint: what failed leaves nothing
                return await _Round(self, tx, teams, due, now).run()
        except (Unavailable, StorageError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one team's, and the others go on
            everyone = sorted(teams | {each.team_id for each in due})
            if len(everyone) == 1:
                await self._put_off(tx, everyone[0], due, error)
                return 0
            half = set(everyone[: len(everyone) // 2])
            found = await self._evaluate(tx, teams & half, [each for each in due if each.team_id in half], now)
            return found + await self._evaluate(
                tx, teams - half, [each for each in due if each.team_id not in half], now
            )

    async def _put_off(self, tx: Connection, team_id: str, due: Sequence[Check], error: Exception) -> None:
        """Wait for the team's next usage."""
        log.warning("alerts of %s: %s", team_id, error, exc_info=not isinstance(error, TallystickError))
        await store.save_checks(tx, [each._replace(due_at=None) for each in due])


class _Round:
    """One look at some teams."""

    def __init__(
        self, evaluation: Evaluation, tx: Connection, teams: set[str], due: Sequence[Check], now: datetime
    ) -> None:
        self.evaluation = evaluation
        self.tx = tx
        self.teams = teams
        self.due = {(each.team_id, each.alert_id) for each in due}
        self.now = now

    async def run(self) -> int:
        """Look, and write what changed; how many changes there were."""
        periods = await self._periods(self.teams | {team_id for team_id, _ in self.due}, at=self.now)
        known = await self._load(periods)
        pairs = [pair for team_id, each in sorted(periods.items()) for pair in self._pairs(team_id, each, known)]
        findings = await self._findings(pairs, periods, known)
        found = self._decide(findings, known)
        sealed = self.now
        if found:
            sealed = await self.evaluation.seal()
            found = await self._again({decision.pair for decision in found}, known, sealed)
        await self._write(found, sealed)
        await self._set_checks(findings, found, known)
        return len(found)

    async def _periods(
        self, team_ids: Iterable[str], *, at: datetime, known_at: datetime | None = None
    ) -> dict[str, Periods]:
        async with self.evaluation.database.snapshot() as tx:
            return await periods_of(tx, team_ids, at=at, known_at=known_at)

    async def _load(self, periods: Mapping[str, Periods]) -> _Known:
        team_ids = list(periods)
        families = {family for each in periods.values() if (family := each.family) is not None}
        alerts = {each.id: each for each in await store.alerts_of_teams(self.tx, team_ids, families)}
        starts = [(each.before or each.current).period.start for each in periods.values()]
        stands: dict[Pair, list[Stand]] = defaultdict(list)
        for stand in await store.stands(self.tx, team_ids, alerts, min([*starts, self.now - LATE]) - MOVED):
            stands[stand.team_id, stand.alert_id].append(stand)
        by_whom: dict[tuple[str | None, str | None], list[Alert]] = defaultdict(list)
        for alert in alerts.values():
            by_whom[alert.team_id, alert.plan].append(alert)
        return _Known(alerts, stands, await store.checks_of_teams(self.tx, team_ids), by_whom)

    def _pairs(self, team_id: str, periods: Periods, known: _Known) -> list[Pair]:
        """The alerts that have to look at a team now."""
        about = known.about(team_id, periods.family)
        return [(team_id, alert.id) for alert in about if self._has_to_look(alert, team_id, known)]

    def _has_to_look(self, alert: Alert, team_id: str, known: _Known) -> bool:
        """A silence that has not lasted long enough to matter is not looked at with every event, but when it is due."""
        pair = (team_id, alert.id)
        if pair in self.due:
            return True
        check = known.checks.get(pair)
        waits = alert.kind is Kind.ABSENCE and check is not None and check.due_at is not None
        crossed = any(stand.state.crossed for stand in known.stands.get(pair, ()))
        return team_id in self.teams and (crossed or not waits)

    async def _findings(self, pairs: Iterable[Pair], periods: Mapping[str, Periods], known: _Known) -> list[Finding]:
        looks = [
            watch
            for team_id, alert_id in pairs
            if team_id in periods
            for watch in watches(known.alerts[alert_id], periods[team_id], known.checks)
        ]
        return await self.evaluation.measuring.findings(looks)

    async def _again(self, pairs: set[Pair], known: _Known, sealed: datetime) -> list[Decision]:
        """The decisions by what was known at a sealed instant, without those about closed periods."""
        periods = await self._periods({team_id for team_id, _ in pairs}, at=sealed, known_at=sealed)
        found = self._decide(await self._findings(sorted(pairs), periods, known), known)
        late = [decision for decision in found if decision.span.end is not None and decision.span.end <= sealed]
        if not late:
            return found
        team_ids = [decision.pair[0] for decision in late]
        await store.hold_teams(self.tx, team_ids)
        closed = await store.closed_periods(self.tx, team_ids)
        return [decision for decision in found if (decision.pair[0], decision.span.start) not in closed]

    def _decide(self, findings: Iterable[Finding], known: _Known) -> list[Decision]:
        return [decision for finding in findings for decision in _decisions(finding, known.stands)]

    async def _write(self, found: Sequence[Decision], sealed: datetime) -> None:
        if not found:
            return
        ordered = sorted(found, key=lambda each: (each.pair, each.span.start, each.change.step.id))
        await store.save_stands(self.tx, [_stand(each, self.now) for each in ordered])
        await store.insert_transitions(self.tx, [_transition(each, sealed) for each in ordered])
        crossed = [each.pair[1] for each in ordered if each.change.after.crossed]
        await store.triggered(self.tx, crossed, self.now)
        await enqueue(self.tx, [_told(each, self.now, sealed) for each in ordered if each.change.told])
        for each in ordered:
            if each.change.step.action.throttle:
                await self._throttle(each)

    async def _throttle(self, decision: Decision) -> None:
        """Stop the team, or end the cause that did; a period that is over stops nobody."""
        alert, end = decision.finding.watch.alert, decision.span.end
        if end is None or end > self.now:
            await throttle(
                self.tx,
                decision.pair[0],
                alert.metric,
                state="throttled" if decision.change.after.crossed else "open",
                until=end,
                cause=throttle_cause(alert.id, decision.change.step.id),
                now=self.now,
            )

    async def _set_checks(self, findings: Sequence[Finding], found: Sequence[Decision], known: _Known) -> None:
        """When each alert has to look again although nothing is used."""
        crossed = _crossed_after(found, known.stands)
        wanted = {each.watch.pair: _next_check(each, crossed=each.watch.pair in crossed)
                  for each in findings if each.watch.account.period.end > self.now}  # fmt: skip
        keep = [check for check in wanted.values() if check is not None]
        if keep:
            await store.save_checks(self.tx, keep)
        looked = {each.watch.pair for each in findings}
        gone = [
            pair for pair in {*self.due, *looked} if wanted.get(pair) is None and pair in {*known.checks, *self.due}
        ]
        if gone:
            await store.forget_checks(self.tx, gone)


def throttle_cause(alert_id: int, step_id: int) -> str:
    """By which name a step throttles."""
    return f"alert:{alert_id}:{step_id}"


def _decisions(finding: Finding, stands: Mapping[Pair, Sequence[Stand]]) -> Iterable[Decision]:
    """The changes that a finding makes; of a silence that an event ended, too."""
    alert, span = finding.watch.alert, finding.span
    mine = stands.get(finding.watch.pair, ())
    now = span.standing(mine)
    for change in changes(alert, now, finding.measured.value):
        stand = now.get(change.step.id)
        yield Decision(finding, span, change, stand.period_start if stand else span.start)
    if alert.kind in (Kind.ABSENCE, Kind.RATE):
        earlier = [stand for stand in mine if stand.period_start < span.start]
        yield from _ended(finding, [stand for stand in earlier if not span.is_that_of(stand)])


def _ended(finding: Finding, earlier: Sequence[Stand]) -> Iterable[Decision]:
    """What was crossed in a silence that is over, or on a day that is, is resolved."""
    steps = {step.id: step for step in finding.watch.alert.steps}
    for stand in earlier:
        if stand.state.crossed and stand.step_id in steps:
            step = steps[stand.step_id]
            change = Change(step, stand.state, State.RESOLVED, stand.crossings, stand.resolutions + 1)
            yield Decision(finding, Span(stand.period_start, stand.period_end), change, stand.period_start)


def _crossed_after(found: Iterable[Decision], stands: Mapping[Pair, Sequence[Stand]]) -> set[Pair]:
    """Where a step is crossed once these changes are made."""
    now = {(stand.step_id, stand.team_id, stand.period_start): (pair, stand.state)
           for pair, of_pair in stands.items() for stand in of_pair}  # fmt: skip
    for each in found:
        now[each.change.step.id, each.pair[0], each.since] = (each.pair, each.change.after)
    return {pair for pair, state in now.values() if state.crossed}


def _next_check(finding: Finding, *, crossed: bool) -> Check | None:
    """When to look again; None: with the next usage. A silence is remembered while it lasts."""
    watch, measured = finding.watch, finding.measured
    team_id, alert_id = watch.pair
    if watch.alert.kind is Kind.ABSENCE:
        return Check(team_id, alert_id, measured.check_at, measured.since) if measured.since else None
    due_at = measured.check_at
    if crossed and (watch.alert.kind in PROJECTED or (watch.alert.kind is Kind.RATE and not watch.alert.falling)):
        due_at = end_of_hour(watch.account)  # it becomes less by itself
    return Check(team_id, alert_id, due_at) if due_at is not None else None


def _stand(decision: Decision, now: datetime) -> Stand:
    change, (team_id, alert_id) = decision.change, decision.pair
    return Stand(
        step_id=change.step.id,
        team_id=team_id,
        period_start=decision.since,
        period_end=decision.span.end,
        alert_id=alert_id,
        state=change.after,
        value=decision.finding.measured.value,
        changed_at=now,
        crossings=change.crossings,
        resolutions=change.resolutions,
    )


def _transition(decision: Decision, sealed: datetime) -> Transition:
    watch, measured = decision.finding
    change = decision.change
    return Transition(
        id=0,
        alert_id=watch.alert.id,
        step_id=change.step.id,
        team_id=watch.account.team.id,
        period_start=decision.span.start,
        period_end=decision.span.end,
        from_state=change.before,
        to_state=change.after,
        cause=Cause.MEASURED,
        value=measured.value,
        limit=watch.alert.limit(change.step),
        unit=measured.unit,
        terms=terms_of(watch.alert, change.step, measured, watch.account.team),
        known_at=sealed,
        told=change.told,
    )


def _told(decision: Decision, now: datetime, sealed: datetime) -> Notification:
    watch, measured = decision.finding
    change = decision.change
    told = Told(watch.alert, change.step, watch.account.team, decision.span, measured)
    return told.changed(change.before, change.after, now, sealed)
