"""`tallystick demo` shows the product at work, twice in a row, and leaves a database of somebody's own alone."""

from pathlib import Path

from .command import Command

OTHER = "version: 1\nmetrics: {calls: {event: call, aggregation: sum, unit: call}}\n"


def test_the_demo_shows_cost_by_tier_and_counts_nothing_twice(database_url: str, tmp_path: Path) -> None:
    tallystick = Command(database_url, tmp_path)
    first = tallystick("demo", "--exit", "--events", "3000")
    assert "api_calls" in first
    assert "0 to 10000" in first
    assert "/docs" in first
    again = tallystick("demo", "--exit", "--events", "3000")
    stored = int(again.split(" events stored")[0].rsplit("\n", 1)[-1].replace(",", ""))
    assert stored < 100, "only what an hour that passed meanwhile brought"


def test_the_demo_does_not_touch_a_catalogue_of_somebody_s_own(database_url: str, tmp_path: Path) -> None:
    tallystick = Command(database_url, tmp_path)
    (tmp_path / "tallystick.yaml").write_text(OTHER)
    tallystick("apply")
    assert "has a catalogue of its own" in tallystick("demo", "--exit", code=2)
    assert "no changes" in tallystick("plan").lower()
