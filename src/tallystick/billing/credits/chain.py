"""A grant through time: what is given, carried over and expires, and what is left at any moment. Pure.

A grant is a chain of allotments, the times it is given: a single one, or one for every stretch between two
boundaries of its recurrence. What is left of an allotment at its end is carried over into the next one, up
to the cap, and the rest expires; at the end of the grant all of it does. All of this follows from the grant
and from what was used of each allotment, so a state at any moment is computed, never remembered:

    carried over + given − used = rest         rest = available               before the allotment's end
                                               rest = carried over + expired  after it
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from tallystick.billing.credits.models import NEVER, Grant, Recurrence
from tallystick.billing.periods import instant_of, shifted
from tallystick.catalog.models import PeriodUnit
from tallystick.core.clock import zone
from tallystick.core.money import EXACT, ZERO

_MONTH = timedelta(seconds=2_629_746)
"""The mean length of a month: 400 years ÷ 4,800. It only finds a boundary nearby."""

_MEAN = {
    PeriodUnit.DAY: timedelta(days=1),
    PeriodUnit.WEEK: timedelta(days=7),
    PeriodUnit.MONTH: _MONTH,
    PeriodUnit.QUARTER: 3 * _MONTH,
    PeriodUnit.YEAR: 12 * _MONTH,
}

REMEMBERED = 10_000
"""Boundaries that are remembered: a closing asks for the same few of a grant many times."""


class Fate(StrEnum):
    """What becomes of the rest of an allotment at its end."""

    ROLLOVER = "rollover"
    EXPIRY = "expiry"
    VOID = "void"


class Allotment(NamedTuple):
    """The `number`-th time a grant is given, counted from 0: `amount`, for use in `[start, end)`."""

    number: int
    start: datetime
    end: datetime
    amount: Decimal
    fate: Fate


class Slot(NamedTuple):
    """An allotment at a moment: `carried + amount = used + rolled + expired + voided + available`.

    Attributes:
        allotment: what was given, and when.
        carried: what came over from the allotment before.
        used: what has paid for something.
        rolled: what went over to the next allotment.
        expired: what was left and could not go over.
        voided: what was left when the grant was voided.
        available: what is left, before the allotment's end.
    """

    allotment: Allotment
    carried: Decimal
    used: Decimal = ZERO
    rolled: Decimal = ZERO
    expired: Decimal = ZERO
    voided: Decimal = ZERO
    available: Decimal = ZERO


def replay(
    grant: Grant, used: Mapping[int, Decimal], until: datetime, *, first: int = 0, carried: Decimal = ZERO
) -> list[Slot]:
    """The allotments that begin at or before a moment, as they are at that moment, in order.

    Args:
        grant: the grant.
        used: what was used of each allotment, by number; it must have held as much.
        until: the moment.
        first: the allotment to begin with; the first of the grant has number 0.
        carried: what came over into that one.
    """
    slots = []
    for allotment in allotments(grant, until, first=first):
        spent = used.get(allotment.number, ZERO)
        rest = EXACT.subtract(EXACT.add(carried, allotment.amount), spent)
        slot = Slot(allotment, carried, spent)
        slot = _ended(slot, rest, grant) if allotment.end <= until else slot._replace(available=rest)
        slots.append(slot)
        carried = slot.rolled
    return slots


def _ended(slot: Slot, rest: Decimal, grant: Grant) -> Slot:
    match slot.allotment.fate:
        case Fate.VOID:
            return slot._replace(voided=rest)
        case Fate.EXPIRY:
            return slot._replace(expired=rest)
        case Fate.ROLLOVER:
            assert grant.recurrence is not None
            rolled = min(rest, grant.recurrence.cap)
            return slot._replace(rolled=rolled, expired=EXACT.subtract(rest, rolled))


def allotments(grant: Grant, until: datetime, *, first: int = 0) -> Iterator[Allotment]:
    """The grant's allotments that begin at or before a moment, from number `first` on."""
    expires, voids = grant.expires_at or NEVER, _voids_at(grant)
    for number, (start, boundary_after) in enumerate(_stretches(grant, first, _last(grant, until)), first):
        # A local day that the zone skips as a whole is nothing to be given for.
        amount = grant.amount if start < boundary_after else ZERO
        end = min(boundary_after, expires, voids)
        if voids == end < min(boundary_after, expires):
            fate = Fate.VOID
        else:
            fate = Fate.EXPIRY if end == expires else Fate.ROLLOVER
        yield Allotment(number, start, end, amount, fate)


def number_at(grant: Grant, moment: datetime) -> int:
    """The number of the allotment that holds the moment; of the nearest where the grant is not in force."""
    return max(0, _last(grant, moment))


def next_event(slots: Sequence[Slot], after: datetime) -> datetime:
    """When something next happens to a grant of which these are the slots at `after`; `NEVER`: no more."""
    end = slots[-1].allotment.end
    return end if end > after else NEVER


def _voids_at(grant: Grant) -> datetime:
    """When what is left is void: a grant that has not begun by then is void as it begins."""
    return NEVER if grant.voided_at is None else max(grant.voided_at, grant.effective_at)


def _last(grant: Grant, until: datetime) -> int:
    """The number of the last allotment that begins at or before a moment; -1: none."""
    moment = min(until, _voids_at(grant), (grant.expires_at or NEVER) - datetime.resolution)
    if moment < grant.effective_at:
        return -1
    if grant.recurrence is None:
        return 0
    return boundary_at(grant.recurrence, moment) - boundary_at(grant.recurrence, grant.effective_at)


def _stretches(grant: Grant, first: int, last: int) -> Iterator[tuple[datetime, datetime]]:
    """Where the allotments with these numbers begin and end, were it not for the grant's own end."""
    if grant.recurrence is None:
        yield from [(grant.effective_at, NEVER)][first : last + 1]
        return
    base = boundary_at(grant.recurrence, grant.effective_at)
    start = boundary(grant.recurrence, base + first)
    for number in range(base + first, base + last + 1):
        end = boundary(grant.recurrence, number + 1)
        yield max(start, grant.effective_at), end
        start = end


@lru_cache(maxsize=REMEMBERED)
def boundary(recurrence: Recurrence, number: int) -> datetime:
    """The instant of boundary `number`, counted from the anchor, in UTC."""
    tz = zone(recurrence.time_zone)
    wall = recurrence.anchor.astimezone(tz).replace(fold=0)
    return instant_of(shifted(wall, recurrence.cadence, number), tz)


def boundary_at(recurrence: Recurrence, moment: datetime) -> int:
    """The number of the last boundary that is not after the moment."""
    mean = _MEAN[recurrence.cadence.unit] * recurrence.cadence.every
    number = (moment - recurrence.anchor) // mean
    while boundary(recurrence, number) > moment:
        number -= 1
    while boundary(recurrence, number + 1) <= moment:
        number += 1
    return number


def capacity(slots: Sequence[Slot], place: int) -> Decimal:
    """What more could be used of an allotment, also after its end.

    It is what is available or has expired, and what is left of what went over, in whichever allotment it is.
    """
    links = []
    for slot in slots[place:]:
        links.append((EXACT.add(slot.available, slot.expired), slot.rolled))
        if not slot.rolled:
            break
    total = ZERO
    for own, rolled in reversed(links):
        total = EXACT.add(own, min(rolled, total))
    return total


def take(slots: list[Slot], place: int, amount: Decimal) -> None:
    """Use more of an allotment, at most its capacity: what it leaves, and what it leaves to the next, shrink."""
    slots[place] = slots[place]._replace(used=EXACT.add(slots[place].used, amount))
    while amount:
        slot = slots[place]
        held = min(amount, slot.available)
        lapsed = min(EXACT.subtract(amount, held), slot.expired)
        amount = EXACT.subtract(amount, EXACT.add(held, lapsed))
        slots[place] = slot._replace(
            available=EXACT.subtract(slot.available, held),
            expired=EXACT.subtract(slot.expired, lapsed),
            rolled=EXACT.subtract(slot.rolled, amount),
        )
        place += 1
        if amount:
            slots[place] = slots[place]._replace(carried=EXACT.subtract(slots[place].carried, amount))
