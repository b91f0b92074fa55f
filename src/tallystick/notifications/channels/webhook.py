"""Signed webhooks, as https://www.standardwebhooks.com describes them.

webhook-id: msg_…             the same in every attempt and replay, for receivers to tell repetitions by
webhook-timestamp: 177…       seconds, of this attempt
webhook-signature: v1,… v1,…  HMAC-SHA256 of `id.timestamp.body`, one for each secret that is valid

{"type": "alert.exceeded", "timestamp": "2026-03-15T12:00:00Z", "key": "…", "team_id": "acme", "data": {…}}
"""

import base64
import secrets
from http import HTTPStatus

from standardwebhooks import Webhook

from tallystick import __version__
from tallystick.http.answers import dumps
from tallystick.notifications.guard import Answer, Guard, shown
from tallystick.notifications.models import Notification
from tallystick.notifications.sending import NotSent, Outgoing

SECRET_BYTES = 32


class WebhookSender:
    """Posts notifications as signed webhooks."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def send(self, outgoing: Outgoing) -> None:
        """Post it. Any 2xx is taken for yes; 410 says that nobody wants these any more.

        Raises:
            NotSent: any other answer, or none.
        """
        assert outgoing.url is not None
        body = body_of(outgoing.delivery.notification)
        answer = await self._guard.post(outgoing.url, _headers(outgoing, body), body)
        expect_success(answer, outgoing.url)


def new_signing_secret() -> str:
    """A secret that signs, in the spelling of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def body_of(notification: Notification) -> bytes:
    """The body, which is the same in every attempt."""
    return dumps(
        {
            "type": notification.kind,
            "timestamp": notification.occurred_at,
            "key": notification.key,
            "team_id": notification.team_id,
            "data": notification.content,
        }
    )


def expect_success(answer: Answer, url: str) -> None:
    """Pass when the receiver took it.

    Raises:
        NotSent: it did not. A redirect is no success: it is not followed.
    """
    if HTTPStatus(200) <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    raise NotSent(
        f"{shown(url)} answered {answer.status}",
        final=answer.status == HTTPStatus.GONE,
        retry_after=answer.retry_after,
    )


def _headers(outgoing: Outgoing, body: bytes) -> dict[str, str]:
    name, text = outgoing.delivery.message_id, body.decode()
    signatures = [Webhook(each).sign(name, outgoing.now, text) for each in outgoing.signing_secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Tallystick/{__version__}",
        "webhook-id": name,
        "webhook-timestamp": str(int(outgoing.now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
