"""What a producer that was made for Lago is answered: its events, or which of them were refused and why."""

from collections import defaultdict
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from tallystick.http.answers import rfc3339
from tallystick.http.problems import problem
from tallystick.integrations.foreign import NULL, not_taken
from tallystick.integrations.lago.events import AMOUNT, LAGO
from tallystick.metering.decoding import Decoded
from tallystick.metering.ingestion import Outcome
from tallystick.metering.models import NewEvent

CODE = "validation_errors"
_metadata = msgspec.json.Decoder(dict[str, msgspec.Raw])


def one(decoded: Decoded, outcome: Outcome, now: datetime) -> Response:
    """The answer to a single event: it, or the fields at fault. An event that was known is no failure."""
    if not_taken(decoded, outcome):
        return _refused(outcome, {field: reasons for _, field, reasons in _faults(outcome)})
    return _ok({"event": _view(decoded.events[0][1], now)})


def many(decoded: Decoded, outcome: Outcome, now: datetime) -> Response:
    """The answer to a batch: its events, or the fields at fault by place in it; the other events are stored."""
    if not_taken(decoded, outcome):
        by_place: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for place, field, reasons in _faults(outcome):
            by_place[str(place)][field] = reasons
        return _refused(outcome, by_place)
    return _ok({"events": [_view(event, now) for _, event, _ in decoded.events]})


def _ok(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


def _faults(outcome: Outcome) -> list[tuple[int, str, list[str]]]:
    """Place, field and reasons of what was refused."""
    errors = [error for error in LAGO.errors(outcome) if error["code"] != "conflict"]
    return [(error["index"], error["field"] or "event", [error["code"], error["message"]]) for error in errors]


def _refused(outcome: Outcome, details: dict[str, Any]) -> Response:
    """A problem that also has the members that Lago's clients look for."""
    first = next(error["message"] for error in LAGO.errors(outcome) if error["code"] != "conflict")
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, CODE, first, members={"error": status.phrase, "error_details": details})


def _view(event: NewEvent, now: datetime) -> dict[str, Any]:
    metadata = {} if event.metadata is None else _metadata.decode(event.metadata)
    return {
        "lago_id": str(event.id),
        "transaction_id": event.idempotency_key,
        "lago_customer_id": None,
        "lago_subscription_id": None,
        "external_subscription_id": event.team_id,
        "code": event.event_name,
        "timestamp": rfc3339(event.occurred_at),
        AMOUNT: metadata.pop(AMOUNT, NULL),
        "properties": metadata,
        "created_at": rfc3339(now),
    }
