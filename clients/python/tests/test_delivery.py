"""What `track()` accepted arrives, once, whatever the server and the network do."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from statistics import median

import pytest

from clients.python.tests.door import Answer, Door, Lost, Slow
from clients.python.tests.serving import Server
from tallystick_client import AsyncTracker, NotConfigured, SpoolFull, Stats, Tracker, TrackerClosed

Opened = Callable[..., Tracker]
SOURCE = Path(__file__).parents[1] / "src"


def track(tracker: Tracker | AsyncTracker, team: str, count: int) -> list[str]:
    keys = [f"key-{number}" for number in range(count)]
    for key in keys:
        tracker.track(team, "api_call", idempotency_key=key)
    return keys


def assert_counts(tracker: Tracker | AsyncTracker, **counts: int) -> None:
    expected = Stats(**counts)
    assert tracker.stats()._replace(retried=expected.retried) == expected


def folders(spool: Path) -> list[Path]:
    return list(spool.rglob("*.events"))


def test_events_arrive_by_themselves_within_the_interval(server: Server, team: str, opened: Opened):
    tracker = opened(server.url, flush_interval=0.1)
    keys = track(tracker, team, 10)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and tracker.stats().sent < 10:
        time.sleep(0.01)
    assert sorted(server.stored(team)) == sorted(keys)
    assert_counts(tracker, queued=10, sent=10)


def test_a_batch_of_a_thousand_is_sent_at_once(door: Door, team: str, opened: Opened):
    tracker = opened(door.url, flush_interval=60)
    track(tracker, team, 2500)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and tracker.stats().sent < 2000:
        time.sleep(0.01)
    assert [len(batch) for batch in door.batches] == [1000, 1000]
    assert tracker.flush(10)
    assert [len(batch) for batch in door.batches] == [1000, 1000, 500]


def test_quantities_arrive_exactly(server: Server, team: str, opened: Opened):
    tracker = opened(server.url)
    for _ in range(10):
        tracker.track(team, "exact", Decimal("0.1"))
    tracker.track(team, "exact", "0.000000000000000001")
    tracker.track(team, "exact", 10**19)
    assert tracker.flush(10)
    import psycopg

    with psycopg.connect(server.database_url) as connection:
        total = connection.execute("SELECT sum(quantity) FROM usage_events WHERE team_id = %s", [team]).fetchone()
    assert total == (Decimal("10000000000000000001.000000000000000001"),)


def test_a_lost_answer_does_not_count_twice(server: Server, door: Door, team: str, opened: Opened):
    door.script += [Lost(), Lost(), Lost()]
    tracker = opened(door.url)
    for _ in range(20):
        tracker.track(team, "api_call")
    assert tracker.flush(20)
    stored = server.stored(team)
    assert len(stored) == len(set(stored)) == 20
    assert_counts(tracker, queued=20, sent=20, retried=3)
    assert tracker.stats().retried >= 3
    assert all(batch == door.batches[0] for batch in door.batches[1:4])


def test_a_server_that_is_down_gets_everything_when_it_is_back(server: Server, team: str, opened: Opened, spool: Path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    before = opened(away)
    keys = track(before, team, 30)
    assert not before.flush(0.3)
    assert before.stats().sent == 0
    assert not before.close()
    assert folders(spool)
    after = opened(server.url)
    assert after.flush(10)
    assert sorted(server.stored(team)) == sorted(keys)
    assert after.stats().sent == 30
    assert not folders(spool)


def test_retry_after_is_honoured(server: Server, door: Door, team: str, opened: Opened):
    door.script += [Answer(503, {"Retry-After": "1"}, b"{}")]
    tracker = opened(door.url)
    keys = track(tracker, team, 3)
    assert tracker.flush(10)
    assert 1 <= door.times[1] - door.times[0] < 2
    assert sorted(server.stored(team)) == keys


def test_too_much_at_once_is_sent_in_halves(server: Server, door: Door, team: str, opened: Opened):
    door.max_events = 30
    tracker = opened(door.url, flush_interval=60)
    keys = track(tracker, team, 100)
    assert tracker.flush(10)
    assert sorted(server.stored(team)) == sorted(keys)
    assert_counts(tracker, queued=100, sent=100)


def test_an_event_that_is_too_large_alone_is_a_dead_letter(server: Server, door: Door, team: str, opened: Opened):
    tracker = opened(door.url, flush_interval=60)
    keys = track(tracker, team, 3)
    door.max_events = 0
    assert tracker.flush(10)
    assert [letter["event"]["idempotency_key"] for letter in tracker.dead_letters()] == keys
    assert {letter["code"] for letter in tracker.dead_letters()} == {"too_large"}
    assert server.stored(team) == []


def test_rejected_events_are_kept_with_the_reason_and_take_no_other_with_them(server, team, opened, spool):
    tracker = opened(server.url, flush_interval=60)
    keys = track(tracker, team, 5)
    tracker.track(team, "api_call", -1, idempotency_key="bad", price=Decimal("0.10"))
    tracker.track(team, "api_call", 2, idempotency_key=keys[0])
    assert tracker.flush(10)
    assert sorted(server.stored(team)) == keys
    rejected, conflict = tracker.dead_letters()
    assert (rejected["code"], rejected["field"]) == ("negative_quantity", "quantity")
    assert rejected["event"]["metadata"] == {"price": "0.10"}
    assert rejected["message"]
    assert conflict["code"] == "conflict"
    assert tracker.stats()._replace(spool_bytes=0) == Stats(queued=7, sent=6, rejected=1, conflicts=1)
    assert tracker.stats().spool_bytes == (spool / "dead-letters.ndjson").stat().st_size


def test_a_batch_of_which_all_is_rejected_is_done_with(server: Server, team: str, opened: Opened):
    tracker = opened(server.url, flush_interval=60)
    for number in range(3):
        tracker.track(team, "api_call", -1 - number)
    assert tracker.flush(10)
    assert len(tracker.dead_letters()) == tracker.stats().rejected == 3


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 200])
def test_a_wrong_setting_keeps_everything_and_says_so(server, door, team, opened, status, caplog):
    door.script += [Answer(status, {}, b"<html>hello</html>")]
    tracker = opened(door.url)
    keys = track(tracker, team, 3)
    assert tracker.flush(10)
    assert sorted(server.stored(team)) == keys
    assert tracker.dead_letters() == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert f"the server answered {status}" in caplog.text


def test_a_slow_server_does_not_slow_the_program(server: Server, door: Door, team: str, opened: Opened):
    door.script += [Slow(1)]
    tracker = opened(door.url)
    took = []
    for number in range(500):
        started = time.perf_counter_ns()
        tracker.track(team, "api_call", idempotency_key=f"key-{number}")
        took.append(time.perf_counter_ns() - started)
        time.sleep(0.0005)
    print(f"track() took {median(took) / 1000:.1f} µs, at most {max(took) / 1e6:.2f} ms")
    assert median(took) < 1_000_000
    assert tracker.flush(15)
    assert len(server.stored(team)) == 500


def test_a_server_slower_than_the_time_out_is_asked_again(server: Server, door: Door, team: str, opened: Opened):
    door.script += [Slow(0.6)]
    tracker = opened(door.url, timeout=0.2)
    keys = track(tracker, team, 3)
    assert tracker.flush(10)
    assert sorted(server.stored(team)) == keys
    assert tracker.stats().retried >= 1


def test_damaged_lines_are_set_aside_and_counted(server: Server, team: str, opened: Opened, spool: Path):
    before = opened("http://127.0.0.1:9", flush_interval=60)
    track(before, team, 5)
    before.close()
    [path] = folders(spool)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"api_call", b"api_cell")
    path.write_bytes(b"\n".join(lines) + b"0badc0de {")
    after = opened(server.url)
    assert after.flush(10)
    assert sorted(server.stored(team)) == ["key-0", "key-1", "key-3", "key-4"]
    assert after.stats().dropped == 1
    assert (spool / "damaged.log").read_bytes() == lines[2] + b"\n"


def test_a_full_spool_refuses_until_the_server_takes_some(server: Server, door: Door, team: str, opened: Opened):
    door.script += [Answer(503)] * 3
    tracker = opened(door.url, max_spool_bytes=20_000)
    accepted = 0
    with suppress(SpoolFull):
        while accepted < 1000:
            tracker.track(team, "api_call", idempotency_key=f"key-{accepted}")
            accepted += 1
    assert 50 < accepted < 150
    assert tracker.flush(20)
    tracker.track(team, "api_call", idempotency_key="later")
    assert tracker.flush(10)
    assert len(server.stored(team)) == accepted + 1
    assert_counts(tracker, queued=accepted + 1, sent=accepted + 1, refused=1)


def test_dead_letters_that_can_not_be_written_lose_nothing(server: Server, team: str, opened: Opened, spool: Path):
    tracker = opened(server.url, flush_interval=0.1)
    (spool / "dead-letters.ndjson").mkdir()
    tracker.track(team, "api_call", -1)
    assert not tracker.flush(0.5)
    (spool / "dead-letters.ndjson").rmdir()
    assert tracker.flush(10)
    assert len(tracker.dead_letters()) == 1


# --- The end of a process ---------------------------------------------------------------------------

SCRIPT = """
from tallystick_client import Tracker
import sys
tracker = Tracker(sys.argv[1], spool=sys.argv[2], flush_interval=60)
for number in range(25):
    tracker.track(sys.argv[3], "api_call", idempotency_key=f"key-{number}")
"""


def test_a_script_that_just_ends_has_sent_everything(server: Server, team: str, spool: Path):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, server.url, str(spool), team]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=True, timeout=30)
    assert len(server.stored(team)) == 25
    assert list(spool.iterdir()) == []


def test_a_closed_tracker_accepts_nothing(server: Server, team: str, opened: Opened):
    tracker = opened(server.url)
    assert tracker.close()
    assert tracker.close()
    with pytest.raises(TrackerClosed):
        tracker.track(team, "api_call")
    assert not tracker.flush(1)


def test_a_block_ends_with_everything_delivered(server: Server, team: str, spool: Path):
    with Tracker(server.url, spool=spool) as tracker:
        keys = track(tracker, team, 5)
    assert sorted(server.stored(team)) == keys


# --- Settings ---------------------------------------------------------------------------------------


def test_settings_come_from_the_environment(server: Server, team: str, spool: Path, monkeypatch):
    monkeypatch.setenv("TALLYSTICK_URL", server.url + "/")
    monkeypatch.setenv("TALLYSTICK_API_KEY", "tsk_x")
    monkeypatch.setenv("TALLYSTICK_SPOOL", str(spool))
    with Tracker() as tracker:
        assert tracker.settings.address.headers["Authorization"] == "Bearer tsk_x"
        assert (tracker.settings.address.url, tracker.settings.spool) == (server.url, spool)


def test_each_server_has_a_spool_of_its_own_by_default(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with Tracker("http://127.0.0.1:9") as one, Tracker("http://127.0.0.1:10") as two:
        assert one.settings.spool != two.settings.spool
        assert one.settings.spool.is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "options", [{}, {"url": "localhost:8080"}, {"batch_size": 0}, {"batch_size": 1001}, {"api_key": "tsk_\n"}]
)
def test_a_wrong_setting_is_named_at_once(spool: Path, options: dict, monkeypatch):
    monkeypatch.delenv("TALLYSTICK_URL", raising=False)
    settings = {"spool": spool, **({"url": "http://localhost:1"} if options else {}), **options}
    with pytest.raises(NotConfigured):
        Tracker(**settings)


# --- On an event loop -------------------------------------------------------------------------------


async def test_the_asynchronous_tracker_keeps_the_same_promises(server: Server, door: Door, team: str, spool: Path):
    door.script += [Answer(503, {"Retry-After": "0"}), Lost()]
    async with AsyncTracker(door.url, spool=spool, flush_interval=60) as tracker:
        keys = track(tracker, team, 1200)
        tracker.track(team, "api_call", -1)
        assert await tracker.flush(20)
        assert tracker.stats().retried == 2
        assert tracker.stats().sent == 1200
        assert len(tracker.dead_letters()) == 1
    assert sorted(server.stored(team)) == sorted(keys)
    assert not folders(spool)


async def test_the_asynchronous_tracker_sends_by_itself_and_at_its_end(server: Server, team: str, spool: Path):
    async with AsyncTracker(server.url, spool=spool, flush_interval=0.1) as tracker:
        track(tracker, team, 5)
        while tracker.stats().sent < 5:  # noqa: ASYNC110 - as a program sees it, from outside
            await asyncio.sleep(0.01)
        tracker.track(team, "api_call", idempotency_key="last")
    assert len(server.stored(team)) == 6
    with pytest.raises(TrackerClosed):
        tracker.track(team, "api_call")


async def test_what_the_asynchronous_tracker_could_not_deliver_stays(server: Server, team: str, spool: Path):
    async with AsyncTracker("http://127.0.0.1:9", spool=spool, exit_timeout=0.2) as tracker:
        keys = track(tracker, team, 5)
        assert not await tracker.flush(0.1)
    async with AsyncTracker(server.url, spool=spool) as tracker:
        assert await tracker.flush(10)
    assert sorted(server.stored(team)) == keys


def test_a_dead_letter_is_the_event_byte_for_byte(server: Server, team: str, opened: Opened, spool: Path):
    tracker = opened(server.url, flush_interval=60)
    tracker.track(team, "api_call", -1, name="é\u2028")
    tracker.flush(10)
    [line] = (spool / "dead-letters.ndjson").read_text("utf-8").split("\n")[:-1]
    assert json.loads(line)["event"]["metadata"] == {"name": "é\u2028"}
