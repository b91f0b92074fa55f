"""`tallystick limits` and `tallystick inbound` as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tallystick.cli.app import main

Typed = Callable[..., tuple[int, str, str]]

FILE = """
version: 1
sources:
  phone:
    signature: {scheme: token, secrets: PHONE_SECRET, query: token}
    items: calls
    map: {team_id: team, event_name: {value: call}, idempotency_key: id, quantity: seconds}
"""


@pytest.fixture
def typed(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO teams (id, name, created_at) VALUES ('acme', 'Acme', now())")
        connection.execute("INSERT INTO metrics VALUES ('calls', 'sum', 'call', now())")
        connection.execute(
            "INSERT INTO metric_versions (metric, definition, effective_from, recorded_at) "
            """VALUES ('calls', '{"name": "calls", "aggregation": "sum", "unit": "call", "event_name": "call", """
            """"level": "absolute", "filters": {}, "dimensions": [], "percentile": "95"}', '-infinity', now())"""
        )

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        shown = capsys.readouterr()
        return code, shown.out.strip(), shown.err.strip()

    return run


def test_limits_are_set_checked_and_removed(typed: Typed) -> None:
    assert (
        typed("limits", "set", "calls", "10.5", "--team", "acme")[1]
        == "limit 1: calls of team acme, hard, 10.5 a period"
    )
    assert json.loads(typed("limits", "list", "--json")[1])["quantity"] == "10.5"
    code, said, _ = typed("limits", "check", "acme", "calls", "--quantity", "10")
    assert (code, said[: said.index(" until")]) == (0, "allowed: 10 more; used 0, reserved 0, 10.5 of 10.5 left")
    code, said, _ = typed("limits", "check", "acme", "calls", "--quantity", "11", "--json")
    assert (code, json.loads(said)["reason"]) == (3, "hard_limit")
    assert typed("limits", "remove", "1") == (0, "", "limit 1 is removed")
    assert typed("limits", "remove", "1") == (1, "", "error: there is no limit 1")
    assert typed("limits", "check", "acme", "calls")[1] == "allowed: 1 more; used 0, no limit"
    assert typed("limits", "set", "calls", "none", "--team", "acme")[1].endswith("without a limit")


def test_policies_and_throttles_are_set_and_listed(typed: Typed) -> None:
    typed("limits", "policy", "calls", "closed")
    assert typed("limits", "policies")[1].splitlines()[1] == "calls\tclosed"
    typed("limits", "throttle", "acme", "--cause", "unpaid")
    assert json.loads(typed("limits", "throttles", "--json")[1])["cause"] == "unpaid"
    assert typed("limits", "check", "acme", "calls")[1].startswith("refused (throttled)")
    typed("limits", "lift", "acme", "--cause", "unpaid")
    assert typed("limits", "throttles") == (0, "", "nobody is throttled")
    assert typed("limits", "reservations") == (0, "", "nothing is reserved")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["set", "calls", "many", "--team", "acme"], "'many' is not a decimal number"),
        (["set", "calls", "5"], "a limit is of a team or of a plan: give team_id or plan"),
        (["set", "nothing", "5", "--team", "acme"], "there is no metric 'nothing'; there are: calls"),
        (["throttle", "nobody"], "there is no team 'nobody'"),
    ],
    ids=["no number", "no owner", "no metric", "no team"],
)
def test_a_mistake_is_one_line(typed: Typed, arguments: list[str], error: str) -> None:
    code, _, said = typed("limits", *arguments)
    assert (code > 0, said) == (True, f"error: {error}")


def test_a_sample_shows_what_a_webhook_becomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, sample = tmp_path / "inbound.yaml", tmp_path / "payload.json"
    file.write_text(FILE)
    sample.write_text('{"calls": [{"team": "acme", "id": "c1", "seconds": 0.10}, {"team": "acme", "seconds": 1}]}')
    assert main(["inbound", "check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "phone\ttoken\tPHONE_SECRET"
    assert main(["inbound", "check", str(file), "--source", "phone", "--sample", str(sample)]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"team_id": "acme", "event_name": "call", "idempotency_key": "c1", "quantity": 0.1}
    assert "item 1: idempotency_key is required" in shown.err
    assert main(["inbound", "check", str(file), "--source", "fax", "--sample", str(sample)]) == 1
    assert "there are: phone" in capsys.readouterr().err
