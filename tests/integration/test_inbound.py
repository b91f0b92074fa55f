"""Inbound webhooks: who may send, what becomes of a payload, once for ever, and what is kept of what can't be taken."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tallystick.core.clock import ManualClock
from tallystick.core.errors import ConfigurationError
from tallystick.http.principal import Scope
from tallystick.integrations.inbound.mapping import events_of, read_payload
from tallystick.integrations.inbound.models import Source
from tallystick.integrations.inbound.reading import read_file
from tallystick.integrations.inbound.signatures import Call, Refused, verifier
from tallystick.metering.decoding import Limits
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one that it takes the place of").decode()
SECRETS = {"NEW_SECRET": SECRET, "OLD_SECRET": OLD_SECRET, "PLAIN_SECRET": "correct horse battery staple"}

FILE = """
version: 1
sources:
  telephony:
    signature: {scheme: standard, secrets: [NEW_SECRET, OLD_SECRET]}
    items: calls
    when: {state: [completed, dropped], $.test: "false"}
    map:
      team_id: {path: account.id, lookup: {A1: acme, G1: globex}}
      event_name: {value: api_call}
      idempotency_key: {join: [id, leg]}
      quantity: seconds
      timestamp: {path: ended, format: unix}
      metadata: {region: account.region, batch: $.batch}
  shop:
    signature: {scheme: stripe, secrets: PLAIN_SECRET}
    map: {team_id: team, event_name: {value: api_call}, idempotency_key: id, quantity: n, metadata: all}
  forge:
    signature: {scheme: hmac, secrets: PLAIN_SECRET, header: X-Hub-Signature-256, prefix: sha256=}
    map: {team_id: {value: acme}, event_name: {value: api_call}, idempotency_key: {header: X-Delivery}}
  timed:
    signature: {scheme: hmac, secrets: PLAIN_SECRET, header: X-Sign, encoding: base64, timestamp_header: X-Time}
    map: {team_id: {value: acme}, event_name: {value: api_call}, idempotency_key: id}
  printer:
    signature: {scheme: token, secrets: PLAIN_SECRET, query: token}
    map: {team_id: {value: acme}, event_name: {value: api_call}, idempotency_key: job, quantity: pages}
  gateway:
    signature: {scheme: token, secrets: PLAIN_SECRET, header: Authorization}
    map: {team_id: {value: acme}, event_name: {value: api_call}, idempotency_key: id}
  plain:
    signature: {scheme: standard, secrets: NEW_SECRET}
    map: {team_id: {value: acme}, event_name: {value: api_call}}
"""
CALL = {"id": "c1", "leg": 1, "state": "completed", "account": {"id": "A1", "region": "eu"}, "seconds": 12.5,
        "ended": 1773576000.25}  # fmt: skip
CALLS = {"batch": 7, "test": False, "calls": [CALL]}


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
        await house.team("globex")
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Without a key: a signature is what opens the door."""
    async with calling(house) as client:
        client.headers.pop("Authorization")
        yield client


def standard(
    body: bytes, *, secret: str = SECRET, at: datetime = NOW, id: str = "msg_1", prefix: str = "webhook"
) -> Any:
    signature = Webhook(secret).sign(id, at, body.decode())
    return {f"{prefix}-id": id, f"{prefix}-timestamp": f"{at.timestamp():.0f}", f"{prefix}-signature": signature}


def stripe(body: bytes, at: datetime = NOW) -> dict[str, str]:
    seconds = f"{at.timestamp():.0f}"
    return {"Stripe-Signature": f"t={seconds},v1={'0' * 64},v1={_mac(f'{seconds}.'.encode() + body).hex()},v0=x"}


def forge(body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={_mac(body).hex()}", "X-Delivery": "d1"}


def timed(body: bytes, at: datetime = NOW) -> dict[str, str]:
    seconds = f"{at.timestamp():.0f}"
    return {"X-Time": seconds, "X-Sign": base64.b64encode(_mac(f"{seconds}.".encode() + body)).decode()}


def gateway(_: bytes) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS['PLAIN_SECRET']}"}


def _mac(signed: bytes) -> bytes:
    return hmac.digest(SECRETS["PLAIN_SECRET"].encode(), signed, hashlib.sha256)


async def send(client: httpx.AsyncClient, source: str, payload: Any, sign: Callable[[bytes], Any]) -> httpx.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return await client.post(f"/api/webhooks/in/{source}", content=body, headers=sign(body))


async def usage(house: House, team: str = "acme") -> str:
    async with calling(house) as reader:
        report = (await reader.get("/api/usage/report", params={"team_id": team, "metric": "api_calls"})).json()
        return str(report["metrics"][0]["current_period"]["usage"])


# --- Who may send ----------------------------------------------------------------------------------


def verify(source: str, body: bytes, headers: dict[str, str], tmp_path: Path, **query: str) -> None:
    file = tmp_path / "inbound.yaml"
    file.write_text(FILE)
    sent = {name.lower(): value for name, value in headers.items()}
    verifier(read_file(file).sources[source].signature, SECRETS)(Call(sent, query, body, NOW))


BODY = b'{"n": 1}'


@pytest.mark.parametrize(
    ("source", "headers"),
    [
        pytest.param("telephony", standard(BODY), id="standard"),
        pytest.param("telephony", standard(BODY, secret=OLD_SECRET), id="a secret that is being replaced"),
        pytest.param("telephony", standard(BODY, prefix="svix"), id="svix"),
        pytest.param("telephony", standard(BODY, at=NOW - timedelta(seconds=300)), id="five minutes ago"),
        pytest.param("shop", stripe(BODY), id="stripe"),
        pytest.param("forge", forge(BODY), id="hmac"),
        pytest.param("timed", timed(BODY), id="hmac with a time"),
        pytest.param("gateway", gateway(BODY), id="token"),
    ],
)
def test_what_is_signed_right_is_let_in(source: str, headers: dict[str, str], tmp_path: Path) -> None:
    verify(source, BODY, headers, tmp_path)


FOREIGN = "whsec_" + base64.b64encode(b"somebody else's secret, thirty-two").decode()
LATE, EARLY = NOW - timedelta(seconds=301), NOW + timedelta(seconds=301)


@pytest.mark.parametrize(
    ("source", "headers", "reason"),
    [
        pytest.param("telephony", {}, "webhook-id is missing", id="standard: nothing"),
        pytest.param("telephony", standard(BODY, secret=FOREIGN), "not right", id="standard: another secret"),
        pytest.param("telephony", standard(BODY + b" "), "not right", id="standard: another body"),
        pytest.param("telephony", standard(BODY, at=LATE), "300 s away", id="standard: too old"),
        pytest.param("telephony", standard(BODY, at=EARLY), "300 s away", id="standard: too new"),
        pytest.param("telephony", standard(BODY) | {"webhook-timestamp": "x"}, "Unix", id="standard: no time"),
        pytest.param("telephony", standard(BODY) | {"webhook-timestamp": "9" * 30}, "Unix", id="standard: far"),
        pytest.param("telephony", standard(BODY) | {"webhook-id": "m"}, "not right", id="standard: another id"),
        pytest.param("telephony", standard(BODY) | {"webhook-signature": "v1,é"}, "not right", id="standard: é"),
        pytest.param("shop", stripe(BODY, LATE), "300 s away", id="stripe: too old"),
        pytest.param("shop", {"Stripe-Signature": f"t={NOW.timestamp():.0f}"}, "not right", id="stripe: no v1"),
        pytest.param("shop", {"Stripe-Signature": "nonsense"}, "Unix", id="stripe: nonsense"),
        pytest.param("forge", {"X-Hub-Signature-256": _mac(BODY).hex()}, "begin with sha256=", id="hmac: no prefix"),
        pytest.param("forge", forge(BODY + b" "), "not right", id="hmac: another body"),
        pytest.param("timed", timed(BODY, LATE), "300 s away", id="hmac: too old"),
        pytest.param("gateway", {"Authorization": "Bearer wrong"}, "not right", id="token: wrong"),
        pytest.param("gateway", {"Authorization": ""}, "not right", id="token: empty"),
        pytest.param("printer", {}, "not right", id="token: none"),
    ],
)
def test_what_is_not_is_refused(source: str, headers: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=reason):
        verify(source, BODY, headers, tmp_path)


def test_without_its_secret_a_source_can_not_be_served() -> None:
    signature = Source.model_validate({
        "signature": {"scheme": "standard", "secrets": "MINE"},
        "map": {"team_id": "t", "event_name": "n"},
    }).signature  # fmt: skip
    with pytest.raises(ConfigurationError, match="MINE is not set"):
        verifier(signature, {})
    with pytest.raises(ConfigurationError, match="no secret of Standard Webhooks"):
        verifier(signature, {"MINE": "whsec_é"})


async def test_of_what_is_refused_nothing_is_kept(house: House, client: httpx.AsyncClient) -> None:
    answer = await send(client, "telephony", CALLS, lambda body: standard(body, secret=FOREIGN))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    async with house.database.snapshot() as tx:
        assert await (await tx.execute("SELECT FROM dead_letters")).fetchall() == []
    assert await usage(house) == "0"


async def test_a_source_that_is_not_configured_does_not_exist(client: httpx.AsyncClient) -> None:
    assert (await send(client, "nobody", CALLS, standard)).status_code == 404


async def test_a_key_opens_no_source_and_a_signature_nothing_else(house: House, client: httpx.AsyncClient) -> None:
    async with calling(house) as keyed:
        assert (await keyed.post("/api/webhooks/in/telephony", json=CALLS)).status_code == 401
    assert (await client.get("/api/webhooks/in")).status_code == 401
    assert (await client.get("/api/webhooks/in/telephony")).status_code == 405


async def test_a_token_may_stand_in_the_url_and_the_payload_be_a_form(house: House, client: httpx.AsyncClient) -> None:
    place = "/api/webhooks/in/printer"
    right, wrong = {"token": SECRETS["PLAIN_SECRET"]}, {"token": "wrong"}
    assert (await client.post(place, params=right, data={"job": "j1", "pages": "12"})).json()["accepted"] == 1
    assert (await client.post(place, params=wrong, data={"job": "j2", "pages": "12"})).status_code == 401
    assert await usage(house) == "12"


# --- What becomes of a payload ---------------------------------------------------------------------


async def test_each_item_is_an_event_with_exact_numbers(house: House, client: httpx.AsyncClient) -> None:
    more = [{**CALL, "leg": 2, "seconds": 0.1}, {**CALL, "leg": 3, "state": "ringing"}]
    body = json.dumps({**CALLS, "calls": [CALL, *more]}).replace("0.1", "0.100000000000000001").encode()
    answer = (await send(client, "telephony", body, standard)).json()
    assert answer == {"accepted": 2, "duplicates": 0, "rejected": 0, "ignored": 1, "errors": []}
    assert await usage(house) == "12.600000000000000001"
    async with calling(house) as reader:
        events = (await reader.get("/api/usage/events", params={"team_id": "acme"})).json()["data"]
    assert [each["idempotency_key"] for each in events] == ["c1/2", "c1/1"]
    assert (events[1]["metadata"], events[1]["occurred_at"]) == (
        {"region": "eu", "batch": 7},
        "2026-03-15T12:00:00.250000Z",
    )


async def test_what_is_sent_again_counts_once_whatever_the_message(house: House, client: httpx.AsyncClient) -> None:
    await send(client, "telephony", CALLS, standard)
    again = (await send(client, "telephony", CALLS, lambda body: standard(body, id="msg_2"))).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert await usage(house) == "12.5"


async def test_the_id_of_a_standard_message_is_an_identity_where_there_is_no_other(
    house: House, client: httpx.AsyncClient
) -> None:
    for id, accepted in (("msg_1", 1), ("msg_1", 0), ("msg_2", 1)):
        answer = await send(client, "plain", {}, partial(standard, id=id))
        assert answer.json()["accepted"] == accepted


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown_team": ({"account": {"id": "X9"}}, "team_id"),
    "missing_field": ({"account": {}}, "team_id"),
    "invalid_quantity": ({"seconds": [1]}, "quantity"),
    "invalid_timestamp": ({"ended": 1e300}, "timestamp"),
    "timestamp_in_future": ({"ended": 4102444800}, "timestamp"),
    "invalid_idempotency_key": ({"id": "x" * 300}, "idempotency_key"),
}


async def test_items_that_can_not_be_taken_are_dead_letters_and_spoil_no_other(
    house: House, client: httpx.AsyncClient
) -> None:
    items = [
        CALL,
        *({**CALL, "id": f"bad {i}", **change} for i, (change, _) in enumerate(BAD.values())),
        {**CALL, "id": None},
    ]
    answer = await send(client, "telephony", {**CALLS, "calls": items}, standard)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["rejected"]) == (1, len(BAD) + 1)
    expected = [(i, code, field) for i, (code, (_, field)) in enumerate(BAD.items(), 1)]
    expected.append((len(items) - 1, "missing_field", "idempotency_key"))
    assert [(each["index"], each["code"], each["field"]) for each in told["errors"]] == expected
    async with calling(house) as reader:
        letters = (await reader.get("/api/usage/dead-letters")).json()["data"]
    assert sorted(letter["code"] for letter in letters) == sorted(code for _, code, _ in expected)


async def test_a_payload_that_can_not_be_read_is_refused(client: httpx.AsyncClient) -> None:
    for body in (b"", b"{", b"[" * 5000, b'{"calls": 1}', b'{"calls": [1e99999]}', b"NaN"):
        answer = await client.post("/api/webhooks/in/telephony", content=body, headers=standard(body))
        assert answer.status_code == 400, answer.text
    answer = await client.post("/api/webhooks/in/telephony", content=b"\xff", headers=standard(b""))
    assert answer.status_code == 401


async def test_a_payload_that_is_too_large_is_refused_before_it_is_looked_at(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/webhooks/in/telephony", content=b" " * (1024 * 1024 + 1))).status_code == 413


async def test_sources_are_listed_with_what_came(house: House, client: httpx.AsyncClient) -> None:
    await send(client, "telephony", {**CALLS, "calls": [CALL, CALL, {**CALL, "state": "ringing"}, {}]}, standard)
    async with calling(house) as reader:
        listed = {each["source"]: each for each in (await reader.get("/api/webhooks/in")).json()["data"]}
    assert set(listed) == {"telephony", "shop", "forge", "timed", "printer", "gateway", "plain"}
    assert listed["telephony"] == {
        "source": "telephony",
        "scheme": "standard",
        "requests": 1,
        "accepted": 1,
        "duplicates": 1,
        "rejected": 0,
        "ignored": 2,
        "last_at": "2026-03-15T12:00:00Z",
    }
    assert not any(secret in json.dumps(listed) for secret in SECRETS.values())
    async with calling(house, Scope.READ, "acme") as bound:
        assert (await bound.get("/api/webhooks/in")).status_code == 403


# --- The settings file -----------------------------------------------------------------------------

WRONG = [
    ("", "the file: input should be"),
    ("version: 2\nsources: {}", "version: input should be 1"),
    ("version: 1\nsources: {Upper: 1}", "sources.Upper"),
    ("version: 1\nsources: {a: {signature: {scheme: magic}}}", "'magic'"),
    ("version: [", "not YAML"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "inbound.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"inbound\.yaml") as caught:
        read_file(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("idempotency_key: {join: [id, leg]}", "unit: {value: s}", None),
        ("idempotency_key: {header: X-Delivery}", "unit: {value: s}", "map needs an idempotency_key"),
        ("{path: ended, format: unix}", "{path: ended, value: 1}", "one of path, value, join and header"),
        ("quantity: seconds", "quantity: {path: seconds, format: unix}", "quantity is no instant"),
        ("secrets: [NEW_SECRET, OLD_SECRET]", "secrets: whsec_abc=", "names of environment variables"),
        ("query: token", "query: token, header: X", "give one of the two"),
        ("items: calls", "itmes: calls", "itmes"),
        ("  telephony:", "  tele/phony:", "'tele/phony'"),
    ],
)
def test_a_wrong_source_is_refused(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    file = tmp_path / "inbound.yaml"
    file.write_text(FILE.replace(old, new))
    if message is None:
        read_file(file)
        return
    with pytest.raises(ConfigurationError) as caught:
        read_file(file)
    assert message in str(caught.value)


def test_paths_lead_through_lists_and_defaults_fill_in() -> None:
    source = Source.model_validate({
        "signature": {"scheme": "token", "secrets": "S", "header": "X"},
        "map": {
            "team_id": {"path": "who.0.id", "default": "acme"},
            "event_name": "kind",
            "idempotency_key": "id",
            "timestamp": {"path": "at", "format": "unix_ms"},
            "metadata": "all",
        },
    })  # fmt: skip
    payload = read_payload(b'{"who": [{"id": 5}], "kind": true, "id": 1.50, "at": 1773576000123.9}')
    [(_, event, _)] = events_of(source, payload, {}, Limits(NOW, timedelta(hours=1), 10)).decoded.events
    assert (event.team_id, event.event_name, event.idempotency_key) == ("5", "true", "1.5")
    assert event.occurred_at == NOW + timedelta(microseconds=123_900)
    [(_, event, _)] = events_of(source, {"kind": "k", "id": "i"}, {}, Limits(NOW, timedelta(0), 10)).decoded.events
    assert (event.team_id, event.occurred_at) == ("acme", NOW)
