"""The rates of a matrix as a billing file writes them: the values of dimensions, and any price model.

`{region: eu, instance: [a, b], unit_price: 0.10}`. A value that is left out, or `"*"`, is any. A dimension
whose name is a key of a price model (`model` is one) has its values under `where`: `{where: {model: small}, …}`.
"""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from tallystick.core.money import ZERO, plain
from tallystick.pricing.models import PriceModel
from tallystick.pricing.parameters import Parameters, inside, invalid, require_not_negative
from tallystick.pricing.registry import MODELS, read_terms

ANY = "*"
USUAL_MODEL = "per_unit"

Where = tuple[tuple[str, ...], ...]


class Rate(NamedTuple):
    """What usage with certain values of the dimensions costs.

    Attributes:
        where: the values by dimension, in the order of the matrix; none: any.
        terms: the price model of this usage.
        free_units: usage of this rate that is not charged.
    """

    where: Where
    terms: PriceModel
    free_units: Decimal = ZERO

    def label(self, dimensions: Sequence[str]) -> str:
        """The values it names, for a person: `region: eu, instance: a or b`."""
        named = zip(dimensions, self.where, strict=True)
        return ", ".join(f"{dimension}: {' or '.join(values)}" for dimension, values in named if values) or "default"


@cache
def reserved_keys() -> frozenset[str]:
    """The keys of a rate that can't be names of dimensions beside them."""
    own = {field.name for model in MODELS.values() for field in fields(model) if field.init}  # type: ignore[arg-type]
    return frozenset(own | {"model", "where", "free_units"})


def read_rates(parameters: Parameters, dimensions: Sequence[str]) -> tuple[Rate, ...]:
    """The rates under `rates`: a list, or where there is one dimension also a mapping by its values."""
    by_value = parameters.groups("rates")
    if by_value is None:
        return tuple(read_rate(entry, dimensions) for entry in parameters.entries("rates"))
    if len(dimensions) != 1:
        raise invalid(parameters.field("rates"), f"must be a list: there are {len(dimensions)} dimensions")
    if ANY in by_value:
        raise invalid(by_value[ANY].path, "is any value; what holds for the rest is `default`")
    return tuple(_read_terms(entry, ((value,),)) for value, entry in by_value.items())


def read_rate(parameters: Parameters, dimensions: Sequence[str]) -> Rate:
    """One rate with the values it names."""
    reserved, nested = reserved_keys(), parameters.group("where")
    where = tuple(_values(dimension, parameters, nested, reserved) for dimension in dimensions)
    if nested is not None:
        nested.finish()
    model = parameters.optional_text("model")
    if model is not None and model not in MODELS and "model" in dimensions:
        problem = f"is {model!r}: must be a price model; the dimension's value goes under where: {{model: {model}}}"
        raise invalid(parameters.field("model"), problem)
    return _read_terms(parameters, where)


def _values(
    dimension: str, parameters: Parameters, nested: Parameters | None, reserved: frozenset[str]
) -> tuple[str, ...]:
    values = () if nested is None else nested.texts(dimension)
    if not values and dimension not in reserved:
        values = parameters.texts(dimension)
    return () if ANY in values else values


def read_default(parameters: Parameters, dimensions: Sequence[str]) -> Rate:
    """What usage costs to which no other rate applies."""
    return _read_terms(parameters, ((),) * len(dimensions))


def _read_terms(parameters: Parameters, where: Where) -> Rate:
    model = parameters.optional_text("model") or USUAL_MODEL
    if model == "matrix":
        raise invalid(parameters.field("model"), "is 'matrix': a rate can be any other price model")
    with inside(parameters.path):
        terms = read_terms(model, parameters)
        free_units = parameters.optional("free_units") or ZERO
        parameters.finish()
        require_not_negative(free_units, "free_units")
        if free_units and not terms.by_quantity:
            raise invalid("free_units", "are of no use here: the price model asks for each event; use free_amount")
    return Rate(where, terms, free_units)


def rate_as_parameters(rate: Rate, dimensions: Sequence[str]) -> dict[str, Any]:
    """What `read_rate` and `read_default` read, in one canonical form."""
    reserved = reserved_keys()
    named = {d: _as_parameter(values) for d, values in zip(dimensions, rate.where, strict=True) if values}
    clashing = {dimension: values for dimension, values in named.items() if dimension in reserved}
    parameters: dict[str, Any] = {dimension: values for dimension, values in named.items() if dimension not in reserved}
    if clashing:
        parameters["where"] = clashing
    if rate.terms.name != USUAL_MODEL:
        parameters["model"] = rate.terms.name
    parameters |= rate.terms.to_parameters()
    if rate.free_units:
        parameters["free_units"] = plain(rate.free_units)
    return parameters


def _as_parameter(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
