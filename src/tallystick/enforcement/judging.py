"""From how a team stands to a verdict. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from tallystick.core.money import EXACT, ZERO
from tallystick.enforcement.models import LimitType, Reason, Standing, Verdict, WhenUnavailable
from tallystick.enforcement.throttles import Throttle


def judge(standing: Standing, quantity: Decimal, now: datetime, *, more_held: Decimal = ZERO) -> Verdict:
    """Whether a team may use so much more: usage + reservations + quantity <= limit, the limit itself included.

    Args:
        standing: as it is now.
        quantity: how much; zero asks whether the limit is passed already.
        now: the present instant.
        more_held: what is kept free beyond the standing's reservations.
    """
    held = EXACT.add(standing.held(now), more_held)
    taken = EXACT.add(standing.used, held)
    limit, type_ = _limit(standing)
    reason, retry_at = _reason(standing, EXACT.add(taken, quantity), now)
    return Verdict(
        allowed=reason in (None, Reason.SOFT_LIMIT),
        reason=reason,
        limit=limit,
        type=type_,
        used=standing.used,
        held=held,
        remaining=None if limit is None else max(EXACT.subtract(limit, taken), ZERO),
        resets_at=standing.period.end,
        retry_at=retry_at,
        period=standing.period,
    )


def unknown(policy: WhenUnavailable) -> Verdict:
    """The verdict while nothing can be known."""
    return Verdict(allowed=policy is WhenUnavailable.OPEN, reason=Reason.UNAVAILABLE)


def _limit(standing: Standing) -> tuple[Decimal | None, LimitType | None]:
    if standing.hard is not None:
        return standing.hard, LimitType.HARD
    return (standing.soft, LimitType.SOFT) if standing.soft is not None else (None, None)


def _reason(standing: Standing, wanted: Decimal, now: datetime) -> tuple[Reason | None, datetime | None]:
    """What is the matter, and when that ends by itself."""
    if stopping := [each for each in standing.throttles if each.holds(now)]:
        return Reason.THROTTLED, _end(stopping)
    if standing.hard is not None and wanted > standing.hard:
        return Reason.HARD_LIMIT, standing.period.end
    if standing.soft is not None and wanted > standing.soft:
        return Reason.SOFT_LIMIT, None
    return None, None


def _end(stopping: Sequence[Throttle]) -> datetime | None:
    """When the last of them has ended; None: nobody knows."""
    ends = [each.until for each in stopping if each.until is not None]
    return max(ends) if len(ends) == len(stopping) else None
