"""Storage: bytes that come in and go out, and how much there is for how long.

How much there is can be told in one of two ways. Take one of them:

| Way | Calls | Metric of the billing file |
|---|---|---|
| the level, when it changes or regularly | `level()` | `time_weighted` over `storage_size`: exact to the second |
| a total per day | `stored()` | `sum` over `storage_gb_hours` |
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Context, Decimal
from typing import Any

from tallystick_client.errors import InvalidEvent
from tallystick_client.tracking import Tracking

BYTES_PER_GB = 10**9
SECONDS_PER_HOUR = 3600
_WIDE = Context(prec=60)
_LAST_DECIMAL = Decimal(1).scaleb(-18)


class StorageTracker:
    """Records storage. Quantities are exact; a GB is 10^9 bytes.

    storage = StorageTracker(tracker)
    storage.on_upload("acme", len(body), idempotency_key=f"{object_id}/up", region="eu")
    storage.stored("acme", total_bytes, date(2026, 3, 15), region="eu")
    """

    def __init__(self, tracker: Tracking) -> None:
        self._tracker = tracker

    def on_upload(self, team: str, size: int, *, idempotency_key: str | None = None, **metadata: Any) -> None:
        """Bytes came in: an event `transfer` with the direction `in`."""
        self._transfer(team, size, "in", idempotency_key, metadata)

    def on_download(self, team: str, size: int, *, idempotency_key: str | None = None, **metadata: Any) -> None:
        """Bytes went out: an event `transfer` with the direction `out`."""
        self._transfer(team, size, "out", idempotency_key, metadata)

    def on_delete(self, team: str, size: int, *, idempotency_key: str | None = None, **metadata: Any) -> None:
        """Bytes were deleted: an event `storage_delete`."""
        self._tracker.track(
            team,
            "storage_delete",
            _whole(size),
            unit="byte",
            idempotency_key=idempotency_key,
            properties=metadata,
        )

    def _transfer(self, team: str, size: int, way: str, key: str | None, metadata: dict[str, Any]) -> None:
        self._tracker.track(
            team,
            "transfer",
            _whole(size),
            unit="byte",
            idempotency_key=key,
            properties={**metadata, "direction": way},
        )

    def level(self, team: str, total: int, *, at: datetime | None = None, **metadata: Any) -> None:
        """There are `total` bytes from now on, or from `at`: an event `storage_size` in GB."""
        size = Decimal(_whole(total)).scaleb(-9, context=_WIDE)
        self._tracker.track(team, "storage_size", size, unit="GB", timestamp=at, properties=metadata)

    def stored(
        self,
        team: str,
        total: int,
        day: date,
        *,
        store: str = "storage",
        zone: tzinfo = timezone.utc,
        **metadata: Any,
    ) -> Decimal:
        """There were `total` bytes all day: an event `storage_gb_hours`. For a job that runs once a day.

        The job may run again: the day, the team and `store` are the key, so the first one counts. A day of the zone
        has 23 or 25 hours when clocks change; a day that is not over yet can't be recorded before it has begun.

        Args:
            team: who is billed.
            total: bytes.
            day: which day, in `zone`.
            store: which of a team's stores this total is of, such as a bucket.
            zone: where the day begins and ends.
            **metadata: what to group by.

        Returns:
            The GB-hours.
        """
        begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        hours = gb_hours(total, end - begin)
        self._tracker.track(
            team,
            "storage_gb_hours",
            hours,
            unit="GB-hour",
            timestamp=begin,
            idempotency_key=f"{store}/{day.isoformat()}",
            properties={**metadata, "store": store},
        )
        return hours


def gb_hours(total: int, lasting: timedelta) -> Decimal:
    """Bytes that were there for a time, in GB-hours: exact, or to 18 decimals, half to even."""
    seconds = Decimal(lasting // timedelta(microseconds=1)).scaleb(-6)
    exact = _WIDE.divide(_WIDE.multiply(_whole(total), seconds), Decimal(SECONDS_PER_HOUR * BYTES_PER_GB))
    exponent = exact.as_tuple().exponent
    too_long = isinstance(exponent, int) and exponent < -18
    return exact.quantize(_LAST_DECIMAL, context=_WIDE) if too_long else exact


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(timezone.utc)


def _whole(size: int) -> int:
    if type(size) is not int or size < 0:
        raise InvalidEvent(f"a number of bytes is {size!r}; it has to be a whole number, 0 or more")
    return size
