"""Analysis of usage files: what is found in them, what is guessed, and that the proposed billing file is valid."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.catalog.loading import parse
from tallystick.cli.app import main
from tallystick.core.errors import InvalidInput
from tallystick.importing import Format, ImportOptions
from tallystick.importing.analysis import analyze, propose
from tallystick.importing.analysis.fields import MOST_EXACT, Distinct

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    def write(content, name="usage.csv"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else "".join(f"{line}\n" for line in content))
        return path

    return write


def calls(rows=400):
    """A CSV of API calls of three teams, a minute apart, with half a day of silence."""
    yield "customer_id,event,at,latency_ms,bytes,region,request_id"
    for n in range(rows):
        at = START + timedelta(minutes=n) + (timedelta(hours=12) if n >= rows // 2 else timedelta(0))
        event = "search" if n % 4 else "upload"
        yield f"c{n % 3},{event},{at.isoformat()},{n % 90 + 0.5},{n * 7},{'eu' if n % 2 else 'us'},r{n}"


def field_of(found, name):
    """What was found of a field, which has to be there."""
    field = found.field(name)
    assert field is not None, name
    return field


def numbers_of(found, name):
    numbers = field_of(found, name).numbers
    assert numbers is not None, name
    return numbers


# --- What is in a file -----------------------------------------------------------------------------


def test_numbers_are_reported_exactly(file):
    found = analyze(file(["at,amount", *(f"2026-03-02,{n}.1" for n in range(1, 1001))]))

    numbers = numbers_of(found, "amount")
    assert (numbers.rows, numbers.lowest, numbers.highest) == (1000, Decimal("1.1"), Decimal("1000.1"))
    assert numbers.total == Decimal("500600.0")  # in binary floating point: 500600.00000000035
    assert numbers.decimals == 1


def test_fields_are_reported_with_how_many_values_they_have_and_which_are_frequent(file):
    found = analyze(file(calls()))

    region, request = field_of(found, "region"), field_of(found, "request_id")
    assert (region.present, region.kinds, region.distinct, region.exact) == (400, ["text"], 2, True)
    assert sorted(region.top) == [("eu", 200), ("us", 200)]
    assert (request.distinct, request.top) == (400, [])


def test_the_time_span_its_gaps_and_its_peaks_are_reported(file):
    times = analyze(file(calls())).times
    assert times is not None

    assert times.first == START
    assert times.last == START + timedelta(minutes=399, hours=12)
    assert times.in_order
    [gap] = times.gaps
    assert (gap.start, gap.end) == (START + timedelta(minutes=200), START + timedelta(minutes=200, hours=12))
    assert [(peak.length, peak.rows) for peak in times.peaks] == [
        (timedelta(minutes=1), 1),
        (timedelta(hours=1), 60),
        (timedelta(days=1), 400),
    ]


def test_rows_out_of_order_are_said_to_be(file):
    found = analyze(file(["timestamp,n", "2026-03-02T01:00Z,1", "2026-03-02T00:00Z,2"]))
    assert found.times is not None
    assert not found.times.in_order


def test_kinds_of_events_are_counted_with_their_numbers(file):
    lines = [
        {"type": "call", "tokens": 5, "at": "2026-03-02T00:00:00Z"},
        {"type": "call", "tokens": "7.5", "at": "2026-03-02T00:00:01Z"},
        {"type": "login", "at": "2026-03-02T00:00:02Z"},
    ]
    found = analyze(file(map(json.dumps, lines), "usage.ndjson"))

    assert [(kind.name, kind.rows, kind.numeric) for kind in found.kinds] == [
        ("call", 2, {"tokens": 2}),
        ("login", 1, {}),
    ]
    assert numbers_of(found, "tokens").total == Decimal("12.5")


def test_members_of_objects_are_fields(file):
    line = {"org": {"id": "acme"}, "usage": {"input": 3, "tags": [1, 2]}, "ok": True, "none": None, "ts": 1772357400123}
    found = analyze(file([json.dumps(line)] * 3, "usage.ndjson"))

    assert [field.name for field in found.fields] == ["org.id", "usage.input", "usage.tags", "ok", "ts"]
    assert (found.roles.team, found.roles.time, found.roles.time_format) == ("org.id", "ts", "epoch-ms")


def test_a_row_that_can_not_be_read_is_counted_and_named(file):
    found = analyze(file(["timestamp,n", "2026-03-02,1", "2026-03-02", "2026-03-03,2"]))

    assert (found.rows, found.malformed) == (2, 1)
    assert found.problems == ["row 3 has 1 cells where there are 2 columns"]


def test_an_estimate_of_many_values_is_close_and_takes_bounded_memory():
    distinct = Distinct()
    for n in range(200_000):
        distinct.add(str(n % 100_000))

    assert not distinct.exact
    assert abs(distinct.count - 100_000) < 5_000
    assert len(distinct._kept) <= MOST_EXACT


def test_a_parquet_file_and_standard_input_are_read(file, monkeypatch, tmp_path):
    table = pa.table({"team": ["a", "b"], "at": [START, START + timedelta(hours=1)], "gb": [0.1, 0.2]})
    pq.write_table(table, tmp_path / "usage.parquet")
    found = analyze(tmp_path / "usage.parquet")
    assert (found.format, numbers_of(found, "gb").total) == (Format.PARQUET, Decimal("0.3"))
    assert found.roles.time == "at"

    text = "\n".join(calls()).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert analyze("-", ImportOptions(format=Format.CSV)).rows == 400


def test_a_file_of_which_nothing_can_be_read_is_an_error_that_says_why(file):
    with pytest.raises(InvalidInput, match="no row of it can be read: row 1 is not"):
        analyze(file(["{"], "usage.ndjson"))
    with pytest.raises(InvalidInput, match="no such file"):
        analyze("nowhere.csv")


# --- What is guessed -------------------------------------------------------------------------------


def test_roles_are_guessed_by_name_and_content(file):
    roles = analyze(file(calls())).roles

    assert (roles.team, roles.time, roles.time_format) == ("customer_id", "at", "auto")
    assert (roles.event, roles.key) == ("event", "request_id")
    assert list(roles.quantities) == ["latency_ms", "bytes"]
    assert list(roles.dimensions) == ["region"]


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["1772357400", "1772357401.5"], "epoch-s"),
        (["1772357400123"], "epoch-ms"),
        (["01.03.2026 09:30"], "%d.%m.%Y %H:%M"),
        (["2023-11-16 18:15:46.6805900"], "auto"),
        (["17/May/2015:10:05:03 +0000"], "%d/%b/%Y:%H:%M:%S %z"),
    ],
)
def test_how_times_are_written_is_found_out(file, values, pattern):
    roles = analyze(file(["time;n", *(f"{value};1" for value in values)])).roles
    assert (roles.time, roles.time_format) == ("time", pattern)


def test_numbers_that_are_no_time_are_not_taken_for_one(file):
    found = analyze(file(["timestamp,n", *(f"{n * 1000},1" for n in range(50))]))  # counted from the file's beginning
    assert found.times is None
    assert "timestamp" not in found.roles.quantities


def test_an_option_corrects_a_guess(file):
    options = ImportOptions(team_column="region", event_column="region")
    found = analyze(file(calls()), options)
    assert found.roles.team == "region"
    assert dict(found.teams) == {"eu": 200, "us": 200}


def test_a_counter_is_told_from_a_quantity(file):
    rows = [f"{(START + timedelta(minutes=n)).isoformat()},{n * n}" for n in range(50)]
    assert "total_bytes never falls" in "".join(analyze(file(["timestamp,total_bytes", *rows])).advice)


# --- Machines --------------------------------------------------------------------------------------


def jobs():
    """Two machines all day for ten days, of which one is idle mostly; a third for an hour a day; short jobs."""
    yield "started_at,team,instance_type,seconds,cpu_percent,purchase"
    for hour in range(240):
        at = (START + timedelta(hours=hour)).isoformat()
        yield f"{at},acme,m5.large,3600,10,on-demand"
        yield f"{at},acme,m5.large,3600,20,on-demand"
        if hour % 24 == 3:
            yield f"{at},acme,p4d.24xlarge,3600,95,on-demand"
        yield f"{at},acme,c5.large,1200,90,on-demand"


def test_machines_are_added_up_by_the_hour(file):
    uses = {use.name: use for use in analyze(file(jobs())).resources}

    steady = uses["m5.large"]
    assert (steady.hours, steady.steady, steady.mean, steady.peak) == tuple(map(Decimal, (480, 2, 2, 2)))
    assert steady.utilisation == Decimal("0.15")
    assert (uses["p4d.24xlarge"].hours, uses["p4d.24xlarge"].steady, uses["p4d.24xlarge"].peak) == tuple(
        map(Decimal, (10, 0, 1))
    )
    assert uses["c5.large"].hours == 80


def test_advice_names_commitments_idle_machines_peaks_and_what_could_be_spot(file):
    advice = analyze(file(jobs())).advice

    for sentence in (
        "m5.large: 2 or more ran in nine of ten hours: a commitment to 2 would be used",
        "m5.large: 15% of it was used on average: a smaller one",
        "p4d.24xlarge: the busiest hour ran 24 times the mean",
        "14% of the on-demand time is jobs of less than an hour",
    ):
        assert any(each.startswith(sentence) for each in advice), (sentence, advice)


# --- The proposal ----------------------------------------------------------------------------------


def test_the_proposed_billing_file_is_valid_and_counts_every_kind_and_quantity(file):
    proposal = propose(analyze(file(calls())))

    catalogue = parse(proposal.source)
    assert set(catalogue.metrics) >= {
        "search_events",
        "search_latency_ms",
        "search_bytes",
        "upload_events",
        "upload_bytes",
    }
    assert "start: 2026-03-02" in proposal.source
    assert proposal.command.endswith(
        "usage.csv --team-column customer_id --event-column event --timestamp-column at --key-column request_id "
        "--create-teams"
    )


@pytest.mark.parametrize(
    "row",
    [
        {"customer": 'a"b: {c}', "type": "größe #1", "at": "2026-03-02T00:00:00Z", "Total Size (GB)": -1.5},
        {"customer": "- x", "type": "null", "at": "2026-03-02T00:00:00Z", "bytes": 1, "yes": "no"},
        {"customer": "42", "type": "a b", "at": "2026-03-02T00:00:00Z", "stored": 3, "metadata": {"user_id": "u"}},
        {"at": "2026-03-02T00:00:00Z"},
    ],
)
def test_a_proposal_is_valid_whatever_the_names_are(file, row):
    rows = [json.dumps({**row, "n": n}) for n in range(60)]
    assert parse(propose(analyze(file(rows, "usage.ndjson"))).source).metrics


def test_real_files_are_understood(shared_data):
    log = analyze(shared_data / "elastic_examples" / "apache_access.log")
    assert (log.rows, log.malformed) == (10_000, 0)
    assert field_of(log, "remote_addr").distinct == 1753
    assert numbers_of(log, "bytes").total == 2_747_282_740
    assert dict(field_of(log, "status").top)["200"] == 9126
    assert log.times is not None
    assert not log.times.in_order

    trace = analyze(shared_data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv")
    assert trace.rows == 19_366
    assert numbers_of(trace, "ContextTokens").total == 22_361_870
    assert numbers_of(trace, "GeneratedTokens").total == 4_088_665
    for found in (log, trace):
        assert parse(propose(found).source).metrics


# --- The command -----------------------------------------------------------------------------------


def test_the_command_writes_the_billing_file_and_never_over_another(file, capsys, monkeypatch, tmp_path):
    source = file(calls())
    monkeypatch.chdir(tmp_path)

    assert main(["analyze", str(source)]) == 0
    shown = capsys.readouterr()
    assert "usage.csv: csv, 400 rows" in shown.err
    assert "nothing from 2026-03-02T03:20:00Z" in shown.err
    assert "bytes\tnumber\t400" in shown.out
    first = Path("tallystick.yaml").read_text()
    assert main(["validate"]) == 0

    Path("tallystick.yaml").write_text("mine")
    assert main(["analyze", str(source)]) == 0
    assert "is there already" in capsys.readouterr().err
    assert Path("tallystick.yaml").read_text() == "mine"
    assert main(["analyze", str(source), "--overwrite"]) == 0
    assert Path("tallystick.yaml").read_text() == first


def test_the_command_answers_as_json(file, capsys):
    assert main(["analyze", str(file(calls())), "--json", "-o", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 400
    assert found["roles"]["team"] == "customer_id"
    assert found["fields"][3]["numbers"]["lowest"] == "0.5"
    assert found["billing_file"].startswith("# Proposed by tallystick analyze")


def test_a_column_of_long_numbers_is_analysed_like_any_other(tmp_path, capsys):
    long = "123456789012345678901234567890123"
    path = tmp_path / "long.csv"
    path.write_text(f"team_id,timestamp,amount\na,2026-01-01T00:00:00Z,{long}\na,2026-01-01T00:00:01Z,1\n")

    assert main(["analyze", str(path), "--output", str(tmp_path / "proposed.yaml")]) == 0

    assert "~61728394506172839450617283945062.00" in capsys.readouterr().out
