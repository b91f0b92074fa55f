"""What a server rejected for good can be looked at, sent again, or given up; by other processes as well."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.python.tests.door import Answer, Door
from clients.python.tests.serving import Server
from tallystick_client import Tracker
from tallystick_client.__main__ import main
from tallystick_client.dead_letters import FILE, DeadLetters, dead_letter
from tallystick_client.spool import Spool

SOURCE = Path(__file__).parents[1] / "src"


def rejected(door: Door, spool: Path, *teams: str) -> None:
    """Letters of the teams' events with the keys `key-0`, `key-1`, …"""
    with Tracker(door.url, spool=spool, batch_size=1, flush_interval=60) as tracker:
        for number, team in enumerate(teams):
            error = {"index": 0, "code": "unknown_unit", "field": "unit", "message": "no such unit"}
            body = {"accepted": 0, "duplicates": 0, "rejected": 1, "errors": [error]}
            door.script.append(Answer(422, {}, json.dumps(body).encode()))
            tracker.track(team, "api_call", "0.250", note="grüße", idempotency_key=f"key-{number}")
        assert tracker.flush(30)
    assert len(DeadLetters(spool).all()) == len(teams)


def command(*arguments: str, url: str, spool: Path) -> int:
    return main([*arguments, "--url", url, "--spool", str(spool)])


def test_they_are_listed_with_the_reasons(door: Door, spool: Path, capsys: pytest.CaptureFixture[str]):
    rejected(door, spool, "acme", "initech")
    assert command("list", url=door.url, spool=spool) == 0
    printed = capsys.readouterr().out
    assert "unknown_unit unit  acme api_call 0.250  key-0\n    no such unit" in printed
    assert printed.endswith("2 dead letters\n")
    command("list", "--team", "initech", url=door.url, spool=spool)
    assert capsys.readouterr().out.endswith("1 dead letter\n")


def test_sent_again_they_count_byte_for_byte(
    door: Door, server: Server, spool: Path, team: str, capsys: pytest.CaptureFixture[str]
):
    rejected(door, spool, team, team, "other")
    assert command("resend", "--team", team, "--code", "unknown_unit", url=door.url, spool=spool) == 0
    assert capsys.readouterr().out == "2 dead letters sent again, 0 rejected again\n"
    assert sorted(server.stored(team)) == ["key-0", "key-1"]
    assert door.batches[-1][0] == door.batches[0][0]
    assert [letter.key for letter in DeadLetters(spool).all()] == ["key-2"]


def test_what_is_rejected_again_stays(door: Door, spool: Path, capsys: pytest.CaptureFixture[str]):
    rejected(door, spool, "acme")
    error = {"index": 0, "code": "unknown_unit", "field": "unit", "message": "still no such unit"}
    body = {"accepted": 0, "duplicates": 0, "rejected": 1, "errors": [error]}
    door.script.append(Answer(422, {}, json.dumps(body).encode()))
    assert command("resend", url=door.url, spool=spool) == 1
    assert capsys.readouterr().out == "1 dead letter sent again, 1 rejected again\n"
    assert [letter.members["message"] for letter in DeadLetters(spool).all()] == ["still no such unit"]


def test_they_are_dropped_only_when_that_is_meant(door: Door, spool: Path, capsys: pytest.CaptureFixture[str]):
    rejected(door, spool, "acme", "initech")
    assert command("drop", "--key", "key-1", url=door.url, spool=spool) == 1
    assert len(DeadLetters(spool).all()) == 2
    assert command("drop", "--key", "key-1", "--yes", url=door.url, spool=spool) == 0
    assert capsys.readouterr().out.endswith("1 dead letter dropped\n")
    assert [letter.key for letter in DeadLetters(spool).all()] == ["key-0"]
    command("drop", "--yes", url=door.url, spool=spool)
    assert not (spool / FILE).exists()
    assert command("resend", url=door.url, spool=spool) == 0


def test_they_stay_if_they_can_not_be_put_into_the_spool(spool: Path):
    spool.mkdir()
    lines = [dead_letter(b'{"idempotency_key":"key-%d"}' % number, {"code": "x"}) for number in range(3)]
    (spool / FILE).write_bytes(b"\n".join(lines) + b"\n")

    def full(_: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        DeadLetters(spool).take(lambda _: True, full)
    assert (spool / FILE).read_bytes() == b"\n".join(lines) + b"\n"


def test_lines_that_can_not_be_read_stay(spool: Path):
    spool.mkdir()
    good = dead_letter(
        '{"idempotency_key":"schlüssel","metadata":{"a":"\\"event\\":"}}'.encode(), {"message": '"event":'}
    )
    others = [b'{"code":"x","ev', b'{"event":{"idempotency_key":"k"},"code":"x"}', b'{"code":"x","event":[]}', b"[1]"]
    (spool / FILE).write_bytes(b"\n".join([*others, good]) + b"\n")
    [taken] = DeadLetters(spool).take(lambda _: True)
    assert taken.event.decode() == '{"idempotency_key":"schlüssel","metadata":{"a":"\\"event\\":"}}'
    assert (spool / FILE).read_bytes() == b"\n".join(others) + b"\n"


def test_none_is_lost_while_some_are_taken_out_and_others_come(spool: Path):
    letters = DeadLetters(spool)
    code = f"""
        import sys
        from pathlib import Path
        from tallystick_client.dead_letters import dead_letter
        from tallystick_client.spool import Spool
        spool = Spool(Path({str(spool)!r}))
        for number in range(300):
            key = b'{{"idempotency_key":"' + sys.argv[1].encode() + b'-%d"}}' % number
            spool.set_aside("{FILE}", [dead_letter(key, {{"code": "x"}})])
        spool.close()
    """
    import textwrap

    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    writers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), str(number)], env=environment)
        for number in range(3)
    ]
    taken = []
    while any(writer.poll() is None for writer in writers):
        taken += letters.take(lambda letter: letter.key.endswith(("3", "7")))
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    keys = [letter.key for letter in [*taken, *letters.all()]]
    assert sorted(keys) == sorted(f"{writer}-{number}" for writer in range(3) for number in range(300))
    Spool(spool).close()


def test_it_runs_as_a_program_and_says_what_is_missing(spool: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    environment["PYTHONPATH"] = str(SOURCE)
    program = [sys.executable, "-m", "tallystick_client"]
    done = subprocess.run([*program, "list"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "TALLYSTICK_URL" in done.stderr
    done = subprocess.run(
        [*program, "list", "--spool", str(spool)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0 dead letters\n")
