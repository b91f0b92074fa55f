"""How the OpenAPI document shows meters."""

from typing import Any

from tallystick.http.openapi import problems

TIME = {"type": "string", "format": "date-time"}
TEXTS = {"type": "array", "items": {"type": "string"}}
WINDOW = {"type": "string", "enum": ["MINUTE", "HOUR", "DAY", "MONTH"]}
SLUG = {
    "name": "slug",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The name of a metric.",
}
METER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "slug", "aggregation", "eventType", "createdAt", "updatedAt"],
    "properties": {
        "id": {"type": "string"},
        "slug": {"type": "string"},
        "name": {"type": "string"},
        "aggregation": {"type": "string", "examples": ["SUM"]},
        "eventType": {"type": "string"},
        "valueProperty": {"type": "string", "examples": ["$.duration_ms"]},
        "groupBy": {"type": "object", "additionalProperties": {"type": "string"}},
        "createdAt": TIME,
        "updatedAt": TIME,
    },
}
RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "from": TIME,
        "to": TIME,
        "windowSize": WINDOW,
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["value", "windowStart", "windowEnd", "subject", "groupBy"],
                "properties": {
                    "value": {"type": "number", "description": "Exact, as it is spelled."},
                    "windowStart": TIME,
                    "windowEnd": TIME,
                    "subject": {"type": ["string", "null"], "description": "The team, where teams are kept apart."},
                    "customerId": {"type": "string", "description": "The team, where customers are kept apart."},
                    "groupBy": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
                },
            },
        },
    },
}
FILTERS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "object"}}
_TABLE = {"text/csv": {"schema": {"type": "string"}}}
_ANSWER: dict[str, Any] = {
    "200": {"description": "The rows.", "content": {"application/json": {"schema": RESULT}} | _TABLE},
    **{str(status): response for status, response in problems(400, 404).items()},
}
_DESCRIPTION = (
    "The usage of a metric, as OpenMeter's clients ask for it. `from` is inclusive and `to` exclusive; without them "
    "it is from the first event to the last. `subject` picks teams and keeps them apart. Windows in which nothing "
    "happened are absent. `Accept: text/csv` is answered with CSV. Scope: read."
)


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


LIST_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "List metrics as meters",
    "description": "By name. Scope: read.",
    "parameters": [
        _query("page", {"type": "integer", "minimum": 1}, "Which page; default: the first."),
        _query("pageSize", {"type": "integer", "minimum": 1, "maximum": 1000}, "Meters a page; default: all of them."),
    ],
    "responses": {
        "200": {
            "description": "The meters.",
            "content": {"application/json": {"schema": {"type": "array", "items": METER}}},
        },
        **{str(status): response for status, response in problems(400).items()},
    },
}
GET_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "Show a metric as a meter",
    "description": "Scope: read.",
    "parameters": [SLUG],
    "responses": {
        "200": {"description": "The meter.", "content": {"application/json": {"schema": METER}}},
        **{str(status): response for status, response in problems(404).items()},
    },
}
QUERY_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "Query a meter",
    "description": _DESCRIPTION,
    "parameters": [
        SLUG,
        _query("from", TIME, "Inclusive. Default: the minute of the first event."),
        _query("to", TIME, "Exclusive. Default: the end of the minute of the last event."),
        _query("windowSize", WINDOW, "A row for each local window; default: one for the whole interval."),
        _query("windowTimeZone", {"type": "string"}, "IANA zone in which windows are local; default: UTC."),
        _query("subject", TEXTS, "Of these teams alone, each by itself."),
        _query("filterCustomerId", TEXTS, "Of these teams alone, each by itself, told as customerId."),
        _query("groupBy", TEXTS, "Dimensions of the metric to keep apart; also `subject` and `customer_id`."),
        {
            "name": "filterGroupBy",
            "in": "query",
            "required": False,
            "style": "deepObject",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            "description": "`filterGroupBy[region]=eu`: events alone whose dimension has this value.",
        },
        _query("advancedMeterGroupByFilters", {"type": "string"}, 'JSON such as `{"region": {"$in": ["eu", "us"]}}`.'),
        _query("clientId", {"type": "string"}, "Without effect."),
    ],
    "responses": _ANSWER,
}
QUERY_BODY_OPERATION: dict[str, Any] = {
    "tags": ["compatibility"],
    "summary": "Query a meter with a body",
    "description": _DESCRIPTION,
    "parameters": [SLUG],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "from": TIME,
                        "to": TIME,
                        "windowSize": WINDOW,
                        "windowTimeZone": {"type": "string"},
                        "subject": TEXTS,
                        "filterCustomerId": TEXTS,
                        "groupBy": TEXTS,
                        "filterGroupBy": {"type": "object", "additionalProperties": TEXTS},
                        "advancedMeterGroupByFilters": FILTERS,
                        "clientId": {"type": "string"},
                    },
                }
            }
        },
    },
    "responses": _ANSWER,
}
