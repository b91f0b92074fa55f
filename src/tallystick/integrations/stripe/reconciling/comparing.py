"""What sums say about a stretch of a lane, and which deltas a difference is made of. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations

from tallystick.core.money import EXACT
from tallystick.integrations.stripe.meters.doubts import exact_sum, rounding, same
from tallystick.integrations.stripe.meters.models import Kind, State
from tallystick.integrations.stripe.meters.rows import Told
from tallystick.integrations.stripe.reconciling.models import Drift, Explanation, Sums

YES = frozenset({State.ACCEPTED, State.CONFIRMED})
OPEN = frozenset({State.PENDING, State.QUARANTINED})
MOST_TOGETHER = 8


def accepted(told: Iterable[Told]) -> list[Told]:
    """What Stripe said yes to. Repairs are not: they undo what it counts though it was not told."""
    return [each for each in told if each.state in YES and each.kind is not Kind.REPAIR]


def waiting(told: Iterable[Told]) -> list[Told]:
    """What is not settled."""
    return [each for each in told if each.state in OPEN]


def drift_of(sums: Sums, told: Sequence[Told]) -> Drift:
    """How the sums differ, before it is known whether that lasts: `lag` for what has to be looked at again.

    Args:
        sums: of a stretch.
        told: its deltas.
    """
    error = rounding(told)
    if same(sums.stripe, sums.accepted, error):
        settled = not waiting(told) and sums.local == sums.accepted
        return Drift.NONE if settled else Drift.WAITING
    maybe = [
        each for each in told if each.state is State.QUARANTINED or (each.state is State.PENDING and each.doubt_since)
    ]
    repairing = any(each.kind is Kind.REPAIR and each.state is State.PENDING for each in told)
    if repairing or _made_of(EXACT.subtract(sums.stripe, sums.accepted), maybe, error):
        return Drift.WAITING
    return Drift.LAG


def explained(difference: Decimal, told: Sequence[Told]) -> Explanation:
    """Of which deltas a difference in a minute is made; of none, where that is not clear.

    What Stripe has reported not to count is believed first. Else some are missing, or some count twice: where both
    could be, or it is not clear which count twice, nothing is concluded. Which are missing is all the same where their
    sum is: they are of one minute.

    Args:
        difference: what Stripe shows less what it said yes to.
        told: the deltas of the minute.
    """
    error, sure = rounding(told), accepted(told)
    missing = [chosen for chosen in _subsets(sure) if same(EXACT.minus(difference), _sum(chosen), error)]
    twice = [chosen for chosen in _subsets(sure) if same(difference, _sum(chosen), error)]
    reported = [chosen for chosen in missing if all(each.is_reported for each in chosen)]
    if reported or (missing and not twice):
        return Explanation(tuple(each.id for each in (reported or missing)[0]), missing=True)
    if len(twice) == 1 and not missing:
        return Explanation(tuple(each.id for each in twice[0]), missing=False)
    return Explanation()


def is_unclear(each: Told) -> bool:
    """Whether it was set aside because nobody could say whether it had arrived."""
    return each.state is State.QUARANTINED and each.is_unclear


def arrived(difference: Decimal, unclear: Sequence[Told], error: Decimal) -> frozenset[int] | None:
    """Which of those that may have arrived in a minute the difference is made of; None: of no combination of them.

    Where several combinations fit it is the largest: their sum counts, and they are of one minute, so which they are is
    all the same, and nothing is told twice. One may have been counted twice; that is found when they are compared.

    Args:
        difference: what is counted in the minute above what is sure.
        unclear: the deltas.
        error: see `same`.
    """
    some = unclear[:MOST_TOGETHER]
    for chosen in reversed([(), *_subsets(some)]):
        if same(difference, _sum(chosen), error):
            return frozenset(each.id for each in chosen)
    for chosen in _subsets(some):
        total = _sum(chosen)
        if any(same(difference, EXACT.add(total, twice.quantity), error) for twice in chosen):
            return frozenset(each.id for each in chosen)
    return None


def _made_of(difference: Decimal, told: Sequence[Told], error: Decimal) -> bool:
    return any(same(difference, _sum(chosen), error) for chosen in _subsets(told))


def _subsets(told: Sequence[Told]) -> Iterable[tuple[Told, ...]]:
    some = told[:MOST_TOGETHER]
    return (chosen for number in range(1, len(some) + 1) for chosen in combinations(some, number))


def _sum(told: Iterable[Told]) -> Decimal:
    return exact_sum(each.quantity for each in told)
