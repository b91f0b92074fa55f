"""What many teams have used and owe in the periods that are running, all from one look at the usage.

The numbers are those of the usage report: the same accounts, the same tariffs, the same rating. A report is about one
team and has a history; this is for whoever has to know the present of many, again and again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.accounts import MOMENT, Occasion, load_accounts, occasion_of
from tallystick.billing.charging import Answers, Charging, answered, lines, taking_turns, usage_of, whole_usage
from tallystick.billing.models import Account, Line, exact_sum, total_of
from tallystick.billing.projection import projected_total
from tallystick.billing.tariffs import Tariff, latest_definitions, plain_tariff, tariffs
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Subscription, Team
from tallystick.billing.totals import statement_lines
from tallystick.core.clock import Interval
from tallystick.metering.models import MetricDefinition
from tallystick.metering.usage import UsageReader
from tallystick.storage.database import Connection, Database


class CurrentMetric(NamedTuple):
    """One metric in the period so far: what was used, and what that costs; None without a value or a price."""

    metric: str
    unit: str
    quantity: Decimal | None
    events: int
    cost: Decimal | None


class Current(NamedTuple):
    """A team in one period.

    Attributes:
        account: its terms.
        metrics: by name.
        cost: what it all comes to so far, in the currency of the prices; None where nothing has a price.
        projected: what the whole period comes to at the pace so far; None where nothing can be told.
    """

    account: Account
    metrics: Sequence[CurrentMetric]
    cost: Decimal | None
    projected: Decimal | None


@dataclass(frozen=True, slots=True)
class Present:
    """Reads the present of teams."""

    database: Database
    usage: UsageReader

    async def current(self, team_ids: Sequence[str], now: datetime) -> dict[str, Current]:
        """Each team's present by its id; teams that there are not are left out."""
        async with self.database.snapshot() as tx:
            found = await current_accounts(tx, team_ids, now)
        made = await self.of(found, now)
        return {each.account.team.id: each for each in made}

    async def of(self, accounts: Sequence[Account], now: datetime) -> list[Current]:
        """What these accounts come to, seen from now; a period that is over comes to what it does at its end."""
        if not accounts:
            return []
        definitions = list(latest_definitions(await self.usage.metrics()).values())
        work = [_Reading.of(account, definitions) async for account in taking_turns(accounts)]
        answers = await answered(self.usage, [each.charging for each in work], as_of=now)
        return [each.current(found) async for each, found in taking_turns(zip(work, answers, strict=True))]


async def current_accounts(tx: Connection, team_ids: Sequence[str], now: datetime) -> list[Account]:
    """The accounts of teams in the periods that hold the moment."""
    return await load_accounts(tx, await occasions(tx, team_ids, now), as_of=now)


async def occasions(tx: Connection, team_ids: Sequence[str], moment: datetime) -> list[Occasion]:
    """The teams' billing periods that hold the moment."""
    known = await store.teams_by_id(tx, list(team_ids))
    held = await store.subscriptions_of(tx, list(known), Interval(moment, moment + MOMENT))
    return [_occasion(team, held[team.id], moment) for team in known.values()]


async def earlier_accounts(tx: Connection, accounts: Sequence[Account], now: datetime) -> dict[str, Account]:
    """By team the account of the period just before; teams that had none before are left out."""
    moments = {each.team.id: (each.full or each.period).start - MOMENT for each in accounts if each.subscription}
    if not moments:
        return {}
    teams = {each.team.id: each.team for each in accounts}
    span = Interval(min(moments.values()), max(moments.values()) + MOMENT)
    held = await store.subscriptions_of(tx, list(moments), span)
    found = [occasion_of(teams[id], _at(held[id], moment), moment) for id, moment in moments.items()]
    loaded = await load_accounts(tx, [each for each in found if each.subscription], as_of=now)
    return {each.team.id: each for each in loaded}


def _occasion(team: Team, held: Sequence[Subscription], moment: datetime) -> Occasion:
    return occasion_of(team, held[-1] if held else None, moment)


def _at(held: Sequence[Subscription], moment: datetime) -> Subscription | None:
    return next((s for s in held if s.starts_at <= moment and (s.ends_at is None or moment < s.ends_at)), None)


class _Reading(NamedTuple):
    """One account: all that is read for it, and the first `charged` of that are what it is charged by.

    What follows those shows the whole usage of metrics whose prices look at parts of it alone.
    """

    charging: Charging
    charged: int
    shown: Mapping[str, Tariff]

    @classmethod
    def of(cls, account: Account, definitions: Sequence[MetricDefinition]) -> "_Reading":
        charged = [each for each in tariffs(account, definitions) if each.definition]
        plain = {each.name: plain_tariff(charged, each, account.period) for each in definitions}
        bare = [shown for shown in plain.values() if not any(shown is each for each in charged)]
        return cls(Charging(account, [*charged, *bare]), len(charged), plain)

    def current(self, answers: Answers) -> Current:
        """What the answers come to."""
        account, found = self.charging.account, list(self.charging.by_tariff(answers))
        charged = found[: self.charged]
        by_metric = {name: _lines(name, charged, account.as_of) for name in sorted(self.shown)}
        metrics = [self._metric(name, found, mine) for name, mine in by_metric.items()]
        of_metrics = [line for mine in by_metric.values() if _costs(mine) for line in mine]
        fees = [line for fee in tariffs(account, ()) for line in lines(fee, (), account.as_of)]
        others = [*fees, *statement_lines(account, [*of_metrics, *fees])]
        costs = [each.cost for each in metrics if each.cost is not None]
        cost = exact_sum([*costs, total_of(others)]) if costs or others else None
        return Current(account, metrics, cost, projected_total(account, charged))

    def _metric(self, name: str, found: Sequence[tuple[Tariff, Answers]], mine: Sequence[Line]) -> CurrentMetric:
        shown = self.shown[name]
        answers = next(each for of, each in found if of is shown)
        assert shown.definition is not None
        events = sum(usage.events for usage in whole_usage(shown, answers))
        cost = total_of(mine) if _costs(mine) else None
        return CurrentMetric(name, shown.definition.unit, usage_of(shown, answers), events, cost)


def _lines(name: str, charged: Sequence[tuple[Tariff, Answers]], as_of: datetime) -> list[Line]:
    return [line for of, answers in charged if of.metric == name for line in lines(of, answers, as_of)]


def _costs(found: Sequence[Line]) -> bool:
    """Whether any of it has a price that applies."""
    return any(line.charge for line in found)
