"""The ceilings that PostgreSQL sets: the same rows again, with nothing around them."""

import time
from io import BytesIO

from benchmarks.installation import Sql, one


def last_batch(sql: Sql) -> int:
    """The id of the newest batch of events."""
    return int(one(sql, "SELECT coalesce(max(id), 0) FROM ingest_batches"))


def copied_per_second(sql: Sql, after_batch: int) -> float:
    """How many rows a second one COPY brings into a logged table without indexes.

    The rows are the events of the batches after this one, read out in COPY's text format beforehand; what
    counts is one connection, one COPY and its commit.
    """
    rows = _rows(sql, after_batch)
    _create_table(sql)
    with sql.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("COPY bare_events FROM STDIN") as copy:
            copy.write(rows)
        seconds = time.perf_counter() - began
        return cursor.rowcount / seconds


def copied_rows_per_second(sql: Sql, after_batch: int, *, most: int = 1_000_000) -> float:
    """The same from rows as Python values, which the driver writes out on the way: what a Python program can do."""
    rows = sql.execute(
        f"SELECT {_AS_VALUES} FROM usage_events WHERE batch_id > %s LIMIT %s", (after_batch, most)
    ).fetchall()
    _create_table(sql)
    with sql.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("COPY bare_events FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        seconds = time.perf_counter() - began
        return cursor.rowcount / seconds


def insert_seconds(sql: Sql, times: int) -> list[float]:
    """How long it takes to insert one event and commit, one after the other, into that table."""
    _create_table(sql)
    return [_insert(sql) for _ in range(times)]


def _insert(sql: Sql) -> float:
    began = time.perf_counter()
    sql.execute(_INSERT)
    return time.perf_counter() - began


_AS_VALUES = """id, batch_id, position, team_id, user_id, event_type, event_name, quantity, unit, metadata::text,
    idempotency_key, occurred_at, recorded_at, amends"""

_INSERT = """
    INSERT INTO bare_events (id, batch_id, position, team_id, event_name, quantity, idempotency_key, occurred_at,
                             recorded_at, metadata)
    VALUES (gen_random_uuid(), 1, 0, 'northwind', 'api_call', 1, 'req_1', now(), now(), '{"endpoint": "/v1/jobs"}')
"""


def _create_table(sql: Sql) -> None:
    sql.execute("DROP TABLE IF EXISTS bare_events")
    sql.execute("CREATE TABLE bare_events (LIKE usage_events)")


def _rows(sql: Sql, after_batch: int) -> bytes:
    text = BytesIO()
    statement = "COPY (SELECT * FROM usage_events WHERE batch_id > %s ORDER BY batch_id, position) TO STDOUT"
    with sql.cursor() as cursor, cursor.copy(statement, (after_batch,)) as copy:
        for part in copy:
            text.write(part)
    return text.getvalue()
