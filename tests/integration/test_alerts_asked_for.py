"""Alerts over HTTP and on the command line."""

import asyncio
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from tallystick.alerts.requests import BUDGET, SIMPLE
from tallystick.core.settings import Settings
from tallystick.http.principal import Scope
from tallystick.notifications.models import ChannelKind, NewChannel
from tallystick.notifications.service import Notifications
from tests.integration.alerts_setup import at, opened_tower
from tests.integration.billing_setup import calling

BASE = "/api/usage/alerts"
PLAIN = {"team_id": "acme", "metric": "api_calls", "threshold_value": "100"}


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


async def add_channels(tower, *names):
    notifications = Notifications(tower.house.database, tower.house.clock, Settings())
    for name in names:
        await notifications.add_channel(NewChannel(name, ChannelKind.EMAIL, to=(f"{name}@example.com",)))
    await notifications.close()


async def test_the_budget_of_the_documentation_is_made_shown_changed_and_deleted(tower):
    await add_channels(tower, "email", "slack")
    async with calling(tower.house) as client:
        made = await client.post(BASE, json=BUDGET)
        alert = made.json()
        changed = await client.patch(f"{BASE}/{alert['id']}", json={"threshold_value": "2000", "active": False})
        shown = await client.get(f"{BASE}/{alert['id']}")
        gone = await client.delete(f"{BASE}/{alert['id']}")
        missing = await client.get(f"{BASE}/{alert['id']}")

    assert made.status_code == 201
    assert [(step["percent"], step["limit"], step["type"], step["action"]) for step in alert["steps"]] == [
        ("80", "800", "soft", {"notify": ["email"], "throttle": False}),
        ("100", "1000", "soft", {"notify": ["slack", "email"], "throttle": False}),
        ("120", "1200", "hard", {"notify": [], "throttle": True}),
    ]
    assert (changed.status_code, changed.json()) == (200, shown.json())
    assert [step["limit"] for step in shown.json()["steps"]] == ["1600", "2000", "2400"]
    assert (shown.json()["active"], shown.json()["name"]) == (False, "Monthly budget")
    assert (gone.status_code, missing.status_code) == (204, 404)


async def test_a_team_a_metric_a_value_and_an_action_are_enough(tower):
    await add_channels(tower, "email")
    async with calling(tower.house) as client:
        alert = (await client.post(BASE, json=SIMPLE)).json()

    assert (alert["kind"], alert["name"], alert["hysteresis"]) == ("usage", "usage of api_calls, acme", "0")
    [step] = alert["steps"]
    assert (step["limit"], step["action"]["notify"]) == ("100000", ["email"])


async def test_the_status_tells_the_number_now_and_how_each_step_stands(tower):
    await tower.add("cost", 10, at(80), at(100))
    await tower.house.use(19_000)
    await tower.look()

    async with calling(tower.house, Scope.READ, "acme") as client:
        [status] = (await client.get(f"{BASE}/status")).json()["data"]

    assert (status["state"], status["value"], status["unit"]) == ("warning", "9", "USD")
    assert [step["state"] for step in status["steps"]] == ["warning", "ok"]
    assert (status["period_start"], status["period_end"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


async def test_the_history_is_paged_newest_first_and_each_number_can_be_verified(tower):
    await tower.add("usage", 100, *(at(percent) for percent in (10, 20, 30, 40, 50)))
    await tower.house.use(45)
    await tower.look()

    async with calling(tower.house) as client:
        first = (await client.get(f"{BASE}/history", params={"limit": 3})).json()
        rest = (await client.get(f"{BASE}/history", params={"limit": 3, "cursor": first["next_cursor"]})).json()
        checked = (await client.get(f"{BASE}/history/{first['data'][0]['id']}/verify")).json()

    assert [each["limit"] for each in first["data"] + rest["data"]] == ["40", "30", "20", "10"]
    assert rest["next_cursor"] is None
    assert (checked["agrees"], checked["value"]) == (True, "45")


async def test_a_test_goes_the_way_of_each_step_and_changes_nothing(tower):
    await add_channels(tower, "ops")
    alert = await tower.add("usage", 100, at(80, "ops"), at(100))
    await tower.house.use(12)

    async with calling(tower.house) as client:
        sent = await client.post(f"{BASE}/{alert.id}/test")
        again = await client.post(f"{BASE}/{alert.id}/test", json={"team_id": "acme"})

    assert (sent.status_code, again.status_code) == (202, 202)
    assert [step["channels"] for step in sent.json()["data"]] == [["ops"], []]
    rows = await tower.rows("SELECT kind, channels, content ->> 'value', content ->> 'title' FROM notifications")
    assert len(rows) == 4
    assert rows[0] == ("alert.test", ["ops"], "12", "Test: acme: api_calls reached 80 % of 100 call")
    assert await tower.history() == []


async def test_a_test_of_an_alert_about_many_names_the_team(tower):
    alert = await tower.add("usage", 100, team_id=None)
    await tower.house.team("other", plan="changing")
    on_plan = await tower.add("usage", 100, plan="standard")

    async with calling(tower.house) as client:
        unnamed = await client.post(f"{BASE}/{alert.id}/test")
        named = await client.post(f"{BASE}/{alert.id}/test", json={"team_id": "other"})
        wrong = await client.post(f"{BASE}/{on_plan.id}/test", json={"team_id": "other"})

    assert [each.status_code for each in (unnamed, named, wrong)] == [422, 202, 422]
    assert wrong.json()["detail"] == f"alert {on_plan.id} is not about team 'other'"


async def test_the_list_of_a_team_has_its_own_its_plans_and_everybodys_alerts(tower):
    await tower.house.team("other", plan="changing")
    ids = [
        (await tower.add("usage", 1)).id,
        (await tower.add("usage", 1, plan="standard")).id,
        (await tower.add("usage", 1, team_id=None)).id,
        (await tower.add("usage", 1, team_id="other")).id,
    ]
    async with calling(tower.house) as client:
        everything = (await client.get(BASE)).json()["data"]
        of_acme = (await client.get(BASE, params={"team_id": "acme"})).json()["data"]
        costs = (await client.get(BASE, params={"kind": "cost"})).json()["data"]

    assert [each["id"] for each in everything] == ids
    assert [each["id"] for each in of_acme] == ids[:3]
    assert costs == []


async def test_a_key_for_one_team_sees_what_is_about_it_and_changes_nothing(tower):
    await tower.house.team("other", plan="changing")
    foreign, on_plan = await tower.add("usage", 1, team_id="other"), await tower.add("usage", 1, plan="standard")
    for team in ("acme", "other"):
        await tower.house.use(5, team_id=team)
    await tower.look()
    [theirs] = await tower.history(alert_id=foreign.id)

    async with calling(tower.house, Scope.READ, "acme") as client:
        refused = [
            await client.post(BASE, json=PLAIN),
            await client.patch(f"{BASE}/{on_plan.id}", json={"active": False}),
            await client.delete(f"{BASE}/{on_plan.id}"),
            await client.post(f"{BASE}/{on_plan.id}/test"),
            await client.get(f"{BASE}/{foreign.id}"),
            await client.get(BASE, params={"team_id": "other"}),
            await client.get(f"{BASE}/history", params={"team_id": "other"}),
            await client.get(f"{BASE}/history/{theirs.id}/verify"),
            await client.get(f"{BASE}/status", params={"team_id": "other"}),
        ]
        shared = await client.get(f"{BASE}/{on_plan.id}")
        listed = (await client.get(BASE)).json()["data"]
        history = (await client.get(f"{BASE}/history")).json()["data"]

    assert [each.status_code for each in refused] == [403] * len(refused)
    assert (shared.status_code, [each["id"] for each in listed]) == (200, [on_plan.id])
    assert {each["team_id"] for each in history} == {"acme"}


@pytest.mark.parametrize(
    ("status", "field", "changes"),
    [
        (404, None, {"team_id": "nobody"}),
        (422, "metric", {"metric": "nothing"}),
        (422, "metric", {"metric": "m\0"}),
        (422, "metric", {"kind": "rate", "metric": None}),
        (422, "threshold_value", {"threshold_value": "much"}),
        (422, "threshold_value", {"threshold_value": "NaN"}),
        (422, "threshold_value", {"threshold_value": "1e400000"}),
        (422, "threshold_value", {"threshold_value": 1}),
        (422, "hysteresis", {"hysteresis": "1e-400000"}),
        (422, "steps.0.percent", {"steps": [{"percent": "x"}]}),
        (422, "steps.0.action.notify", {"steps": [{"action": {"notify": ["nobody"]}}]}),
        (422, "steps.0", {"steps": [{"action": {"notify": ["a\0"]}}]}),
        (422, "kind", {"kind": "weather"}),
        (422, "colour", {"colour": "red"}),
    ],
)
async def test_errors_are_problems_that_name_the_field(tower, status, field, changes):
    async with calling(tower.house) as client:
        answer = await client.post(BASE, json={**PLAIN, **changes})

    assert (answer.status_code, answer.json().get("field")) == (status, field)


async def test_many_zeros_are_only_zeros(tower):
    async with calling(tower.house) as client:
        made = await client.post(BASE, json={**PLAIN, "threshold_value": "100." + "0" * 20_000})

    assert (made.status_code, made.json()["threshold_value"]) == (201, "100")


# --- On the command line ---------------------------------------------------------------------------


def command(database_url, *arguments):
    """`tallystick alerts …` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tallystick", "alerts", *arguments],
        env=os.environ | {"DATABASE_URL": database_url}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def test_alerts_are_added_listed_tested_and_verified_on_the_command_line(tower, database_url):
    await add_channels(tower, "email", "slack")

    async def run(*arguments):
        return await asyncio.to_thread(command, database_url, *arguments)

    made = await run("add", "--team", "acme", "--threshold", "1000", "--currency", "USD", "--name", "Budget",
                     "--step", "80%:email", "--step", "100%:slack,email", "--step", "120%:throttle")  # fmt: skip
    assert (made.returncode, made.stdout) == (0, "alert 1: Budget, 3 steps\n"), made.stderr
    wrong = await run("add", "--team", "acme", "--on", "weather", "--threshold", "1")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: there is nothing 'weather' to watch; there are usage, cost")
    listed = await run("list", "--team", "acme")
    assert listed.stdout.splitlines()[1].split("\t")[:8] == [
        "1", "Budget", "cost", "acme", "1000", "USD", "80%:email, 100%:slack,email, 120%:throttle", "yes",
    ]  # fmt: skip
    tested = await run("test", "1")
    assert tested.stdout.splitlines()[0] == "queued for email: Test: acme: cost reached 80 % of 1,000 USD"

    await tower.add("usage", 100)
    await tower.house.use(Decimal("150.5"))
    await tower.look()
    history = await run("history", "--verify", "--json")
    assert [json.loads(line)["agrees"] for line in history.stdout.splitlines()] == [True], history.stderr
    assert (await run("history", "2")).stdout.splitlines()[1].split("\t")[3:10] == [
        "acme", "ok → exceeded", "150.5", "100", "call", "measured", "yes",
    ]  # fmt: skip
    switched, removed = await run("switch", "2", "--off"), await run("remove", "1")
    assert (switched.stderr, removed.stderr) == ("alert 2 is off\n", "alert 1 is deleted\n")
    assert (await run("status", "acme")).stderr == "no active alert is about team acme\n"
