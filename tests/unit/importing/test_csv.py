"""CSV, with any of its separators, reads back what was written; a broken row costs its own line only."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tests.unit.importing.files import DAY, events, keys, problems, rows, write

HEADER = "team_id,event_name,quantity,timestamp,region,code\n"
GOOD = f"acme,api_call,1.50,{DAY},eu,007\n"


def test_columns_called_like_fields_of_an_event_need_no_option(tmp_path: Path):
    [event] = events(write(tmp_path / "u.csv", HEADER + GOOD))
    assert event == {
        "team_id": "acme",
        "event_name": "api_call",
        "quantity": Decimal("1.50"),
        "timestamp": datetime(2026, 3, 1, tzinfo=UTC),
        "metadata": {"region": "eu", "code": "007"},
        "idempotency_key": "u.csv:2",
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separator_line_ends_and_byte_order_mark_are_recognised(tmp_path: Path, separator: str, ends: str, mark: str):
    text = mark + (HEADER + GOOD).replace(",", separator).replace("\n", ends)
    assert events(write(tmp_path / "u.csv", text)) == events(write(tmp_path / "u.csv", HEADER + GOOD))


def test_a_separator_inside_cells_of_others_does_not_confuse(tmp_path: Path):
    text = f'team_id;event_name;timestamp;note\na;e;{DAY};"x, y, z"\na;e;{DAY};"1,2,3,4,5,6"\n'
    assert [event["metadata"]["note"] for event in events(write(tmp_path / "u.csv", text))] == [
        "x, y, z",
        "1,2,3,4,5,6",
    ]


def test_a_given_separator_is_taken(tmp_path: Path):
    [event] = events(write(tmp_path / "u.csv", f"event_name~timestamp\ne~{DAY}\n"), team="a", delimiter="~")
    assert event["event_name"] == "e"


def test_a_file_without_header_is_read_by_the_columns_named(tmp_path: Path):
    [event] = events(
        write(tmp_path / "u.csv", GOOD), columns=["team_id", "event_name", "quantity", "timestamp", "x", "y"]
    )
    assert (event["idempotency_key"], event["metadata"]) == ("u.csv:1", {"x": "eu", "y": "007"})


def test_cells_spelled_as_numbers_are_numbers_in_metadata_digit_for_digit(tmp_path: Path):
    cells = [
        "1",
        "-7",
        "1.10",
        "0.5",
        "007",
        "-0",
        "1e5",
        "+1",
        ".5",
        "1.",
        "12345678901234567890",
        " 1",
        "9" * 60,
    ]
    text = "".join(f"a,e,{DAY},{cell}\n" for cell in cells)
    found = [
        event["metadata"]["v"] for event in events(write(tmp_path / "u.csv", f"team_id,event_name,timestamp,v\n{text}"))
    ]
    assert [str(value) for value in found] == cells
    assert [type(value) for value in found] == [
        int,
        int,
        Decimal,
        Decimal,
        str,
        str,
        str,
        str,
        str,
        str,
        int,
        str,
        str,
    ]


def test_an_empty_cell_is_absent_but_a_field_that_must_be_there_is_a_problem(tmp_path: Path):
    path = write(tmp_path / "u.csv", HEADER + f"acme,api_call,,{DAY},,1\nacme,api_call,2,{DAY},,1\n,e,1,{DAY},,\n")
    first, second, third = rows(path)
    assert first.problem is not None
    assert (first.problem.field, first.problem.code) == ("quantity", "missing")
    assert second.event is not None
    assert second.event["metadata"] == {"code": 1}
    assert third.problem is not None
    assert third.problem.field == "team_id"


def test_a_position_is_the_line_on_which_the_row_begins(tmp_path: Path):
    text = HEADER + f'a,e,1,{DAY},"two\r\nlines",x\n\n' + GOOD
    found = rows(write(tmp_path / "u.csv", text))
    assert [row.position for row in found] == [2, 5]
    assert found[0].event is not None
    assert found[0].event["metadata"]["region"] == "two\r\nlines"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a,e,1", "has 3 cells where there are 6 columns"),
        (b"a,e,1,2,3,4,5", "has 7 cells where there are 6 columns"),
        (b'a,e,1,"never closed,x,y', "quote that is not closed"),
        (b'a,e,1,"closed"x,y,z', "is not valid CSV"),
        (b"a,e,1,\xff,x,y", "is not valid UTF-8"),
        (b"a,e,1,\x00,x,y", "NUL"),
        (b"a,e,1," + b"x" * 1_100_000, "longer than"),
        (b'a,e,1,"' + b"x" * 200_000, "is not valid CSV"),
    ],
    ids=["short", "long", "open quote", "text after quote", "utf-8", "nul", "long line", "long cell"],
)
def test_a_broken_row_costs_its_own_line_only(tmp_path: Path, line: bytes, reason: str):
    quoted = f'acme,api_call,1,{DAY},"quoted ""x""",y\n'.encode()
    good = GOOD.encode() * 3 + quoted + GOOD.encode()
    found = rows(write(tmp_path / "u.csv", HEADER.encode() + GOOD.encode() + line + b"\n" + good))
    assert [row.position for row in found] == [2, 3, 4, 5, 6, 7, 8]
    assert found[1].problem is not None
    assert reason in found[1].problem.message
    assert [row.position for row in found if row.problem] == [3]


def test_repairing_a_broken_row_changes_no_other_key(tmp_path: Path):
    broken = rows(write(tmp_path / "u.csv", HEADER + GOOD + 'acme,"api_call,1\n' + GOOD * 2))
    repaired = rows(write(tmp_path / "u.csv", HEADER + GOOD + GOOD + GOOD * 2))
    assert keys(broken) == [key for key in keys(repaired) if key != "u.csv:3"]


def test_a_quote_left_open_at_the_end_loses_no_row_before_it(tmp_path: Path):
    path = write(tmp_path / "u.csv", HEADER + GOOD + 'acme,"open')
    assert problems(path) == [(3, "opens a quote that is not closed")]
    assert len(rows(path)) == 2


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("a,b,a\n1,2,3\n", {}, "column 'a' is there twice"),
        ("a,b\n1,2\n", {"team_column": "org"}, "no column 'org' for --team-column; the columns are: a, b"),
        ("a,b\n1,2\n", {"quantities": {"x": "c"}}, "no column 'c' for --quantities; the columns are: a, b"),
        ("a,b\n1,2\n", {"metadata_columns": ["c"]}, "no column 'c' for --metadata-columns"),
        ("a,b\n1,2\n", {"key_column": "id"}, "no column 'id' for --key-column"),
        (
            "a,b\n1,2\n",
            {},
            "nothing says whose usage it is; give --team or --team-column; the columns are: a, b",
        ),
        ("a,b\n1,2\n", {"team": "t"}, "nothing says what happened; give --event or --event-column"),
        ("a,b\n1,2\n", {"team": "t", "event": "e"}, "nothing says when it happened; give --timestamp-column"),
        ("a,b\r1,2\r3,4\r", {}, "lines end in CR alone"),
        ('"a,b\n1,2\n', {}, "the header line opens a quote"),
        ("a,\x00\n1,2\n", {}, "the header line contains a NUL byte"),
    ],
)
def test_options_that_do_not_fit_the_columns_are_refused_before_anything_is_read(
    tmp_path: Path, text: str, options: dict, reason: str
):
    path = write(tmp_path / "u.csv", text)
    with pytest.raises(InvalidInput) as refused:
        rows(path, **options)
    assert reason in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_columns_without_a_name_are_called_by_their_number(tmp_path: Path):
    [event] = events(write(tmp_path / "u.csv", f",event_name,timestamp,\n0,e,{DAY},z\n"), team="a")
    assert event["metadata"] == {"column 1": 0, "column 4": "z"}


def test_a_metadata_column_holds_json(tmp_path: Path):
    text = f'team_id,event_name,timestamp,metadata,x\na,e,{DAY},"{{""n"": 1.10}}",5\na,e,{DAY},plain,\n'
    parsed, plain = events(write(tmp_path / "u.csv", text))
    assert parsed["metadata"] == {"n": Decimal("1.10"), "x": 5}
    assert plain["metadata"] == {"metadata": "plain"}


def test_a_header_alone_has_no_rows_and_neither_has_an_empty_file(tmp_path: Path):
    assert rows(write(tmp_path / "u.csv", HEADER)) == []
    assert rows(write(tmp_path / "u.csv", "")) == []


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), max_size=8)


# The writer leaves a lone CR bare where lines end in LF, which RFC 4180 forbids; so quote all there.
@given(
    ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
    st.booleans(),
)
def test_random_rows_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, written: list, separator: str, style: tuple, packed: bool
):
    ends, quoting = style
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=ends, quoting=quoting)
    writer.writerow(["timestamp", "quantity", "one", "two", "three"])
    for number, cells in enumerate(written):
        writer.writerow([DAY, number, *cells])
    path = write(tmp_path_factory.mktemp("c") / "u.csv", text.getvalue(), packed=packed)
    found = events(path, team="a", event="e")
    read = [tuple(str(event.get("metadata", {}).get(name, "")) for name in ("one", "two", "three")) for event in found]
    assert read == written
    assert [event["quantity"] for event in found] == list(range(len(written)))
