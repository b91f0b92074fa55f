"""Amounts in Stripe's minor units: its own exponents, and lines that add up to the rounded total."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.integrations.stripe.amounts import exponent, from_minor_units, in_minor_units, step

CURRENCIES = ["USD", "EUR", "JPY", "KRW", "MGA", "KWD", "TND", "ISK", "UGX", "HUF", "TWD"]
AMOUNTS = st.lists(st.decimals(-100_000, 100_000, places=4), max_size=30)


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("10.99", "USD", 1099),
        ("1099", "JPY", 1099),
        ("10", "MGA", 10),  # two decimals by ISO 4217
        ("10.994", "KWD", 10_990),  # three, and the last is zero
        ("7", "ISK", 700),  # none by ISO 4217; two here, which are zero
        ("7", "UGX", 700),
        ("10.99", "HUF", 1099),
        ("-0.5", "usd", -50),
    ],
)
def test_a_currency_has_stripes_decimals(amount: str, currency: str, units: int) -> None:
    assert in_minor_units([Decimal(amount)], currency) == [units]


@given(AMOUNTS, st.sampled_from(CURRENCIES))
def test_lines_add_up_to_the_rounded_total_each_within_a_unit(amounts: list[Decimal], currency: str) -> None:
    units, size = in_minor_units(amounts, currency), step(currency)
    unit = Decimal(size).scaleb(-exponent(currency))
    total = (sum(amounts, Decimal(0)) / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * size
    assert sum(units) == total
    assert all(each % size == 0 for each in units)
    for amount, each in zip(amounts, units, strict=True):
        assert abs(from_minor_units(each, currency) - amount) < unit


def test_what_is_exact_stays_as_it_is() -> None:
    assert in_minor_units([Decimal("0.10"), Decimal("-0.03"), Decimal("12.34")], "EUR") == [10, -3, 1234]


@pytest.mark.parametrize("currency", ["LYD", "IQD", "XXX"])
def test_a_currency_that_stripe_does_not_bill_in_is_refused(currency: str) -> None:
    with pytest.raises(InvalidInput):
        in_minor_units([Decimal(1)], currency)


def test_an_amount_that_no_invoice_can_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="above"):
        in_minor_units([Decimal(10) ** 10], "USD")
