"""The doors for other systems' senders, and every endpoint that takes a body: no 500, no hang, no lost neighbour."""

import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tallystick.core.clock import ManualClock
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened
from tests.integration.test_fuzzed_bodies import ANSWERS, NASTY
from tests.integration.test_inbound import FILE, SECRETS, forge

VALUES: dict[str, bytes] = {
    "NaN": b"NaN",
    "a huge number": b"1" + b"0" * 100_000,
    "a huge exponent": b"1e999999999",
    "a tiny number": b"1e-999999999",
    "half of a surrogate pair": b'"\\ud800"',
    "a NUL": b'"\\u0000"',
    "bad UTF-8": b'"\xff\xfe"',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "long text": b'"' + b"x" * 1_000_000 + b'"',
    "nothing": b"null",
    "an object": b"{}",
    "a negative": b"-1",
    "no JSON": b"}{",
}
CLOUD_EVENT = {"specversion": "1.0", "id": "1", "source": "s", "type": "api_call", "subject": "acme", "time": None,
               "datacontenttype": "application/json", "data": {"quantity": 1}}  # fmt: skip
LAGO_EVENT = {"transaction_id": "1", "code": "api_call", "external_subscription_id": "acme", "timestamp": 1773576000,
              "properties": {"quantity": 1}, "precise_total_amount_cents": "1"}  # fmt: skip
CLOUD = {"Content-Type": "application/cloudevents-batch+json"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def house(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[House]:
    file = tmp_path / "inbound.yaml"
    file.write_text(FILE)
    monkeypatch.setenv("TALLYSTICK_INBOUND_FILE", str(file))
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    async with opened(database, clock) as house:
        await house.team("acme")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


def spoiled(event: dict[str, Any]) -> list[bytes]:
    """An event with each of its fields, and one that it should not have, spoiled in every way; and what is none."""
    found = list(NASTY.values())
    for name in (*event, "data_base64", "unknown"):
        members = {key: json.dumps(value).encode() for key, value in {**event, "id": "bad"}.items()}
        found += [
            b"{%b}" % b",".join(b'"%b":%b' % (key.encode(), value) for key, value in {**members, name: nasty}.items())
            for nasty in VALUES.values()
        ]
    return found


@pytest.mark.parametrize("door", ["cloudevents", "lago"])
async def test_the_neighbours_of_a_spoiled_event_are_stored_at_every_door(
    client: httpx.AsyncClient, database_url: str, door: str
) -> None:
    wrong: Counter[str] = Counter()
    splitting = (b"", b"}", b'{"team_id":"acme', b"}{")  # where the next event begins, nobody can say
    sent = 0
    for nasty in spoiled(CLOUD_EVENT if door == "cloudevents" else LAGO_EVENT):
        good = [json.dumps(_good(door, f"{sent}-{place}")).encode() for place in range(2)]
        body = b"[%b,%b,%b]" % (good[0], nasty, good[1])
        if door == "cloudevents":
            answer = await client.post("/api/v1/events", content=body, headers=CLOUD)
        else:
            answer = await client.post("/api/v1/events/batch", content=b'{"events":%b}' % body, headers=JSON)
        if answer.status_code not in {*ANSWERS, 204}:
            wrong[f"{answer.status_code} {answer.text[:200]}: {nasty[:100]!r}"] += 1
        whole = not (nasty in splitting or b"}{" in nasty[-200:] or nasty == NASTY["random bytes"])
        sent += whole
        if not whole:
            continue
        with psycopg.connect(database_url) as connection:
            found = connection.execute("SELECT count(*) FROM usage_events WHERE metadata::text LIKE '%good-%'")
            stored = (found.fetchone() or (0,))[0]
        if stored < 2 * sent - 2 * wrong.total():
            wrong[f"{answer.status_code} {answer.text[:200]} lost the neighbours of {nasty[:100]!r}"] += 1
    assert list(wrong) == []
    assert sent > 120


def _good(door: str, name: str) -> dict[str, Any]:
    mark = f"good-{name}"
    if door == "cloudevents":
        return CLOUD_EVENT | {"id": mark, "data": {"quantity": 1, "mark": mark}}
    return LAGO_EVENT | {"transaction_id": mark, "properties": {"quantity": 1, "mark": mark}}


def bodies() -> list[bytes]:
    rng = random.Random(11)
    return [*NASTY.values(), *VALUES.values(), *(rng.randbytes(rng.randrange(200)) for _ in range(40))]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json; charset=utf-8",
        "text/plain",
        "",
    ],
)
async def test_no_body_breaks_a_door_for_events(client: httpx.AsyncClient, media_type: str) -> None:
    binary = {"ce-id": "1", "ce-source": "s", "ce-type": "api_call", "ce-specversion": "1.0", "ce-subject": "acme"}
    for body in bodies():
        for path, more in (("/api/v1/events", {}), ("/api/v1/events", binary), ("/api/v1/events/batch", {})):
            answer = await client.post(path, content=body, headers={"Content-Type": media_type, **more})
            assert answer.status_code in {*ANSWERS, 204}, (path, body[:100], answer.text[:300])


async def test_no_signed_payload_breaks_the_door_for_webhooks(client: httpx.AsyncClient) -> None:
    client.headers.pop("Authorization")
    for number, body in enumerate(bodies()):
        headers = forge(body) | {"X-Delivery": f"d{number}"}
        answer = await client.post("/api/webhooks/in/forge", content=body, headers=headers)
        assert answer.status_code in ANSWERS, (body[:100], answer.text[:300])
        assert (await client.post("/api/webhooks/in/forge", content=body)).status_code in ANSWERS


BODIES = (b"[" * 200_000, b'{"a":' * 100_000, b'{"name": "\\ud800"}', b"\xff", b"NaN", b'{"name":NaN}', b"1" * 200_000,
          b"[]", b"null", b"{}")  # fmt: skip


async def test_no_endpoint_breaks_by_its_body(client: httpx.AsyncClient) -> None:
    """Those of which the document tells, whichever there are by now."""
    paths: dict[str, dict[str, Any]] = (await client.get("/openapi.json")).json()["paths"]
    asked = [(method, path) for path, item in paths.items() for method in item if method in {"post", "put", "patch"}]
    for method, path in asked:
        url = path.replace("{team_id}", "acme").replace("{metric}", "api_calls").replace("{source}", "forge")
        url = re.sub(r"\{\w+\}", "1", url)
        for body in BODIES:
            answer = await client.request(method, url, content=body, headers=JSON)
            assert answer.status_code < 500, (method, url, body[:40], answer.text[:300])
    assert len(asked) > 40
