"""How many usages a second are read, for all teams at once: a month of five metrics, rolled up before.

The ceiling adds up the same buckets with one plain `GROUP BY team_id` per metric and fetches the sums: no raw
events, no dimensions, no levels, no distinct values.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation, Sql
from benchmarks.load import WrongAnswer
from benchmarks.results import Figure, Result
from tallystick.core.clock import Interval
from tallystick.core.settings import Settings
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import MetricVersion
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

EVENTS_EACH = 100
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NEPAL = Interval(datetime(2026, 2, 28, 18, 15, tzinfo=UTC), datetime(2026, 3, 31, 18, 15, tzinfo=UTC))

CATALOGUE = """
version: 1
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  requests: {event: api_call, aggregation: count, unit: request}
  widest: {event: api_call, aggregation: max, unit: call}
  users: {event: api_call, aggregation: unique_count, value: user_id, unit: user}
  disk: {event: disk, aggregation: time_weighted, unit: GB-hour, value_unit: GB, dimensions: [region]}
"""

_EVENTS = """
INSERT INTO usage_events (id, batch_id, position, team_id, user_id, event_name, quantity, metadata, idempotency_key,
                          occurred_at, recorded_at)
SELECT gen_random_uuid(), 1000000 + n / 10000, n %% 10000, 'team-' || n %% %(teams)s, 'user-' || n %% 37,
       CASE WHEN n / %(teams)s %% 5 = 0 THEN 'disk' ELSE 'api_call' END, n %% 1000,
       jsonb_build_object('region', CASE WHEN n / %(teams)s %% 2 = 0 THEN 'eu' ELSE 'us' END), n::text, at, at
FROM (SELECT n, %(start)s + (%(finish)s - %(start)s) * (n::bigint * 7919 %% 1000003) / 1000003 AS at
      FROM generate_series(0, %(events)s - 1) n) spread
"""
_BATCHES = """
INSERT INTO ingest_batches (id, events, recorded_at) OVERRIDING SYSTEM VALUE
SELECT batch_id, count(*), max(recorded_at) FROM usage_events GROUP BY batch_id
"""
_SUMS = "SELECT team_id, sum(events), sum(total) FROM usage_aggregates WHERE metric_version_id = %s GROUP BY team_id"


def measure(teams: int, folder: Path, *, rounds: int = 3) -> Result:
    """Read the usage of that many teams."""
    with Installation.fresh(folder, CATALOGUE) as installation, installation.sql() as sql:
        figures = asyncio.run(_measure(installation, sql, teams, rounds))
    setting = f"{rounds} rounds; {teams:,} teams with {EVENTS_EACH} events each, five metrics."
    return Result("usage", setting, figures)


async def _measure(installation: Installation, sql: Sql, teams: int, rounds: int) -> list[Figure]:
    async with await Database.open(Settings(database_url=installation.database_url)) as database:
        store = PostgresEventStore(database)
        await store.ensure_months(START)
        sql.execute(_EVENTS, {"teams": teams, "events": teams * EVENTS_EACH, "start": START, "finish": END})
        sql.execute(_BATCHES)
        while (await store.roll_up(END)).more:
            pass
        sql.execute("VACUUM ANALYZE")
        async with database.snapshot() as snapshot:
            versions = await metric_versions(snapshot)
        month = Interval(START, END)
        asked: list[tuple[str, Interval, Mapping[str, Any]]] = [
            ("a month of UTC", month, {}),
            ("a month of UTC, as known when sealed", month, {"known_at": await store.seal(END)}),
            ("a month of Kathmandu, cut within hours", NEPAL, {}),
        ]
        figures = []
        for what, interval, terms in asked:
            found = [
                (await _read(store, versions, teams, interval, terms), _sum(sql, versions, teams))
                for _ in range(rounds)
            ]
            figures.append(Figure(what, "usages/s", found, "plain GROUP BY per metric"))
        return figures


async def _read(
    store: PostgresEventStore,
    versions: Sequence[MetricVersion],
    teams: int,
    interval: Interval,
    terms: Mapping[str, Any],
) -> float:
    requests = [
        UsageRequest([version], f"team-{n}", [interval], END, **terms) for version in versions for n in range(teams)
    ]
    began = time.perf_counter()
    answers = await store.usage(requests)
    seconds = time.perf_counter() - began
    if not all(answers):
        raise WrongAnswer(f"{sum(not answer for answer in answers):,} of {len(answers):,} usages are missing")
    return len(requests) / seconds


def _sum(sql: Sql, versions: Sequence[MetricVersion], teams: int) -> float:
    began = time.perf_counter()
    for version in versions:
        sql.execute(_SUMS, [version.id]).fetchall()
    return teams * len(versions) / (time.perf_counter() - began)
