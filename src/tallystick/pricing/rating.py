"""Rating: usage and a price in, the charge and every step that made it out.

Everything that says what usage costs (report, alert, projection, invoice, verification) calls `rate`.
It does no I/O, knows no clock, and is exact: an amount is rounded by whoever bills it, once.

The stages run in one order, whatever the price: usage below zero counts as none, free units come off,
the price model prices the rest, the maximum caps the amount, the minimum lifts it. A stage that the
price doesn't use hands on what it got.
"""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import NamedTuple

from tallystick.core.money import ZERO
from tallystick.pricing.exact import add, subtract
from tallystick.pricing.models import Charge, Step
from tallystick.pricing.parameters import invalid
from tallystick.pricing.price import Price


class Draft(NamedTuple):
    """A charge in the making: the usage still to be priced, the amount so far, the steps so far."""

    quantity: Decimal
    amount: Decimal
    steps: tuple[Step, ...]


Stage = Callable[[Price, Draft], Draft]


def negative_usage_is_none(_price: Price, draft: Draft) -> Draft:
    """Usage below zero (more returned than used) is rated as no usage: a price never pays out."""
    if draft.quantity >= 0:
        return draft
    step = Step("negative_usage", draft.quantity, None, ZERO)
    return Draft(ZERO, draft.amount, (*draft.steps, step))


def free_allowance(price: Price, draft: Draft) -> Draft:
    """The first `free_units` of usage cost nothing, and the tiers begin after them."""
    if not price.free_units:
        return draft
    free = min(price.free_units, draft.quantity)
    step = Step("free_allowance", free, ZERO, ZERO, setting=price.free_units)
    return Draft(subtract(draft.quantity, free), draft.amount, (*draft.steps, step))


def price_model(price: Price, draft: Draft) -> Draft:
    """The price model charges for what is left."""
    amount, steps = price.terms.charge(draft.quantity)
    return Draft(draft.quantity, amount, draft.steps + steps)


def at_most_maximum(price: Price, draft: Draft) -> Draft:
    """An amount above the maximum comes down to it."""
    if price.maximum is None or draft.amount <= price.maximum:
        return draft
    return _settle_at(price.maximum, "maximum", draft)


def at_least_minimum(price: Price, draft: Draft) -> Draft:
    """An amount below the minimum comes up to it, even without usage."""
    if price.minimum is None or draft.amount >= price.minimum:
        return draft
    return _settle_at(price.minimum, "minimum", draft)


def _settle_at(limit: Decimal, kind: str, draft: Draft) -> Draft:
    step = Step(kind, ZERO, None, subtract(limit, draft.amount), setting=limit)
    return Draft(draft.quantity, add(draft.amount, step.amount), (*draft.steps, step))


STAGES: tuple[Stage, ...] = (
    negative_usage_is_none,
    free_allowance,
    price_model,
    at_most_maximum,
    at_least_minimum,
)


def rate(price: Price, usage: Decimal) -> Charge:
    """What the usage of one period costs at this price, exactly, and the steps that add up to it.

    The caller's decimal context plays no part.

    Raises:
        InvalidInput: the usage is not finite, or has so many digits (over 500 in a result) that it can't
            be priced exactly.
    """
    if not usage.is_finite():
        raise invalid("usage", f"is {usage}: must be a finite number")
    draft = Draft(usage, ZERO, ())
    try:
        for stage in STAGES:
            draft = stage(price, draft)
    except DecimalException:
        raise invalid("usage", "has too many digits to be priced exactly") from None
    return Charge(draft.amount, draft.steps)
