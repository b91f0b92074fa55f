"""Package: usage is sold in packages of a size, and a package that is begun is paid in full."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.core.money import plain
from tallystick.pricing.exact import divide_up, multiply
from tallystick.pricing.models import ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, require_not_negative, require_positive
from tallystick.pricing.tiers import one_tier


@dataclass(frozen=True, slots=True)
class Package(ByQuantity):
    """`⌈quantity ÷ package_size⌉ × package_price`; no usage is no package. Its one tier prices packages."""

    name: ClassVar[str] = "package"
    package_size: Decimal
    package_price: Decimal

    def __post_init__(self) -> None:
        require_positive(self.package_size, "package_size")
        require_not_negative(self.package_price, "package_price")

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """One tier for all usage, whose unit is a package."""
        return one_tier(self.package_price)

    def charge(self, used: Used) -> Charge:
        """One step: the packages, the last one perhaps not full, at their price."""
        packages = divide_up(used.quantity, self.package_size)
        amount = multiply(packages, self.package_price)
        step = Step("package", packages, self.package_price, amount, setting=self.package_size)
        return Charge(amount, (step,))

    def to_parameters(self) -> dict[str, Any]:
        """`package_size` and `package_price`, as text."""
        return {"package_size": plain(self.package_size), "package_price": plain(self.package_price)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `package_size` and `package_price`."""
        return cls(parameters.number("package_size"), parameters.number("package_price"))


MODEL = Package
