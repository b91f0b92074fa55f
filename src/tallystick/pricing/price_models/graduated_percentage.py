"""Graduated percentage: each tier takes its part of the amounts that fall into it.

The quantity is money: the sum of the events' amounts. Everything else is as in `graduated`.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tallystick.pricing.exact import Scale
from tallystick.pricing.models import ByQuantity, Charge, Tier, Used
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.price_models.graduated import Graduated
from tallystick.pricing.tiers import PERCENT, read_tiers, scaled_tiers, tiers_as_parameters


@dataclass(frozen=True, slots=True)
class GraduatedPercentage(ByQuantity):
    """The sum over the tiers of `amount in the tier × rate ÷ 100 + flat_fee`."""

    name: ClassVar[str] = "graduated_percentage"
    tiers: tuple[Tier, ...]
    _graduated: Graduated = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_graduated", Graduated(self.tiers))

    def charge(self, used: Used) -> Charge:
        """A step for every tier reached, the first always, and one for each flat fee."""
        return self._graduated.charge(used)

    def scaled(self, scale: Scale) -> Self:
        """The bounds and the flat fees scaled; the rates stay."""
        return type(self)(scaled_tiers(self.tiers, scale))

    def to_parameters(self) -> dict[str, Any]:
        """`tiers`, as text."""
        return tiers_as_parameters(self.tiers, PERCENT)

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `tiers`, a list of `{up_to, rate, flat_fee}` with the rate in per cent."""
        return cls(read_tiers(parameters, PERCENT))


MODEL = GraduatedPercentage
