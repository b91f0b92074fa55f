"""Units of measurement by name, for conversions: data, time, counts, and their products (`MB-seconds`).

Decimal prefixes are powers of 1,000 (kB, MB, GB), binary ones powers of 1,024 (KiB, MiB, GiB). There is no
month or year, whose length is not fixed.
"""

from decimal import Decimal
from enum import StrEnum
from math import gcd
from typing import NamedTuple

from tallystick.pricing.exact import multiply
from tallystick.pricing.models import ONE
from tallystick.pricing.parameters import invalid


class Kind(StrEnum):
    """What a unit measures."""

    DATA = "data"
    TIME = "time"
    COUNT = "count"


class Unit(NamedTuple):
    """A unit as so many of the smallest of its kind."""

    kind: Kind
    size: Decimal


def _units() -> dict[str, Unit]:
    data = {"bit": 1, "byte": 8}
    for power, prefix in enumerate("KMGTPE", 1):
        data |= {f"{'k' if prefix == 'K' else prefix}B": 8 * 1000**power, f"{prefix}iB": 8 * 1024**power}
    time = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
    count = {"unit": 1, "thousand": 1000, "million": 10**6, "billion": 10**9}
    sizes = ((Kind.DATA, data), (Kind.TIME, time), (Kind.COUNT, count))
    return {name: Unit(kind, Decimal(size)) for kind, each in sizes for name, size in each.items()}


UNITS = _units()
"""Every unit by its name in the singular; bits, milliseconds and single units are the smallest."""


def conversion_factors(source: str, target: str) -> tuple[Decimal, Decimal]:
    """What a quantity is multiplied and divided by to get from one unit to the other, exactly.

    Raises:
        InvalidInput: a unit is not known, or the two measure different things.
    """
    ours, theirs = _factors(source, "conversion.from"), _factors(target, "conversion.to")
    if [unit.kind for unit in ours] != [unit.kind for unit in theirs]:
        raise invalid("conversion.to", f"is {target!r}: does not measure what {source!r} measures")
    return _reduced(_size(ours), _size(theirs))


def _factors(name: str, field: str) -> list[Unit]:
    return [_unit(part, field) for part in name.split("-")]


def _unit(name: str, field: str) -> Unit:
    unit = UNITS.get(name) or UNITS.get(name.removesuffix("s"))
    if unit is None:
        raise invalid(field, f"is {name!r}: must be one of {', '.join(UNITS)}, or a product such as GB-hours")
    return unit


def _reduced(source: Decimal, target: Decimal) -> tuple[Decimal, Decimal]:
    """The same ratio in the smallest whole numbers: the size of a product of units in bits is too large a factor."""
    common = gcd(int(source), int(target))
    return Decimal(int(source) // common), Decimal(int(target) // common)


def _size(units: list[Unit]) -> Decimal:
    size = ONE
    for unit in units:
        size = multiply(size, unit.size)
    return size
