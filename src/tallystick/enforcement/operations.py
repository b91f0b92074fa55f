"""How the OpenAPI document shows the bare routes of enforcement."""

from typing import Any, cast

from tallystick.http.openapi import problems
from tallystick.metering.tracking import ANSWER_SCHEMA, EVENT_SCHEMA

MAX_TEXT = 255
LASTS = 60
LONGEST = 86_400
MOST_KEYS = 1000
DENIALS = {"429": 429, "403": 403, "401": 401}

QUANTITY = {
    "oneOf": [{"type": "number"}, {"type": "string", "format": "decimal"}],
    "default": 1,
    "description": "How much is about to be used, in the metric's unit, exact. 0 asks whether the limit is passed.",
}
TEAM = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "examples": ["acme"]}
METRIC = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "examples": ["api_calls"]}
NUMBER = {"type": ["string", "null"], "format": "decimal"}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
VERDICT: dict[str, Any] = {
    "type": "object",
    "required": ["allowed", "reason", "team_id", "metric", "quantity", "limit", "remaining", "resets_at"],
    "properties": {
        "allowed": {"type": "boolean"},
        "reason": {
            "type": ["string", "null"],
            "enum": ["throttled", "hard_limit", "soft_limit", "unavailable", None],
            "description": "Why not, or what is the matter in spite of it. `unavailable`: usage could not be read, "
            "and the metric's policy decided.",
        },
        "team_id": TEAM,
        "metric": METRIC,
        "quantity": {"type": "string", "format": "decimal"},
        "limit": NUMBER | {"description": "The hard limit, else the soft one; null: there is none."},
        "type": {"type": ["string", "null"], "enum": ["hard", "soft", None]},
        "used": NUMBER | {"description": "The usage in the period."},
        "reserved": NUMBER | {"description": "What reservations keep free."},
        "remaining": NUMBER | {"description": "What is left of the limit before this; null: there is no limit."},
        "resets_at": INSTANT | {"description": "When the billing period ends."},
        "retry_at": INSTANT | {"description": "When a refusal ends by itself; null: not foreseeable."},
    },
}
EXAMPLE = {
    "allowed": True,
    "reason": None,
    "team_id": "acme",
    "metric": "api_calls",
    "quantity": "1",
    "limit": "1000",
    "type": "hard",
    "used": "120",
    "reserved": "5",
    "remaining": "875",
    "resets_at": "2026-04-01T00:00:00Z",
    "retry_at": None,
}
INTEGER = {"schema": {"type": "integer"}}
TEXT = {"schema": {"type": "string"}}
HEADERS: dict[str, Any] = {
    "X-RateLimit-Limit": INTEGER | {"description": "The limit; 0 of a team that is throttled and has none."},
    "X-RateLimit-Remaining": INTEGER | {"description": "What is left of it; 0 while the team is throttled."},
    "X-RateLimit-Reset": INTEGER | {"description": "When it starts over, or the throttle ends, in Unix seconds."},
    "X-RateLimit-Reason": TEXT | {"description": "The `reason`, where there is one."},
    "RateLimit-Policy": TEXT | {"description": "The limit and its window in seconds, as the IETF drafts it."},
    "RateLimit": TEXT | {"description": "What is left, and for how many seconds."},
    "Retry-After": INTEGER | {"description": "Of a refusal that ends by itself: in how many seconds."},
}
"""Headers of a verdict; without a limit and a throttle there are no numbers."""

UNKNOWN = {str(status): answer for status, answer in problems(404).items()}
CONFLICT = {str(status): answer for status, answer in problems(409).items()}
CHECK: dict[str, Any] = {
    "tags": ["limits"],
    "summary": "Check a limit",
    "description": "Whether a team may use so much more of a metric now. It includes every event that was "
    "acknowledged. The answer is 200 either way, with X-RateLimit headers. Scope: ingest.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["team_id", "metric"],
                    "additionalProperties": False,
                    "properties": {"team_id": TEAM, "metric": METRIC, "quantity": QUANTITY},
                    "example": {"team_id": "acme", "metric": "api_calls", "quantity": 1},
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "Allowed or not.",
            "headers": HEADERS,
            "content": {"application/json": {"schema": {**VERDICT, "example": EXAMPLE}}},
        },
        **UNKNOWN,
    },
}
GATE_CHECK: dict[str, Any] = {
    "tags": ["limits"],
    "summary": "Check a limit, by status",
    "description": "The same, for gateways that look at the status alone: 200 when allowed, else 429 (or what `deny` "
    "says), with the same headers and body. Scope: ingest.",
    "parameters": [
        {"name": "team_id", "in": "query", "required": True, "schema": TEAM},
        {"name": "metric", "in": "query", "required": True, "schema": METRIC},
        {"name": "quantity", "in": "query", "schema": {"type": "string", "format": "decimal", "default": "1"}},
        {
            "name": "deny",
            "in": "query",
            "description": "The status of a refusal: nginx's auth_request takes 401 and 403 alone.",
            "schema": {"type": "string", "enum": [*DENIALS], "default": "429"},
        },
    ],
    "responses": {
        "200": {"description": "Allowed.", "headers": HEADERS, "content": {"application/json": {"schema": VERDICT}}},
        "429": {"description": "Refused.", "headers": HEADERS, "content": {"application/json": {"schema": VERDICT}}},
        **UNKNOWN,
    },
}
RESERVE: dict[str, Any] = {
    "tags": ["limits"],
    "summary": "Reserve a quantity",
    "description": "Keep a quantity of a limit free for work that is under way: usage and reservations together never "
    "exceed a hard limit. 201 with the reservation when allowed, else 200 with `reservation` null. Scope: ingest.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["team_id", "metric"],
                    "additionalProperties": False,
                    "properties": {
                        "team_id": TEAM,
                        "metric": METRIC,
                        "quantity": QUANTITY | {"description": "How much to keep free, above zero."},
                        "expires_in": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": LONGEST,
                            "default": LASTS,
                            "description": "Seconds after which it is given back unless it is committed.",
                        },
                        "reference": {
                            "type": ["string", "null"],
                            "minLength": 1,
                            "maxLength": MAX_TEXT,
                            "description": "A key of your own, unique in the team: sent again, it is answered with "
                            "the same reservation.",
                        },
                        "idempotency_keys": {
                            "type": "array",
                            "maxItems": MOST_KEYS,
                            "items": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
                            "description": "Of the events that will carry the usage, if you track them yourself.",
                        },
                    },
                    "example": {"team_id": "acme", "metric": "api_calls", "quantity": "10", "expires_in": 60},
                }
            }
        },
    },
    "responses": {
        "201": {
            "description": "Reserved, now or before under the same reference.",
            "headers": HEADERS,
            "content": {
                "application/json": {
                    "schema": {
                        **VERDICT,
                        "properties": {
                            **VERDICT["properties"],
                            "reservation": {"type": ["object", "null"], "description": "See `GET`."},
                        },
                    }
                }
            },
        },
        "200": {"description": "Refused, or allowed without a reservation while the database is away."},
        **UNKNOWN,
        **CONFLICT,
    },
}

COMMIT: dict[str, Any] = {
    "tags": ["limits"],
    "summary": "Commit a reservation",
    "description": "Say what carries its usage: `events`, which are stored as the track route stores them, or the "
    "`idempotency_keys` of events that are tracked elsewhere. The quantity stays free until they are recorded. Events "
    "without a team or a key get those of the reservation, so sending the same request again is safe. Scope: ingest.",
    "parameters": [
        {"name": "reservation_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "events": {
                            "type": "array",
                            "items": {**EVENT_SCHEMA, "required": ["event_name"]},
                        },
                        "idempotency_keys": {
                            "type": "array",
                            "maxItems": MOST_KEYS,
                            "items": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
                        },
                    },
                    "example": {"events": [{"event_name": "api_call", "quantity": "7"}]},
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "Committed; with events, what became of them.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["reservation"],
                        "properties": {
                            **cast(dict[str, Any], ANSWER_SCHEMA["properties"]),
                            "reservation": {"type": "object"},
                        },
                    }
                }
            },
        },
        **UNKNOWN,
        **CONFLICT,
    },
}
