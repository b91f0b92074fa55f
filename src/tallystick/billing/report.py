"""The usage report: what a team used and owes in its current period, where that leads, and a history.

The history is about the interval that was asked for; usage so far, cost and projection are about one billing
period, the current one unless another is asked for. Both come from one look at the usage, so they agree with
each other, and the cost is rated by the code that makes statements.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from tallystick.billing import accounts
from tallystick.billing.bounds import CURRENT, cut, read_bound, read_period
from tallystick.billing.charging import Answers, lines, readings, usage_of, whole_usage
from tallystick.billing.models import Account, Line, exact_sum, total_of
from tallystick.billing.projection import RUN_RATE, Projection, projected_others, run_rate
from tallystick.billing.report_credits import ReportedCredits, has_grants, reported_credits
from tallystick.billing.tariffs import Tariff, latest_definitions, plain_tariff, tariffs
from tallystick.billing.teams.service import required_team
from tallystick.billing.totals import statement_lines
from tallystick.core.clock import Clock, Interval, Window, next_window, window_start
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.aggregation import Bin, finish, seconds
from tallystick.metering.dead_letters.models import Waiting
from tallystick.metering.dead_letters.store import waiting
from tallystick.metering.models import MetricDefinition, Usage
from tallystick.metering.usage import UsageQuestion, UsageReader
from tallystick.storage.database import Database

MOST_POINTS = 100_000
"""Windows of all series of one report."""

ELAPSED_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is asked for.

    Attributes:
        team_id: whose usage.
        metrics: by name; none: every metric that has the dimensions of `group_by`.
        start, end: of the history, `end` exclusive: instants, or dates in the team's zone. By default the
            current period up to and with the window that is running.
        window: the size of one step of the history.
        group_by: dimensions to keep apart in the history.
        period: which billing period to report on: `current`, or a month, date or instant that it holds.
    """

    team_id: str
    metrics: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    window: Window = Window.DAY
    group_by: tuple[str, ...] = ()
    period: str = CURRENT


class Point(NamedTuple):
    """The usage of one window; None where there is nothing to tell, such as the average of no events."""

    start: datetime
    end: datetime
    usage: Decimal | None
    events: int
    unvalued: int


class Series(NamedTuple):
    """The usage of every window of the history, for one set of dimension values (None: not given)."""

    dimensions: Mapping[str, str | None]
    points: Sequence[Point]


class Cost(NamedTuple):
    """What usage costs: the exact amount, what it comes to on a bill, and the lines with their steps."""

    amount: Decimal
    total: Decimal
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric: the current period so far, and the history.

    Attributes:
        definition: the metric.
        usage: the usage of the current period so far; None where nothing has a value.
        events: how many events that is.
        unvalued: how many of them had no value that could be read; they don't count.
        cost: what the usage costs; None without a price.
        reason: why there is no cost.
        projection: what the period comes to at the pace so far; None before any of it has passed.
        history: the series.
    """

    definition: MetricDefinition
    usage: Decimal | None
    events: int
    unvalued: int
    cost: Cost | None
    reason: str | None
    projection: Projection | None
    history: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Report:
    """A team's usage and cost. Instants are shown in the zone of the account's team.

    `others` are the lines that are about no metric (fees, discounts, a minimum), where every metric is reported;
    `projected_others` is what they come to at the run rate. `credits` are there where the team was granted any.
    `dead_letters` are events of the team and the period that were rejected and wait to be repaired; none is counted.
    """

    account: Account
    history: Interval
    window: Window
    group_by: tuple[str, ...]
    metrics: Sequence[MetricReport]
    others: Sequence[Line] = ()
    projected_others: Decimal = ZERO
    credits: Sequence[ReportedCredits] = ()
    dead_letters: Sequence[Waiting] = ()

    @property
    def elapsed(self) -> Decimal:
        """How much of the current period has passed, from 0 to 1, six decimals, rounded down."""
        start, end = self.account.period
        passed = EXACT.divide(seconds(self.account.as_of) - seconds(start), seconds(end) - seconds(start))
        return min(max(passed, ZERO), Decimal(1)).quantize(ELAPSED_DIGITS, rounding=ROUND_DOWN)

    @property
    def lines(self) -> list[Line]:
        """All lines that are shown, in the order of a statement where every metric is."""
        return [*(line for metric in self.metrics if metric.cost for line in metric.cost.lines), *self.others]

    @property
    def total(self) -> Decimal | None:
        """What the reported metrics, and all else that is charged, cost so far; None where nothing has a price."""
        costs = [metric.cost.total for metric in self.metrics if metric.cost]
        return exact_sum([*costs, total_of(self.others)]) if costs or self.others else None

    @property
    def projected_total(self) -> Decimal | None:
        """What it all comes to at the end of the period; None where nothing has a price."""
        projections = (metric.projection for metric in self.metrics)
        costs = [each.cost for each in projections if each and each.cost is not None]
        return exact_sum([*costs, self.projected_others]) if costs or self.others else None


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes reports."""

    database: Database
    usage: UsageReader
    clock: Clock

    async def report(self, request: ReportRequest) -> Report:
        """The report that is asked for, as of now.

        Raises:
            NotFound: there is no such team or metric.
            InvalidInput: `from`, `to`, `window` or `group_by` does not fit, or the answer would be too large.
        """
        account, has_credits = await self._account(request)
        history = _history(request, account)
        windows = cut(history, request.window, account.team.zone)
        definitions = _chosen(request, latest_definitions(await self.usage.metrics()))
        work = [_Work(request, account, definition, windows) for definition in definitions]
        questions = [question for each in work for question in each.questions]
        answers = iter(await self.usage.read(questions, as_of=account.as_of))
        found = [[next(answers) for _ in each.questions] for each in work]
        _refuse_too_many(request, [each[-1] for each in found], len(windows))
        metrics = [each.report(usages) for each, usages in zip(work, found, strict=True)]
        rejected = await self._dead_letters(account)
        report = Report(account, history, request.window, request.group_by, metrics, dead_letters=rejected)
        whole = not (request.metrics or request.group_by)
        report = _with_others(report) if whole else report
        return await self._with_credits(report, whole=whole) if has_credits else report

    async def _with_credits(self, report: Report, *, whole: bool) -> Report:
        """The report with what credits are left and pay; foreseen where it is about the whole period."""
        async with self.database.snapshot() as tx:
            found = await reported_credits(tx, report.account, report.lines if whole else None)
        return replace(report, credits=found)

    async def _dead_letters(self, account: Account) -> Sequence[Waiting]:
        async with self.database.snapshot() as tx:
            return await waiting(tx, account.team.id, account.period)

    async def _account(self, request: ReportRequest) -> tuple[Account, bool]:
        """The team's terms in the period that is wanted, seen from now; and whether it was granted credits."""
        now = self.clock.now()
        async with self.database.snapshot() as tx:
            team = await required_team(tx, request.team_id)
            moment = await accounts.first_subscribed(tx, team, read_period(request.period, team.zone, now))
            return await accounts.load_account(tx, team, moment, as_of=now), await has_grants(tx, team.id)


def _history(request: ReportRequest, account: Account) -> Interval:
    tz = account.team.zone
    start, end = account.period.start, _end_of_running_window(account, request.window)
    if request.start is not None:
        start = read_bound(request.start, tz, field="from")
    if request.end is not None:
        end = read_bound(request.end, tz, field="to")
    return Interval(start, end)


def _end_of_running_window(account: Account, size: Window) -> datetime:
    tz = account.team.zone
    running = max(account.as_of, account.period.start)
    end = next_window(window_start(running, size, tz), size, tz)
    return min(end, account.period.end)


def _chosen(request: ReportRequest, known: Mapping[str, MetricDefinition]) -> list[MetricDefinition]:
    """The definitions of the metrics to report on, in the order they were asked for."""
    if request.metrics:
        return [_known(name, known) for name in dict.fromkeys(request.metrics)]
    wanted = set(request.group_by)
    found = [definition for _, definition in sorted(known.items()) if wanted <= set(definition.dimensions)]
    if wanted and not found:
        message = f"no metric keeps {', '.join(request.group_by)} apart"
        raise InvalidInput(message, field="group_by")
    return found


def _known(name: str, known: Mapping[str, MetricDefinition]) -> MetricDefinition:
    if name not in known:
        there_are = ", ".join(sorted(known)) or "none is defined yet"
        raise NotFound(f"there is no metric {name!r}; there are: {there_are}")
    return known[name]


def _refuse_too_many(request: ReportRequest, histories: Sequence[Sequence[Usage]], windows: int) -> None:
    groups = sum(len({usage.dimensions for usage in history}) for history in histories)
    if groups * windows > MOST_POINTS:
        message = (
            f"{groups:,} series of {windows:,} windows each are more than the {MOST_POINTS:,} points of one report; "
            "choose a larger window, fewer metrics or a shorter interval"
        )
        raise InvalidInput(message, field="group_by" if request.group_by else "window")


def _with_others(report: Report) -> Report:
    """The report with fees, and what is about the whole statement."""
    account = report.account
    fees = tariffs(account, ())
    charged = [line for of in fees for line in lines(of, (), account.as_of)]
    others = [*charged, *statement_lines(account, [*report.lines, *charged])]
    expected = [line for metric in report.metrics for line in _expected(metric)]
    projected = projected_others(account, expected)
    return replace(report, others=others, projected_others=projected)


def _expected(metric: MetricReport) -> list[Line]:
    """One line that stands for what a metric comes to."""
    if not metric.cost or not metric.projection:
        return []
    return [replace(metric.cost.lines[0], total=metric.projection.cost)]


class _Work:
    """The part of a report that is about one metric: what it asks, and what it makes of the answers."""

    def __init__(
        self,
        request: ReportRequest,
        account: Account,
        definition: MetricDefinition,
        windows: Sequence[Interval],
    ) -> None:
        self._request = request
        self._account = account
        self._definition = definition
        self._windows = windows
        self._charged = [of for of in tariffs(account, [definition]) if of.definition]
        self._shown: Tariff = plain_tariff(self._charged, definition, account.period)
        charged = any(of is self._shown for of in self._charged)
        self._read = self._charged if charged else [*self._charged, self._shown]
        team_id, group_by = account.team.id, request.group_by
        history = UsageQuestion(definition.name, team_id, windows, group_by=group_by)
        self.questions = [*(each for of in self._read for each in of.questions(team_id)), history]
        """About the current period, and last about the history."""

    def report(self, usages: Answers) -> MetricReport:
        """The report on the metric."""
        as_of, found = self._account.as_of, self._by_tariff(usages)
        charged = [line for of in self._charged for line in lines(of, found[of.name, of.priced], as_of)]
        cost = _cost(charged)
        shown = found[self._shown.name, self._shown.priced]
        rows = whole_usage(self._shown, shown)
        return MetricReport(
            definition=self._definition,
            usage=usage_of(self._shown, shown),
            events=sum(usage.events for usage in rows),
            unvalued=sum(usage.unvalued for usage in rows),
            cost=cost,
            reason=None if cost else self._reason(charged),
            projection=self._projection(found),
            history=self._series(usages[-1]),
        )

    def _reason(self, charged: Sequence[Line]) -> str:
        """Why there is no cost: a trial or a pause, or no price."""
        held = (line.reason for line in charged if line.price is None and line.reason in ("trial", "paused"))
        return next(held, None) or self._account.reason_without_price()

    def _by_tariff(self, usages: Answers) -> dict[tuple[str, bool], Answers]:
        """The answers of each tariff; one that has no price is another than one of the same name that has."""
        found, at = {}, 0
        for of in self._read:
            count = readings(of)
            found[of.name, of.priced] = usages[at : at + count]
            at += count
        return found

    def _projection(self, found: Mapping[tuple[str, bool], Answers]) -> Projection | None:
        """The usage of the metric and the cost of all its prices."""
        shown = run_rate(self._shown, found[self._shown.name, self._shown.priced], self._account.as_of)
        if shown is None:
            return None
        each = [run_rate(of, found[of.name, of.priced], self._account.as_of) for of in self._charged]
        costs = [one.cost for one in each if one and one.cost is not None]
        return Projection(RUN_RATE, shown.usage, exact_sum(costs) if costs else None)

    def _series(self, history: Sequence[Usage]) -> list[Series]:
        """The usage per dimension values, with a point for every window."""
        groups: dict[tuple[str | None, ...], dict[Interval, Usage]] = defaultdict(dict)
        for usage in history:
            groups[usage.dimensions][usage.window] = usage
        names = self._request.group_by
        return [
            Series(dict(zip(names, values, strict=True)), [self._point(found, w) for w in self._windows])
            for values, found in sorted(groups.items(), key=lambda group: _order(group[0]))
        ]

    def _point(self, found: Mapping[Interval, Usage], window: Interval) -> Point:
        tz = self._account.team.zone
        start, end = (moment.astimezone(tz) for moment in window)
        if window in found:
            return Point(start, end, *found[window][3:6])
        return Point(start, end, finish(self._definition, Bin()), 0, 0)


def _order(values: Sequence[str | None]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in values]


def _cost(found: Sequence[Line]) -> Cost | None:
    charges = [line.charge for line in found if line.charge]
    if not charges:
        return None
    return Cost(exact_sum(charge.amount for charge in charges), total_of(found), found)
