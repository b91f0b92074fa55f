"""Parquet: every number that comes out is the number that was written."""

import gzip
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tests.unit.importing.files import events, rows, write

AT = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001 - as a file without a zone has it
FIXED = {"team": "acme", "event": "e"}


def table(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_columns_called_like_fields_of_an_event_need_no_option(tmp_path: Path):
    path = table(
        tmp_path / "u.parquet",
        team_id=["a", "b"],
        event_name=["e", "e"],
        quantity=pa.array([Decimal("1.500000000000000001"), Decimal(-2)], pa.decimal128(38, 18)),
        timestamp=pa.array([AT, AT], pa.timestamp("us", tz="America/New_York")),
        region=["eu", None],
    )
    first, second = events(path)
    assert first == {
        "team_id": "a",
        "event_name": "e",
        "quantity": Decimal("1.500000000000000001"),
        "timestamp": AT,
        "metadata": {"region": "eu"},
        "idempotency_key": "u.parquet:1",
    }
    assert second["quantity"] == -2
    assert "metadata" not in second


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.int8(), -3, "-3"),
        (pa.uint64(), 2**64 - 1, str(2**64 - 1)),
        (pa.decimal128(38, 18), Decimal("0.1"), "0.1"),
        (pa.decimal256(50, 2), Decimal("123456789012345678901234567890.12"), "123456789012345678901234567890.12"),
        (pa.float64(), 0.1, "0.1"),
        (pa.float64(), 1e22, "1E+22"),
        (pa.float32(), 0.1, "0.1"),
        (pa.float16(), 0.5, "0.5"),
        (pa.string(), "7.25", "7.25"),
        (pa.large_string(), "7", "7"),
        (pa.binary(), b"8", "8"),
    ],
)
def test_a_quantity_is_exact_from_every_type_of_number(tmp_path: Path, kind: Any, value: Any, expected: str):
    path = table(tmp_path / "u.parquet", quantity=pa.array([value], kind), timestamp=[AT])
    [event] = events(path, **FIXED)
    assert event["quantity"] == Decimal(expected)
    assert isinstance(event["quantity"], Decimal)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_what_is_no_number_is_a_problem_of_its_row(tmp_path: Path, bad: float, kind: Any):
    path = table(tmp_path / "u.parquet", n=pa.array([1.0, bad, 2.0], kind), timestamp=[AT] * 3)
    for options in ({"quantity_column": "n"}, {"metadata_columns": ["n"]}):
        found = rows(path, **FIXED, **options)
        assert [row.position for row in found if row.problem] == [2]
        assert "'n' is" in str(found[1].problem)
        assert len(found) == 3


@pytest.mark.parametrize(
    ("kind", "value", "options", "expected"),
    [
        (pa.timestamp("s"), NAIVE, {}, datetime(2026, 3, 1, tzinfo=UTC)),
        (
            pa.timestamp("ms"),
            NAIVE,
            {"timestamp_zone": "Asia/Kathmandu"},
            datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        ),
        (pa.timestamp("us", tz="UTC"), AT, {"timestamp_zone": "Asia/Kathmandu"}, AT),
        (pa.timestamp("us", tz="+02:00"), AT, {}, AT),
        (pa.timestamp("ns"), 1772368200_123456999, {}, AT),
        (pa.timestamp("ns", tz="UTC"), 1772368200_123456999, {}, AT),
        (pa.date32(), date(2026, 3, 1), {}, datetime(2026, 3, 1, tzinfo=UTC)),
        (pa.string(), "2026-03-01T12:30:00.123456Z", {}, AT),
        (pa.int64(), 1772368200123, {"timestamp_format": "epoch-ms"}, AT.replace(microsecond=123000)),
        (pa.float64(), 1772368200.5, {"timestamp_format": "epoch-s"}, AT.replace(microsecond=500000)),
    ],
)
def test_an_instant_is_right_from_every_type_of_time(
    tmp_path: Path, kind: Any, value: Any, options: dict, expected: datetime
):
    path = table(tmp_path / "u.parquet", timestamp=pa.array([value], kind))
    [event] = events(path, **FIXED, **options)
    assert event["timestamp"] == expected


def test_metadata_takes_every_type_that_json_can_hold(tmp_path: Path):
    path = table(
        tmp_path / "u.parquet",
        timestamp=[AT],
        i=[1],
        d=pa.array([Decimal("1.10")], pa.decimal128(9, 2)),
        f=[0.1],
        b=[True],
        s=pa.array(["x"]).dictionary_encode(),
        day=[date(2026, 3, 1)],
        at=pa.array([AT], pa.timestamp("ns", tz="UTC")),
        clock=pa.array([time(12, 30)], pa.time64("us")),
        raw=[b"text"],
        struct=[{"x": {"y": 0.3}}],
        list=[[1, 2]],
        map=pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
        nothing=pa.nulls(1),
    )
    [event] = events(path, **FIXED)
    assert event["metadata"] == {
        "i": 1,
        "d": Decimal("1.10"),
        "f": Decimal("0.1"),
        "b": True,
        "s": "x",
        "day": "2026-03-01",
        "at": "2026-03-01T12:30:00.123456+00:00",
        "clock": "12:30:00",
        "raw": "text",
        "struct": {"x": {"y": Decimal("0.3")}},
        "list": [1, 2],
        "map": {"k": "v"},
    }
    [nested] = events(path, **FIXED, quantity_column="struct.x.y", metadata_columns=["map.k"])
    assert (nested["quantity"], nested["metadata"]) == (Decimal("0.3"), {"map": {"k": "v"}})


def test_bytes_that_are_no_text_are_a_problem_unless_left_out(tmp_path: Path):
    path = table(tmp_path / "u.parquet", timestamp=[AT], blob=[b"\xff"])
    [row] = rows(path, **FIXED)
    assert row.problem is not None
    assert "'blob' holds bytes" in row.problem.message
    assert len(events(path, **FIXED, metadata_columns=[])) == 1


def test_positions_run_through_row_groups_and_offsets_up_to_the_size(tmp_path: Path):
    path = tmp_path / "u.parquet"
    pq.write_table(pa.table({"quantity": range(10_000), "timestamp": [AT] * 10_000}), path, row_group_size=777)
    found = rows(path, **FIXED)
    assert [row.position for row in found] == list(range(1, 10_001))
    assert sum(row.event["quantity"] for row in found if row.event) == 49_995_000
    assert found[-1].offset_bytes == path.stat().st_size
    assert [row.offset_bytes for row in found] == sorted(row.offset_bytes for row in found)


def test_a_gzipped_parquet_file_is_unpacked(tmp_path: Path):
    plain = table(tmp_path / "u.parquet", quantity=[5], timestamp=[AT])
    packed = tmp_path / "u.parquet.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert events(packed, **FIXED) == events(plain, **FIXED)


def test_content_identity_follows_the_values_not_the_layout(tmp_path: Path):
    one = table(tmp_path / "a.parquet", x=[1, 1, 2], timestamp=[AT] * 3)
    other = table(tmp_path / "b.parquet", timestamp=[AT] * 3, x=[2, 1, 1])
    first, again = (
        {event["idempotency_key"] for event in events(p, **FIXED, identity="content")} for p in (one, other)
    )
    assert first == again
    assert len(first) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PAR1", "is not a readable Parquet file"),
        (b"", "is not a readable Parquet file"),
        (b"not parquet at all", "is not a readable Parquet file"),
    ],
)
def test_a_file_that_is_no_parquet_is_one_line(tmp_path: Path, content: bytes, reason: str):
    with pytest.raises(InvalidInput, match=reason) as refused:
        rows(write(tmp_path / "u.parquet", content), **FIXED)
    assert "\n" not in str(refused.value)


def test_a_damaged_page_ends_the_import_with_one_line(tmp_path: Path):
    path = tmp_path / "u.parquet"
    pq.write_table(pa.table({"quantity": range(50_000), "timestamp": [AT] * 50_000}), path, row_group_size=10_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    write(path, bytes(data))
    with pytest.raises(InvalidInput) as refused:
        rows(path, **FIXED)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_year_no_calendar_has_is_one_line(tmp_path: Path):
    path = table(tmp_path / "u.parquet", timestamp=pa.array([2**62], pa.timestamp("us")))
    with pytest.raises(InvalidInput, match="column 'timestamp' can't be read"):
        rows(path, **FIXED)


def test_a_column_that_is_missing_or_there_twice_is_refused(tmp_path: Path):
    path = table(tmp_path / "u.parquet", a=[1], timestamp=[AT])
    with pytest.raises(InvalidInput, match="no column 'q' for --quantity-column; the columns are: a, timestamp"):
        rows(path, **FIXED, quantity_column="q")
    twice = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), twice)
    with pytest.raises(InvalidInput, match="'a' is there twice"):
        rows(twice, **FIXED)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_double_is_the_decimal_its_text_spells(tmp_path_factory: pytest.TempPathFactory, doubles: list[float]):
    path = tmp_path_factory.mktemp("p") / "u.parquet"
    pq.write_table(pa.table({"quantity": doubles, "timestamp": [AT] * len(doubles)}), path)
    found = [event["quantity"] for event in events(path, **FIXED)]
    assert found == [Decimal(repr(double)) for double in doubles]
    assert [float(quantity) for quantity in found] == doubles
