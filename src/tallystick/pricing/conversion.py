"""Unit conversion: from the unit that is measured to the one that is priced (bytes to GiB, seconds to hours).

The unrounded result is exact where it ends within 100 digits, else its first 100 digits; a rounded one is
always rounded from the exact value.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import add, divide, divide_whole, multiply, subtract
from tallystick.pricing.models import ONE, Step, Used
from tallystick.pricing.parameters import Parameters, invalid, require_positive
from tallystick.pricing.units import conversion_factors

MOST_DECIMALS = 18


class Rounding(StrEnum):
    """What becomes of the decimals that a conversion does not keep; `nearest`: a half goes away from zero."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Conversion:
    """`quantity × multiply_by ÷ divide_by`, rounded.

    Attributes:
        multiply_by, divide_by: the factors, above zero.
        round: how the result is rounded; not at all by default.
        decimals: how many decimals the rounding keeps.
        source, target: the units, where the factors come from their names (`bytes` to `GiB`).
    """

    multiply_by: Decimal = ONE
    divide_by: Decimal = ONE
    round: Rounding = Rounding.NONE
    decimals: int = 0
    source: str = ""
    target: str = ""

    def __post_init__(self) -> None:
        require_positive(self.multiply_by, "conversion.multiply_by")
        require_positive(self.divide_by, "conversion.divide_by")
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise invalid("conversion.decimals", f"is {self.decimals}: must be from 0 to {MOST_DECIMALS}")
        if self.decimals and self.round is Rounding.NONE:
            raise invalid("conversion.decimals", "says how to round, and needs round: up, down or nearest")

    def convert(self, quantity: Decimal) -> Decimal:
        """The quantity in the unit that is priced."""
        product = multiply(quantity, self.multiply_by)
        if self.round is Rounding.NONE:
            return product if self.divide_by == ONE else divide(product, self.divide_by)
        whole = self._rounded(multiply(product, Decimal(10) ** self.decimals))
        return multiply(whole, Decimal((0, (1,), -self.decimals)))

    def _rounded(self, number: Decimal) -> Decimal:
        whole, rest = divide_whole(number, self.divide_by)  # both towards zero, with the sign of the number
        if not rest:
            return whole
        away = subtract(whole, ONE) if rest < 0 else add(whole, ONE)
        match self.round:
            case Rounding.UP:
                return away if rest > 0 else whole
            case Rounding.DOWN:
                return whole if rest > 0 else away
            case _:
                return away if multiply(rest.copy_abs(), Decimal(2)) >= self.divide_by else whole

    def applied(self, used: Used) -> tuple[Used, Step]:
        """The usage in the other unit, every event of it, and the step that says so."""
        amounts = None if used.amounts is None else tuple(map(self.convert, used.amounts))
        converted = used._replace(quantity=self.convert(used.quantity), amounts=amounts)
        return converted, Step("conversion", converted.quantity, None, ZERO, label=self.label)

    @property
    def label(self) -> str:
        """The conversion as a person would note it: `bytes to GiB, rounded up`, `÷ 1000`."""
        return self._factor + ("" if self.round is Rounding.NONE else f", rounded {_ROUNDED[self.round]}{self._places}")

    @property
    def _factor(self) -> str:
        if self.source:
            return f"{self.source} to {self.target}"
        return f"÷ {plain(self.divide_by)}" if self.divide_by != ONE else f"× {plain(self.multiply_by)}"

    @property
    def _places(self) -> str:
        return f" to {self.decimals} decimals" if self.decimals else ""

    def to_parameters(self) -> dict[str, Any]:
        """What `from_parameters` reads, in one canonical form."""
        parameters: dict[str, Any] = {}
        if self.source:
            parameters |= {"from": self.source, "to": self.target}
        elif self.divide_by != ONE:
            parameters["divide_by"] = plain(self.divide_by)
        else:
            parameters["multiply_by"] = plain(self.multiply_by)
        if self.round is not Rounding.NONE:
            parameters["round"] = str(self.round)
        if self.decimals:
            parameters["decimals"] = str(self.decimals)
        return parameters

    @classmethod
    def between(cls, source: str, target: str) -> Self:
        """The conversion between two units that are known by name, unrounded.

        Raises:
            InvalidInput: a unit is not known, or they measure different things.
        """
        multiply_by, divide_by = conversion_factors(source, target)
        return cls(multiply_by, divide_by, source=source, target=target)

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `divide_by`, `multiply_by`, or `from` and `to`; and `round` and `decimals`."""
        given = [key for key in ("divide_by", "multiply_by", "from") if key in parameters]
        if len(given) != 1 or ("from" in parameters) != ("to" in parameters):
            raise invalid(parameters.path, "needs one of divide_by, multiply_by, or from and to")
        divide_by, multiply_by = parameters.optional("divide_by"), parameters.optional("multiply_by")
        source, target = parameters.optional_text("from"), parameters.optional_text("to")
        rounding, decimals = parameters.choice("round", Rounding), parameters.whole("decimals")
        parameters.finish()
        if source and target:
            conversion = cls.between(source, target)
        else:
            conversion = cls(ONE if multiply_by is None else multiply_by, ONE if divide_by is None else divide_by)
        return replace(conversion, round=rounding or Rounding.NONE, decimals=decimals or 0)


_ROUNDED = {Rounding.UP: "up", Rounding.DOWN: "down", Rounding.NEAREST: "to the nearest"}
