"""`POST /api/webhooks/in/{source}`, which a signature opens instead of a key, and what came that way."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import InvalidInput
from tallystick.http.access import Reader
from tallystick.http.answers import Instant, Json
from tallystick.http.body import MalformedBody, UnsupportedEncoding, read_body
from tallystick.integrations.inbound.service import Inbound, Received
from tallystick.integrations.inbound.signatures import Call

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])

MAX_BODY = 1024 * 1024
"""Bytes of a request; until it is read nobody knows who sent it."""

OPERATION: dict[str, Any] = {
    "tags": ["webhooks"],
    "summary": "Receive a webhook",
    "description": "Take usage in from a system that can only call a URL. The source is configured on the server: how "
    "it signs, and how its payload becomes events. Instead of an API key the request carries the source's signature. "
    "The answer is 200 once everything is stored, or kept as a dead letter; there is no use in sending it again.",
    "parameters": [
        {"name": "source", "in": "path", "required": True, "schema": {"type": "string"}, "example": "telephony"}
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {}}, "application/x-www-form-urlencoded": {"schema": {}}},
    },
    "responses": {
        "200": {
            "description": "Stored, or kept.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["accepted", "duplicates", "rejected", "ignored", "errors"],
                        "properties": {
                            "accepted": {"type": "integer"},
                            "duplicates": {"type": "integer"},
                            "rejected": {"type": "integer", "description": "Kept as dead letters."},
                            "ignored": {"type": "integer", "description": "Items that the source passes over."},
                            "errors": {"type": "array", "items": {"type": "object"}},
                        },
                    }
                }
            },
        }
    },
}


class TallyAnswer(BaseModel):
    """A source, and what came from it in the last 30 days."""

    source: str = Field(examples=["telephony"])
    scheme: str = Field(description="How it signs.", examples=["standard"])
    requests: int = Field(description="Those that were signed right.")
    accepted: int
    duplicates: int
    rejected: int = Field(description="Events that became dead letters.")
    ignored: int = Field(description="Items that it passes over.")
    last_at: Instant | None = Field(description="When it was heard of last; null: not in these days.")


class TalliesAnswer(BaseModel):
    """The sources of this server."""

    data: list[TallyAnswer]


async def service(request: Request) -> Inbound:
    """The application's inbound webhooks."""
    return cast(Inbound, request.app.state.inbound)


@router.get("/in")
async def list_webhook_sources(inbound: Annotated[Inbound, Depends(service)], who: Reader) -> TalliesAnswer:
    """The sources of inbound webhooks, and what came from each in the last 30 days. Scope: read, every team."""
    who.require_every_team()
    return TalliesAnswer(data=[TallyAnswer.model_validate(each._asdict()) for each in await inbound.tallies()])


async def receive(request: Any) -> Response:
    """Take a signed request in; see OPERATION."""
    inbound: Inbound = request.app.state.inbound
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedEncoding("a signature is of the body as it is; send it without Content-Encoding")
    body = await read_body(request, MAX_BODY)
    headers = {name.lower(): value for name, value in request.headers.items()}
    call = Call(headers, dict(request.query_params), body, inbound.clock.now())
    try:
        return _answer(await inbound.receive(request.path_params["source"], call))
    except InvalidInput as error:
        raise MalformedBody(str(error)) from None


receive.operation = OPERATION  # type: ignore[attr-defined]


def _answer(received: Received) -> Response:
    errors = [
        {"index": each.position, "field": each.field, "code": each.code, "message": each.message}
        for each in received.outcome.rejections
    ]
    return Json({
        "accepted": received.outcome.accepted,
        "duplicates": received.outcome.duplicates,
        "rejected": received.rejected,
        "ignored": received.taken.ignored,
        "errors": errors,
    })  # fmt: skip


routes = [Route("/api/webhooks/in/{source}", receive, methods=["POST"], name="receive_webhook")]
