"""How long it takes from an event that crosses a limit to the notification in the outbox, under load.

While 5,000 events a second arrive for 210 teams that all have alerts, teams of their own cross a limit with one event
each. 100,000 more alerts are about teams that are idle. The size is how many cross.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg

from benchmarks.client import answers, post
from benchmarks.installation import Broken, Installation, Server, Sql
from benchmarks.load import TRACK, WrongAnswer
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.traffic import TEAMS, Traffic, catalogue
from benchmarks.volume import ROLLUP_PAUSE
from tallystick.alerts.service import Alerts
from tallystick.billing.service import Billing
from tallystick.core.clock import SystemClock
from tallystick.core.settings import Settings
from tallystick.metering.service import Metering
from tallystick.storage.database import Database

PER_SECOND = 5000
BATCH = 100
CONNECTIONS = 4
IDLE_TEAMS = 10_000
ALERTS_OF_IDLE = 10
PAUSE = 0.2
"""Seconds between two crossings."""

WARM_UP = 5.0
PATIENCE = 60.0
LOOK_EVERY = 0.01
IDLE_ROUNDS = 100


def measure(crossings: int, folder: Path, *, idle_teams: int = IDLE_TEAMS, warm_up: float = WARM_UP) -> Result:
    """Let so many teams cross a limit, one after the other."""
    probes = [f"probe_{place:05}" for place in range(crossings)]
    with Installation.fresh(folder, _billing_file(probes)) as installation, installation.sql() as sql:
        _define(sql, probes, idle_teams)
        idle, bare = asyncio.run(_idle_rounds(installation.database_url))
        with installation.serving() as server, steady(server) as load:
            time.sleep(warm_up)
            latencies = _cross(server, installation.database_url, probes)
        problem = load.problem
    if problem is not None:
        raise problem
    setting = (
        f"{crossings:,} crossings, while {number(load.per_second)} events a second arrived for {len(TEAMS)} teams "
        f"with 3 alerts each; {idle_teams * ALERTS_OF_IDLE:,} alerts on {idle_teams:,} idle teams."
    )
    figures = [
        Figure(
            f"event sent to notification queued, p{percent}",
            "s",
            [(percentile(latencies, percent), ROLLUP_PAUSE * percent / 100)],
            "the pause between two roll-ups, if all else took no time",
        )
        for percent in (50, 99)
    ]
    figures.append(Figure("a round of evaluation while all are idle", "ms", [(idle, bare)], "a bare transaction"))
    return Result("alerts", setting, figures)


def _billing_file(probes: list[str]) -> str:
    source = catalogue()
    start = next(line for line in source.splitlines() if line.startswith("  northwind:")).partition(":")[2]
    return source + "".join(f"  {probe}:{start}\n" for probe in probes)


_ALERTS = """
    WITH wanted AS (
        INSERT INTO usage_alerts (team_id, metric, currency, threshold_value, type, name, kind, created_at, updated_at)
        SELECT team_id, %(metric)s, %(currency)s, %(threshold)s, 'soft', 'benchmark', %(kind)s, now(), now()
        FROM unnest(%(teams)s::text[]) AS team_id, generate_series(1, %(times)s)
        RETURNING id
    )
    INSERT INTO usage_alert_steps (alert_id, position, percent, type, created_at)
    SELECT id, 0, 100, 'soft', now() FROM wanted
"""


def _define(sql: Sql, probes: list[str], idle_teams: int) -> None:
    """Alerts on the teams of the traffic, that are never crossed; on those that cross; and on idle ones."""
    idle = [f"idle_{place:05}" for place in range(idle_teams)]
    sql.execute(
        "INSERT INTO teams (id, name, created_at) SELECT id, id, now() FROM unnest(%(ids)s::text[]) AS id",
        {"ids": idle},
    )
    for teams, kind, metric, currency, threshold, times in (
        (list(TEAMS), "usage", "api_calls", None, 10**15, 1),
        (list(TEAMS), "cost", None, "USD", 10**15, 1),
        (list(TEAMS), "projected_cost", None, "USD", 10**15, 1),
        (probes, "usage", "api_calls", None, 1, 1),
        (idle, "usage", "api_calls", None, 1, ALERTS_OF_IDLE),
    ):
        values = {
            "teams": teams, "kind": kind, "metric": metric, "currency": currency, "threshold": threshold,
            "times": times,
        }  # fmt: skip
        sql.execute(_ALERTS, values)
    sql.execute("ANALYZE usage_alerts, usage_alert_steps, teams")


async def _idle_rounds(url: str) -> tuple[float, float]:
    """Milliseconds of a round with nothing to look at, and of a transaction with one statement."""
    clock = SystemClock()
    async with (
        await Database.open(Settings(database_url=url)) as database,
        Metering.open(database, Settings(), clock) as metering,
    ):
        alerts = Alerts.open(database, metering, Billing.open(database, metering, clock), clock)
        while (await alerts.evaluate()).more:
            pass
        rounds, bare = [], []
        for _ in range(IDLE_ROUNDS):
            began = time.perf_counter()
            await alerts.evaluate()
            between = time.perf_counter()
            async with database.transaction() as tx:
                await tx.execute("SELECT 1")
            rounds.append(between - began)
            bare.append(time.perf_counter() - between)
        return percentile(rounds, 50) * 1000, percentile(bare, 50) * 1000


@dataclass(slots=True)
class Steady:
    """Live traffic at a steady pace, sent by a thread."""

    server: Server
    stopped: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    began: float = 0.0
    seconds: float = 0.0
    problem: Exception | None = None

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.sent / self.seconds

    def run(self) -> None:
        """Send until it is stopped."""
        self.began = time.monotonic()
        try:
            for answer in answers(self.server.address, self._requests(), connections=CONNECTIONS):
                if answer.status != 200:
                    raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")
        except Exception as problem:  # noqa: BLE001 - told by whoever waits for this thread
            self.problem = problem
        self.seconds = time.monotonic() - self.began

    def _requests(self) -> Iterator[bytes]:
        traffic = Traffic(None, PER_SECOND * 3600, seed=1)
        while not self.stopped.is_set():
            yield post(TRACK, b"[" + b",".join(traffic.events(BATCH)) + b"]")
            self.sent += BATCH
            ahead = self.began + self.sent / PER_SECOND - time.monotonic()
            if ahead > 0:
                self.stopped.wait(ahead)


@contextmanager
def steady(server: Server) -> Iterator[Steady]:
    """Live traffic while the block runs."""
    load = Steady(server)
    thread = threading.Thread(target=load.run, daemon=True)
    thread.start()
    try:
        yield load
    finally:
        load.stopped.set()
        thread.join()


def _cross(server: Server, url: str, probes: list[str]) -> list[float]:
    """Seconds from sending each team's event until its notification is seen.

    Raises:
        Broken: one does not come within a minute.
    """
    sent: dict[str, float] = {}
    found: dict[str, float] = {}
    sender = threading.Thread(target=_send, args=(server, probes, sent), daemon=True)
    sender.start()
    until = time.monotonic() + PAUSE * len(probes) + PATIENCE
    with psycopg.connect(url, autocommit=True) as connection:
        while len(found) < len(probes):
            rows = connection.execute("SELECT team_id FROM notifications WHERE kind = 'alert.exceeded'").fetchall()
            now = time.monotonic()
            for (team_id,) in rows:
                found.setdefault(team_id, now)
            if now > until:
                raise Broken(f"{len(probes) - len(found)} of {len(probes)} crossings were not told")
            time.sleep(LOOK_EVERY)
    sender.join()
    return [found[probe] - sent[probe] for probe in probes]


def _send(server: Server, probes: list[str], sent: dict[str, float]) -> None:
    def requests() -> Iterator[bytes]:
        for probe in probes:
            sent[probe] = time.monotonic()
            yield post(TRACK, msgspec.json.encode({"team_id": probe, "event_name": "api_call", "quantity": 1}))

    pauses = answers(server.address, requests(), connections=1)
    for answer in pauses:
        if b'"accepted":1' not in answer.body:
            raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")
        time.sleep(PAUSE)
