"""The budget of the guide, end to end: 80 % email; 100 % Slack and email; 120 % the team is stopped.

Real mail server, real HTTP receiver, the loops as a server runs them, and the very commands of docs/how-to/alerts.md.
"""

import asyncio
import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tallystick.alerts.service import Alerts
from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.cli.app import app as command_line
from tallystick.core.settings import Settings
from tallystick.http.principal import Scope
from tallystick.notifications.service import Notifications
from tallystick.worker.loops import running
from tests.integration.billing_setup import opened
from tests.integration.notifications.receivers import Mailbox, Receiver, mailbox, receiver

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "alerts.md"
PATIENCE = 60
ROLLUP_PAUSE = 0.1


@dataclass
class Place:
    """A running installation, seen from outside."""

    client: httpx.AsyncClient
    mail: Mailbox
    slack: Receiver
    gateway: Receiver

    async def use(self, quantity: int) -> None:
        event = {"team_id": "acme", "event_name": "api_call", "quantity": quantity, "idempotency_key": str(quantity),
                 "timestamp": "2026-03-12T00:00:00Z"}  # fmt: skip
        assert (await self.client.post("/api/usage/track", json=event)).json()["accepted"] == 1

    async def told(self, mails: int, slacks: int) -> None:
        """Wait until so many have arrived."""

        async def arrive() -> None:
            while (len(self.mail.letters), len(self.slack.requests)) < (mails, slacks):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)

        await asyncio.wait_for(arrive(), PATIENCE)
        assert (len(self.mail.letters), len(self.slack.requests)) == (mails, slacks)

    async def may_go_on(self) -> httpx.Response:
        return await self.client.get("/api/usage/check", params={"team_id": "acme", "metric": "api_calls"})


@pytest.fixture
async def place(database, clock):
    async with opened(database, clock) as house, receiver() as slack, receiver() as gateway, mailbox() as mail:
        await house.team("acme", plan="changing")
        settings = Settings(private_networks="127.0.0.1", smtp_host="127.0.0.1", smtp_port=mail.port,
                            smtp_security="none", check_patience_seconds=PATIENCE)  # fmt: skip
        notifications = Notifications(database, clock, settings)
        alerts = Alerts.open(database, house.metering, house.billing, clock)
        async with (
            AppState.open(settings, database, clock) as whole,
            running(house.metering, clock, ROLLUP_PAUSE, alerts=alerts, notifications=notifications),
        ):
            state = replace(whole, metering=house.metering, billing=house.billing, notifications=notifications)
            token = (await state.keys.create("test", [Scope.ADMIN], None)).token
            transport, headers = httpx.ASGITransport(create_app(state)), {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://tally", headers=headers) as client:
                for wanted in (
                    {"name": "email", "kind": "email", "to": ["billing@acme.example"]},
                    {"name": "slack", "kind": "slack", "url": slack.url},
                    {"name": "gateway", "kind": "webhook", "url": gateway.url, "kinds": ["throttle.changed"]},
                ):
                    assert (await client.post("/api/notifications/channels", json=wanted)).status_code == 201
                yield Place(client, mail, slack, gateway)


def guide() -> tuple[list[str], dict[str, object]]:
    """The command and the request that make the budget in the guide."""
    section = GUIDE.read_text().partition("## A budget with three steps")[2].partition("\n## ")[0]
    line = re.search(r"\$ tallystick (alerts add .*?[^\\])\n", section, re.DOTALL)
    body = re.search(r"-d '(\{.*?\})'\n", section, re.DOTALL)
    assert line
    assert body
    return shlex.split(line[1].replace("\\\n", " ")), json.loads(body[1])


async def test_the_budget_of_the_guide_emails_tells_slack_and_stops_the_team(place):
    _, wanted = guide()
    assert (await place.client.post("/api/usage/alerts", json=wanted)).status_code == 201

    await place.use(40_000)
    await place.told(1, 0)
    assert place.mail.letters[0]["Subject"] == "acme: cost reached 80 % of 1,000 USD"
    assert place.mail.recipients == ["billing@acme.example"]

    await place.use(10_000)
    await place.told(2, 1)
    assert place.mail.letters[1]["Subject"] == "acme: cost reached 1,000 USD"
    assert place.slack.requests[0].json()["text"] == "acme: cost reached 1,000 USD"
    assert (await place.may_go_on()).status_code == 200

    await place.use(10_001)
    await asyncio.wait_for(place.gateway.arrived.wait(), PATIENCE)
    stopped = place.gateway.requests[0].json()
    assert (stopped["type"], stopped["data"]["state"], stopped["data"]["metric"]) == (
        "throttle.changed",
        "throttled",
        None,
    )
    refused = await place.may_go_on()
    assert (refused.status_code, refused.json()["reason"]) == (429, "throttled")
    assert (refused.headers["x-ratelimit-remaining"], refused.headers["x-ratelimit-reset"]) == ("0", "1775001600")
    await place.told(2, 1)

    history = (await place.client.get("/api/usage/alerts/history", params={"team_id": "acme"})).json()["data"]
    assert [(each["to_state"], each["value"]) for each in history] == [
        ("exceeded", "1200.02"), ("exceeded", "1000"), ("warning", "800"),
    ]  # fmt: skip
    for each in history:
        verified = (await place.client.get(f"/api/usage/alerts/history/{each['id']}/verify")).json()
        assert verified["agrees"], verified


async def test_a_test_of_the_budget_takes_the_same_ways(place):
    _, wanted = guide()
    made = (await place.client.post("/api/usage/alerts", json=wanted)).json()
    assert (await place.client.post(f"/api/usage/alerts/{made['id']}/test")).status_code == 202
    await place.told(2, 1)
    assert sorted(each["Subject"] for each in place.mail.letters) == [
        "Test: acme: cost reached 1,000 USD", "Test: acme: cost reached 80 % of 1,000 USD",
    ]  # fmt: skip
    assert (await place.may_go_on()).status_code == 200, "a test stops nobody"


async def test_the_command_and_the_request_of_the_guide_make_the_same_alert(place, database_url, monkeypatch):
    line, wanted = guide()
    monkeypatch.setenv("DATABASE_URL", database_url)
    typed = await asyncio.to_thread(CliRunner().invoke, command_line, line)
    assert typed.output == "alert 1: Monthly budget, 3 steps\n"
    asked = (await place.client.post("/api/usage/alerts", json=wanted)).json()
    first = (await place.client.get("/api/usage/alerts/1")).json()

    def terms(alert):
        kept = {name: value for name, value in alert.items() if name not in ("id", "created_at", "updated_at")}
        return kept | {"steps": [{k: v for k, v in step.items() if k != "id"} for step in alert["steps"]]}

    assert terms(first) == terms(asked)
