"""What the OpenAPI document says beyond what FastAPI finds out: problems, and bare Starlette endpoints."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.routing import RouteContext

from tallystick.http.access import BEARER, HEADER
from tallystick.http.problems import MEDIA_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]

_REFERENCES = "#/components/schemas/{model}"
_MEANINGS = {
    400: "The body can't be read.",
    401: "No API key was sent, or one that is not known.",
    403: "The key's scopes or its team do not allow this.",
    404: "What is named does not exist.",
    409: "It exists already, or its state forbids this.",
    413: "The body is larger than one request may be.",
    415: "The body's type or encoding is not read here.",
    422: "A value does not fit; the answer names it.",
    500: "Something went wrong here; the answer names the request in the log.",
    503: "Not now; send it again after `Retry-After` seconds. Nothing was changed.",
}


def _response(status: int) -> dict[str, Any]:
    reference = {"$ref": _REFERENCES.format(model=Problem.__name__)}
    return {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": reference}}}


def problems(*statuses: int) -> Responses:
    """The documented problem answers of these statuses, for `responses=`."""
    return {status: _response(status) for status in statuses}


COMMON = problems(401, 403, 422, 500, 503)
"""The problems that any endpoint behind the gate may answer with."""

BODY = problems(400, 413, 415)
"""The problems of an endpoint that reads a body."""


def completed(document: dict[str, Any], routes: Iterable[RouteContext]) -> dict[str, Any]:
    """The document with the schema of problems and the operations of bare Starlette endpoints added."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template=_REFERENCES, mode="serialization")
    schemas.update(schema.pop("$defs", {}), Problem=schema)
    for route in routes:
        operation = getattr(route.endpoint, "operation", None)
        if operation is not None and route.path is not None:
            _add(document, route, operation)
    return document


def _add(document: dict[str, Any], route: RouteContext, operation: Mapping[str, Any]) -> None:
    scope = getattr(route.endpoint, "required_scope", None)  # None: a signature opens it
    schemes = (BEARER.scheme_name, HEADER.scheme_name) if scope is not None else ()
    common = {str(status): response for status, response in {**COMMON, **BODY}.items()}
    complete = {
        "operationId": route.name,
        **operation,
        "security": [{scheme: [str(scope)]} for scheme in schemes],
        "responses": {**common, **operation.get("responses", {})},
    }
    path = document["paths"].setdefault(route.path_format, {})
    for method in sorted((route.methods or set()) - {"HEAD"}):
        path[method.lower()] = complete
