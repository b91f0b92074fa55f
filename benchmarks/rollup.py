"""How many events a second are rolled up, for all five metrics.

The ceiling computes the same partials from the same events with one plain `GROUP BY` per metric into tables
without indexes: nothing is merged, and nothing checked.
"""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.installation import Installation, Sql, one
from benchmarks.load import Load, run
from benchmarks.results import Figure, Result
from benchmarks.traffic import Span
from tallystick.core.settings import Settings
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

ROUNDS = 3


def measure(events: int, folder: Path, *, rounds: int = ROUNDS) -> Result:
    """Store the events, then roll all of them up once a round, from nothing; in the order of time, and in none."""
    figures = [
        _measured(what, Load(("", 0), events, 1000, 4, span, 1), folder, rounds)
        for what, span in (
            ("rolled up", Span.history()),
            ("rolled up, each event at a random moment", Span.history(scattered=True)),
        )
    ]
    setting = f"{rounds} rounds; {events:,} events of four weeks were sent, one in a hundred of them twice."
    return Result("rollup", setting, figures)


def _measured(what: str, load: Load, folder: Path, rounds: int) -> Figure:
    with Installation.fresh(folder) as installation, installation.sql() as sql:
        with installation.serving() as server:
            installation.settle(sql)
            run(replace(load, address=server.address))
        sql.execute("VACUUM ANALYZE")
        stored = int(one(sql, "SELECT count(*) FROM usage_events"))
        found = [(stored / _roll_up(installation, sql), stored / _group(sql)) for _ in range(rounds)]
    return Figure(what, "events/s", found, "plain GROUP BY per metric")


def _roll_up(installation: Installation, sql: Sql) -> float:
    sql.execute("TRUNCATE usage_aggregates, usage_aggregate_values, changed_hours")
    sql.execute("UPDATE ingest_batches SET rolled_up_at = NULL")
    return asyncio.run(_roll_up_all(installation))


async def _roll_up_all(installation: Installation) -> float:
    async with await Database.open(Settings(database_url=installation.database_url)) as database:
        store = PostgresEventStore(database)
        began = time.perf_counter()
        while (await store.roll_up(datetime.now(UTC))).more:
            pass
        return time.perf_counter() - began


def _group(sql: Sql) -> float:
    sql.execute("DROP TABLE IF EXISTS grouped_0, grouped_1, grouped_2, grouped_3, grouped_4")
    began = time.perf_counter()
    for number, query in enumerate(_GROUPED):
        sql.execute(f"CREATE TABLE grouped_{number} AS {query}")
    return time.perf_counter() - began


_NUMBER = "(metadata ->> '{}')::numeric"
_GROUPED = tuple(
    f"SELECT team_id, date_trunc('hour', occurred_at) AS hour, {key} AS key, count(*) AS events, "
    f"sum({value}), min({value}), max({value}) FROM usage_events WHERE event_name = '{event}' GROUP BY 1, 2, 3"
    for event, key, value in (
        ("api_call", "ARRAY[metadata ->> 'endpoint', metadata ->> 'region']", "1"),
        ("api_call", "user_id", "1"),
        ("api_call", "NULL::text", _NUMBER.format("duration_ms")),
        ("completion", "metadata ->> 'model'", _NUMBER.format("tokens")),
        ("transfer", "metadata ->> 'region'", "quantity"),
    )
)
