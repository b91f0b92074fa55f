"""Lago's events at `POST /api/v1/events` and `/batch`: its client works unchanged, and each event counts once."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import BatchEvent, Event

from tallystick.core.clock import ManualClock
from tallystick.http.principal import Scope
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened
from tests.integration.compatible_setup import Compatible, compatible

EVENT: dict[str, Any] = {
    "transaction_id": "t1",
    "external_subscription_id": "acme",
    "code": "storage",
    "timestamp": 1772697600,
    "properties": {"gb": "1.5", "region": "eu"},
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


async def send(client: httpx.AsyncClient, body: Any, path: str = "/api/v1/events") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(path, content=content, headers={"Content-Type": "application/json"})


async def stored(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.get("/api/usage/events")).json()["data"])


async def test_an_event_is_stored_and_answered_as_lago_does(client: httpx.AsyncClient) -> None:
    answer = await send(client, {"event": EVENT})
    assert answer.status_code == 200
    (event,) = await stored(client)
    assert answer.json()["event"] == {
        "lago_id": event["id"],
        "transaction_id": "t1",
        "lago_customer_id": None,
        "lago_subscription_id": None,
        "external_subscription_id": "acme",
        "code": "storage",
        "timestamp": "2026-03-05T08:00:00Z",
        "precise_total_amount_cents": None,
        "properties": {"gb": "1.5", "region": "eu"},
        "created_at": "2026-03-15T12:00:00Z",
    }
    assert (event["team_id"], event["event_name"], event["quantity"]) == ("acme", "storage", "1")
    assert (event["idempotency_key"], event["occurred_at"]) == ("t1", "2026-03-05T08:00:00Z")
    assert event["metadata"] == EVENT["properties"]


async def test_an_event_sent_again_counts_once_and_is_no_failure(client: httpx.AsyncClient) -> None:
    for change in ({}, {"timestamp": None}, {"timestamp": "1772697601.5"}, {"properties": {"gb": 9}}):
        assert (await send(client, {"event": EVENT | change})).status_code == 200
    assert (await send(client, {"events": [EVENT, EVENT]}, "/api/v1/events/batch")).status_code == 200
    (event,) = await stored(client)
    assert event["metadata"]["gb"] == "1.5"


INSTANTS = {
    "1772697600": "2026-03-05T08:00:00Z",
    '"1772697600"': "2026-03-05T08:00:00Z",
    '"1772697600.123"': "2026-03-05T08:00:00.123000Z",
    "1772697600.123456789": "2026-03-05T08:00:00.123456Z",
    '"1772697600.1234569999999999999999999999999"': "2026-03-05T08:00:00.123456Z",
    "1.7726976e9": "2026-03-05T08:00:00Z",
    "946684800": "2000-01-01T00:00:00Z",
}


async def test_unix_seconds_are_read_exactly_to_the_microsecond(client: httpx.AsyncClient) -> None:
    for number, (spelled, instant) in enumerate(INSTANTS.items()):
        body = json.dumps({"event": EVENT | {"transaction_id": str(number), "timestamp": "@"}})
        answer = await send(client, body.replace('"@"', spelled).encode())
        assert answer.json()["event"]["timestamp"] == instant, spelled


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"transaction_id": ""}, "transaction_id", "invalid_idempotency_key"),
    ({"transaction_id": 1}, "transaction_id", "invalid_idempotency_key"),
    ({"external_subscription_id": None}, "external_subscription_id", "missing_field"),
    ({"external_subscription_id": "nobody"}, "external_subscription_id", "unknown_team"),
    ({"code": ""}, "code", "invalid_event_name"),
    ({"timestamp": "2026-03-05T08:00:00Z"}, "timestamp", "invalid_timestamp"),
    ({"timestamp": "nan"}, "timestamp", "invalid_timestamp"),
    ({"timestamp": "1_772_697_600"}, "timestamp", "invalid_timestamp"),
    ({"timestamp": 10**18}, "timestamp", "invalid_timestamp"),
    ({"timestamp": [1]}, "timestamp", "invalid_timestamp"),
    ({"timestamp": 1.8e9}, "timestamp", "timestamp_in_future"),
    ({"timestamp": -1}, "timestamp", "timestamp_too_old"),
    ({"properties": "text"}, "properties", "invalid_metadata"),
    ({"properties": {"quantity": "x"}}, "properties.quantity", "invalid_quantity"),
]


async def test_a_bad_event_of_a_batch_is_rejected_alone_and_told_of_by_its_place(client: httpx.AsyncClient) -> None:
    bad = [EVENT | {"transaction_id": f"bad{i}"} | change for i, (change, _, _) in enumerate(WRONG)]
    answer = await send(client, {"events": [EVENT, *bad, EVENT | {"transaction_id": "t2"}]}, "/api/v1/events/batch")
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["status"], problem["error"], problem["code"]) == (
        422,
        "Unprocessable Entity",
        "validation_errors",
    )
    for place, (_, field, code) in enumerate(WRONG, start=1):
        assert problem["error_details"][str(place)][field][0] == code
    assert sorted(event["idempotency_key"] for event in await stored(client)) == ["t1", "t2"]
    letters = (await client.get("/api/usage/dead-letters")).json()["data"]
    assert sorted(letter["code"] for letter in letters) == sorted(code for _, _, code in WRONG)


async def test_a_bad_event_alone_is_told_of_by_its_fields(client: httpx.AsyncClient) -> None:
    answer = await send(client, {"event": {"code": "storage", "external_subscription_id": "acme"}})
    assert answer.status_code == 422
    assert answer.json()["error_details"] == {"transaction_id": ["missing_field", "transaction_id is required"]}


async def test_a_rejected_event_is_replayed_as_it_is_once_its_team_exists(
    house: House, client: httpx.AsyncClient
) -> None:
    newcomer = EVENT | {"external_subscription_id": "initech", "properties": {"quantity": "2.5"}}
    assert (await send(client, {"event": newcomer})).status_code == 422
    await house.team("initech")
    (letter,) = (await client.get("/api/usage/dead-letters")).json()["data"]
    assert (await client.post(f"/api/usage/dead-letters/{letter['id']}/replay", json={})).json()["taken"]
    assert (await send(client, {"event": newcomer})).status_code == 200
    (event,) = await stored(client)
    assert (event["quantity"], event["occurred_at"]) == ("2.5", "2026-03-05T08:00:00Z")


async def test_a_dead_letter_keeps_all_that_could_be_read_in_our_words(client: httpx.AsyncClient) -> None:
    nameless = {name: value for name, value in EVENT.items() if name != "transaction_id"}
    await send(client, {"event": nameless | {"precise_total_amount_cents": "12.5"}})
    (letter,) = (await client.get("/api/usage/dead-letters")).json()["data"]
    assert json.loads(letter["body"]) == {
        "team_id": "acme",
        "event_name": "storage",
        "timestamp": "2026-03-05T08:00:00+00:00",
        "metadata": EVENT["properties"] | {"precise_total_amount_cents": "12.5"},
        "quantity": 1,
    }


async def test_an_amount_of_the_event_s_own_is_kept_with_its_properties(client: httpx.AsyncClient) -> None:
    answer = await send(client, {"event": EVENT | {"precise_total_amount_cents": "1234.567890123456789"}})
    assert answer.json()["event"]["precise_total_amount_cents"] == "1234.567890123456789"
    assert answer.json()["event"]["properties"] == EVENT["properties"]
    (event,) = await stored(client)
    assert event["metadata"]["precise_total_amount_cents"] == "1234.567890123456789"


async def test_the_deprecated_customer_is_the_team_where_there_is_no_subscription(client: httpx.AsyncClient) -> None:
    event = {name: value for name, value in EVENT.items() if name != "external_subscription_id"}
    assert (await send(client, {"event": event | {"external_customer_id": "globex"}})).status_code == 200
    assert [each["team_id"] for each in await stored(client)] == ["globex"]


UNREADABLE = [b"", b"{", b"[]", b"{}", b"null", b'{"events": []}', b'{"events": {}}', b'{"events": ' + b"[" * 5000]


async def test_what_is_no_batch_is_refused(client: httpx.AsyncClient) -> None:
    for body in UNREADABLE:
        answer = await send(client, body, "/api/v1/events/batch")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body"), body
    assert (await send(client, {"events": [EVENT] * 10_001}, "/api/v1/events/batch")).status_code == 413
    assert (await send(client, b'{"event": {"a": NaN}}')).status_code == 400


async def test_an_event_that_is_no_json_does_not_take_its_neighbours_with_it(client: httpx.AsyncClient) -> None:
    good = json.dumps(EVENT).encode()
    bad = good.replace(b'"1.5"', b"Infinity")
    body = b'{"events": [' + b",".join([bad, good, good.replace(b'"t1"', b'"t2"')]) + b"]}"
    answer = await send(client, body, "/api/v1/events/batch")
    assert (answer.status_code, list(answer.json()["error_details"])) == (422, ["0"])
    assert len(await stored(client)) == 2


async def test_a_key_for_one_team_can_not_write_for_another(house: House, client: httpx.AsyncClient) -> None:
    async with calling(house, Scope.INGEST, "globex") as bound:
        answer = await send(bound, {"event": EVENT})
        assert answer.json()["error_details"]["external_subscription_id"][0] == "forbidden_team"
    async with calling(house, Scope.READ) as reader:
        assert (await send(reader, {"events": [EVENT]}, "/api/v1/events/batch")).status_code == 403


# --- The real client, over HTTP ---------------------------------------------------------------------

METRICS = """
version: 1
currency: USD
metrics:
  storage: {event: storage, aggregation: sum, value: metadata.gb, unit: GB, dimensions: [region]}
plans: {standard: {prices: [{metric: storage, model: per_unit, unit_price: 1}]}}
"""


@pytest.fixture(scope="module")
def server(server_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compatible]:
    file = tmp_path_factory.mktemp("lago") / "tallystick.yaml"
    file.write_text(METRICS)
    with compatible(server_url, migrated_template, file) as running:
        yield running


def lago_event(subscription: str, number: int, gb: Any) -> Event:
    return Event(
        transaction_id=str(number),
        external_subscription_id=subscription,
        code="storage",
        timestamp=f"{int(datetime.now(UTC).timestamp()) - number}.25",
        precise_total_amount_cents=None,
        properties={"gb": gb, "region": "eu"},
    )


def used(server: Compatible, team_id: str) -> Decimal:
    (row,) = server.get("/api/v1/meters/storage/query", subject=team_id)["data"]
    return Decimal(str(row["value"]))


def test_the_lago_client_sends_events_and_batches(server: Compatible) -> None:
    client = Client(api_key=server.key, api_url=server.url)
    sent = client.events.create(lago_event("sub_1", 0, "0.1"))
    again = client.events.create(lago_event("sub_1", 0, "0.1"))
    assert sent
    assert again
    assert sent.lago_id == again.lago_id
    assert (sent.transaction_id, sent.external_subscription_id, sent.code) == ("0", "sub_1", "storage")
    assert sent.timestamp.endswith(".250000Z")
    client.events.batch_create(BatchEvent(events=[lago_event("sub_1", i, 0.2) for i in range(20)]))
    assert used(server, "sub_1") == Decimal("3.9")


def test_the_lago_client_sends_to_an_ingest_service_of_its_own(server: Compatible) -> None:
    client = Client(api_key=server.key, use_ingest_service=True, ingest_api_url=server.url, api_url=server.url)
    client.events.create(lago_event("sub_2", 0, 5))
    assert used(server, "sub_2") == 5


def test_the_lago_client_hears_what_is_wrong(server: Compatible) -> None:
    client = Client(api_key=server.key, api_url=server.url)
    with pytest.raises(LagoApiError) as refused:
        client.events.batch_create(BatchEvent(events=[lago_event("sub_3", 0, 1), lago_event("", 1, 1)]))
    assert refused.value.status_code == 422
    assert refused.value.response["error_details"]["1"]["external_subscription_id"][0] == "missing_field"
    assert used(server, "sub_3") == 1
    with pytest.raises(LagoApiError) as stranger:
        Client(api_key="tsk_nonsense", api_url=server.url).events.create(lago_event("sub_3", 2, 1))
    assert stranger.value.status_code == 401
