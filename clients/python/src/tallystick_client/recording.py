"""`RecordingTracker`: a tracker for the tests of your own program. It checks events, and keeps them in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tallystick_client.events import Quantity, encode_event


class RecordingTracker:
    """Takes the place of a `Tracker`: `events` holds what would have been sent, as the server would read it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def track(
        self,
        team: str,
        event: str,
        quantity: Quantity = 1,
        *,
        unit: str | None = None,
        timestamp: datetime | None = None,
        user_id: str | None = None,
        event_type: str | None = None,
        idempotency_key: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **metadata: Any,
    ) -> None:
        """Check an event as `Tracker.track` does, and keep it."""
        encoded = encode_event(
            team,
            event,
            quantity,
            {**(properties or {}), **metadata},
            unit=unit,
            timestamp=timestamp,
            user_id=user_id,
            event_type=event_type,
            idempotency_key=idempotency_key,
        )
        self.events.append(json.loads(encoded, parse_float=Decimal))

    def total(self, team: str, event: str) -> Decimal:
        """The sum of the quantities of a team's events of a name; a key that was used before adds nothing."""
        mine = (each for each in self.events if (each["team_id"], each["event_name"]) == (team, event))
        once = {each["idempotency_key"]: Decimal(each["quantity"]) for each in reversed(list(mine))}
        return sum(once.values(), Decimal(0))
