"""`POST /api/usage/track`: the one route that has to be fast, so it is a bare endpoint without a framework."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import InvalidInput
from tallystick.core.settings import Settings
from tallystick.http.access import guarded, principal_of
from tallystick.http.body import MalformedBody, read_body
from tallystick.http.principal import Scope
from tallystick.http.problems import problem
from tallystick.metering.decoding import MAX_METADATA_BYTES, MAX_METADATA_KEYS, Decoded, decode
from tallystick.metering.ingestion import Outcome
from tallystick.metering.service import Metering
from tallystick.metering.views import EXAMPLE_EVENT

EVENT_SCHEMA = {
    "type": "object",
    "required": ["team_id", "event_name"],
    "additionalProperties": False,
    "properties": {
        "team_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "description": "The customer who is billed.",
        },
        "event_name": {"type": "string", "minLength": 1, "maxLength": 255, "description": "What happened."},
        "quantity": {
            "oneOf": [{"type": "number"}, {"type": "string", "format": "decimal"}],
            "default": 1,
            "description": "How much: below 10^20 in absolute value, at most 18 decimals, exact. "
            "Negative only where a metric of the event allows it.",
        },
        "unit": {
            "type": ["string", "null"],
            "maxLength": 255,
            "description": "Checked against the metric's unit.",
        },
        "timestamp": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When it happened (RFC 3339 with offset); default: now; at most an hour ahead.",
        },
        "user_id": {"type": ["string", "null"], "maxLength": 255},
        "event_type": {"type": ["string", "null"], "maxLength": 255},
        "metadata": {
            "type": ["object", "null"],
            "maxProperties": MAX_METADATA_KEYS,
            "description": "Anything else to count or group by: "
            f"at most {MAX_METADATA_KEYS} keys, {MAX_METADATA_BYTES} bytes.",
        },
        "idempotency_key": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 255,
            "description": "With the team, the event's identity for ever. Made and returned when absent.",
        },
    },
    "example": EXAMPLE_EVENT,
}
ANOTHER_EVENT = {**EXAMPLE_EVENT, "idempotency_key": "req_9V3NXE6J0H"}
ANSWER_SCHEMA = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected", "errors"],
    "properties": {
        "accepted": {"type": "integer", "description": "Events stored by this request; they are durable."},
        "duplicates": {
            "type": "integer",
            "description": "Events that were stored before, by the same identity.",
        },
        "rejected": {"type": "integer", "description": "Events that were not taken; each is in `errors`."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Place of the event in the request, from 0."},
                    "field": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
            "description": "Why events were rejected; also `conflict`: a duplicate with other content.",
        },
        "idempotency_keys": {
            "type": "array",
            "description": "The keys that were made for events without one.",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "idempotency_key": {"type": "string"}},
            },
        },
    },
    "example": {
        "accepted": 1,
        "duplicates": 1,
        "rejected": 1,
        "errors": [
            {
                "index": 2,
                "field": "quantity",
                "code": "invalid_quantity",
                "message": "quantity must be a finite number",
            }
        ],
    },
}
OPERATION: dict[str, Any] = {
    "tags": ["usage"],
    "summary": "Track usage",
    "description": "Store one event, a JSON array of events, or NDJSON (one event per line); gzip is accepted. "
    "It answers after the commit: what is `accepted` can't be lost. An event is counted once for ever: sending "
    "it again, with any timestamp, is a duplicate. A bad event is rejected alone and kept as a dead letter; when "
    "every event was rejected, the answer is 422. Scope: ingest.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [EVENT_SCHEMA, {"type": "array", "minItems": 1, "items": EVENT_SCHEMA}]},
                "examples": {
                    "one": {"summary": "One event", "value": EXAMPLE_EVENT},
                    "batch": {
                        "summary": "A batch",
                        "value": [EXAMPLE_EVENT, {**EXAMPLE_EVENT, "idempotency_key": "req_2"}],
                    },
                },
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "One event per line."}},
        },
    },
    "responses": {
        "200": {"description": "Stored.", "content": {"application/json": {"schema": ANSWER_SCHEMA}}},
        "422": {
            "description": "Every event was rejected; `detail` says why the first one was.",
            "content": {"application/problem+json": {"schema": ANSWER_SCHEMA}},
        },
    },
}

_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines")


@guarded(Scope.INGEST, operation=OPERATION)
async def track(request: Request) -> Response:
    """Store the events of a request; see OPERATION."""
    metering: Metering = request.app.state.metering
    settings: Settings = request.app.state.settings
    body = await read_body(request, settings.max_body_bytes)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        decoded = decode(body, metering.limits.now(), ndjson=media_type in _NDJSON)
    except InvalidInput as error:
        raise MalformedBody(str(error)) from None
    outcome = await metering.ingestor.submit(decoded, allowed_team=principal_of(request).team_id)
    return answer(decoded, outcome)


def answer(decoded: Decoded, outcome: Outcome, **more: Any) -> Response:
    """The answer that says what became of the events of a request; 422 where every one was rejected.

    Args:
        decoded: the request.
        outcome: what became of it.
        more: further members of the answer, whatever it is.
    """
    rejected = decoded.size - outcome.accepted - outcome.duplicates
    members: dict[str, Any] = {
        **more,
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "rejected": rejected,
        "errors": [
            {"index": r.position, "field": r.field, "code": r.code, "message": r.message} for r in outcome.rejections
        ],
    }
    if outcome.generated_keys:
        keys = outcome.generated_keys.items()
        members["idempotency_keys"] = [{"index": position, "idempotency_key": key} for position, key in keys]
    if rejected == decoded.size:
        first = outcome.rejections[0]
        detail = first.message if rejected == 1 else f"every event was rejected; the first: {first.message}"
        return problem(422, first.code, detail, members=members)
    return Response(msgspec.json.encode(members), media_type="application/json")


routes = [Route("/api/usage/track", track, methods=["POST"], name="track_usage")]
