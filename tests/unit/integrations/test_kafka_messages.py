"""What a Kafka message means: its events, their identity, and that nothing in it is too strange to be read."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.integrations.kafka.messages import key_of, read, together
from tallystick.integrations.kafka.models import Format, Message, Reading, Security, Subscription, parse_fields
from tallystick.metering.decoding import Decoded, Limits
from tallystick.metering.models import NewEvent

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
PRODUCED = datetime(2026, 3, 14, 9, 30, 0, 123000, tzinfo=UTC)
LIMITS = Limits(NOW, timedelta(hours=1), 100)
EVENT = {"team_id": "acme", "event_name": "call"}
CLOUDEVENT = {"specversion": "1.0", "id": "1", "source": "/app", "type": "call", "subject": "acme"}


def message(value: Any, *, key: bytes | None = None, **headers: bytes) -> Message:
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    named = [(name.replace("__", "-"), header) for name, header in headers.items()]
    return Message("usage", 3, 7, int(PRODUCED.timestamp() * 1000), key, data, named)


def decoded(sent: Message, fields: dict[str, str] | None = None, format: Format = Format.AUTO) -> Decoded:
    return read(sent, Reading(format, fields or {}), LIMITS)


def one(sent: Message, fields: dict[str, str] | None = None) -> NewEvent:
    found = decoded(sent, fields)
    assert found.rejections == []
    [(position, event, _)] = found.events
    assert position == 0
    return event


def refused(sent: Message, fields: dict[str, str] | None = None, format: Format = Format.AUTO) -> str:
    found = decoded(sent, fields, format)
    assert found.events == []
    [rejected] = found.rejections
    assert rejected.idempotency_key
    return f"{rejected.code}: {rejected.message}"


def test_an_event_is_taken_as_the_track_route_takes_it():
    sent = {
        **EVENT,
        "quantity": 2.50,
        "timestamp": "2026-03-01T00:00:00Z",
        "idempotency_key": "k",
        "metadata": {"a": 1},
    }
    event = one(message(sent))
    assert (event.team_id, event.event_name, str(event.quantity), event.idempotency_key) == ("acme", "call", "2.5", "k")
    assert event.metadata == '{"a":1}'


def test_an_event_without_a_time_happened_when_its_message_was_produced():
    assert one(message(EVENT)).occurred_at == PRODUCED


def test_an_event_without_a_key_gets_one_from_its_place_whenever_it_is_read():
    first = one(message(EVENT)).idempotency_key
    assert first.startswith("kafka:usage:3:7:")
    assert one(message(EVENT)).idempotency_key == first
    assert one(message(EVENT)._replace(offset=8)).idempotency_key != first
    assert one(message({**EVENT, "quantity": 2})).idempotency_key != first


def test_a_topic_that_was_made_anew_gives_other_keys():
    later = message(EVENT)._replace(timestamp_ms=message(EVENT).timestamp_ms + 1)
    assert one(later).idempotency_key != one(message(EVENT)).idempotency_key


def test_topics_of_two_clusters_can_be_told_apart():
    assert key_of(message(EVENT), Reading(source="a")) != key_of(message(EVENT), Reading(source="b"))


def test_no_key_is_too_long():
    sent = message(EVENT)._replace(topic="t" * 249, partition=2**31 - 1, offset=2**63 - 1)
    found = read(sent._replace(value=json.dumps([EVENT] * 100).encode()), Reading(), LIMITS)
    assert len(found.events) == 100
    assert len({event.idempotency_key for _, event, _ in found.events}) == 100


@pytest.mark.parametrize("text", ["[{0},{1}]", "{0}\n{1}\n"])
def test_a_message_may_hold_several_events(text: str):
    first, second = json.dumps(EVENT), json.dumps({**EVENT, "quantity": 2})
    found = decoded(message(text.format(first, second).encode() if "[" in text else f"{first}\n{second}\n".encode()))
    assert [str(event.quantity) for _, event, _ in found.events] == ["1", "2"]
    assert len({event.idempotency_key for _, event, _ in found.events}) == 2


def test_one_bad_event_in_a_message_costs_no_other():
    found = decoded(message([EVENT, 7, {**EVENT, "quantity": "x"}, EVENT]))
    assert [position for position, _, _ in found.events] == [0, 3]
    assert [(each.position, each.code) for each in found.rejections] == [(1, "malformed_json"), (2, "invalid_quantity")]


def test_fields_can_come_from_key_topic_and_headers_where_the_value_has_none():
    fields = parse_fields(["team_id=key", "event_name=topic", "idempotency_key=header:request-id", "quantity=header:n"])
    event = one(message({}, key=b"acme", request__id=b"r1", n=b"1.50"), fields)
    assert (event.team_id, event.event_name, event.idempotency_key) == ("acme", "usage", "r1")
    assert str(event.quantity) == "1.50"
    assert one(message({"team_id": "own"}, key=b"acme"), fields).team_id == "own"
    assert one(message({"team_id": None}, key=b"acme"), fields).team_id == "acme"
    assert refused(message({}, key=b"\xff"), fields) == "missing_field: team_id is required"


def test_a_cloudevent_tells_itself_structured():
    event = one(message({**CLOUDEVENT, "data": {"quantity": 3, "region": "eu"}}))
    assert (event.team_id, event.event_name, event.idempotency_key) == ("acme", "call", '["/app","1"]')
    assert str(event.quantity) == "3"
    assert event.occurred_at == PRODUCED


def test_a_cloudevent_tells_itself_by_headers_which_are_plain_text():
    headers = {f"ce_{name}": value.encode() for name, value in CLOUDEVENT.items()} | {"ce_id": b'"a%20b"'}
    event = one(message({"quantity": 3}, **headers, content__type=b"application/json; charset=utf-8"))
    assert event.idempotency_key == r'["/app","\"a%20b\""]'
    assert str(event.quantity) == "3"


def test_several_cloudevents_in_a_message_are_as_many_events():
    batch = [CLOUDEVENT, {**CLOUDEVENT, "id": "2"}]
    found = decoded(message(batch, content__type=b"application/cloudevents-batch+json"))
    assert [event.idempotency_key for _, event, _ in found.events] == ['["/app","1"]', '["/app","2"]']


def test_the_team_of_a_cloudevent_can_be_the_messages_key():
    sent = {name: value for name, value in CLOUDEVENT.items() if name != "subject"}
    assert one(message(sent, key=b"acme"), {"team_id": "key"}).team_id == "acme"
    assert refused(message(sent)).startswith("missing_field: team_id")


def test_a_format_that_is_given_is_not_guessed():
    assert "unknown field 'specversion'" in refused(message({**EVENT, **CLOUDEVENT}), format=Format.EVENT)
    assert refused(message(EVENT), format=Format.CLOUDEVENT).startswith("missing_field")


def test_a_message_without_a_value_is_no_event():
    assert decoded(message(None)) == decoded(message(b"")) == ([], [], {}, 0, "event")


def test_the_prefix_of_a_schema_registry_is_passed_over():
    assert one(message(b"\0\0\0\0\x05" + json.dumps(EVENT).encode())).team_id == "acme"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"nonsense", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b'{"team_id": "acme\xff", "event_name": "call"}', "malformed_json"),
        (b"{" * 10_000, "malformed_json"),
        (b"[]", "empty_body"),
        (b"   ", "empty_body"),
        (json.dumps([EVENT] * 101).encode(), "too_large"),
        (b"\0\0\0\0\x05\x02avro", "malformed_json"),
        (b'{"team_id":"acme","event_name":"call","quantity":1e999999999}', "invalid_quantity"),
        (b'{"specversion":"1.0","data":' + b"[" * 5000, "malformed_json"),
        (b'{"specversion":"0.3","id":"1","source":"s","type":"t","subject":"a"}', "invalid_specversion"),
    ],
)
def test_what_is_no_event_is_refused_and_said(value: bytes, reason: str):
    assert refused(message(value)).startswith(reason)


@pytest.mark.parametrize("timestamp_ms", [2**62, -(2**62), -1, 0])
def test_a_strange_time_of_a_message_stops_nothing(timestamp_ms: int):
    found = read(message(EVENT)._replace(timestamp_ms=timestamp_ms), Reading(), LIMITS)
    assert [each.code for each in found.rejections] == (["invalid_timestamp"] if timestamp_ms > 0 else [])


@pytest.mark.parametrize("seed", range(20))
def test_whatever_bytes_come_each_is_an_event_or_a_rejection(seed: int):
    rng = random.Random(seed)
    whole = json.dumps({**CLOUDEVENT, **EVENT, "data": {"quantity": 1}}).encode()
    for _ in range(300):
        value = bytearray(whole if rng.random() < 0.7 else rng.randbytes(rng.randrange(60)))
        for _ in range(rng.randrange(6)):
            value[rng.randrange(len(value) + 1) : rng.randrange(len(value) + 1)] = rng.randbytes(rng.randrange(4))
        headers = {
            name: rng.randbytes(3) for name in ("ce_specversion", "ce_id", "content__type") if rng.random() < 0.2
        }
        found = decoded(message(bytes(value) or b"x", key=rng.randbytes(3), **headers), {"team_id": "key"})
        assert len(found.events) + len(found.rejections) == found.size >= 1


def test_messages_together_keep_the_places_of_their_events():
    found = together([decoded(message(EVENT)), decoded(message(b"x")), decoded(message([EVENT, 1, EVENT]))])
    assert [position for position, _, _ in found.events] == [0, 2, 4]
    assert [each.position for each in found.rejections] == [1, 3]
    assert found.size == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("team_id", "is not FIELD=ORIGIN"),
        ("team=key", "is not one of team_id"),
        ("team_id=value", "is not key, topic or header:NAME"),
        ("team_id=header:", "names no header"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused(text: str, message: str):
    with pytest.raises(InvalidInput, match=message):
        Reading(fields=parse_fields([text]))


def test_logging_in_needs_a_name_and_a_password_which_is_not_shown():
    with pytest.raises(InvalidInput, match="TALLYSTICK_KAFKA_PASSWORD"):
        Subscription(["k:9092"], ["usage"], "g", security=Security.SASL_TLS)
    shown = repr(Subscription(["k:9092"], ["usage"], "g", security=Security.SASL_TLS, username="u", password="secret"))
    assert "secret" not in shown
