"""How long `GET /api/usage/report` takes, one request after the other.

Each report is about every metric: usage, cost with its steps and projection of the billing period, and the
history that was asked for. The floor is a round trip of the same server with one `SELECT 1`
(`GET /health/ready`); it is measured between the reports.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.client import answers, get
from benchmarks.installation import Server
from benchmarks.load import WrongAnswer
from benchmarks.results import Figure, percentile
from benchmarks.traffic import HOT, TEAMS, first_day

FLOOR = "GET /health/ready"
REQUESTS = 200
FEWEST = 20
WARM_UP = 3


class _Kind(NamedTuple):
    """A kind of report: what it is called, whose, and the history it has."""

    label: str
    team: Callable[[], str]
    history: str


def figures(server: Server, *, requests: int = REQUESTS, most_seconds: float = 180.0) -> list[Figure]:
    """The median and the 99th percentile of every kind of report, of as many requests as fit into the time."""
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    kinds = _kinds()
    until = time.monotonic() + most_seconds
    for number in range(WARM_UP + requests):
        if number >= WARM_UP + FEWEST and time.monotonic() > until:
            break
        for kind in kinds:
            pair = tuple(_milliseconds(server, [_path(kind), "/health/ready"]))
            if number >= WARM_UP:
                taken[kind.label].append((pair[0], pair[1]))
    return [figure for label, pairs in taken.items() for figure in _figures(label, pairs)]


def _kinds() -> Sequence[_Kind]:
    source = random.Random(1)
    daily, hourly = "window=day", f"window=hour&from={first_day()}"
    return [
        _Kind("report by day, hot team", lambda: HOT, daily),
        _Kind("report by day, any team", lambda: source.choice(TEAMS), daily),
        _Kind("report by hour over four weeks, hot team", lambda: HOT, hourly),
        _Kind("report by hour over four weeks, any team", lambda: source.choice(TEAMS), hourly),
    ]


def _path(kind: _Kind) -> str:
    return f"/api/usage/report?team_id={kind.team()}&{kind.history}"


def _milliseconds(server: Server, paths: Sequence[str]) -> Iterator[float]:
    for answer in answers(server.address, iter([get(path) for path in paths])):
        if answer.status != 200:
            raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")
        yield answer.seconds * 1e3


def _figures(label: str, pairs: Sequence[tuple[float, float]]) -> Iterator[Figure]:
    report, floor = zip(*pairs, strict=True)
    for percent in (50, 99):
        found = [(percentile(report, percent), percentile(floor, percent))]
        yield Figure(f"{label}, p{percent} of {len(pairs)}", "ms", found, FLOOR)
