"""Which credits pay how much of which line."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tallystick.billing.credits.burning import burn, burns_of, fewest
from tallystick.billing.credits.models import GrantKind
from tallystick.catalog.models import PeriodUnit
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT
from tallystick.pricing import Price, rate

from .grants import APRIL, IN_MARCH, MARCH, MAY, grant, line, monthly, purse


def paid(purses, lines, period=IN_MARCH):
    """What was burned, as (grant, line, amount)."""
    return [(each.grant_id, each.line_key, each.amount) for each in burns_of(burn(purses, lines, period))]


# --- The order -------------------------------------------------------------------------------------

EARLY, LATE = datetime(2026, 4, 10, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"priority": 1, "expires_at": LATE}, {"priority": 2, "expires_at": EARLY}, id="priority"),
        pytest.param({"expires_at": EARLY}, {"expires_at": LATE, "kind": GrantKind.PROMOTIONAL}, id="earliest expiry"),
        pytest.param({"expires_at": LATE}, {"kind": GrantKind.PROMOTIONAL}, id="any expiry before none"),
        pytest.param(
            {"kind": GrantKind.PROMOTIONAL, "created_at": MARCH + timedelta(days=9)}, {}, id="promotional before paid"
        ),
        pytest.param({}, {"created_at": MARCH + timedelta(seconds=1)}, id="oldest"),
        pytest.param({"recurrence": monthly()}, {"expires_at": EARLY}, id="a recurring grant expires at its boundary"),
    ],
)
def test_credits_burn_in_the_written_order(first, second):
    purses = [purse(grant("10", id=2, **second)), purse(grant("10", id=1, **first))]

    assert paid(purses, [line("15")]) == [(1, "a", 10), (2, "a", 5)]


def test_grants_alike_burn_in_the_order_in_which_they_were_recorded():
    assert paid([purse(grant("10", id=2)), purse(grant("10", id=1))], [line("15")]) == [(1, "a", 10), (2, "a", 5)]


def test_a_grant_pays_the_lines_in_the_statement_s_order():
    assert paid([purse(grant("10"))], [line("4", "x"), line("5", "y"), line("6", "z")]) == [
        (1, "x", 4),
        (1, "y", 5),
        (1, "z", 1),
    ]


# --- What may be paid ------------------------------------------------------------------------------


def test_a_grant_pays_lines_of_its_currency_alone():
    lines = [line("10", "usd"), line("10", "eur", currency="EUR")]

    assert paid([purse(grant("100", currency="EUR"))], lines) == [(1, "eur", 10)]


def test_a_grant_for_some_metrics_pays_their_lines_and_no_fees():
    lines = [line("10", "calls"), line("10", "storage", metric="storage"), line("10", "base", metric=None)]

    assert paid([purse(grant("100", metrics=("storage",)))], lines) == [(1, "storage", 10)]
    assert paid([purse(grant("100"))], lines) == [(1, "calls", 10), (1, "storage", 10), (1, "base", 10)]


@pytest.mark.parametrize(
    ("start", "end", "pays"),
    [
        (MARCH - timedelta(days=9), MARCH, False),
        (MARCH - timedelta(days=9), MARCH + timedelta(microseconds=1), True),
        (MARCH, MARCH + timedelta(days=1), True),
        (APRIL - timedelta(microseconds=1), None, True),
        (APRIL, None, False),
    ],
)
def test_a_grant_pays_for_a_period_if_the_two_share_an_instant(start, end, pays):
    found = paid([purse(grant("10", effective_at=start, expires_at=end))], [line("5")])

    assert found == ([(1, "a", 5)] if pays else [])


def test_a_period_has_every_allotment_that_it_shares_an_instant_with():
    weekly = grant("10", recurrence=monthly(unit=PeriodUnit.WEEK))  # 1, 8, 15, 22 and 29 March

    assert paid([purse(weekly)], [line("100")]) == [(1, "a", 50)]


def test_what_is_carried_over_inside_a_period_is_capped_all_the_same():
    weekly = grant("10", recurrence=monthly(cap="3", unit=PeriodUnit.WEEK))

    [march] = paid([purse(weekly)], [line("10", key="a")])
    rest = purse(weekly)
    burn([rest], [line("10")], IN_MARCH)

    assert march == (1, "a", 10)
    assert [slot.rolled for slot in rest.slots] == [0, 3, 3, 3, 0]


def test_credit_that_has_expired_since_still_pays_for_a_period_that_closes_late():
    late: Any = purse(grant("100", recurrence=monthly()), until=MAY)

    assert paid([late], [line("30")]) == [(1, "a", 30)]
    assert [(slot.used, slot.expired, slot.available) for slot in late.slots] == [(30, 70, 0), (0, 0, 100)]


def test_what_was_carried_over_and_used_since_can_not_pay_again():
    of = grant("100", recurrence=monthly(cap="80"))
    late: Any = purse(of, {0: Decimal(10), 1: Decimal(150)}, until=MAY)  # 80 of March went over, 50 of it is used

    assert paid([late], [line("100")]) == [(1, "a", 40)]
    assert [(s.used, s.rolled, s.expired, s.available) for s in late.slots] == [(50, 50, 0, 0), (150, 0, 0, 0)]


# --- Credits of usage ------------------------------------------------------------------------------


def rated(quantity, model, **parameters):
    """A line of usage as it is rated."""
    price = Price.from_parameters("calls", model, "USD", parameters)
    whole, usage = rate(price, Decimal(quantity)).amount, Decimal(quantity)
    total = rate(price, usage).total("USD")
    return line(str(total), quantity=quantity, value_of=lambda units: whole - rate(price, usage - units).amount)


def units(purses, lines):
    return [(each.quantity, each.amount) for each in burns_of(burn(purses, lines, IN_MARCH))]


TIERS = [{"up_to": "1000", "unit_price": "0"}, {"up_to": "2000", "unit_price": "0.10"}, {"unit_price": "0.05"}]


@pytest.mark.parametrize(
    ("held", "quantity", "burned"),
    [
        pytest.param("500", "3000", [(500, 25)], id="the last units, at their price"),
        pytest.param("1500", "3000", [(1500, 100)], id="across tiers"),
        pytest.param("5000", "3000", [(2000, 150)], id="none for units that are free"),
        pytest.param("5000", "800", [], id="none where nothing is charged"),
    ],
)
def test_credits_of_usage_pay_what_the_last_units_cost(held, quantity, burned):
    usage = rated(quantity, "graduated", tiers=TIERS)

    assert units([purse(grant(held, metric="calls"))], [usage] if usage.amount else []) == burned


def test_credits_of_usage_pay_usage_of_their_metric_alone():
    assert units([purse(grant("10", metric="storage"))], [line("10")]) == []


def test_no_more_units_burn_than_are_left_to_pay():
    purses = [purse(grant("95", id=1, priority=1)), purse(grant("100", id=2, metric="calls"))]

    assert units(purses, [rated("100", "per_unit", unit_price="1")]) == [(None, 95), (5, 5)]


def test_two_grants_of_usage_pay_one_after_the_other_and_together_the_line():
    usage = rated("2001", "per_unit", unit_price="0.005")
    purses = [purse(grant("1001", id=1, metric="calls")), purse(grant("5000", id=2, metric="calls"))]

    assert usage.amount == Decimal("10.01")
    assert units(purses, [usage]) == [(1001, Decimal("5.01")), (1000, Decimal("5.00"))]


def test_a_package_is_paid_with_the_fewest_units_that_save_it():
    usage = rated("17", "package", package_size="10", package_price="3")

    assert units([purse(grant("5", metric="calls"))], [usage]) == []
    assert units([purse(grant("10", metric="calls"))], [usage]) == [(7, 3)]
    assert units([purse(grant("100", metric="calls"))], [usage]) == [(17, 6)]


def test_units_that_would_cost_less_than_nothing_do_not_burn():
    usage = rated("100", "volume", tiers=[{"up_to": "99", "unit_price": "2"}, {"unit_price": "1"}])

    assert units([purse(grant("10", metric="calls"))], [usage]) == []
    assert units([purse(grant("100", metric="calls"))], [usage]) == [(100, 100)]


def test_units_are_as_fine_as_the_numbers():
    usage = rated("2.5", "per_unit", unit_price="4")
    purses = [purse(grant("9", id=1, priority=1)), purse(grant("100", id=2, metric="calls"))]

    assert units(purses, [usage]) == [(None, 9), (Decimal("0.3"), 1)]


@pytest.mark.parametrize(
    ("most", "step", "needed"), [("10", "1", 1), ("10", "1", 7), ("10", "1", 10), ("2.5", "0.1", 2)]
)
def test_the_fewest_units_are_found(most, step, needed):
    assert fewest(Decimal(most), Decimal(step), lambda units: units >= needed) == needed


def test_a_quantity_without_an_end_is_paid_in_units_that_a_ledger_can_keep():
    third = EXACT.divide(Decimal(100), Decimal(3))
    usage = line("33.33", quantity=str(third), value_of=lambda units: units)
    held = purse(grant("1000", metric="calls"))

    [(quantity, amount)] = units([held], [usage])

    assert amount == Decimal("33.33")
    assert quantity == Decimal("33.333333333333333334")
    assert held.slots[0].available + quantity == 1000


def test_a_line_with_more_digits_than_python_keeps_is_paid_exactly():
    period = Interval(MARCH, APRIL)
    huge = "99999999999999999999999999999.01"
    purses = [purse(grant("99999999999999999999999999998.99"))]

    [taking] = burn(purses, [line(huge)], period)

    assert taking.amount == Decimal("99999999999999999999999999998.99")
    assert purses[0].slots[0].available == 0
