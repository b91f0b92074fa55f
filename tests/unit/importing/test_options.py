"""What the user may say about a file, what contradicts itself, and that the manual says it all."""

from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.importing import Format, Identity, ImportOptions, option_help, option_name, parse_quantities
from tests.unit.importing.files import DAY, events, rows, total, write

MANUAL = Path(__file__).parents[3] / "docs" / "how-to" / "import.md"
TRACE = f"at,Context,Generated\n{DAY},374,44\n{DAY},396,109\n"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"team": "a", "team_column": "b"}, "team_column"),
        ({"event": "a", "event_column": "b"}, "event_column"),
        ({"quantity": Decimal(0), "quantity_column": "b"}, "quantity_column"),
        ({"unit": "a", "unit_column": "b"}, "unit_column"),
        ({"event_type": "a", "event_type_column": "b"}, "event_type_column"),
        ({"quantities": {"a": "b"}, "event": "c"}, "event"),
        ({"quantities": {"a": "b"}, "quantity": Decimal(1)}, "quantity"),
        ({"quantity": Decimal("1e20")}, "quantity"),
        ({"quantity": Decimal("NaN")}, "quantity"),
        ({"timestamp_zone": "Mars/Olympus"}, "time_zone"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"delimiter": '"'}, "delimiter"),
        ({"team": ""}, "team"),
        ({"source_id": ""}, "source_id"),
        ({"format": "xml"}, "format"),
        ({"identity": "line"}, "identity"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], field: str):
    with pytest.raises(InvalidInput) as refused:
        ImportOptions(**options)
    assert refused.value.field == field


def test_every_row_counts_one_by_default_with_all_other_columns_as_metadata(tmp_path: Path):
    found = events(write(tmp_path / "t.csv", TRACE), team="a", event="llm", timestamp_column="at")
    assert total(found) == 2
    assert [event["metadata"] for event in found] == [
        {"Context": 374, "Generated": 44},
        {"Context": 396, "Generated": 109},
    ]


def test_a_row_may_give_several_events(tmp_path: Path):
    several = {"llm_input": "Context", "llm_output": "Generated"}
    found = events(write(tmp_path / "t.csv", TRACE), team="a", timestamp_column="at", quantities=several, unit="token")
    assert [event["event_name"] for event in found] == ["llm_input", "llm_output"] * 2
    assert total(found, "llm_input") == 770
    assert total(found, "llm_output") == 153
    assert len({event["idempotency_key"] for event in found}) == 4
    assert {event["unit"] for event in found} == {"token"}


def test_one_bad_quantity_spoils_no_other_of_its_row(tmp_path: Path):
    path = write(tmp_path / "t.csv", f"at,a,b\n{DAY},1,\n{DAY},x,2\n")
    found = rows(path, team="t", timestamp_column="at", quantities={"a": "a", "b": "b"})
    assert [(row.position, row.event["event_name"] if row.event else None) for row in found] == [
        (2, "a"),
        (2, None),
        (3, None),
        (3, "b"),
    ]


def test_what_an_option_says_wins_over_a_column_of_the_name_which_stays_as_metadata(tmp_path: Path):
    path = write(tmp_path / "t.csv", f"team_id,event_name,quantity,timestamp\nold,e,5,{DAY}\n")
    [event] = events(path, team="new", quantity=Decimal(2))
    assert (event["team_id"], event["quantity"]) == ("new", 2)
    assert event["metadata"] == {"team_id": "old", "quantity": 5}


def test_quantities_are_written_name_equals_column():
    assert parse_quantities(["a=b", "c=d=e"]) == {"a": "b", "c": "d=e"}
    for wrong in (["a"], ["=b"], ["a="], ["a=b", "a=c"]):
        with pytest.raises(InvalidInput):
            parse_quantities(wrong)


def test_every_option_has_a_help_text_and_is_in_the_manual():
    manual = MANUAL.read_text(encoding="utf-8")
    for each in fields(ImportOptions):
        assert option_help(each.name).endswith(".")
        assert f"`{option_name(each.name)}" in manual
    for choice in (*Format, *Identity):
        assert f"`{choice}`" in manual
