"""Validating a period: what was reported against what its raw events give, metric by metric.

Both come from one snapshot: the reported usage from the roll-ups and the tail, as every report and statement
reads it, and the recomputed usage from the raw events alone. Both are charged by the code that makes
statements. A discrepancy is a defect of the product, whatever its cause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tallystick.billing import accounts
from tallystick.billing.charging import Answers, lines, readings, unit_of, usage_of, whole_usage
from tallystick.billing.models import Account, exact_sum
from tallystick.billing.tariffs import Tariff, latest_definitions, tariffs
from tallystick.core.clock import Clock
from tallystick.core.money import EXACT, ZERO
from tallystick.metering.usage import UsageReader
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class MetricCheck:
    """One metric of the period at one of its prices.

    Attributes:
        name: the price's; of a metric without a price the metric's.
        metric, unit: what is counted.
        events: how many raw events it counts.
        unvalued: how many of them have no value that can be read; they are in no usage.
        recomputed: the usage that the raw events give; None where no event has a value.
        reported: the usage that reports and statements show.
        recomputed_cost, reported_cost: what each comes to on a bill; None without a price.
    """

    name: str
    metric: str
    unit: str
    events: int
    unvalued: int
    recomputed: Decimal | None
    reported: Decimal | None
    recomputed_cost: Decimal | None
    reported_cost: Decimal | None

    @property
    def discrepancy(self) -> Decimal:
        """Reported minus recomputed usage: zero when all is right."""
        return EXACT.subtract(self.reported or ZERO, self.recomputed or ZERO)

    @property
    def agrees(self) -> bool:
        """Whether usage and cost are the same both ways."""
        return (self.reported, self.reported_cost) == (self.recomputed, self.recomputed_cost)


@dataclass(frozen=True, slots=True)
class Validation:
    """A team's billing period, checked."""

    account: Account
    metrics: Sequence[MetricCheck]

    @property
    def agrees(self) -> bool:
        """Whether every metric does."""
        return all(check.agrees for check in self.metrics)


@dataclass(frozen=True, slots=True)
class Validations:
    """Validates periods."""

    database: Database
    usage: UsageReader
    clock: Clock

    async def validate(self, team_id: str, moment: datetime) -> Validation:
        """Check the billing period of the team that holds the moment.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.snapshot() as tx:
            account = await accounts.account_of(tx, team_id, moment)
        definitions = latest_definitions(await self.usage.metrics())
        work = [of for of in tariffs(account, definitions.values()) if of.definition]
        reported = [question for of in work for question in of.questions(team_id)]
        raw = [question for of in work for question in of.questions(team_id, raw=True)]
        found = await self.usage.read([*reported, *raw])
        checks, at = [], 0
        for of in work:
            count = readings(of)
            checks.append(_check(of, found[at : at + count], found[len(reported) + at : len(reported) + at + count]))
            at += count
        return Validation(account, checks)


def _check(of: Tariff, reported: Answers, recomputed: Answers) -> MetricCheck:
    assert of.definition is not None
    rows = whole_usage(of, recomputed)
    return MetricCheck(
        name=of.name,
        metric=of.definition.name,
        unit=unit_of(of, of.parts[-1]),
        events=sum(usage.events for usage in rows),
        unvalued=sum(usage.unvalued for usage in rows),
        recomputed=usage_of(of, recomputed),
        reported=usage_of(of, reported),
        recomputed_cost=_cost(of, recomputed),
        reported_cost=_cost(of, reported),
    )


def _cost(of: Tariff, usages: Answers) -> Decimal | None:
    totals = [line.total for line in lines(of, usages, of.period.end) if line.total is not None]
    return exact_sum(totals) if totals else None
