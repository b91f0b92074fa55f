"""Traffic that looks real: a few large teams and some small ones, days and nights, bursts, resends.

The same hour of the same team always gives the same events with the same keys, so running the demo again
sends them again, and none counts twice.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

SHARES = {"acme": 0.45, "globex": 0.25, "initech": 0.15, "hooli": 0.1, "umbrella": 0.05}
"""Teams and their share of all traffic: skewed, as it is in life."""

ENDPOINTS = ["/v1/search", "/v1/search", "/v1/search", "/v1/chat", "/v1/embed", "/v1/files"]
MODELS = ["small", "small", "large"]
HOUR = timedelta(hours=1)


def traffic(start: datetime, end: datetime, events: int) -> Iterator[dict[str, Any]]:
    """About this many events of the whole hours between two instants, in the order of time."""
    hours = max(1, int((end - start) / HOUR))
    at = start.replace(minute=0, second=0, microsecond=0)
    while at + HOUR <= end:
        for team, share in SHARES.items():
            yield from _hour(team, at, events * share / hours)
        at += HOUR


def _hour(team: str, at: datetime, expected: float) -> Iterator[dict[str, Any]]:
    rng = random.Random(f"{team} {at.isoformat()}")  # noqa: S311 - it has to repeat itself
    daylight = 0.4 + 1.2 * max(0.0, 1 - abs(at.hour - 14) / 9)
    count = int(expected * daylight * rng.uniform(0.7, 1.3) + rng.random())
    key = f"demo-{at:%Y%m%dT%H}-{{}}"
    for i in range(count):
        moment = at + HOUR * (i / count)
        yield _request(team, moment, key.format(i), rng)
        if i % 4 == 0:
            yield _completion(team, moment, key.format(f"llm-{i}"), rng)
    if at.hour % 6 == 0:
        size = f"{200 * SHARES[team] * (1 + at.day / 40) + rng.uniform(0, 5):.3f}"
        yield _event(team, "stored", at, key.format("stored"), quantity=size, unit="GB")


def _event(team: str, name: str, at: datetime, key: str, **fields: Any) -> dict[str, Any]:
    return {"team_id": team, "event_name": name, "timestamp": at.isoformat(), "idempotency_key": key, **fields}


def _request(team: str, at: datetime, key: str, rng: random.Random) -> dict[str, Any]:
    metadata = {"endpoint": rng.choice(ENDPOINTS), "region": rng.choice(["eu", "us"]), "status": 200}
    user = f"user-{int(rng.expovariate(0.08))}"
    return _event(team, "api_call", at, key, quantity=rng.choice([1, 1, 1, 5, 20]), user_id=user, metadata=metadata)


def _completion(team: str, at: datetime, key: str, rng: random.Random) -> dict[str, Any]:
    tokens = {"input_tokens": int(rng.lognormvariate(7, 1)), "output_tokens": int(rng.lognormvariate(5.5, 0.8))}
    return _event(team, "llm_request", at, key, metadata={"model": rng.choice(MODELS), **tokens})
