"""Per unit: every unit costs the same."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.core.money import plain
from tallystick.pricing.exact import multiply
from tallystick.pricing.models import ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, require_not_negative
from tallystick.pricing.tiers import one_tier


@dataclass(frozen=True, slots=True)
class PerUnit(ByQuantity):
    """`quantity × unit_price`."""

    name: ClassVar[str] = "per_unit"
    unit_price: Decimal

    def __post_init__(self) -> None:
        require_not_negative(self.unit_price, "unit_price")

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """One tier for all usage."""
        return one_tier(self.unit_price)

    def charge(self, used: Used) -> Charge:
        """One step: the units at their price."""
        amount = multiply(used.quantity, self.unit_price)
        return Charge(amount, (Step("per_unit", used.quantity, self.unit_price, amount),))

    def to_parameters(self) -> dict[str, Any]:
        """`unit_price`, as text."""
        return {"unit_price": plain(self.unit_price)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `unit_price`."""
        return cls(parameters.number("unit_price"))


MODEL = PerUnit
