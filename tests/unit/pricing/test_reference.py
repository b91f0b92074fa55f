"""The reference page is a promise: it names everything there is, and its examples come out as written."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from tallystick.core.money import plain
from tallystick.pricing import MODELS, Step, rate
from tests.unit.pricing.tables import PRICES, price_of, used_of
from tests.unit.pricing.usages import some_usage

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "pricing.md").read_text()
EXAMPLE = re.compile(r"```yaml\n(?P<price>[^`]*)```\n\n\| usage .*\n\|[-|]+\n(?P<rows>(?:\|.*\n)+)")


def examples():
    for number, example in enumerate(EXAMPLE.finditer(PAGE), 1):
        parameters = yaml.load(example["price"], Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but text
        for row in example["rows"].splitlines():
            usage, amount, steps = (cell.strip() for cell in row.strip("|").split("|"))
            yield pytest.param(parameters, usage, amount, steps, id=f"{number}-{parameters['model']}-{usage}")


@pytest.mark.parametrize(("parameters", "usage", "amount", "steps"), list(examples()))
def test_an_example_comes_out_as_written(parameters, usage, amount, steps):
    charge = rate(price_of(parameters["model"], parameters), used_of(as_case(usage)))

    assert plain(charge.amount) == amount
    assert ", ".join(f"{step.kind} {plain(step.amount)}" for step in charge.steps) == steps


@pytest.mark.parametrize("model", MODELS)
def test_every_price_model_has_a_section_with_an_example(model):
    assert f"### `{model}`\n" in PAGE
    assert f"```yaml\nmodel: {model}\n" in PAGE


def as_case(usage):
    """`10 + 80` are events with these amounts, `eu/small 5, us/small 3` is usage by values of dimensions."""
    if "+" in usage:
        return {"amounts": usage.split("+")}
    if " " in usage:
        return {"cells": dict(part.rsplit(" ", 1) for part in usage.split(", "))}
    return {"usage": usage}


def test_every_key_of_a_price_and_of_a_step_is_explained():
    keys = {key for price in PRICES for key in keys_of(price.to_parameters())}
    keys |= {"up_to", *(field.name for model in MODELS.values() for field in fields(model) if field.init)}  # type: ignore[arg-type]

    assert {key for key in {*keys, *Step._fields} if f"`{key}`" not in PAGE and f"{key}:" not in PAGE} == set()


def keys_of(parameters):
    """Every key of a price, and of what is inside it; names of dimensions are the reader's own."""
    for key, value in parameters.items():
        yield key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and key not in ("where", "rates", "default"):
                yield from keys_of(inner)


def test_every_kind_of_step_is_explained():
    kinds = {step.kind for price in PRICES for used in some_usage(price) for step in rate(price, used).steps}

    assert {kind for kind in kinds if f"`{kind}`" not in PAGE} == set()
    assert len(kinds) >= len(MODELS)
