"""The ledger's transactions that lead from one state of a grant to another. Pure.

Every transaction's entries sum to zero, grant by grant. What was booked is never changed: where a late burn
makes less of a grant expire than was booked, the difference is booked, so that the sum of what is booked is
always what `chain.replay` says.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from itertools import groupby
from typing import NamedTuple

from tallystick.billing.credits.burning import Taking
from tallystick.billing.credits.chain import Slot
from tallystick.billing.credits.models import Grant
from tallystick.core.clock import EARLIEST
from tallystick.core.money import EXACT, ZERO


class Account(StrEnum):
    """The accounts of an allotment. What comes from `issued` is available, and ends up on one of the others."""

    ISSUED = "issued"
    AVAILABLE = "available"
    USED = "used"
    EXPIRED = "expired"
    VOIDED = "voided"


class TransactionKind(StrEnum):
    """Why credits moved."""

    GRANT = "grant"
    BURN = "burn"
    REVERSAL = "reversal"
    EXPIRY = "expiry"
    ROLLOVER = "rollover"
    VOID = "void"


class Entry(NamedTuple):
    """A movement on one account of a grant; on `used` with the line that was paid, and the money it paid."""

    grant_id: int
    allotment: int
    account: Account
    amount: Decimal
    line_key: str | None = None
    value: Decimal | None = None
    currency: str | None = None


class Posting(NamedTuple):
    """A transaction to be booked. The parts of a burn, from 0, and its reversal name the period."""

    kind: TransactionKind
    team_id: str
    effective_at: datetime
    entries: tuple[Entry, ...]
    period_id: int | None = None
    part: int | None = None


def burn_postings(team_id: str, period_id: int, period_end: datetime, takings: Sequence[Taking]) -> list[Posting]:
    """What was burned for a period, the earliest first; a single one without entries where nothing was.

    It holds at the period's end or, of an allotment that ended before that, at the allotment's end.
    """
    found: dict[datetime, list[Entry]] = {}
    for _, of_one in groupby(takings, lambda each: (each.grant.id, each.allotment.number)):
        taken = list(of_one)
        found.setdefault(min(taken[0].allotment.end, period_end), []).extend(_burned(taken))
    parts = sorted(found.items()) or [(period_end, [])]
    return [
        Posting(TransactionKind.BURN, team_id, at, tuple(entries), period_id, part)
        for part, (at, entries) in enumerate(parts)
    ]


def _burned(taken: Sequence[Taking]) -> Iterator[Entry]:
    """What one allotment paid: all of it at once, and line by line."""
    grant_id, number = taken[0].grant.id, taken[0].allotment.number
    units = reduce(EXACT.add, (each.units for each in taken))
    yield Entry(grant_id, number, Account.AVAILABLE, units.copy_negate())
    for _, _, line, units, amount in taken:
        yield Entry(grant_id, number, Account.USED, units, line.key, amount, line.currency)


def reversal_posting(team_id: str, period_id: int, effective_at: datetime, burned: Sequence[Entry]) -> Posting:
    """What was burned for a period, given back."""
    entries = tuple(_negated(entry) for entry in burned)
    return Posting(TransactionKind.REVERSAL, team_id, effective_at, entries, period_id, 0)


def _negated(entry: Entry) -> Entry:
    value = None if entry.value is None else entry.value.copy_negate()
    return entry._replace(amount=entry.amount.copy_negate(), value=value)


def settlement(
    grant: Grant, before: Sequence[Slot], after: Sequence[Slot], since: datetime = EARLIEST
) -> Iterator[Posting]:
    """What was given, went over, expired or became void between two states of a grant.

    Args:
        grant: the grant.
        before: the state that is booked.
        after: the state to be booked.
        since: when what makes the difference happened; no end of an allotment is booked for an earlier moment.
    """
    known = {slot.allotment.number: slot for slot in before}
    for slot in after:
        was = known.get(slot.allotment.number)
        if was is None and slot.allotment.amount:
            yield _posting(grant, TransactionKind.GRANT, slot, slot.allotment.amount, slot.allotment.start)
        for kind, amount in _changes(was or Slot(slot.allotment, ZERO), slot):
            yield _posting(grant, kind, slot, amount, max(slot.allotment.end, since))


def _changes(was: Slot, now: Slot) -> Iterator[tuple[TransactionKind, Decimal]]:
    """By how much more, or less, of an allotment has ended in each way."""
    for kind, amount, booked in (
        (TransactionKind.ROLLOVER, now.rolled, was.rolled),
        (TransactionKind.EXPIRY, now.expired, was.expired),
        (TransactionKind.VOID, now.voided, was.voided),
    ):
        if amount != booked:
            yield kind, EXACT.subtract(amount, booked)


def _posting(grant: Grant, kind: TransactionKind, slot: Slot, amount: Decimal, at: datetime) -> Posting:
    number = slot.allotment.number
    (source, target), onward = _ROUTES[kind], int(kind is TransactionKind.ROLLOVER)
    taken = Entry(grant.id, number, source, amount.copy_negate())
    return Posting(kind, grant.team_id, at, (taken, Entry(grant.id, number + onward, target, amount)))


_ROUTES = {
    TransactionKind.GRANT: (Account.ISSUED, Account.AVAILABLE),
    TransactionKind.ROLLOVER: (Account.AVAILABLE, Account.AVAILABLE),
    TransactionKind.EXPIRY: (Account.AVAILABLE, Account.EXPIRED),
    TransactionKind.VOID: (Account.AVAILABLE, Account.VOIDED),
}
"""From which account to which, by the kind of transaction; a rollover leads to the next allotment's."""
