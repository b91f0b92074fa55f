"""The event log over HTTP: its filters, orders and pages, the files it is exported to, and the trace of one event."""

import csv
import json
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.http.principal import Scope
from tallystick.metering import event_log
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

EVENTS = "/api/usage/events"


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.team("acme")
        await house.team("globex")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Twelve events of two teams, one a request; what is recorded later happened earlier."""
    for number in range(12):
        await house.use(
            number,
            f"2026-03-05T{23 - number:02}:00:00Z",
            team_id=("acme", "globex")[number % 2],
            event_name=("api_call", "load", "=1+1")[number % 3],
            user_id=f"User-{number % 5}",
            metadata={"region": ("eu", "us")[number % 2], "note": f"100%_{number}"},
            idempotency_key=f"key-{number}",
        )
    async with calling(house) as client:
        yield client


async def walk(client: httpx.AsyncClient, **query: Any) -> list[str]:
    """The keys of all pages, in their order."""
    keys: list[str] = []
    while True:
        answer = (await client.get(EVENTS, params=query)).raise_for_status().json()
        keys += [event["idempotency_key"].removeprefix("key-") for event in answer["data"]]
        if answer["next_cursor"] is None:
            assert answer["looked_to"] is None
            return keys
        query["cursor"] = answer["next_cursor"]


ASKED: list[tuple[dict[str, Any], str]] = [
    ({}, "11 10 9 8 7 6 5 4 3 2 1 0"),
    ({"sort": "recorded_at"}, "0 1 2 3 4 5 6 7 8 9 10 11"),
    ({"team_id": "acme"}, "0 2 4 6 8 10"),
    ({"team_id": "acme", "sort": "occurred_at"}, "10 8 6 4 2 0"),
    ({"team_id": "acme", "sort": "-recorded_at"}, "10 8 6 4 2 0"),
    ({"team_id": "acme", "sort": "recorded_at", "event_name": "load"}, "4 10"),
    ({"user_id": "User-2"}, "7 2"),
    ({"metadata": ["region=us", "note=100%_3"]}, "3"),
    ({"from": "2026-03-05T20:00:00Z", "to": "2026-03-05T22:00:00Z"}, "3 2"),
    ({"team_id": "acme", "from": "2026-03-05T19:00:00Z"}, "0 2 4"),
    ({"team_id": "acme", "idempotency_key": "key-4"}, "4"),
    ({"team_id": "globex", "idempotency_key": "key-4"}, ""),
    ({"team_id": "acme", "idempotency_key": "key-4", "event_name": "api_call"}, ""),
    ({"idempotency_key": "key-4"}, "4"),
    ({"search": "uSER-4"}, "9 4"),
    ({"search": "KEY-1"}, "11 10 1"),
    ({"search": "%_1"}, "11 10 1"),
    ({"search": "0%_2", "team_id": "acme"}, "2"),
    ({"search": "\\"}, ""),
    ({"search": "1+1"}, "11 8 5 2"),
    ({"metric": "api_calls"}, "9 6 3 0"),
    ({"metric": "peak", "team_id": "acme"}, "4 10"),
    ({"corrected": "true"}, ""),
]


async def test_whatever_is_asked_for_comes_once_and_in_order(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query, keys in ASKED:
        assert await walk(client, **query) == keys.split(), query
    monkeypatch.setattr(event_log, "LOOKED_AT", 3)
    monkeypatch.setattr(event_log, "SEARCHED", 2)
    for query, keys in ASKED:
        for limit in (1, 4):
            assert await walk(client, **query, limit=limit) == keys.split(), (query, limit)


async def test_a_page_that_ends_early_says_how_far_was_looked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "LOOKED_AT", 3)
    page = (await client.get(EVENTS, params={"team_id": "acme", "event_name": "load"})).json()
    assert ([event["idempotency_key"] for event in page["data"]], page["looked_to"]) == (
        ["key-4"],
        "2026-03-05T19:00:00Z",
    )


async def test_what_does_not_fit_is_told(client: httpx.AsyncClient) -> None:
    for query, field in [
        ({"sort": "occurred_at"}, "sort"),
        ({"sort": "quantity"}, "sort"),
        ({"search": ""}, "search"),
        ({"format": "csv"}, "format"),
    ]:
        answer = await client.get(EVENTS, params=query)
        assert (answer.status_code, answer.json()["field"]) == (422, field), query
    cursor = (await client.get(EVENTS, params={"limit": 1})).json()["next_cursor"]
    assert (await client.get(EVENTS, params={"cursor": cursor, "team_id": "acme"})).status_code == 422
    assert (await client.get(EVENTS, params={"metric": "nothing"})).status_code == 404
    assert (await client.get(f"{EVENTS}/export", params={"sort": "occurred_at"})).status_code == 422
    assert (await client.get(f"{EVENTS}/export", params={"metric": "nothing"})).status_code == 404


async def test_a_key_finds_what_was_put_in_the_place_of_its_event(client: httpx.AsyncClient) -> None:
    query = {"team_id": "acme", "idempotency_key": "key-4"}
    (event,) = (await client.get(EVENTS, params=query)).json()["data"]
    await client.post(f"{EVENTS}/{event['id']}/amend", json={"reason": "twice", "quantity": "2"})
    found = (await client.get(EVENTS, params=query)).json()["data"]
    assert {(each["quantity"], each["correction"]) for each in found} == {("4", "amend"), ("2", None)}
    assert await walk(client, corrected="true") == ["4"]


async def test_ndjson_has_what_the_listing_answers(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "EXPORTED_AT_ONCE", 2)
    for query in ({}, {"team_id": "acme", "sort": "occurred_at"}, {"search": "user-1"}):
        listed = (await client.get(EVENTS, params=query)).json()["data"]
        answer = await client.get(f"{EVENTS}/export", params={**query, "format": "ndjson"})
        assert [json.loads(line) for line in answer.text.splitlines()] == listed
        assert answer.headers["content-disposition"] == 'attachment; filename="usage-events.ndjson"'


async def test_csv_has_the_columns_that_were_chosen_and_runs_no_formula(client: httpx.AsyncClient) -> None:
    query = {"team_id": "globex", "columns": ["quantity", "event_name", "metadata", "user_id"], "format": "csv"}
    answer = await client.get(f"{EVENTS}/export", params=query)
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert list(rows[0]) == ["event_name", "user_id", "quantity", "metadata"]
    assert rows[2]["event_name"] == "'=1+1"
    assert [row["quantity"] for row in rows] == ["1", "3", "5", "7", "9", "11"]
    assert json.loads(rows[1]["metadata"]) == {"region": "us", "note": "100%_3"}


async def test_nothing_makes_an_empty_file(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{EVENTS}/export", params={"search": "nowhere", "columns": ["id"]})
    assert (answer.status_code, answer.text) == (200, "id\r\n")


async def test_a_key_for_one_team_exports_and_traces_that_team_alone(house: House, client: httpx.AsyncClient) -> None:
    other = (await client.get(EVENTS, params={"team_id": "globex"})).json()["data"][0]["id"]
    async with calling(house, Scope.READ, team_id="acme") as bound:
        lines = (await bound.get(f"{EVENTS}/export", params={"format": "ndjson"})).text.splitlines()
        assert {json.loads(line)["team_id"] for line in lines} == {"acme"}
        assert (await bound.get(f"{EVENTS}/export", params={"team_id": "globex"})).status_code == 403
        assert (await bound.get(f"{EVENTS}/{other}/trace")).status_code == 404


async def test_a_trace_tells_what_became_of_an_event(house: House, client: httpx.AsyncClient) -> None:
    (event,) = (await client.get(EVENTS, params={"team_id": "acme", "idempotency_key": "key-6"})).json()["data"]
    trace = (await client.get(f"{EVENTS}/{event['id']}/trace")).json()
    assert trace["event"] == event
    assert trace["counted"] == [
        {"metric": "api_calls", "dimensions": {"region": "eu"}, "value": "6", "rollup": None},
    ]
    await house.metering.store.roll_up(house.clock.now())
    rolled = (await client.get(f"{EVENTS}/{event['id']}/trace")).json()
    hour = {"start": "2026-03-05T17:00:00Z", "end": "2026-03-05T18:00:00Z", "events": 1, "total": "6"}
    assert rolled["counted"][0]["rollup"] == hour
    await client.post(f"{EVENTS}/{event['id']}/void", json={"reason": "a test"})
    voided = (await client.get(f"{EVENTS}/{event['id']}/trace")).json()
    assert (voided["counted"], voided["correction"]["reason"]) == ([], "a test")
    assert [moment["what"].split(" by")[0] for moment in voided["timeline"]] == [
        "happened", "recorded", "rolled up", "voided",
    ]  # fmt: skip
    assert (await client.get(f"{EVENTS}/{'0' * 32}/trace")).status_code == 404
