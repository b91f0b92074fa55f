"""`POST /api/webhooks/stripe`, which Stripe's signature opens instead of a key."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.answers import Json
from tallystick.http.body import MalformedBody, UnsupportedEncoding, read_body
from tallystick.integrations.inbound.signatures import Call
from tallystick.integrations.stripe.webhooks.inbox import StripeInbox

MAX_BODY = 1024 * 1024
"""Bytes of a message; until it is read nobody knows who sent it."""

OPERATION: dict[str, Any] = {
    "tags": ["webhooks"],
    "summary": "Receive an event of Stripe's",
    "description": "For Stripe's event destinations, of snapshot and of thin payload. Instead of an API key it "
    "carries Stripe's signature. It is answered once the event is stored, which happens once however often it comes; "
    "what follows of it is done later. Nothing of the payload is kept but what happened, when, and to what.",
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {
        "200": {
            "description": "Stored, now or before.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["new"],
                        "properties": {"new": {"type": "boolean", "description": "It had not come before."}},
                    }
                }
            },
        }
    },
}


async def receive(request: Any) -> Response:
    """Take a message in; see OPERATION."""
    inbox: StripeInbox = request.app.state.stripe_inbox
    if inbox.verify is None:
        raise NotFound("no signing secret of Stripe's webhooks is set; TALLYSTICK_STRIPE_WEBHOOK_SECRET holds it")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedEncoding("a signature is of the body as it is; send it without Content-Encoding")
    body = await read_body(request, MAX_BODY)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        new = await inbox.receive(Call(headers, {}, body, inbox.clock.now()))
    except InvalidInput as error:
        raise MalformedBody(str(error)) from None
    return Json({"new": new})


receive.operation = OPERATION  # type: ignore[attr-defined]

routes = [Route("/api/webhooks/stripe", receive, methods=["POST"], name="receive_stripe_webhook")]
