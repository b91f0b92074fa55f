"""`/api/usage` over HTTP: tracking, the event log, corrections and dead letters, and who may do what."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.http.principal import Scope
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

EVENT = {"team_id": "acme", "event_name": "api_call", "quantity": "2.5", "idempotency_key": "k"}


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.team("acme")
        await house.team("globex")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


async def track(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(
        "/api/usage/track", content=content, headers={"Content-Type": "application/json"} | headers
    )


async def usage(client: httpx.AsyncClient, team: str = "acme") -> str:
    report = (await client.get("/api/usage/report", params={"team_id": team, "metric": "api_calls"})).json()
    return str(report["metrics"][0]["current_period"]["usage"])


async def test_one_event_is_stored_and_counted(client: httpx.AsyncClient) -> None:
    answer = await track(client, EVENT)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "duplicates": 0, "rejected": 0, "errors": []})
    assert (await track(client, EVENT)).json() == {"accepted": 0, "duplicates": 1, "rejected": 0, "errors": []}
    assert await usage(client) == "2.5"


async def test_a_key_is_made_and_returned_for_an_event_without_one(client: httpx.AsyncClient) -> None:
    (made,) = (await track(client, [EVENT, {**EVENT, "idempotency_key": None}])).json()["idempotency_keys"]
    assert made["index"] == 1
    again = await track(client, {**EVENT, "idempotency_key": made["idempotency_key"]})
    assert again.json()["duplicates"] == 1


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/json", "text/plain"])
async def test_ndjson_and_gzip_are_understood(client: httpx.AsyncClient, media_type: str) -> None:
    lines = "\n".join(json.dumps({**EVENT, "idempotency_key": f"k{i}"}) for i in range(10)) + "\n\n"
    headers = {"Content-Type": media_type, "Content-Encoding": "gzip"}
    answer = await track(client, gzip.compress(lines.encode()), **headers)
    assert answer.json()["accepted"] == 10


async def test_a_bad_line_of_ndjson_is_rejected_alone(client: httpx.AsyncClient) -> None:
    body = b'%b\n{"team_id": \n%b\n' % (
        json.dumps(EVENT).encode(),
        json.dumps({**EVENT, "idempotency_key": "l"}).encode(),
    )
    answer = (await track(client, body, **{"Content-Type": "application/x-ndjson"})).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    assert answer["errors"][0] | {"message": ""} == {"index": 1, "field": None, "code": "malformed_json", "message": ""}


async def test_when_every_event_is_rejected_the_answer_is_a_problem_with_all_of_them(client: httpx.AsyncClient) -> None:
    answer = await track(client, [{**EVENT, "quantity": "x"}, {**EVENT, "team_id": "?"}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["accepted"], problem["rejected"], problem["code"]) == (0, 2, "invalid_quantity")
    assert [error["code"] for error in problem["errors"]] == ["invalid_quantity", "unknown_team"]


async def test_a_duplicate_with_other_content_is_no_failure_and_says_so(client: httpx.AsyncClient) -> None:
    await track(client, EVENT)
    answer = await track(client, {**EVENT, "quantity": 3})
    assert answer.status_code == 200
    assert [error["code"] for error in answer.json()["errors"]] == ["conflict"]
    assert await usage(client) == "2.5"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"[" * 50_000, 400), (json.dumps([EVENT] * 10_001).encode(), 413)],
)
async def test_a_body_that_can_not_be_read_is_refused(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await track(client, body)
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_ten_thousand_events_with_a_bad_one_are_one_short(client: httpx.AsyncClient) -> None:
    events = [{**EVENT, "quantity": 1, "idempotency_key": f"k{i}"} for i in range(10_000)]
    events[4711]["quantity"] = "NaN"
    answer = (await track(client, events)).json()
    assert (answer["accepted"], answer["rejected"], answer["errors"][0]["index"]) == (9_999, 1, 4711)
    assert await usage(client) == "9999"


async def test_a_key_for_one_team_can_not_write_for_another(house: House, client: httpx.AsyncClient) -> None:
    async with calling(house, Scope.INGEST, "acme") as bound:
        answer = (await track(bound, [EVENT, {**EVENT, "team_id": "globex"}])).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert answer["errors"][0]["code"] == "forbidden_team"
    assert await usage(client, "globex") == "0"


async def test_a_key_for_one_team_sees_that_team_s_events_alone(house: House, client: httpx.AsyncClient) -> None:
    await track(client, [EVENT, {**EVENT, "team_id": "globex"}])
    everything = (await client.get("/api/usage/events")).json()["data"]
    other = next(event for event in everything if event["team_id"] == "globex")
    async with calling(house, Scope.READ, "acme") as bound:
        seen = (await bound.get("/api/usage/events")).json()["data"]
        assert [event["team_id"] for event in seen] == ["acme"]
        assert (await bound.get("/api/usage/events", params={"team_id": "globex"})).status_code == 403
        assert (await bound.get(f"/api/usage/events/{other['id']}")).status_code == 404


async def test_events_are_listed_newest_first_page_by_page(client: httpx.AsyncClient) -> None:
    at = [f"2026-03-{day:02}T00:00:00Z" for day in range(1, 13)]
    await track(client, [{**EVENT, "idempotency_key": t, "timestamp": t, "metadata": {"n": 0.10}} for t in at])
    seen, cursor = [], None
    while True:
        query = {
            "team_id": "acme",
            "limit": "5",
            "from": "2026-03-02T00:00:00Z",
            **({"cursor": cursor} if cursor else {}),
        }
        page = (await client.get("/api/usage/events", params=query)).json()
        seen += [event["occurred_at"] for event in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == at[:0:-1]
    assert (await client.get("/api/usage/events", params={"metadata": "n=0.1"})).json()["data"]
    assert (await client.get("/api/usage/events", params={"cursor": "x"})).status_code == 422
    assert (await client.get("/api/usage/events", params={"from": "x"})).json()["field"] == "from"


async def test_void_and_amend_change_usage_and_keep_what_was_recorded(client: httpx.AsyncClient) -> None:
    await track(client, [EVENT, {**EVENT, "idempotency_key": "other"}])
    first, second = (await client.get("/api/usage/events")).json()["data"]
    amended = await client.post(
        f"/api/usage/events/{first['id']}/amend",
        content=b'{"reason": "typo", "quantity": 0.100000000000000055, "metadata": {"region": "eu"}}',
        headers={"Content-Type": "application/json"},
    )
    assert amended.status_code == 200
    assert amended.json()["replacement"]["quantity"] == "0.100000000000000055"
    assert amended.json()["actor"].startswith("key:")
    assert (await client.post(f"/api/usage/events/{second['id']}/void", json={"reason": "test"})).status_code == 200
    assert await usage(client) == "0.100000000000000055"
    stored = (await client.get(f"/api/usage/events/{first['id']}")).json()
    assert (stored["quantity"], stored["correction"]) == ("2.5", "amend")
    again = await client.post(f"/api/usage/events/{second['id']}/amend", json={"reason": "x", "quantity": 1})
    assert again.status_code == 409
    assert (await client.post(f"/api/usage/events/{first['id']}/amend", json={"reason": "x"})).status_code == 422
    assert (await client.post(f"/api/usage/events/{first['id']}/void", json={})).status_code == 422
    nobody = first["id"].replace(first["id"][0], "0" if first["id"][0] != "0" else "1")
    assert (await client.post(f"/api/usage/events/{nobody}/void", json={"reason": "x"})).status_code == 404


async def test_only_an_administrator_corrects_events(house: House, client: httpx.AsyncClient) -> None:
    await track(client, EVENT)
    (event,) = (await client.get("/api/usage/events")).json()["data"]
    async with calling(house, Scope.INGEST, "acme") as bound:
        assert (await bound.post(f"/api/usage/events/{event['id']}/void", json={"reason": "x"})).status_code == 403
    assert await usage(client) == "2.5"


async def test_a_dead_letter_is_listed_repaired_and_replayed(house: House, client: httpx.AsyncClient) -> None:
    await track(client, [EVENT, {**EVENT, "idempotency_key": "bad", "quantity": "x"}])
    page = (await client.get("/api/usage/dead-letters")).json()
    (letter,) = page["data"]
    assert (page["waiting"], letter["code"], json.loads(letter["body"])["quantity"]) == (
        {"invalid_quantity": 1}, "invalid_quantity", "x",
    )  # fmt: skip
    url = f"/api/usage/dead-letters/{letter['id']}"
    refused = (await client.post(f"{url}/replay", json={})).json()
    assert (refused["taken"], refused["errors"][0]["field"]) == (False, "quantity")
    repaired = {**EVENT, "idempotency_key": "bad", "quantity": 1}
    async with calling(house, Scope.INGEST, "acme") as bound:
        assert (await bound.post(f"{url}/replay", json={"event": repaired})).status_code == 403
    taken = (await client.post(f"{url}/replay", json={"event": repaired})).json()
    assert taken["taken"]
    assert taken["letter"]["replayed_as"]
    assert await usage(client) == "3.5"
    assert (await client.post(f"{url}/replay", json={})).status_code == 409
    assert (await client.get("/api/usage/dead-letters")).json()["data"] == []
    assert (await client.get("/api/usage/dead-letters/99999")).status_code == 404
