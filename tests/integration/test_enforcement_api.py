"""`/api/usage/check`, `/reservations`, `/limits` and `/throttles` over HTTP: answers, headers, and who may do what."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.enforcement.counters import FRESH
from tallystick.http.keys import service as keys
from tallystick.http.principal import Scope
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened
from tests.integration.enforcement_setup import unanswered

CHECK = {"team_id": "acme", "metric": "api_calls"}
LIMIT = {**CHECK, "type": "hard", "limit": "10.5"}


@pytest.fixture
async def house(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("TALLYSTICK_CHECK_PATIENCE_SECONDS", "60")
    async with opened(database, clock) as house:
        await house.team("acme")
        await house.team("globex")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        assert (await client.put("/api/usage/limits", json=LIMIT)).status_code == 200
        yield client


async def ask(client: httpx.AsyncClient, **sent: Any) -> dict[str, Any]:
    answer = await client.post("/api/usage/check", json=CHECK | sent)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_check_says_what_is_left_and_when_it_starts_over(house: House, client: httpx.AsyncClient) -> None:
    await house.use(3)
    answer = await client.post("/api/usage/check", json={**CHECK, "quantity": "7.5"})
    assert answer.json() == {
        "allowed": True,
        "reason": None,
        "team_id": "acme",
        "metric": "api_calls",
        "quantity": "7.5",
        "limit": "10.5",
        "type": "hard",
        "used": "3",
        "reserved": "0",
        "remaining": "7.5",
        "resets_at": "2026-04-01T00:00:00Z",
        "retry_at": None,
    }
    assert {name: value for name, value in answer.headers.items() if "ratelimit" in name} == {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "7",
        "x-ratelimit-reset": "1775001600",
        "ratelimit-policy": '"api_calls";q=10;w=2678400',
        "ratelimit": '"api_calls";r=7;t=1425600',
    }


async def test_a_throttled_team_without_a_limit_has_headers_that_say_so(client: httpx.AsyncClient) -> None:
    unlimited = {"team_id": "globex", "metric": "api_calls"}
    free = await client.post("/api/usage/check", json=unlimited)
    assert not [name for name in free.headers if "ratelimit" in name]
    await client.put("/api/usage/throttles", json={"team_id": "globex"})
    stopped = await client.post("/api/usage/check", json=unlimited)
    assert {name: value for name, value in stopped.headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-reason": "throttled",
        "x-ratelimit-limit": "0",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1775001600",
    }


async def test_what_does_not_exist_is_404_and_documented(client: httpx.AsyncClient) -> None:
    nobody = {"team_id": "nobody", "metric": "api_calls"}
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path in ("/api/usage/check", "/api/usage/reservations"):
        assert (await client.post(path, json=nobody)).status_code == 404
        assert (await client.post(path, json={**CHECK, "metric": "nothing"})).status_code == 404
        assert "404" in paths[path]["post"]["responses"]
    assert (await client.get("/api/usage/check", params=nobody)).status_code == 404
    assert "404" in paths["/api/usage/check"]["get"]["responses"]
    assert {"404", "409"} <= paths["/api/usage/reservations/{reservation_id}/commit"]["post"]["responses"].keys()


async def test_a_gateway_can_look_at_the_status_alone(house: House, client: httpx.AsyncClient) -> None:
    await house.use(10)
    assert (await client.get("/api/usage/check", params={**CHECK, "quantity": "0.5"})).status_code == 200
    refused = await client.get("/api/usage/check", params=CHECK)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1425600")
    assert (refused.json()["allowed"], refused.json()["reason"]) == (False, "hard_limit")
    for status in ("403", "401"):
        assert (await client.get("/api/usage/check", params={**CHECK, "deny": status})).status_code == int(status)


async def test_an_event_is_in_the_check_that_follows_its_answer(client: httpx.AsyncClient) -> None:
    for number in range(1, 11):
        await client.post("/api/usage/track", json={"team_id": "acme", "event_name": "api_call", "quantity": 1})
        assert (await ask(client))["used"] == str(number)
    assert (await ask(client))["allowed"] is False


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        ({"quantity": "many"}, 422, "quantity"),
        ({"quantity": -1}, 422, "quantity"),
        ({"quantity": "NaN"}, 422, "quantity"),
        ({"quantity": "1e30"}, 422, "quantity"),
        ({"quantity": None}, 422, "quantity"),
        ({"quantity": {}}, 422, "quantity"),
        ({"team_id": ""}, 422, "team_id"),
        ({"team_id": "a\x00b"}, 422, "team_id"),
        ({"metric": "x" * 256}, 422, "metric"),
        ({"metric": 5}, 422, None),
        ({"colour": "red"}, 422, None),
        ({"team_id": "nobody"}, 404, None),
        ({"metric": "nothing"}, 404, None),
        ({"metric": "peak"}, 422, "metric"),
    ],
)
async def test_a_wrong_check_is_refused_precisely(
    client: httpx.AsyncClient, sent: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await client.post("/api/usage/check", json=CHECK | sent)
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 10_000])
@pytest.mark.parametrize("path", ["check", "reservations"])
async def test_a_body_that_is_no_request_is_refused(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    assert (await client.post(f"/api/usage/{path}", content=body)).status_code in (400, 422)


async def test_reserve_commit_and_release(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/usage/reservations", json={**CHECK, "quantity": 8, "expires_in": 30})
    assert made.status_code == 201
    reservation = made.json()["reservation"]
    assert (reservation["state"], reservation["holds_until"]) == ("held", "2026-03-15T12:00:30Z")
    assert (await ask(client))["reserved"] == "8"
    refused = await client.post("/api/usage/reservations", json={**CHECK, "quantity": 3})
    assert (refused.status_code, refused.json()["reservation"], refused.json()["allowed"]) == (200, None, False)
    place = f"/api/usage/reservations/{reservation['id']}"
    sent = {"events": [{"event_name": "api_call", "quantity": "5.25"}]}
    for accepted in (1, 0):
        done = (await client.post(f"{place}/commit", json=sent)).json()
        assert (done["accepted"], done["reservation"]["state"]) == (accepted, "settled")
    assert await ask(client) == (await ask(client)) | {"used": "5.25", "reserved": "0", "remaining": "5.25"}
    assert (await client.post(f"{place}/release")).status_code == 409
    other = (await client.post("/api/usage/reservations", json=CHECK)).json()["reservation"]["id"]
    assert (await client.post(f"/api/usage/reservations/{other}/release")).json()["state"] == "released"
    listed = (await client.get("/api/usage/reservations", params={"limit": 1})).json()
    rest = (await client.get("/api/usage/reservations", params={"cursor": listed["next_cursor"]})).json()
    assert {each["id"] for each in listed["data"] + rest["data"]} == {reservation["id"], other}
    assert (await client.get(f"/api/usage/reservations/{other}")).json()["quantity"] == "1"
    assert (await client.get("/api/usage/reservations?waiting=true")).json()["data"] == []


@pytest.mark.parametrize(
    "sent", [{"quantity": 0}, {"expires_in": 0}, {"expires_in": 86_401}, {"reference": ""}, {"idempotency_keys": [""]}]
)
async def test_a_wrong_reservation_is_refused(client: httpx.AsyncClient, sent: dict[str, Any]) -> None:
    answer = await client.post("/api/usage/reservations", json=CHECK | sent)
    assert (answer.status_code, answer.json()["field"]) == (422, next(iter(sent)))


async def test_a_commit_that_can_not_be_is_refused_and_changes_nothing(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/usage/reservations", json=CHECK)).json()["reservation"]["id"]
    place = f"/api/usage/reservations/{made}/commit"
    event = {"event_name": "api_call"}
    for sent in ({}, {"events": [event], "idempotency_keys": ["k"]}, {"events": [{**event, "team_id": "globex"}]}):
        assert (await client.post(place, json=sent)).status_code == 422
    bad = await client.post(place, json={"events": [{**event, "quantity": "x"}]})
    assert (bad.status_code, bad.json()["reservation"]["state"]) == (422, "held")
    for unknown in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        answer = await client.post(f"/api/usage/reservations/{unknown}/commit", json={"events": [event]})
        assert answer.status_code == 404


async def test_limits_are_set_listed_and_removed(client: httpx.AsyncClient) -> None:
    changed = (await client.put("/api/usage/limits", json={**LIMIT, "limit": "3"})).json()
    plan = (
        await client.put("/api/usage/limits", json={"plan": "standard", "metric": "api_calls", "limit": "9"})
    ).json()
    listed = (await client.get("/api/usage/limits")).json()["data"]
    assert [(each["id"], each["limit"]) for each in listed] == [(changed["id"], "3"), (plan["id"], "9")]
    assert (await client.get("/api/usage/limits", params={"plan": "standard"})).json()["data"] == [plan]
    assert (await ask(client))["limit"] == "3"
    assert (await client.delete(f"/api/usage/limits/{changed['id']}")).status_code == 204
    assert (await ask(client))["limit"] == "9"
    assert (await client.get(f"/api/usage/limits/{changed['id']}")).status_code == 404
    assert (await client.delete(f"/api/usage/limits/{changed['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"team_id": None}, 422),
        ({"plan": "standard"}, 422),
        ({"team_id": None, "plan": "standard", "limit": None}, 422),
        ({"limit": "-1"}, 422),
        ({"limit": "many"}, 422),
        ({"limit": 5}, 422),
        ({"metric": "peak"}, 422),
        ({"type": "firm"}, 422),
        ({"metric": "nothing"}, 404),
        ({"team_id": "nobody"}, 404),
        ({"team_id": None, "plan": "none"}, 404),
    ],
)
async def test_a_wrong_limit_is_refused(client: httpx.AsyncClient, sent: dict[str, Any], status: int) -> None:
    assert (await client.put("/api/usage/limits", json=LIMIT | sent)).status_code == status


async def test_what_checks_answer_without_the_database_is_set_by_metric(client: httpx.AsyncClient) -> None:
    said = {"when_unavailable": "closed"}
    assert (await client.put("/api/usage/limits/policies/api_calls", json=said)).status_code == 200
    listed = (await client.get("/api/usage/limits/policies")).json()["data"]
    assert {each["metric"]: each["when_unavailable"] for each in listed} == {
        "api_calls": "closed",
        "latency": "open",
        "peak": "open",
    }
    assert (await client.put("/api/usage/limits/policies/nothing", json=said)).status_code == 404


async def test_a_gateway_is_answered_while_the_database_hangs(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask(client))["allowed"]
    monkeypatch.setattr(keys, "REMEMBERED", 0.0)
    monkeypatch.setattr(keys, "PATIENCE", 0.05)
    monkeypatch.setattr(cast(Any, client._transport).app.state.enforcement, "_patience", 0.05)
    async with unanswered(database, "api_keys"):
        await asyncio.sleep(2 * FRESH)  # what was read before is out of date by then
        verdict = await ask(client)
        reserved = await client.post("/api/usage/reservations", json=CHECK)
    assert (verdict["allowed"], verdict["reason"]) == (True, "unavailable")
    assert (reserved.status_code, reserved.json()["reservation"]) == (200, None)


async def test_a_throttle_is_set_seen_and_ended(client: httpx.AsyncClient) -> None:
    stop = {"team_id": "acme", "until": "2026-03-15T13:00:00+01:00", "cause": "abuse"}
    assert (await client.put("/api/usage/throttles", json=stop)).json()["data"] == []  # it is over by now
    stop["until"] = "2026-03-15T14:00:00+01:00"
    assert (await client.put("/api/usage/throttles", json=stop)).json()["data"] == [
        {
            "team_id": "acme",
            "metric": None,
            "cause": "abuse",
            "since": "2026-03-15T12:00:00Z",
            "until": "2026-03-15T13:00:00Z",
        }
    ]
    refused = await client.get("/api/usage/check", params=CHECK)
    assert (refused.status_code, refused.json()["reason"], refused.headers["retry-after"]) == (429, "throttled", "3600")
    assert {name: value for name, value in refused.headers.items() if "ratelimit" in name} == {
        "x-ratelimit-reason": "throttled",
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1773579600",
        "ratelimit-policy": '"api_calls";q=10;w=2678400',
        "ratelimit": '"api_calls";r=0;t=3600',
    }
    ended = await client.delete("/api/usage/throttles", params={"team_id": "acme", "cause": "abuse"})
    assert (ended.json(), (await ask(client))["allowed"]) == ({"data": []}, True)
    assert (await client.put("/api/usage/throttles", json={"team_id": "nobody"})).status_code == 404


async def test_a_key_for_one_team_asks_about_that_team_alone(house: House, client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/usage/reservations", json={**CHECK, "team_id": "globex"})).json()["reservation"]
    async with calling(house, Scope.INGEST, "acme") as bound:
        assert (await bound.post("/api/usage/check", json=CHECK)).status_code == 200
        assert (await bound.post("/api/usage/check", json={**CHECK, "team_id": "globex"})).status_code == 403
        for what in ("commit", "release"):
            sent = {"events": [{"event_name": "api_call"}]}
            answer = await bound.post(f"/api/usage/reservations/{made['id']}/{what}", json=sent)
            assert answer.status_code == 403
    async with calling(house, Scope.READ, "acme") as bound:
        assert (await bound.get("/api/usage/reservations")).json()["data"] == []
        assert (await bound.get(f"/api/usage/reservations/{made['id']}")).status_code == 403
        assert (await bound.get("/api/usage/throttles", params={"team_id": "globex"})).status_code == 403
        assert (await bound.post("/api/usage/check", json=CHECK)).status_code == 403
        assert (await bound.put("/api/usage/limits", json=LIMIT)).status_code == 403
