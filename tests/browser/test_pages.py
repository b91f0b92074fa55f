"""Every page at the sizes and in the themes that people have, looked at by eye (the screenshots) and by axe."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import AXE, skip_or_fail

PAGES = {
    "overview": ("/", "Top spenders"),
    "team": ("/teams/acme", "Usage in this period"),
    "forecast": ("/teams/acme/forecast", "By metric"),
    "bill": ("/teams/acme/bill", "api_calls"),
    "events": ("/events", "llm_request"),
    "invoices": ("/invoices", "Invoices"),
    "alerts": ("/alerts?team=acme", "Monthly budget"),
    "catalogue": ("/catalogue", "Plan growth"),
    "status": ("/status", "Dead letters"),
}
SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
WIDE = 1280
NARROWEST = 360
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def settled(page: Page, text: str) -> None:
    """Until what the page is about is there, and nothing is being fetched."""
    expect(page.locator("main").get_by_text(text).first).to_be_visible()
    expect(page.locator(".ts-skeleton")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), SIZES, ids=str)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_fits_its_window_and_has_nothing_serious_for_axe(page_at, screenshot, name, width, theme):
    path, text = PAGES[name]
    page = page_at(path, width=width, theme=theme)
    settled(page, text)
    screenshot(page, f"{name}-{width}-{theme}")
    assert page.evaluate(FITS)
    if width == WIDE:
        assert serious(page) == []
    elif theme == "light":
        page.set_viewport_size({"width": NARROWEST, "height": 800})
        assert page.evaluate(FITS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_login(page_at, theme):
    page = page_at("/", theme=theme, key=None)
    expect(page.get_by_label("API key")).to_be_visible()
    assert serious(page) == []


def serious(page: Page) -> list[str]:
    """What axe calls serious or critical, with the elements."""
    if not AXE.is_file():
        skip_or_fail("axe-core is not installed (npm ci)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
