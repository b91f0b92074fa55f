"""A price: how the usage of one metric becomes money, or what a fee is. One that is wrong can't be built."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial, reduce
from typing import Any, Self

from tallystick.core.money import ZERO, currency_exponent, plain
from tallystick.pricing import stages
from tallystick.pricing.adjustments import Commitment, Discount
from tallystick.pricing.conversion import Conversion, Rounding
from tallystick.pricing.exact import share_of_time
from tallystick.pricing.models import SCHEDULE, Measure, PriceModel, Tier, Used
from tallystick.pricing.parameters import Parameters, inside, invalid, require_not_negative
from tallystick.pricing.price_models.matrix import Matrix, rates_of_matrix
from tallystick.pricing.registry import read_terms
from tallystick.pricing.schedule import Schedule
from tallystick.pricing.stages import Draft, Proration, Stage

FEE_MODEL = "flat"


@dataclass(frozen=True, slots=True)
class Price:
    """What a metric costs per period, or a fee.

    Attributes:
        metric: the metric whose usage is priced; None: a fee, which is due whatever is used.
        currency: the ISO 4217 code of every amount here.
        terms: the price model with its numbers, such as `Graduated(tiers)`.
        free_units: usage that is not charged; the model sees what is left.
        minimum: the least the charge comes to, even without usage.
        maximum: the most the charge comes to.
        name: what it is called where a metric has several prices, and what a fee is called.
        where: only usage with one of these values is priced, by dimension.
        conversion: from the metric's unit to the one that is priced.
        discounts: what comes off the model's amount, one after the other.
        commitment: what the customer committed to per period.
        prorate: whether the price of a part of a period is a part of the price; left out, fees are and
            prices of usage are not.
        measure: which number of a level over time is priced.
        schedule: the bands of local time for which a matrix with the dimension `schedule` has rates.
        proration: the part of a period that the numbers here are those of (`prorated`).
        stages: what `rate` does, in order.

    Raises:
        InvalidInput: a number is negative or too large, the currency is not in ISO 4217, the minimum exceeds
            the maximum, two settings don't go together; `field` is the path of the one at fault.
    """

    metric: str | None
    currency: str
    terms: PriceModel
    free_units: Decimal = ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    name: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    conversion: Conversion | None = None
    discounts: tuple[Discount, ...] = ()
    commitment: Commitment | None = None
    prorate: bool | None = None
    measure: Measure = Measure.TOTAL
    schedule: Schedule | None = None
    proration: Proration | None = None
    stages: tuple[Stage, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        currency_exponent(self.currency)
        _check_limits(self)
        _check_fit(self)
        if self.metric is None:
            _check_fee(self)
        if self.prorate is None:
            object.__setattr__(self, "prorate", self.metric is None)
        object.__setattr__(self, "stages", tuple(_stages(self)))

    @property
    def label(self) -> str:
        """The name of the price, which tells it from others in a plan: its own, or the metric's."""
        return self.name or self.metric or ""

    @property
    def model(self) -> str:
        """The name of the price model."""
        return self.terms.name

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The prices as tiers; of a package price, the one tier's unit is a package."""
        return self.terms.tiers

    @property
    def group_by(self) -> tuple[str, ...]:
        """The dimensions that are kept apart (`Used.cells`); `schedule` stands for the band of the schedule."""
        return self.terms.group_by

    @property
    def needs_each_event(self) -> bool:
        """Whether the events' values have to be given, in the order of time (`Used.amounts`)."""
        return self.terms.needs_each_event

    def prorated(self, part: Decimal, whole: Decimal) -> Self:
        """The price for `part` of a period that is `whole` long, both in seconds; itself if it is not `prorate`.

        Tier bounds, free units, minimum, maximum, commitment and flat fees are multiplied by part ÷ whole,
        exact to 100 digits; what a unit costs stays.

        Raises:
            ValueError: the price is prorated already, or the lengths are not those of a part and a whole.
        """
        if not self.prorate or part == whole:
            return self
        if self.proration is not None:
            raise ValueError("the price is prorated already")
        if not ZERO <= part < whole:
            raise ValueError(f"{part} of {whole} seconds is no part of a period")
        scale = share_of_time(part, whole)
        return replace(
            self,
            terms=self.terms.scaled(scale),
            free_units=scale(self.free_units),
            minimum=None if self.minimum is None else scale(self.minimum),
            maximum=None if self.maximum is None else scale(self.maximum),
            commitment=None if self.commitment is None else self.commitment.scaled(scale),
            proration=Proration(part, whole),
        )

    def with_discounts(self, discounts: Iterable[Discount]) -> Self:
        """The price with further discounts after its own."""
        return replace(self, discounts=(*self.discounts, *discounts))

    def to_parameters(self) -> dict[str, Any]:
        """Everything but metric, model and currency, ready for JSON, in one canonical form.

        Decimals are plain text without trailing zeros, and what is at its default is left out, so that
        equal prices have equal parameters. Of a prorated price, they are the scaled numbers.
        """
        return self.terms.to_parameters() | dict(_common_parameters(self))

    @classmethod
    def from_parameters(cls, metric: str | None, model: str, currency: str, parameters: Any) -> Self:
        """The price that a billing file or the database spells; numbers are decimal text or integers.

        Raises:
            InvalidInput: an unknown model or key, a missing key, or a value that is not allowed.
        """
        given = Parameters(parameters)
        terms = read_terms(model, given)
        common = dict(_read_common(given))
        given.finish()
        return cls(metric, currency, terms, **common)


def _read_common(given: Parameters) -> Iterator[tuple[str, Any]]:
    """What every price may have, in the order in which an error lists the keys."""
    yield "free_units", given.optional("free_units") or ZERO
    yield "minimum", given.optional("minimum")
    yield "maximum", given.optional("maximum")
    yield "name", given.optional_text("name") or ""
    where = given.group("where")
    yield "where", {} if where is None else {dimension: where.texts(dimension) for dimension in where.keys()}  # noqa: SIM118
    for key, read in (("conversion", Conversion.from_parameters), ("commitment", Commitment.from_parameters)):
        group = given.group(key)
        yield key, None if group is None else read(group)
    yield "discounts", tuple(_read_discounts(given))
    yield "prorate", given.flag("prorate")
    yield "measure", given.choice("measure", Measure) or Measure.TOTAL
    schedule = given.group(SCHEDULE)
    yield SCHEDULE, None if schedule is None else Schedule.from_parameters(schedule)


def _read_discounts(given: Parameters) -> Iterator[Discount]:
    for entry in given.entries("discounts") if "discounts" in given else []:
        with inside(entry.path):
            yield Discount.from_parameters(entry)


def _common_parameters(price: Price) -> Iterator[tuple[str, Any]]:
    limits = {"free_units": price.free_units or None, "minimum": price.minimum, "maximum": price.maximum}
    yield from ((key, plain(number)) for key, number in limits.items() if number is not None)
    if price.name:
        yield "name", price.name
    if price.where:
        yield "where", {dimension: list(values) for dimension, values in sorted(price.where.items())}
    for key, group in (("conversion", price.conversion), ("commitment", price.commitment), (SCHEDULE, price.schedule)):
        if group is not None:
            yield key, group.to_parameters()
    if price.discounts:
        yield "discounts", [discount.to_parameters() for discount in price.discounts]
    if price.prorate is not (price.metric is None):
        yield "prorate", price.prorate
    if price.measure is not Measure.TOTAL:
        yield "measure", str(price.measure)


def _check_limits(price: Price) -> None:
    require_not_negative(price.free_units, "free_units")
    if price.minimum is not None:
        require_not_negative(price.minimum, "minimum")
    if price.maximum is not None:
        require_not_negative(price.maximum, "maximum")
        if price.minimum is not None and price.minimum > price.maximum:
            raise invalid("minimum", f"is {price.minimum}: must not exceed the maximum, {price.maximum}")


def _check_fit(price: Price) -> None:
    """Refuse settings that the price model has no meaning for."""
    terms, conversion, commitment = price.terms, price.conversion, price.commitment
    if price.free_units and not terms.by_quantity:
        raise invalid("free_units", f"are of no use to {terms.name}, which asks for each event; use free_amount")
    if commitment is not None and commitment.quantity is not None and (terms.group_by or not terms.by_quantity):
        raise invalid("commitment.quantity", f"has no one price in {terms.name}; commit to an amount")
    if conversion is not None and conversion.round is not Rounding.NONE and terms.needs_each_event:
        raise invalid("conversion.round", f"must be left out: {terms.name} asks for each event")
    for dimension, values in price.where.items():
        if not values:
            raise invalid(f"where.{dimension}", "must be a text or a list of different texts")
    _check_schedule(terms, price.schedule)


def _check_schedule(terms: PriceModel, schedule: Schedule | None) -> None:
    by_band = SCHEDULE in terms.group_by
    if schedule is None and by_band:
        raise invalid(SCHEDULE, "is required: the rates are by its bands")
    if schedule is not None and not by_band:
        raise invalid(SCHEDULE, "is of no use without rates by its bands; take the model matrix")
    if schedule is not None and isinstance(terms, Matrix):
        _check_bands(terms, schedule)


def _check_bands(matrix: Matrix, schedule: Schedule) -> None:
    at = matrix.dimensions.index(SCHEDULE)
    for i, rate in enumerate(matrix.rates):
        for name in rate.where[at]:
            if name not in schedule.names:
                known = ", ".join(sorted(schedule.names))
                raise invalid(f"rates[{i}].{SCHEDULE}", f"is {name!r}: must be a band of the schedule: {known}")


def _check_fee(price: Price) -> None:
    """Refuse what only usage can have."""
    if not price.name:
        raise invalid("name", "is required of a fee, which has no metric")
    if price.model != FEE_MODEL:
        raise invalid("model", f"is {price.model!r}: must be {FEE_MODEL} without a metric")
    of_usage = {
        "free_units": price.free_units,
        "where": price.where,
        "conversion": price.conversion,
        "commitment": price.commitment,
        "measure": price.measure is not Measure.TOTAL,
    }
    for key, given in of_usage.items():
        if given:
            raise invalid(key, "is of no use to a fee, which has no usage")


def _stages(price: Price) -> Iterator[Stage]:
    """The stages that this price uses, in the one order that holds for all."""
    yield from _stages_of_usage(price)
    priced = tuple(_stages_of_amount(price))
    yield from priced
    if price.commitment is not None:
        worth = price.commitment.amount
        if worth is None:
            worth = _worth(price.commitment.quantity or ZERO, priced)
        yield partial(stages.commitment, price.commitment, worth)


def _stages_of_usage(price: Price) -> Iterator[Stage]:
    if not isinstance(price.terms, Matrix):  # whose rates see to their own part of the usage
        yield stages.negative_usage_is_none
    if price.where:
        yield partial(stages.filters, price.where)
    if price.proration is not None:
        yield partial(stages.proration, price.proration)
    if price.conversion is not None and not isinstance(price.terms, Matrix):
        yield partial(stages.unit_conversion, price.conversion)


def _stages_of_amount(price: Price) -> Iterator[Stage]:
    if isinstance(price.terms, Matrix):
        yield partial(rates_of_matrix, price.terms, price.conversion, price.free_units)
    else:
        if price.free_units:
            yield partial(stages.free_allowance, price.free_units)
        yield partial(stages.price_model, price.terms)
    yield from (partial(stages.discount, discount) for discount in price.discounts)
    if price.maximum is not None:
        yield partial(stages.at_most_maximum, price.maximum)
    if price.minimum is not None:
        yield partial(stages.at_least_minimum, price.minimum)


def _worth(quantity: Decimal, priced: Iterable[Stage]) -> Decimal:
    """What the price asks for a committed quantity."""
    return reduce(lambda draft, stage: stage(draft), priced, Draft(Used(quantity), ZERO, ())).amount
