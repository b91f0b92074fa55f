"""How long a check takes at 1,000 a second, idle and while 5,000 events a second arrive, and reserving.

A check is about one of 210 teams, as often as it has traffic, and one of three metrics; each team has limits. The floor
of its latency is `GET /health` at the same rate. The floor of reserving is the least that PostgreSQL can do to keep a
number under another: one UPDATE of one row and a commit, by one connection.
"""

import random
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec

from benchmarks.client import Answer, answers, get, post
from benchmarks.installation import Installation, Server, Sql
from benchmarks.load import TRACK, Load, WrongAnswer, run
from benchmarks.paced import beside, paced
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.traffic import HOT, TEAMS, WEIGHTS, Span, Traffic

RATE = 1000
EVENTS_PER_SECOND = 5000
BATCH = 100
METRICS = ("api_calls", "tokens", "egress")
STORED = 100_000
CLIENTS = 64
RESERVED_SHARE = 10
"""One reservation is measured for so many checks."""


def measure(checks: int, folder: Path, *, stored: int = STORED) -> Result:
    """Send so many checks at a steady rate, twice, and reserve a tenth as often."""
    with Installation.fresh(folder) as installation, installation.sql() as sql, installation.serving() as server:
        run(Load(server.address, stored, 1000, 4, Span.history(), 1))
        installation.settle(sql)
        _limit(server)
        _warm_up(server)
        health = _seconds(server, (get("/health") for _ in range(checks)))
        unanswered: list[Answer] = []
        idle = _seconds(server, _checks(checks, seed=1), unanswered)
        with beside(_arrive, server.address):
            busy = _seconds(server, _checks(checks, seed=2), unanswered)
        pairs = max(checks // RESERVED_SHARE, 1)
        reserved = [(_reserve(server, pairs), _update(sql, pairs))]
    figures = [
        *(_latency(f"a check, p{percent}", idle, health, percent) for percent in (50, 99)),
        *(_latency(f"while events arrive, p{percent}", busy, health, percent) for percent in (50, 99)),
        Figure(f"reserved and committed, {CLIENTS} clients, one team", "a second", reserved, "UPDATE of a row, commit"),
    ]
    setting = (
        f"{checks:,} checks at {RATE:,} a second of {len(TEAMS)} teams and {len(METRICS)} metrics, {stored:,} events "
        f"stored; then the same while {EVENTS_PER_SECOND:,} events a second arrive in requests of {BATCH}."
    )
    remarks = [
        f"Of {2 * checks:,} checks {len(unanswered):,} were answered by policy, because usage was not read in time.",
        f"The slowest check took {number(max(idle) * 1000)} ms, and {number(max(busy) * 1000)} ms under load.",
    ]
    return Result("enforcement", setting, figures, remarks)


def _latency(what: str, measured: list[float], floor: list[float], percent: int) -> Figure:
    found = (percentile(measured, percent) * 1000, percentile(floor, percent) * 1000)
    return Figure(what, "ms", [found], "GET /health, as often")


def _seconds(server: Server, requests: Iterator[bytes], unanswered: list[Answer] | None = None) -> list[float]:
    """How long each took; those that were answered without looking are noted."""
    seconds = []
    for answer in paced(server.address, requests, per_second=RATE):
        seconds.append(_checked(answer).seconds)
        if b'"unavailable"' in answer.body and unanswered is not None:
            unanswered.append(answer)
    return seconds


def _checked(answer: Answer) -> Answer:
    if answer.status not in (200, 201, 204):
        raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")
    return answer


def _limit(server: Server) -> None:
    """Give each team limits that it does not reach."""
    limits = [
        {"plan": "standard", "metric": metric, "type": kind, "limit": "1e15"}
        for metric in METRICS
        for kind in ("soft", "hard")
    ]
    sent = (post("/api/usage/limits", msgspec.json.encode(each)).replace(b"POST", b"PUT", 1) for each in limits)
    for answer in answers(server.address, sent):
        _checked(answer)


def _warm_up(server: Server) -> None:
    """Ask about every team and metric once, one after the other."""
    for answer in answers(server.address, (_check(team, metric) for team in TEAMS for metric in METRICS)):
        if answer.status != 200:
            raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")


def _checks(count: int, *, seed: int) -> Iterator[bytes]:
    source = random.Random(seed)
    for team in source.choices(TEAMS, WEIGHTS, k=count):
        yield _check(team, source.choice(METRICS))


def _check(team: str, metric: str) -> bytes:
    return post("/api/usage/check", msgspec.json.encode({"team_id": team, "metric": metric, "quantity": 1}))


def _arrive(address: tuple[str, int], ended: Event) -> None:
    """Send live events until it is said that that is enough."""
    traffic = Traffic(None, 1, seed=7)
    bodies = iter(lambda: b"[" + b",".join(traffic.events(BATCH)) + b"]", b"")
    requests = (post(TRACK, body) for body in bodies)
    for answer in paced(
        address, requests, per_second=EVENTS_PER_SECOND / BATCH, connections=8, wanted=lambda: not ended.is_set()
    ):
        _checked(answer)


def _reserve(server: Server, pairs: int) -> float:
    """How many reservations a second are made and committed with the event that carries their usage."""
    began = time.perf_counter()
    wish = post("/api/usage/reservations", msgspec.json.encode({"team_id": HOT, "metric": "api_calls"}))
    made = (_made(answer) for answer in answers(server.address, (wish for _ in range(pairs)), connections=CLIENTS))
    commits = [post(f"/api/usage/reservations/{each}/commit", _CARRIED) for each in made]
    for answer in answers(server.address, iter(commits), connections=CLIENTS):
        _checked(answer)
    return pairs / (time.perf_counter() - began)


_CARRIED = msgspec.json.encode({"events": [{"event_name": "api_call"}]})


def _made(answer: Answer) -> str:
    reservation = msgspec.json.decode(_checked(answer).body)["reservation"]
    if reservation is None:
        raise WrongAnswer(f"nothing was reserved: {answer.body[:500]!r}")
    return str(reservation["id"])


def _update(sql: Sql, times: int) -> float:
    sql.execute("CREATE TABLE bare_counter AS SELECT 0::numeric AS used")
    began = time.perf_counter()
    for _ in range(times):
        sql.execute("UPDATE bare_counter SET used = used + 1 WHERE used + 1 <= 1e15")
    return times / (time.perf_counter() - began)
