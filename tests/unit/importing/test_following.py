"""A followed log gives each of its lines once, whatever is done to its files and to the process that reads them."""

import gzip
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.errors import ConfigurationError, Conflict, InvalidInput
from tallystick.importing import ImportOptions
from tallystick.importing.following import FollowOptions, Memory, Piece, Trail
from tallystick.importing.following.opened import BLOCK

FIXED = {"team": "acme", "event": "call"}


class Reader:
    """Follows one path as a process does, and can be killed and started again."""

    def __init__(
        self, path: Path, state: Path, *, source: str = "machine", from_end: bool = False, **rows: Any
    ) -> None:
        self.path = path
        self.state = state
        self.clock = ManualClock(datetime.now(UTC))
        self.notes: list[str] = []
        self.found: dict[str, str] = {}
        self.problems: list[str] = []
        self.options = FollowOptions(ImportOptions(**(FIXED | rows)), source, from_end=from_end)
        self.start()

    def start(self) -> None:
        self.memory = Memory(self.state, self.path)
        self.trail = Trail(self.path, self.options, self.memory, self.clock, self.notes.append)
        try:
            self.trail.begin()
        except InvalidInput:
            self.kill()
            raise

    def kill(self) -> None:
        self.trail.close()
        self.memory.close()

    def restart(self) -> None:
        self.kill()
        self.start()

    def step(self, *, done: bool = True) -> bool:
        """Take what there is next, if there is something."""
        piece = self.trail.next()
        if piece is None:
            return False
        self._take(piece)
        if done:
            self.trail.done(piece)
        return True

    def read(self) -> list[str]:
        """All lines found so far, after reading all that is there."""
        while self.step():
            pass
        return list(self.found.values())

    def _take(self, piece: Piece) -> None:
        for row in piece.rows:
            if row.event is None:
                assert row.problem
                self.problems.append(f"{row.position}: {row.problem.message}")
            else:
                raw = row.raw.decode()
                assert self.found.setdefault(row.event["idempotency_key"], raw) == raw, "two lines have one key"


def line(number: int, timestamp: str = "2026-03-01T00:00:00Z") -> str:
    return f'{{"timestamp":"{timestamp}","n":{number}}}'


def append(path: Path, *texts: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{text}\n" for text in texts)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "usage.log"


@pytest.fixture
def reader(path: Path, tmp_path: Path) -> Iterator[Reader]:
    append(path, line(1))
    found = Reader(path, tmp_path / "state")
    yield found
    found.kill()


LINES = [line(number) for number in range(10)]


# --- Growing --------------------------------------------------------------------------------------


def test_lines_come_as_they_are_written_and_once(reader: Reader, path: Path):
    assert reader.read() == LINES[1:2]
    append(path, *LINES[2:4])
    assert reader.read() == LINES[1:4]
    assert not reader.step()


def test_a_line_counts_when_its_end_is_written(reader: Reader, path: Path):
    reader.read()
    with path.open("a") as file:
        file.write(LINES[2][:9])
        file.flush()
        assert not reader.step()
        file.write(LINES[2][9:] + "\n")
    assert reader.read() == LINES[1:3]


def test_a_file_may_appear_later(path: Path, tmp_path: Path):
    reader = Reader(path, tmp_path / "state")
    assert not reader.step()
    path.write_text("")
    assert not reader.step()
    path.write_text(LINES[0][:5])
    assert not reader.step()
    path.write_text(LINES[0] + "\n")
    assert reader.read() == LINES[:1]
    reader.kill()


def test_equal_lines_are_as_many_events_as_there_are_lines(reader: Reader, path: Path):
    append(path, *LINES[1:2] * 3)
    assert reader.read() == LINES[1:2] * 4


def test_equal_lines_are_one_event_by_content(path: Path, tmp_path: Path):
    append(path, *LINES[:2] * 3)
    reader = Reader(path, tmp_path / "state", identity="content")
    assert sorted(reader.read()) == LINES[:2]
    reader.kill()


def test_an_overlong_line_is_passed_over(reader: Reader, path: Path):
    with path.open("a") as file:
        for _ in range(30):
            file.write("x" * (BLOCK // 10))
            file.flush()
            reader.read()
        file.write("\n")
    append(path, LINES[2])
    assert reader.read() == LINES[1:3]
    assert reader.problems == ["2: is longer than 1048576 bytes"]


def test_more_than_a_block_is_read_in_pieces(reader: Reader, path: Path):
    written = [line(number) for number in range(40_000)]
    append(path, *written)
    assert reader.read() == [LINES[1], *written]


def test_what_was_there_before_can_be_left_out(path: Path, tmp_path: Path):
    append(path, *LINES[:3])
    reader = Reader(path, tmp_path / "state", from_end=True)
    assert reader.read() == []
    append(path, LINES[3])
    reader.restart()
    append(path, LINES[4])
    assert reader.read() == LINES[3:5]
    reader.kill()


# --- Rotation -------------------------------------------------------------------------------------


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(reader: Reader, path: Path):
    reader.read()
    append(path, LINES[2])
    old = path.rename(path.with_name("usage.log.1"))
    append(path, LINES[4])
    append(old, LINES[3])  # its writer has not noticed yet
    assert sorted(reader.read()) == LINES[1:5]


def test_a_truncated_file_is_read_on_in_its_copy(reader: Reader, path: Path):
    reader.read()
    append(path, LINES[2])
    shutil.copy(path, path.with_name("usage.log.1"))
    path.write_text("")
    append(path, *LINES[3:6])
    assert reader.read() == LINES[1:6]
    assert reader.notes == []


def test_a_truncation_is_seen_though_the_file_is_longer_again(reader: Reader, path: Path):
    append(path, LINES[2])
    reader.read()
    path.write_text("".join(f"{text}\n" for text in LINES[3:8]))
    assert reader.read() == LINES[1:8]
    assert reader.notes == [f"{path}: was truncated after line 2, and no copy of it is there"]


def test_nothing_is_lost_when_lines_were_read_that_are_not_in_the_copy(reader: Reader, path: Path):
    shutil.copy(path, path.with_name("usage.log.1"))
    append(path, LINES[2])
    reader.read()
    path.write_text("")
    append(path, LINES[3])
    assert reader.read() == LINES[1:4]
    assert reader.notes == []


def test_several_rotations_between_two_looks_lose_nothing(reader: Reader, path: Path):
    reader.read()
    for number in range(2, 6):
        append(path, LINES[number])
        for old in (4, 3, 2, 1):
            with suppress(FileNotFoundError):
                path.with_name(f"usage.log.{old}").rename(path.with_name(f"usage.log.{old + 1}"))
        path.rename(path.with_name("usage.log.1"))
    append(path, LINES[6])
    assert sorted(reader.read()) == LINES[1:7]


def test_files_that_begin_with_the_same_lines_are_different_files(reader: Reader, path: Path):
    reader.read()
    for number in range(3):
        path.rename(path.with_name(f"usage.log.{number + 1}"))
        append(path, LINES[1])
        assert reader.read() == LINES[1:2] * (number + 2)


def test_a_quiet_rotated_file_is_given_up_and_its_cut_off_line_is_refused(reader: Reader, path: Path):
    reader.read()
    with path.open("a") as file:
        file.write(LINES[2])
    path.rename(path.with_name("usage.log.1"))
    append(path, LINES[3])
    assert reader.read() == [LINES[1], LINES[3]]
    reader.clock.advance(timedelta(hours=1))
    assert reader.read() == [LINES[1], LINES[3]]
    assert reader.problems == ["2: has no end: its file was rotated before it was written whole"]
    assert len(reader.memory.places) == 1


def test_a_file_that_is_moved_away_and_back_is_the_same(reader: Reader, path: Path):
    reader.read()
    away = path.rename(path.with_name("usage.log.1"))
    append(path, LINES[2])
    reader.read()
    away.replace(path)
    append(path, LINES[3])
    assert sorted(reader.read()) == LINES[1:4]


def test_a_link_that_is_pointed_elsewhere_is_followed(tmp_path: Path, path: Path):
    first, second = path.with_name("0.log"), path.with_name("1.log")
    append(first, LINES[0])
    path.symlink_to(first)
    reader = Reader(path, tmp_path / "state")
    reader.read()
    append(first, LINES[1])
    append(second, LINES[2])
    path.unlink()
    path.symlink_to(second)
    assert sorted(reader.read()) == LINES[:3]
    reader.kill()


# --- Restart --------------------------------------------------------------------------------------


def test_after_a_kill_what_was_not_done_comes_again_with_the_same_keys(reader: Reader, path: Path):
    append(path, *LINES[2:5])
    reader.step(done=False)
    before = dict(reader.found)
    reader.restart()
    assert reader.read() == LINES[1:5]
    assert reader.found == before


def test_rotations_while_nobody_looked_lose_nothing(reader: Reader, path: Path):
    reader.read()
    append(path, LINES[2])
    reader.kill()
    path.rename(path.with_name("usage.log.2"))
    path.with_name("usage.log.1").write_text(f"{LINES[3]}\n")
    append(path, LINES[4])
    reader.start()
    assert sorted(reader.read()) == LINES[1:5]


@pytest.mark.parametrize("name", ["usage.log.1.gz", "usage.log-20260301.gz", "usage-2026-03-01.log.gz"])
def test_a_file_that_was_packed_while_nobody_looked_is_read_on(reader: Reader, path: Path, name: str):
    reader.read()
    append(path, LINES[2])
    reader.kill()
    path.with_name(name).write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    append(path, LINES[3])
    reader.start()
    assert sorted(reader.read()) == LINES[1:4]
    assert reader.notes == []


def test_a_truncation_while_nobody_looked_loses_nothing_that_was_copied(reader: Reader, path: Path):
    reader.read()
    append(path, LINES[2])
    reader.kill()
    shutil.copy(path, path.with_name("usage.log.1"))
    path.write_text("")
    append(path, *LINES[3:6])
    reader.start()
    assert sorted(reader.read()) == LINES[1:6]


def test_a_copy_in_the_place_of_the_file_is_the_same_file(reader: Reader, path: Path):
    append(path, LINES[2])
    reader.read()
    reader.kill()
    moved = path.rename(path.with_name("elsewhere"))
    shutil.copy(moved, path)
    moved.unlink()
    append(path, LINES[3])
    reader.start()
    assert reader.read() == LINES[1:4]


def test_a_rotated_file_that_is_gone_is_said(reader: Reader, path: Path):
    reader.read()
    reader.kill()
    path.unlink()
    append(path, LINES[2])
    reader.start()
    assert reader.read() == LINES[1:3]
    assert reader.notes == [f"{path}: a rotated file is gone; lines after its line 1, if any, were not read"]


def test_without_what_was_remembered_lines_get_the_same_keys_again(reader: Reader, path: Path, tmp_path: Path):
    append(path, *LINES[2:5])
    reader.read()
    before = dict(reader.found)
    reader.kill()
    shutil.rmtree(tmp_path / "state")
    reader.start()
    reader.read()
    assert reader.found == before


def test_two_machines_have_keys_of_their_own_for_the_same_log(reader: Reader, path: Path, tmp_path: Path):
    other = Reader(path, tmp_path / "other", source="other machine")
    reader.read()
    other.read()
    assert not reader.found.keys() & other.found.keys()
    other.kill()


class Writer:
    """Writes and rotates a log as it comes. Lines that are written in the same second may be equal."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.path = path
        self.rng = rng
        self.written: Counter[str] = Counter()
        self.second = 0

    def write(self) -> None:
        lines = []
        for _ in range(self.rng.randrange(1, 4)):
            self.second += self.rng.random() < 0.5
            instant = f"2026-03-01T00:{self.second // 60:02}:{self.second % 60:02}Z"
            lines.append(line(self.rng.randrange(2), instant))
        append(self.path, *lines)
        self.written.update(lines)

    def rename(self) -> None:
        if self._shift():
            self.path.rename(self.path.with_name("usage.log.1"))

    def copy_and_truncate(self) -> None:
        if self._shift():
            shutil.copy2(self.path, self.path.with_name("usage.log.1"))
            os.truncate(self.path, 0)

    def pack(self) -> None:
        second = self.path.with_name("usage.log.2")
        if second.exists():
            packed = self.path.with_name("usage.log.2.gz")
            packed.write_bytes(gzip.compress(second.read_bytes()))
            shutil.copystat(second, packed)
            second.unlink()

    def _shift(self) -> bool:
        """Make room for another rotated file, if there is something to rotate."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        self.second += 1
        for number in range(60, 0, -1):
            for name in (f"usage.log.{number}", f"usage.log.{number}.gz"):
                with suppress(FileNotFoundError):
                    after = name.replace(str(number), str(number + 1))
                    self.path.with_name(name).rename(self.path.with_name(after))
        return True


@pytest.mark.parametrize("seed", range(60))
def test_every_line_counts_once_whatever_happens(path: Path, tmp_path: Path, seed: int):
    """Random writing, rotating of all kinds, reading and killing: no line is lost, none comes under two keys."""
    rng = random.Random(seed)
    writer, reader = Writer(path, rng), Reader(path, tmp_path / "state")
    actions: list[Callable[[], object]] = [writer.write] * 6
    actions += [writer.rename, writer.copy_and_truncate, writer.pack]
    actions += [reader.step] * 3 + [lambda: reader.step(done=False), reader.restart]
    for _ in range(80):
        rng.choice(actions)()
    reader.read()
    reader.kill()
    assert Counter(reader.found.values()) == writer.written
    assert reader.problems == []


# --- What lines mean ------------------------------------------------------------------------------


def test_csv_has_its_header_in_each_file_and_after_a_restart(path: Path, tmp_path: Path):
    append(path, "timestamp,calls,name", '2026-03-01,1,"a,b"')
    reader = Reader(path, tmp_path / "state", quantity_column="calls", format="csv")
    reader.read()
    reader.restart()
    append(path, "2026-03-01,2,c")
    reader.read()
    path.rename(path.with_name("usage.log.1"))
    append(path, "timestamp,calls,name", "2026-03-01,3,d", '2026-03-01,4,"e', "2026-03-01,5")
    assert reader.read() == ['2026-03-01,1,"a,b"', "2026-03-01,2,c", "2026-03-01,3,d"]
    assert reader.problems == [
        "3: opens a quote that is not closed",
        "4: has 2 cells where there are 3 columns",
    ]
    reader.kill()


def test_an_access_log_is_told_by_its_first_line(path: Path, tmp_path: Path):
    request = '192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5'
    append(path, request, "nonsense")
    reader = Reader(path, tmp_path / "state", event=None, quantity_column="bytes")
    assert reader.read() == [request]
    assert reader.problems == ["2: is not a line of the common or combined log format"]
    reader.kill()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"timestamp,other\n2026-03-01,1\n", "there is no column 'n' for --quantity-column"),
        (b"something\n", "neither its name nor its first line tells the layout"),
        (b"PAR1....\n", "a parquet file does not grow by lines"),
        (gzip.compress(b"{}\n", mtime=0), "is gzipped, so it does not grow by lines"),
    ],
)
def test_a_file_that_can_not_be_followed_is_refused_at_once(path: Path, tmp_path: Path, content: bytes, message: str):
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        Reader(path, tmp_path / "state", quantity_column="n")


def test_a_folder_and_a_pipe_can_not_be_followed(path: Path, tmp_path: Path):
    path.mkdir()
    os.mkfifo(path.with_name("pipe"))
    for each in (path, path.with_name("pipe")):
        with pytest.raises(InvalidInput, match="is no file that could be followed"):
            Reader(each, tmp_path / "state")


def test_a_later_file_that_does_not_fit_stops_itself_alone(path: Path, tmp_path: Path):
    append(path, "timestamp,n", "2026-03-01,1")
    reader = Reader(path, tmp_path / "state", quantity_column="n")
    reader.read()
    old = path.rename(path.with_name("usage.log.1"))
    append(path, "timestamp,other", "2026-03-01,2")
    append(old, "2026-03-01,3")
    assert reader.read() == ["2026-03-01,1", "2026-03-01,3"]
    [note] = reader.notes
    assert "there is no column 'n'" in note
    path.rename(path.with_name("usage.log.2"))
    append(path, "timestamp,n", "2026-03-01,4")
    assert "2026-03-01,4" in reader.read()
    reader.kill()


# --- What is remembered ---------------------------------------------------------------------------


def test_a_path_is_followed_by_one_process_at_a_time(reader: Reader, path: Path):
    with pytest.raises(Conflict, match="is being followed by another process already"):
        Memory(reader.state, path)


def test_a_damaged_memory_is_said_with_what_to_do(path: Path, tmp_path: Path):
    with Memory(tmp_path, path) as memory:
        memory.save()
    [file] = tmp_path.glob("*.json")
    file.write_text("{")
    with pytest.raises(ConfigurationError, match=r"is damaged; remove it, and .* is read again from its beginning"):
        Memory(tmp_path, path)


def test_a_folder_that_can_not_be_used_is_said(path: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="--state-dir names another folder"):
        Memory(tmp_path / "file", path)


def test_what_is_remembered_does_not_grow_with_the_rotations(reader: Reader, path: Path):
    for number in range(30):
        reader.clock.advance(timedelta(hours=1))
        path.rename(path.with_name("usage.log.1"))
        append(path, line(number))
        reader.read()
    assert len(reader.memory.places) <= 2
