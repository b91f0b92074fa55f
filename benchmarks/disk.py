"""Bytes on disk per event, table by table with its indexes.

The floor is what the same rows take in a table without indexes that was written in one go.
"""

from collections.abc import Sequence

from benchmarks.installation import Sql, one
from benchmarks.results import Figure

TABLES = ("usage_events", "event_identities", "ingest_batches", "usage_aggregates", "usage_aggregate_values")
SAMPLE = 50_000
FLOOR = "the rows alone"

_SIZE = """
    SELECT sum(pg_total_relation_size(oid))::bigint FROM (
        SELECT %(table)s::regclass::oid AS oid
        UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass
    ) parts
"""


def figures(sql: Sql) -> list[Figure]:
    """A figure per table that holds anything, and their sum."""
    events = int(one(sql, "SELECT count(*) FROM usage_events"))
    sizes = {table: _sizes(sql, table, events) for table in TABLES}
    sizes["all of it"] = _total(list(sizes.values()))
    return [Figure(f"disk: {table}", "bytes/event", [size], FLOOR) for table, size in sizes.items() if size[1]]


def _total(sizes: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(size for size, _ in sizes), sum(floor for _, floor in sizes)


def _sizes(sql: Sql, table: str, events: int) -> tuple[float, float]:
    """Bytes per event of a table, and of its rows alone."""
    rows = int(one(sql, f"SELECT count(*) FROM {table}"))
    sql.execute("DROP TABLE IF EXISTS sampled_rows")
    sql.execute(f"CREATE TABLE sampled_rows AS SELECT * FROM {table} LIMIT {SAMPLE}")
    sampled = int(one(sql, "SELECT count(*) FROM sampled_rows"))
    floor = int(one(sql, "SELECT pg_table_size('sampled_rows')")) / max(sampled, 1) * rows
    sql.execute("DROP TABLE sampled_rows")
    row = sql.execute(_SIZE, {"table": table}).fetchone()
    assert row is not None
    return row[0] / events, floor / events
