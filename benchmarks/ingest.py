"""Durable ingest over HTTP, in requests of 1, 100 and 500 events.

The ceiling is a bare COPY of the same rows, from Python values and from ready text; that of a request with one
event is also the least that the server does for any request (`GET /health`), and alone on the machine, a bare
INSERT and its commit.
"""

import time
from collections.abc import Sequence
from itertools import count, repeat
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import bare
from benchmarks.client import answers, get
from benchmarks.installation import Installation, Server, Sql
from benchmarks.load import Load, Loaded, run
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.traffic import Span

ROUNDS = 3
MOST_SECONDS = 60.0
WARM_UP = 0.1
"""Share of a round's events that are sent before the first one."""

ALONE_REQUESTS = 200


class Shape(NamedTuple):
    """How events are sent, and what share of a round's events."""

    batch: int
    connections: int
    share: float


SINGLE = Shape(1, 64, 0.1)
SHAPES = (SINGLE, Shape(100, 8, 0.5), Shape(500, 8, 1.0))


class _Trial(NamedTuple):
    """A load, and how many of its rows a second were copied from Python values and from text."""

    loaded: Loaded
    copied_rows: float
    copied_text: float


class _Requests(NamedTuple):
    """Requests that do next to nothing."""

    per_second: float
    latencies: Sequence[float]


class _Round(NamedTuple):
    """Each shape once, requests to /health, and events and INSERTs one at a time."""

    trials: Sequence[_Trial]
    health: _Requests
    alone: Sequence[float]
    inserts: Sequence[float]


def measure(events: int, folder: Path, *, rounds: int = ROUNDS) -> Result:
    """Send `events` a round in requests of 500, half as many in requests of 100, and a tenth one by one."""
    with Installation.fresh(folder) as installation, installation.sql() as sql, installation.serving() as server:
        bench = _Bench(installation, server, sql)
        bench.warm_up(events)
        found = [bench.round(events) for _ in range(rounds)]
    setting = f"{rounds} rounds; {events:,} events each in requests of 500, half of that in 100, a tenth in 1."
    return Result("ingest", setting, _figures(found), _remarks(found))


class _Bench:
    """Runs loads against one server."""

    def __init__(self, installation: Installation, server: Server, sql: Sql) -> None:
        self._installation = installation
        self._server = server
        self._sql = sql
        self._seeds = count(1)

    def warm_up(self, events: int) -> None:
        """Each shape, for a moment."""
        for shape in SHAPES:
            self._load(shape, int(events * shape.share * WARM_UP))

    def round(self, events: int) -> _Round:
        """Everything once."""
        trials = [self._trial(shape, int(events * shape.share)) for shape in SHAPES]
        health = self._health(int(events * SINGLE.share), SINGLE.connections)
        alone = self._load(Shape(1, 1, 0), ALONE_REQUESTS).latencies
        return _Round(trials, health, alone, bare.insert_seconds(self._sql, ALONE_REQUESTS))

    def _trial(self, shape: Shape, events: int) -> _Trial:
        self._installation.settle(self._sql)
        before = bare.last_batch(self._sql)
        loaded = self._load(shape, events)
        self._installation.settle(self._sql)
        return _Trial(loaded, bare.copied_rows_per_second(self._sql, before), bare.copied_per_second(self._sql, before))

    def _load(self, shape: Shape, events: int) -> Loaded:
        seed = next(self._seeds)
        return run(Load(self._server.address, events, shape.batch, shape.connections, Span.live(), seed, MOST_SECONDS))

    def _health(self, requests: int, connections: int) -> _Requests:
        began = time.perf_counter()
        found = answers(self._server.address, repeat(get("/health"), requests), connections=connections)
        latencies = [answer.seconds for answer in found]
        return _Requests(requests / (time.perf_counter() - began), latencies)


def _figures(found: Sequence[_Round]) -> list[Figure]:
    single, *batches = (
        Figure(_label(shape), "events/s", [_rates(each.trials[place]) for each in found], "bare COPY of the rows")
        for place, shape in enumerate(SHAPES)
    )
    text = [(each.trials[-1].loaded.per_second, each.trials[-1].copied_text) for each in found]
    health = "GET /health, as many connections"
    requests = [(each.trials[0].loaded.per_second, each.health.per_second) for each in found]
    alone = [(percentile(each.alone, 50) * 1e3, percentile(each.inserts, 50) * 1e3) for each in found]
    return [
        single,
        Figure("the same", "requests/s", requests, health),
        *(Figure(f"its latency, p{p}", "ms", [_latency(each, p) for each in found], health) for p in (50, 99)),
        Figure("1 event a request, 1 connection, p50", "ms", alone, "bare INSERT and commit"),
        *batches,
        Figure("the same", "events/s", text, "bare COPY of the rows as ready text"),
    ]


def _label(shape: Shape) -> str:
    return f"{shape.batch:,} event{'s'[: shape.batch > 1]} a request, {shape.connections} connections"


def _rates(trial: _Trial) -> tuple[float, float]:
    return trial.loaded.per_second, trial.copied_rows


def _latency(each: _Round, percent: int) -> tuple[float, float]:
    measured, floor = each.trials[0].loaded.latencies, each.health.latencies
    return percentile(measured, percent) * 1e3, percentile(floor, percent) * 1e3


def _remarks(found: Sequence[_Round]) -> list[str]:
    shares = [median(each.trials[place].loaded.generator_share for each in found) for place in range(len(SHAPES))]
    largest = found[0].trials[-1].loaded
    size = largest.sent_bytes / largest.events
    used = ", ".join(f"{share:.0%} of a core ({s.batch:,})" for share, s in zip(shares, SHAPES, strict=True))
    return [
        f"An event is {number(size)} bytes of JSON. The server rolls usage up meanwhile.",
        f"The load generator runs on the same machine and used {used}.",
    ]
