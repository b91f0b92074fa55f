"""NDJSON becomes events, number for number, whatever single lines hold."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tests.unit.importing.files import DAY, events, problems, rows, write

TRACKED = (
    f'{{"team_id": "acme", "event_name": "api_call", "quantity": 1.10, "unit": "call", "timestamp": "{DAY}", '
    '"user_id": "u1", "event_type": "api", "metadata": {"ms": 0.30, "n": 12345678901234567890123}, '
    '"idempotency_key": "k-1"}\n'
)


def test_a_line_in_the_shape_of_the_track_route_needs_no_option(tmp_path: Path):
    [event] = events(write(tmp_path / "a.ndjson", TRACKED))
    assert event == {
        "team_id": "acme",
        "event_name": "api_call",
        "quantity": Decimal("1.10"),
        "unit": "call",
        "timestamp": datetime(2026, 3, 1, tzinfo=UTC),
        "user_id": "u1",
        "event_type": "api",
        "metadata": {"ms": Decimal("0.30"), "n": 12345678901234567890123},
        "idempotency_key": "k-1",
    }
    assert str(event["quantity"]) == "1.10"


def test_a_quantity_is_a_decimal_whether_written_as_integer_fraction_or_text(tmp_path: Path):
    lines = "".join(
        f'{{"team_id":"a","event_name":"e","timestamp":"{DAY}","quantity":{text}}}\n'
        for text in ("3", "0.1", '"0.1"', "1e3", "-2", '" 5 "')
    )
    found = [event["quantity"] for event in events(write(tmp_path / "a.jsonl", lines))]
    assert found == [Decimal(3), Decimal("0.1"), Decimal("0.1"), Decimal(1000), Decimal(-2), Decimal(5)]
    assert {type(quantity) for quantity in found} == {Decimal}


def test_a_line_without_quantity_is_one_but_an_empty_quantity_is_a_problem(tmp_path: Path):
    start = f'{{"team_id":"a","event_name":"e","timestamp":"{DAY}"'
    path = write(tmp_path / "a.ndjson", f'{start}}}\n{start},"quantity":null}}\n{start},"quantity":""}}\n')
    good, null, empty = rows(path)
    assert good.event is not None
    assert good.event["quantity"] == 1
    assert null.problem is not None
    assert empty.problem is not None
    assert (null.problem.field, null.problem.code) == ("quantity", "missing")


def test_fields_are_found_at_nested_paths_and_the_rest_is_metadata(tmp_path: Path):
    line = '{"who":{"org":{"id":7}},"at":1772323200,"usage":{"in":5,"out":2},"model":"m","a.b":4}\n'
    options = {"event": "llm", "timestamp_column": "at", "timestamp_format": "epoch-s"}
    [event] = events(write(tmp_path / "a.json", line), team_column="who.org.id", quantity_column="usage.out", **options)
    assert (event["team_id"], event["quantity"]) == ("7", 2)
    assert event["metadata"] == {
        "who": {"org": {"id": 7}},
        "usage": {"in": 5, "out": 2},
        "model": "m",
        "a.b": 4,
    }
    [dotted] = events(tmp_path / "a.json", team="t", quantity_column="a.b", **options)
    assert dotted["quantity"] == 4


def test_chosen_metadata_stays_at_its_path(tmp_path: Path):
    line = f'{{"team_id":"a","event_name":"e","timestamp":"{DAY}","usage":{{"in":5,"out":2}},"x":1,"y":null}}\n'
    path = write(tmp_path / "a.ndjson", line)
    [event] = events(path, metadata_columns=["usage.in", "x", "y", "z"])
    assert event["metadata"] == {"usage": {"in": 5}, "x": 1}
    assert "metadata" not in events(path, metadata_columns=[])[0]


def test_metadata_of_the_line_and_columns_beside_it_are_merged_unless_they_clash(tmp_path: Path):
    start = f'{{"team_id":"a","event_name":"e","timestamp":"{DAY}","metadata":{{"x":1}}'
    path = write(tmp_path / "a.ndjson", f'{start},"y":2}}\n{start},"x":2}}\n')
    merged, clash = rows(path)
    assert merged.event is not None
    assert merged.event["metadata"] == {"x": 1, "y": 2}
    assert clash.problem is not None
    assert "'x'" in clash.problem.message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1', "is not valid JSON"),
        (b'{"a": NaN}', "is not valid JSON"),
        (b'{"a": "\xff"}', "is not valid UTF-8"),
        (b'{"a": "\x00"}', "NUL"),
        (b'{"a":' * 5000, "nested too deeply"),
        (b'{"a": 1e99999999999999999999}', "is not valid JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "is not valid JSON"),
        (b"x" * 1_100_000, "longer than"),
        (b'{"event_name":"e"}', "'team_id' has no value; the row has: event_name"),
        (b'{"team_id":"a","event_name":"e"}', "'timestamp' has no value"),
        (b'{"team_id":{},"event_name":"e"}', "'team_id' is an object, not text"),
        (b'{"team_id":true,"event_name":"e"}', "'team_id' is true, not text"),
        (b'{"team_id":"a","event_name":"e","quantity":"1_000"}', "'quantity' is '1_000', not a number"),
        (b'{"team_id":"a","event_name":"e","quantity":"NaN"}', "'quantity' is 'NaN', not a number"),
        (b'{"team_id":"a","event_name":"e","quantity":[1]}', "'quantity' is a list, not a number"),
        (b'{"team_id":"a","event_name":"e","timestamp":5}', "--timestamp-format epoch-s"),
    ],
)
def test_a_broken_line_is_a_problem_with_its_number_and_spoils_no_other(tmp_path: Path, line: bytes, reason: str):
    path = write(tmp_path / "a.ndjson", TRACKED.encode() + line + b"\n\n" + TRACKED.encode())
    first, broken, last = rows(path)
    assert (first.position, last.position) == (1, 4)
    assert first.event == last.event
    assert broken.position == 2
    assert broken.problem is not None
    assert reason in broken.problem.message
    assert "\n" not in broken.problem.message


def test_a_json_array_is_refused_with_the_way_to_split_it(tmp_path: Path):
    with pytest.raises(InvalidInput, match="one JSON array"):
        rows(write(tmp_path / "a.json", "[\n" + TRACKED + "]"))


def test_problems_name_the_field_at_fault(tmp_path: Path):
    path = write(tmp_path / "a.ndjson", '{"team_id":"a","event_name":"e","quantity":"x"}\nnonsense\n')
    found = [row.problem for row in rows(path) if row.problem]
    assert [(problem.field, problem.code) for problem in found] == [
        ("quantity", "invalid"),
        (None, "malformed"),
    ]
    assert [position for position, _ in problems(path)] == [1, 2]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False, places=6),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


@given(st.lists(st.dictionaries(st.text(min_size=1), VALUES), max_size=5))
def test_metadata_reads_back_exactly(tmp_path_factory: pytest.TempPathFactory, written: list):
    lines = b"".join(
        msgspec.json.Encoder(decimal_format="number").encode(
            {"team_id": "a", "event_name": "e", "timestamp": DAY, "metadata": metadata}
        )
        + b"\n"
        for metadata in written
    )
    found = events(write(tmp_path_factory.mktemp("n") / "a.ndjson", lines))
    assert [event.get("metadata", {}) for event in found] == written
