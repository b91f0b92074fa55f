"""The pure parts of telling Stripe's meters: windows, stamps, spelling, deltas, identifiers, translated prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT
from tallystick.integrations.stripe.fake import ASSUMED
from tallystick.integrations.stripe.meters.deltas import deltas
from tallystick.integrations.stripe.meters.identity import identifier
from tallystick.integrations.stripe.meters.models import Booked, Kind, Lane, State
from tallystick.integrations.stripe.meters.pace import Pace
from tallystick.integrations.stripe.meters.translating import CannotTranslate, translated
from tallystick.integrations.stripe.meters.values import DIGITS, parts, spelled, told
from tallystick.integrations.stripe.meters.windows import closed_until, deadline, hours, stamp
from tallystick.pricing import Price

QUANTITIES = st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=18, allow_nan=False)
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}+00:00")


def between(start: str, end: str) -> Interval:
    return Interval(at(start), at(end))


LANE = Lane(1, "acct_1/test", "cus_1", "tokens", "mtr_1", "acme", "tokens")


# --- Spelling ------------------------------------------------------------------------------------------------


@given(QUANTITIES)
def test_parts_add_up_to_the_quantity_and_stripe_takes_each(quantity: Decimal) -> None:
    found = parts(quantity)
    total = Decimal(0)
    for each in found:
        total = EXACT.add(total, each)
        text = spelled(each)
        assert ASSUMED.value(text) == each  # plain notation alone is a value there
        assert ASSUMED.significant_digits(text) <= DIGITS
    assert total == quantity


@given(st.decimals(min_value=-(10**20) + 1, max_value=10**20 - 1, allow_nan=False))
def test_no_exponent_ever_leaves(quantity: Decimal) -> None:
    assert set(spelled(quantity)) <= set("-0123456789.")


def test_usage_without_a_value_is_none() -> None:
    assert told(None) == 0
    assert told(Decimal(1) / Decimal(3)) == Decimal("0.333333333333333333")


# --- Windows -------------------------------------------------------------------------------------------------


def test_hours_are_cut_where_a_period_ends() -> None:
    periods = [between("05T00:00", "05T10:17:30"), between("05T10:17:30", "06T00:00")]
    found = hours(between("05T09:00", "05T11:00"), periods)
    assert [(each.start, each.end) for each in found] == [
        (at("05T09:00"), at("05T10:00")),
        (at("05T10:00"), at("05T10:17:30")),
        (at("05T10:17:30"), at("05T11:00")),
    ]
    assert [each.period_end for each in found] == [periods[0].end, periods[0].end, periods[1].end]


@given(
    st.datetimes(datetime(2026, 3, 5), datetime(2026, 3, 6)),  # noqa: DTZ001 - given the zone below
    st.timedeltas(timedelta(microseconds=1), HOUR),
    st.integers(1, 200),
)
def test_a_stamp_is_a_full_second_in_its_window(start: datetime, length: timedelta, seq: int) -> None:
    window = Interval(start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + length)
    found = stamp(window, seq)
    assert found.microsecond == 0
    if length >= timedelta(seconds=1):
        assert window.start <= found < window.end


def test_deltas_of_an_hour_are_stamped_in_minutes_of_their_own() -> None:
    hour = between("05T09:00", "05T10:00")
    assert len({stamp(hour, seq) for seq in range(1, 61)}) == 60
    assert stamp(hour, 61) == stamp(hour, 1)


def test_the_end_of_a_period_closes_a_window_inside_an_hour() -> None:
    periods = [between("05T00:00", "05T10:17")]
    assert closed_until(at("05T10:40"), timedelta(minutes=10), periods) == at("05T10:17")
    assert closed_until(at("05T10:20"), timedelta(minutes=10), periods) == at("05T10:00")


def test_the_deadline_is_the_final_invoice_or_the_age_of_the_stamp() -> None:
    grace = timedelta(minutes=50)
    assert deadline(at("05T09:00"), at("31T00:00"), grace) == at("31T00:50")
    assert deadline(at("05T09:00"), None, grace) == at("05T09:00") + timedelta(days=34)
    assert deadline(at("05T09:00"), at("31T00:00") + timedelta(days=60), grace) == at("05T09:00") + timedelta(days=34)


# --- Deltas --------------------------------------------------------------------------------------------------


def test_the_delta_is_usage_less_what_is_booked() -> None:
    [window] = hours(between("05T09:00", "05T10:00"), [])
    before = Booked(window.interval, Decimal(12), 2)
    [found] = deltas({window: Decimal(15)}, [before], now=at("05T11:00"), grace=HOUR)
    assert (found.quantity, found.seq, found.state) == (3, 3, State.PENDING)
    assert deltas({window: Decimal(12)}, [before], now=at("05T11:00"), grace=HOUR) == []


def test_windows_that_were_cut_otherwise_are_taken_back_first() -> None:
    windows = hours(between("05T10:00", "05T11:00"), [between("05T00:00", "05T10:17")])
    before = Booked(between("05T10:00", "05T11:00"), Decimal(4), 1)
    found = deltas(dict(zip(windows, (Decimal(3), Decimal(1)), strict=True)), [before], now=at("05T11:00"), grace=HOUR)
    assert [each.quantity for each in found] == [-4, 3, 1]


def test_what_is_booked_after_the_deadline_is_late_at_once() -> None:
    [window] = hours(between("05T09:00", "05T10:00"), [between("05T00:00", "06T00:00")])
    [found] = deltas({window: Decimal(1)}, [], now=at("06T01:00"), grace=HOUR)
    assert found.state is State.LATE


def test_an_identifier_is_of_all_that_makes_a_delta_and_of_nothing_else() -> None:
    hour = between("05T09:00", "05T10:00")
    name = identifier(LANE, Kind.USAGE, hour, 1)
    assert name == identifier(LANE._replace(id=7, team_id="other"), Kind.USAGE, hour, 1)
    others = {
        identifier(LANE._replace(customer_id="cus_2"), Kind.USAGE, hour, 1),
        identifier(LANE._replace(account="acct_1/live"), Kind.USAGE, hour, 1),
        identifier(LANE._replace(event_name="calls"), Kind.USAGE, hour, 1),
        identifier(LANE, Kind.REPAIR, hour, 1),
        identifier(LANE, Kind.USAGE, Interval(hour.start, hour.end + HOUR), 1),
        identifier(LANE, Kind.USAGE, hour, 2),
    }
    assert len(others - {name}) == 6
    assert len(name) == 56


# --- Pace ----------------------------------------------------------------------------------------------------


async def test_refusals_slow_down_and_silence_speeds_up_again() -> None:
    pace = Pace(100, now=lambda: 0.0)
    for _ in range(16):  # that were under way together
        pace.refused()
    assert pace.rate == 50
    for _ in range(1000):
        pace.taken()
    assert pace.rate == 100


# --- Prices --------------------------------------------------------------------------------------------------

MONTHLY = BillingPeriod(PeriodUnit.MONTH, 1)


def price(model: str, **parameters: Any) -> Price:
    return Price.from_parameters("tokens", model, "USD", parameters)


def words(model: str, **parameters: Any) -> dict[str, Any]:
    return translated("standard", MONTHLY, price(model, **parameters)).params


def test_a_price_per_unit_is_in_cents_with_all_its_decimals() -> None:
    found = words("per_unit", unit_price="0.000005")
    assert (found["unit_amount_decimal"], found["recurring"]["usage_type"]) == ("0.0005", "metered")


def test_tiers_keep_their_bounds() -> None:
    tiers = [{"up_to": "1000", "unit_price": "0"}, {"unit_price": "0.01", "flat_fee": "5"}]
    found = words("graduated", tiers=tiers)
    assert found["tiers_mode"] == "graduated"
    assert found["tiers"] == [
        {"up_to": 1000, "unit_amount_decimal": "0"},
        {"up_to": "inf", "unit_amount_decimal": "1", "flat_amount_decimal": "500"},
    ]


def test_free_units_are_a_tier_of_their_own() -> None:
    found = words("per_unit", unit_price="0.01", free_units="100")
    assert [each["up_to"] for each in found["tiers"]] == [100, "inf"]
    assert [each["unit_amount_decimal"] for each in found["tiers"]] == ["0", "1"]


def test_packages_are_rounded_up() -> None:
    found = words("package", package_size="1000", package_price="2")
    assert found["transform_quantity"] == {"divide_by": 1000, "round": "up"}
    assert found["unit_amount_decimal"] == "200"


def test_a_quarter_is_three_months() -> None:
    found = translated("standard", BillingPeriod(PeriodUnit.QUARTER, 1), price("per_unit", unit_price="1"))
    assert (found.params["recurring"]["interval"], found.params["recurring"]["interval_count"]) == ("month", 3)


def test_another_price_has_another_key() -> None:
    one, other = (translated("standard", MONTHLY, price("per_unit", unit_price=each)) for each in ("1", "2"))
    assert one.lookup_key != other.lookup_key
    assert one.lookup_key.startswith("tallystick:standard:tokens:")


@pytest.mark.parametrize(
    ("model", "parameters", "why"),
    [
        ("per_unit", {"unit_price": "1", "minimum": "5"}, "minimum"),
        ("per_unit", {"unit_price": "1", "where": {"region": ["eu"]}}, "filters"),
        ("per_unit", {"unit_price": "1", "discounts": [{"percent": "5"}]}, "discounts"),
        ("per_unit", {"unit_price": "0.000000000000001"}, "12 decimals"),
        ("graduated", {"tiers": [{"up_to": "1.5", "unit_price": "1"}, {"unit_price": "2"}]}, "whole number"),
        ("volume", {"tiers": [{"unit_price": "1"}], "free_units": "5"}, "free units"),
        ("flat", {"amount": "5"}, "price model flat"),
    ],
)
def test_what_stripe_has_no_words_for_is_said(model: str, parameters: dict[str, Any], why: str) -> None:
    with pytest.raises(CannotTranslate, match=why):
        words(model, **parameters)
