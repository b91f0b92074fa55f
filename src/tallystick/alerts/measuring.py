"""What alerts compare their limits with: read where reports and statements read it, many at once.

    watches ─▶ questions of usage (one snapshot) ─┬▶ usage so far and projected, rate
            ─▶ open statements before credits ────┼▶ cost so far and projected, credit that is left
            ─▶ the last event ────────────────────┴▶ absence

There is no arithmetic about usage or money here that a bill has not, so an alert and a bill can't disagree.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.alerts.models import PROJECTED, Alert, Kind, Measured
from tallystick.alerts.rate import rate_measured, rate_questions
from tallystick.alerts.silence import Silences
from tallystick.alerts.spending import Amount, cost_of, credit_left, in_currencies
from tallystick.alerts.watching import Finding, Watch, next_growth
from tallystick.billing.charging import Answers, taking_turns, usage_of, whole_usage
from tallystick.billing.models import Account, exact_sum
from tallystick.billing.projection import projected_total, run_rate
from tallystick.billing.statements.service import OpenStatement, Statements
from tallystick.billing.tariffs import Tariff, latest_definitions, plain_tariff, tariffs
from tallystick.metering.models import Aggregation, MetricDefinition, MetricVersion
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database

OF_STATEMENTS = frozenset({Kind.COST, Kind.PROJECTED_COST, Kind.CREDIT_BALANCE})

TOO_EARLY = 20
"""A pace says nothing before one in so many parts of the period has passed."""

HOUR = timedelta(hours=1)
Metrics = Mapping[str, Sequence[MetricVersion]]


class Reading(NamedTuple):
    """A look that asks for usage: what it asks, and what it makes of the answers."""

    questions: Sequence[UsageQuestion]
    finish: Callable[[Answers], Measured]


@dataclass(frozen=True, slots=True)
class Measuring:
    """Measures for one installation."""

    database: Database
    metering: Metering
    statements: Statements

    async def findings(self, watches: Sequence[Watch]) -> list[Finding]:
        """What each look finds. All accounts are seen from one moment, by what was known at one.

        Raises:
            NoExchangeRate: an amount can't be told in its alert's currency.
        """
        if not watches:
            return []
        metrics = await self.metering.usage.metrics(watches[0].account.known_at)
        found: dict[int, Measured] = {}
        known = [each for each in enumerate(watches) if _metric_is_known(each[1].alert, metrics)]
        for measure in (self._by_usage, self._by_statement, self._by_silence):
            found |= await measure(known, metrics)
        nothing = Measured(None, "")
        return [Finding(watch, found.get(place, nothing)) for place, watch in enumerate(watches)]

    async def _by_usage(self, watches: "Numbered", metrics: Metrics) -> dict[int, Measured]:
        """Usage so far and projected, and rates, all from one look at the usage."""
        definitions = latest_definitions(metrics)
        work = {place: made async for place, watch in taking_turns(watches) if (made := _reading(watch, definitions))}
        questions = [question for reading in work.values() for question in reading.questions]
        as_of = watches[0][1].account.as_of if watches else None
        answers = await self.metering.usage.read(questions, as_of=as_of) if questions else []
        found: dict[int, Measured] = {}
        at = 0
        async for place, reading in taking_turns(work.items()):
            found[place] = reading.finish(answers[at : at + len(reading.questions)])
            at += len(reading.questions)
        return found

    async def _by_statement(self, watches: "Numbered", metrics: Metrics) -> dict[int, Measured]:
        """Costs so far and projected, and what is left of credits."""
        mine = {place: watch for place, watch in watches if watch.alert.kind in OF_STATEMENTS}
        early = {place: Measured(None, "", check_at=at) for place, watch in mine.items() if (at := _pace_from(watch))}
        accounts = {(watch.account.team.id, watch.account.period): watch.account
                    for place, watch in mine.items() if place not in early}  # fmt: skip
        made = await self.statements.before_credits(list(accounts.values()))
        statements = dict(zip(accounts, made, strict=True))
        of = {place: statements[watch.account.team.id, watch.account.period]
              for place, watch in mine.items() if place not in early}  # fmt: skip
        amounts = {place: _amount(mine[place].alert, each) async for place, each in taking_turns(of.items())
                   if mine[place].alert.kind is not Kind.CREDIT_BALANCE}  # fmt: skip
        found = early | await self._converted(mine, amounts)
        found |= await self._credits({place: mine[place] for place in of if place not in amounts}, of, metrics)
        return {place: _looked_at_again(each, mine[place], of.get(place)) for place, each in found.items()}

    async def _credits(
        self, mine: Mapping[int, Watch], of: Mapping[int, OpenStatement], metrics: Metrics
    ) -> dict[int, Measured]:
        if not mine:
            return {}
        async with self.database.snapshot() as tx:
            return {
                place: await credit_left(tx, watch.alert, of[place].statement, _credit_unit(watch.alert, metrics))
                for place, watch in mine.items()
            }

    async def _by_silence(self, watches: "Numbered", metrics: Metrics) -> dict[int, Measured]:
        silences = Silences(self.metering.usage, self.metering.store)
        return {
            place: await silences.measure(
                watch.alert, watch.account, watch.check, metrics.get(watch.alert.metric or "", ())
            )
            for place, watch in watches
            if watch.alert.kind is Kind.ABSENCE
        }

    async def _converted(self, watches: Mapping[int, Watch], amounts: Mapping[int, Amount]) -> dict[int, Measured]:
        """The amounts in their alerts' currencies."""
        if not amounts:
            return {}
        known_at = next(iter(amounts.values())).account.known_at
        async with self.database.snapshot() as tx:
            pairs = [(watches[place].alert, amount) for place, amount in amounts.items()]
            found = await in_currencies(tx, pairs, known_at)
        return dict(zip(amounts, found, strict=True))


Numbered = Sequence[tuple[int, Watch]]
Measure = Callable[[Numbered, Metrics], Awaitable[dict[int, Measured]]]


def _metric_is_known(alert: Alert, metrics: Metrics) -> bool:
    return alert.metric is None or alert.metric in metrics


def _credit_unit(alert: Alert, metrics: Metrics) -> str:
    return alert.currency or metrics[alert.metric or ""][-1].definition.unit


def _reading(watch: Watch, definitions: Mapping[str, MetricDefinition]) -> Reading | None:
    """What a look asks of the usage; None: it asks something else."""
    alert, account, check_at = watch.alert, watch.account, _pace_from(watch)
    if alert.kind is Kind.PROJECTED_USAGE and check_at is not None:
        unit = definitions[alert.metric or ""].unit
        return Reading((), lambda _: Measured(None, unit, check_at=check_at))
    match alert.kind:
        case Kind.USAGE:
            return _usage(watch, definitions[alert.metric or ""])
        case Kind.PROJECTED_USAGE:
            return _projected_usage(account, definitions[alert.metric or ""])
        case Kind.RATE:
            questions = rate_questions(alert, account, account.known_at)
            return Reading(questions, lambda answers: rate_measured(alert, account, answers))
        case _:
            return None


def _usage(watch: Watch, definition: MetricDefinition) -> Reading:
    """The usage of the whole period so far."""
    account = watch.account
    of = plain_tariff((), definition, account.period)

    def finish(answers: Answers) -> Measured:
        value, events = usage_of(of, answers), sum(usage.events for usage in whole_usage(of, answers))
        check_at = next_growth(watch.alert, account, value) if _grows(of, answers, account) else None
        return Measured(value, definition.unit, {"events": str(events)}, check_at)

    return Reading(of.questions(account.team.id, known_at=account.known_at), finish)


def _projected_usage(account: Account, definition: MetricDefinition) -> Reading:
    """The usage of the whole period at the pace so far, as a report shows it."""
    of = plain_tariff(tariffs(account, [definition]), definition, account.period)

    def finish(answers: Answers) -> Measured:
        projection = run_rate(of, answers, account.as_of)
        return Measured(projection.usage if projection else None, definition.unit)

    return Reading(of.questions(account.team.id, known_at=account.known_at), finish)


def _grows(of: Tariff, answers: Answers, account: Account) -> bool:
    """Whether usage becomes more while nothing happens: a level that holds, or may hold and has had no time yet."""
    if of.definition is None or of.definition.aggregation is not Aggregation.TIME_WEIGHTED:
        return False
    return bool(usage_of(of, answers)) or account.as_of - account.period.start < HOUR


def _looked_at_again(measured: Measured, watch: Watch, made: OpenStatement | None) -> Measured:
    """With a look at the end of the hour where an amount becomes another while nothing is used."""
    if made is None or watch.alert.kind in PROJECTED:
        return measured
    account = watch.account
    if not any(_grows(of, answers, account) for of, answers in made.charging.by_tariff(made.answers)):
        return measured
    looks = (measured.check_at, next_growth(watch.alert, account, measured.value))
    return measured._replace(check_at=min(filter(None, looks)))


def _amount(alert: Alert, made: OpenStatement) -> Amount:
    """What a statement comes to, or will at the pace so far; or what of it is about one metric."""
    if alert.kind is Kind.COST:
        return cost_of(alert, made.statement)
    account, charged = made.statement.account, list(made.charging.by_tariff(made.answers))
    if alert.metric is None:
        return Amount(account, projected_total(account, charged), account.currency)
    found = [run_rate(of, answers, account.as_of) for of, answers in charged if of.metric == alert.metric]
    costs: list[Decimal] = [each.cost for each in found if each and each.cost is not None]
    return Amount(account, exact_sum(costs) if costs else None, account.currency)


def _pace_from(watch: Watch) -> datetime | None:
    """Of a projection for which it is too early: from when there is one."""
    start, end = watch.account.period
    begins = start + (end - start) / TOO_EARLY
    return begins if watch.alert.kind in PROJECTED and watch.account.as_of < begins else None
