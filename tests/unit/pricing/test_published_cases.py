"""Published cases of two other systems, mapped onto our prices.

`price_for` translates a case's configuration; a further price model adds its lines to `TRANSLATIONS`. What
Tallystick's rating doesn't do, or not yet, is listed in `NOT_RATED` with the reason.
"""

import json
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.core.money import ZERO, currency_exponent, largest_remainder, round_money
from tallystick.pricing import Price, Tier, rate
from tallystick.pricing.price_models.graduated import Graduated

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"

NOT_RATED = {
    "dynamic": "the dynamic price model is not built yet",
    "percentage": "the percentage price model is not built yet",
    "graduated_percentage": "the graduated percentage price model is not built yet",
    "unit_conversion": "unit conversion is not built yet",
    "credit_grants": "credits are not built yet",
    "flat_proration": "proration is not built yet",
    "graduated_prorated": "proration is not built yet",
    "subscription_fee_proration": "proration is not built yet",
    "charge_minimum_true_up": "a minimum across filters is not built yet",
    "termination_credit_note": "credit notes are not built yet",
    "progressive_billing": "invoices inside a period are not built yet",
    "unit_config": "unit conversion is not built yet",
    "credits_available": "credits are not built yet",
    "filters": "prices by dimension are not built yet",
    "pricing_unit": "prices in units other than currencies are not built yet",
    "pay_in_advance_sequence": "charges paid in advance are not built yet",
    "running_usage_sequence": "charges paid in advance are not built yet",
    "custom": "a currency of one's own has no ISO 4217 exponent",
}
"""A model, mode, feature or currency of a case → why the case is skipped."""


def published():
    if not VECTORS.is_dir():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no ../shared/vectors beside the repository"))]
    cases = [case for name in ("rating_a", "rating_b") for case in json.loads((VECTORS / f"{name}.json").read_text())]
    return [pytest.param(case, id=f"{number}-{case.get('id', case['model'])}") for number, case in enumerate(cases)]


def features(case):
    """Everything about a case that may be a reason to skip it."""
    config = case["config"]
    return [
        config.get("base_model", case["model"]),
        case.get("mode"),
        *config,
        *case.get("context", {}),
        config.get("currency"),
    ]


def per_unit(config):
    return "per_unit", {"unit_price": config.get("unit_amount", config.get("amount"))}


def flat(config):
    return "flat", {"amount": config["amount"]}


def package(config):
    price = config.get("package_amount", config.get("amount"))
    return "package", {"package_size": config["package_size"], "package_price": price}


def graduated(config):
    return "graduated", {"tiers": tiers(config.get("tiers") or config["graduated_ranges"])}


def volume(config):
    return "volume", {"tiers": tiers(config.get("tiers") or config["volume_ranges"])}


TRANSLATIONS = {
    "unit": per_unit,
    "standard": per_unit,
    "flat": flat,
    "package": package,
    "graduated": graduated,
    "tiered_graduated": graduated,
    "volume": volume,
    "tiered_volume": volume,
}


def tiers(ranges):
    names = {
        "up_to": ("up_to", "to_value"),
        "unit_price": ("unit", "per_unit_amount"),
        "flat_fee": ("flat", "flat_amount"),
    }
    return [
        {ours: next((each[name] for name in theirs if name in each), None) for ours, theirs in names.items()}
        for each in ranges
    ]


def price_for(case):
    config = case["config"]
    model, parameters = TRANSLATIONS[config.get("base_model", case["model"])](config)
    limits = config.get("commitments", {})
    parameters |= {
        "free_units": config.get("free_units"),
        "minimum": limits.get("min"),
        "maximum": limits.get("max"),
    }
    return Price.from_parameters("calls", model, case.get("currency", "USD"), parameters)


def check_amount(case):
    price = price_for(case)
    charge = rate(price, Decimal(case["usage"]))
    expected = case["expected"]
    by_kind = {step.kind: step.amount for step in charge.steps}
    raised, lowered = by_kind.get("minimum", ZERO), by_kind.get("maximum", ZERO)
    assert charge.amount - raised - lowered == Decimal(expected["amount"])
    assert raised == Decimal(expected.get("charges_total", raised))
    assert lowered == -Decimal(expected.get("discounts_total", -lowered))
    if "total" in expected:
        assert charge.total(price.currency) == Decimal(expected["total"])


def check_reruns(case):
    """Each run books what the usage known by then costs, less what is already booked."""
    price, booked = price_for(case), ZERO
    for usage, run in zip(case["usage"], case["expected"]["runs"], strict=True):
        due = rate(price, Decimal(usage)).total(price.currency)
        assert due - booked == Decimal(run["total"])
        booked = due


def check_validation(case):
    """Ranges given with both ends are tiers as they stand."""

    def number(each, name):
        return None if each.get(name, "0") is None else Decimal(each.get(name, "0"))

    names = ("from_value", "to_value", "per_unit_amount", "flat_amount")
    ranges = [Tier._make(number(each, name) for name in names) for each in case["config"]["graduated_ranges"]]
    with nullcontext() if case["expected"]["valid"] else pytest.raises(InvalidInput):
        Graduated(tuple(ranges))


def check_rounding(case):
    assert round_money(Decimal(case["usage"]), case["config"]["currency"]) == Decimal(case["expected"]["amount"])


def check_allocation(case):
    config = case["config"]
    unit = Decimal(1).scaleb(-currency_exponent(config["currency"]))
    shares = largest_remainder(Decimal(case["usage"]), [Decimal(item["weight"]) for item in config["items"]], unit)
    keys = [item["key"] for item in config["items"]]
    assert dict(zip(keys, shares, strict=True)) == {k: Decimal(v) for k, v in case["expected"]["amounts"].items()}


CHECKS = {
    "rerate_delta": check_reruns,
    "config_validation": check_validation,
    "rounding": check_rounding,
    "allocate_largest_remainder": check_allocation,
}
"""A model or mode → its check; `check_amount` is every other's."""


@pytest.mark.parametrize("case", published())
def test_published_case_comes_to_the_same_amount(case):
    for feature in features(case):
        if feature in NOT_RATED:
            pytest.skip(NOT_RATED[feature])
    check = CHECKS.get(case["model"]) or CHECKS.get(case.get("mode"), check_amount)
    check(case)
