"""What the first view may weigh and take."""

import gzip
import json
import re

from playwright.sync_api import expect

from tallystick.web.assets import FOLDER

MOST_JAVASCRIPT = 250_000
"""Bytes, gzipped, of everything that the first view runs."""

FIRST_VIEW_MS = 2_000
SHARED_MACHINE = 4
"""Tests run beside other tests: what is held to is this many times the promise, which the benchmark measures."""


def test_the_javascript_of_the_first_view_is_small(page_at):
    page = page_at("/", key=None)
    loaded: list[str] = []
    page.on("response", lambda answer: loaded.append(answer.url))
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    scripts = {name for url in loaded if (name := re.sub(r"^https?://[^/]+/", "", url)).endswith(".js")}
    assert scripts
    assert sum(_gzipped(name) for name in scripts) < MOST_JAVASCRIPT
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    first = _static(manifest, "index.html")
    assert sum(_gzipped(name) for name in first) < MOST_JAVASCRIPT


def test_the_overview_is_there_soon(page_at):
    page = page_at("/")
    expect(page.get_by_text("Top spenders")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Top spenders")).to_be_visible()
    painted = page.evaluate(
        "performance.getEntriesByType('paint').find((each) => each.name.startsWith('first-contentful')).startTime"
    )
    assert painted < FIRST_VIEW_MS * SHARED_MACHINE


def test_what_the_pages_ask_is_reported(page_at, record_property):
    """No assertion: times of a busy machine say little. They are in the report of the run."""
    page = page_at("/")
    times: list[float] = []
    page.on(
        "requestfinished",
        lambda request: times.append(request.timing["responseStart"]) if "/api/" in request.url else None,
    )
    for path in ("/", "/teams/acme", "/catalogue", "/status"):
        page.goto(re.sub(r"(https?://[^/]+).*", r"\1", page.url) + path)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(300)
    answered = sorted(time for time in times if time >= 0)
    record_property("slowest_request_ms", answered[-1] if answered else None)
    record_property("p95_request_ms", answered[int(len(answered) * 0.95)] if answered else None)


def _static(manifest: dict[str, dict[str, object]], entry: str) -> set[str]:
    found = {str(manifest[entry]["file"])}
    for each in manifest[entry].get("imports", []):  # type: ignore[attr-defined]
        found |= _static(manifest, each)
    return found


def _gzipped(name: str) -> int:
    return len(gzip.compress((FOLDER / name).read_bytes(), 9))
