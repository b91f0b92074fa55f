"""Whether what may have arrived did: by what Stripe's summaries count in its minute, and not by sending it again.

After 20 hours Stripe may have forgotten the identifier, and would count a resend twice. Deltas of a window are stamped
in minutes of their own, so the summary of a minute mostly is about one delta.

Summaries lag, so one look can only find a delta. That it never arrived takes a second look, an hour later by Stripe's
clock: ours may have jumped.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from tallystick.core.money import EXACT, ZERO
from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.api import MeterApi
from tallystick.integrations.stripe.meters.models import Lane, Sending, State
from tallystick.integrations.stripe.meters.windows import minute_of
from tallystick.integrations.stripe.outcomes import StripeRefused
from tallystick.storage.database import Database

COUNTED_WITHIN = timedelta(hours=1)
"""How long summaries may lag."""

EPSILON = Decimal(2) ** -52
"""Part of a number by which each addition of doubles may be off."""

MOST_TOGETHER = 8
"""Deltas in doubt in one minute that are told apart."""


class Finding(StrEnum):
    """What a look says about a delta."""

    COUNTED = "counted"
    LOST = "lost"
    WAIT = "wait"
    UNCLEAR = "unclear"


class Doubt(NamedTuple):
    """What was found about a delta.

    Attributes:
        finding: what.
        reason: why.
        look_at: when to look again, by our clock.
        looked_at: when it was first looked for, by Stripe's.
    """

    finding: Finding
    reason: str
    look_at: datetime
    looked_at: datetime | None


def same(one: Decimal, other: Decimal, error: Decimal = ZERO) -> bool:
    """Whether two sums are the same as far as doubles can tell.

    Args:
        one: a sum.
        other: another.
        error: by which what they are made of may be off; see `rounding`.
    """
    return abs(EXACT.subtract(one, other)) <= max(error, 2 * EPSILON * max(abs(one), abs(other)))


def rounding(deltas: Collection[rows.Told]) -> Decimal:
    """By how much a sum of these may be off that was made with doubles: what cancels out leaves its rounding behind.

    No more than that: beside large numbers a small one would not be seen otherwise.
    """
    return (len(deltas) + 1) * EPSILON * exact_sum(abs(each.quantity) for each in deltas)


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The sum without rounding."""
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total


async def look(database: Database, api: MeterApi, lane: Lane, delta: Sending, now: datetime) -> Doubt:
    """Look whether a delta has arrived."""
    minute = minute_of(delta.stamped_at)
    try:
        counted, at = await api.counted(lane.meter_id, lane.customer_id, minute)
    except StripeRefused as error:
        return Doubt(Finding.WAIT, str(error), now + timedelta(minutes=5), delta.looked_at)
    async with database.snapshot() as tx:
        beside = await store.told_in(tx, lane.id, minute)
    first, at = delta.looked_at or at or now, at or now
    finding, reason = judged(delta.id, counted, beside)
    if finding is not Finding.COUNTED and at < first + COUNTED_WITHIN:
        return Doubt(Finding.WAIT, reason, now + (first + COUNTED_WITHIN - at), first)
    return Doubt(finding, reason, now, first)


def judged(delta_id: int, counted: Decimal, beside: Sequence[rows.Told]) -> tuple[Finding, str]:
    """What the sum of a minute says about a delta in it.

    Args:
        delta_id: which.
        counted: what Stripe shows.
        beside: every delta that is stamped in the minute, itself among them.
    """
    sure = exact_sum(each.quantity for each in beside if each.state in (State.ACCEPTED, State.CONFIRMED))
    doubtful = [each for each in beside if each.state is State.PENDING and (each.doubt_since or each.id == delta_id)]
    error = rounding(beside)
    told = f"Stripe counts {counted:f} in its minute, {sure:f} of them are sure"
    fitting = [
        chosen
        for number in range(len(doubtful[:MOST_TOGETHER]) + 1)
        for chosen in combinations(doubtful[:MOST_TOGETHER], number)
        if same(counted, exact_sum([sure, *(each.quantity for each in chosen)]), error)
    ]
    answers = {any(each.id == delta_id for each in chosen) for chosen in fitting}
    if len(answers) != 1:
        return Finding.UNCLEAR, told
    return (Finding.COUNTED if answers.pop() else Finding.LOST), told
