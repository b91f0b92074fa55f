"""Alerts are made, changed and deleted; how they stand, what they did and whether it was right can be asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, NoReturn, Self

from tallystick.alerts import store
from tallystick.alerts.evaluation import Evaluation, throttle_cause
from tallystick.alerts.measuring import Measuring
from tallystick.alerts.models import Alert, Cause, Check, Evaluated, Kind, Stand, State, Step, Transition, worst
from tallystick.alerts.telling import Told, terms_of
from tallystick.alerts.terms import AlertTerms, check_channels, made
from tallystick.alerts.watching import MOVED, Finding, Span, Watch, periods_of, watches
from tallystick.billing.accounts import account_of, load_account
from tallystick.billing.service import Billing
from tallystick.billing.teams.service import required_team
from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.core.ids import new_secret
from tallystick.enforcement import throttle
from tallystick.metering.service import Metering
from tallystick.notifications import Notification, enqueue
from tallystick.notifications import store as channels
from tallystick.storage.database import Connection, Database

MOST_ALERTS_OF_TEAM = 1000
"""Alerts about one team that are shown with how they stand."""


MOST_CHANNELS = 1000
"""Channels that a message names."""


class StepStatus(NamedTuple):
    """A step with its limit and how it stands in the period that is running."""

    step: Step
    limit: Decimal
    state: State
    changed_at: datetime | None


class Status(NamedTuple):
    """How an alert stands with a team: the number now, and every step."""

    alert: Alert
    team_id: str
    span: Span
    value: Decimal | None
    unit: str
    steps: Sequence[StepStatus]

    @property
    def state(self) -> State:
        """How the worst of its steps stands."""
        return worst([each.state for each in self.steps])


class Reproduced(NamedTuple):
    """A change of state, and the number that what was known then gives again."""

    transition: Transition
    value: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether it is the same number."""
        return self.value == self.transition.value


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts of one installation."""

    database: Database
    clock: Clock
    measuring: Measuring

    @classmethod
    def open(cls, database: Database, metering: Metering, billing: Billing, clock: Clock) -> Self:
        """Alerts on this database. They hold nothing that would have to be closed."""
        return cls(database, clock, Measuring(database, metering, billing.statements))

    async def evaluate(self) -> Evaluated:
        """Look at the teams that were touched, and at what is due; see `evaluation`."""
        return await Evaluation(self.database, self.measuring, self.clock).run()

    # --- Making and changing ---------------------------------------------------------------------

    async def create(self, terms: AlertTerms) -> Alert:
        """Make an alert. Its teams are looked at at once: a limit that is crossed already is told.

        Raises:
            InvalidInput: it can't be; names the field.
            NotFound: there is no such team.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            alert = made(await _completed(tx, terms, now), now)
            await _check_named(tx, alert)
            alert_id = await store.insert_alert(tx, alert)
            await store.touch_covered(tx, alert, now)
            return await _alert(tx, alert_id)

    async def change(self, alert_id: int, revise: Callable[[Alert], AlertTerms]) -> Alert:
        """Put other terms in an alert's place: what `revise` makes of it, while nobody else changes it.

        A step with the limit and type of before stays the same step, so what it has told it does not tell again. A
        step that is no more, and every step of an alert that is switched off, stops throttling.

        Raises:
            NotFound: there is no such alert or team.
            InvalidInput: it can't be; names the field.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            await store.lock_evaluation(tx)
            before = await store.lock_alert(tx, alert_id) or _no_alert(alert_id)
            alert = made(await _completed(tx, revise(before), now), now, before)
            await _check_named(tx, alert)
            await store.update_alert(tx, alert)
            await self._release(tx, before, Cause.CHANGED, now, every=not alert.active)
            await store.touch_covered(tx, alert, now)
            return await _alert(tx, alert_id)

    async def delete(self, alert_id: int) -> None:
        """Delete an alert, and stop what it throttles. Its history stays.

        Raises:
            NotFound: there is no such alert.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            await store.lock_evaluation(tx)
            before = await store.lock_alert(tx, alert_id) or _no_alert(alert_id)
            await store.delete_alert(tx, alert_id, now)
            await self._release(tx, before, Cause.DELETED, now, every=True)

    async def _release(self, tx: Connection, alert: Alert, cause: Cause, now: datetime, *, every: bool) -> None:
        """Resolve what retired steps (or all) of an alert crossed. Nobody is told: who changes an alert knows."""
        steps = {step.id: step for step in alert.steps}
        found = [each for each in await store.crossed(tx, alert.id, now, retired=not every) if each.step_id in steps]
        if not found:
            return
        await store.save_stands(tx, [each._replace(state=State.RESOLVED, changed_at=now) for each in found])
        await store.insert_transitions(tx, [_released(alert, steps[each.step_id], each, cause, now) for each in found])
        for each in found:
            if steps[each.step_id].action.throttle:
                by = throttle_cause(alert.id, each.step_id)
                await throttle(tx, each.team_id, alert.metric, state="open", until=None, cause=by, now=now)

    # --- Asking ----------------------------------------------------------------------------------

    async def get(self, alert_id: int) -> Alert:
        """The alert of that number.

        Raises:
            NotFound: there is none.
        """
        async with self.database.snapshot() as tx:
            return await _alert(tx, alert_id)

    async def is_about(self, alert: Alert, team_id: str) -> bool:
        """Whether an alert is about a team, by its name, its plan, or as any team."""
        async with self.database.snapshot() as tx:
            return alert.covers(team_id, await store.family_of_team(tx, team_id, self.clock.now()))

    async def page(
        self,
        limit: int,
        *,
        after: int = 0,
        team_id: str | None = None,
        kind: Kind | None = None,
        metric: str | None = None,
        active: bool | None = None,
    ) -> list[Alert]:
        """Up to `limit` alerts after a number, by number; of a team those of its plan and of all teams, too.

        Raises:
            NotFound: there is no such team.
        """
        if metric is not None and not metric.isprintable():  # PostgreSQL's text holds no NUL
            return []
        async with self.database.snapshot() as tx:
            family = None
            if team_id is not None:
                await required_team(tx, team_id)
                family = await store.family_of_team(tx, team_id, self.clock.now())
            return await store.list_alerts(
                tx, limit, after=after, team_id=team_id, family=family, kind=kind, metric=metric, active=active
            )

    async def status(self, team_id: str) -> list[Status]:
        """How the active alerts about a team stand, each with its number as it is now.

        Raises:
            NotFound: there is no such team.
            NoExchangeRate: an amount can't be told in its alert's currency.
        """
        alerts = await self.page(MOST_ALERTS_OF_TEAM, team_id=team_id, active=True)
        findings = await self._findings(team_id, alerts)
        async with self.database.snapshot() as tx:
            earliest = min((each.span.start for each in findings), default=self.clock.now())
            stands = await store.stands(tx, [team_id], [alert.id for alert in alerts], earliest - MOVED)
        return [_status(finding, stands) for finding in findings]

    async def history(
        self, limit: int, *, alert_id: int | None = None, team_id: str | None = None, before: int = store.LAST
    ) -> list[Transition]:
        """Up to `limit` changes of state before a number, newest first, of an alert or team or of all.

        Raises:
            NotFound: there is no such team, or there never was such an alert.
        """
        async with self.database.snapshot() as tx:
            if team_id is not None:
                await required_team(tx, team_id)
            if alert_id is not None and not await store.find_alerts(tx, [alert_id]):
                _no_alert(alert_id)
            return await store.history(tx, limit, alert_id=alert_id, team_id=team_id, before=before)

    async def transition(self, transition_id: int) -> Transition:
        """One change of state.

        Raises:
            NotFound: there is none of that number.
        """
        async with self.database.snapshot() as tx:
            found = await store.find_transition(tx, transition_id)
        if found is None:
            raise NotFound(f"there is no alert history entry {transition_id}")
        return found

    async def reproduce(self, transition_id: int) -> Reproduced:
        """The number of a change of state again, from what was known when it was decided.

        Raises:
            NotFound: there is no such change.
            Conflict: nothing was measured for it: the alert was changed or deleted.
        """
        found = await self.transition(transition_id)
        if found.cause is not Cause.MEASURED:
            raise Conflict(f"alert history entry {transition_id} was no measurement: the alert was {found.cause}")
        async with self.database.snapshot() as tx:
            alert = (await store.find_alerts(tx, [found.alert_id]))[found.alert_id]
            moment = found.known_at if found.period_end is None or _by_the_day(found) else found.period_start
            team = replace(await required_team(tx, found.team_id), **found.terms.get("team", {}))
            account = await load_account(tx, team, moment, as_of=found.known_at, known_at=found.known_at)
        check = Check(found.team_id, alert.id, None, found.period_start) if found.period_end is None else None
        [finding] = await self.measuring.findings([Watch(_as_it_was(alert, found), account, check)])
        return Reproduced(found, finding.measured.value)

    # --- Testing ---------------------------------------------------------------------------------

    async def test(self, alert_id: int, team_id: str | None = None) -> list[Notification]:
        """Send a test of each step on the way that it goes when it is crossed, with the numbers as they are.

        Args:
            alert_id: the alert; it need not be active.
            team_id: whose numbers, and preferences; None: the alert's team.

        Raises:
            NotFound: there is no such alert or team.
            InvalidInput: the alert is about more than one team, and none is named; or not about the named one.
        """
        alert = await self.get(alert_id)
        wanted = team_id or alert.team_id
        if wanted is None:
            raise InvalidInput("this alert is about more than one team; name one with team_id", field="team_id")
        [finding] = await self._findings(wanted, [alert])
        now, number = self.clock.now(), new_secret(16)
        told = [
            Told(alert, step, finding.watch.account.team, finding.span, finding.measured).test(number, State.OK, now)
            for step in alert.steps
        ]
        async with self.database.transaction() as tx:
            await enqueue(tx, told)
        return told

    async def _findings(self, team_id: str, alerts: Sequence[Alert]) -> list[Finding]:
        """What alerts find with a team, in the period that is running."""
        now = self.clock.now()
        async with self.database.snapshot() as tx:
            await required_team(tx, team_id)
            periods = (await periods_of(tx, [team_id], at=now))[team_id]
            checks = await store.checks_of_teams(tx, [team_id])
        for alert in alerts:
            if not alert.covers(team_id, periods.family):
                raise InvalidInput(f"alert {alert.id} is not about team {team_id!r}", field="team_id")
        looks = [watch for alert in alerts for watch in watches(alert, periods, checks, late=False)]
        return await self.measuring.findings(looks)


async def _completed(tx: Connection, terms: AlertTerms, now: datetime) -> AlertTerms:
    """The terms with the currency of the team's bill, where an amount needs one and none is said."""
    if terms.team_id is None or terms.currency is not None or terms.kind not in (Kind.COST, Kind.PROJECTED_COST):
        return terms
    account = await account_of(tx, terms.team_id, now)
    return replace(terms, currency=account.billing_currency)


async def _check_named(tx: Connection, alert: Alert) -> None:
    """Pass an alert whose team, plan, metric and channels there are."""
    if alert.team_id is not None:
        await required_team(tx, alert.team_id)
    if alert.plan is not None and alert.plan not in (known := await store.families(tx)):
        there_are = ", ".join(known) or "none is defined yet"
        raise InvalidInput(f"there is no plan {alert.plan!r}; there are: {there_are}", field="plan")
    if alert.metric is not None and alert.metric not in (units := await store.metric_units(tx)):
        there_are = ", ".join(units) or "none is defined yet"
        raise InvalidInput(f"there is no metric {alert.metric!r}; there are: {there_are}", field="metric")
    names = {name for step in alert.steps for name in step.action.notify}
    if names - (await channels.channels_for(tx, sorted(names))).keys():
        check_channels(alert, [each.name for each in await channels.list_channels(tx, MOST_CHANNELS)])


async def _alert(tx: Connection, alert_id: int) -> Alert:
    found = (await store.find_alerts(tx, [alert_id])).get(alert_id)
    return found if found is not None and found.steps else _no_alert(alert_id)


def _no_alert(alert_id: int) -> NoReturn:
    raise NotFound(f"there is no alert {alert_id}")


def _status(finding: Finding, stands: Sequence[Stand]) -> Status:
    alert, team_id, span = finding.watch.alert, finding.watch.account.team.id, finding.span
    mine = span.standing(each for each in stands if each.alert_id == alert.id)
    steps = [
        StepStatus(
            step,
            alert.limit(step),
            mine[step.id].state if step.id in mine else State.OK,
            mine[step.id].changed_at if step.id in mine else None,
        )
        for step in alert.steps
    ]
    return Status(alert, team_id, span, finding.measured.value, finding.measured.unit, steps)


def _released(alert: Alert, step: Step, stand: Stand, cause: Cause, now: datetime) -> Transition:
    return Transition(
        id=0,
        alert_id=alert.id,
        step_id=step.id,
        team_id=stand.team_id,
        period_start=stand.period_start,
        period_end=stand.period_end,
        from_state=stand.state,
        to_state=State.RESOLVED,
        cause=cause,
        value=stand.value,
        limit=alert.limit(step),
        unit="",
        terms=terms_of(alert, step, None),
        known_at=now,
        told=False,
    )


def _by_the_day(found: Transition) -> bool:
    """Whether the period is a day of the clock, and not the billing period."""
    return bool(found.terms["kind"] == Kind.RATE)


def _as_it_was(alert: Alert, found: Transition) -> Alert:
    """The alert with what decided the number, as it was then."""
    terms, step = found.terms, found.terms["step"]
    limit = Step(None, found.limit, alert.type, alert.action, int(step["id"]))
    return replace(
        alert,
        kind=Kind(terms["kind"]),
        threshold=Decimal(terms["threshold"]),
        metric=terms["metric"],
        currency=terms["currency"],
        weeks=terms["weeks"],
        steps=(limit,),
    )
