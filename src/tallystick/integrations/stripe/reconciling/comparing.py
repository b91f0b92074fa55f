"""What sums say about a stretch of a lane, and which deltas a difference is made of. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations

from tallystick.core.money import EXACT
from tallystick.integrations.stripe.meters.doubts import exact_sum, gross, same
from tallystick.integrations.stripe.meters.models import Kind, State
from tallystick.integrations.stripe.meters.store import Told
from tallystick.integrations.stripe.reconciling.models import Drift, Sums

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
    size = gross(told)
    if same(sums.stripe, sums.accepted, size):
        settled = not waiting(told) and sums.local == sums.accepted
        return Drift.NONE if settled else Drift.WAITING
    maybe = [
        each for each in told if each.state is State.QUARANTINED or (each.state is State.PENDING and each.doubt_since)
    ]
    repairing = any(each.kind is Kind.REPAIR and each.state is State.PENDING for each in told)
    if repairing or _made_of(EXACT.subtract(sums.stripe, sums.accepted), maybe, size):
        return Drift.WAITING
    return Drift.LAG


def explained(difference: Decimal, told: Sequence[Told]) -> tuple[int, ...]:
    """The deltas whose sum the difference is, without its sign; none, where it is no such sum or several."""
    size = gross(told)
    found = [
        chosen
        for chosen in _subsets(accepted(told))
        if same(abs(difference), abs(exact_sum(_quantities(chosen))), size)
    ]
    return tuple(each.id for each in found[0]) if len(found) == 1 else ()


def _made_of(difference: Decimal, told: Sequence[Told], size: Decimal) -> bool:
    return any(same(difference, exact_sum(_quantities(chosen)), size) for chosen in _subsets(told))


def _subsets(told: Sequence[Told]) -> Iterable[tuple[Told, ...]]:
    some = told[:MOST_TOGETHER]
    return (chosen for number in range(1, len(some) + 1) for chosen in combinations(some, number))


def _quantities(told: Iterable[Told]) -> Iterable[Decimal]:
    return (each.quantity for each in told)
