"""The reference page is a promise: it names everything there is, and its examples come out as written."""

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tallystick.core.money import plain
from tallystick.pricing import MODELS, Step, rate
from tests.unit.pricing.tables import PRICES, price_of

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "pricing.md").read_text()
EXAMPLE = re.compile(r"```yaml\n(?P<price>[^`]*)```\n\n\| usage .*\n\|[-|]+\n(?P<rows>(?:\|.*\n)+)")


def examples():
    for example in EXAMPLE.finditer(PAGE):
        parameters = yaml.load(example["price"], Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but text
        for row in example["rows"].splitlines():
            usage, amount, steps = (cell.strip() for cell in row.strip("|").split("|"))
            yield pytest.param(parameters, usage, amount, steps, id=f"{parameters['model']}-usage {usage}")


@pytest.mark.parametrize(("parameters", "usage", "amount", "steps"), list(examples()))
def test_an_example_comes_out_as_written(parameters, usage, amount, steps):
    charge = rate(price_of(parameters["model"], parameters), Decimal(usage))

    assert plain(charge.amount) == amount
    assert ", ".join(f"{step.kind} {plain(step.amount)}" for step in charge.steps) == steps


@pytest.mark.parametrize("model", MODELS)
def test_every_price_model_has_a_section_with_an_example(model):
    assert f"### `{model}`\n" in PAGE
    assert f"```yaml\nmodel: {model}\n" in PAGE


def test_every_key_of_a_price_and_of_a_step_is_explained():
    keys = {key for price in PRICES for key in price.to_parameters()}
    keys |= {"up_to", *(field.name for model in MODELS.values() for field in fields(model) if field.init)}  # type: ignore[arg-type]

    assert {key for key in {*keys, *Step._fields} if f"`{key}`" not in PAGE and f"{key}:" not in PAGE} == set()


def test_every_kind_of_step_is_explained():
    kinds = {step.kind for price in PRICES for usage in (-1, 10**6) for step in rate(price, Decimal(usage)).steps}

    assert {kind for kind in kinds if f"`{kind}`" not in PAGE} == set()
