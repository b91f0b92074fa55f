"""Durable ingest with few events stored and with many, and what an event takes on disk then.

What is stored already is put there with SQL: events like those that are sent, at random moments of four weeks, with
their identities, as if they had been rolled up.
"""

from pathlib import Path

from benchmarks import bare, disk
from benchmarks.installation import Installation, Server, Sql, one
from benchmarks.load import Load, run
from benchmarks.results import Figure, Result
from benchmarks.traffic import Span

SHALLOW = 1_000_000
SENT = 2_000_000
"""Events of one measurement: enough that what a checkpoint costs is in it."""

SAMPLE = 10_000
CHUNK = 500_000
BATCH = 500
CONNECTIONS = 8


def measure(events: int, folder: Path) -> Result:
    """Send events with a million stored, and with `events` stored."""
    with Installation.fresh(folder) as installation, installation.sql() as sql, installation.serving() as server:
        run(Load(server.address, SAMPLE, BATCH, CONNECTIONS, Span.history(), 1))  # makes the months, too
        found = []
        for seed, depth in enumerate((SHALLOW, events), start=2):
            _fill(sql, depth)
            installation.settle(sql)
            found.append(_trial(installation, server, sql, seed))
        sizes = [figure for figure in disk.figures(sql) if "aggregate" not in figure.what]
    rates = [
        Figure(f"{depth:,} stored", "events/s", [rates], "bare COPY of the rows")
        for depth, rates in zip((SHALLOW, events), found, strict=True)
    ]
    kept = Figure("with many, against with few", "of the speed", [(found[1][0] / found[0][0], 1.0)], "no loss")
    setting = f"{SENT:,} events in requests of {BATCH}, with {SHALLOW:,} and with {events:,} stored before."
    return Result("depth", setting, [*rates, kept, *sizes])


def _trial(installation: Installation, server: Server, sql: Sql, seed: int) -> tuple[float, float]:
    before = bare.last_batch(sql)
    loaded = run(Load(server.address, SENT, BATCH, CONNECTIONS, Span.live(), seed))
    installation.settle(sql)
    return loaded.per_second, bare.copied_rows_per_second(sql, before, most=200_000)


def _fill(sql: Sql, depth: int) -> None:
    stored = int(one(sql, "SELECT count(*) FROM usage_events"))
    sql.execute("SET synchronous_commit = off")
    sql.execute(_SAMPLED, {"sample": SAMPLE})
    for first in range(stored, depth, CHUNK):
        sql.execute(_FILL, {"first": first, "last": min(first + CHUNK, depth), "sample": SAMPLE})
    sql.execute("DROP TABLE sampled_events")
    sql.execute("VACUUM ANALYZE usage_events, event_identities")


_SAMPLED = """
    CREATE UNLOGGED TABLE sampled_events AS
    SELECT row_number() OVER () - 1 AS number, e.* FROM (SELECT * FROM usage_events LIMIT %(sample)s) e
"""
_FILL = """
    WITH batch AS (
        INSERT INTO ingest_batches (events, recorded_at, rolled_up_at)
        VALUES (%(last)s - %(first)s, now(), now()) RETURNING id, recorded_at
    ), filled AS MATERIALIZED (
        SELECT gen_random_uuid() AS id, now() - random() * interval '27 days' AS occurred_at, batch.id AS batch_id,
               batch.recorded_at, place - %(first)s AS position, 'fill_' || place AS idempotency_key, place
        FROM generate_series(%(first)s::bigint, %(last)s - 1) AS place, batch
    ), claimed AS (
        INSERT INTO event_identities (id, content, batch_id, occurred_at)
        SELECT id, place, batch_id, occurred_at FROM filled
    )
    INSERT INTO usage_events (id, batch_id, position, team_id, user_id, event_type, event_name, quantity, unit,
                              metadata, idempotency_key, occurred_at, recorded_at)
    SELECT f.id, f.batch_id, f.position, s.team_id, s.user_id, s.event_type, s.event_name, s.quantity, s.unit,
           s.metadata, f.idempotency_key, f.occurred_at, f.recorded_at
    FROM filled f JOIN sampled_events s ON s.number = f.place %% %(sample)s
"""
