"""Whatever is sent: no 500, no hang, and a good event never suffers for a bad one beside it."""

import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.core.clock import ManualClock
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

TRACK = "/api/usage/track"
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
ANSWERS = {200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422}
MIB = 1024 * 1024


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.team("acme")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


def event(key: str, **fields: Any) -> dict[str, Any]:
    sent = {"team_id": "acme", "event_name": "api_call", "idempotency_key": key, "timestamp": "2026-03-10T10:00:00Z"}
    return sent | fields


async def letters(house: House) -> int:
    return sum((await house.metering.dead_letters.counts()).values())


NASTY: dict[str, bytes] = {
    "nothing": b"",
    "random bytes": random.Random(7).randbytes(1000).replace(b"\n", b" "),
    "half of a surrogate pair": b'{"team_id":"acme","event_name":"api_call","user_id":"\\ud800"}',
    "half of a surrogate pair in a field's name": b'{"team_id":"acme","event_name":"api_call","\\udfff":1}',
    "half a pair in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"\\ud800":"\\udc00"}}',
    "bad UTF-8 in a value": b'{"team_id":"acme","event_name":"\xff\xfe"}',
    "bad UTF-8 in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"k":"\xc3\x28"}}',
    "overlong UTF-8": b'{"team_id":"\xc0\xaf","event_name":"api_call"}',
    "a NUL": b'{"team_id":"acme\\u0000","event_name":"api_call"}',
    "a NUL in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"a\\u0000":{"b":["\\u0000"]}}}',
    "a NUL in the key": b'{"team_id":"acme","event_name":"api_call","idempotency_key":"\\u0000"}',
    "NaN": b'{"team_id":"acme","event_name":"api_call","quantity":NaN}',
    "NaN in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"a":[NaN,Infinity,-Infinity]}}',
    "a huge number": b'{"team_id":"acme","event_name":"api_call","quantity":1%b}' % (b"0" * 1_000_000),
    "a huge exponent": b'{"team_id":"acme","event_name":"api_call","quantity":1e999999999999}',
    "a tiny number": b'{"team_id":"acme","event_name":"api_call","quantity":1e-999999999999}',
    "many decimals": b'{"team_id":"acme","event_name":"api_call","quantity":0.%b1}' % (b"0" * 1_000_000),
    "a huge number in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"a":1%b}}' % (b"0" * 16_000),
    "a huge exponent in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"a":1e400000}}',
    "a tiny number in metadata": b'{"team_id":"acme","event_name":"api_call","metadata":{"a":1e-400000}}',
    "deep metadata": b'{"team_id":"acme","event_name":"api_call","metadata":%b1%b}' % (b'{"a":' * 3000, b"}" * 3000),
    "very deep metadata": b'{"team_id":"acme","event_name":"api_call","metadata":%b%b}'
    % (b"[" * 500_000, b"]" * 500_000),
    "a deep quantity": b'{"team_id":"acme","event_name":"api_call","quantity":%b%b}' % (b"[" * 500_000, b"]" * 500_000),
    "many keys": json.dumps({**event("x"), "metadata": {f"k{i}": i for i in range(100_000)}}).encode(),
    "many fields": json.dumps({**event("x"), **{f"k{i}": i for i in range(100_000)}}).encode(),
    "a long name": json.dumps(event("x", event_name="x" * MIB)).encode(),
    "long metadata": json.dumps(event("x", metadata={"k": "x" * MIB})).encode(),
    "a field twice": b'{"team_id":"acme","team_id":7,"event_name":"api_call"}',
    "the year 9999": json.dumps(event("x", timestamp="9999-12-31T23:59:59.999999Z")).encode(),
    "the year 1": json.dumps(event("x", timestamp="0001-01-01T00:00:00+23:59")).encode(),
    "a leap second": json.dumps(event("x", timestamp="2016-12-31T23:59:60Z")).encode(),
    "a text": b'"text"',
    "a number": b"7",
    "null": b"null",
    "an array": b"[[]]",
    "control characters": b'{"team_id":"acme","event_name":"api\x01call"}',
    "terminal escapes": b'{"team_id":"acme","event_name":"\\u001b[2J"}',
    "right-to-left override": '{"team_id":"acme","event_name":"a\u202eb"}'.encode(),
    "a lone brace": b"}",
    "an open text": b'{"team_id":"acme',
}


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
async def test_a_nasty_event_is_refused_alone_and_its_neighbours_are_stored(
    house: House, client: httpx.AsyncClient, nasty: bytes
) -> None:
    good = [json.dumps(event(f"good-{i}")).encode() for i in range(2)]
    alone = await client.post(TRACK, content=nasty, headers=JSON)
    assert alone.status_code in ANSWERS, alone.text[:500]
    beside = await client.post(TRACK, content=b"\n".join([good[0], nasty, good[1]]), headers=LINES)
    assert beside.status_code == 200, beside.text[:500]
    answer = beside.json()
    assert answer["accepted"] + answer["duplicates"] >= 2
    assert {error["index"] for error in answer["errors"]} <= {1}
    again = await client.post(TRACK, content=b"\n".join([good[1], good[0]]), headers=LINES)
    assert again.json()["duplicates"] == 2
    assert (await client.get("/api/usage/dead-letters")).status_code == 200
    assert (await client.get("/api/usage/events")).status_code == 200


@pytest.mark.parametrize(
    "nasty",
    [body for name, body in NASTY.items() if name not in {"nothing", "a lone brace", "an open text", "random bytes"}],
)
async def test_in_an_array_the_neighbours_are_stored_as_well(
    house: House, client: httpx.AsyncClient, nasty: bytes
) -> None:
    good = [json.dumps(event(f"good-{i}")).encode() for i in range(2)]
    answer = await client.post(TRACK, content=b"[%b,%b,%b]" % (good[0], nasty, good[1]), headers=JSON)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.json()["accepted"] >= 2


async def test_one_bad_event_among_ten_thousand_is_the_only_one_that_is_not_stored(
    house: House, client: httpx.AsyncClient
) -> None:
    lines = [json.dumps(event(f"k{i}")).encode() for i in range(10_000)]
    lines[7_777] = NASTY["bad UTF-8 in metadata"]
    answer = (await client.post(TRACK, content=b"[%b]" % b",".join(lines), headers=JSON)).json()
    assert (answer["accepted"], answer["rejected"]) == (9_999, 1)
    assert [error["index"] for error in answer["errors"]] == [7_777]
    assert await letters(house) == 1


async def test_the_neighbours_are_stored_however_much_each_of_ten_thousand_holds(
    house: House, client: httpx.AsyncClient
) -> None:
    metadata = {f"key{i}": i for i in range(50)}
    lines = [json.dumps(event(f"k{i}", metadata=metadata)).encode() for i in range(10_000)]
    for place in range(0, 10_000, 40):
        lines[place] = b'{"quantity": NaN, "a": }'
    answer = (await client.post(TRACK, content=b"[%b]" % b",\n".join(lines), headers=JSON)).json()
    assert (answer["accepted"], answer["rejected"]) == (9_750, 250)


LARGE = 32 * MIB
COSTLY = {
    "brackets": (b"[" * LARGE, 400),
    "braces": (b'[{"a":NaN},' + b"{}" * (LARGE // 2 - 10), 400),
    "commas": (b"[NaN" + b"," * (LARGE - 10), 413),
    "elements": (b"[" + b"1," * (LARGE // 2 - 2) + b"1]", 413),
    "lines": (b"{}\n" * (LARGE // 3), 413),
    "quotes": (b"[" + b'"a' * (LARGE // 2 - 1), 400),
    "escaped quotes": (b'[NaN,"' + b'\\"' * (LARGE // 2 - 4), 400),
    "backslashes": (b'["' + b"\\" * (LARGE - 3), 400),
    "spaces": (b" " * LARGE, 400),
    "digits": (b"9" * LARGE, 422),
}


@pytest.mark.parametrize(("body", "status"), COSTLY.values(), ids=COSTLY)
async def test_a_body_that_is_dear_to_read_is_refused_before_it_costs_much(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    """Without bounds these took minutes, or a gigabyte of memory, and a few kilobytes once compressed."""
    headers = JSON | {"Content-Encoding": "gzip"}
    assert (await client.post(TRACK, content=gzip.compress(body, 1), headers=headers)).status_code == status


async def test_ten_thousand_bad_events_are_ten_thousand_reasons_and_no_more_work_than_that(
    house: House, client: httpx.AsyncClient
) -> None:
    answer = await client.post(TRACK, json=[event(f"k{i}", quantity="x") for i in range(10_000)])
    assert (answer.status_code, answer.json()["rejected"]) == (422, 10_000)
    assert await letters(house) == 10_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"0" * 200 * MIB), 413),
        (b"".join(gzip.compress(b"0" * MIB) for _ in range(64)), 413),
        (gzip.compress(gzip.compress(b"0" * 100 * MIB)), 400),
        (gzip.compress(b"") * 10_000, 400),
        (gzip.compress(b"[1]")[:-3], 400),
        (zlib.compress(b"[1]"), 400),
        (b"\x1f\x8b" + bytes(100), 400),
    ],
    ids=["a bomb", "many members", "twice", "empty members", "cut", "zlib", "garbage"],
)
async def test_a_compressed_body_can_not_use_up_the_memory(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post(TRACK, content=body, headers=JSON | {"Content-Encoding": "gzip"})
    assert answer.status_code == status


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["acme", "api_call"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "team_id",
    "event_name",
    "quantity",
    "unit",
    "timestamp",
    "user_id",
    "event_type",
    "metadata",
    "idempotency_key",
)
EVENTS = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSONS, max_size=9)
REUSED = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@REUSED
@given(
    sent=EVENTS | JSONS,
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
async def test_random_events_broken_at_random_never_break_the_server(
    client: httpx.AsyncClient, sent: Any, cut: float, flips: list[tuple[int, int]]
) -> None:
    body = bytearray(json.dumps(sent).encode())
    for place, byte in flips:
        if place < len(body):
            body[place] = byte
    body = body[: int(len(body) * cut) + 1]
    for content, headers in ((bytes(body), JSON), (b"[%b]" % bytes(body), JSON), (bytes(body), LINES)):
        answer = await client.post(TRACK, content=content, headers=headers)
        assert answer.status_code in ANSWERS, answer.text


@REUSED
@given(sent=st.lists(EVENTS, min_size=1, max_size=6))
async def test_a_good_event_among_random_ones_is_stored(client: httpx.AsyncClient, sent: list[Any]) -> None:
    key = f"good-{random.getrandbits(64)}"
    place = random.randrange(len(sent) + 1)
    body = [*sent[:place], event(key), *sent[place:]]
    answer = (await client.post(TRACK, content=json.dumps(body).encode(), headers=JSON)).json()
    assert place not in {error["index"] for error in answer["errors"]}
    again = (await client.post(TRACK, json=event(key))).json()
    assert again["duplicates"] == 1


@REUSED
@given(
    body=st.binary(max_size=300),
    media_type=st.sampled_from(["application/json", "application/x-ndjson", "text/plain", ""]),
)
async def test_random_bytes_never_break_the_server(client: httpx.AsyncClient, body: bytes, media_type: str) -> None:
    answer = await client.post(TRACK, content=body, headers={"Content-Type": media_type})
    assert answer.status_code in ANSWERS
