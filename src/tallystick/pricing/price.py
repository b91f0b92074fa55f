"""A price: how the usage of one metric becomes money. One that is wrong can't be built."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from tallystick.core.money import ZERO, currency_exponent, plain
from tallystick.pricing.models import PriceModel, Tier
from tallystick.pricing.parameters import Parameters, invalid, require_not_negative
from tallystick.pricing.price_models import MODELS


@dataclass(frozen=True, slots=True)
class Price:
    """What a metric costs per period.

    Attributes:
        metric: the metric whose usage is priced.
        currency: the ISO 4217 code of every amount here.
        terms: the price model with its numbers, such as `Graduated(tiers)`.
        free_units: usage that is not charged; the model sees what is left.
        minimum: the least the charge comes to, even without usage.
        maximum: the most the charge comes to.

    Raises:
        InvalidInput: a number is negative or can't be kept exactly, the currency is not in ISO 4217, the
            minimum exceeds the maximum; `field` is its path.
    """

    metric: str
    currency: str
    terms: PriceModel
    free_units: Decimal = ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    def __post_init__(self) -> None:
        currency_exponent(self.currency)
        require_not_negative(self.free_units, "free_units")
        if self.minimum is not None:
            require_not_negative(self.minimum, "minimum")
        if self.maximum is not None:
            require_not_negative(self.maximum, "maximum")
            if self.minimum is not None and self.minimum > self.maximum:
                raise invalid("minimum", f"is {self.minimum}: must not exceed the maximum, {self.maximum}")

    @property
    def model(self) -> str:
        """The name of the price model."""
        return self.terms.name

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The prices as tiers; of a package price, the one tier's unit is a package."""
        return self.terms.tiers

    def to_parameters(self) -> dict[str, Any]:
        """Everything but metric, model and currency, ready for JSON, in one canonical form.

        Decimals are plain text without trailing zeros, and what is at its default is left out, so that
        equal prices have equal parameters.
        """
        limits = {"free_units": self.free_units or None, "minimum": self.minimum, "maximum": self.maximum}
        return self.terms.to_parameters() | {key: plain(n) for key, n in limits.items() if n is not None}

    @classmethod
    def from_parameters(cls, metric: str, model: str, currency: str, parameters: Any) -> Self:
        """The price that a billing file or the database spells; numbers are decimal text or integers.

        Raises:
            InvalidInput: an unknown model or key, a missing key, or a number that is not allowed.
        """
        if model not in MODELS:
            raise invalid("model", f"is {model!r}: must be one of {', '.join(sorted(MODELS))}")
        given = Parameters(parameters)
        terms = MODELS[model].from_parameters(given)
        free_units, minimum, maximum = (given.optional(key) for key in ("free_units", "minimum", "maximum"))
        given.finish()
        return cls(metric, currency, terms, free_units or ZERO, minimum, maximum)
