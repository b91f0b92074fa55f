"""The words of pricing: what is priced, what a price model is, what a charge is made of and how it is shown.

A quantity is in the metric's unit, a unit price and an amount in the price's currency. Nothing here is
rounded but `Charge.total`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from tallystick.core.money import ZERO, plain, round_money
from tallystick.pricing.exact import Scale, total
from tallystick.pricing.parameters import Parameters

ONE = Decimal(1)

SCHEDULE = "schedule"
"""The dimension that no event carries: the band of the price's schedule in which usage happened."""


class Measure(StrEnum):
    """Which number of a level over time is priced: level × time, the mean level, or the highest one."""

    TOTAL = "total"
    AVERAGE = "average"
    PEAK = "peak"


class Used(NamedTuple):
    """What a price rates: the usage of one period.

    Attributes:
        quantity: the whole usage; of usage that adds up, the sum of the cells'.
        events: how many events made it.
        amounts: the events' values in the order of time; needed where `Price.needs_each_event`.
        cells: the usage by `Price.group_by`, where that is not empty. Cells of the same values add up.
        final: whether the period is over; a commitment is trued up only then.
    """

    quantity: Decimal
    events: int = 0
    amounts: tuple[Decimal, ...] | None = None
    cells: tuple["Cell", ...] = ()
    final: bool = True


class Cell(NamedTuple):
    """The part of a usage with these values of the dimensions, in the order of `Price.group_by`; None: without one."""

    values: tuple[str | None, ...]
    used: Used


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
        label: what the step is about where a price has several alike: the rate of a matrix, the values of
            a filter, the name of a discount, the units of a conversion.
    """

    kind: str
    quantity: Decimal
    unit_price: Decimal | None
    amount: Decimal
    tier: int | None = None
    start: Decimal | None = None
    end: Decimal | None = None
    setting: Decimal | None = None
    label: str | None = None


class Charge(NamedTuple):
    """What usage costs: `amount` is exact, not rounded, and equals the sum of the steps' amounts."""

    amount: Decimal
    steps: tuple[Step, ...]

    @property
    def unpriced(self) -> Decimal:
        """How much usage met no rate of its matrix, and is in no amount; it is to be asked about, not given away."""
        return total(step.quantity for step in self.steps if step.kind == "unpriced")

    def total(self, currency: str) -> Decimal:
        """The amount as billed: rounded once, half away from zero, to the currency's ISO 4217 exponent."""
        return round_money(self.amount, currency)


class PriceModel(Protocol):
    """How usage becomes money. Each module of `price_models` has one, and names it `MODEL`.

    A model is immutable, validates its numbers when built (`InvalidInput` names the field), and never
    sees a negative quantity. Those that ask for the quantity alone are a `ByQuantity`.
    """

    name: ClassVar[str]

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The prices as tiers; a model without tiers has one for all usage, or none where that says nothing."""

    @property
    def by_quantity(self) -> bool:
        """Whether the quantity alone decides the charge."""

    @property
    def needs_each_event(self) -> bool:
        """Whether the value of each event decides the charge, and `Used.amounts` has to be given."""

    @property
    def group_by(self) -> tuple[str, ...]:
        """The dimensions whose values the model keeps apart."""

    def charge(self, used: Used) -> Charge:
        """What this usage costs, with the steps."""

    def scaled(self, scale: Scale) -> Self:
        """The model for a part of a period: tier bounds, free amounts and flat fees are scaled."""

    def to_parameters(self) -> dict[str, Any]:
        """The model's numbers in canonical text, as `from_parameters` reads them."""

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """The model that the parameters describe."""


class ByQuantity:
    """What most price models have in common: the quantity decides, and time changes nothing."""

    __slots__ = ()

    by_quantity = True
    needs_each_event = False
    group_by: tuple[str, ...] = ()

    def scaled(self, scale: Scale) -> Self:  # noqa: ARG002 - no number of the model stands for a period
        """The model itself: what a unit costs is the same in a part of a period."""
        return self


def charge_as_json(charge: Charge) -> dict[str, Any]:
    """The charge for an API answer: numbers as plain decimal text, every step with every key."""
    return {"amount": plain(charge.amount), "steps": [_step_as_json(step) for step in charge.steps]}


def _step_as_json(step: Step) -> dict[str, Any]:
    values = step._asdict().items()
    return {key: plain(value) if isinstance(value, Decimal) else value for key, value in values}
