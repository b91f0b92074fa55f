"""What people do with events, bills and alerts: filter, export, drill down, be told."""

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import EXACT, House

EVENTS = "/api/usage/events"
SHOWN = ["occurred_at", "event_name", "user_id", "quantity", "metadata"]


def rows(page: Page) -> Locator:
    return page.locator(".ts-table__row")


def downloaded(page: Page, button: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(found.value.path()).read_text(encoding="utf-8")


def listed(house: House, **query: Any) -> list[dict[str, Any]]:
    """Everything that the API lists, page by page."""
    events: list[dict[str, Any]] = []
    while True:
        page = house.get(EVENTS, **query)
        events += page["data"]
        if page["next_cursor"] is None:
            return events
        query["cursor"] = page["next_cursor"]


# --- The event log ------------------------------------------------------------------------------------


def test_what_is_filtered_is_in_the_address_and_in_the_file(page_at, house):
    page = page_at("/teams/acme/events")
    expect(rows(page).first).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Event name").fill("llm_request")
    page.get_by_label("Event name").press("Enter")
    page.get_by_role("textbox", name="Metadata").fill("model=large")
    page.get_by_role("textbox", name="Metadata").press("Enter")
    page.get_by_label("Order").select_option("occurred_at")
    expect(page).to_have_url(re.compile(r"name=llm_request.*metadata=model%3Dlarge.*sort=occurred_at"))
    wanted = listed(house, team_id="acme", event_name="llm_request", metadata="model=large", sort="occurred_at")
    expect(rows(page)).to_have_count(min(50, len(wanted)))
    assert len(wanted) > 50

    lines = [json.loads(line) for line in downloaded(page, "Export NDJSON").splitlines()]
    assert lines == [{name: event[name] for name in event if name in SHOWN} for event in wanted]
    table = list(csv.DictReader(StringIO(downloaded(page, "Export CSV"))))
    assert list(table[0]) == SHOWN
    assert [row["quantity"] for row in table] == [event["quantity"] for event in wanted]

    page.reload()
    expect(rows(page)).to_have_count(50)
    expect(page.get_by_label("Event name")).to_have_value("llm_request")


def test_a_search_pages_forth_and_back_and_says_when_nothing_matches(page_at, house):
    page = page_at("/events?search=US-EAST")
    expect(rows(page)).to_have_count(50)
    first = rows(page).first.inner_text()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("status").filter(has_text="Page 2")).to_be_visible()
    assert rows(page).first.inner_text() != first
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("status").filter(has_text="Page 1")).to_be_visible()
    assert rows(page).first.inner_text() == first
    page.get_by_label("Search").fill("nowhere to be found")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("No event matches")).to_be_visible()
    assert downloaded(page, "Export CSV").count("\n") == 1


def test_columns_are_a_choice_that_a_link_keeps(page_at):
    page = page_at("/teams/acme/events")
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_role("checkbox", name="Idempotency key").check()
    page.get_by_role("checkbox", name="Metadata").uncheck()
    expect(page.get_by_role("columnheader", name="Idempotency key")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Idempotency key")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Metadata")).to_have_count(0)


def test_a_quantity_is_shown_to_its_last_digit(page_at, house):
    house.track({"team_id": "precise", "event_name": "precise", "quantity": EXACT, "idempotency_key": "exact"})
    page = page_at("/teams/precise/events")
    shown = rows(page).first.locator("td[data-column=quantity]").inner_text()
    assert re.sub(r"[^\d.]", "", shown) == EXACT
    rows(page).first.get_by_role("button").click()
    facts = page.get_by_role("dialog").locator(".ts-facts dd").nth(1).inner_text()
    assert re.sub(r"[^\d.]", "", facts) == EXACT


def test_an_event_opens_and_closes_by_keyboard_alone(page_at):
    page = page_at("/teams/acme/events")
    first = rows(page).first.get_by_role("button")
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("What counts it")).to_be_visible()
    expect(dialog.get_by_text("recorded", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(first).to_be_focused()


# --- The bill -----------------------------------------------------------------------------------------


def test_a_line_of_the_bill_opens_down_to_one_event(page_at, house, screenshot):
    statement = house.get("/api/billing/statements/current", team_id="acme")
    (line,) = (line for line in statement["lines"] if line["metric"] == "tokens")
    page = page_at("/teams/acme/bill")
    toggle = page.get_by_role("button", name="tokens")
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    steps = page.get_by_role("region", name="Steps")
    expect(steps.get_by_role("row")).to_have_count(len(line["steps"]) + 2)
    exact = steps.locator("tfoot td").inner_text()
    assert re.sub(r"[^\d.]", "", exact) == line["amount"]

    page.get_by_role("region", name="Events of the line").get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("What counts it")).to_be_visible()
    newest = house.get(EVENTS, team_id="acme", metric="tokens", limit=1)["data"][0]
    expect(dialog.get_by_text(newest["id"])).to_be_visible()
    expect(page).to_have_url(re.compile(f"event={newest['id']}"))
    screenshot(page, "bill-line-to-event")
    page.reload()
    expect(page.get_by_role("dialog").get_by_text(newest["id"])).to_be_visible()


@pytest.fixture(scope="module")
def billed(house: House) -> dict[str, Any]:
    """A closed statement of a team with usage, and its final invoice."""
    start = house.get("/api/billing/statements/current", team_id="globex")["start"]
    house.post("/api/billing/close", {"team_id": "globex", "until": start})
    statement: dict[str, Any] = house.get("/api/billing/periods", team_id="globex", limit=1)["data"][0]
    invoice = house.post("/api/billing/invoices", {"statement_id": statement["id"]})
    house.call("POST", f"/api/billing/invoices/{invoice['id']}/finalize")
    return house.get(f"/api/billing/statements/{statement['id']}")  # type: ignore[no-any-return]


def test_a_closed_statement_is_checked_against_raw_events_and_its_invoice_is_a_pdf(page_at, billed, screenshot):
    page = page_at(f"/invoices?team=globex&statement={billed['id']}")
    due = page.locator("dd.ts-totals__due")
    assert re.sub(r"[^\d.]", "", due.inner_text()) == billed["total"]
    page.get_by_role("button", name="Check against raw events").click()
    expect(page.get_by_text("Raw events, prices and terms give exactly this again.")).to_be_visible()

    line = next(line for line in billed["lines"] if line["metric"] == "api_calls")
    page.get_by_role("button", name=line["name"]).click()
    expect(page.get_by_role("region", name="Events of the line").get_by_role("row").nth(3)).to_be_visible()
    screenshot(page, "statement-closed")
    with page.expect_download(timeout=60_000) as found:  # the first PDF of a server loads what draws it
        page.get_by_role("button", name=re.compile("PDF of")).click()
    assert Path(found.value.path()).read_bytes().startswith(b"%PDF")


# --- Alerts -------------------------------------------------------------------------------------------


def test_an_alert_is_made_and_seen_to_fire(page_at, house, screenshot):
    house.post("/api/teams", {"id": "watched", "name": "Watched"})
    page = page_at("/teams/watched/alerts")
    page.get_by_role("button", name="New alert").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Too many calls")
    form.get_by_label("What is watched").select_option("usage")
    form.get_by_role("button", name="Make the alert").click()
    expect(form.get_by_text("This kind is about one metric")).to_be_visible()
    form.get_by_label(re.compile("^Metric")).select_option("api_calls")
    form.get_by_label("Threshold: quantity").fill("100")
    screenshot(page, "alert-form")
    form.get_by_role("button", name="Make the alert").click()
    card = page.get_by_role("listitem").filter(has_text="Too many calls")
    expect(card.locator(".ts-badge").first).to_have_text("ok")
    expect(form).to_have_count(0)

    house.track({"team_id": "watched", "event_name": "api_call", "quantity": "150.5"})
    expect(card.locator(".ts-badge").first).to_have_text("exceeded")
    expect(card.locator("[data-value='150.5']")).to_be_visible()
    screenshot(page, "alert-fired")
    page.get_by_text("History", exact=True).click()
    told = page.get_by_role("region", name="History of alerts").get_by_role("row")
    expect(told).to_have_count(3)
    told.nth(1).get_by_role("button", name=re.compile("Measure again")).click()
    expect(told.nth(1).get_by_text("same again")).to_be_visible()


def test_an_alert_is_edited_tested_switched_off_and_deleted(page_at, house):
    house.post(
        "/api/usage/alerts", {"name": "Passing", "team_id": "umbrella", "threshold_value": "10", "currency": "USD"}
    )
    page = page_at("/alerts?team=umbrella")
    card = page.get_by_role("listitem").filter(has_text="Passing")
    card.get_by_role("button", name="Edit Passing").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Threshold: amount").fill("12.50")
    form.get_by_role("button", name="Add a step").click()
    form.get_by_role("textbox", name=re.compile("^At")).last.fill("200")
    expect(form.get_by_text("That is 25")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(card.get_by_text("of $12.50")).to_be_visible()
    expect(card.locator(".ts-alert-card__steps li")).to_have_count(2)
    card.get_by_role("button", name="Send a test").click()
    expect(card.get_by_text("Queued as tests:")).to_be_visible()
    card.get_by_role("button", name="Switch off").click()
    expect(card.get_by_text("off", exact=True)).to_be_visible()
    card.get_by_role("button", name="Delete Passing").click()
    card.get_by_role("button", name="Delete for good").click()
    expect(card).to_have_count(0)


def test_preferences_are_kept(page_at, house):
    page = page_at("/alerts?team=hooli&show=preferences")
    page.get_by_label("Email addresses").fill("a@example.com, b@example.com")
    page.get_by_label(re.compile("^Digest")).first.select_option("daily")
    page.get_by_label("Quiet hours").check()
    page.get_by_label("Quiet from").fill("21:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    kept = house.get("/api/notifications/preferences/hooli")
    assert kept["emails"] == ["a@example.com", "b@example.com"]
    assert (kept["digest"], kept["quiet_hours"]) == ("daily", {"from": "21:30", "to": "07:00"})


# --- Somebody else's data -----------------------------------------------------------------------------


def test_a_portal_token_shows_its_team_and_is_refused_every_other(page_at, house):
    token = house.post("/api/portal/tokens", {"team_id": "acme", "scopes": ["read"], "expires_in": 600})["token"]
    page = page_at("/events", key=token)
    expect(rows(page)).to_have_count(50)
    expect(page.get_by_role("columnheader", name="Team")).to_have_count(0)
    page.goto(f"{house.url}/teams/acme/alerts")
    expect(page.get_by_text("Monthly budget")).to_be_visible()
    expect(page.get_by_role("button", name="New alert")).to_have_count(0)
    for part in ("events", "bill", "alerts"):
        page.goto(f"{house.url}/teams/globex/{part}")
        expect(page.get_by_role("alert").first).to_be_visible()
        expect(rows(page)).to_have_count(0)
