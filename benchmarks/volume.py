"""A month of events, sent through the API: what it costs in memory, time behind and disk, and how reports do on it."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks import disk, reports
from benchmarks.installation import Installation, one
from benchmarks.load import Load, Loaded, WrongAnswer, run
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.traffic import Span
from benchmarks.watching import Watched, resident, watching

LIMIT = 300
"""MiB that the server's process promises to stay under."""

ROLLUP_PAUSE = 0.5
"""Seconds between two roll-ups, by default."""

CONNECTIONS = 4
BATCH = 1000
REPORT_SECONDS = 180.0


def measure(events: int, folder: Path, *, report_requests: int = reports.REQUESTS) -> Result:
    """Send the events in requests of 1,000 and look at the server meanwhile; then ask for reports."""
    with Installation.fresh(folder) as installation, installation.sql() as sql, installation.serving() as server:
        installation.settle(sql)
        before = resident(server)
        with watching(installation, server) as watched:
            loaded = run(Load(server.address, events, BATCH, CONNECTIONS, Span.history(), 1, 3 * 3600))
        after = resident(server)
        settled = installation.settle(sql, patience=3 * 3600)
        _check(loaded, int(one(sql, "SELECT count(*) FROM usage_events")))
        with watching(installation, server) as reporting:
            latencies = reports.figures(server, requests=report_requests, most_seconds=REPORT_SECONDS)
        memory = {
            "before": before,
            "highest while ingesting": max(watched.resident),
            "at the end of that": after,
            "highest while reporting": max(reporting.resident),
        }
        found = [*_memory(memory), *_behind(watched), *disk.figures(sql), *latencies]
    return Result(f"volume {events:,}", _setting(loaded), found, _remarks(loaded, settled))


def _check(loaded: Loaded, stored: int) -> None:
    if stored != loaded.accepted:
        raise WrongAnswer(f"{loaded.accepted:,} events were acknowledged, {stored:,} are stored")


def _setting(loaded: Loaded) -> str:
    return (
        f"{loaded.events:,} events over four weeks, in requests of {BATCH:,} on {CONNECTIONS} connections, sent as "
        f"fast as they were taken: {number(loaded.per_second)} a second for {loaded.seconds:,.0f} s."
    )


def _memory(seen: Mapping[str, int]) -> list[Figure]:
    return [Figure(f"memory: {when}", "MiB", [(size / 2**20, LIMIT)], "the promise") for when, size in seen.items()]


def _behind(watched: Watched) -> list[Figure]:
    """The floor is a roll-up that takes no time: then the oldest batch is between 0 and one pause old."""
    return [
        Figure(
            f"roll-up behind while ingesting, p{percent}",
            "s",
            [(percentile(watched.behind, percent), ROLLUP_PAUSE * percent / 100)],
            "if it took no time",
        )
        for percent in (50, 99)
    ]


def _remarks(loaded: Loaded, settled: float) -> list[str]:
    return [
        f"{loaded.accepted:,} were new and are stored, {loaded.duplicates:,} were duplicates.",
        f"Everything was rolled up {settled:.1f} s after the last answer.",
        f"The load generator used {loaded.generator_share:.0%} of a core.",
    ]
