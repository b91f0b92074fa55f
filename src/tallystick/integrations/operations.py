"""How the OpenAPI document shows the routes for producers of other systems."""

from typing import Any

from tallystick.http.problems import MEDIA_TYPE

CLOUDEVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "description": "With `source`, the event's identity for ever."},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The event name."},
        "subject": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The team."},
        "time": {"type": ["string", "null"], "format": "date-time", "description": "Default: now."},
        "datacontenttype": {"type": ["string", "null"], "examples": ["application/json"]},
        "data": {
            "type": ["object", "null"],
            "description": "Becomes the metadata, which metrics read values and dimensions from. `quantity` in it, "
            "a number or decimal text, is the event's quantity; 1 without it.",
        },
        "data_base64": {"type": ["string", "null"], "format": "byte", "description": "`data` as encoded JSON."},
    },
    "example": {
        "specversion": "1.0",
        "id": "0192f3a1",
        "source": "my-app",
        "type": "api_call",
        "subject": "acme",
        "time": "2026-03-15T12:00:00Z",
        "data": {"bytes": 512, "region": "eu"},
    },
}
LAGO_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["transaction_id", "code"],
    "properties": {
        "transaction_id": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The idempotency key."},
        "external_subscription_id": {"type": ["string", "null"], "maxLength": 255, "description": "The team."},
        "external_customer_id": {
            "type": ["string", "null"],
            "maxLength": 255,
            "description": "The team where the former is absent.",
        },
        "code": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The event name."},
        "timestamp": {
            "type": ["number", "string", "null"],
            "description": "Unix seconds, with decimals down to the microsecond. Default: now.",
        },
        "properties": {"type": ["object", "null"], "description": "Becomes the metadata."},
        "precise_total_amount_cents": {"type": ["number", "string", "null"], "description": "A metadata key."},
    },
    "example": {
        "transaction_id": "0192f3a1",
        "external_subscription_id": "acme",
        "code": "storage",
        "timestamp": "1773576000.123",
        "properties": {"gb": 10},
    },
}
_BATCH_SCHEMA: dict[str, Any] = {"type": "array", "minItems": 1, "items": CLOUDEVENT_SCHEMA}
_LAGO_ONE: dict[str, Any] = {"type": "object", "required": ["event"], "properties": {"event": LAGO_SCHEMA}}
_LAGO_BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "minItems": 1, "items": LAGO_SCHEMA}},
}
_DETAIL: dict[str, Any] = {"detail": {"type": "string"}, "code": {"type": "string"}}
_REFUSED: dict[str, Any] = {
    "type": "object",
    "required": ["detail", "code"],
    "properties": {
        **_DETAIL,
        **{name: {"type": "integer"} for name in ("accepted", "duplicates", "rejected")},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Place of the event in the request, from 0."},
                    "field": {"type": ["string", "null"], "description": "An attribute of the CloudEvent."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_REFUSED_BY_FIELD: dict[str, Any] = {
    "type": "object",
    "required": ["detail", "code"],
    "properties": {
        **_DETAIL,
        "error": {"type": "string", "examples": ["Unprocessable Entity"]},
        "error_details": {
            "type": "object",
            "description": "The fields at fault with their reasons; of a batch, by the place of the event in it.",
        },
    },
}


def _problem(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


EVENTS_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "Store events of producers made for OpenMeter, CloudEvents or Lago",
    "description": "CloudEvents in structured mode (one or a batch) and in HTTP's binary mode (`ce-*` headers), or one "
    "event of Lago. CloudEvents are answered with 204; where some are rejected with 400, which names them: the others "
    "are stored, and sending all of them again counts nothing twice. Rejected events are kept as dead letters. "
    "Scope: ingest.",
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": CLOUDEVENT_SCHEMA},
            "application/cloudevents-batch+json": {"schema": _BATCH_SCHEMA},
            "application/json": {"schema": {"anyOf": [CLOUDEVENT_SCHEMA, _BATCH_SCHEMA, _LAGO_ONE]}},
        },
    },
    "responses": {
        "200": {"description": "Lago's event is stored.", "content": {"application/json": {"schema": _LAGO_ONE}}},
        "204": {"description": "Every CloudEvent is stored."},
        "400": _problem("The body can't be read, or these CloudEvents were rejected.", _REFUSED),
        "422": _problem("Lago's event was rejected.", _REFUSED_BY_FIELD),
    },
}
BATCH_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "Store events of producers made for Lago",
    "description": "Where some are rejected the answer is 422, which names them by their place: the others are stored, "
    "and sending all of them again counts nothing twice. Scope: ingest.",
    "requestBody": {"required": True, "content": {"application/json": {"schema": _LAGO_BATCH}}},
    "responses": {
        "200": {"description": "Every event is stored.", "content": {"application/json": {"schema": _LAGO_BATCH}}},
        "422": _problem("These events were rejected.", _REFUSED_BY_FIELD),
    },
}
