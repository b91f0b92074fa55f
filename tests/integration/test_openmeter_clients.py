"""Clients that were made for OpenMeter, unchanged, against a real server: only the address is another."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cloudevents.conversion import to_binary, to_json, to_structured
from cloudevents.http import CloudEvent
from corehttp.exceptions import ClientAuthenticationError, HttpResponseError
from openmeter import Client, models
from openmeter.aio import Client as AsyncClient

from tests.integration.compatible_setup import Compatible, compatible
from tests.integration.test_server import PATIENCE

METRICS = """
version: 1
currency: USD
metrics:
  requests: {event: request, aggregation: count, unit: request, dimensions: [region]}
  duration: {event: request, aggregation: sum, value: metadata.duration_ms, unit: ms, dimensions: [region]}
  tokens: {event: litellm_tokens, aggregation: sum, value: metadata.total_tokens, unit: token, dimensions: [model]}
plans: {standard: {prices: [{metric: requests, model: per_unit, unit_price: 1}]}}
"""
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def server(server_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compatible]:
    file = tmp_path_factory.mktemp("openmeter") / "tallystick.yaml"
    file.write_text(METRICS)
    with compatible(server_url, migrated_template, file) as running:
        yield running


def event(subject: str, number: int, **more: Any) -> models.Event:
    return models.Event(
        id=str(number),
        source="my-app",
        specversion="1.0",
        type="request",
        subject=subject,
        time=NOW - timedelta(minutes=number),
        data={"duration_ms": "0.1", "region": "eu" if number % 2 else "us"} | more,
    )


def by(result: Any, *keys: str) -> dict[Any, float]:
    return {tuple(row.group_by.get(key, row.subject) for key in keys): row.value for row in result.data}


def test_the_openmeter_client_ingests_and_queries(server: Compatible) -> None:
    with Client(endpoint=server.url, token=server.key) as client:
        assert client.events.ingest_event(event("sync", 0)) is None
        client.events.ingest_events([event("sync", i) for i in range(10)])
        client.events.ingest_events_json([event("sync", 10)])
        client.events.ingest_events_json(event("sync", 11))
        total = client.meters.query_json("duration", subject=["sync"])
        assert [(row.subject, row.value) for row in total.data] == [("sync", 1.2)]
        regions = client.meters.query_json(
            "requests",
            subject=["sync", "nobody"],
            group_by=["region"],
            from_parameter=NOW - timedelta(minutes=4),
            to=NOW,
        )
        assert by(regions, "subject", "region") == {("sync", "eu"): 2, ("sync", "us"): 2}
        for restriction in (
            {"filter_group_by": {"region": "eu"}},
            {"advanced_meter_group_by_filters": {"region": {"$ne": "us"}}},
        ):
            europe = client.meters.query_json("requests", subject=["sync"], **restriction)
            assert [row.value for row in europe.data] == [6]
        asked = models.MeterQueryRequest(
            subject=["sync"], window_size="DAY", window_time_zone="Asia/Kathmandu", filter_group_by={"region": ["us"]}
        )
        days = client.meters.query("requests", asked)
        assert sum(row.value for row in days.data) == 6
        assert all((row.window_start + timedelta(hours=5, minutes=45)).hour == 0 for row in days.data)
        assert {meter.slug for meter in client.meters.list()} == {"requests", "duration", "tokens"}
        assert client.meters.get("duration").value_property == "$.duration_ms"


def test_the_openmeter_client_hears_what_is_wrong(server: Compatible) -> None:
    with Client(endpoint=server.url, token=server.key) as client:
        with pytest.raises(HttpResponseError) as refused:
            client.events.ingest_events([event("wrong", 1), event("", 2)])
        assert refused.value.status_code == 400
        assert "subject must not be empty" in str(refused.value)
        assert len(server.events("wrong")) == 1
        with pytest.raises(HttpResponseError) as unknown:
            client.meters.query_json("requests", group_by=["city"])
        assert unknown.value.status_code == 400
    with Client(endpoint=server.url, token="tsk_nonsense") as stranger, pytest.raises(ClientAuthenticationError):
        stranger.events.ingest_event(event("wrong", 3))


def test_the_asynchronous_openmeter_client_ingests_and_queries(server: Compatible) -> None:
    async def use() -> Any:
        async with AsyncClient(endpoint=server.url, token=server.key) as client:
            await asyncio.gather(*(client.events.ingest_event(event("async", i)) for i in range(20)))
            await client.events.ingest_events([event("async", i) for i in range(30)])
            return await client.meters.query_json("requests", subject=["async"])

    assert [row.value for row in asyncio.run(use()).data] == [30]


def test_the_cloudevents_library_sends_in_each_of_its_forms(server: Compatible) -> None:
    attributes = {"type": "request", "source": "urn:shop:50%", "subject": "cloud", "id": "1"}
    one = CloudEvent(attributes, {"duration_ms": 12, "region": "eu"})
    as_bytes = CloudEvent(attributes | {"id": "2", "datacontenttype": "application/json"}, b'{"duration_ms": 30}')
    for sent in (one, as_bytes):
        for headers, body in (to_structured(sent), to_binary(sent, data_marshaller=_marshalled)):
            answer = httpx.post(
                f"{server.url}/api/v1/events",
                headers=headers | {"Authorization": f"Bearer {server.key}"},
                content=body,
            )
            assert (answer.status_code, answer.text) == (204, "")
    batch = b"[" + b",".join(to_json(CloudEvent(attributes | {"id": str(i)}, None)) for i in range(3, 6)) + b"]"
    headers = {"Content-Type": "application/cloudevents-batch+json", "X-API-Key": server.key}
    assert httpx.post(f"{server.url}/api/v1/events", headers=headers, content=batch).status_code == 204
    assert sorted(each["idempotency_key"] for each in server.events("cloud")) == [
        f'["urn:shop:50%","{i}"]' for i in range(1, 6)
    ]
    rows = server.get("/api/v1/meters/duration/query", subject="cloud")["data"]
    assert [row["value"] for row in rows] == [42]


def _marshalled(data: Any) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data).encode()


LITELLM = """
import asyncio, os, sys, time
import httpx, litellm

litellm.callbacks = ["openmeter"]
asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}], "user": "chatty"}
events = os.environ["OPENMETER_API_ENDPOINT"] + "/api/usage/events?team_id=chatty"
key = {"Authorization": "Bearer " + os.environ["OPENMETER_API_KEY"]}


async def main():
    litellm.completion(mock_response="hello yourself", **asked)
    await litellm.acompletion(mock_response="hello yourself", **asked)
    patience = time.monotonic() + float(sys.argv[1])
    while len(httpx.get(events, headers=key).json()["data"]) < 2 and time.monotonic() < patience:
        await asyncio.sleep(0.1)  # it tells of a completion in the background


asyncio.run(main())
"""


def test_litellm_meters_its_tokens_by_its_openmeter_callback(server: Compatible) -> None:
    settings = {
        "OPENMETER_API_ENDPOINT": server.url,
        "OPENMETER_API_KEY": server.key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    command = [sys.executable, "-c", LITELLM, str(PATIENCE)]
    ran = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    first, second = server.events("chatty")
    assert first["metadata"]["model"] == second["metadata"]["model"] == "gpt-4o-mini"
    rows = server.get("/api/v1/meters/tokens/query", subject="chatty", groupBy="model")["data"]
    total = sum(each["metadata"]["total_tokens"] for each in (first, second))
    assert [(row["groupBy"]["model"], row["value"]) for row in rows] == [("gpt-4o-mini", total)]
