"""Jobs, storage and tokens: what is recorded of them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clients.python.tests.serving import Server
from tallystick_client import (
    InvalidEvent,
    JobTracker,
    RecordingTracker,
    SpoolFull,
    StorageTracker,
    Tracker,
    track_completion,
)
from tallystick_client.storage import gb_hours

SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture
def tracker() -> RecordingTracker:
    return RecordingTracker()


# --- Jobs -------------------------------------------------------------------------------------------


def test_a_job_is_recorded_with_its_seconds_type_and_resources(tracker):
    with JobTracker(tracker).run("acme", "render", job_id="job-7", gpus=2, instance_type="a10") as job:
        time.sleep(0.02)
    [event] = tracker.events
    assert (event["team_id"], event["event_name"], event["unit"]) == ("acme", "job", "second")
    assert Decimal(event["quantity"]) == job.seconds >= Decimal("0.02")
    facts = {"job_type": "render", "job_id": "job-7", "gpus": 2, "instance_type": "a10", "status": "succeeded"}
    assert event["metadata"] == facts


def test_a_job_that_raises_is_recorded_to_its_end(tracker):
    with pytest.raises(RuntimeError), JobTracker(tracker).run("acme", "render"):
        raise RuntimeError
    assert [event["metadata"]["status"] for event in tracker.events] == ["failed"]


def test_a_long_job_is_recorded_while_it_runs_and_the_parts_are_the_whole(tracker):
    jobs = JobTracker(tracker, heartbeat=0.02)
    with jobs.run("acme", "render") as job:
        time.sleep(0.15)
        assert len(tracker.events) >= 2
        assert {event["metadata"]["status"] for event in tracker.events} == {"running"}
    assert tracker.total("acme", "job") == job.seconds
    assert len({event["idempotency_key"] for event in tracker.events}) == len(tracker.events)
    count = len(tracker.events)
    time.sleep(0.05)
    assert len(tracker.events) == count


def test_a_job_that_is_tried_again_has_used_the_time_of_both(tracker):
    for _ in range(2):
        with JobTracker(tracker).run("acme", "render", job_id="job-7"):
            pass
    assert len({event["idempotency_key"] for event in tracker.events}) == 2


async def test_functions_and_coroutines_are_decorated(tracker):
    jobs = JobTracker(tracker)

    @jobs.job("add", team="acme", queue="nightly")
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    @jobs.job("wait", team=lambda team: team)
    async def wait(team: str) -> str:
        await asyncio.sleep(0.02)
        return team

    assert (add(1, b=2), add.__doc__) == (3, "Adds.")
    assert await wait("globex") == "globex"
    assert [(e["team_id"], e["metadata"]["job_type"]) for e in tracker.events] == [("acme", "add"), ("globex", "wait")]
    assert Decimal(tracker.events[1]["quantity"]) >= Decimal("0.02")


def test_a_job_does_not_fail_with_a_full_spool_and_is_recorded_later(tracker):
    class Full(RecordingTracker):
        full = True

        def track(self, *arguments: Any, **named: Any) -> None:
            if self.full:
                raise SpoolFull
            super().track(*arguments, **named)

    full = Full()
    with JobTracker(full, heartbeat=0.02).run("acme", "render") as job:
        time.sleep(0.03)
    assert full.events == []
    full.full = False
    time.sleep(0.1)
    assert full.total("acme", "job") == job.seconds


def test_of_a_job_that_is_killed_at_most_a_heartbeat_is_missing(server: Server, team: str, spool: Path):
    script = """
        import sys, time
        from tallystick_client import JobTracker, Tracker
        tracker = Tracker(sys.argv[1], spool=sys.argv[2], flush_interval=60)
        with JobTracker(tracker, heartbeat=0.1).run(sys.argv[3], "render"):
            print("runs", flush=True)
            time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(script), server.url, spool, team],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Tracker(server.url, spool=spool) as tracker:
        assert tracker.flush(10)
    assert len(server.stored(team)) >= 5
    assert total(server, team) >= Decimal("0.7")


def total(server: Server, team: str) -> Decimal:
    import psycopg

    with psycopg.connect(server.database_url) as connection:
        row = connection.execute("SELECT sum(quantity) FROM usage_events WHERE team_id = %s", [team]).fetchone()
    assert row
    return Decimal(row[0])


# --- Storage ----------------------------------------------------------------------------------------


def test_bytes_are_recorded_as_they_move(tracker):
    storage = StorageTracker(tracker)
    storage.on_upload("acme", 5_000_000_001, idempotency_key="object-1", region="eu")
    storage.on_download("acme", 7)
    storage.on_delete("acme", 5_000_000_001)
    seen = [(e["event_name"], e["quantity"], e["unit"], e.get("metadata")) for e in tracker.events]
    assert seen == [
        ("transfer", "5000000001", "byte", {"region": "eu", "direction": "in"}),
        ("transfer", "7", "byte", {"direction": "out"}),
        ("storage_delete", "5000000001", "byte", None),
    ]
    assert tracker.events[0]["idempotency_key"] == "object-1"


def test_a_level_is_in_exact_gigabytes(tracker):
    StorageTracker(tracker).level("acme", 1_234_567_891, at=datetime(2026, 3, 1, tzinfo=UTC), region="eu")
    [event] = tracker.events
    assert (event["event_name"], event["quantity"], event["unit"]) == ("storage_size", "1.234567891", "GB")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 7), 24), (date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_a_day_is_as_long_as_the_zone_says(tracker, day, hours):
    storage = StorageTracker(tracker)
    assert storage.stored("acme", 100 * 10**9, day, zone=ZoneInfo("America/New_York")) == 100 * hours
    [event] = tracker.events
    assert (Decimal(event["quantity"]), event["unit"]) == (100 * hours, "GB-hour")


def test_a_day_that_is_recorded_again_counts_once(tracker):
    storage = StorageTracker(tracker)
    for store in ("eu", "eu", "us"):
        storage.stored("acme", 10**9, date(2026, 3, 15), store=store)
    assert tracker.total("acme", "storage_gb_hours") == 48


def test_gb_hours_are_exact():
    assert gb_hours(1, timedelta(hours=24)) == Decimal("0.000000024")
    assert gb_hours(10**18, timedelta(hours=1, minutes=15)) == 1_250_000_000
    assert gb_hours(1, timedelta(seconds=1)) == Decimal("0.000000000000277778")


@pytest.mark.parametrize("size", [-1, 1.5, True, "5", None])
def test_bytes_are_whole_numbers(tracker, size):
    with pytest.raises(InvalidEvent, match="whole number"):
        StorageTracker(tracker).on_upload("acme", size)


# --- Tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 60}}, (40, 60, 7)),
        ({"prompt_tokens": 100, "completion_tokens": 0, "prompt_tokens_details": None}, (100, 0, 0)),
        ({"input_tokens": 100, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 60}}, (40, 60, 7)),
        (
            {"input_tokens": 40, "output_tokens": 7, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 5},
            (45, 60, 7),
        ),
    ],
)
def test_no_token_is_counted_twice(tracker, usage, tokens):
    answer = {"id": "resp-1", "model": "large", "usage": usage}
    assert track_completion(tracker, "acme", answer, user_id="ann", feature="chat") == tokens
    assert track_completion(tracker, "acme", SimpleNamespace(**answer)) == tokens
    first, second = tracker.events
    names = ("input_tokens", "cached_input_tokens", "output_tokens")
    assert first["metadata"] == {"feature": "chat", "model": "large", "usage": dict(zip(names, tokens, strict=True))}
    assert first["idempotency_key"] == second["idempotency_key"] == "resp-1"


def test_an_answer_without_usage_is_refused(tracker):
    with pytest.raises(InvalidEvent, match="no usage"):
        track_completion(tracker, "acme", {"id": "resp-1", "model": "large"})
