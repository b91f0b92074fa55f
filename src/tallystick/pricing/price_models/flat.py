"""Flat: a fixed amount for the period, whatever the usage, and without any."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import Scale
from tallystick.pricing.models import ONE, ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, require_not_negative
from tallystick.pricing.tiers import one_tier


@dataclass(frozen=True, slots=True)
class Flat(ByQuantity):
    """`amount`, once."""

    name: ClassVar[str] = "flat"
    amount: Decimal

    def __post_init__(self) -> None:
        require_not_negative(self.amount, "amount")

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """One tier, with the amount for its flat fee."""
        return one_tier(ZERO, self.amount)

    def charge(self, used: Used) -> Charge:  # noqa: ARG002 - any usage costs the same
        """One step: the amount as a fee."""
        return Charge(self.amount, (Step("flat_fee", ONE, self.amount, self.amount),))

    def scaled(self, scale: Scale) -> Self:
        """The part of the amount."""
        return type(self)(scale(self.amount))

    def to_parameters(self) -> dict[str, Any]:
        """`amount`, as text."""
        return {"amount": plain(self.amount)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `amount`."""
        return cls(parameters.number("amount"))


MODEL = Flat
