"""Events that a metric counts but finds no value in: they can be seen, and count once the metric is corrected."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tallystick.core.clock import Interval, ManualClock
from tallystick.http.principal import Scope
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened
from tests.integration.test_server import environment, tallystick

MARCH = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))

CATALOGUE = """
version: 1
currency: USD
metrics:
  bandwidth: {event: download, aggregation: sum, unit: byte, value: metadata.size}
  visitors: {event: visit, aggregation: unique_count, unit: visitor, value: user_id}
  load: {event: load, aggregation: max, unit: core}
"""
REPLACED = CATALOGUE.replace("metadata.size", "metadata.bytes, effective_from: 2026-03-01T00:00:00Z")
IN_PLACE = CATALOGUE.replace("metadata.size", "metadata.bytes, effective_from: 2020-01-01T00:00:00Z")
FIRST = IN_PLACE.replace("metadata.bytes", "metadata.size")
"""As the catalogue, but named by an instant, so that it can be corrected in place."""


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.apply(CATALOGUE)
        for team in ("acme", "globex"):
            await house.team(team, plan=None)
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


async def download(house: House, **metadata: Any) -> None:
    await house.use(event_name="download", metadata=metadata)


async def roll_up(house: House) -> None:
    while (await house.metering.store.roll_up(house.clock.now())).more:
        pass


async def usage(client: httpx.AsyncClient, metric: str = "bandwidth") -> tuple[Decimal, int]:
    report = (await client.get("/api/usage/report", params={"team_id": "acme", "metric": metric})).json()
    current = report["metrics"][0]["current_period"]
    return Decimal(current["usage"]), current["unvalued"]


async def listed(client: httpx.AsyncClient, metric: str = "bandwidth", **params: str) -> list[str]:
    page = await client.get(f"/api/usage/unvalued/{metric}", params={"team_id": "acme", **params})
    assert page.status_code == 200, page.text
    return [each["problem"] for each in page.json()["data"]]


async def nothing(_: House) -> None:
    """Leave the events to the tail."""


@pytest.mark.parametrize("before", [nothing, roll_up])
@pytest.mark.parametrize(("first", "corrected"), [(CATALOGUE, REPLACED), (FIRST, IN_PLACE)])
async def test_events_without_a_value_count_in_their_period_once_the_metric_is_corrected(
    house: House, client: httpx.AsyncClient, before: Callable[[House], Any], first: str, corrected: str
) -> None:
    await house.apply(first)
    await download(house, bytes=100)
    await download(house, bytes="20.5")
    await download(house, byte=1)
    await before(house)
    assert await usage(client) == (Decimal(0), 3)
    await house.apply(corrected)
    assert await usage(client) == (Decimal("120.5"), 1)  # at once, before any roll-up
    await roll_up(house)
    assert await usage(client) == (Decimal("120.5"), 1)
    assert await listed(client) == ["metadata has no bytes"]
    ((from_raw,),) = await house.metering.usage.read([UsageQuestion("bandwidth", "acme", [MARCH], raw=True)])
    assert (from_raw.quantity, from_raw.unvalued) == (Decimal("120.5"), 1)


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({}, "metadata has no size"),
        ({"size": None}, "metadata has no size"),
        ({"size": "12 MB"}, "metadata.size is 12 MB, which is no number below 10^20 with at most 18 decimals"),
        ({"size": True}, "metadata.size is true, which is no number"),
        ({"size": [1]}, "metadata.size is [1], which is no number"),
        ({"size": "1e25"}, "metadata.size is 1e25, which is no number below 10^20"),
        ({"size": -4}, "metadata.size is -4, which is negative; the metric does not allow that"),
        ({"size": "x\x1b[31m"}, r"metadata.size is x\u001b[31m, which is no number"),
    ],
)
async def test_why_an_event_has_no_value_is_said(
    house: House, client: httpx.AsyncClient, metadata: dict[str, Any], problem: str
) -> None:
    await download(house, **metadata)
    (said,) = await listed(client)
    assert said.startswith(problem)


async def test_units_and_missing_users_are_reasons_too(house: House, client: httpx.AsyncClient) -> None:
    await house.use(event_name="visit")
    await house.use(event_name="visit", user_id="u")
    assert await listed(client, "visitors") == ["it has no user_id"]


async def test_they_are_listed_page_by_page_newest_first(house: House, client: httpx.AsyncClient) -> None:
    for hour in range(5):
        for minute in range(3):
            await house.use(event_name="download", at=f"2026-03-05T0{hour}:0{minute}:00Z")
            await house.use(event_name="download", at=f"2026-03-05T0{hour}:1{minute}:00Z", metadata={"size": 1})
    found: list[str] = []
    params = {"team_id": "acme", "limit": "4"}
    while True:
        page = (await client.get("/api/usage/unvalued/bandwidth", params=params)).json()
        found += [each["event"]["occurred_at"] for each in page["data"]]
        assert len(page["data"]) <= 4
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == sorted(
        (f"2026-03-05T0{hour}:0{minute}:00Z" for hour in range(5) for minute in range(3)), reverse=True
    )


async def test_a_voided_event_is_not_among_them_and_neither_is_one_outside_the_interval(
    house: House, client: httpx.AsyncClient
) -> None:
    await download(house)
    (event,) = (await client.get("/api/usage/events")).json()["data"]
    assert await listed(client, **{"from": "2026-03-05T00:00:01Z"}) == []
    assert len(await listed(client, **{"from": "2026-03-05T00:00:00Z", "to": "2026-03-05T00:00:01Z"})) == 1
    await client.post(f"/api/usage/events/{event['id']}/void", json={"reason": "x"})
    assert await listed(client) == []


async def test_they_are_counted_by_metric_and_team(house: House, client: httpx.AsyncClient) -> None:
    await download(house)
    await download(house, size=1)
    for _ in range(2):
        await house.use(event_name="visit", team_id="globex")
    await roll_up(house)
    counted = (await client.get("/api/usage/unvalued")).json()["data"]
    assert [tuple(each.values()) for each in counted] == [("visitors", "globex", 2, 2), ("bandwidth", "acme", 1, 2)]
    async with calling(house, Scope.READ, "acme") as own:
        assert [each["team_id"] for each in (await own.get("/api/usage/unvalued")).json()["data"]] == ["acme"]
        assert (await own.get("/api/usage/unvalued/visitors", params={"team_id": "globex"})).status_code == 403


async def test_what_can_not_be_asked_is_said(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/usage/unvalued/nothing", params={"team_id": "acme"})).status_code == 404
    assert (await client.get("/api/usage/unvalued/bandwidth")).status_code == 422
    long_ago = {"team_id": "acme", "from": "2001-01-01T00:00:00Z"}
    assert (await client.get("/api/usage/unvalued/bandwidth", params=long_ago)).status_code == 422
    assert (
        await client.get("/api/usage/unvalued/bandwidth", params={"team_id": "a", "cursor": "x"})
    ).status_code == 422


async def test_they_are_counted_and_listed_on_the_command_line(house: House, database_url: str) -> None:
    await download(house, size="12 MB")
    await roll_up(house)
    env, march = environment(database_url), ("--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z")
    counted = tallystick("unvalued", "--json", *march, env=env)
    assert json.loads(counted.stdout) == {"metric": "bandwidth", "team_id": "acme", "unvalued": 1, "events": 1}
    listed = tallystick("unvalued", "bandwidth", "--team", "acme", *march, env=env)
    assert "metadata.size is 12 MB, which is no number" in listed.stdout
    assert tallystick("unvalued", "bandwidth", env=env).stderr == "error: say whose events with --team\n"
