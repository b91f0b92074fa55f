"""Real traffic, imported as a user would: the counts and the bill come out to the last digit."""

import gzip
import json
import random
from pathlib import Path

import pytest

from .command import Command

CATALOGUE = """
version: 1
currency: USD
metrics:
  llm_input: {event: llm_input, aggregation: sum, unit: token}
  llm_output: {event: llm_output, aggregation: sum, unit: token}
  requests: {event: http_request, aggregation: count, unit: request}
  egress: {event: http_request, aggregation: sum, value: metadata.bytes, unit: byte, dimensions: [status]}
plans:
  llm:
    period: month
    prices:
      - {metric: llm_input, model: per_unit, unit_price: 0.0000025}
      - {metric: llm_output, model: per_unit, unit_price: 0.00001}
teams:
  azure: {name: Azure, plan: llm, start: 2023-01-01}
  web: {name: Web}
"""
TOKENS = "--team azure --timestamp-column TIMESTAMP --quantities llm_input=ContextTokens".split()
TOKENS += ["--quantities", "llm_output=GeneratedTokens"]


@pytest.fixture
def tallystick(database_url: str, tmp_path: Path) -> Command:
    command = Command(database_url, tmp_path)
    (tmp_path / "tallystick.yaml").write_text(CATALOGUE)
    command("apply")
    return command


def check_tokens(tallystick: Command) -> None:
    report = json.loads(tallystick("report", "--team", "azure", "--period", "2023-11", "--format", "json"))
    costs = {m["metric"]: m["current_period"] for m in report["metrics"] if m["current_period"]["cost"]}
    assert {name: found["usage"] for name, found in costs.items()} == {"llm_input": "22361870", "llm_output": "4088665"}
    assert {name: found["cost"]["amount"] for name, found in costs.items()} == {
        "llm_input": "55.904675", "llm_output": "40.88665",  # together 96.791325
    }  # fmt: skip
    assert report["current_period"]["total"] == "96.79"
    assert "no discrepancy" in tallystick("validate-period", "azure", "2023-11")


def test_tokens_of_a_real_trace_cost_what_they_should_however_often_they_are_imported(
    tallystick: Command, shared_data: Path
) -> None:
    trace = str(shared_data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv")
    assert "38732 events imported, 0 were there already" in tallystick("import", trace, *TOKENS)
    check_tokens(tallystick)
    assert "0 events imported, 38732 were there already" in tallystick("import", trace, *TOKENS)
    check_tokens(tallystick)


def test_four_processes_importing_the_same_in_random_order_count_it_once(
    tallystick: Command, shared_data: Path, tmp_path: Path
) -> None:
    lines = (shared_data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv").read_text().splitlines()
    rows = [
        json.dumps({
            "team_id": "azure", "event_name": name, "quantity": quantity, "idempotency_key": f"{position}:{name}",
            "timestamp": f"{at.replace(' ', 'T')[:26]}Z",
        })
        for position, line in enumerate(lines[1:])
        if line
        for at, given, generated in [line.split(",")]
        for name, quantity in (("llm_input", given), ("llm_output", generated))
    ]  # fmt: skip
    rng = random.Random(7)
    importing = []
    for number in range(4):
        shuffled = rng.sample(rows, len(rows))
        path = tmp_path / f"part-{number}.ndjson.gz"
        path.write_bytes(gzip.compress("\n".join(shuffled).encode(), 1))
        importing.append(tallystick.start("import", str(path)))
    counted = 0
    for process in importing:
        out, error = process.communicate(timeout=240)
        assert process.returncode == 0, error
        counted += int(out.split()[0])
    assert counted == 38732
    check_tokens(tallystick)


def test_an_access_log_counts_by_position_or_by_content_as_the_user_chooses(
    tallystick: Command, shared_data: Path
) -> None:
    log = str(shared_data / "elastic_examples" / "apache_access.log")
    assert "10000 events imported, 0 were there already" in tallystick("import", log, "--team", "web")
    report = json.loads(tallystick("report", "--team", "web", "--period", "2015-05", "--format", "json"))
    usage = {m["metric"]: m["current_period"]["usage"] for m in report["metrics"]}
    assert (usage["requests"], usage["egress"]) == ("10000", "2747282740")
    again = tallystick("import", log, "--team", "web", "--identity", "content")
    assert "9981 events imported, 19 were there already" in again
    assert "no discrepancy" in tallystick("validate-period", "web", "2015-05")


def test_an_import_names_the_lines_it_could_not_take_and_takes_all_others(tallystick: Command, tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(
        "timestamp,quantity\n2023-11-02T00:00:00Z,1\nnever,1\n2023-11-02T00:00:00Z,many\n2023-11-03T00:00:00Z,2.5\n"
    )
    said = tallystick("import", "u.csv", "--team", "azure", "--event", "llm_input", code=1)
    assert "u.csv:3:" in said
    assert "u.csv:4:" in said
    assert said.splitlines()[-1] == "error: 2 rows were not imported; everything else was"
    report = json.loads(tallystick("report", "--team", "azure", "--period", "2023-11", "--format", "json"))
    assert next(m for m in report["metrics"] if m["metric"] == "llm_input")["current_period"]["usage"] == "3.5"


def test_an_event_can_be_traced_from_its_key_to_the_roll_up_it_is_in(tallystick: Command, tmp_path: Path) -> None:
    event = {"team_id": "azure", "event_name": "llm_input", "quantity": 7, "timestamp": "2023-11-02T10:20:00Z"}
    (tmp_path / "u.ndjson").write_text(json.dumps(event | {"idempotency_key": "k/1"}))
    tallystick("import", "u.ndjson")
    trace = json.loads(tallystick("trace", "azure/k/1", "--json"))
    (counted,) = trace["counted"]
    assert (counted["metric"], counted["value"]) == ("llm_input", "7")
    assert counted["bucket"] == ["2023-11-02T10:00:00Z", "2023-11-02T11:00:00Z"]
    assert [moment["what"] for moment in trace["timeline"]] == ["happened", "recorded", "rolled up"]
    assert "no event" in tallystick("trace", "azure/other", code=1)


def test_dead_letters_are_listed_and_replayed_once_their_reason_is_gone(tallystick: Command, tmp_path: Path) -> None:
    event = {"team_id": "late", "event_name": "llm_input", "quantity": 7, "timestamp": "2023-11-02T10:20:00Z"}
    (tmp_path / "u.ndjson").write_text(json.dumps(event | {"idempotency_key": "k"}))
    assert "team 'late' is not known" in tallystick("import", "u.ndjson", code=1)
    (letter,) = [json.loads(line) for line in tallystick("dead-letters", "list", "--json").splitlines()]
    assert letter["code"] == "unknown_team"
    assert "rejected again" in tallystick("dead-letters", "replay", "--code", "unknown_team", code=1)
    (tmp_path / "tallystick.yaml").write_text(CATALOGUE + "  late: {name: Late}\n")
    tallystick("apply")
    assert "1 of 1 taken" in tallystick("dead-letters", "replay", str(letter["id"]))
    assert tallystick("dead-letters", "list", "--json") == ""
    (found,) = [json.loads(line) for line in tallystick("events", "--team", "late", "--json").splitlines()]
    assert found["quantity"] == "7"
