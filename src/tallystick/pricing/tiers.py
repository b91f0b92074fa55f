"""Tiers, for the models that have them: read, checked, written, and priced one at a time.

Written as a list of `{up_to, unit_price, flat_fee}`; a tier begins where the one before it ends.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import Scale, add, multiply, per_cent, times_hundred
from tallystick.pricing.models import ONE, Step, Tier
from tallystick.pricing.parameters import (
    Parameters,
    invalid,
    require_not_negative,
    require_percent,
    require_positive,
)


class TierPrice(NamedTuple):
    """How the price of a unit is written in a tier: its key, its rule, and the number for a unit's price and back."""

    key: str
    check: Callable[[Decimal, str], None]
    of_unit: Scale
    as_given: Scale


def _same(number: Decimal) -> Decimal:
    return number


UNIT_PRICE = TierPrice("unit_price", require_not_negative, _same, _same)
PERCENT = TierPrice("rate", require_percent, per_cent, times_hundred)


def one_tier(unit_price: Decimal, flat_fee: Decimal = ZERO) -> tuple[Tier, ...]:
    """The only tier of a model that prices all usage alike."""
    return (Tier(ZERO, None, unit_price, flat_fee),)


def read_tiers(parameters: Parameters, price: TierPrice = UNIT_PRICE) -> tuple[Tier, ...]:
    """The tiers under `tiers`, each beginning where the one before it ends."""
    return tuple(_read_each(parameters.entries("tiers"), price))


def _read_each(entries: list[Parameters], price: TierPrice) -> Iterator[Tier]:
    start = ZERO
    for entry in entries:
        end = entry.optional("up_to")
        given, flat_fee = entry.optional(price.key), entry.optional("flat_fee")
        entry.finish()
        if given is None and flat_fee is None:
            raise invalid(entry.field(price.key), "is required where there is no flat_fee; 0 is free")
        price.check(given or ZERO, entry.field(price.key))
        yield Tier(start, end, price.of_unit(given or ZERO), flat_fee or ZERO)
        start = start if end is None else end


def tiers_as_parameters(tiers: tuple[Tier, ...], price: TierPrice = UNIT_PRICE) -> dict[str, Any]:
    """What `read_tiers` reads, without the fees that are zero and the bound the last tier doesn't have."""
    return {"tiers": [_as_parameters(tier, price) for tier in tiers]}


def _as_parameters(tier: Tier, price: TierPrice) -> dict[str, str]:
    parameters = {} if tier.end is None else {"up_to": plain(tier.end)}
    parameters[price.key] = plain(price.as_given(tier.unit_price))
    if tier.flat_fee:
        parameters["flat_fee"] = plain(tier.flat_fee)
    return parameters


def scaled_tiers(tiers: tuple[Tier, ...], scale: Scale) -> tuple[Tier, ...]:
    """The tiers with their bounds and flat fees scaled; what a unit costs stays.

    In a part of no length (a period on trial), tiers but the last hold nothing, and are left out.
    """
    scaled = (
        Tier(scale(start), None if end is None else scale(end), unit_price, scale(flat_fee))
        for start, end, unit_price, flat_fee in tiers
    )
    return tuple(tier for tier in scaled if tier.end is None or tier.end > tier.start)


def check_tiers(tiers: tuple[Tier, ...]) -> None:
    """Refuse tiers that leave a gap, overlap, or don't reach from zero to infinity.

    Raises:
        InvalidInput: with the path of the field that is wrong, such as `tiers[2].up_to`.
    """
    if not tiers:
        raise invalid("tiers", "must be a list with at least one entry")
    for i, tier in enumerate(tiers):
        _check_numbers(tier, i, last=i == len(tiers) - 1)
    _check_start(tiers[0], 0, ZERO)
    for i, (before, tier) in enumerate(pairwise(tiers), 1):
        _check_start(tier, i, before.end)


def _check_numbers(tier: Tier, i: int, *, last: bool) -> None:
    require_not_negative(tier.unit_price, f"tiers[{i}].unit_price")
    require_not_negative(tier.flat_fee, f"tiers[{i}].flat_fee")
    up_to = f"tiers[{i}].up_to"
    if last:
        if tier.end is not None:
            raise invalid(up_to, "must be left out: the last tier has no upper bound")
        return
    if tier.end is None:
        raise invalid(up_to, "is required: only the last tier has no upper bound")
    require_positive(tier.end, up_to)
    if tier.end <= tier.start:
        raise invalid(up_to, f"is {tier.end}: must be above {tier.start}, where the tier starts")


def _check_start(tier: Tier, i: int, expected: Decimal | None) -> None:
    if tier.start != expected:
        raise invalid(f"tiers[{i}].start", f"is {tier.start}: must be {expected}, the end of the tier before")


def charge_in_tier(position: int, tier: Tier, quantity: Decimal) -> tuple[Decimal, tuple[Step, ...]]:
    """What the quantity costs at the tier's price, with the tier's flat fee where it has one; and the steps."""
    start, end, unit_price, flat_fee = tier
    usage = Step("tier", quantity, unit_price, multiply(quantity, unit_price), position, start, end)
    if not flat_fee:
        return usage.amount, (usage,)
    fee = Step("flat_fee", ONE, flat_fee, flat_fee, position, start, end)
    return add(usage.amount, flat_fee), (usage, fee)
