"""The numbers of a price as plain text: read from a billing file or a jsonb column, and checked.

What is wrong is named by its path from the price: `tiers[2].up_to`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.errors import InvalidInput
from tallystick.core.money import parse_decimal, quantity_problem


def invalid(field: str, problem: str) -> InvalidInput:
    """The error that names the field and says what is wrong with it."""
    return InvalidInput(f"{field} {problem}", field=field)


class Parameters:
    """A mapping read key by key, which then knows which of its keys nobody asked for.

    Numbers are decimal text, integers or `Decimal`; a float is refused, because it is not the number
    that was written.
    """

    def __init__(self, values: Any, path: str = "") -> None:
        if not isinstance(values, Mapping):
            raise invalid(path or "parameters", "must be a mapping of names to numbers")
        self._values = values
        self._path = path
        self._known: dict[str, None] = {}

    def field(self, key: str) -> str:
        """The path of a key, as errors name it."""
        return f"{self._path}.{key}" if self._path else key

    def number(self, key: str) -> Decimal:
        """The number under a key that has to be there."""
        number = self.optional(key)
        if number is None:
            raise invalid(self.field(key), "is required")
        return number

    def optional(self, key: str) -> Decimal | None:
        """The number under the key; None when the key is absent or null."""
        value = self._get(key)
        return None if value is None else _decimal(value, self.field(key))

    def entries(self, key: str) -> list["Parameters"]:
        """The mappings in the non-empty list under the key."""
        values = self._get(key)
        if not isinstance(values, list | tuple) or not values:
            raise invalid(self.field(key), "must be a list with at least one entry")
        return [Parameters(value, f"{self.field(key)}[{i}]") for i, value in enumerate(values)]

    def finish(self) -> None:
        """Refuse keys that were not read: a misspelt one must not pass for an absent one."""
        for key in self._values:
            if key not in self._known:
                raise invalid(self.field(key), f"is not known here; allowed: {', '.join(self._known)}")

    def _get(self, key: str) -> Any:
        self._known[key] = None
        return self._values.get(key)


def _decimal(value: Any, field: str) -> Decimal:
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except InvalidInput as error:
            raise invalid(field, f"is wrong: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise invalid(field, 'must be a decimal number in text, such as "0.10"')
    return Decimal(value)


def require_not_negative(number: Decimal, field: str) -> None:
    """Refuse a number below zero, or one that can't be kept exactly (from 10^20, or over 18 decimals)."""
    problem = quantity_problem(number) or ("must not be negative" if number < 0 else None)
    if problem is not None:
        raise invalid(field, f"is {number}: {problem}")


def require_positive(number: Decimal, field: str) -> None:
    """Refuse zero, too."""
    require_not_negative(number, field)
    if number == 0:
        raise invalid(field, "must be above zero")
