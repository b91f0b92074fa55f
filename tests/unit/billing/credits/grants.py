"""What tests of credits share: grants and lines in a few words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tallystick.billing.credits.burning import Purse
from tallystick.billing.credits.chain import replay
from tallystick.billing.credits.models import Creditable, Grant, GrantKind, Recurrence
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
IN_MARCH = Interval(MARCH, APRIL)


def monthly(cap: str = "0", anchor: datetime = MARCH, unit: PeriodUnit = PeriodUnit.MONTH) -> Recurrence:
    """A recurrence in UTC that carries over up to the cap."""
    return Recurrence(BillingPeriod(unit), anchor, "UTC", Decimal(cap))


def grant(amount: str = "100", **changes: Any) -> Grant:
    """A grant of USD, in force from March on, unless it is said otherwise."""
    values: dict[str, Any] = {
        "id": 1,
        "team_id": "acme",
        "name": "credits",
        "kind": GrantKind.PAID,
        "priority": 100,
        "amount": Decimal(amount),
        "currency": "USD",
        "metric": None,
        "metrics": (),
        "effective_at": MARCH,
        "expires_at": None,
        "recurrence": None,
        "reference": None,
        "created_at": MARCH,
    }
    if changes.get("metric") is not None:
        values["currency"] = None
    return Grant(**values | changes)


def line(amount: str, key: str = "a", *, quantity: str | None = None, **changes: Any) -> Creditable:
    """A line of 1 USD a unit, unless it is said otherwise."""
    values: dict[str, Any] = {
        "key": key,
        "metric": "calls",
        "amount": Decimal(amount),
        "currency": "USD",
        "quantity": Decimal(quantity or amount),
        "value_of": lambda units: units,
    }
    return Creditable(**values | changes)


def purse(of: Grant, used: dict[int, Decimal] | None = None, until: datetime = APRIL) -> Purse:
    """What a grant holds just before a moment."""
    return Purse(of, replay(of, used or {}, until - datetime.resolution))
