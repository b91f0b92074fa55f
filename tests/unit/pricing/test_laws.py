"""What holds for every price and every usage."""

import json
import time
import tracemalloc
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.core.money import ZERO, round_money
from tallystick.pricing import Cell, Commitment, Discount, Price, Tier, Used, charge_as_json, marginal, rate
from tallystick.pricing.price_models.graduated import Graduated
from tallystick.pricing.price_models.per_unit import PerUnit
from tallystick.pricing.price_models.volume import Volume
from tests.unit.pricing.tables import PRICES
from tests.unit.pricing.usages import WIDE, exactly, money, price_by, quantities, tiers, used, values_of
from tests.unit.pricing.usages import quantity as usages

discounts = st.builds(Discount, st.integers(1, 100).map(Decimal)) | st.builds(Discount, st.none(), money.filter(bool))
commitments = st.builds(
    Commitment, money, st.none(), st.sampled_from([ZERO, Decimal(1), Decimal("1.5")]), st.booleans()
)


@st.composite
def prices(draw):
    terms = draw(st.sampled_from([Graduated, Volume]))(draw(tiers()))
    minimum, maximum = sorted([draw(money), draw(money)])
    return Price(
        "calls",
        "USD",
        terms,
        draw(st.just(ZERO) | quantities),
        minimum,
        maximum,
        discounts=tuple(draw(st.lists(discounts, max_size=3))),
        commitment=draw(st.none() | commitments),
    )


any_price = st.sampled_from(PRICES) | prices()
rated = any_price.flatmap(lambda price: st.tuples(st.just(price), used(price)))
matrices = st.sampled_from([price for price in PRICES if price.group_by])


@given(rated)
def test_the_steps_sum_to_the_amount_to_the_last_digit(case):
    charge = rate(*case)

    assert exactly(step.amount for step in charge.steps) == charge.amount
    for step in charge.steps:
        if step.unit_price is not None:
            assert WIDE.multiply(step.quantity, step.unit_price) == step.amount


@given(rated)
def test_the_callers_decimal_context_plays_no_part(case):
    with localcontext(Context(prec=2)):
        narrow = rate(*case)

    assert narrow == rate(*case)


@given(rated)
def test_a_charge_is_not_negative_and_keeps_to_minimum_and_maximum(case):
    price, usage = case
    amount = rate(replace(price, commitment=None), usage).amount

    assert amount >= (price.minimum or ZERO)
    assert price.maximum is None or amount <= price.maximum


@given(rated)
def test_what_is_committed_is_charged_at_the_end_of_the_period(case):
    price, usage = case
    if price.commitment is None or price.commitment.amount is None:
        return

    amount = rate(price, usage).amount
    without = rate(replace(price, commitment=None), usage).amount

    if without < price.commitment.amount:
        due = usage.final and price.commitment.true_up
        assert amount == (price.commitment.amount if due else without)
    else:
        excess = WIDE.subtract(without, price.commitment.amount)
        with localcontext(WIDE):
            assert amount == price.commitment.amount + excess * price.commitment.overage_factor


@given(any_price, st.data())
def test_booking_each_difference_adds_up_to_the_last_total(price, data):
    known = data.draw(st.lists(used(price), min_size=1, max_size=6))
    totals = [ZERO, *(rate(price, usage).total(price.currency) for usage in known)]

    booked = exactly(WIDE.subtract(later, earlier) for earlier, later in pairwise(totals))

    assert booked == totals[-1]


@given(any_price, st.data())
def test_what_was_charged_and_what_is_marginal_is_what_is_charged_in_the_end(price, data):
    before, after = data.draw(used(price)), data.draw(used(price))

    more = marginal(price, before, after)

    assert WIDE.add(rate(price, before).amount, more.amount) == rate(price, after).amount
    assert exactly(step.amount for step in more.steps) == more.amount
    for step in more.steps:
        if step.unit_price is not None:
            assert WIDE.multiply(step.quantity, step.unit_price) == step.amount


@given(rated)
def test_usage_that_stays_has_no_marginal_charge(case):
    price, usage = case

    assert marginal(price, usage, usage) == (ZERO, ())


@given(any_price)
def test_a_price_survives_being_written_as_json(price):
    parameters = price.to_parameters()
    if price.proration is not None:
        return  # its numbers are quotients

    again = Price.from_parameters(price.metric, price.model, price.currency, json.loads(json.dumps(parameters)))

    assert again == price
    assert hash(again) == hash(price)
    assert again.to_parameters() == parameters


@given(rated)
def test_a_charge_written_as_json_holds_every_digit_of_every_step(case):
    charge = rate(*case)
    written = json.loads(json.dumps(charge_as_json(charge)))

    assert Decimal(written["amount"]) == charge.amount
    for told, step in zip(written["steps"], charge.steps, strict=True):
        numbers = {
            key: Decimal(value) if isinstance(value, str) and key not in ("kind", "label") else value
            for key, value in told.items()
        }
        assert numbers == step._asdict()


# --- Discounts, limits, proration ---------------------------------------------------------------------


@given(prices().flatmap(lambda price: st.tuples(st.just(price), used(price))))
def test_discounts_come_before_the_maximum_and_the_minimum_after_it(case):
    price, usage = case
    bare = replace(price, discounts=(), minimum=None, maximum=None, commitment=None)

    amount = rate(bare, usage).amount
    with localcontext(WIDE):
        for discount in price.discounts:
            off = amount * (discount.percent or 0) / 100 if discount.percent else min(discount.amount, amount)
            amount -= off
    expected = max(min(amount, price.maximum), price.minimum)

    assert rate(replace(price, commitment=None), usage).amount == expected


@given(rated, st.lists(discounts, max_size=3))
def test_discounts_added_later_come_after_the_prices_own(case, more):
    price, usage = case
    every = price.with_discounts(more)

    assert every.discounts == (*price.discounts, *more)
    assert rate(every, usage).amount <= rate(price, usage).amount or price.commitment is not None


@given(money, st.integers(1, 10**7), st.integers(1, 10**7))
def test_parts_of_a_period_cost_its_fee_together(amount, first, second):
    fee = Price.from_parameters(None, "flat", "USD", {"name": "base", "amount": str(amount)})
    whole = Decimal(first + second)

    parts = [rate(fee.prorated(Decimal(part), whole), ZERO).amount for part in (first, second)]

    assert abs(exactly(parts) - amount) < Decimal("1e-90")
    assert round_money(exactly(parts), "KWD") == round_money(amount, "KWD")


@given(rated, st.integers(1, 100), st.integers(0, 100))
def test_only_a_price_that_says_so_is_prorated(case, part, rest):
    price, usage = case
    part_of_it = replace(price, prorate=False).prorated(Decimal(part), Decimal(part + rest))

    assert rate(part_of_it, usage) == rate(replace(price, prorate=False), usage)


# --- Matrices -----------------------------------------------------------------------------------------


@given(matrices, st.data(), st.lists(quantities, max_size=4), st.lists(quantities, max_size=4))
def test_usage_of_one_rate_may_be_split_among_cells(price, data, some, others):
    values = data.draw(values_of(price))
    whole, split = cell(values, [*some, *others]), (cell(values, some), cell(values, others))

    at_once, in_parts = (rate(price, Used(whole.used.quantity, cells=cells)) for cells in ((whole,), split))

    assert in_parts == at_once


@given(st.lists(st.tuples(st.sampled_from(["eu", "us", "ap", "mars", None]), usages), max_size=8), money)
def test_cells_of_one_price_per_unit_cost_what_their_sum_costs(given, unit_price):
    rates = [{"region": region, "unit_price": str(unit_price)} for region in ("eu", "us")]
    numbers = {"dimensions": ["region"], "rates": rates, "default": {"unit_price": str(unit_price)}}
    price = Price.from_parameters("calls", "matrix", "USD", numbers)
    cells = tuple(cell((region,), [quantity]) for region, quantity in given)
    together = exactly(quantity for _, quantity in given)

    assert rate(price, Used(together, cells=cells)).amount == rate(price_by(PerUnit(unit_price)), together).amount


@given(matrices.flatmap(lambda price: st.tuples(st.just(price), used(price))))
def test_no_usage_is_silently_free(case):
    price, usage = case
    charge = rate(price, usage)

    told = {step.label.split("; ")[0] for step in charge.steps if step.label}
    assert len(told) >= len(price.terms.pools(usage))
    missing = exactly(
        pool.used.quantity for pool in price.terms.pools(usage) if pool.rate is None and pool.used.quantity > 0
    )
    assert charge.unpriced == missing


def cell(values, amounts):
    return Cell(values, Used(exactly(amounts), len(amounts), tuple(amounts)))


# --- Long price lists --------------------------------------------------------------------------------


def test_a_long_list_of_tiers_takes_no_more_than_its_length():
    each = [{"up_to": bound, "unit_price": 1, "flat_fee": 1} for bound in range(1, 20_000)] + [{"unit_price": 1}]

    tracemalloc.start()
    price = Price.from_parameters("calls", "graduated", "USD", {"tiers": each})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 50_000_000
    charge = rate(price, Decimal(30_000))
    assert charge.amount == 30_000 + 19_999
    assert len(charge.steps) == 20_000 + 19_999


def test_a_long_list_of_rates_takes_no_more_time_than_its_length():
    number = 50_000
    rates = [{"instance": f"i{each}", "unit_price": 1} for each in range(number)]
    price = Price.from_parameters("hours", "matrix", "USD", {"dimensions": ["instance"], "rates": rates})
    cells = tuple(Cell((f"i{each}",), Used(Decimal(2), 1)) for each in range(2 * number))

    started = time.process_time()
    charge = rate(price, Used(Decimal(4 * number), 2 * number, cells=cells))

    assert time.process_time() - started < 10  # three here; with quadratic work, over twenty
    assert charge.amount == charge.unpriced == 2 * number
    assert len(charge.steps) == 2 * number


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param(
            [{"a": [f"v{each}" for each in range(1001)], "b": [f"v{each}" for each in range(100)]}], id="lists"
        ),
        pytest.param(
            [
                *({"a": f"a{each}", "b": "b", "unit_price": 1} for each in range(400)),
                *({"c": "c", "d": f"d{each}", "unit_price": 1} for each in range(400)),
                *({"a": f"a{each}", "b": "b", "c": "c"} for each in range(400)),
            ],
            id="overlaps",
        ),
    ],
)
def test_rates_for_far_too_many_combinations_are_refused(rates):
    priced = [rate | {"unit_price": 1} for rate in rates]

    with pytest.raises(InvalidInput, match="more than 100000 combinations of values") as refused:
        Price.from_parameters("calls", "matrix", "USD", {"dimensions": list("abcd"), "rates": priced})

    assert refused.value.field == "rates"


# --- What is refused ---------------------------------------------------------------------------------


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
    ("rates", "says"),
    [
        pytest.param({False: {"unit_price": 1}}, "must be a text", id="what YAML reads of a bare `no`"),
        pytest.param({None: {"unit_price": 1}}, "must be a text", id="what YAML reads of a bare `null`"),
        pytest.param({1: {"unit_price": 1}, "1": {"unit_price": 2}}, "is there twice", id="a number and its text"),
    ],
)
def test_a_value_that_would_not_be_the_one_that_was_meant_is_refused(rates, says):
    with pytest.raises(InvalidInput, match=says) as refused:
        Price.from_parameters("calls", "matrix", "USD", {"dimensions": ["region"], "rates": rates})

    assert refused.value.field == "rates"


@pytest.mark.parametrize(("key", "field"), [("", "''"), (1, "1"), (None, "None")])
def test_a_key_that_is_not_known_is_named_whatever_it_is(key, field):
    with pytest.raises(InvalidInput, match="is not known here") as refused:
        Price.from_parameters("calls", "per_unit", "USD", {"unit_price": "1", key: "1"})

    assert refused.value.field == field


@pytest.mark.parametrize("zero", ["0e-999999999", "-0", "0e999999999", "0.000"])
def test_zero_is_zero_however_it_is_written(zero):
    price = Price.from_parameters("calls", "per_unit", "USD", {"unit_price": zero})

    assert charge_as_json(rate(price, Decimal(5)))["amount"] == "0"
    assert price.to_parameters() == {"unit_price": "0"}
    assert str(price.tiers[0].unit_price) == "0"


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
