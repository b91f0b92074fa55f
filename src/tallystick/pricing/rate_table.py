"""Which rate of a matrix applies to which values of the dimensions.

Of several that apply, the one that names most dimensions does. Two that name as many are refused where both
apply to some usage, unless a rate that names more of its values decides there.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod

from tallystick.pricing.parameters import invalid
from tallystick.pricing.rates import Rate

MOST_COMBINATIONS = 100_000

Values = tuple[str | None, ...]
Mask = tuple[int, ...]  # the positions of the dimensions that a rate names
Table = dict[Values, int]  # the values there, in the same order → the position of the rate


class RateTable:
    """Finds the rate for a combination of values with one look-up for each set of dimensions that rates name.

    Raises:
        InvalidInput: no rates, a rate that names no dimension, two for the same usage, or far too many values.
    """

    def __init__(self, dimensions: Sequence[str], rates: Sequence[Rate]) -> None:
        self._dimensions = dimensions
        tables: dict[Mask, Table] = {}
        for position, rate in enumerate(_checked(dimensions, rates)):
            mask = _mask(rate)
            _enter(tables.setdefault(mask, {}), [rate.where[i] for i in mask], position)
        self._tables = sorted(tables.items(), key=lambda item: -len(item[0]))
        for (mask, table), (other, another) in combinations(self._tables, 2):
            if len(mask) == len(other):
                self._refuse_ambiguity(_overlaps(mask, table, other, another))

    def find(self, values: Values) -> int | None:
        """The position of the rate that applies to these values, in the order of the dimensions; None: none does."""
        for mask, table in self._tables:
            position = table.get(tuple(values[i] for i in mask))
            if position is not None:
                return position
        return None

    def _refuse_ambiguity(self, overlaps: Iterator[tuple[dict[int, str | None], int, int]]) -> None:
        for number, (named, i, j) in enumerate(overlaps, 1):
            _require_few(number)
            values = tuple(named.get(position) for position in range(len(self._dimensions)))
            if self.find(values) in (i, j):
                told = ", ".join(f"{self._dimensions[at]}: {named[at]}" for at in sorted(named))
                problem = f"applies to {told}, and so does rates[{min(i, j)}]; add a rate that names both"
                raise invalid(f"rates[{max(i, j)}]", problem)


def _checked(dimensions: Sequence[str], rates: Sequence[Rate]) -> Sequence[Rate]:
    if not rates:
        raise invalid("rates", "must be a list with at least one entry")
    for i, rate in enumerate(rates):
        if not _mask(rate):
            raise invalid(f"rates[{i}]", f"must name a {' or '.join(dimensions)}; what holds for the rest is `default`")
    _require_few(sum(prod(len(values) or 1 for values in rate.where) for rate in rates))
    return rates


def _require_few(combinations_of_values: int) -> None:
    if combinations_of_values > MOST_COMBINATIONS:
        raise invalid("rates", f"name more than {MOST_COMBINATIONS} combinations of values")


def _mask(rate: Rate) -> Mask:
    return tuple(position for position, values in enumerate(rate.where) if values)


def _enter(table: Table, values: Sequence[Sequence[str]], position: int) -> None:
    for combination in product(*values):
        other = table.setdefault(combination, position)
        if other != position:
            raise invalid(f"rates[{position}]", f"applies to {', '.join(combination)}, and so does rates[{other}]")


def _overlaps(
    mask: Mask, table: Table, other: Mask, another: Table
) -> Iterator[tuple[dict[int, str | None], int, int]]:
    """What a rate of either table names together, where the two can apply to the same usage; and their positions."""
    shared = [position for position in mask if position in other]
    by_shared: dict[Values, list[tuple[dict[int, str | None], int]]] = {}
    for combination, j in another.items():
        named = dict(zip(other, combination, strict=True))
        by_shared.setdefault(tuple(named[at] for at in shared), []).append((named, j))
    for combination, i in table.items():
        named = dict(zip(mask, combination, strict=True))
        for also_named, j in by_shared.get(tuple(named[at] for at in shared), ()):
            yield named | also_named, i, j
