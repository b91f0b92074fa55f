"""What open dashboards cost the server beside ingest, and how soon they show an event.

The size is how many are open.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from benchmarks.alerts import Steady, steady
from benchmarks.installation import Broken, Installation, Server
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.traffic import TEAMS, catalogue
from benchmarks.volume import ROLLUP_PAUSE

SECONDS = 20.0
WARM_UP = 5.0
PROBES = 30
PAUSE = 0.3
"""Seconds between two events whose arrival is timed."""

PATIENCE = 30.0
PROBE = "probe"


@dataclass(slots=True)
class Seen:
    """What the streams told.

    Attributes:
        messages: how many, on all of them.
        counted: of the team that is probed, by the number of its events when that was first shown.
    """

    messages: int = 0
    counted: dict[int, float] = field(default_factory=dict)


def measure(dashboards: int, folder: Path, *, seconds: float = SECONDS, probes: int = PROBES) -> Result:
    """Keep so many dashboards open while events arrive."""
    with Installation.fresh(folder, _billing_file()) as installation, installation.serving() as server:
        with steady(server) as load:
            time.sleep(min(WARM_UP, seconds))
            without = _cores(server, seconds)
            found = asyncio.run(_with_dashboards(server, dashboards, seconds, probes))
        _raise(load)
    with_them, latencies, seen = found
    setting = (
        f"{dashboards:,} streams on {len(TEAMS)} teams, while {number(load.per_second)} events a second arrived; "
        f"{number(seen.messages / seconds)} messages a second."
    )
    figures = [
        Figure("the server's process with them", "cores", [(with_them, without)], "without them"),
        *(
            Figure(
                f"event sent to shown, p{percent}",
                "s",
                [(percentile(latencies, percent), ROLLUP_PAUSE * percent / 100)],
                "the pause between two roll-ups, if all else took no time",
            )
            for percent in (50, 99)
        ),
    ]
    return Result("live", setting, figures)


def _billing_file() -> str:
    source = catalogue()
    start = next(line for line in source.splitlines() if line.startswith("  northwind:")).partition(":")[2]
    return f"{source}  {PROBE}:{start}\n"


def _raise(load: Steady) -> None:
    if load.problem is not None:
        raise load.problem


def _cores(server: Server, seconds: float) -> float:
    """How many cores the server's process uses meanwhile."""
    began, before = time.monotonic(), _cpu(server)
    time.sleep(seconds)
    return (_cpu(server) - before) / (time.monotonic() - began)


def _cpu(server: Server) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


async def _with_dashboards(
    server: Server, dashboards: int, seconds: float, probes: int
) -> tuple[float, list[float], Seen]:
    """Cores that the server uses, how long events take to be shown, and what was told in the meantime."""
    seen, teams = Seen(), list(TEAMS)
    async with _watching(server, [PROBE, *(teams[place % len(teams)] for place in range(dashboards - 1))], seen):
        await asyncio.sleep(2 * ROLLUP_PAUSE)
        seen.messages = 0
        cores = await asyncio.to_thread(_cores, server, seconds)
        told = seen.messages
        latencies = [await _probe(server, number, seen) for number in range(1, probes + 1)]
        seen.messages = told
    return cores, latencies, seen


@asynccontextmanager
async def _watching(server: Server, teams: list[str], seen: Seen) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_watch(server, team, seen)) for team in teams]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(server: Server, team: str, seen: Seen) -> None:
    """One dashboard."""
    reader, writer = await asyncio.open_connection(*server.address, limit=2**20)
    writer.write(f"GET /api/live?team_id={team} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                seen.messages += 1
                if team == PROBE and b'"metrics"' in line:
                    told = msgspec.json.decode(line[6:])
                    events = max(int(each["events"]) for each in told["metrics"])
                    seen.counted.setdefault(events, time.monotonic())
    finally:
        writer.close()


async def _probe(server: Server, number: int, seen: Seen) -> float:
    """Seconds from sending the team's next event until a stream shows so many."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(*server.address)
    event = {"team_id": PROBE, "event_name": "api_call", "quantity": 1, "timestamp": _now(),
             "idempotency_key": f"probe-{number}"}  # fmt: skip
    body = msgspec.json.encode(event)
    head = (
        "POST /api/usage/track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    if b'"accepted":1' not in answer:
        raise Broken(f"an event was not taken: {answer[:300]!r}")
    while (shown := _shown(seen, number)) is None:
        if time.monotonic() - began > PATIENCE:
            raise Broken(f"an event is not shown after {PATIENCE:.0f} s")
        await asyncio.sleep(0.005)
    await asyncio.sleep(PAUSE)
    return shown - began


def _shown(seen: Seen, events: int) -> float | None:
    return min((at for counted, at in seen.counted.items() if counted >= events), default=None)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
