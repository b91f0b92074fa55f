"""From a number to a state: the state machine of a step. Pure.

    ok ──▶ warning or exceeded ──▶ resolved ──▶ warning or exceeded ──▶ …

A limit is crossed when it is reached. It is resolved when the value is back on the other side of it, by the alert's
hysteresis. A new period begins with ok. What is told is the first crossing and the first resolution of a period; what
comes after is stored, and throttles, but tells nobody the same again.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from tallystick.alerts.models import HUNDRED, Alert, Stand, State, Step
from tallystick.core.money import EXACT


class Change(NamedTuple):
    """A step that stands otherwise than before; `told`: for the first time in its period."""

    step: Step
    before: State
    after: State
    crossings: int
    resolutions: int

    @property
    def told(self) -> bool:
        """Whether it happened for the first time in its period."""
        return (self.crossings if self.after.crossed else self.resolutions) == 1


def changes(alert: Alert, stands: Mapping[int, Stand], value: Decimal | None) -> list[Change]:
    """The steps whose state the value changes.

    Args:
        alert: whose steps.
        stands: how they stood in the same period, by step; those that are missing are ok.
        value: what was measured; None: there is nothing to compare, so nothing is crossed.
    """
    found = []
    for step in alert.steps:
        stand = stands.get(step.id)
        before = stand.state if stand else State.OK
        after = next_state(alert, step, before, value)
        if after is not before:
            crossings, resolutions = (stand.crossings, stand.resolutions) if stand else (0, 0)
            found.append(Change(step, before, after, crossings + after.crossed, resolutions + (not after.crossed)))
    return found


def next_state(alert: Alert, step: Step, before: State, value: Decimal | None) -> State:
    """How a step stands with this value that stood like that before."""
    limit = alert.limit(step)
    if value is not None and _reached(alert, limit, value):
        return alert.severity(step)
    if before.crossed and (value is None or _released(alert, limit, value)):
        return State.RESOLVED
    return before


def _reached(alert: Alert, limit: Decimal, value: Decimal) -> bool:
    return value <= limit if alert.falling else value >= limit


def _released(alert: Alert, limit: Decimal, value: Decimal) -> bool:
    margin = EXACT.divide(EXACT.multiply(limit.copy_abs(), alert.hysteresis), HUNDRED)
    if alert.falling:
        return value > EXACT.add(limit, margin)
    return value < EXACT.subtract(limit, margin)
