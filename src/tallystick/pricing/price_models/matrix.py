"""Matrix: a rate by the values of dimensions, such as region × instance type; any price model can be a rate.

A rate prices the sum of the usage it applies to, so the tiers of a rate for two regions are shared by them.
Usage that no rate applies to, where there is no default, becomes a step `unpriced`: it is in no amount, and
never silently free. A rate without usage charges nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, NamedTuple, Self

from tallystick.core.money import ZERO
from tallystick.pricing.conversion import Conversion
from tallystick.pricing.exact import Scale, add, subtract, total
from tallystick.pricing.models import SCHEDULE, Cell, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, invalid
from tallystick.pricing.rate_table import RateTable, Values
from tallystick.pricing.rates import Rate, rate_as_parameters, read_default, read_rates
from tallystick.pricing.stages import (
    Draft,
    free_allowance,
    negative_usage_is_none,
    noted,
    price_model,
    unit_conversion,
)


class Pool(NamedTuple):
    """The usage that one rate applies to, or that none does, and what it is called in the steps."""

    rate: Rate | None
    label: str
    used: Used


@dataclass(frozen=True, slots=True)
class Matrix:
    """A rate by values of the `dimensions`; `default` for the rest."""

    name: ClassVar[str] = "matrix"
    dimensions: tuple[str, ...]
    rates: tuple[Rate, ...]
    default: Rate | None = None
    _table: RateTable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.dimensions or len(set(self.dimensions)) < len(self.dimensions):
            raise invalid("dimensions", "must be a list of different dimensions")
        object.__setattr__(self, "_table", RateTable(self.dimensions, self.rates))

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """None: tiers of different rates say nothing side by side."""
        return ()

    @property
    def every_rate(self) -> tuple[Rate, ...]:
        """The rates, the default last."""
        return self.rates if self.default is None else (*self.rates, self.default)

    @property
    def by_quantity(self) -> bool:
        """Whether every rate asks for the quantity alone."""
        return all(rate.terms.by_quantity for rate in self.every_rate)

    @property
    def needs_each_event(self) -> bool:
        """Whether a rate asks for each event."""
        return any(rate.terms.needs_each_event for rate in self.every_rate)

    @property
    def group_by(self) -> tuple[str, ...]:
        """The dimensions."""
        return self.dimensions

    def charge(self, used: Used) -> Charge:
        """The steps of every rate that has usage, labelled with the values it names."""
        _, amount, steps = rates_of_matrix(self, None, ZERO, Draft(used, ZERO, ()))
        return Charge(amount, steps)

    def pools(self, used: Used) -> list[Pool]:
        """The usage by rate, in the order of the rates; then the default's, then what is unpriced, by its values."""
        found: dict[tuple[int, Values], list[Used]] = {}
        for values, part in self._cells(used):
            found.setdefault(self._key(values), []).append(part)
        return [self._pool(*key, found[key], final=used.final) for key in sorted(found, key=_in_order)]

    def _cells(self, used: Used) -> Sequence[Cell]:
        cells = used.cells or (Cell((None,) * len(self.dimensions), used),)
        return [cell for cell in cells if cell.used.quantity or cell.used.events]

    def _key(self, values: Values) -> tuple[int, Values]:
        """The rate's position; after the last, the default's, or each unpriced combination of values."""
        position = self._table.find(values)
        if position is not None:
            return position, ()
        return len(self.rates), () if self.default else values

    def _pool(self, position: int, values: Values, parts: Sequence[Used], *, final: bool) -> Pool:
        together = _together(parts, final=final)
        rate = self.rates[position] if position < len(self.rates) else self.default
        if rate is not None:
            return Pool(rate, rate.label(self.dimensions), together)
        told = zip(self.dimensions, values, strict=True)
        return Pool(None, ", ".join(f"{dimension}: {value or 'none'}" for dimension, value in told), together)

    def scaled(self, scale: Scale) -> Self:
        """Every rate scaled, with its free units."""
        default = None if self.default is None else _scaled(self.default, scale)
        return type(self)(self.dimensions, tuple(_scaled(rate, scale) for rate in self.rates), default)

    def to_parameters(self) -> dict[str, Any]:
        """`dimensions`, `rates` and `default`."""
        parameters: dict[str, Any] = {
            "dimensions": list(self.dimensions),
            "rates": [rate_as_parameters(rate, self.dimensions) for rate in self.rates],
        }
        if self.default is not None:
            parameters["default"] = rate_as_parameters(self.default, self.dimensions)
        return parameters

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `dimensions` (a price with a `schedule` need not name it), `rates` and `default`."""
        dimensions = parameters.texts("dimensions") or ((SCHEDULE,) if SCHEDULE in parameters else ())
        if not dimensions:
            raise invalid(parameters.field("dimensions"), "is required: the dimensions whose values decide the rate")
        rates, default = read_rates(parameters, dimensions), parameters.group("default")
        return cls(dimensions, rates, None if default is None else read_default(default, dimensions))


def rates_of_matrix(matrix: Matrix, conversion: Conversion | None, free_units: Decimal, draft: Draft) -> Draft:
    """The stage of a matrix: each rate converts and prices the usage that it applies to.

    Free units of the price are for all rates, and go to them in their order.
    """
    amount, steps, free = draft.amount, list(draft.steps), free_units
    for pool in matrix.pools(draft.used):
        rated, free = _rated(pool, conversion, free)
        amount = add(amount, rated.amount)
        steps += (step._replace(label=_labels(pool.label, step.label)) for step in rated.steps)
    return Draft(draft.used, amount, tuple(steps))


def _rated(pool: Pool, conversion: Conversion | None, free: Decimal) -> tuple[Draft, Decimal]:
    """What the usage of one rate comes to, and the free units that are left for the next."""
    draft = negative_usage_is_none(Draft(pool.used, ZERO, ()))
    if pool.rate is None:
        return noted(draft, Step("unpriced", draft.used.quantity, None, ZERO)), free
    if conversion is not None:
        draft = unit_conversion(conversion, draft)
    if pool.rate.free_units:
        draft = free_allowance(pool.rate.free_units, draft)
    if free:
        before = draft.used.quantity
        draft = free_allowance(free, draft)
        free = subtract(free, subtract(before, draft.used.quantity))
    return price_model(pool.rate.terms, draft), free


def _labels(*labels: str | None) -> str:
    return "; ".join(label for label in labels if label)


def _in_order(key: tuple[int, Values]) -> tuple[int, tuple[str, ...]]:
    position, values = key
    return position, tuple(value or "" for value in values)


def _together(parts: Sequence[Used], *, final: bool) -> Used:
    if len(parts) == 1:
        return parts[0]._replace(final=final)
    known = [part.amounts for part in parts if part.amounts is not None]
    amounts = tuple(chain.from_iterable(known)) if len(known) == len(parts) else None
    return Used(total(part.quantity for part in parts), sum(part.events for part in parts), amounts, (), final)


def _scaled(rate: Rate, scale: Scale) -> Rate:
    return Rate(rate.where, rate.terms.scaled(scale), scale(rate.free_units))


MODEL = Matrix
