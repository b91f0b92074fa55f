"""What an answer of the server means for the batch that was sent. No I/O.

| Answer | Means | Then |
|---|---|---|
| 200, 422, with counts that add up | `Settled` | delete the batch; events that were rejected become dead letters |
| 413; 400 and 422 with a reason | `TooMuch` | send each half alone; what can't be halved is a dead letter |
| anything else, or none | `Later` | send it again: nobody knows, or it is the server's state, or a setting is wrong |
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Union

MAX_RETRY_AFTER = 3600


class Reply(NamedTuple):
    """An answer as the transport gives it."""

    status: int
    body: bytes
    retry_after: str | None = None


class Failed(NamedTuple):
    """There was no answer: no connection, a time-out."""

    reason: str


class Settled(NamedTuple):
    """Every event of the batch is stored, was stored before, or is rejected for good."""

    accepted: int
    duplicates: int
    errors: list[dict[str, Any]]


class TooMuch(NamedTuple):
    """The request as a whole was refused, for something that is in it."""

    code: str
    message: str


class Later(NamedTuple):
    """Nothing is known to be stored. `wait` is what the server asked for, in seconds; `wrong` is a setting."""

    reason: str
    wait: float | None = None
    wrong: bool = False


Verdict = Union[Settled, TooMuch, Later]

TEMPORARY = (408, 425, 429)
"""Statuses that say to send it again, besides 500 and above."""


def judge(reply: Reply | Failed, count: int) -> Verdict:
    """What the reply to a batch of `count` events means."""
    if isinstance(reply, Failed):
        return Later(reply.reason)
    if reply.status >= 500 or reply.status in TEMPORARY:
        return Later(f"the server answered {reply.status}", seconds(reply.retry_after))
    answer = members(reply.body)
    if reply.status in (200, 422) and (settled := _settled(answer, count)):
        return settled
    if reply.status == 413 or (reply.status in (400, 422) and "code" in answer):
        return TooMuch(str(answer.get("code", "too_large")), str(answer.get("detail", "the request is too large")))
    detail = answer.get("detail", "is the URL that of a Tallystick server?")
    return Later(f"the server answered {reply.status}: {detail}", seconds(reply.retry_after), wrong=True)


def members(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; none, where the body is something else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _settled(answer: dict[str, Any], count: int) -> Settled | None:
    """The outcome, if the answer accounts for every event; a proxy's "200 OK" does not."""
    accepted, duplicates, rejected = (answer.get(name) for name in ("accepted", "duplicates", "rejected"))
    errors = answer.get("errors")
    if not (type(accepted) is type(duplicates) is type(rejected) is int and isinstance(errors, list)):
        return None
    places = [error.get("index") for error in errors if isinstance(error, dict)]
    right = all(type(place) is int and 0 <= place < count for place in places) and len(places) == len(errors)
    if not right or accepted + duplicates + rejected != count or len(errors) < rejected:
        return None
    return Settled(accepted, duplicates, errors)


def seconds(retry_after: str | None) -> float | None:
    """What `Retry-After` asks for, as seconds or as a date (RFC 9110); None where it says nothing sensible."""
    if not retry_after:
        return None
    try:
        asked = float(retry_after) if retry_after.strip().isdigit() else _until(retry_after)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(asked, 0.0), MAX_RETRY_AFTER)


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()
