"""Stairstep: the tier that the whole usage reaches has one fee for all of it.

No usage is in the first tier, and its fee is due.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Self

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import Scale
from tallystick.pricing.models import ONE, ByQuantity, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, invalid
from tallystick.pricing.tiers import check_tiers, scaled_tiers


@dataclass(frozen=True, slots=True)
class Stairstep(ByQuantity):
    """The `flat_fee` of the tier that holds the quantity."""

    name: ClassVar[str] = "stairstep"
    tiers: tuple[Tier, ...]
    _bounds: tuple[Decimal, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_tiers(self.tiers)
        for i, tier in enumerate(self.tiers):
            if tier.unit_price:
                raise invalid(f"tiers[{i}].unit_price", "is not known here: a step has one flat_fee for all usage")
        object.__setattr__(self, "_bounds", tuple(tier.end for tier in self.tiers if tier.end is not None))

    def charge(self, used: Used) -> Charge:
        """One step: the fee of the tier that holds the quantity."""
        position = bisect_left(self._bounds, used.quantity)
        start, end, _, fee = self.tiers[position]
        return Charge(fee, (Step("flat_fee", ONE, fee, fee, position, start, end),))

    def scaled(self, scale: Scale) -> Self:
        """The bounds and the fees scaled."""
        return type(self)(scaled_tiers(self.tiers, scale))

    def to_parameters(self) -> dict[str, Any]:
        """`tiers`, as text."""
        return {"tiers": [_as_parameters(tier) for tier in self.tiers]}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `tiers`, a list of `{up_to, flat_fee}`."""
        return cls(tuple(_read(parameters.entries("tiers"))))


def _read(entries: list[Parameters]) -> Iterator[Tier]:
    start = ZERO
    for entry in entries:
        end, fee = entry.optional("up_to"), entry.number("flat_fee")
        entry.finish()
        yield Tier(start, end, ZERO, fee)
        start = start if end is None else end


def _as_parameters(tier: Tier) -> dict[str, str]:
    bound = {} if tier.end is None else {"up_to": plain(tier.end)}
    return bound | {"flat_fee": plain(tier.flat_fee)}


MODEL = Stairstep
