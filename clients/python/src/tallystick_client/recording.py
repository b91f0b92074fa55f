"""`RecordingTracker`: a tracker for the tests of your own program. It checks events, and keeps them in memory."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tallystick_client.tracking import Tracking


class RecordingTracker(Tracking):
    """Takes the place of a `Tracker`: `events` holds what would have been sent, as the server would read it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def keep(self, event: bytes) -> None:
        """Keep an event that `track()` has checked."""
        self.events.append(json.loads(event, parse_float=Decimal))

    def total(self, team: str, event: str) -> Decimal:
        """The sum of the quantities of a team's events of a name; a key that was used before adds nothing."""
        mine = (each for each in self.events if (each["team_id"], each["event_name"]) == (team, event))
        once = {each["idempotency_key"]: Decimal(each["quantity"]) for each in reversed(list(mine))}
        return sum(once.values(), Decimal(0))
