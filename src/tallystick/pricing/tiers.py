"""Tiers, for the models that have them: read, checked, written, and priced one at a time.

Written as a list of `{up_to, unit_price, flat_fee}`; a tier begins where the one before it ends.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import add, multiply
from tallystick.pricing.models import ONE, Charge, Step, Tier
from tallystick.pricing.parameters import Parameters, invalid, require_not_negative, require_positive


def one_tier(unit_price: Decimal, flat_fee: Decimal = ZERO) -> tuple[Tier, ...]:
    """The only tier of a model that prices all usage alike."""
    return (Tier(ZERO, None, unit_price, flat_fee),)


def read_tiers(parameters: Parameters) -> tuple[Tier, ...]:
    """The tiers under `tiers`, each beginning where the one before it ends."""
    return tuple(_read_each(parameters.entries("tiers")))


def _read_each(entries: list[Parameters]) -> Iterator[Tier]:
    start = ZERO
    for entry in entries:
        end = entry.optional("up_to")
        unit_price, flat_fee = entry.optional("unit_price"), entry.optional("flat_fee")
        entry.finish()
        if unit_price is None and flat_fee is None:
            raise invalid(entry.field("unit_price"), "is required where there is no flat_fee; 0 is free")
        yield Tier(start, end, unit_price or ZERO, flat_fee or ZERO)
        start = start if end is None else end


def tiers_as_parameters(tiers: tuple[Tier, ...]) -> dict[str, Any]:
    """What `read_tiers` reads, without the fees that are zero and the bound the last tier doesn't have."""
    return {"tiers": [_as_parameters(tier) for tier in tiers]}


def _as_parameters(tier: Tier) -> dict[str, str]:
    parameters = {} if tier.end is None else {"up_to": plain(tier.end)}
    parameters["unit_price"] = plain(tier.unit_price)
    if tier.flat_fee:
        parameters["flat_fee"] = plain(tier.flat_fee)
    return parameters


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


def charge_in_tier(position: int, tier: Tier, quantity: Decimal) -> Charge:
    """What the quantity costs at the tier's price, and the tier's flat fee where it has one."""
    start, end, unit_price, flat_fee = tier
    usage = Step("tier", quantity, unit_price, multiply(quantity, unit_price), position, start, end)
    if not flat_fee:
        return Charge(usage.amount, (usage,))
    fee = Step("flat_fee", ONE, flat_fee, flat_fee, position, start, end)
    return Charge(add(usage.amount, flat_fee), (usage, fee))
