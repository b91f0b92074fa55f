"""What each price model is by definition."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.core.money import ZERO
from tallystick.pricing import Price, Used, marginal, rate
from tallystick.pricing.price_models.graduated import Graduated
from tallystick.pricing.price_models.graduated_percentage import GraduatedPercentage
from tallystick.pricing.price_models.package import Package
from tallystick.pricing.price_models.per_unit import PerUnit
from tallystick.pricing.price_models.percentage import Percentage
from tallystick.pricing.price_models.stairstep import Stairstep
from tallystick.pricing.price_models.volume import Volume
from tests.unit.pricing.usages import WIDE, exactly, money, price_by, quantities, tiers
from tests.unit.pricing.usages import quantity as usages

tiered = st.sampled_from([Graduated, Volume])


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


@given(tiers(fees=st.just(ZERO)), usages.filter(lambda usage: usage < 10**18))
def test_graduated_without_fees_does_not_jump(given, usage):
    step = Decimal("1e-18")
    dearest = max(tier.unit_price for tier in given)

    more = marginal(price_by(Graduated(given)), usage, WIDE.add(usage, step)).amount

    assert ZERO <= more <= WIDE.multiply(dearest, step)


@given(tiers(), usages)
def test_graduated_percentage_is_graduated_at_a_hundredth(given, usage):
    hundredth = Decimal("0.01")
    smaller = tuple(tier._replace(unit_price=WIDE.multiply(tier.unit_price, hundredth)) for tier in given)
    told = [{"up_to": tier.end, "rate": tier.unit_price, "flat_fee": tier.flat_fee} for tier in given]

    price = Price.from_parameters("calls", "graduated_percentage", "USD", {"tiers": told})

    assert price.terms == GraduatedPercentage(smaller)
    assert rate(price, usage) == rate(price_by(Graduated(smaller)), usage)


@given(tiers(), usages)
def test_a_stairstep_costs_the_fee_of_the_tier_that_holds_the_usage(given, usage):
    fees = tuple(tier._replace(unit_price=ZERO) for tier in given)

    assert rate(price_by(Stairstep(fees)), usage).amount == rate(price_by(Volume(fees)), usage).amount


@given(st.lists(st.decimals(0, 10**5, places=2), max_size=8), money, money, st.data())
def test_percentage_of_events_without_allowance_is_that_of_their_sum(amounts, percent, fee, data):
    total = exactly(amounts)
    order = data.draw(st.permutations(amounts))
    usage = Used(total, len(amounts), tuple(order))

    with localcontext(WIDE):
        expected = total * percent / 100 + fee * len(amounts)

    assert rate(price_by(Percentage(percent, fee)), usage).amount == expected
    # a minimum of nothing has each event rated by itself, to the same amount
    assert rate(price_by(Percentage(percent, fee, event_minimum=ZERO)), usage).amount == expected


@given(st.lists(st.decimals(0, 10**4, places=2), max_size=8), money, st.integers(0, 4), money)
def test_a_percentage_never_charges_free_events_nor_free_amounts(amounts, percent, free_events, free_amount):
    total = exactly(amounts)
    price = price_by(Percentage(percent, ZERO, free_events, free_amount, ZERO))
    allowance = exactly(amounts[:free_events]) if free_events else total
    if free_amount:
        allowance = min(allowance, free_amount)
    elif not free_events:
        allowance = ZERO

    with localcontext(WIDE):
        assert rate(price, Used(total, len(amounts), tuple(amounts))).amount == (total - allowance) * percent / 100


def test_a_price_by_event_asks_for_the_events():
    price = Price.from_parameters("payments", "percentage", "USD", {"rate": "1", "event_minimum": "1"})

    with pytest.raises(InvalidInput, match="amount of each event") as refused:
        rate(price, Used(Decimal(100), 2))

    assert price.needs_each_event
    assert refused.value.field == "usage"


def test_usage_without_the_amounts_of_its_events_is_never_silently_free():
    price = Price.from_parameters("payments", "percentage", "USD", {"rate": "10", "free_events": "1"})

    with pytest.raises(InvalidInput, match="amount of each event"):
        rate(price, Used(Decimal(150), 3, ()))


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
