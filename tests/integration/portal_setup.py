"""Two teams of which there is something everywhere, and clients that see both or one of them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx

from tallystick.alerts.service import Alerts
from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.billing.current import Present
from tallystick.core.settings import Settings
from tallystick.overview.keeping import Keeper
from tallystick.portal.service import Portal
from tests.integration.billing_setup import House

MINE, THEIRS = "acme", "globex"


@dataclass(frozen=True, slots=True)
class Door:
    """The whole application, for an administrator and for a browser of one team."""

    house: House
    portal: Portal
    admin: httpx.AsyncClient
    mine: httpx.AsyncClient

    async def as_admin(self, method: str, path: str, **body: Any) -> Any:
        """What an administrator is answered."""
        answer = await self.admin.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def show_token(self, team_id: str = MINE) -> None:
        """Let the browser have a token that is made now."""
        self.mine.headers["Authorization"] = f"Bearer {(await self.portal.create(team_id)).text}"


@asynccontextmanager
async def door(house: House) -> AsyncIterator[Door]:
    """The application on this house."""
    async with AppState.open(Settings(), house.database, house.clock) as whole:
        state = replace(whole, metering=house.metering, billing=house.billing)
        app = create_app(state)
        first = await state.keys.create_first()
        assert first is not None
        transport, url = httpx.ASGITransport(app), "http://tallystick"
        key = {"Authorization": f"Bearer {first.token}"}
        async with (
            httpx.AsyncClient(transport=transport, base_url=url, headers=key) as admin,
            httpx.AsyncClient(transport=transport, base_url=url) as mine,
        ):
            made = Door(house, app.state.portal, admin, mine)
            await made.show_token()
            yield made
        app.state.live.close()


async def furnish(house: House) -> None:
    """Teams with usage and a bill."""
    for team_id in (MINE, THEIRS):
        await house.team(team_id)
        await house.use(20_000, "2026-03-05T00:00:00Z", team_id=team_id, user_id=f"{team_id}-user",
                        idempotency_key=f"{team_id}-1", metadata={"region": f"{team_id}-region"})  # fmt: skip
        await house.use(1, "2026-03-06T00:00:00Z", team_id=team_id, idempotency_key=f"{team_id}-2")


async def fill(door: Door) -> None:
    """Something of both teams in as many places as the API can put it."""
    house = door.house
    for team_id in (MINE, THEIRS):
        await _rules(door, team_id)
        await _events(door, team_id)
    await house.metering.store.roll_up(house.clock.now())
    await Alerts.open(house.database, house.metering, house.billing, house.clock).evaluate()
    await Keeper(house.database, Present(house.database, house.metering.usage), house.clock).settle()
    house.clock.advance(timedelta(days=20))
    await door.as_admin("POST", "/api/billing/close")
    for statement in (await door.as_admin("GET", "/api/billing/periods"))["data"]:
        if statement["status"] == "closed":
            await door.as_admin("POST", "/api/billing/invoices", statement_id=statement["id"])
    await house.metering.store.roll_up(house.clock.now())
    await door.show_token()


async def _rules(door: Door, team_id: str) -> None:
    await door.as_admin("PUT", f"/api/billing/recipients/{team_id}", name=f"{team_id} Inc.")
    await door.as_admin("PUT", f"/api/notifications/preferences/{team_id}", emails=[f"billing@{team_id}.example"])
    await door.as_admin(
        "POST", "/api/billing/credits", team_id=team_id, amount="5", currency="USD", name=f"of {team_id}"
    )
    await door.as_admin("PUT", "/api/usage/limits", team_id=team_id, metric="api_calls", limit="1000000")
    await door.as_admin("PUT", "/api/usage/throttles", team_id=team_id, metric="latency", cause=f"because of {team_id}")
    await door.as_admin("POST", "/api/usage/reservations", team_id=team_id, metric="api_calls", quantity="3",
                        reference=f"{team_id}-job")  # fmt: skip
    await door.as_admin("POST", "/api/usage/alerts", team_id=team_id, kind="usage", metric="api_calls",
                        threshold_value="100", name=f"limit of {team_id}")  # fmt: skip


async def _events(door: Door, team_id: str) -> None:
    events = (await door.as_admin("GET", f"/api/usage/events?team_id={team_id}"))["data"]
    await door.as_admin("POST", f"/api/usage/events/{events[0]['id']}/void", reason=f"{team_id} asked")
    broken = {"team_id": team_id, "event_name": "api_call", "quantity": f"{team_id} many"}
    answer = await door.admin.post("/api/usage/track", content=json.dumps([broken]))
    assert answer.json()["rejected"] == 1
    [letter, *_] = (await door.as_admin("GET", f"/api/usage/dead-letters?team_id={team_id}"))["data"]
    repaired = {"team_id": team_id, "event_name": "api_call", "quantity": "1"}
    answer = await door.admin.patch(f"/api/usage/dead-letters/{letter['id']}", json={"event": repaired})
    assert answer.is_success, answer.text
