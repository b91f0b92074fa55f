"""Many processes send the same events at once, each in an order and with timestamps of its own: each counts once."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.integration.test_server import Served, environment, serving, tallystick

PROCESSES = 64
PATIENCE = 3600

CATALOGUE = "{version: 1, metrics: {calls: {event: call, aggregation: sum, unit: call}}}"
SENDER = """
import http.client, json, random, sys, time
from datetime import datetime, timedelta, timezone

address, events, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng, now = random.Random(seed), datetime.now(timezone.utc)
numbers, accepted, duplicates = rng.sample(range(events), events), 0, 0
connection = http.client.HTTPConnection(address, timeout=300)
while numbers:
    batch = [
        {
            "team_id": f"team-{number % 7}",
            "event_name": "call",
            "quantity": number % 10,
            "timestamp": (now - timedelta(seconds=rng.randrange(40 * 86400))).isoformat(),
            "idempotency_key": f"order-{number}",
        }
        for number in numbers[:500]
    ]
    connection.request("POST", "/api/usage/track", json.dumps(batch), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status == 503:
        time.sleep(rng.random())
        continue
    assert answer.status == 200 and body["accepted"] + body["duplicates"] == len(batch), body
    accepted, duplicates, numbers = accepted + body["accepted"], duplicates + body["duplicates"], numbers[500:]
print(accepted, duplicates)
"""


@pytest.mark.parametrize("events", [1_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_what_64_processes_send_at_once_with_changed_timestamps_counts_once(
    database_url: str, tmp_path: Path, events: int
) -> None:
    (tmp_path / "billing.yaml").write_text(CATALOGUE)
    assert tallystick("apply", str(tmp_path / "billing.yaml"), env=environment(database_url)).returncode == 0
    with serving(database_url, "--dev", TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
        senders = [start(served, events, seed) for seed in range(PROCESSES)]
        told = [sender.communicate(timeout=PATIENCE)[0].split() for sender in senders]
        used = counted(served)
        assert served.stop() == 0
    assert [sender.returncode for sender in senders] == [0] * PROCESSES
    accepted, duplicates = (sum(int(each[place]) for each in told) for place in (0, 1))
    with psycopg.connect(database_url) as connection:
        found = "SELECT count(*), count(DISTINCT idempotency_key), sum(quantity) FROM usage_events"
        stored, distinct, quantity = connection.execute(found).fetchone() or (0, 0, 0)
    print(f"{PROCESSES * events} sent, {accepted} accepted, {duplicates} known, {stored} stored, {used} counted")
    assert (accepted, duplicates) == (events, (PROCESSES - 1) * events)
    assert (stored, distinct) == (events, events)
    assert used == quantity == sum(number % 10 for number in range(events))


def start(served: Served, events: int, seed: int) -> subprocess.Popen[str]:
    address = "{}:{}".format(*served.address)
    command = [sys.executable, "-I", "-S", "-c", SENDER, address, str(events), str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def counted(served: Served) -> Decimal:
    """What all teams used in all of the time."""
    answer = httpx.get(f"{served.url}/api/v1/meters/calls/query", timeout=60)
    assert answer.status_code == 200, answer.text
    [row] = answer.json(parse_float=Decimal)["data"]
    return Decimal(row["value"])
