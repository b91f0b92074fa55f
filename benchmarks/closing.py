"""How many teams a second are closed: a month, five metrics each, one statement with digest and lines per team.

The ceiling computes an amount per team and metric with one plain `GROUP BY` over the raw events and a product, and
keeps it in a table without indexes: one price for all usage, no tiers, no steps, no checks, no digest.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from benchmarks.installation import Installation, Sql, one
from benchmarks.load import WrongAnswer
from benchmarks.results import Figure, Result
from tallystick.billing.service import Billing
from tallystick.core.clock import Clock, SystemClock
from tallystick.core.settings import Settings
from tallystick.metering.models import NewEvent
from tallystick.metering.service import Metering
from tallystick.storage.database import Database

END = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
START = (END - timedelta(days=1)).replace(day=1)
LIMIT = 60.0
"""Seconds that closing 10,000 teams promises to stay under."""

METRICS = 5
EVENTS_EACH = 4
APPENDED = 10_000

CATALOGUE = """
version: 1
currency: USD
metrics:
  m0: {event: e0, aggregation: sum, unit: call, dimensions: [region]}
  m1: {event: e1, aggregation: count, unit: call}
  m2: {event: e2, aggregation: max, unit: core}
  m3: {event: e3, aggregation: time_weighted, unit: GB-hour, value_unit: GB}
  m4: {event: e4, aggregation: sum, unit: GB, dimensions: [region]}
plans:
  bench:
    fees: [{name: base, amount: 49}]
    prices:
      - {metric: m0, model: graduated, tiers: [{up_to: 100, unit_price: 0}, {up_to: 1000, unit_price: 0.01},
         {unit_price: 0.008}]}
      - {metric: m1, model: per_unit, unit_price: 0.5}
      - {metric: m2, model: per_unit, unit_price: 2}
      - {metric: m3, model: per_unit, unit_price: 0.000123}
      - {metric: m4, model: matrix, dimensions: [region], rates: [
          {region: eu, unit_price: 0.09}, {region: us, unit_price: 0.05}]}
"""

_TEAMS = """
WITH made AS (
    INSERT INTO teams (id, name, created_at)
    SELECT 'team-' || lpad(n::text, 6, '0'), 'Team ' || n, %(at)s FROM generate_series(1, %(count)s) n RETURNING id
)
INSERT INTO subscriptions (team_id, plan, starts_at, created_at) SELECT id, 'bench', %(at)s, %(at)s FROM made
"""
_GROUPED = """
CREATE TABLE grouped AS
SELECT team_id, event_name, sum(quantity) AS quantity, sum(quantity) * 0.008 AS amount
FROM usage_events GROUP BY 1, 2
"""


def measure(teams: int, folder: Path) -> Result:
    """Close a month of that many teams, rolled up before."""
    with Installation.fresh(folder, CATALOGUE) as installation, installation.sql() as sql:
        seconds, again = asyncio.run(_close(installation, sql, teams))
        closed = int(one(sql, "SELECT count(*) FROM metered_billing_periods WHERE status = 'closed'"))
        lines = int(one(sql, "SELECT count(*) FROM statement_lines"))
        if closed != teams or lines < teams * METRICS:
            raise WrongAnswer(f"{closed:,} of {teams:,} teams are closed, with {lines:,} lines")
        floor = _group(sql)
    setting = (
        f"{teams:,} teams on one plan with {METRICS} metrics and a fee, {METRICS * EVENTS_EACH} events each, "
        f"rolled up; one process. {lines:,} lines."
    )
    figures = [
        Figure("closed", "teams/s", [(teams / seconds, teams / floor)], "plain GROUP BY and a product"),
        Figure("closing them all", "s", [(seconds, LIMIT * teams / 10_000)], "the promise for as many"),
    ]
    return Result("closing", setting, figures, [f"Asked to close them again, it found nothing to do in {again:.1f} s."])


async def _close(installation: Installation, sql: Sql, teams: int) -> tuple[float, float]:
    """The seconds that closing took, and doing it again."""
    clock = SystemClock()
    settings = Settings(database_url=installation.database_url)
    async with await Database.open(settings) as database:
        sql.execute(_TEAMS, {"at": START, "count": teams})
        async with Metering.open(database, settings, clock) as metering:
            await _fill(metering, teams, clock)
            sql.execute("VACUUM ANALYZE")
            billing = Billing.open(database, metering, clock)
            return await _timed(billing), await _timed(billing)


async def _timed(billing: Billing) -> float:
    began = time.perf_counter()
    done = await billing.closing.run()
    if done.failures:
        raise WrongAnswer(f"{len(done.failures):,} periods were not closed: {done.failures[0].message}")
    return time.perf_counter() - began


async def _fill(metering: Metering, teams: int, clock: Clock) -> None:
    """Append the events, and roll them up."""
    events = list(_events(teams))
    for place in range(0, len(events), APPENDED):
        await metering.store.append(events[place : place + APPENDED], clock.now())
    while (await metering.store.roll_up(clock.now())).more:
        pass


def _events(teams: int) -> Iterator[NewEvent]:
    source = random.Random(1)
    for number in range(1, teams + 1):
        for metric in range(METRICS):
            for _ in range(EVENTS_EACH):
                yield _event(source, f"team-{number:06}", metric)


def _event(source: random.Random, team_id: str, metric: int) -> NewEvent:
    id = UUID(int=source.getrandbits(128))
    at = START + timedelta(seconds=source.randrange(28 * 86_400))
    region = source.choice(["eu", "us"])
    return NewEvent(
        id=id,
        content=0,
        team_id=team_id,
        user_id=None,
        event_type=None,
        event_name=f"e{metric}",
        quantity=Decimal(source.randint(1, 500)),
        unit=None,
        metadata=f'{{"region": "{region}"}}',
        idempotency_key=str(id),
        occurred_at=at,
    )


def _group(sql: Sql) -> float:
    began = time.perf_counter()
    sql.execute(_GROUPED)
    return time.perf_counter() - began
