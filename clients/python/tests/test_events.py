"""What `track()` accepts, and how it is written down."""

import json
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tallystick_client import InvalidEvent, RecordingTracker
from tallystick_client.events import encode_event, new_key


def tracked(*arguments: Any, **named: Any) -> dict[str, Any]:
    tracker = RecordingTracker()
    tracker.track(*arguments, **named)
    return tracker.events[0]


def test_a_key_is_a_version_7_uuid_that_sorts_by_time():
    keys = [new_key() for _ in range(1000)]
    assert len(set(keys)) == 1000
    assert {(uuid.UUID(key).version, uuid.UUID(key).variant) for key in keys} == {(7, uuid.RFC_4122)}
    milliseconds = [uuid.UUID(key).int >> 80 for key in keys]
    assert all(earlier <= later for earlier, later in pairwise(milliseconds))


def test_an_event_has_what_the_server_asks_for():
    event = tracked("acme", "api_call", 3, unit="call", user_id="ann", endpoint="/v1/search", region="eu")
    assert event | {"timestamp": "", "idempotency_key": ""} == {
        "team_id": "acme",
        "event_name": "api_call",
        "quantity": "3",
        "unit": "call",
        "user_id": "ann",
        "metadata": {"endpoint": "/v1/search", "region": "eu"},
        "timestamp": "",
        "idempotency_key": "",
    }
    assert datetime.fromisoformat(event["timestamp"]).utcoffset() == timedelta(0)
    assert uuid.UUID(event["idempotency_key"]).version == 7


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (1, "1"),
        (-5, "-5"),
        ("0.1", "0.1"),
        (".5", ".5"),
        ("1e3", "1e3"),
        (Decimal("0.000000000000000001"), "1E-18"),
        (Decimal("99999999999999999999.999999999999999999"), "99999999999999999999.999999999999999999"),
        (Decimal("1.50000000000000000000"), "1.50000000000000000000"),
        (10**19, "10000000000000000000"),
    ],
)
def test_a_quantity_is_written_exactly(given: Any, written: str):
    text = tracked("acme", "x", given)["quantity"]
    assert Decimal(text) == Decimal(written)


@pytest.mark.parametrize(
    "wrong",
    [
        0.1,
        True,
        None,
        "x",
        "1 ",
        "NaN",
        "",
        "١",
        Decimal("NaN"),
        Decimal("Infinity"),
        10**20,
        "1e-19",
        "1e999999",
        b"1",
    ],
)
def test_a_quantity_that_is_no_exact_number_is_refused_and_named(wrong: Any):
    with pytest.raises(InvalidEvent, match="quantity"):
        tracked("acme", "x", wrong)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("", "x"), {}),
        (("acme", ""), {}),
        (("a" * 256, "x"), {}),
        (("é" * 128, "x"), {}),
        (("acme\n", "x"), {}),
        ((7, "x"), {}),
        (("acme", "x"), {"unit": 5}),
        (("acme", "x"), {"idempotency_key": ""}),
        (("acme", "x"), {"timestamp": datetime(2026, 3, 1)}),  # noqa: DTZ001 - naive, and therefore refused
        (("acme", "x"), {"timestamp": "2026-03-01T00:00:00Z"}),
        (("acme", "x"), {"price": 0.1}),
        (("acme", "x"), {"usage": {"cost": [1, 0.1]}}),
        (("acme", "x"), {"price": Decimal("NaN")}),
        (("acme", "x"), {"thing": object()}),
        (("acme", "x"), {"text": "\ud800"}),
        (("acme", "x"), {"properties": {f"k{i}": i for i in range(51)}}),
        (("acme", "x"), {"text": "x" * 17_000}),
    ],
)
def test_what_the_server_would_reject_is_refused_at_once(arguments: Any, named: Any):
    with pytest.raises(InvalidEvent):
        tracked(*arguments, **named)


def test_too_deep_metadata_is_refused():
    deep: Any = 1
    for _ in range(17):
        deep = {"a": deep}
    with pytest.raises(InvalidEvent, match="deeper"):
        tracked("acme", "x", deep=deep)


def test_metadata_keeps_exact_numbers_and_every_name():
    moment = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=2)))
    event = tracked(
        "acme",
        "x",
        price=Decimal("0.10"),
        at=moment,
        names=("a", "b"),
        properties={"unit": "card", "content-type": "x"},
    )
    assert event["metadata"] == {
        "price": "0.10",
        "at": "2026-03-01T00:00:00+02:00",
        "names": ["a", "b"],
        "unit": "card",
        "content-type": "x",
    }


def test_an_event_is_one_line():
    encoded = encode_event("acme", "x", 1, {"text": "a\nb\u2028c"})
    assert b"\n" not in encoded
    assert json.loads(encoded)["metadata"] == {"text": "a\nb\u2028c"}


def test_the_recording_tracker_adds_up_what_counts_once():
    tracker = RecordingTracker()
    tracker.track("acme", "x", "0.1", idempotency_key="a")
    tracker.track("acme", "x", "0.2", idempotency_key="b")
    tracker.track("acme", "x", "0.7", idempotency_key="a")
    tracker.track("globex", "x", 5)
    assert tracker.total("acme", "x") == Decimal("0.3")
