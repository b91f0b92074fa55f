"""The numbers of a price as plain text: read from a billing file or a jsonb column, and checked.

What is wrong is named by its path from the price: `tiers[2].up_to`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from tallystick.core.errors import InvalidInput
from tallystick.core.money import QUANTITY_LIMIT, ZERO, parse_decimal, quantity_problem
from tallystick.pricing.exact import per_cent

_TEXT_LIMIT = 200

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


def invalid(field: str, problem: str) -> InvalidInput:
    """The error that names the field and says what is wrong with it."""
    return InvalidInput(f"{field} {problem}", field=field)


@contextmanager
def inside(path: str) -> Iterator[None]:
    """Errors of what is built here name their field from `path` on: `unit_price` becomes `rates[2].unit_price`."""
    try:
        yield
    except InvalidInput as error:
        field = error.field or ""
        if field.startswith(path):
            raise
        problem = str(error).removeprefix(field).strip()
        raise invalid(f"{path}.{field}" if field else path, problem) from None


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

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    @property
    def path(self) -> str:
        """Where the mapping stands in the price; empty for the price itself."""
        return self._path

    def field(self, key: str) -> str:
        """The path of a key, as errors name it."""
        return f"{self._path}.{key}" if self._path else key

    def number(self, key: str) -> Decimal:
        """The number under a key that has to be there."""
        return self._required(key, self.optional(key))

    def optional(self, key: str) -> Decimal | None:
        """The number under the key; None when the key is absent or null."""
        value = self._get(key)
        return None if value is None else _decimal(value, self.field(key))

    def whole(self, key: str) -> int | None:
        """The whole number under the key, not negative; None when the key is absent."""
        number = self.optional(key)
        if number is None:
            return None
        if number < 0 or number != number.to_integral_value():
            raise invalid(self.field(key), f"is {number}: must be a whole number, 0 or more")
        return int(number)

    def text(self, key: str) -> str:
        """The text under a key that has to be there."""
        return self._required(key, self.optional_text(key))

    def optional_text(self, key: str) -> str | None:
        """The text under the key; None when the key is absent or null."""
        value = self._get(key)
        return None if value is None else _text(value, self.field(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts under the key: one, or a list of different ones; none when the key is absent."""
        value = self._get(key)
        if value is None:
            return ()
        given = value if isinstance(value, list | tuple) else [value]
        texts = tuple(_text(item, self.field(key)) for item in given)
        if not texts or len(set(texts)) < len(texts):
            raise invalid(self.field(key), "must be a text or a list of different texts")
        return texts

    def flag(self, key: str) -> bool | None:
        """The truth value under the key; None when the key is absent."""
        value = self._get(key)
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        if value is not None and not isinstance(value, bool):
            raise invalid(self.field(key), "must be true or false")
        return value

    def choice(self, key: str, choices: type[Choice]) -> Choice | None:
        """The one of the choices that is under the key; None when the key is absent."""
        text = self.optional_text(key)
        if text is None:
            return None
        if text not in list(choices):
            raise invalid(self.field(key), f"is {text!r}: must be one of {', '.join(choices)}")
        return choices(text)

    def group(self, key: str) -> "Parameters | None":
        """The mapping under the key; None when the key is absent."""
        value = self._get(key)
        return None if value is None else Parameters(value, self.field(key))

    def groups(self, key: str) -> "dict[str, Parameters] | None":
        """The mappings by name under the key; None where there is something else."""
        value = self._get(key)
        if not isinstance(value, Mapping):
            return None
        groups: dict[str, Parameters] = {}
        for given, each in value.items():
            name = _text(given, self.field(key))
            if name in groups:
                raise invalid(self.field(key), f"has {name!r}, which is there twice: as a text and as a number")
            groups[name] = Parameters(each, f"{self.field(key)}.{name}")
        return groups

    def entries(self, key: str) -> list["Parameters"]:
        """The mappings in the non-empty list under the key."""
        values = self._get(key)
        if not isinstance(values, list | tuple) or not values:
            raise invalid(self.field(key), "must be a list with at least one entry")
        return [Parameters(value, f"{self.field(key)}[{i}]") for i, value in enumerate(values)]

    def keys(self) -> list[str]:
        """The names that were given."""
        return [str(key) for key in self._values]

    def finish(self) -> None:
        """Refuse keys that were not read: a misspelt one must not pass for an absent one."""
        for key in self._values:
            if key not in self._known:
                field = self.field(str(key) or "''")
                raise invalid(field, f"is not known here; allowed: {', '.join(self._known)}")

    def _required(self, key: str, value: Value | None) -> Value:
        if value is None:
            raise invalid(self.field(key), "is required")
        return value

    def _get(self, key: str) -> Any:
        self._known[key] = None
        return self._values.get(key)


def _decimal(value: Any, field: str) -> Decimal:
    number = _number(value, field)
    problem = quantity_problem(number)
    if problem is not None:
        raise invalid(field, f"is {number}: {problem}")
    return number or ZERO  # a zero may be written with a billion decimals, and with a sign


def _number(value: Any, field: str) -> Decimal:
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except InvalidInput as error:
            raise invalid(field, f"is wrong: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise invalid(field, 'must be a decimal number in text, such as "0.10"')
    return Decimal(value)


def _text(value: Any, field: str) -> str:
    text = str(value) if isinstance(value, int | date) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        raise invalid(field, "must be a text")
    if len(text) > _TEXT_LIMIT or not text.isprintable():
        raise invalid(field, f"must be a text of at most {_TEXT_LIMIT} printable characters")
    return text


def require_not_negative(number: Decimal, field: str) -> None:
    """Refuse a number below zero, or one too large to be kept (from 10^20)."""
    if not number.is_finite() or number.copy_abs() >= QUANTITY_LIMIT:
        raise invalid(field, f"is {number}: {quantity_problem(number)}")
    if number < 0:
        raise invalid(field, f"is {number}: must not be negative")


def require_positive(number: Decimal, field: str) -> None:
    """Refuse zero, too."""
    require_not_negative(number, field)
    if number == 0:
        raise invalid(field, "must be above zero")


def require_percent(number: Decimal, field: str) -> None:
    """Refuse a rate in per cent that is negative, or so fine that its hundredth can't be kept."""
    require_not_negative(number, field)
    if quantity_problem(per_cent(number)) is not None:
        raise invalid(field, f"is {number}: at most 16 decimals are kept of a rate in per cent")
