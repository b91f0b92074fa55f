"""Which price rates which part of a period, and where the pace so far leads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing import charging, projection, tariffs
from tallystick.billing.models import Basis, total_of
from tallystick.catalog.models import PriceVersion
from tallystick.core.clock import Interval
from tallystick.metering.models import Aggregation, MetricDefinition, Usage
from tallystick.pricing import Price

START = datetime(2026, 4, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PERIOD = Interval(START, datetime(2026, 5, 1, tzinfo=UTC))
TERMS = tariffs.Terms(PERIOD, PERIOD)
CALLS = MetricDefinition("calls", Aggregation.SUM, "call", event_name="call")
PEAK = MetricDefinition("peak", Aggregation.MAX, "core", event_name="load")


def day(number):
    """The start of the period's day `number`, counted from 1; None stays None."""
    return number and START + timedelta(days=number - 1)


def price(unit_price, start=None, end=None, model="per_unit"):
    """A price in force from day to day."""
    name = "amount" if model == "flat" else "unit_price"
    return PriceVersion(1, Price.from_parameters("calls", model, "USD", {name: unit_price}), day(start), day(end))


def tariff_of(prices, definition=CALLS, terms=TERMS):
    return tariffs.tariff("calls", definition, prices, terms)


def used(tariff, *quantities):
    """The answer to each question of a tariff that asks for the usage of each part."""
    return [
        [Usage("calls", part.interval, (), quantity and Decimal(quantity), 1, 0)]
        for part, quantity in zip(tariff.parts, quantities, strict=True)
    ]


def parts(*prices, definition=CALLS):
    """The parts as (first day, day after the last, unit price)."""
    found = tariff_of(prices, definition).parts
    return [
        (
            (part.interval.start - START).days + 1,
            (part.interval.end - START).days + 1,
            part.price and str(part.price.tiers[0].unit_price),
        )
        for part in found
    ]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([], [(1, 31, None)]),
        ([price("1")], [(1, 31, "1")]),
        ([price("1", 1, 31)], [(1, 31, "1")]),
        ([price("1", None, 11), price("2", 11)], [(1, 11, "1"), (11, 31, "2")]),
        ([price("1", 11)], [(1, 11, None), (11, 31, "1")]),
        ([price("1", None, 11)], [(1, 11, "1"), (11, 31, None)]),
        ([price("1", -5, 6), price("2", 21, 99)], [(1, 6, "1"), (6, 21, None), (21, 31, "2")]),
    ],
)
def test_usage_that_adds_up_is_split_where_a_price_begins_or_ends(prices, expected):
    assert parts(*prices) == expected


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([price("1", None, 11), price("2", 11)], "2"),
        ([price("1", None, 11)], "1"),
        ([], None),
    ],
)
def test_usage_that_does_not_add_up_has_the_last_price_of_the_period(prices, expected):
    assert parts(*prices, definition=PEAK) == [(1, 31, expected)]
    assert tariff_of(prices, PEAK).basis is Basis.PERIOD_END


def test_fixed_prices_alone_are_charged_once():
    fees = [price("99", None, 11, "flat"), price("119", 11, model="flat")]
    tariff = tariff_of(fees)

    [line] = charging.lines(tariff, used(tariff, "5"), PERIOD.end)

    assert line.total == Decimal("119.00")


def test_usage_without_a_price_is_a_line_without_a_charge():
    tariff = tariff_of([price("1", 11)])

    before, after = charging.lines(tariff, used(tariff, "5", "7"), PERIOD.end)

    assert before.quantity == 5
    assert (before.price, before.charge, before.total) == (None, None, None)
    assert after.total == Decimal("7.00")


def test_a_sum_keeps_all_38_digits():
    tariff = tariff_of([price("1", None, 11), price("1", 11)])
    usages = used(tariff, "99999999999999999999.000000000000000001", "0.000000000000000001")

    assert charging.usage_of(tariff, usages) == Decimal("99999999999999999999.000000000000000002")


quantities = st.decimals(min_value=0, max_value=10**12, places=6)
cuts = st.lists(st.integers(2, 30), unique=True, max_size=4).map(sorted)
moments = st.datetimes(
    (PERIOD.start + MICROSECOND).replace(tzinfo=None),
    PERIOD.end.replace(tzinfo=None),
    timezones=st.just(UTC),
)


def changing(days):
    bounds = [None, *days, None]
    return tariff_of([price("0.01", a, b) for a, b in pairwise(bounds)])


@settings(deadline=None)
@given(cuts, st.data(), moments)
def test_the_run_rate_is_usage_by_elapsed_time_for_the_whole_period(days, data, as_of):
    tariff = changing(days)
    starts = [part.interval.start for part in tariff.parts]
    usages = used(tariff, *(data.draw(quantities) if start < as_of else Decimal(0) for start in starts))
    so_far = Fraction(charging.usage_of(tariff, usages) or 0)
    expected = so_far * ((PERIOD.end - START) // MICROSECOND) / ((as_of - START) // MICROSECOND)

    found = projection.run_rate(tariff, usages, as_of)

    assert found is not None
    assert abs(Fraction(found.usage or 0) - expected) <= len(usages) * Fraction(projection.FINEST)


@settings(deadline=None)
@given(cuts, st.data())
def test_at_the_end_of_the_period_the_run_rate_is_the_statement(days, data):
    tariff = changing(days)
    usages = used(tariff, *(data.draw(quantities) for _ in tariff.parts))

    found = projection.run_rate(tariff, usages, PERIOD.end)

    lines = charging.lines(tariff, usages, PERIOD.end)
    assert found == ("run_rate", charging.usage_of(tariff, usages), total_of(lines))


@settings(deadline=None)
@given(cuts)
def test_the_parts_of_a_period_are_all_of_it(days):
    windows = [part.interval for part in changing(days).parts]

    assert (windows[0].start, windows[-1].end) == PERIOD
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))
