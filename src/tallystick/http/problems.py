"""Errors as RFC 9457 problem details (`application/problem+json`).

    {"type": "urn:tallystick:error:not_found", "title": "Not found", "status": 404,
     "detail": "there is no API key 'K3'", "code": "not_found"}

`detail` is the error's one line for a person, `code` what a program compares; an error may add members of
its own (`field`, `errors`, `request_id`). What went wrong inside is logged and never answered.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ExceptionHandler, Scope

from tallystick.core.errors import StorageError, TallystickError, TooLarge, Unauthorized, Unavailable
from tallystick.core.ids import new_secret
from tallystick.http.answers import dumps
from tallystick.http.body import MalformedBody, UnsupportedEncoding

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STORAGE_RETRY_AFTER = 5

_PLAINER = {"missing": "is missing", "extra_forbidden": "is not known here"}


class Violation(BaseModel):
    """One value of a request that does not fit."""

    location: str = Field(description="Where it was sent, dotted.", examples=["body.scopes.0"])
    message: str = Field(description="Why it does not fit.")
    allowed: str | None = Field(default=None, description="What would, where that is a list of values.")


class Problem(BaseModel):
    """What every error looks like (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:tallystick:error:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="What is wrong, where, and what is allowed, in one line.")
    code: str = Field(description="The kind of error, for programs.", examples=["not_found"])
    field: str | None = Field(default=None, description="The value at fault, where there is one.")
    errors: list[Violation] | None = Field(default=None, description="Every value at fault.")
    request_id: str | None = Field(default=None, description="What the log calls this failure.")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """The answer that tells of one problem."""
    body = {
        "type": f"urn:tallystick:error:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **(members or {}),
    }
    return Response(dumps(body), status, headers, MEDIA_TYPE)


def from_error(error: TallystickError) -> Response:
    """The answer to an error of ours. One that hides a driver's error is logged and says little."""
    detail = str(error)
    if isinstance(error, StorageError) or (error.status >= 500 and error.__cause__ is not None):
        log.error("%s: %s", type(error).__name__, error, exc_info=error.__cause__)
        detail = "the database is not available; nothing was changed, try again"
    return problem(error.status, error.code, detail, headers=_headers(error), members=error.details())


def from_unexpected(error: Exception, scope: Scope) -> Response:
    """The answer to what should not have happened; the log has the traceback under the same request id."""
    request_id = new_secret(16)
    log.error("request %s failed: %s %r", request_id, scope.get("method"), scope.get("path"), exc_info=error)
    detail = f"something went wrong here; the server's log says what under request id {request_id}"
    return problem(500, "internal", detail, members={"request_id": request_id})


async def on_error(_: HTTPConnection, error: TallystickError) -> Response:
    """Answer an error raised by an endpoint."""
    return from_error(error)


async def on_http_exception(request: HTTPConnection, error: HTTPException) -> Response:
    """Answer what the router or the framework refuses: no such path, no such method, an unreadable body."""
    path, detail, headers = request.scope["path"], str(error.detail), dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {path}; /docs lists what there is"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
        detail = f"{request.scope['method']} is not possible at {path}; use {headers['Allow']}"
    return problem(error.status_code, _code(error.status_code), detail, headers=headers)


async def on_validation_error(_: HTTPConnection, error: RequestValidationError) -> Response:
    """Answer a request that FastAPI found not to fit: 422, or 400 and 415 where it isn't JSON at all."""
    errors: Sequence[Any] = error.errors()
    if errors[0]["type"] == "json_invalid":
        reason = errors[0].get("ctx", {}).get("error", "unreadable")
        detail = f"the body is not JSON: {reason} at character {errors[0]['loc'][-1]}"
        return problem(400, MalformedBody.code, detail)
    if isinstance(error.body, bytes) and error.body and errors[0]["loc"] == ("body",):
        return problem(415, UnsupportedEncoding.code, "send the body with Content-Type: application/json")
    violations = [_violation(each) for each in errors]
    detail = f"{violations[0]['location']}: {violations[0]['message']}"
    if len(violations) > 1:
        detail += f" (and {len(violations) - 1} more)"
    field = ".".join(str(step) for step in errors[0]["loc"][1:]) or errors[0]["loc"][0]
    return problem(422, "invalid", detail, members={"field": field, "errors": violations})


HANDLERS: Mapping[Any, ExceptionHandler] = {
    TallystickError: on_error,  # type: ignore[dict-item]  # Starlette's type has no room for the narrower error
    HTTPException: on_http_exception,  # type: ignore[dict-item]
    RequestValidationError: on_validation_error,  # type: ignore[dict-item]
}
"""What the application answers errors with; the gate answers those that no handler knows."""


def _methods(request: HTTPConnection) -> list[str]:
    """What the path can be asked with; the router itself names the methods of one of its endpoints alone."""
    routes = iter_route_contexts(request.app.routes)
    here = (route for route in routes if route.path_regex.match(request.scope["path"]))
    return sorted({method for route in here for method in route.methods or ()})


def _code(status: int) -> str:
    named = {400: MalformedBody.code, 413: TooLarge.code, 503: Unavailable.code}
    return named.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _headers(error: TallystickError) -> dict[str, str]:
    match error:
        case Unauthorized():
            return {"WWW-Authenticate": 'Bearer realm="tallystick"'}
        case Unavailable(retry_after=seconds):
            return {"Retry-After": str(seconds)}
        case StorageError():
            return {"Retry-After": str(STORAGE_RETRY_AFTER)}
        case _:
            return dict(getattr(error, "headers", {}))


def _violation(error: Mapping[str, Any]) -> dict[str, str]:
    message = _PLAINER.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    location = ".".join(str(step) for step in error["loc"])
    found = {"location": location, "message": message[:1].lower() + message[1:]}
    if expected := error.get("ctx", {}).get("expected"):
        found["allowed"] = str(expected)
    return found
