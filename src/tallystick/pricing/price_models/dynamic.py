"""Dynamic: the events bring their price with them; the quantity is the sum of their amounts, times a multiplier."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.core.money import plain
from tallystick.pricing.exact import multiply
from tallystick.pricing.models import ONE, ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, require_not_negative
from tallystick.pricing.tiers import one_tier


@dataclass(frozen=True, slots=True)
class Dynamic(ByQuantity):
    """`quantity × multiplier`: 1.2 is what the events cost and a fifth more; 0.01 reads amounts in cents."""

    name: ClassVar[str] = "dynamic"
    multiplier: Decimal = ONE

    def __post_init__(self) -> None:
        require_not_negative(self.multiplier, "multiplier")

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """One tier for all amounts."""
        return one_tier(self.multiplier)

    def charge(self, used: Used) -> Charge:
        """One step: the events' amounts, multiplied."""
        amount = multiply(used.quantity, self.multiplier)
        return Charge(amount, (Step("dynamic", used.quantity, self.multiplier, amount),))

    def to_parameters(self) -> dict[str, Any]:
        """`multiplier`, as text."""
        return {"multiplier": plain(self.multiplier)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `multiplier`, which is 1 when it is left out."""
        given = parameters.optional("multiplier")
        return cls(ONE if given is None else given)


MODEL = Dynamic
