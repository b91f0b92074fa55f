"""Every benchmark runs, at a size where its figures mean nothing, and gives each figure a ceiling."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from benchmarks import alerts, document, ingest, rating, rollup, volume
from benchmarks.results import Figure, Result, as_markdown, number, percentile
from benchmarks.traffic import HOT, Span, Traffic

EVENTS = 500


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not under pytest's own folder, which root closes to PostgreSQL's user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        assert not list(folder.iterdir())


def check(result: Result) -> None:
    assert result.figures
    for figure in result.figures:
        assert figure.measured >= 0, figure
        assert figure.ceiling > 0, figure
        assert figure.against, figure


def test_ingest_is_measured_in_three_sizes_of_requests(folder):
    check(ingest.measure(EVENTS, folder, rounds=1))


def test_a_volume_is_measured(folder):
    check(volume.measure(EVENTS, folder, report_requests=2))


def test_the_roll_up_is_measured(folder):
    check(rollup.measure(EVENTS, folder, rounds=1))


def test_the_way_from_an_event_to_a_notification_is_measured(folder):
    check(alerts.measure(3, folder, idle_teams=10, warm_up=0))


def test_rating_is_measured():
    check(rating.measure(EVENTS, rounds=1))


def test_traffic_is_as_skewed_as_it_says():
    sent = [msgspec.json.decode(event) for event in Traffic(Span(0, 10**9), 20_000, seed=1).events(20_000)]
    teams = sorted((len(list(each)) for _, each in itertools.groupby(sorted(e["team_id"] for e in sent))), reverse=True)
    assert sum(event["team_id"] == HOT for event in sent) == teams[0] == pytest.approx(7000, rel=0.05)
    assert sum(teams[:5]) == pytest.approx(15_600, rel=0.03)
    assert sum(teams[:10]) == pytest.approx(18_000, rel=0.03)
    assert len(sent) - len({event["idempotency_key"] for event in sent}) == pytest.approx(200, rel=0.3)


def test_the_document_has_a_place_for_every_result(tmp_path):
    copy = tmp_path / "benchmarks.md"
    copy.write_text(document.PATH.read_text())
    for name in ("ingest", "volume 1,000,000", "volume 10,000,000", "rollup", "rating"):
        document.put(Result(name, "", [Figure("a thing", "ms", [(2, 1), (4, 1)], "a floor")]), "a machine", copy)
    assert copy.read_text().count("| a thing | 3 ms | 2 – 4 | 1 ms | a floor | 3 × |") == 5


def test_figures_are_shown_with_three_digits():
    assert [number(value) for value in (41_320.5, 123.4, 12.345, 0.2714)] == ["41,300", "123", "12.3", "0.271"]
    assert [percentile([5, 1, 3, 2, 4], percent) for percent in (1, 50, 99, 100)] == [1, 3, 5, 5]
    assert as_markdown(Result("x", "setting", [], ["a remark"])).splitlines()[-1] == "* a remark"
