"""Graduated: each tier prices the usage that falls into it, as income tax does.

A tier's flat fee is due once usage enters the tier; the first tier is entered without usage. So at every
quantity the charge is that of the tiers below, full, plus that of the part inside the tier reached. The
former is fixed by the price and computed when it is built; rating then costs one search and one product.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import Any, ClassVar, Self

from tallystick.core.money import ZERO
from tallystick.pricing.exact import add, subtract
from tallystick.pricing.models import Charge, Tier
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.tiers import charge_in_tier, check_tiers, read_tiers, tiers_as_parameters


@dataclass(frozen=True, slots=True)
class Graduated:
    """The sum over the tiers of `units in the tier × unit_price + flat_fee`."""

    name: ClassVar[str] = "graduated"
    tiers: tuple[Tier, ...]
    _bounds: tuple[Decimal, ...] = field(init=False, repr=False, compare=False)
    _below: tuple[Charge, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_tiers(self.tiers)
        bounds = tuple(tier.end for tier in self.tiers if tier.end is not None)
        full = (
            charge_in_tier(position, tier, subtract(bound, tier.start))
            for position, (tier, bound) in enumerate(zip(self.tiers, bounds, strict=False))
        )
        object.__setattr__(self, "_bounds", bounds)
        object.__setattr__(self, "_below", tuple(accumulate(full, _together, initial=Charge(ZERO, ()))))

    def charge(self, quantity: Decimal) -> Charge:
        """A step for every tier reached, the first always, and one for each flat fee."""
        position = bisect_left(self._bounds, quantity)
        tier = self.tiers[position]
        reached = charge_in_tier(position, tier, subtract(quantity, tier.start))
        return _together(self._below[position], reached)

    def to_parameters(self) -> dict[str, Any]:
        """`tiers`, as text."""
        return tiers_as_parameters(self.tiers)

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `tiers`."""
        return cls(read_tiers(parameters))


def _together(below: Charge, reached: Charge) -> Charge:
    return Charge(add(below.amount, reached.amount), below.steps + reached.steps)


MODEL = Graduated
