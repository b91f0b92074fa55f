"""Durable ingest with few events stored and with many, and what an event takes on disk then.

What is stored already is put there with SQL: events like those that are sent, of four weeks, in the order of time, with
their identities, as if they had been rolled up. Two installations are measured in turn, each while the other one's
server does not run.

    python -m benchmarks.depth 50000000 FOLDER [PAUSE]

fills one beforehand and leaves it in the folder, where `python -m benchmarks depth` finds it.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import bare, disk
from benchmarks.installation import Installation, Sql, one
from benchmarks.load import Load, run
from benchmarks.results import Figure, Result
from benchmarks.traffic import Span

SHALLOW = 1_000_000
ROUNDS = 3
SENT = 500_000
"""Events of one round."""

SAMPLE = 10_000
CHUNK = 100_000
BATCH = 500
CONNECTIONS = 8


def measure(events: int, folder: Path) -> Result:
    """Send events where a million are stored, and where `events` are."""
    with _filled(folder, SHALLOW) as few, _filled(folder, events) as many:
        rounds = [(_trial(few), _trial(many)) for _ in range(ROUNDS)]
        with many.sql() as sql:
            sizes = [figure for figure in disk.figures(sql) if "aggregate" not in figure.what]
    rates = [
        Figure(f"{depth:,} stored", "events/s", [each[place] for each in rounds], "bare COPY of the rows")
        for place, depth in enumerate((SHALLOW, events))
    ]
    kept = [(deep[0] / shallow[0], 1.0) for shallow, deep in rounds]
    sent = f"{ROUNDS} rounds of {SENT:,} events in requests of {BATCH}"
    setting = f"{sent}, with {SHALLOW:,} and with {events:,} stored before."
    return Result(
        "depth", setting, [*rates, Figure("with many, against with few", "of the speed", kept, "no loss"), *sizes]
    )


@contextmanager
def _filled(folder: Path, depth: int, pause: float = 0.0) -> Iterator[Installation]:
    """An installation with so many events: one that was filled beforehand, or a new one.

    Between the steps of filling it, the machine has `pause` seconds for other things.
    """
    kept = folder / f"tallystick-depth-{depth}"
    with Installation.kept(kept) if kept.exists() else Installation.fresh(folder) as installation:
        _fill(installation, depth, pause)
        yield installation


def _trial(installation: Installation) -> tuple[float, float]:
    with installation.sql() as sql, installation.serving() as server:
        installation.settle(sql)
        before = bare.last_batch(sql)
        loaded = run(Load(server.address, SENT, BATCH, CONNECTIONS, Span.live(), seed=before + 2))
        installation.settle(sql)
        return loaded.per_second, bare.copied_rows_per_second(sql, before, most=200_000)


def _fill(installation: Installation, depth: int, pause: float) -> None:
    with installation.sql() as sql:
        if one(sql, _STORED) >= depth:
            return
        with installation.serving() as server:
            run(Load(server.address, SAMPLE, BATCH, CONNECTIONS, Span.history(), 1))  # makes the months, too
            installation.settle(sql)
        _put(sql, depth, pause)


def _put(sql: Sql, depth: int, pause: float) -> None:
    stored = one(sql, _STORED)
    sql.execute("SET synchronous_commit = off")
    sql.execute(_SAMPLED, {"sample": SAMPLE})
    for first in range(stored, depth, CHUNK):
        last = min(first + CHUNK, depth)
        sql.execute(_FILL, {"first": first, "last": last, "sample": SAMPLE, "depth": depth})
        time.sleep(pause)
    sql.execute("DROP TABLE sampled_events")
    sql.execute("VACUUM ANALYZE usage_events, event_identities")


_STORED = "SELECT coalesce(sum(events), 0)::bigint FROM ingest_batches"
_SAMPLED = """
    CREATE UNLOGGED TABLE sampled_events AS
    SELECT row_number() OVER () - 1 AS number, e.* FROM (SELECT * FROM usage_events LIMIT %(sample)s) e
"""
_FILL = """
    WITH batch AS (
        INSERT INTO ingest_batches (events, recorded_at, rolled_up_at)
        VALUES (%(last)s - %(first)s, now(), now()) RETURNING id, recorded_at
    ), filled AS MATERIALIZED (
        SELECT gen_random_uuid() AS id,
               now() - (1 - place / %(depth)s::float8) * interval '27 days' AS occurred_at, batch.id AS batch_id,
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


if __name__ == "__main__":
    folder = Path(sys.argv[2]) / f"tallystick-depth-{sys.argv[1]}"
    folder.mkdir(mode=0o755, exist_ok=True)
    with _filled(folder.parent, int(sys.argv[1]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0):
        pass
