"""Any file opens, or says in one line why not; what is readable is read, and memory does not grow."""

import gzip
import io
import os
import random
import sys
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.importing import Format, ImportOptions, Row, open_source
from tests.unit.importing.files import DAY, events, keys, rows, total, write

LINE = f'{{"team_id":"a","event_name":"e","quantity":1,"timestamp":"{DAY}","n":%d}}\n'
TEXT = "".join(LINE.replace("%d", str(number)) for number in range(5000))
HEADED = f"timestamp,quantity\n{DAY},1\n"
FIXED = {"team": "a", "event": "e"}


def give_stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("u.ndjson", "", Format.NDJSON),
        ("u.jsonl.gz", TEXT, Format.NDJSON),
        ("u.txt", TEXT, Format.NDJSON),
        ("u", "\ufeff" + TEXT, Format.NDJSON),
        ("U.CSV", HEADED, Format.CSV),
        ("u.tsv", HEADED.replace(",", "\t"), Format.CSV),
        ("u.dat", HEADED.replace(",", "|"), Format.CSV),
        ("u.log", '1.2.3.4 - - [01/Mar/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1', Format.ACCESS_LOG),
    ],
)
def test_the_layout_is_told_by_name_or_content(tmp_path: Path, name: str, content: str, expected: Format):
    path = write(tmp_path / name, content, packed=name.endswith(".gz"))
    with open_source(path, ImportOptions(team="a", event="e")) as source:
        assert source.format is expected


def test_a_layout_that_nothing_tells_has_to_be_given(tmp_path: Path):
    path = write(tmp_path / "notes", "just some words\n")
    with pytest.raises(InvalidInput, match="--format ndjson, csv, parquet or access-log"):
        rows(path)
    assert rows(path, format="access-log", team="a")[0].problem is not None


def test_a_gzipped_file_is_known_by_its_content_and_may_have_several_members(tmp_path: Path):
    half = len(TEXT) // 2
    packed = gzip.compress(TEXT[:half].encode()) + gzip.compress(TEXT[half:].encode()) + bytes(512)
    path = tmp_path / "u.ndjson"
    path.write_bytes(packed)
    assert total(events(path)) == 5000


def test_offsets_run_up_to_the_size_as_stored(tmp_path: Path):
    for packed in (False, True):
        path = write(tmp_path / "u.ndjson", TEXT, packed=packed)
        with open_source(path, ImportOptions()) as source:
            offsets = [row.offset_bytes for row in source]
            assert source.size_bytes == path.stat().st_size == offsets[-1]
        assert offsets == sorted(offsets)


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_needs_a_name_for_its_lines(monkeypatch: pytest.MonkeyPatch, packed: bool):
    content = gzip.compress(HEADED.encode()) if packed else HEADED.encode()
    give_stdin(monkeypatch, content)
    with pytest.raises(InvalidInput, match="--source-id, --key-column or --identity content"):
        rows("-", **FIXED)
    give_stdin(monkeypatch, content)
    assert keys(rows("-", **FIXED, source_id="today")) == ["today:2"]
    give_stdin(monkeypatch, content)
    assert len(rows("-", **FIXED, identity="content")) == 1


def test_lines_with_keys_of_their_own_need_no_name_on_standard_input(monkeypatch: pytest.MonkeyPatch):
    keyed = LINE.replace('"n":%d', '"idempotency_key":"k"')
    give_stdin(monkeypatch, (keyed + LINE.replace("%d", "1")).encode())
    with_key, without = rows("-")
    assert with_key.event is not None
    assert with_key.event["idempotency_key"] == "k"
    assert without.problem is not None
    assert without.problem.field == "idempotency_key"


def test_a_pipe_that_gives_little_at_a_time_is_read_to_its_end(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    packed = gzip.compress(HEADED.encode())

    def feed() -> None:
        with pipe.open("wb", buffering=0) as out:
            for i in range(len(packed)):
                out.write(packed[i : i + 1])

    writer = threading.Thread(target=feed)
    writer.start()
    try:
        with open_source(str(pipe), ImportOptions(team="a", event="e", source_id="s")) as source:
            assert source.size_bytes is None
            assert keys(list(source)) == ["s:2"]
    finally:
        writer.join()


def read_until_refused(path: Path) -> tuple[list[Row], str]:
    found: list[Row] = []
    with pytest.raises(InvalidInput) as refused, open_source(path, ImportOptions()) as source:
        found.extend(source)
    return found, str(refused.value)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.99])
def test_of_a_truncated_gzip_file_all_whole_lines_are_read_and_no_part_of_one(tmp_path: Path, cut: float):
    noise = random.Random(cut)
    noisy = "".join(LINE.replace("%d", str(noise.getrandbits(50))) for _ in range(20_000))
    packed = gzip.compress(noisy.encode())
    path = write(tmp_path / "u.ndjson.gz", packed[: int(len(packed) * cut)])
    found, message = read_until_refused(path)
    lines = noisy.splitlines()
    assert [row.raw.decode() for row in found] == lines[: len(found)]
    assert len(found) > len(lines) * cut * 0.9
    assert message == f"{path}: the gzip data is cut off after row {len(found)}; the rows up to there were read"


def test_damaged_gzip_is_one_line_with_the_file(tmp_path: Path):
    packed = bytearray(gzip.compress(TEXT.encode()))
    packed[len(packed) // 2] ^= 0xFF
    path = write(tmp_path / "u.ndjson.gz", bytes(packed))
    _, message = read_until_refused(path)
    assert message.startswith(f"{path}: the gzip data is damaged")
    path = write(tmp_path / "v.ndjson.gz", gzip.compress(TEXT.encode()) + b"something else")
    found, message = read_until_refused(path)
    assert len(found) == 5000
    assert "damaged" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x28\xb5\x2f\xfd" + bytes(20), "is packed with zstd"),
        (b"PK\x03\x04" + bytes(20), "is packed with zip"),
        ("timestamp,n\n".encode("utf-16"), "is UTF-16"),
        (b"\x1f\x8b\x08", "the gzip data is cut off"),
        (b"\x1f\x8bnot gzip", "the gzip data is damaged"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str):
    path = write(tmp_path / "u.csv", content)
    with pytest.raises(InvalidInput, match=reason) as refused:
        rows(path, **FIXED)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_can_not_be_opened_is_one_line(tmp_path: Path):
    with pytest.raises(InvalidInput, match="no such file or directory"):
        rows(tmp_path / "absent.csv")
    with pytest.raises(InvalidInput, match="is a directory"):
        rows(tmp_path)
    with pytest.raises(InvalidInput, match="is not a file name"):
        rows("a\0b")


@pytest.mark.parametrize("packed", [False, True])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, packed: bool):
    many = LINE.replace("%d", "1") * 60_000
    path = write(tmp_path / "u.ndjson", many + '"' + "x" * 8_000_000 + "\n" + LINE.replace("%d", "1"), packed=packed)
    tracemalloc.start()
    try:
        with open_source(path, ImportOptions()) as source:
            found = [row.position for row in source if row.problem]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [60_001]
    assert peak < 6_000_000
