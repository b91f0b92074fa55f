"""What whoever runs the installation is told of Stripe: through the installation's channels, not the team's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tallystick.notifications import Notification


def notice(
    kind: str,
    identity: str,
    now: datetime,
    *,
    title: str,
    text: str,
    facts: Mapping[str, str],
    urgent: bool = True,
    **more: Any,
) -> Notification:
    """One notice, told once for ever for each kind and identity; `more` is what templates may show besides."""
    content = {"title": title, "text": text, "facts": [{"label": k, "value": v} for k, v in facts.items()], **more}
    return Notification(
        f"stripe:{kind}:{identity}",
        f"stripe.{kind}",
        team_id=None,
        channels=(),
        content=content,
        occurred_at=now,
        urgent=urgent,
    )
