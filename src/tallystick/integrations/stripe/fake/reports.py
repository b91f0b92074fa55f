"""Error reports: what Stripe tells of events that it accepted and did not count, by meter and window."""

from collections.abc import Callable
from typing import NamedTuple

from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.meters import MESSAGES, rfc3339
from tallystick.integrations.stripe.fake.world import World


class _Window(NamedTuple):
    opened_at: float
    errors: dict[str, list[str]]  # references by code


class Reports:
    """Gathers what went wrong and tells it, a window at a time (A31).

    Args:
        world: the account.
        publish: makes a thin event of a type, about a meter or nothing, with the data that is fetched later.
    """

    def __init__(self, world: World, publish: Callable[[str, Object | None, Object], None]) -> None:
        self._world = world
        self._publish = publish
        self._open: dict[str | None, _Window] = {}

    def add(self, meter: str | None, code: str, reference: str) -> None:
        """An event was not counted."""
        if (window := self._open.get(meter)) is None:
            now = self._world.clock.seconds
            window = self._open[meter] = _Window(now, {})
            self._world.clock.at(now + self._world.assumed.a31_report_window, lambda: self._close(meter))
        window.errors.setdefault(code, []).append(reference)

    def _close(self, meter: str | None) -> None:
        window = self._open.pop(meter)
        kind = "v1.billing.meter.error_report_triggered" if meter else "v1.billing.meter.no_meter_found"
        self._publish(kind, self._world.meters[meter] if meter else None, self._told(window))

    def _told(self, window: _Window) -> Object:
        types = [self._type(code, references) for code, references in window.errors.items()]
        count = sum(each["error_count"] for each in types)
        return {
            "developer_message_summary": f"There are {count} invalid events",
            "reason": {"error_count": count, "error_types": types},
            "validation_end": rfc3339(self._world.clock.seconds),
            "validation_start": rfc3339(window.opened_at),
        }

    def _type(self, code: str, references: list[str]) -> Object:
        message = MESSAGES.get(code, code)
        shown = references[: self._world.assumed.a32_report_samples]
        return {
            "code": code,
            "error_count": len(references),
            "sample_errors": [{"error_message": message, "request": {"identifier": each}} for each in shown],
        }
