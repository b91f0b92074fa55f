"""What holds for every price and every usage, and what each tiered model is by definition."""

import json
from decimal import Context, Decimal, Inexact, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.core.money import ZERO
from tallystick.pricing import Price, Tier, charge_as_json, rate
from tallystick.pricing.price_models.graduated import Graduated
from tallystick.pricing.price_models.package import Package
from tallystick.pricing.price_models.per_unit import PerUnit
from tallystick.pricing.price_models.volume import Volume
from tests.unit.pricing.tables import PRICES

WIDE = Context(prec=1000, traps=[Inexact])

quantities = st.decimals(0, 10**19, allow_nan=False, allow_infinity=False, places=18)
quotients = st.builds(Context(prec=100).divide, quantities, st.integers(1, 10**6).map(Decimal))
near_tiers = st.sampled_from(
    [bound + step for price in PRICES for tier in price.tiers if (bound := tier.end) for step in (-1, ZERO, 1)]
)
usages = quantities | quotients | near_tiers | st.integers(0, 200_000).map(Decimal)
signed = usages | usages.map(Decimal.copy_negate)
money = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=9) | st.just(ZERO)


tiered = st.sampled_from([Graduated, Volume])


@st.composite
def tiers(draw, fees=money):
    ends = sorted(draw(st.sets(quantities.filter(bool) | st.integers(1, 10**5).map(Decimal), max_size=6)))
    starts = [ZERO, *ends]
    return tuple(Tier(start, end, draw(money), draw(fees)) for start, end in zip(starts, [*ends, None], strict=True))


@st.composite
def prices(draw):
    terms = draw(tiered)(draw(tiers()))
    minimum, maximum = sorted([draw(money), draw(money)])
    return Price("calls", "USD", terms, draw(st.just(ZERO) | quantities), minimum, maximum)


any_price = st.sampled_from(PRICES) | prices()


def price_by(terms):
    return Price("calls", "USD", terms)


def exactly(numbers):
    with localcontext(WIDE):
        return sum(numbers, ZERO)


@given(any_price, signed)
def test_the_steps_sum_to_the_amount_to_the_last_digit(price, usage):
    charge = rate(price, usage)

    assert exactly(step.amount for step in charge.steps) == charge.amount
    for step in charge.steps:
        if step.unit_price is not None:
            assert WIDE.multiply(step.quantity, step.unit_price) == step.amount


@given(any_price, signed)
def test_the_callers_decimal_context_plays_no_part(price, usage):
    with localcontext(Context(prec=2)):
        narrow = rate(price, usage)

    assert narrow == rate(price, usage)


@given(any_price, signed)
def test_a_charge_is_not_negative_and_keeps_to_minimum_and_maximum(price, usage):
    amount = rate(price, usage).amount

    assert amount >= (price.minimum or ZERO)
    assert price.maximum is None or amount <= price.maximum


@given(any_price, st.lists(signed, min_size=1, max_size=6))
def test_booking_each_difference_adds_up_to_the_last_total(price, known):
    totals = [ZERO, *(rate(price, usage).total(price.currency) for usage in known)]

    booked = exactly(WIDE.subtract(later, earlier) for earlier, later in pairwise(totals))

    assert booked == totals[-1]


@given(any_price)
def test_a_price_survives_being_written_as_json(price):
    parameters = price.to_parameters()

    again = Price.from_parameters("calls", price.model, price.currency, json.loads(json.dumps(parameters)))

    assert again == price
    assert hash(again) == hash(price)
    assert again.to_parameters() == parameters


@given(any_price, signed)
def test_a_charge_written_as_json_holds_every_digit_of_every_step(price, usage):
    charge = rate(price, usage)
    written = json.loads(json.dumps(charge_as_json(charge)))

    assert Decimal(written["amount"]) == charge.amount
    for told, step in zip(written["steps"], charge.steps, strict=True):
        numbers = {
            key: Decimal(value) if isinstance(value, str) and key != "kind" else value for key, value in told.items()
        }
        assert numbers == step._asdict()


@given(tiers(), usages)
def test_graduated_is_the_sum_of_what_falls_into_each_tier(given, usage):
    def in_tier(tier):
        units = min(usage, tier.end or usage) - tier.start
        entered = units > 0 or tier.start == 0
        return max(units, ZERO) * tier.unit_price + tier.flat_fee * entered

    with localcontext(WIDE):
        expected = sum(map(in_tier, given))
    charge = rate(price_by(Graduated(given)), usage)

    assert charge.amount == expected
    assert exactly(step.quantity for step in charge.steps if step.kind == "tier") == usage


@given(tiers(), usages, usages)
def test_graduated_never_falls_as_usage_rises(given, a, b):
    less, more = sorted([a, b])

    assert rate(price_by(Graduated(given)), less).amount <= rate(price_by(Graduated(given)), more).amount


@given(tiers(fees=st.just(ZERO)), usages, usages)
def test_graduated_without_fees_never_rises_faster_than_its_dearest_tier(given, a, b):
    less, more = sorted([a, b])
    dearest = max(tier.unit_price for tier in given)

    with localcontext(WIDE):
        rise = rate(price_by(Graduated(given)), more).amount - rate(price_by(Graduated(given)), less).amount
        assert rise <= dearest * (more - less)


@given(tiers(fees=st.just(ZERO)), money, usages)
def test_tiers_of_one_price_cost_what_units_of_that_price_cost(given, unit_price, usage):
    alike = tuple(tier._replace(unit_price=unit_price) for tier in given)

    assert rate(price_by(Graduated(alike)), usage).amount == rate(price_by(PerUnit(unit_price)), usage).amount


@given(tiers(), usages, tiered)
def test_prices_ten_times_as_high_cost_ten_times_as_much(given, usage, model):
    dearer = tuple(
        tier._replace(unit_price=WIDE.multiply(tier.unit_price, 10), flat_fee=WIDE.multiply(tier.flat_fee, 10))
        for tier in given
    )
    before, after = (price_by(model(these)) for these in (given, dearer))

    assert rate(after, usage).amount == WIDE.multiply(rate(before, usage).amount, 10)


@given(tiers(), usages)
def test_volume_prices_all_usage_at_the_one_tier_that_holds_it(given, usage):
    holds = next(tier for tier in given if tier.end is None or usage <= tier.end)

    charge = rate(price_by(Volume(given)), usage)

    assert charge.amount == WIDE.add(WIDE.multiply(usage, holds.unit_price), holds.flat_fee)
    assert given[charge.steps[0].tier or 0] == holds


@given(usages, quantities.filter(bool))
def test_packages_hold_the_usage_and_one_less_would_not(usage, size):
    packages = rate(price_by(Package(size, Decimal(1))), usage).amount

    with localcontext(WIDE):
        assert (packages - 1) * size < usage <= packages * size or packages == usage == 0


@pytest.mark.parametrize("usage", ["NaN", "sNaN", "Infinity", "-Infinity", "1e600", "0.1" + 600 * "0" + "1"])
def test_usage_that_cannot_be_priced_exactly_is_refused(usage):
    price = Price.from_parameters("calls", "package", "USD", {"package_size": "0.3", "package_price": "1"})

    with pytest.raises(InvalidInput) as refused:
        rate(price, Decimal(usage))

    assert refused.value.field == "usage"


@pytest.mark.parametrize("number", [0.1, True, None, {}])
def test_a_number_that_is_not_exact_is_refused(number):
    with pytest.raises(InvalidInput) as refused:
        Price.from_parameters("calls", "per_unit", "USD", {"unit_price": number})

    assert refused.value.field == "unit_price"


@pytest.mark.parametrize(
    ("starts", "wrong"),
    [
        pytest.param(("1", "5"), "tiers[0].start", id="does not begin at zero"),
        pytest.param(("0", "6"), "tiers[1].start", id="gap"),
        pytest.param(("0", "4"), "tiers[1].start", id="overlap"),
    ],
)
@pytest.mark.parametrize("model", [Graduated, Volume])
def test_tiers_with_a_gap_or_an_overlap_cannot_be_built(model, starts, wrong):
    first, second = map(Decimal, starts)

    with pytest.raises(InvalidInput) as refused:
        model((Tier(first, Decimal(5), ZERO), Tier(second, None, ZERO)))

    assert refused.value.field == wrong


def test_numbers_are_written_in_one_canonical_form():
    given = {
        "tiers": [
            {"up_to": 1000, "unit_price": "0.10", "flat_fee": "0"},
            {"up_to": None, "unit_price": Decimal("1E+1")},
        ]
    }

    price = Price.from_parameters("calls", "graduated", "USD", given | {"free_units": "0", "minimum": "5.00"})

    assert price.to_parameters() == {
        "tiers": [{"up_to": "1000", "unit_price": "0.1"}, {"unit_price": "10"}],
        "minimum": "5",
    }
