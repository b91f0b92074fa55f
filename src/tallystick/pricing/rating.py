"""Rating: usage and a price in, the charge and every step that made it out.

Everything that says what usage costs (report, alert, projection, invoice, verification) calls `rate`.
It does no I/O, knows no clock, and is exact: an amount is rounded by whoever bills it, once.

The stages run in one order, whatever the price: usage below zero counts as none, filters and proration are
shown, the unit is converted, free units come off, the price model prices the rest, discounts come off the
amount, the maximum caps it, the minimum lifts it, the commitment is settled. A price has the stages it uses
(`Price.stages`, from the functions of `stages.py`).
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, DecimalException

from tallystick.core.money import ZERO
from tallystick.pricing.exact import add, subtract
from tallystick.pricing.models import Charge, Step, Used
from tallystick.pricing.parameters import invalid
from tallystick.pricing.price import Price
from tallystick.pricing.stages import Draft


def rate(price: Price, usage: Decimal | Used) -> Charge:
    """What the usage of one period costs at this price, exactly, and the steps that add up to it.

    The caller's decimal context plays no part. A bare number is usage of which nothing more is known: not
    the events that made it, nor their dimensions.

    Raises:
        InvalidInput: the usage is not finite, has so many digits (over 500 in a result) that it can't be
            priced exactly, or does not come with the amount of each event where the price asks for it.
    """
    used = usage if isinstance(usage, Used) else Used(usage)
    _require_finite(used)
    draft = Draft(used, ZERO, ())
    try:
        for stage in price.stages:
            draft = stage(draft)
    except DecimalException:
        raise invalid("usage", "has too many digits to be priced exactly") from None
    return Charge(draft.amount, draft.steps)


def marginal(price: Price, before: Decimal | Used, after: Decimal | Used) -> Charge:
    """What usage that rose from `before` to `after` costs more: rate(after) − rate(before).

    Its steps are those of the two charges that differ: what is new, and what no longer holds as a step with
    negative quantity and amount. A step of the same kind and price is there once, with the difference.

    Raises:
        InvalidInput: as `rate`.
    """
    new, old = rate(price, after), rate(price, before)
    return Charge(subtract(new.amount, old.amount), tuple(_differences(new.steps, old.steps)))


def _differences(new: Iterable[Step], old: Iterable[Step]) -> Iterator[Step]:
    steps: dict[Step, Step] = {}
    for sign, each in ((add, new), (subtract, old)):
        for step in each:
            alike = step._replace(quantity=ZERO, amount=ZERO)
            so_far = steps.get(alike, alike)
            quantity, amount = sign(so_far.quantity, step.quantity), sign(so_far.amount, step.amount)
            steps[alike] = so_far._replace(quantity=quantity, amount=amount)
    yield from (step for step in steps.values() if step.quantity or step.amount)


def _require_finite(used: Used) -> None:
    if not used.quantity.is_finite():
        raise invalid("usage", f"is {used.quantity}: must be a finite number")
    for amount in used.amounts or ():
        if not amount.is_finite():
            raise invalid("usage", f"has an event of {amount}: must be a finite number")
    for cell in used.cells:
        _require_finite(cell.used)
