"""Statements and the usage report: from events to what is owed, through the services and over HTTP."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest

from tallystick.billing import bounds, report
from tallystick.billing.credits.service import Credits
from tallystick.billing.credits.terms import Terms as Granted
from tallystick.billing.models import Basis
from tallystick.billing.report import ReportRequest
from tallystick.billing.report_answers import ReportAnswer
from tallystick.billing.teams.models import TeamChanges, Terms
from tallystick.catalog.models import Anchor
from tallystick.cli.app import main
from tallystick.core.clock import Window
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.principal import Scope
from tallystick.pricing import charge_as_json
from tests.integration.billing_setup import calling, opened

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def reported(house, *metrics: str, **asked):
    return await house.billing.reports.report(ReportRequest("acme", metrics, **asked))


async def only(house, metric="api_calls", **asked):
    """The report on one metric."""
    [found] = (await reported(house, metric, **asked)).metrics
    return found


def amounts(lines):
    return [(step.quantity, step.amount) for line in lines for step in line.charge.steps]


# --- Cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "amount", "steps"),
    [
        (10_000, "0", [(10_000, 0)]),
        (10_001, "0.001", [(10_000, 0), (1, Decimal("0.001"))]),
        (150_000, "130", [(10_000, 0), (90_000, 90), (50_000, 40)]),
    ],
)
async def test_calls_are_charged_by_tier_and_the_steps_say_how(house, calls, amount, steps):
    await house.team()
    await house.use(calls)

    cost = (await only(house)).cost

    assert cost.amount == Decimal(amount)
    assert cost.total == Decimal(amount).quantize(Decimal("0.01"))
    assert amounts(cost.lines) == steps


async def test_a_change_of_price_splits_usage_that_adds_up_at_the_instant(house):
    await house.team(plan="changing")
    await house.use(100, "2026-03-10T23:59:59.999999Z")
    await house.use(10, "2026-03-11T00:00:00Z")

    found = await only(house)

    assert found.usage == 110
    assert [(line.quantity, line.total, line.basis) for line in found.cost.lines] == [
        (100, Decimal("1.00"), Basis.INTERVAL),
        (10, Decimal("0.20"), Basis.INTERVAL),
    ]
    assert found.cost.lines[0].interval.end == found.cost.lines[1].interval.start


async def test_usage_that_does_not_add_up_is_charged_at_the_price_in_force_at_the_end(house):
    await house.team(plan="changing")
    await house.use(8, "2026-03-03T00:00:00Z", event_name="load")
    await house.use(5, "2026-03-12T00:00:00Z", event_name="load")

    [line] = (await only(house, "peak")).cost.lines

    assert (line.quantity, line.total, line.basis) == (8, Decimal("24.00"), Basis.PERIOD_END)


async def test_a_fixed_fee_that_changes_inside_a_period_is_charged_once(house):
    await house.team(plan="fee")

    cost = (await only(house)).cost

    assert cost.total == Decimal("119.00")


async def test_a_price_that_is_still_to_come_costs_nothing_yet(house):
    house.clock.set(datetime(2026, 3, 5, tzinfo=UTC))
    await house.team(plan="changing")
    await house.use(100, "2026-03-04T00:00:00Z")

    found = await only(house)

    assert found.cost.total == Decimal("1.00")
    assert len(found.cost.lines) == 1


async def test_a_team_without_a_subscription_has_usage_of_the_calendar_month_and_no_cost(house):
    await house.team(plan=None, time_zone="America/New_York")
    await house.use(7, "2026-03-01T04:59:59Z")  # still February in New York
    await house.use(100)

    told = await reported(house, "api_calls")

    assert told.account.period.start == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert (told.metrics[0].usage, told.metrics[0].cost) == (100, None)
    assert told.metrics[0].reason == "the team has no subscription"
    assert told.metrics[0].projection.cost is None
    assert told.total is None


async def test_a_metric_that_the_plan_has_no_price_for_says_so(house):
    await house.team()

    found = await only(house, "latency")

    assert (found.usage, found.cost) == (None, None)
    assert found.reason == "plan 'standard' has no price for this metric"


async def test_the_maximum_of_nothing_is_charged_as_no_usage(house):
    await house.team()

    found = await only(house, "peak")

    assert found.usage is None
    assert [line.quantity for line in found.cost.lines] == [0]


async def test_a_line_is_rounded_once_to_the_currency(house):
    house.clock.set(datetime(2026, 3, 15, 12, tzinfo=UTC))
    await house.team(plan="yen")
    for _ in range(3):
        await house.use(1000, "2026-03-10T00:00:00Z")

    cost = (await only(house)).cost

    assert (cost.amount, str(cost.total)) == (Decimal("1.5"), "2")


async def test_events_that_have_no_value_are_counted_and_do_not_count(house):
    await house.team()
    await house.use(1, event_name="load", metadata={"ms": "fast"})
    await house.use(1, event_name="load", metadata={"ms": "12.5"})

    found = await only(house, "latency")

    assert (found.usage, found.events, found.unvalued) == (Decimal("12.5"), 2, 1)


# --- Projection ------------------------------------------------------------------------------------


async def test_the_run_rate_is_usage_by_elapsed_time_for_the_whole_period_at_the_same_prices(house):
    house.clock.set(datetime(2026, 3, 16, 12, tzinfo=UTC))  # half of March
    await house.team()
    await house.use(75_000)

    told = await reported(house, "api_calls")

    assert told.elapsed == Decimal("0.5")
    assert told.metrics[0].projection == ("run_rate", 150_000, Decimal("130.00"))
    assert told.projected_total == Decimal("130.00")


async def test_the_run_rate_knows_of_a_price_that_is_still_to_come(house):
    house.clock.set(datetime(2026, 3, 6, tzinfo=UTC))  # 5 days gone, 5 more at the old price, then 21
    await house.team(plan="changing")
    await house.use(500)

    projection = (await only(house)).projection

    assert projection.usage == 3100
    assert projection.cost == Decimal("10.00") + Decimal("42.00")


async def test_usage_that_does_not_add_up_is_projected_as_it_is(house):
    await house.team()
    await house.use(8, event_name="load")

    assert (await only(house, "peak")).projection == ("run_rate", 8, Decimal("16.00"))


async def test_there_is_no_run_rate_before_anything_has_passed(house):
    house.clock.set(MARCH)
    await house.team()

    told = await reported(house, "api_calls")

    assert told.elapsed == 0
    assert told.metrics[0].projection is None


# --- Periods ---------------------------------------------------------------------------------------


async def test_the_period_is_the_subscription_s_and_not_what_the_history_is_asked_for(house):
    house.clock.set(datetime(2026, 3, 15, tzinfo=UTC))
    start = datetime(2026, 1, 31, 9, tzinfo=UTC)
    await house.team(starts_at=start, anchor=Anchor.ANNIVERSARY)
    await house.use(5, "2026-02-28T08:59:59Z")
    await house.use(3, "2026-02-28T09:00:00Z")

    told = await reported(house, "api_calls", start="2026-02-01", end="2026-03-01", window=Window.MONTH)

    assert told.account.period.start == datetime(2026, 2, 28, 9, tzinfo=UTC)
    assert told.account.period.end == datetime(2026, 3, 31, 9, tzinfo=UTC)
    assert told.metrics[0].usage == 3
    assert [point.usage for point in told.metrics[0].history[0].points] == [8]


# --- History ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", ["2026-03", "2026-03-09", "2026-03-31T23:59:59Z"])
async def test_a_past_period_is_reported_in_full_by_a_month_date_or_instant_that_it_holds(house, period):
    await house.team()
    await house.use(10_001, at="2026-03-05T00:00:00Z")
    house.clock.advance(timedelta(days=90))
    found = await reported(house, "api_calls", period=period)
    assert found.account.period == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert found.elapsed == 1
    assert found.metrics[0].cost.amount == Decimal("0.001")
    assert found.metrics[0].projection.usage == 10_001
    assert (await only(house)).usage == 0


@pytest.mark.parametrize("period", ["2026-03", "2026-03-16"])
async def test_a_month_means_the_period_of_a_team_that_starts_in_the_middle_of_it(house, period):
    starts_at = datetime(2026, 3, 16, 9, tzinfo=UTC)
    await house.team(starts_at=starts_at)
    told = await reported(house, period=period)
    assert told.account.period == (starts_at, datetime(2026, 4, 1, tzinfo=UTC))
    assert told.account.subscription


async def test_a_period_to_come_is_reported_as_empty(house):
    await house.team()
    found = await reported(house, "api_calls", period="2030-01")
    assert found.account.period == (datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC))
    assert found.metrics[0].usage == 0


async def test_the_day_on_which_clocks_go_forward_has_23_hours(house):
    await house.team(time_zone="America/New_York")
    await house.use(4, "2026-03-08T06:30:00Z")  # 01:30 EST
    await house.use(6, "2026-03-08T07:30:00Z")  # 03:30 EDT

    [series] = (await only(house, start="2026-03-08", end="2026-03-09", window=Window.HOUR)).history
    shown = [(point.start.isoformat(), point.usage) for point in series.points]

    assert len(shown) == 23
    assert shown[1:3] == [("2026-03-08T01:00:00-05:00", 4), ("2026-03-08T03:00:00-04:00", 6)]
    assert {usage for _, usage in shown[:1] + shown[3:]} == {0}
    assert all(earlier.end == later.start for earlier, later in pairwise(series.points))


async def test_by_default_the_history_is_the_current_period_up_to_the_running_window(house):
    await house.team(time_zone="Asia/Kathmandu")

    [series] = (await only(house)).history

    assert series.points[0].start.isoformat() == "2026-03-01T00:00:00+05:45"
    assert series.points[-1].end.isoformat() == "2026-03-16T00:00:00+05:45"
    assert len(series.points) == 15


async def test_every_value_of_a_dimension_has_a_series_without_gaps(house):
    await house.team()
    await house.use(1, "2026-03-02T00:00:00Z", metadata={"region": "eu"})
    await house.use(2, "2026-03-03T00:00:00Z", metadata={"region": "us"})
    await house.use(3, "2026-03-03T00:00:00Z")

    found = await only(house, start="2026-03-02", end="2026-03-04", group_by=("region",))

    assert found.usage == 6
    assert [(s.dimensions["region"], [p.usage for p in s.points]) for s in found.history] == [
        ("eu", [1, 0]),
        ("us", [0, 2]),
        (None, [0, 3]),
    ]


async def test_grouping_all_metrics_shows_those_that_keep_the_dimension_apart(house):
    await house.team()

    told = await reported(house, group_by=("region",))

    assert [each.definition.name for each in told.metrics] == ["api_calls"]


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("from", {"start": "2026-03-05", "end": "2026-03-05"}),
        ("from", {"start": "yesterday"}),
        ("from", {"start": "1999-12-31"}),
        ("from", {"start": "2026-02-30"}),
        ("from", {"start": "0001-01-01T00:00:00+14:00"}),
        ("to", {"end": "2026-03-05T00:00:00"}),
        ("to", {"end": "9999-12-31"}),
        ("window", {"start": "2026-01-01", "end": "2026-03-01", "window": Window.MINUTE}),
        ("group_by", {"group_by": ("colour",)}),
    ],
)
async def test_a_history_that_can_not_be_is_refused_by_field(house, field, asked):
    await house.team()

    with pytest.raises(InvalidInput) as refused:
        await reported(house, **asked)

    assert refused.value.field == field


async def test_more_points_than_a_report_may_have_are_refused(house, monkeypatch):
    await house.team()
    monkeypatch.setattr(report, "MOST_POINTS", 10)
    for region in ("eu", "us"):
        await house.use(1, metadata={"region": region})

    with pytest.raises(InvalidInput, match="2 series of 6 windows each are more than the 10 points"):
        await reported(house, "api_calls", start="2026-03-01", end="2026-03-07", group_by=("region",))


async def test_as_many_windows_as_are_allowed_are_answered(house, monkeypatch):
    await house.team()
    monkeypatch.setattr(bounds, "MOST_WINDOWS", 31)

    assert (await reported(house, "api_calls", start="2026-03-01", end="2026-04-01")).metrics
    with pytest.raises(InvalidInput, match="more than 31 windows of a day"):
        await reported(house, "api_calls", start="2026-03-01", end="2026-04-02")


async def test_an_unknown_metric_or_team_is_not_found(house):
    await house.team()

    with pytest.raises(NotFound, match="there is no metric 'calls'; there are: api_calls, latency, peak"):
        await reported(house, "calls")
    with pytest.raises(NotFound, match="there is no team 'globex'"):
        await house.billing.reports.report(ReportRequest("globex"))


# --- Statements ------------------------------------------------------------------------------------


async def test_the_statement_and_the_report_come_to_the_same(house):
    await house.team()
    await house.use(150_000)
    await house.use(8, event_name="load")

    statement = await house.billing.statements.current("acme")

    assert statement.total == Decimal("146.00")
    assert (await reported(house)).total == statement.total


async def test_an_aggregation_rolls_up_and_keeps_the_statement_with_its_steps(house):
    await house.team()
    await house.use(150_000)

    done = await house.billing.statements.aggregate(["acme"])
    [row] = await house.kept()

    assert (done.rolled_up.events, done.rolled_up.more) == (1, False)
    assert row[3:5] == tuple(done.statements[0].account.period)
    lines = {line["metric"]: line for line in row[5]}
    assert lines["api_calls"]["total"] == "130.00"
    assert [step["amount"] for step in lines["api_calls"]["steps"]] == ["0", "90", "40"]
    assert row[6:9] == (Decimal("130.00"), "USD", "active")


async def test_the_kept_steps_are_those_of_the_charge(house):
    await house.team()
    await house.use(150_000)

    [statement] = (await house.billing.statements.aggregate(["acme"])).statements
    [row] = await house.kept()

    kept = [{"amount": line["amount"], "steps": line["steps"]} for line in row[5]]
    assert kept == [charge_as_json(line.charge) for line in statement.lines]


async def test_aggregating_again_replaces_the_draft(house):
    await house.team()
    await house.use(10_001)
    await house.billing.statements.aggregate(["acme"])
    await house.use(139_999)
    house.clock.advance(timedelta(minutes=1))

    await house.billing.statements.aggregate(["acme"])

    assert [row[6] for row in await house.kept()] == [Decimal("130.00")]


async def test_a_change_of_zone_or_plan_leaves_no_second_draft_behind(house):
    await house.team()
    await house.billing.statements.aggregate(["acme"])
    await house.billing.teams.update("acme", TeamChanges(time_zone="Asia/Kathmandu"))
    await house.billing.statements.aggregate(["acme"])
    await house.billing.teams.subscribe("acme", Terms("yen", datetime(2026, 3, 2, tzinfo=UTC)))

    await house.billing.statements.aggregate(["acme"])

    assert [row[7] for row in await house.kept()] == ["JPY"]


async def test_a_period_that_is_closed_is_not_written_again(house):
    await house.team()
    await house.billing.statements.aggregate(["acme"])
    async with house.database.transaction() as tx:
        await tx.execute("UPDATE metered_billing_periods SET status = 'closed'")
    await house.use(150_000)
    house.clock.advance(timedelta(minutes=1))

    await house.billing.statements.aggregate(["acme"])

    assert [(row[6], row[8]) for row in await house.kept()] == [(0, "closed")]


async def test_a_team_without_a_subscription_has_a_statement_of_usage_alone_which_is_not_kept(house):
    await house.team(plan=None)
    await house.use(5)

    [statement] = (await house.billing.statements.aggregate(["acme"])).statements

    assert (statement.total, statement.reason) == (None, "the team has no subscription")
    assert {line.metric: line.quantity for line in statement.lines}["api_calls"] == 5
    assert await house.kept() == []


# --- Over HTTP -------------------------------------------------------------------------------------


async def test_the_report_over_http_shows_tiers_history_and_a_labelled_projection(house):
    house.clock.set(datetime(2026, 3, 16, 12, tzinfo=UTC))
    await house.team()
    await house.use(150_000)

    async with calling(house, Scope.READ) as client:
        asked = {"team_id": "acme", "metric": "api_calls", "from": "2026-03-05", "to": "2026-03-06"}
        answer = (await client.get("/api/usage/report", params=asked)).json()

    assert answer["current_period"] == {
        "start": "2026-03-01T00:00:00+00:00",
        "end": "2026-04-01T00:00:00+00:00",
        "elapsed": "0.5",
        "currency": "USD",
        "total": "130.00",
        "projected_total": "250.00",
    }
    [metric] = answer["metrics"]
    current = metric["current_period"]
    assert (metric["unit"], current["usage"], current["events"], current["unvalued"]) == ("call", "150000", 1, 0)
    assert (current["cost"]["amount"], current["cost"]["total"]) == ("130", "130.00")
    steps = current["cost"]["lines"][0]["steps"]
    assert [(step["tier"], step["quantity"], step["unit_price"], step["amount"]) for step in steps] == [
        (0, "10000", "0", "0"),
        (1, "90000", "0.001", "90"),
        (2, "50000", "0.0008", "40"),
    ]
    assert current["projection"] == {"method": "run_rate", "usage": "300000", "cost": "250.00"}
    assert metric["history"] == [
        {
            "dimensions": {},
            "windows": [
                {
                    "start": "2026-03-05T00:00:00+00:00",
                    "end": "2026-03-06T00:00:00+00:00",
                    "usage": "150000",
                    "events": 1,
                    "unvalued": 0,
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("params", "headers"), [({"format": "csv"}, {}), ({}, {"Accept": "text/csv, application/json;q=0.5"})]
)
async def test_the_history_comes_as_csv_that_no_spreadsheet_runs(house, params, headers):
    await house.team()
    await house.use(1, metadata={"region": '=HYPERLINK("http://x","y")'})
    await house.use("2.50", metadata={"region": "eu, west"})

    async with calling(house, Scope.READ) as client:
        asked = {"team_id": "acme", "metric": "api_calls", "group_by": "region", **params}
        answer = await client.get(
            "/api/usage/report", params={**asked, "from": "2026-03-05", "to": "2026-03-06"}, headers=headers
        )
    rows = list(csv.reader(StringIO(answer.text, newline="")))

    assert answer.headers["content-type"].startswith("text/csv")
    assert rows == [
        ["team_id", "metric", "unit", "region", "window_start", "window_end", "usage", "events", "unvalued"],
        _row('\'=HYPERLINK("http://x","y")', "1"),
        _row("eu, west", "2.5"),
    ]
    assert answer.text.count("\r\n") == 3


def _row(region, usage):
    day = ["2026-03-05T00:00:00+00:00", "2026-03-06T00:00:00+00:00"]
    return ["acme", "api_calls", "call", region, *day, usage, "1", "0"]


async def test_an_offset_whose_plus_was_not_escaped_is_understood(house):
    await house.team()

    async with calling(house, Scope.READ) as client:
        url = "/api/usage/report?team_id=acme&from=2026-03-01T00:00:00+02:00&to=2026-03-02T00:00:00%2B02:00"
        answer = await client.get(url)

    assert answer.json()["history"]["start"] == "2026-02-28T22:00:00+00:00"


async def test_a_key_for_one_team_reads_that_team_alone_and_need_not_name_it(house):
    await house.team("acme")
    await house.team("globex")

    async with calling(house, Scope.READ, "acme") as client:
        own = await client.get("/api/usage/report")
        other = await client.get("/api/usage/report", params={"team_id": "globex"})

    assert own.json()["team_id"] == "acme"
    assert other.status_code == 403


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "team_id"),
        ({"team_id": "acme", "window": "week"}, "window"),
        ({"team_id": "acme", "windw": "day"}, "windw"),
        ({"team_id": "acme", "group_by": "colour", "metric": "api_calls"}, "group_by"),
    ],
)
async def test_a_report_that_can_not_be_is_a_problem_that_names_the_parameter(house, params, field):
    await house.team()

    async with calling(house, Scope.READ) as client:
        answer = await client.get("/api/usage/report", params=params)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_aggregation_over_http_goes_through_all_teams_page_by_page(house):
    for name in ("acme", "globex", "initech"):
        await house.team(name)
    await house.use(150_000)

    async with calling(house) as client:
        first = (await client.post("/api/usage/aggregate", json={"limit": 2})).json()
        asked = {"limit": 2, "cursor": first["next_cursor"]}
        rest = (await client.post("/api/usage/aggregate", json=asked)).json()
        bare = await client.post("/api/usage/aggregate")

    statements = first["data"] + rest["data"]
    assert [(each["team_id"], each["total"]) for each in statements] == [
        ("acme", "130.00"),
        ("globex", "0.00"),
        ("initech", "0.00"),
    ]
    assert first["rolled_up"]["events"] == 1
    assert first["rolled_up"]["complete"]
    assert rest["next_cursor"] is None
    assert len(bare.json()["data"]) == 3
    assert len(await house.kept()) == 3


async def test_the_openapi_document_describes_every_route_of_billing(house):
    async with calling(house) as client:
        document = (await client.get("/openapi.json")).json()

    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described >= {
        ("/api/teams", "post"),
        ("/api/teams", "get"),
        ("/api/teams/{team_id}", "get"),
        ("/api/teams/{team_id}", "patch"),
        ("/api/teams/{team_id}/subscriptions", "post"),
        ("/api/teams/{team_id}/subscriptions", "get"),
        ("/api/teams/{team_id}/subscriptions/{subscription_id}", "delete"),
        ("/api/usage/report", "get"),
        ("/api/usage/aggregate", "post"),
    }
    named = {each["name"] for each in document["paths"]["/api/usage/report"]["get"]["parameters"]}
    assert named == {"team_id", "metric", "from", "to", "window", "group_by", "period", "format"}


def paths(value, at=""):
    """The paths of every key in a JSON value."""
    if isinstance(value, dict):
        return {f"{at}.{key}" for key in value}.union(*(paths(each, f"{at}.{key}") for key, each in value.items()))
    return set().union(*(paths(each, f"{at}[]") for each in value)) if isinstance(value, list) else set()


async def test_the_reference_shows_the_answer_that_is_given(house):
    text = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text()
    shown = json.loads(text.split("```json")[1].split("```")[0])
    house.clock.set(datetime(2026, 3, 16, 16, 30, tzinfo=UTC))
    await house.team(time_zone="America/New_York")
    await house.use(150_000)
    asked = ReportRequest("acme", ("api_calls",), "2026-03-08", "2026-03-09", Window.HOUR)

    answer = ReportAnswer.of(await house.billing.reports.report(asked)).model_dump(mode="json")

    assert paths(shown | {"dead_letters": []}) <= paths(answer)  # the team has none here
    assert shown["current_period"] == answer["current_period"]
    assert shown["history"] == answer["history"]


def numbers(value):
    """Every number in a JSON value that is not text."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in numbers(each)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [found for each in value for found in numbers(each)]
    return [value] if isinstance(value, float) else []


async def test_no_number_of_a_report_is_a_float(house):
    await house.team(plan="changing")
    await house.use("0.1", metadata={"region": "eu"})
    told = await reported(house)

    text = ReportAnswer.of(replace(told)).model_dump_json()

    assert numbers(json.loads(text)) == []


# --- On the command line ---------------------------------------------------------------------------


@pytest.fixture
async def command(house, database_url, monkeypatch, capsys):
    """Runs `tallystick report` on a team that used 150,000 calls just now; gives its code and output."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    house.clock.set(datetime.now(UTC))
    await house.team(starts_at=house.clock.now() - timedelta(days=365))
    await house.use(150_000, house.clock.now().isoformat(), metadata={"region": "eu"})

    async def run(*arguments):
        code = await asyncio.to_thread(main, ["report", "--team", "acme", *arguments])
        return code, *capsys.readouterr()

    return run


async def test_the_command_shows_usage_cost_tiers_and_history(command):
    code, shown, remarks = await command("--metric", "api_calls", "--group-by", "region")
    rows = [line.split("\t") for line in shown.splitlines()]

    assert code == 0
    assert rows[1][:5] == ["api_calls", "150000", "call", "0", "130.00"]
    assert [row[1:] for row in rows[3:6]] == [
        ["tier", "0 to 10000", "10000", "0", "0"],
        ["tier", "10000 to 100000", "90000", "0.001", "90"],
        ["tier", "100000 to ∞", "50000", "0.0008", "40"],
    ]
    assert rows[-1][:2] == ["api_calls", "eu"]
    assert "USD 130.00 so far" in remarks


async def test_the_command_shows_credits_where_there_are_any(house, command):
    _, without, _ = await command()
    await Credits(house.database, house.clock).grant("acme", Granted(Decimal(50), currency="USD", name="Welcome"))
    _, shown, remarks = await command()
    rows = [line.split("\t") for line in shown.splitlines()]

    assert "credits of" not in without
    assert ["USD", "50", "50"] in rows
    assert [(row[1], row[4]) for row in rows if row[1] == "Welcome"] == [("Welcome", "50.00")]
    assert "What they would pay so far:" in remarks


async def test_the_command_writes_the_json_of_the_api_and_csv(command):
    _, document, _ = await command("--format", "json", "--from", "2026-03-01", "--to", "2026-03-03")
    _, text, _ = await command("--format", "csv", "--metric", "api_calls", "--from", "2026-03-01", "--to", "2026-03-03")

    assert json.loads(document)["current_period"]["total"] == "130.00"
    rows = list(csv.reader(StringIO(text, newline="")))
    assert [row[3] for row in rows[1:]] == ["2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00"]


async def test_the_command_says_in_a_line_what_is_wrong(command):
    code, shown, remarks = await command("--metric", "calls")

    assert (code, shown) == (1, "")
    assert remarks == "error: there is no metric 'calls'; there are: api_calls, latency, peak\n"
