"""CloudEvents at `POST /api/v1/events`: what producers made for OpenMeter send is metered, once and exactly."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.http.principal import Scope
from tallystick.integrations.openmeter.cloudevents import idempotency_key
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "my-app",
    "type": "api_call",
    "subject": "acme",
    "time": "2026-03-05T08:00:00.123456789Z",
    "data": {"region": "eu", "bytes": 12345678901234567890.5},
}


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


async def send(client: httpx.AsyncClient, body: Any, media_type: str = ONE, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/api/v1/events", content=content, headers={"Content-Type": media_type} | headers)


async def stored(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    return list((await client.get("/api/usage/events", params=query)).json()["data"])


async def letters(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.get("/api/usage/dead-letters")).json()["data"])


async def test_a_cloudevent_is_stored_with_all_that_it_says(client: httpx.AsyncClient) -> None:
    answer = await send(client, b'{"ext": 1, ' + json.dumps(EVENT | {"data": None}).encode()[1:-1] + b"}")
    assert (answer.status_code, answer.content) == (204, b"")
    data = b'{"region": "eu", "bytes": 12345678901234567890.5}'
    raw = json.dumps(EVENT | {"id": "e2", "data": "DATA"}).encode().replace(b'"DATA"', data)
    assert (await send(client, raw)).status_code == 204
    second, first = await stored(client)
    assert (first["metadata"], second["metadata"]["region"]) == (None, "eu")
    listed = (await client.get("/api/usage/events")).content
    assert b"12345678901234567890.5" in listed
    assert first["idempotency_key"] == '["my-app","e1"]'
    assert (first["team_id"], first["event_name"], first["quantity"]) == ("acme", "api_call", "1")
    assert first["occurred_at"] == "2026-03-05T08:00:00.123456Z"


async def test_an_event_sent_again_counts_once_whatever_its_time(client: httpx.AsyncClient) -> None:
    for time in (EVENT["time"], "2026-03-09T00:00:00Z", None):
        assert (await send(client, EVENT | {"time": time})).status_code == 204
    assert (await send(client, EVENT | {"data": {"region": "us"}})).status_code == 204
    (event,) = await stored(client)
    assert event["metadata"]["region"] == "eu"


async def test_source_and_id_identify_an_event_together(client: httpx.AsyncClient) -> None:
    pairs = [("a", "b,c"), ("a,b", "c"), ('a","b', "c"), ("a", 'b","c'), ("", ""), ("a" * 300, "b"), ("a" * 300, "c")]
    assert len({idempotency_key(*pair) for pair in pairs}) == len(pairs)
    assert all(len(idempotency_key(*pair).encode()) <= 255 for pair in pairs)
    events = [EVENT | {"source": source, "id": id} for source, id in pairs if source]
    assert (await send(client, events + events, BATCH)).status_code == 204
    assert len(await stored(client)) == len(events)


async def test_the_native_key_that_is_spelled_the_same_is_the_same_event(client: httpx.AsyncClient) -> None:
    assert (await send(client, EVENT | {"data": None})).status_code == 204
    native = {"team_id": "acme", "event_name": "api_call", "idempotency_key": '["my-app","e1"]'}
    assert (await client.post("/api/usage/track", json=native)).json()["duplicates"] == 1


FORMS: list[tuple[Any, str]] = [
    (EVENT, ONE),
    (EVENT, f"{ONE}; charset=utf-8"),
    (EVENT, "Application/CloudEvents+JSON;charset=UTF-8"),
    ([EVENT], BATCH),
    ([EVENT], f"{BATCH};charset=utf-8"),
    (EVENT, "application/json"),
    ([EVENT], "application/json; charset=utf-8"),
    (b"\xef\xbb\xbf" + json.dumps(EVENT).encode(), ONE),
]


async def test_each_media_type_is_read_with_its_parameters(client: httpx.AsyncClient) -> None:
    for body, media_type in FORMS:
        assert (await send(client, body, media_type)).status_code == 204, media_type
    assert len(await stored(client)) == 1


UNREADABLE: list[tuple[Any, str, int]] = [
    ([EVENT], ONE, 400),
    (EVENT, BATCH, 400),
    (EVENT, "text/plain", 415),
    (EVENT, "application/cloudevents+avro", 415),
    (b"", ONE, 400),
    (b"{", ONE, 400),
    (b"[]", BATCH, 400),
    (b'{"specversion": ' + b"[" * 5000, "application/json", 400),
    (b"null", "application/json", 400),
    (b'"text"', "application/json", 400),
]


async def test_what_is_not_what_it_says_is_refused(client: httpx.AsyncClient) -> None:
    for body, media_type, status in UNREADABLE:
        answer = await send(client, body, media_type)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "e1",
    "ce-source": "my-app",
    "ce-type": "api_call",
    "ce-subject": "acme",
    "ce-time": "2026-03-05T08:00:00Z",
}


async def test_binary_mode_has_attributes_in_headers_and_data_in_the_body(client: httpx.AsyncClient) -> None:
    answer = await send(client, b'{"quantity": 0.100000000000000055}', "application/json", **BINARY)
    assert (answer.status_code, answer.text) == (204, "")
    assert (await send(client, b"", "application/json", **BINARY | {"ce-id": "%C3%A9%20%2541"})).status_code == 204
    second, first = await stored(client)
    assert (first["quantity"], first["idempotency_key"]) == ("0.100000000000000055", '["my-app","e1"]')
    assert (second["metadata"], second["idempotency_key"]) == (None, '["my-app","é %41"]')


async def test_the_two_modes_are_one_event(client: httpx.AsyncClient) -> None:
    await send(client, EVENT | {"data": {"a": 1}})
    await send(client, b'{"a": 1}', "application/json", **BINARY)
    encoded = base64.b64encode(b'{"a": 1}').decode()
    await send(client, {name: value for name, value in EVENT.items() if name != "data"} | {"data_base64": encoded})
    assert len(await stored(client)) == 1
    assert await letters(client) == []


WRONG_IN_BINARY_MODE: list[tuple[dict[str, str], bytes, str]] = [
    ({"ce-subject": ""}, b"{}", "subject"),
    ({"ce-time": "yesterday"}, b"{}", "time"),
    ({"ce-specversion": "2.0"}, b"{}", "specversion"),
    ({"Content-Type": "text/csv"}, b"a,b", "data"),
    ({}, b"no json", "data"),
    ({}, b"\xff\xfe", "data"),
    ({}, b"[1]", "data"),
]


async def test_what_is_wrong_in_binary_mode_is_named(client: httpx.AsyncClient) -> None:
    for headers, body, field in WRONG_IN_BINARY_MODE:
        answer = await send(client, body, "application/json", **BINARY | headers)
        assert answer.status_code == 400, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert len(await letters(client)) == len(WRONG_IN_BINARY_MODE)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"id": None}, "id", "invalid_idempotency_key"),
    ({"id": ""}, "id", "invalid_idempotency_key"),
    ({"id": 5}, "id", "invalid_idempotency_key"),
    ({"source": ""}, "source", "invalid_source"),
    ({"subject": ""}, "subject", "invalid_team_id"),
    ({"subject": "x" * 256}, "subject", "invalid_team_id"),
    ({"subject": "nobody"}, "subject", "unknown_team"),
    ({"type": ""}, "type", "invalid_event_name"),
    ({"specversion": "0.3"}, "specversion", "invalid_specversion"),
    ({"time": "2026-03-05 08:00"}, "time", "invalid_timestamp"),
    ({"time": "2027-03-05T08:00:00Z"}, "time", "timestamp_in_future"),
    ({"data": "text"}, "data", "invalid_metadata"),
    ({"data": [1]}, "data", "invalid_metadata"),
    ({"data": {"quantity": "many"}}, "data.quantity", "invalid_quantity"),
    ({"data": {"quantity": 1e25}}, "data.quantity", "invalid_quantity"),
    ({"data": {"quantity": -1}}, "data.quantity", "negative_quantity"),
    ({"data": {str(i): i for i in range(51)}}, "data", "metadata_too_large"),
    ({"data_base64": "!"}, "data", "invalid_metadata"),
]


async def test_a_bad_event_is_rejected_alone_and_told_of_in_its_own_words(client: httpx.AsyncClient) -> None:
    bad = [EVENT | {"id": str(i)} | change for i, (change, _, _) in enumerate(WRONG)]
    answer = await send(client, [EVENT, *bad, EVENT | {"id": "last"}], BATCH)
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["accepted"], problem["rejected"], problem["code"]) == (2, len(WRONG), WRONG[0][2])
    for place, (error, (_, field, code)) in enumerate(zip(problem["errors"], WRONG, strict=True), start=1):
        assert (error["index"], error["field"], error["code"]) == (place, field, code)
        assert error["message"].startswith(field) or code in ("unknown_team", "negative_quantity")
    assert len(await stored(client)) == 2
    assert sorted(letter["code"] for letter in await letters(client)) == sorted(code for _, _, code in WRONG)


async def test_each_attribute_that_has_to_be_there_is_asked_for(client: httpx.AsyncClient) -> None:
    for missing in ("specversion", "id", "source", "type", "subject"):
        event = {name: value for name, value in EVENT.items() if name != missing}
        answer = await send(client, event, "application/json")
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"{missing} is required"


async def test_an_event_that_is_no_json_does_not_take_its_neighbours_with_it(client: httpx.AsyncClient) -> None:
    good = json.dumps(EVENT).encode()
    bad = good.replace(b'"eu"', b"NaN")
    answer = await send(client, b"[" + b",".join([good, bad, good.replace(b'"e1"', b'"e2"')]) + b"]", BATCH)
    assert (answer.status_code, answer.json()["accepted"]) == (400, 2)


async def test_a_rejected_event_is_replayed_as_it_is_once_its_team_exists(
    house: House, client: httpx.AsyncClient
) -> None:
    newcomer = EVENT | {"subject": "initech", "data": {"quantity": 7, "region": "eu"}}
    assert (await send(client, newcomer)).status_code == 400
    await house.team("initech")
    (letter,) = await letters(client)
    replay = await client.post(f"/api/usage/dead-letters/{letter['id']}/replay", json={})
    assert replay.json()["taken"], replay.text
    assert (await send(client, newcomer)).status_code == 204
    (event,) = await stored(client, team_id="initech")
    assert (event["quantity"], event["metadata"]["region"]) == ("7", "eu")
    assert event["occurred_at"] == "2026-03-05T08:00:00.123456Z"


async def test_a_dead_letter_keeps_all_that_could_be_read_in_our_words(client: httpx.AsyncClient) -> None:
    data = {"quantity": 7, "region": "eu"}
    await send(client, {name: value for name, value in (EVENT | {"data": data}).items() if name != "subject"})
    (letter,) = await letters(client)
    assert json.loads(letter["body"]) == {
        "event_name": "api_call",
        "timestamp": EVENT["time"],
        "metadata": data,
        "quantity": 7,
        "idempotency_key": '["my-app","e1"]',
    }


async def test_a_key_for_one_team_can_not_write_for_another(house: House, client: httpx.AsyncClient) -> None:
    async with calling(house, Scope.INGEST, "globex") as bound:
        answer = await send(bound, EVENT)
        assert (answer.status_code, answer.json()["code"]) == (400, "forbidden_team")
        assert (await send(bound, EVENT | {"subject": "globex"})).status_code == 204
    async with calling(house, Scope.READ) as reader:
        assert (await send(reader, EVENT)).status_code == 403
    assert (await send(client, EVENT, Authorization="Bearer tsk_nonsense")).status_code == 401


async def test_ten_thousand_events_come_in_one_request_and_no_more(client: httpx.AsyncClient) -> None:
    events = [EVENT | {"id": str(i)} for i in range(10_001)]
    assert (await send(client, events, BATCH)).status_code == 413
    assert (await send(client, events[:-1], BATCH)).status_code == 204
