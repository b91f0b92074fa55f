"""What people do with the dashboard, in a real browser against a real server."""

import re
import time
from decimal import Decimal

from playwright.sync_api import Page, expect

from tests.browser.house import EXACT

LIVE_SECONDS = 10
"""The promise is 2 s on a quiet machine; tests share theirs."""


def number(text: str) -> Decimal:
    """The number that a person reads."""
    return Decimal(re.sub(r"[^\d.−-]", "", text).replace("\u2212", "-"))


def usage_of(page: Page, metric: str) -> Decimal:
    cell = page.locator(f"tr[data-metric={metric}] [data-testid=usage] [data-value]")
    expect(cell).to_be_visible()
    return number(cell.inner_text().split(" ")[0])


def test_a_key_logs_in_and_is_forgotten_by_logging_out(page_at, house):
    page = page_at("/catalogue", key=None)
    page.get_by_label("API key").fill(house.key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_a_wrong_key_is_told_so(page_at):
    page = page_at("/", key=None)
    page.get_by_label("API key").fill("tsk_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_visible()


def test_an_event_arrives_without_anybody_asking(page_at, house):
    page = page_at("/teams/hooli")
    before = usage_of(page, "api_calls")
    expect(page.locator(".ts-live[data-state=open]")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    tracked = time.monotonic()
    house.track({"team_id": "hooli", "event_name": "api_call", "quantity": "41", "idempotency_key": "live"})
    while usage_of(page, "api_calls") != before + 41:
        assert time.monotonic() - tracked < LIVE_SECONDS
        page.wait_for_timeout(50)
    assert not [url for url in asked if "/api/usage/report" in url]


def test_every_digit_of_the_api_is_on_the_screen(page_at, house):
    house.track({"team_id": "precise", "event_name": "precise", "quantity": EXACT, "idempotency_key": "exact"})
    page = page_at("/teams/precise")
    report = house.get("/api/usage/report", team_id="precise")
    metric = next(each for each in report["metrics"] if each["metric"] == "precise")
    shown = page.locator("tr[data-metric=precise]")
    assert metric["current_period"]["usage"] == EXACT
    assert usage_of(page, "precise") == Decimal(EXACT)
    cost = shown.locator("[data-testid=metric-cost]").inner_text()
    assert cost.replace(",", "") == f"${metric['current_period']['cost']['total']}"
    total = page.locator("[data-testid=cost]").inner_text()
    assert total.replace(",", "") == f"${report['current_period']['total']}"


def test_what_is_chosen_is_in_the_address_and_in_a_shared_link(page_at, house):
    page = page_at("/teams/acme")
    page.locator("tr[data-metric=api_calls] button").click()
    page.get_by_label("Group by").select_option("region")
    page.get_by_text("Hour", exact=True).click()
    expect(page.get_by_text("by hour")).to_be_visible()
    expect(page.locator(".ts-legend")).to_contain_text("eu-west")
    again = page_at(page.url.removeprefix(house.url))
    expect(again.get_by_role("heading", name="Trend of api_calls")).to_be_visible()
    expect(again.locator(".ts-legend")).to_contain_text("eu-west")


def test_a_chart_is_read_by_arrow_keys_and_as_a_table(page_at):
    page = page_at("/teams/acme?metric=api_calls")
    page.locator(".ts-chart-plot").focus()
    page.keyboard.press("End")
    expect(page.locator(".ts-chart-readout")).to_contain_text("call")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("region", name="The trend as a table").locator("tbody tr")).to_have_count(30)


def test_the_keyboard_reaches_the_content_past_the_navigation(page_at):
    page = page_at("/")
    expect(page.get_by_text("Top spenders")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_an_empty_installation_says_how_to_begin(page_at, empty_house, screenshot):
    page = page_at("/", of=empty_house)
    expect(page.get_by_text("This installation is empty, and ready")).to_be_visible()
    screenshot(page, "empty-1280-light")


SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""


def test_a_slow_network_shows_where_things_will_be_and_nothing_jumps(page_at, house, screenshot):
    page = page_at("/")
    expect(page.get_by_text("Top spenders")).to_be_visible()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 900, "downloadThroughput": 200_000, "uploadThroughput": 200_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.reload(wait_until="commit")
    expect(page.get_by_label("The overview is being fetched")).to_be_visible()
    screenshot(page, "slow-1280-light")
    expect(page.get_by_text("Top spenders")).to_be_visible()
    assert page.evaluate(SHIFTS) < 0.1


def test_an_expired_token_leads_back_to_the_login_and_then_to_the_same_page(page_at, house):
    made = house.post("/api/keys", {"name": "short", "scopes": ["read"]})
    page = page_at("/catalogue", key=None)
    page.get_by_label("API key").fill(made["key"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Plan growth")).to_be_visible()
    house.call("DELETE", f"/api/keys/{made['id']}")
    page.get_by_role("link", name="Status").click()
    expect(page.get_by_role("alert")).to_contain_text("logged out")
    page.get_by_label("API key").fill(house.key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="System status")).to_be_visible()


def test_a_restart_of_the_server_is_said_and_got_over(page_at, empty_house, screenshot):
    page = page_at("/", of=empty_house)
    expect(page.locator(".ts-live[data-state=open]")).to_be_visible()
    empty_house.stop()
    expect(page.locator(".ts-live[data-state=waiting]")).to_contain_text("Reconnecting")
    screenshot(page, "restart-1280-light")
    empty_house.start()
    expect(page.locator(".ts-live[data-state=open]")).to_be_visible(timeout=40_000)
