"""What happens to an amount after the price model: discounts, the maximum, the minimum, the commitment."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import Scale, multiply, per_cent, subtract
from tallystick.pricing.models import ONE, Step
from tallystick.pricing.parameters import (
    Parameters,
    invalid,
    require_not_negative,
    require_percent,
    require_positive,
)

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Discount:
    """A part of the amount, or a fixed amount, off; what is left is never below zero.

    Attributes:
        percent: above 0, up to 100; of the amount as it is when the discount's turn comes.
        amount: in the price's currency. Either this or `percent` is given.
        name: what it is called on the bill.
        scope: the metrics it is for, where it stands beside prices (on a plan, of a team); none: all.
    """

    percent: Decimal | None = None
    amount: Decimal | None = None
    name: str = ""
    scope: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount is None):
            raise invalid("percent", "or amount is required, and not both")
        if self.percent is not None:
            require_percent(self.percent, "percent")
            require_positive(self.percent, "percent")
            if self.percent > HUNDRED:
                raise invalid("percent", f"is {self.percent}: must not exceed 100")
        if self.amount is not None:
            require_positive(self.amount, "amount")

    def step(self, amount: Decimal) -> Step:
        """What comes off this amount, as a step with a negative amount."""
        if self.percent is not None:
            off = multiply(amount, per_cent(self.percent))
            return Step("percent_discount", ZERO, None, _negative(off), setting=self.percent, label=self.name or None)
        off = min(self.amount or ZERO, amount)
        return Step("amount_discount", ZERO, None, _negative(off), setting=self.amount, label=self.name or None)

    def to_parameters(self) -> dict[str, Any]:
        """What `from_parameters` reads, without what is at its default."""
        numbers = {"percent": self.percent, "amount": self.amount}
        parameters: dict[str, Any] = {key: plain(number) for key, number in numbers.items() if number is not None}
        if self.name:
            parameters["name"] = self.name
        if self.scope:
            parameters["scope"] = list(self.scope)
        return parameters

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `percent` or `amount`, `name` and `scope`."""
        percent, amount = parameters.optional("percent"), parameters.optional("amount")
        name, scope = parameters.optional_text("name"), parameters.texts("scope")
        parameters.finish()
        return cls(percent, amount, name or "", scope)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a customer committed to per period: money, or a quantity, which is worth what the price asks for it.

    Attributes:
        amount: the committed amount, in the price's currency.
        quantity: or the committed quantity, in the unit that is priced.
        overage_factor: what exceeds the commitment costs so many times as much.
        true_up: whether what is missing at the end of the period is charged.
    """

    amount: Decimal | None = None
    quantity: Decimal | None = None
    overage_factor: Decimal = ONE
    true_up: bool = True

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.quantity is None):
            raise invalid("commitment", "needs either an amount or a quantity")
        for key, number in (("amount", self.amount), ("quantity", self.quantity)):
            if number is not None:
                require_not_negative(number, f"commitment.{key}")
        require_not_negative(self.overage_factor, "commitment.overage_factor")

    def step(self, worth: Decimal, amount: Decimal, *, final: bool) -> Step | None:
        """The true-up of an amount below what the commitment is worth, or the surcharge on one above it."""
        excess = subtract(amount, worth)
        if excess < 0:
            missing = _negative(excess)
            return Step("true_up", ZERO, None, missing, setting=worth) if final and self.true_up else None
        if not excess or self.overage_factor == ONE:
            return None
        surcharge = multiply(excess, subtract(self.overage_factor, ONE))
        return Step("overage", ZERO, None, surcharge, setting=self.overage_factor)

    def scaled(self, scale: Scale) -> Self:
        """The commitment for a part of the period."""
        amount, quantity = (None if number is None else scale(number) for number in (self.amount, self.quantity))
        return type(self)(amount, quantity, self.overage_factor, self.true_up)

    def to_parameters(self) -> dict[str, Any]:
        """What `from_parameters` reads, without what is at its default."""
        numbers = {"amount": self.amount, "quantity": self.quantity}
        parameters: dict[str, Any] = {key: plain(number) for key, number in numbers.items() if number is not None}
        if self.overage_factor != ONE:
            parameters["overage_factor"] = plain(self.overage_factor)
        if not self.true_up:
            parameters["true_up"] = False
        return parameters

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `amount` or `quantity`, `overage_factor` and `true_up`."""
        amount, quantity = parameters.optional("amount"), parameters.optional("quantity")
        factor, true_up = parameters.optional("overage_factor"), parameters.flag("true_up")
        parameters.finish()
        return cls(amount, quantity, ONE if factor is None else factor, true_up is not False)


def _negative(number: Decimal) -> Decimal:
    return number.copy_negate() if number else ZERO
