"""What is left of grants at any moment. Pure: it follows from the grants and from what was used by then."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.credits.chain import replay
from tallystick.billing.credits.models import NEVER, Grant
from tallystick.core.money import EXACT, ZERO


class Balance(NamedTuple):
    """Credits at a moment: `granted = used + expired + voided + available`.

    Attributes:
        granted: what was given by then; of a recurring grant every time it was.
        used: what has paid for closed periods.
        expired: what was left over and is lost.
        voided: what was left when a grant was voided.
        available: what is left.
        pending: what is granted but not in force yet.
    """

    granted: Decimal = ZERO
    used: Decimal = ZERO
    expired: Decimal = ZERO
    voided: Decimal = ZERO
    available: Decimal = ZERO
    pending: Decimal = ZERO


class GrantBalance(NamedTuple):
    """A grant and what is left of it; `lapses_at` is when what is available is lost or given anew, if ever."""

    grant: Grant
    balance: Balance
    lapses_at: datetime | None


class UnitBalance(NamedTuple):
    """What a team has of one currency, or of one metric's unit."""

    currency: str | None
    metric: str | None
    balance: Balance


def balance_of(grant: Grant, used: Mapping[int, Decimal], at: datetime) -> GrantBalance:
    """The grant at a moment.

    Args:
        grant: the grant; a void that is later than the moment plays no part.
        used: what was used of each of its allotments by then.
        at: the moment.
    """
    if grant.voided_at is not None and grant.voided_at > at:
        grant = replace(grant, voided_at=None, void_reason=None)
    slots = replay(grant, used, at)
    if not slots:
        pending = ZERO if grant.voided_at is not None else grant.amount
        return GrantBalance(grant, Balance(pending=pending), None)
    balance = Balance(
        granted=_sum(slot.allotment.amount for slot in slots),
        used=_sum(slot.used for slot in slots),
        expired=_sum(slot.expired for slot in slots),
        voided=_sum(slot.voided for slot in slots),
        available=slots[-1].available,
    )
    end = slots[-1].allotment.end
    return GrantBalance(grant, balance, end if at < end < NEVER else None)


def by_unit(balances: Iterable[GrantBalance]) -> list[UnitBalance]:
    """The balances added up: of each currency, then of each metric."""
    found: dict[tuple[str, str], Balance] = {}
    for grant, balance, _ in balances:
        unit = (grant.metric or "", grant.currency or "")
        found[unit] = Balance(*map(EXACT.add, found.get(unit, Balance()), balance))
    return [
        UnitBalance(currency or None, metric or None, found[metric, currency]) for metric, currency in sorted(found)
    ]


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
