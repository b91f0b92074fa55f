"""One harness for the tables of all price models.

A step reads `kind tier (start, end] of setting [label]: quantity × unit price = amount`, or `quantity → amount`
where the step prices nothing.
"""

from decimal import Decimal

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.core.money import plain
from tallystick.pricing import MODELS, Step, rate
from tests.unit.pricing.tables import TABLES, price_of, used_of

COMMON = {"stages", "conversion", "adjustments", "proration", "schedule"}

RATES = [
    pytest.param(name, entry["price"], case, id=f"{name}-{number}-{case_number}")
    for name, table in TABLES.items()
    for number, entry in enumerate(table["rates"])
    for case_number, case in enumerate(entry["cases"])
]
REFUSED = [
    pytest.param(name, entry, id=f"{name}-{number}-{entry['field']}")
    for name, table in TABLES.items()
    for number, entry in enumerate(table["refused"])
]


def as_line(step: Step) -> str:
    tier = "" if step.tier is None else f" {step.tier} ({step.start}, {f'{step.end}]' if step.end else '∞)'}"
    setting = "" if step.setting is None else f" of {plain(step.setting)}"
    label = "" if step.label is None else f" [{step.label}]"
    price = "→" if step.unit_price is None else f"× {plain(step.unit_price)} ="
    return f"{step.kind}{tier}{setting}{label}: {plain(step.quantity)} {price} {plain(step.amount)}"


def test_every_price_model_has_a_table():
    assert set(TABLES) == {*MODELS, *COMMON}


@pytest.mark.parametrize(("table", "parameters", "case"), RATES)
def test_usage_costs_what_the_table_says(table, parameters, case):
    price = price_of(table, parameters)

    charge = rate(price, used_of(case))

    assert charge.amount == Decimal(case["amount"])
    assert charge.unpriced == Decimal(case.get("unpriced", 0))
    if "total" in case:
        assert str(charge.total(price.currency)) == case["total"]
    if "steps" in case:
        assert [as_line(step) for step in charge.steps] == case["steps"]


@pytest.mark.parametrize(("table", "entry"), REFUSED)
def test_a_wrong_price_is_refused_with_the_path_of_what_is_wrong(table, entry):
    with pytest.raises(InvalidInput) as refused:
        price_of(table, entry["price"])

    assert refused.value.field == entry["field"]
    assert entry["says"] in str(refused.value)
    assert "\n" not in str(refused.value)
