"""`track()`: what every tracker has. It checks an event and encodes it; where it is kept is each tracker's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tallystick_client.errors import TallystickClientError
from tallystick_client.events import Quantity, encode_event


class Tracking(ABC):
    """Anything with `track()`: a `Tracker`, an `AsyncTracker`, a `RecordingTracker`, or one of yours with `keep()`."""

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
        """Accept a usage event. It is on the disk when this returns, and will count exactly once.

        Takes some tens of microseconds, no network; safe from every thread and after a fork.

        Args:
            team: the customer who is billed.
            event: the name of what happened, which metrics of the billing file refer to.
            quantity: how much, exactly: a `Decimal`, an `int` or decimal text. Floats are refused.
            unit: checked against the metric's unit.
            timestamp: when it happened, with a time zone; now, if not given.
            user_id: who did it.
            event_type: a second name, for metrics that count a group of events.
            idempotency_key: makes a repeated call count once; a UUIDv7 is made if not given.
            properties: more metadata, for names that are no identifiers or are parameters here.
            **metadata: what else to count or group by; text, whole numbers, `Decimal`, lists, dictionaries.

        Raises:
            InvalidEvent: the event can't be right.
            SpoolFull, SpoolError: it could not be kept. Earlier ones are.
            TrackerClosed: after `close()`.
        """
        try:
            encoded = encode_event(
                team,
                event,
                quantity,
                {**properties, **metadata} if properties else metadata,
                unit=unit,
                timestamp=timestamp,
                user_id=user_id,
                event_type=event_type,
                idempotency_key=idempotency_key,
            )
            self.keep(encoded)
        except TallystickClientError:
            self._refused()
            raise

    @abstractmethod
    def keep(self, event: bytes) -> None:
        """Keep an event for good before this returns.

        Args:
            event: a line of JSON as `POST /api/usage/track` takes it, with its key and its instant.

        Raises:
            TallystickClientError: it could not be kept.
        """

    def _refused(self) -> None:  # noqa: B027 - most have nothing to count
        """An event was not accepted; `track()` is about to raise."""
