"""The disk spool: what it accepted is there whatever happens, and what it can't keep it refuses clearly."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tallystick_client import SpoolError, SpoolFull
from tallystick_client.records import line_of, read_contents
from tallystick_client.spool import Spool

SOURCE = Path(__file__).parents[1] / "src"


def in_another_process(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    # Since Python 3.12 a fork beside threads is warned of, which is what one of these tests is about.
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    command = [sys.executable, *warnings, "-c", dedent(code), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload,no-any-return]


def everything(folder: Path) -> list[bytes]:
    """What a new process finds to deliver."""
    spool = Spool(folder)
    spool.adopt()
    found = [event for path in spool.ready() for event in read_contents(path).events]
    spool.close()
    return found


def filled(folder: Path, count: int, **options: Any) -> Spool:
    spool = Spool(folder, **options)
    for number in range(count):
        spool.append(b'{"n":%d}' % number)
    return spool


def numbers(count: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(count)]


def test_what_was_accepted_is_there_for_the_next_process_in_its_order(spool: Path):
    filled(spool, 25, batch_events=10).close()
    assert everything(spool) == numbers(25)


def test_a_full_batch_is_ready_at_once_and_the_open_one_when_it_is_sealed(spool: Path):
    opened = filled(spool, 25, batch_events=10)
    assert [len(read_contents(path).events) for path in opened.ready()] == [10, 10]
    opened.seal()
    assert [len(read_contents(path).events) for path in opened.ready()] == [10, 10, 5]
    opened.close()


def test_a_batch_has_a_largest_size_in_bytes_too(spool: Path):
    opened = Spool(spool, batch_bytes=1000)
    assert [opened.append(b"x" * 400) for _ in range(6)] == [False, False, True, False, False, True]
    opened.close()


def test_a_delivered_spool_leaves_nothing_behind(spool: Path):
    opened = filled(spool, 15, batch_events=10)
    opened.seal()
    for path in opened.ready():
        opened.remove(path)
    assert opened.size == 0
    opened.close()
    assert list(spool.iterdir()) == []


def test_only_the_user_can_read_it(spool: Path):
    opened = filled(spool, 1)
    opened.set_aside("damaged.log", [b"x"])
    assert {path.stat().st_mode & 0o077 for path in [spool, *spool.rglob("*")]} == {0}
    opened.close()


@pytest.mark.parametrize("cut", [1, 5, 9, 15])
def test_a_torn_last_line_takes_nothing_else_with_it(spool: Path, cut: int):
    opened = filled(spool, 3)
    opened.seal()
    [path] = opened.ready()
    path.write_bytes(path.read_bytes() + line_of(b'{"n":99}')[:cut])
    opened.close()
    assert everything(spool) == numbers(3)


@pytest.mark.parametrize("place", [0, 8, 12, 17, 30, 40])
def test_a_flipped_bit_costs_one_line_which_is_set_aside(spool: Path, place: int):
    opened = filled(spool, 3)
    opened.seal()
    [path] = opened.ready()
    content = bytearray(path.read_bytes())
    content[place] ^= 0x01
    path.write_bytes(content)
    contents = read_contents(path)
    assert len(contents.events) == 2
    assert len(contents.damaged) == 1
    opened.close()


def test_a_lost_line_feed_joins_two_lines_and_no_more(spool: Path):
    opened = filled(spool, 4)
    opened.seal()
    [path] = opened.ready()
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(lines[0] + b"\n" + lines[1] + b"X" + b"\n".join(lines[2:]))
    assert read_contents(path).events == [numbers(4)[0], numbers(4)[3]]
    opened.close()


def test_it_is_bounded_and_says_so(spool: Path):
    opened = Spool(spool, max_bytes=1000)
    for _ in range(10):
        opened.append(b"x" * 90)
    with pytest.raises(SpoolFull, match=r"of at most 1000.*not accepted"):
        opened.append(b"x" * 90)
    kept = opened.size
    assert 900 <= kept <= 1000
    opened.seal()
    opened.remove(opened.ready()[0])
    opened.append(b"x" * 90)
    opened.close()


def test_two_owners_never_share_a_file_and_a_living_one_is_left_alone(spool: Path):
    first, second = filled(spool, 3), filled(spool, 2)
    second.seal()
    second.adopt()
    assert len(second.ready()) == 1
    first.close()
    second.adopt()
    assert [event for path in second.ready() for event in read_contents(path).events] == [*numbers(3), *numbers(2)]
    second.close()


def test_a_spool_that_was_cleared_by_hand_goes_on(spool: Path):
    opened = filled(spool, 10, batch_events=10)
    for path in sorted(spool.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    opened.append(b"{}")
    opened.close()
    assert everything(spool) == [b"{}"]


def test_many_threads_lose_nothing(spool: Path):
    opened = Spool(spool, batch_events=64)
    work = [
        threading.Thread(target=lambda n=n: [opened.append(b"%d-%d" % (n, i)) for i in range(500)]) for n in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    opened.close()
    assert sorted(everything(spool)) == sorted(b"%d-%d" % (n, i) for n in range(8) for i in range(500))


def test_a_folder_that_can_not_be_made_is_an_error_at_the_start(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match=r"disk refuses.*file"):
        Spool(tmp_path / "file" / "spool")


# --- A full disk ------------------------------------------------------------------------------------

FILL = """
    import sys
    from pathlib import Path
    from tallystick_client.spool import Spool
    from tallystick_client import SpoolFull
    spool, kept = Spool(Path(sys.argv[1])), 0
    try:
        while kept < 1_000_000:
            spool.append(b'{"n":%d}' % kept)
            kept += 1
    except SpoolFull as error:
        print(kept, error)
"""


def test_a_file_that_may_not_grow_refuses_clearly_and_keeps_what_was_accepted(spool: Path):
    limit = 5000
    done = in_another_process(
        FILL.replace("Spool(Path(sys.argv[1]))", "Spool(Path(sys.argv[1]), batch_events=10**6)"),
        spool,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    kept, _, message = done.stdout.partition(" ")
    assert "the disk is full" in message, done.stderr
    assert "not accepted" in message
    assert int(kept) > 100
    assert everything(spool) == numbers(int(kept))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs rights that are not here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_refuses_clearly_keeps_what_was_accepted_and_recovers(small_disk: Path):
    spool = Spool(small_disk / "spool", batch_events=500)
    kept = 0
    with suppress(SpoolFull):
        while kept < 100_000:
            spool.append(b'{"n":%d}' % kept)
            kept += 1
    for _ in range(5):
        with pytest.raises(SpoolFull, match=r"the disk is full.*not accepted"):
            spool.append(b"x" * 5000)
    spool.seal()
    found = [event for path in spool.ready() for event in read_contents(path).events]
    assert found[:kept] == numbers(kept)
    for path in spool.ready():
        spool.remove(path)
    spool.append(b"{}")
    spool.close()
    assert everything(small_disk / "spool") == [b"{}"]


# --- Processes --------------------------------------------------------------------------------------


def test_a_fork_in_the_middle_gives_each_process_its_own_part(spool: Path):
    done = in_another_process(
        """
        import os, sys, threading
        from pathlib import Path
        from tallystick_client import Tracker
        tracker = Tracker("http://127.0.0.1:9", spool=Path(sys.argv[1]), flush_interval=60, exit_timeout=0)
        busy, stop = threading.Event(), threading.Event()
        def others():
            n = 0
            while not stop.is_set():
                tracker.track("acme", "x", idempotency_key=f"thread-{n}")
                n += 1
                busy.set()
            print("thread", n, flush=True)
        thread = threading.Thread(target=others)
        thread.start()
        busy.wait()
        children = []
        for child in range(10):
            if not (pid := os.fork()):
                for n in range(20):
                    tracker.track("acme", "x", idempotency_key=f"{child}-{n}")
                assert tracker.stats().queued == 20
                os._exit(0)
            children.append(pid)
            tracker.track("acme", "x", idempotency_key=f"parent-{child}")
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 10
        stop.set()
        thread.join()
        """,
        spool,
    )
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split()[1])
    expected = [f"{child}-{n}" for child in range(10) for n in range(20)] + [f"parent-{n}" for n in range(10)]
    expected += [f"thread-{n}" for n in range(count)]
    import json

    assert sorted(json.loads(event)["idempotency_key"] for event in everything(spool)) == sorted(expected)
