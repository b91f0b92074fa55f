"""What if: hypothetical usage on a plan, or a team's real usage on another one. Charged by the code that closes.

In comes a plan with usage that was made up, or with a team whose own usage of a period is taken. Out comes a statement
as it would be; nothing is kept. A preview of a whole period is final: commitments are trued up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from tallystick.billing.accounts import Occasion, load_account, load_accounts
from tallystick.billing.charging import Charging, charge
from tallystick.billing.models import Account, Statement, exact_sum
from tallystick.billing.statements.assembly import converted
from tallystick.billing.tariffs import latest_definitions
from tallystick.billing.teams.finding import required_plan
from tallystick.billing.teams.models import Subscription, Team
from tallystick.billing.teams.service import required_team
from tallystick.catalog.models import Anchor
from tallystick.catalog.store import plan_terms
from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import InvalidInput
from tallystick.metering.models import MetricDefinition, Usage
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Connection, Database

NOBODY = "preview"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Usage that was made up.

    Attributes:
        metric: of which metric.
        quantity: how much, in its unit.
        events: how many events made it.
        dimensions: their values; a dimension left out has none.
        at: when; default: at the period's start.
    """

    metric: str
    quantity: Decimal
    events: int = 1
    dimensions: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A team's statement on its own plan and on another one, on the same usage."""

    now: Statement
    instead: Statement


@dataclass(frozen=True, slots=True)
class Previews:
    """Makes previews."""

    database: Database
    metering: Metering
    clock: Clock

    async def hypothetical(
        self, plan: str, usage: Sequence[Hypothesis], *, team_id: str | None = None, at: datetime | None = None
    ) -> Statement:
        """What this usage would cost in one whole period of a plan.

        Args:
            plan: its name, for the newest version of it, or with a version.
            usage: what would be used.
            team_id: whose zone, currency and own prices apply; default: nobody's.
            at: a moment of the period, which decides the prices; default: now.

        Raises:
            NotFound: there is no such team.
            InvalidInput: a plan, metric or dimension that there is not, or usage outside of the period.
        """
        moment = at or self.clock.now()
        definitions = latest_definitions(await self.metering.usage.metrics())
        _check(usage, definitions)
        async with self.database.snapshot() as tx:
            team = await required_team(tx, team_id) if team_id else Team(NOBODY, NOBODY, "UTC", {}, moment)
            account = await _account_on(tx, team, await required_plan(tx, plan), moment)
            work = Charging.of(account, list(definitions.values()))
            answers = [_answer(question, usage, account.period) for question in work.questions()]
            [lines] = await converted(tx, [account], [work.lines(answers)])
        return Statement(account, lines)

    async def instead(self, team_id: str, plan: str, *, at: datetime | None = None) -> Comparison:
        """What a team would pay for its real usage of a period, were it on another plan.

        Raises:
            NotFound: there is no such team.
            InvalidInput: there is no such plan, or the team has no subscription then.
        """
        now = self.clock.now()
        async with self.database.snapshot() as tx:
            team = await required_team(tx, team_id)
            account = await load_account(tx, team, at or now, as_of=now)
            if account.subscription is None:
                raise InvalidInput(f"team {team_id!r} has no subscription then", field="at")
            name = await required_plan(tx, plan, present=account.subscription.plan)
            terms = await plan_terms(tx, name, account.period)
            other = replace(account.subscription, plan=name, currency=terms.currency)
            occasion = Occasion(team, other, account.period, account.full or account.period)
            [instead] = await load_accounts(tx, [occasion], as_of=now)
        definitions = list(latest_definitions(await self.metering.usage.metrics()).values())
        work = [Charging.of(each, definitions) for each in (account, instead)]
        charged = await charge(self.metering.usage, work, as_of=now)
        async with self.database.snapshot() as tx:
            lines = await converted(tx, [account, instead], charged)
        return Comparison(Statement(account, lines[0]), Statement(instead, lines[1]))


async def _account_on(tx: Connection, team: Team, plan: str, moment: datetime) -> Account:
    """The terms of one whole calendar period of a plan."""
    terms = await plan_terms(tx, plan)
    whole = Subscription(0, team.id, plan, terms.currency, terms.period, Anchor.CALENDAR, moment, None, moment)
    period = whole.schedule(team.zone).period_containing(moment)
    assert period is not None
    begun = replace(whole, starts_at=period.full.start)
    occasion = Occasion(team, begun, period.full, period.full)
    [account] = await load_accounts(tx, [occasion], as_of=period.full.end)
    return account


def _check(usage: Sequence[Hypothesis], definitions: Mapping[str, MetricDefinition]) -> None:
    for place, each in enumerate(usage):
        if each.metric not in definitions:
            known = ", ".join(sorted(definitions)) or "none is defined yet"
            raise InvalidInput(
                f"there is no metric {each.metric!r}; there are: {known}", field=f"usage[{place}].metric"
            )
        allowed = definitions[each.metric].dimensions
        for name in each.dimensions:
            if name not in allowed:
                message = f"{name!r} is not a dimension of {each.metric}; there are: {', '.join(allowed) or 'none'}"
                raise InvalidInput(message, field=f"usage[{place}].dimensions")


def _answer(question: UsageQuestion, usage: Sequence[Hypothesis], period: Interval) -> list[Usage]:
    """What reading would have found, had the usage happened."""
    found: dict[tuple[Interval, tuple[str | None, ...]], list[Hypothesis]] = {}
    for each in usage:
        if each.metric == question.metric and _matches(each, question.where):
            window = _window(question.windows, each.at or period.start)
            values = tuple(each.dimensions.get(name) for name in question.group_by)
            found.setdefault((window, values), []).append(each)
    if not question.group_by:
        found = {(window, ()): found.get((window, ()), []) for window in question.windows}
    return [_usage(question, window, values, of_one) for (window, values), of_one in found.items()]


def _usage(
    question: UsageQuestion, window: Interval, values: tuple[str | None, ...], of_one: Sequence[Hypothesis]
) -> Usage:
    quantity = exact_sum(each.quantity for each in of_one)
    amounts = tuple(each.quantity for each in of_one) if question.each else None
    return Usage(question.metric, window, values, quantity, sum(each.events for each in of_one), 0, amounts)


def _matches(usage: Hypothesis, where: Mapping[str, Sequence[str]]) -> bool:
    return all(usage.dimensions.get(name) in values for name, values in where.items())


def _window(found: Sequence[Interval], at: datetime) -> Interval:
    """The window that holds the moment; the nearest, where a price is not in force then."""
    return next((each for each in found if at < each.end), found[-1])
