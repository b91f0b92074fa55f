"""Open statements: what a team's current period comes to so far, from one look at its usage.

    events ─▶ usage of each price's interval (one snapshot) ─▶ rate ─▶ lines, rounded once ─▶ total

`aggregate` also brings the roll-ups up to date and keeps what it found in `metered_billing_periods`. That
is a draft: usage itself is always read live, so nothing is wrong when it was not run for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tallystick.billing import accounts, answers, charging, store
from tallystick.billing.models import Account, Statement
from tallystick.billing.teams import store as teams
from tallystick.core.clock import Clock
from tallystick.metering.event_store import RollUpProgress
from tallystick.metering.models import MetricDefinition, MetricVersion
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database

MOST_ROLL_UPS = 100
"""Roll-ups of one request; each takes up to 100,000 events."""


class Aggregation(NamedTuple):
    """What an aggregation did: the sum of its roll-ups, and statements. `more`: roll-ups are left to be done."""

    rolled_up: RollUpProgress
    statements: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements of one installation."""

    database: Database
    metering: Metering
    clock: Clock

    async def current(self, team_id: str) -> Statement:
        """The statement of the period that is running now.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.snapshot() as tx:
            account = await accounts.account_of(tx, team_id, self.clock.now())
        return await self._compute(account)

    async def aggregate(self, team_ids: Sequence[str]) -> Aggregation:
        """Roll up what there is, then compute and keep the current statement of each of these teams.

        Raises:
            NotFound: there is no team of one of the ids; those before it are kept.
        """
        progress = await self.roll_up()
        return Aggregation(progress, [await self._keep(await self.current(team_id)) for team_id in team_ids])

    async def roll_up(self) -> RollUpProgress:
        """Roll up until nothing is left, or this has been going on for long; usage is the same either way."""
        done = await self.metering.store.roll_up(self.clock.now())
        for _ in range(MOST_ROLL_UPS - 1):
            if not done.more:
                break
            done = _both(done, await self.metering.store.roll_up(self.clock.now()))
        return done

    async def _compute(self, account: Account) -> Statement:
        definitions = latest_definitions(await self.metering.usage.metrics())
        charged = definitions if account.subscription is None else account.prices
        tariffs = [
            charging.tariff(definitions[metric], account.prices.get(metric, ()), account.period)
            for metric in sorted(charged)
            if metric in definitions
        ]
        questions = [UsageQuestion(each.definition.name, account.team.id, each.windows) for each in tariffs]
        usages = await self.metering.usage.read(questions, as_of=account.as_of) if questions else []
        found = (charging.lines(of, usage, account.as_of) for of, usage in zip(tariffs, usages, strict=True))
        return Statement(account, [line for lines in found for line in lines])

    async def _keep(self, statement: Statement) -> Statement:
        async with self.database.transaction() as tx:
            await teams.find_team(tx, statement.account.team.id, lock=True)  # one writer of a team's drafts
            await store.save_statement(tx, statement, answers.snapshot(statement))
        return statement


def latest_definitions(metrics: Mapping[str, Sequence[MetricVersion]]) -> dict[str, MetricDefinition]:
    """Of each metric the definition that was given last."""
    return {name: versions[-1].definition for name, versions in metrics.items()}


def _both(earlier: RollUpProgress, later: RollUpProgress) -> RollUpProgress:
    return RollUpProgress(
        batches=earlier.batches + later.batches,
        events=earlier.events + later.events,
        hours_recomputed=earlier.hours_recomputed + later.hours_recomputed,
        backfilled=earlier.backfilled + later.backfilled,
        more=later.more,
    )
