"""The lines about a whole statement: amounts off, the plan's minimum, its commitment. Pure.

They come after usage and fees, in this order, and work on the totals that stand on the bill, so that whoever adds
those up finds the same. What is agreed for a billing period holds for the part of it that is charged: a minimum of 30
a month is 10 in a subscription's first ten days of thirty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from tallystick.billing.models import Account, Basis, Line, LineKind, total_of
from tallystick.billing.tariffs import MOMENT, in_force, length
from tallystick.catalog.terms import PlanCommitment, ScopedDiscount
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.pricing import Charge, Step

UNIT = "period"
ONE = Decimal(1)


def statement_lines(account: Account, charged: Sequence[Line]) -> list[Line]:
    """What comes off and on top of the lines of usage and fees."""
    if account.terms is None or account.currency is None:
        return []
    share = _share(account)
    found = list(_discounts(account, charged))
    found += _minimum(account, [*charged, *found], share)
    found += _commitment(account, [*charged, *found], share)
    return found


def _discounts(account: Account, charged: Sequence[Line]) -> Iterator[Line]:
    """Amounts off, each at most what it comes off: a discount never pays out."""
    end, left = account.period.end - MOMENT, {line.key: line.total or ZERO for line in charged}
    for number, each in enumerate(account.discounts, start=1):
        if each.amount is None or not in_force(each, end):
            continue
        scope = [line.key for line in charged if _covers(each, line) and left[line.key] > 0]
        taken = _take(each.amount, scope, left)
        if taken:
            line = _line(account, LineKind.DISCOUNT, "discount", EXACT.minus(taken), each.amount)
            yield replace(line, key=f"{line.key}:{number}")


def _take(amount: Decimal, scope: Sequence[str], left: dict[str, Decimal]) -> Decimal:
    """Take up to the amount off what is left of these lines, the first ones first; how much that was."""
    taken = ZERO
    for key in scope:
        piece = min(left[key], EXACT.subtract(amount, taken))
        left[key], taken = EXACT.subtract(left[key], piece), EXACT.add(taken, piece)
    return taken


def _covers(discount: ScopedDiscount, line: Line) -> bool:
    return not discount.metrics or line.metric in discount.metrics


def _minimum(account: Account, lines: Sequence[Line], share: Decimal) -> Iterator[Line]:
    least = account.terms.minimum if account.terms else None
    if least is None:
        return
    wanted = EXACT.multiply(least, share)
    missing = EXACT.subtract(wanted, total_of(lines))
    if missing > 0:
        yield _line(account, LineKind.COMMITMENT, "minimum", missing, wanted)


def _commitment(account: Account, lines: Sequence[Line], share: Decimal) -> Iterator[Line]:
    """What is missing from the commitment once the period is over, or what goes beyond it costs more (or less)."""
    agreed: PlanCommitment | None = account.terms.commitment if account.terms else None
    if agreed is None:
        return
    covered = EXACT.multiply(agreed.amount, share)
    beyond = EXACT.subtract(total_of(lines), covered)
    if beyond > 0 and agreed.overage_factor != ONE:
        extra = EXACT.multiply(beyond, EXACT.subtract(agreed.overage_factor, ONE))
        yield _line(account, LineKind.COMMITMENT, "overage", extra, covered)
    if beyond < 0 and agreed.true_up and account.final:
        yield _line(account, LineKind.COMMITMENT, "true_up", EXACT.minus(beyond), covered)


def _share(account: Account) -> Decimal:
    """How much of the period is charged, from 0 to 1."""
    whole = account.full or account.period
    free = [Interval(max(start, account.period.start), min(end, account.period.end))
            for (start, end), _ in account.uncharged()]  # fmt: skip
    charged = EXACT.subtract(length([account.period]), length(free))
    return EXACT.divide(charged, length([whole]))


def _line(account: Account, kind: LineKind, name: str, amount: Decimal, setting: Decimal) -> Line:
    assert account.currency is not None
    step = Step(name, ZERO, None, amount, setting=setting)
    made = Charge(amount, (step,))
    return Line(
        key=f"{kind}:{name}",
        kind=kind,
        name=name,
        metric=None,
        unit=UNIT,
        interval=account.period,
        basis=Basis.PERIOD_END,
        quantity=ONE,
        charge=made,
        total=made.total(account.currency),
    )
