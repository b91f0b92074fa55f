"""`tallystick demo` shows the product at work, twice in a row, and leaves a database of somebody's own alone."""

import re
from pathlib import Path

import psycopg
import pytest

from tallystick.cli.app import main

from .command import Command

OTHER = "version: 1\nmetrics: {calls: {event: call, aggregation: sum, unit: call}}\n"


def test_the_demo_shows_cost_by_tier_and_counts_nothing_twice(database_url: str, tmp_path: Path) -> None:
    tallystick = Command(database_url, tmp_path)
    first = tallystick("demo", "--exit", "--no-stripe", "--events", "3000")
    assert "api_calls" in first
    assert "0 to 10000" in first
    assert "/docs" in first
    again = tallystick("demo", "--exit", "--no-stripe", "--events", "3000")
    stored = int(again.split(" events stored")[0].rsplit("\n", 1)[-1].replace(",", ""))
    assert stored < 100, "only what an hour that passed meanwhile brought"


def test_the_demo_closes_a_month_with_stripe_in_peace_and_in_trouble_and_nothing_drifts(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert main(["demo", "--exit", "--events", "100", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    peace, trouble = shown.split("The same month once more, while everything goes wrong:")
    assert "Zero drift: 2 sums and 2 invoices agree to the cent" in peace
    assert "Zero drift: 2 sums and 2 invoices agree to the cent" in trouble
    assert charged(peace) == charged(trouble)
    assert set(charged(peace)) == {("acme", "meters"), ("globex", "invoice_items")}
    number = dict(re.findall(r"^ (.+?) +(\d+) $", trouble, re.MULTILINE))
    assert int(number["Stripe had done it, and the answer was lost"]) > 0
    assert int(number["calls made again that Stripe recognised as repeats"]) > 0
    assert int(number["differences of usage told to meters, and confirmed by Stripe's sums"]) > 300
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tallystick_demo_%'").fetchall()
    assert left == []


def charged(shown: str) -> dict[tuple[str, str], str]:
    """What Stripe charged each team, which is what its statement says."""
    rows = re.findall(r"^ (\w+) +(meters|invoice_items) +([\d.]+) +([\d.]+) +paid +0 *$", shown, re.MULTILINE)
    assert all(statement == stripe for _, _, statement, stripe in rows)
    return {(team, mode): stripe for team, mode, _, stripe in rows}


def test_the_demo_does_not_touch_a_catalogue_of_somebody_s_own(database_url: str, tmp_path: Path) -> None:
    tallystick = Command(database_url, tmp_path)
    (tmp_path / "tallystick.yaml").write_text(OTHER)
    tallystick("apply")
    assert "has a catalogue of its own" in tallystick("demo", "--exit", code=2)
    assert "no changes" in tallystick("plan").lower()
