"""What a check says: whether a team may use so much more of a metric now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick_client.reading import Members, instant, maybe_instant, maybe_number, number

UNAVAILABLE = "unavailable"


class Check(NamedTuple):
    """A verdict about a quantity, in the metric's unit.

    It is true where the quantity may be used, so `if client.check("acme", "api_calls"):` reads as it works.
    """

    allowed: bool
    reason: str | None
    """Why not, or what is the matter in spite of it: `throttled`, `hard_limit`, `soft_limit`, `unavailable`."""
    team: str
    metric: str
    quantity: Decimal
    """What was asked for."""
    limit: Decimal | None = None
    """The hard limit, else the soft one; None: there is none."""
    type: str | None = None
    """Of the limit: `hard` or `soft`."""
    used: Decimal | None = None
    """The usage in the billing period."""
    reserved: Decimal | None = None
    """What reservations keep free."""
    remaining: Decimal | None = None
    """What is left of the limit before this; None: there is no limit."""
    resets_at: datetime | None = None
    """When the billing period ends."""
    retry_at: datetime | None = None
    """When a refusal ends by itself; None: not foreseeable."""

    def __bool__(self) -> bool:
        return self.allowed


class Granted(NamedTuple):
    """What became of a reservation: the verdict, and the reservation if there is one."""

    check: Check
    id: str | None
    holds_until: datetime | None


def check_of(answer: Members) -> Check:
    """The verdict that an answer holds."""
    return Check(
        allowed=answer["allowed"] is True,
        reason=answer["reason"],
        team=answer["team_id"],
        metric=answer["metric"],
        quantity=number(answer["quantity"]),
        limit=maybe_number(answer["limit"]),
        type=answer["type"],
        used=maybe_number(answer["used"]),
        reserved=maybe_number(answer["reserved"]),
        remaining=maybe_number(answer["remaining"]),
        resets_at=maybe_instant(answer["resets_at"]),
        retry_at=maybe_instant(answer["retry_at"]),
    )


def granted_of(answer: Members) -> Granted:
    """What an answer to a reservation holds."""
    made = answer["reservation"]
    if made is None:
        return Granted(check_of(answer), None, None)
    return Granted(check_of(answer), made["id"], instant(made["holds_until"]))
