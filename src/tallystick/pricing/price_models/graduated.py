"""Graduated: each tier prices the usage that falls into it, as income tax does.

A tier's flat fee is due once usage enters the tier; the first tier is entered without usage. So at every
quantity the charge is that of the tiers below, full, plus that of the part inside the tier reached. The
former is fixed by the price and computed when it is built; rating then costs one search and one product.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, chain
from typing import Any, ClassVar, NamedTuple, Self

from tallystick.core.money import ZERO
from tallystick.pricing.exact import Scale, add, subtract
from tallystick.pricing.models import ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.tiers import charge_in_tier, check_tiers, read_tiers, scaled_tiers, tiers_as_parameters


class Below(NamedTuple):
    """What the tiers below one come to, full, and how many of the steps are theirs."""

    amount: Decimal
    steps: int


@dataclass(frozen=True, slots=True)
class Graduated(ByQuantity):
    """The sum over the tiers of `units in the tier × unit_price + flat_fee`."""

    name: ClassVar[str] = "graduated"
    tiers: tuple[Tier, ...]
    _bounds: tuple[Decimal, ...] = field(init=False, repr=False, compare=False)
    _below: tuple[Below, ...] = field(init=False, repr=False, compare=False)
    _full: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_tiers(self.tiers)
        bounds = tuple(tier.end for tier in self.tiers if tier.end is not None)
        full = [
            charge_in_tier(position, tier, subtract(bound, tier.start))
            for position, (tier, bound) in enumerate(zip(self.tiers, bounds, strict=False))
        ]
        object.__setattr__(self, "_bounds", bounds)
        object.__setattr__(self, "_below", tuple(accumulate(full, _and_above, initial=Below(ZERO, 0))))
        object.__setattr__(self, "_full", tuple(chain.from_iterable(steps for _, steps in full)))

    def charge(self, used: Used) -> Charge:
        """A step for every tier reached, the first always, and one for each flat fee."""
        quantity = used.quantity
        position = bisect_left(self._bounds, quantity)
        tier = self.tiers[position]
        amount, steps = charge_in_tier(position, tier, subtract(quantity, tier.start))
        below, number = self._below[position]
        return Charge(add(below, amount), self._full[:number] + steps)

    def scaled(self, scale: Scale) -> Self:
        """The bounds and the flat fees scaled; what a unit costs stays."""
        return type(self)(scaled_tiers(self.tiers, scale))

    def to_parameters(self) -> dict[str, Any]:
        """`tiers`, as text."""
        return tiers_as_parameters(self.tiers)

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `tiers`."""
        return cls(read_tiers(parameters))


def _and_above(below: Below, full: tuple[Decimal, tuple[Step, ...]]) -> Below:
    amount, steps = full
    return Below(add(below.amount, amount), below.steps + len(steps))


MODEL = Graduated
