"""Published cases of two other systems, mapped onto our prices.

`price_for` translates a case's configuration; a further price model adds its lines to `TRANSLATIONS`. What
Tallystick's rating doesn't do, or another part of it does, is listed in `NOT_RATED` with the reason.
"""

import json
from contextlib import nullcontext
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, ZERO, largest_remainder, round_money
from tallystick.pricing import Cell, Conversion, Price, Tier, Used, marginal, rate
from tallystick.pricing.exact import total
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.price_models.graduated import Graduated

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"

NOT_RATED = {
    "credit_grants": "credits are a ledger's, not a price's: billing/credits has these cases",
    "error": "credits that are not used up stay with the customer, and are no error",
    "graduated_prorated": "units are not weighed by time and tiered by number at once: decision 11",
    "prorated": "units are not weighed by time and tiered by number at once: decision 11",
    "progressive_billing": "there are no invoices inside a period: decision 12",
}
"""A model, a key of a configuration or of what is expected → why the case is skipped."""

CURRENCIES = {0: "JPY", 2: "USD", 3: "KWD", 4: "CLF"}
"""By decimals: what stands for a currency of one's own."""


def published():
    if not VECTORS.is_dir():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no ../shared/vectors beside the repository"))]
    cases = [case for name in ("rating_a", "rating_b") for case in json.loads((VECTORS / f"{name}.json").read_text())]
    return [pytest.param(case, id=f"{number}-{case.get('id', case['model'])}") for number, case in enumerate(cases)]


def reasons_to_skip(case):
    config = case["config"]
    said = () if case.get("mode") == "config_validation" else case["expected"]
    features = (case["model"], *(key for key, value in config.items() if value), *said)
    return [NOT_RATED[feature] for feature in features if feature in NOT_RATED]


# --- Configurations as prices -------------------------------------------------------------------------


def per_unit(config):
    unit_price = Decimal(config.get("unit_amount", config.get("amount")))
    unit_of_its_own = config.get("pricing_unit", {})
    return {"unit_price": unit_price * Decimal(unit_of_its_own.get("conversion_rate", 1))}


def flat(config):
    return {"amount": config["amount"]}


def package(config):
    price = config.get("package_amount", config.get("amount"))
    return {"package_size": config["package_size"], "package_price": price}


def graduated(config):
    return {"tiers": tiers(config.get("tiers") or config["graduated_ranges"])}


def graduated_percentage(config):
    return {"tiers": tiers(config["graduated_percentage_ranges"], "rate")}


def volume(config):
    return {"tiers": tiers(config.get("tiers") or config["volume_ranges"])}


def percentage(config):
    names = {
        "rate": "rate",
        "fixed_fee": "fixed_amount",
        "free_events": "free_units_per_events",
        "free_amount": "free_units_per_total_aggregation",
        "event_minimum": "per_transaction_min_amount",
        "event_maximum": "per_transaction_max_amount",
    }
    return {ours: config.get(theirs) for ours, theirs in names.items()}


def dynamic(config):
    return {"multiplier": config.get("multiplier", "0.01")}  # without one, the events' amounts are in cents


TRANSLATIONS = {
    "unit": ("per_unit", per_unit),
    "standard": ("per_unit", per_unit),
    "flat": ("flat", flat),
    "package": ("package", package),
    "graduated": ("graduated", graduated),
    "tiered_graduated": ("graduated", graduated),
    "graduated_percentage": ("graduated_percentage", graduated_percentage),
    "volume": ("volume", volume),
    "tiered_volume": ("volume", volume),
    "percentage": ("percentage", percentage),
    "dynamic": ("dynamic", dynamic),
}


def tiers(ranges, price="unit_price"):
    names = {
        "up_to": ("up_to", "to_value"),
        price: ("unit", "per_unit_amount", "rate"),
        "flat_fee": ("flat", "flat_amount"),
    }
    return [
        {ours: next((each[name] for name in theirs if name in each), None) for ours, theirs in names.items()}
        for each in ranges
    ]


def conversion(config):
    if not config:
        return None
    rounding = {"ceiling": "up", "floor": "down", "half_up": "nearest", "none": "none"}[config.get("rounding", "none")]
    factor = f"{config['operation']}_by"
    return {factor: config["factor"], "round": rounding, "decimals": config.get("precision")}


def price_for(case):
    config = case["config"]
    model, parameters = terms_of(config.get("base_model") or config.get("charge_model") or case["model"], config)
    limits = config.get("commitments", {})
    committed = limits.get("min") if case["model"] == "rerate_delta" else None
    minimum = None if committed else limits.get("min")
    if "min_amount_cents" in config:
        minimum = Decimal(config["min_amount_cents"]).scaleb(-2)
    parameters |= {
        "free_units": config.get("free_units"),
        "minimum": minimum,
        "maximum": limits.get("max"),
        "conversion": conversion(config.get("unit_config")),
        "commitment": {"amount": committed} if committed else None,
        "prorate": "min_amount_cents" in config,
    }
    return Price.from_parameters("calls", model, case.get("currency", "USD"), parameters)


def terms_of(name, config):
    """The price model and its numbers; with filters, those of a matrix of them."""
    model, translate = TRANSLATIONS[name]
    if "filters" not in config:
        return model, translate(config)
    rates = [{"where": each["values"], "model": model} | translate(each) for each in config["filters"]]
    default = {"model": model} | translate(config)
    return "matrix", {"dimensions": dimensions(config), "rates": rates, "default": default}


def dimensions(config):
    return list({key: None for each in config["filters"] for key in each["values"]})


# --- Usage --------------------------------------------------------------------------------------------


def used_in(case):
    """The usage of a case: its events where they matter, else the number."""
    config, events = case["config"], case.get("events", [])
    if "filters" in config:
        return used_by_filter([(event["properties"], value_of(case, event["properties"])) for event in events], config)
    if "groups" in case.get("context", {}):
        return used_by(Decimal(group["precise_total_amount_cents"]) for group in case["context"]["groups"])
    if events:
        return used_by(Decimal(event["value"]) for event in events)
    if case.get("mode") == "instant_single_event_estimate":
        return used_by([Decimal(case["usage"])])
    return Used(Decimal(case["usage"]), case.get("context", {}).get("events_count", 0))


def used_by(amounts):
    given = tuple(amounts)
    return Used(total(given), len(given), given)


def used_by_filter(events, config):
    cells = [Cell(tuple(place.get(key) for key in dimensions(config)), used_by([amount])) for place, amount in events]
    return Used(total(cell.used.quantity for cell in cells), len(cells), None, tuple(cells))


def value_of(case, properties):
    return Decimal(properties.get(case.get("context", {}).get("field_name"), "1"))


# --- Checks -------------------------------------------------------------------------------------------


def check_amount(case):
    price, expected = price_for(case), case["expected"]
    charge = rate(price, used_in(case))
    by_kind = {step.kind: step.amount for step in charge.steps}
    raised, lowered = by_kind.get("minimum", ZERO), by_kind.get("maximum", ZERO)
    assert charge.amount - raised - lowered == Decimal(expected["amount"])
    assert raised == Decimal(expected.get("charges_total", raised))
    assert lowered == -Decimal(expected.get("discounts_total", -lowered))
    if "total" in expected:
        credited = Decimal(expected.get("credits_total", 0))  # what a ledger takes off the total
        assert charge.total(price.currency) == Decimal(expected["total"]) + credited
    if "amount_cents" in expected:
        assert charge.total(price.currency) == in_cents(expected["amount_cents"])
    check_details(charge, expected.get("details"))
    check_filters(charge, expected.get("filters", []))


def check_details(charge, details):
    """What is said about each tier, or about what of the events was free."""
    if isinstance(details, list):
        reached = [step for step in charge.steps if step.kind == "tier"]
        assert [step.quantity for step in reached] == [Decimal(each["units"]) for each in details]
        assert [step.amount for step in reached] == [Decimal(each["per_unit_total_amount"]) for each in details]
        fees = {step.tier: step.amount for step in charge.steps if step.kind == "flat_fee"}
        assert [fees.get(i, ZERO) for i in range(len(details))] == [
            Decimal(each["flat_unit_amount"]) for each in details
        ]
    elif details and "paid_events" in details:
        by_kind = {step.kind: step for step in charge.steps}
        assert by_kind["percentage"].quantity == Decimal(details["paid_units"])
        assert by_kind["percentage"].amount == Decimal(details["per_unit_total_amount"])
        assert by_kind["free_amount"].quantity == Decimal(details["free_units"])
        assert by_kind["free_events"].quantity == Decimal(details["free_events"])
        assert by_kind["event_fee"].quantity == Decimal(details["paid_events"])
        assert by_kind["event_fee"].amount == Decimal(details["fixed_fee_total_amount"])


def check_filters(charge, filters):
    by_label = {step.label: step for step in charge.steps}
    for each in filters:
        step = by_label[", ".join(f"{key}: {' or '.join(values)}" for key, values in each["values"].items())]
        assert (step.quantity, step.amount) == (Decimal(each["units"]), Decimal(each["amount"]))


def check_reruns(case):
    """Each run books what the usage known by then costs, less what is already booked; the last one is final."""
    price, booked = price_for(case), ZERO
    for number, (usage, run) in enumerate(zip(case["usage"], case["expected"]["runs"], strict=True), 1):
        due = rate(price, Used(Decimal(usage), final=number == len(case["usage"]))).total(price.currency)
        assert due - booked == Decimal(run["total"])
        booked = due


def check_running_usage(case):
    """What the usage so far comes to, after each event."""
    price, amounts = price_for(case), []
    for step in case["steps"]:
        amounts.append(Decimal(step["event"]["value"]))
        charge, expected = rate(price, used_by(amounts)), step["expected"]
        assert total(amounts) == Decimal(expected["units"])
        assert charge.total(price.currency) == in_cents(expected["amount_cents"])


def check_each_event(case):
    """What each event adds to the charge; usage that falls and rises again is not charged twice."""
    price, before, events = price_for(case), Used(ZERO, amounts=()), []
    fees, expected = [], []
    for step in case["steps"]:
        events.append(event_of(case, step["event"]))
        after = so_far(case, events)
        if after.quantity >= before.quantity:
            fees.append(marginal(price, before, after).total(price.currency))
            before = after
        else:
            fees.append(ZERO)
        expected.append(in_cents(step["expected"]["fee_amount_cents"]))
    assert fees == expected


def event_of(case, event):
    if case["context"]["aggregation"] == "count":
        return event, Decimal(1)
    return event, Decimal(event.get("precise_total_amount_cents", event["value"]))


def so_far(case, events):
    if "filters" in case["config"]:
        return used_by_filter(events, case["config"])
    return used_by(amount for _, amount in events)


def check_validation(case):
    """Ranges given with both ends are tiers as they stand."""

    def number(each, name):
        return None if each.get(name, "0") is None else Decimal(each.get(name, "0"))

    names = ("from_value", "to_value", "per_unit_amount", "flat_amount")
    ranges = [Tier._make(number(each, name) for name in names) for each in case["config"]["graduated_ranges"]]
    with nullcontext() if case["expected"]["valid"] else pytest.raises(InvalidInput):
        Graduated(tuple(ranges))


def check_rounding(case):
    config = case["config"]
    currency = CURRENCIES[config["precision"]] if config["currency"] == "custom" else config["currency"]
    assert round_money(Decimal(case["usage"]), currency) == Decimal(case["expected"]["amount"])


def check_allocation(case):
    config = case["config"]
    unit = Decimal(1).scaleb(-config["precision"])
    shares = largest_remainder(Decimal(case["usage"]), [Decimal(item["weight"]) for item in config["items"]], unit)
    keys = [item["key"] for item in config["items"]]
    assert dict(zip(keys, shares, strict=True)) == {k: Decimal(v) for k, v in case["expected"]["amounts"].items()}


def check_conversion(case):
    given = Conversion.from_parameters(Parameters(conversion(case["config"]), "conversion"))
    assert given.convert(Decimal(case["usage"])) == Decimal(case["expected"]["billed_quantity"])


def check_fee(case):
    """A fixed fee for a part of its period."""
    part, whole = map(Decimal, case["config"]["fraction"].removesuffix(" days").split("/"))
    assert fee(case["config"]["amount"], part, whole) == Decimal(case["expected"]["amount"])


def check_subscription_fee(case):
    context = case["context"]
    amount = in_cents(case["config"]["plan_amount_cents"])
    assert fee(amount, context["billed_days"], context["period_days"]) == in_cents(case["expected"]["fee_cents"])


def check_what_was_not_used(case):
    """What a fee that was paid in advance has to be given back; the tax on it is the invoice's."""
    context, amount = case["context"], in_cents(case["config"]["fee_cents"])
    assert fee(amount, context["unused_days"], context["period_days"]) == in_cents(case["expected"]["item_cents"])


def check_true_up(case):
    """The minimum of all filters together, prorated, and what each of them costs."""
    context, expected = case["context"], case["expected"]
    price = price_for(case).prorated(Decimal(context["billed_days"]), Decimal(context["period_days"]))
    charge = rate(price, used_in(case))
    usage_fees = sorted(step.amount for step in charge.steps if step.kind == "per_unit")
    raised = total(step.amount for step in charge.steps if step.kind == "minimum")
    assert [ZERO, *usage_fees] == [in_cents(cents) for cents in expected["usage_fees_cents"]]
    assert round_money(raised, "USD") == in_cents(expected["true_up_fee_cents"])
    assert charge.total("USD") == in_cents(expected["fees_cents"])


def fee(amount, part, whole):
    price = Price.from_parameters(None, "flat", "USD", {"name": "base", "amount": str(amount)})
    return rate(price.prorated(Decimal(part), Decimal(whole)), ZERO).total("USD")


def in_cents(cents):
    return Decimal(cents).scaleb(-2).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP, context=EXACT)


CHECKS = {
    "rerate_delta": check_reruns,
    "running_usage_sequence": check_running_usage,
    "pay_in_advance_sequence": check_each_event,
    "config_validation": check_validation,
    "rounding": check_rounding,
    "allocate_largest_remainder": check_allocation,
    "unit_conversion": check_conversion,
    "flat_proration": check_fee,
    "subscription_fee_proration": check_subscription_fee,
    "termination_credit_note": check_what_was_not_used,
    "charge_minimum_true_up": check_true_up,
}
"""A model or mode → its check; `check_amount` is every other's."""


@pytest.mark.parametrize("case", published())
def test_published_case_comes_to_the_same_amount(case):
    for reason in reasons_to_skip(case):
        pytest.skip(reason)
    check = CHECKS.get(case["model"]) or CHECKS.get(case.get("mode"), check_amount)
    check(case)
