"""What people are told about the outbox, in the transaction that found it: lanes that are held, what is quarantined."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tallystick.core.money import plain
from tallystick.integrations.stripe.outcomes import Class
from tallystick.notifications import Notification

if TYPE_CHECKING:
    from tallystick.integrations.stripe.meters.recording import Line


def held(lines: Sequence["Line"], now: datetime) -> Iterator[Notification]:
    """That lanes wait for somebody to put something right: once a day for each cause and team."""
    for line in lines:
        last = line.tried[-1].outcome if line.tried else None
        if last is None or last.kind not in (Class.CLOCK, Class.CONFIGURATION):
            continue
        cause = hashlib.sha256(f"{line.lane.account}:{last.kind}:{last.code}".encode()).hexdigest()[:16]
        yield Notification(
            key=f"stripe:held:{line.lane.team_id}:{cause}:{now:%Y-%m-%d}",
            kind="stripe.held",
            team_id=line.lane.team_id,
            channels=(),
            content={
                "title": f"Stripe is not told usage of {line.lane.team_id}",
                "text": f"{last.message or last.kind}. Nothing is lost: it is sent when that is put right.",
                "facts": [
                    {"label": "Metric", "value": line.lane.metric},
                    {"label": "Customer", "value": line.lane.customer_id},
                ],
            },
            occurred_at=now,
            urgent=True,
        )


def quarantined(lines: Sequence["Line"], now: datetime) -> Iterator[Notification]:
    """That Stripe will not take a delta as it is."""
    for line in lines:
        for delta, outcome in line.tried:
            if outcome.kind is Class.POISON:
                yield Notification(
                    key=f"stripe:quarantined:{delta.identifier}",
                    kind="stripe.quarantined",
                    team_id=line.lane.team_id,
                    channels=(),
                    content={
                        "title": f"Stripe refuses usage of {line.lane.team_id}",
                        "text": f"{outcome.message}. It is kept; what comes after it goes on.",
                        "facts": [
                            {"label": "Metric", "value": line.lane.metric},
                            {"label": "Quantity", "value": plain(delta.quantity)},
                            {"label": "Delta", "value": str(delta.id)},
                        ],
                    },
                    occurred_at=now,
                    urgent=True,
                )
