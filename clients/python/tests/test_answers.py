"""What an answer means: settled, too much at once, or to be sent again."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tallystick_client.answers import Failed, Later, Reply, Settled, TooMuch, judge, seconds
from tallystick_client.delivery import Backoff


def reply(status: int, answer: Any = None, retry_after: str | None = None) -> Reply:
    return Reply(status, json.dumps(answer).encode() if answer is not None else b"<html>", retry_after)


def counts(accepted: int, duplicates: int, rejected: int, *errors: Any) -> dict[str, Any]:
    return {"accepted": accepted, "duplicates": duplicates, "rejected": rejected, "errors": list(errors)}


BAD = {"index": 1, "code": "invalid_quantity", "message": "no"}


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (reply(200, counts(2, 1, 0)), Settled),
        (reply(200, counts(1, 1, 1, BAD)), Settled),
        (reply(422, {**counts(0, 0, 3, BAD, BAD, BAD), "code": "invalid_quantity"}), Settled),
        (reply(200), Later),
        (reply(200, []), Later),
        (reply(200, counts(1, 1, 0)), Later),
        (reply(200, counts(2, 0, 1)), Later),
        (reply(200, counts(2, 0, 1, {"index": 3})), Later),
        (reply(200, counts(2, 0, 1, "x")), Later),
        (reply(200, {**counts(3, 0, 0), "accepted": True}), Later),
        (reply(413), TooMuch),
        (reply(400, {"code": "malformed_body", "detail": "no"}), TooMuch),
        (reply(400), Later),
        (reply(422), Later),
        (reply(401, {"code": "unauthorized"}), Later),
        (reply(404), Later),
        (reply(301), Later),
        (reply(429), Later),
        (reply(500), Later),
        (reply(503), Later),
        (Failed("no connection"), Later),
    ],
)
def test_every_answer_means_one_thing(came: Any, kind: type):
    assert type(judge(came, 3)) is kind


def test_a_setting_that_is_wrong_is_told_from_a_server_that_is_busy():
    assert judge(reply(401, {"detail": "no key"}), 1) == Later("the server answered 401: no key", None, wrong=True)
    assert judge(reply(503, retry_after="7"), 1) == Later("the server answered 503", 7.0)


def test_retry_after_is_seconds_or_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert seconds("120") == 120
    assert 80 < (seconds(soon) or 0) <= 90
    assert seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 0
    assert seconds("99999999") == 3600
    assert [seconds(text) for text in (None, "", "soon", "-1", "1.5", "²")] == [None] * 6


def test_backoff_grows_with_full_jitter_and_never_comes_before_it_is_asked_for():
    backoff = Backoff(first=1, longest=8)
    rounds = [[Backoff(first=1, longest=8).next(None) for _ in range(200)]]
    assert min(rounds[0]) < 0.2
    assert 0.8 < max(rounds[0]) <= 1
    waits = [backoff.next(None) for _ in range(50)]
    assert all(0 <= wait <= min(8, 2**attempt) for attempt, wait in enumerate(waits))
    assert max(waits) > 4
    assert 10 <= backoff.next(10) <= 18
