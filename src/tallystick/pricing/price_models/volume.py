"""Volume: the tier that the whole usage reaches prices all of it.

A larger usage may therefore cost less. No usage is in the first tier, and its flat fee is due.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.pricing.exact import Scale
from tallystick.pricing.models import ByQuantity, Charge, Tier, Used
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.tiers import charge_in_tier, check_tiers, read_tiers, scaled_tiers, tiers_as_parameters


@dataclass(frozen=True, slots=True)
class Volume(ByQuantity):
    """`quantity × unit_price + flat_fee` of the tier that holds the quantity."""

    name: ClassVar[str] = "volume"
    tiers: tuple[Tier, ...]
    _bounds: tuple[Decimal, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_tiers(self.tiers)
        object.__setattr__(self, "_bounds", tuple(tier.end for tier in self.tiers if tier.end is not None))

    def charge(self, used: Used) -> Charge:
        """A step for the tier that holds the quantity, and one for its flat fee."""
        position = bisect_left(self._bounds, used.quantity)
        return Charge(*charge_in_tier(position, self.tiers[position], used.quantity))

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


MODEL = Volume
