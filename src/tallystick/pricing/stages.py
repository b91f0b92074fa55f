"""The stages of rating: each a plain function from the charge in the making to the charge in the making.

The first arguments are the price's settings and are bound when the price is built (`Price.stages`), in the
one order that holds for every price. A price has the stages it uses, and pays for no others.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from tallystick.core.money import ZERO
from tallystick.pricing.adjustments import Commitment, Discount
from tallystick.pricing.conversion import Conversion
from tallystick.pricing.exact import add, subtract
from tallystick.pricing.models import PriceModel, Step, Used


class Proration(NamedTuple):
    """The part of a whole period that a price is scaled to, in seconds."""

    part: Decimal
    whole: Decimal


class Draft(NamedTuple):
    """A charge in the making: the usage still to be priced, the amount so far, the steps so far."""

    used: Used
    amount: Decimal
    steps: tuple[Step, ...]


Stage = Callable[[Draft], Draft]


def negative_usage_is_none(draft: Draft) -> Draft:
    """Usage below zero (more returned than used) is rated as no usage: a price never pays out.

    The events stay: what each costs, where a price says so, is due whatever they add up to.
    """
    quantity = draft.used.quantity
    if quantity >= 0:
        return draft
    step = Step("negative_usage", quantity, None, ZERO)
    return Draft(draft.used._replace(quantity=ZERO), draft.amount, (*draft.steps, step))


def filters(where: Mapping[str, tuple[str, ...]], draft: Draft) -> Draft:
    """The usage was read with these values of its dimensions alone; the step shows them."""
    label = ", ".join(f"{dimension}: {' or '.join(values)}" for dimension, values in where.items())
    return noted(draft, Step("filter", draft.used.quantity, None, ZERO, label=label))


def proration(share: Proration, draft: Draft) -> Draft:
    """The numbers of the price are those of a part of the period; the step shows which."""
    return noted(draft, Step("proration", share.part, None, ZERO, setting=share.whole))


def unit_conversion(conversion: Conversion, draft: Draft) -> Draft:
    """The usage in the unit that is priced."""
    used, step = conversion.applied(draft.used)
    return Draft(used, draft.amount, (*draft.steps, step))


def free_allowance(free_units: Decimal, draft: Draft) -> Draft:
    """The first `free_units` of usage cost nothing, and the tiers begin after them."""
    free = min(free_units, draft.used.quantity)
    step = Step("free_allowance", free, ZERO, ZERO, setting=free_units)
    used = draft.used._replace(quantity=subtract(draft.used.quantity, free))
    return Draft(used, draft.amount, (*draft.steps, step))


def price_model(terms: PriceModel, draft: Draft) -> Draft:
    """The price model charges for what is left."""
    amount, steps = terms.charge(draft.used)
    return Draft(draft.used, amount, draft.steps + steps)


def discount(given: Discount, draft: Draft) -> Draft:
    """A part of the amount, or a fixed amount, comes off."""
    return noted(draft, given.step(draft.amount))


def at_most_maximum(maximum: Decimal, draft: Draft) -> Draft:
    """An amount above the maximum comes down to it."""
    return draft if draft.amount <= maximum else _settled_at(maximum, "maximum", draft)


def at_least_minimum(minimum: Decimal, draft: Draft) -> Draft:
    """An amount below the minimum comes up to it, even without usage."""
    return draft if draft.amount >= minimum else _settled_at(minimum, "minimum", draft)


def commitment(committed: Commitment, worth: Decimal, draft: Draft) -> Draft:
    """What is missing to the commitment is charged once the period is over; what exceeds it, at the overage factor."""
    step = committed.step(worth, draft.amount, final=draft.used.final)
    return draft if step is None else noted(draft, step)


def _settled_at(limit: Decimal, kind: str, draft: Draft) -> Draft:
    return noted(draft, Step(kind, ZERO, None, subtract(limit, draft.amount), setting=limit))


def noted(draft: Draft, step: Step) -> Draft:
    """The draft with one more step, and its amount."""
    amount = add(draft.amount, step.amount) if step.amount else draft.amount
    return Draft(draft.used, amount, (*draft.steps, step))
