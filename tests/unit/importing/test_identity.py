"""A row is the same event however, wherever and by whom its file is read."""

import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.importing import ImportOptions, refuse_shared_sources
from tests.unit.importing.files import DAY, keys, problems, rows, write

LINES = [f"{DAY},{number % 7}" for number in range(50)]
TEXT = "timestamp,quantity\n" + "\n".join(LINES) + "\n"
FIXED = {"team": "acme", "event": "e"}


def shuffled_keys(path: str, seed: int) -> dict[str, str]:
    """What one process makes of a file, having taken its events in an order of its own."""
    found = rows(path, **FIXED)
    random.Random(seed).shuffle(found)
    return {row.event["idempotency_key"]: row.raw.decode() for row in found if row.event}


def test_by_position_every_line_counts_once_however_often_and_from_wherever_it_is_imported(tmp_path: Path):
    (tmp_path / "copy").mkdir()
    first = keys(rows(write(tmp_path / "u.csv", TEXT), **FIXED))
    assert first == [f"u.csv:{line}" for line in range(2, 52)]
    assert keys(rows(write(tmp_path / "copy" / "u.csv", TEXT), **FIXED)) == first
    assert keys(rows(write(tmp_path / "u.csv.gz", TEXT, packed=True), **FIXED)) == first
    assert keys(rows(write(tmp_path / "renamed.csv", TEXT), **FIXED, source_id="u.csv")) == first


def test_four_processes_that_read_in_other_orders_give_the_same_keys(tmp_path: Path):
    path = str(write(tmp_path / "u.csv", TEXT))
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(shuffled_keys, [path] * 4, range(4)))
    assert found == [found[0]] * 4
    assert len(found[0]) == 50


def test_a_log_that_grows_keeps_the_keys_of_its_earlier_lines(tmp_path: Path):
    before = keys(rows(write(tmp_path / "u.csv", TEXT), **FIXED))
    after = keys(rows(write(tmp_path / "u.csv", TEXT + LINES[0] + "\n"), **FIXED))
    assert after[:50] == before
    assert len(set(after)) == 51


def test_by_content_equal_lines_count_once_wherever_they_stand(tmp_path: Path):
    path = write(tmp_path / "u.csv", TEXT)
    assert len(set(keys(rows(path, **FIXED, identity="content")))) == 7
    turned = "timestamp,quantity\r\n" + "\r\n".join(reversed(LINES))
    other = write(tmp_path / "other.csv", turned)
    assert set(keys(rows(other, **FIXED, identity="content"))) == set(keys(rows(path, **FIXED, identity="content")))


def test_events_of_one_row_have_keys_of_their_own(tmp_path: Path):
    path = write(tmp_path / "u.csv", f"timestamp,in,out,id\n{DAY},1,2,k\n")
    several = {"team": "acme", "timestamp_column": "timestamp", "quantities": {"tokens_in": "in", "tokens_out": "out"}}
    assert keys(rows(path, **several)) == ["u.csv:2:tokens_in", "u.csv:2:tokens_out"]
    assert keys(rows(path, **several, key_column="id")) == ["k:tokens_in", "k:tokens_out"]
    first, second = keys(rows(path, **several, identity="content"))
    assert first != second


@pytest.mark.parametrize("identity", ["position", "content"])
def test_a_key_of_the_row_itself_wins(tmp_path: Path, identity: str):
    path = write(tmp_path / "u.csv", f"timestamp,idempotency_key,id\n{DAY},own,7\n{DAY},,8\n{DAY},own,\n")
    own = keys(rows(path, **FIXED, identity=identity))
    assert own[0] == own[2] == "own"
    assert own[1].startswith("u.csv:3" if identity == "position" else "content:")
    named = {**FIXED, "identity": identity, "key_column": "id"}
    assert keys(rows(path, **named)) == ["7", "8"]
    assert [position for position, _ in problems(path, **named)] == [4]


def test_no_two_sources_share_a_key_and_none_is_too_long(tmp_path: Path):
    path = write(tmp_path / "u.csv", f"timestamp,n\n{DAY},1\n")
    [escaped] = keys(rows(path, **FIXED, source_id="10:30%3A"))
    assert escaped == "10%3A30%253A:2"
    [long] = keys(rows(path, **FIXED, source_id="x" * 300))
    [other] = keys(rows(path, **FIXED, source_id="x" * 301))
    assert max(len(long), len(other)) <= 255
    assert long != other
    [event] = keys(rows(path, team="a", quantities={"e" * 300: "n"}))
    assert len(event) <= 255


def test_files_whose_lines_would_get_the_same_keys_are_refused_together():
    with pytest.raises(InvalidInput, match=r"a/u\.csv and b/u\.csv would give their lines the same keys"):
        refuse_shared_sources(["a/u.csv", "b/u.csv"], ImportOptions())
    with pytest.raises(InvalidInput, match="--source-id"):
        refuse_shared_sources(["a.csv", "b.csv"], ImportOptions(source_id="s"))
    refuse_shared_sources(["a/u.csv", "a/u.csv", "b/v.csv"], ImportOptions())
    refuse_shared_sources(["a/u.csv", "b/u.csv"], ImportOptions(identity="content"))  # type: ignore[arg-type]
    refuse_shared_sources(["a/u.csv", "b/u.csv"], ImportOptions(key_column="id"))
