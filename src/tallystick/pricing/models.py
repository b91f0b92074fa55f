"""The words of pricing: what a price model is, what a charge is made of, and how a charge is shown.

A quantity is in the metric's unit, a unit price and an amount in the price's currency. Nothing here is
rounded but `Charge.total`.
"""

from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from tallystick.core.money import ZERO, plain, round_money
from tallystick.pricing.parameters import Parameters

ONE = Decimal(1)


class Tier(NamedTuple):
    """What usage in (start, end] costs: the upper bound is inclusive, and the last tier has none."""

    start: Decimal
    end: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = ZERO


class Step(NamedTuple):
    """One of the steps that made a charge, in the order in which they were taken.

    Attributes:
        kind: what the step does, such as `tier`, `flat_fee` or `minimum`; a word of the price model.
        quantity: how much it is done with: units of usage, packages, or 1 for a fee; 0 where the step
            works on the amount alone.
        unit_price: what each of `quantity` costs; None where the step prices nothing.
        amount: what the step adds to the charge, exact; `quantity × unit_price` where there is a price.
        tier: the position of the tier, counted from 0.
        start, end: the tier's bounds (start, end]; end is None in the last tier.
        setting: the number of the price that the step puts into effect: the free units, the units in a
            package, the minimum or the maximum.
    """

    kind: str
    quantity: Decimal
    unit_price: Decimal | None
    amount: Decimal
    tier: int | None = None
    start: Decimal | None = None
    end: Decimal | None = None
    setting: Decimal | None = None


class Charge(NamedTuple):
    """What usage costs: `amount` is exact, not rounded, and equals the sum of the steps' amounts."""

    amount: Decimal
    steps: tuple[Step, ...]

    def total(self, currency: str) -> Decimal:
        """The amount as billed: rounded once, half away from zero, to the currency's ISO 4217 exponent."""
        return round_money(self.amount, currency)


class PriceModel(Protocol):
    """How a quantity becomes money. Each module of `price_models` has one, and names it `MODEL`.

    A model is immutable, validates its numbers when built (`InvalidInput` names the field), and never
    sees a negative quantity.
    """

    name: ClassVar[str]

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The prices as tiers; a model without tiers has one for all usage."""

    def charge(self, quantity: Decimal) -> Charge:
        """What this many units cost, with the steps."""

    def to_parameters(self) -> dict[str, Any]:
        """The model's numbers in canonical text, as `from_parameters` reads them."""

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """The model that the parameters describe."""


def charge_as_json(charge: Charge) -> dict[str, Any]:
    """The charge for an API answer: numbers as plain decimal text, every step with every key."""
    return {"amount": plain(charge.amount), "steps": [_step_as_json(step) for step in charge.steps]}


def _step_as_json(step: Step) -> dict[str, Any]:
    values = step._asdict().items()
    return {key: plain(value) if isinstance(value, Decimal) else value for key, value in values}
