"""Unit conversion by itself: exact, and rounded from the exact value."""

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.pricing import Conversion
from tallystick.pricing.conversion import Rounding
from tallystick.pricing.units import UNITS, Kind

numbers = st.decimals(-(10**19), 10**19, allow_nan=False, allow_infinity=False, places=18)
factors = st.decimals(Decimal("0.000001"), 10**6, allow_nan=False, places=6)


@pytest.mark.parametrize(
    ("source", "target", "quantity", "expected"),
    [
        ("bytes", "GB", "1500000000", "1.5"),
        ("byte", "GiB", "1073741824", "1"),
        ("TiB", "GiB", "2.5", "2560"),
        ("GB", "bits", "1", "8000000000"),
        ("seconds", "hours", "5400", "1.5"),
        ("milliseconds", "seconds", "1", "0.001"),
        ("days", "minutes", "1", "1440"),
        ("units", "million", "1500000", "1.5"),
        ("GB-hours", "MiB-seconds", "1", "3433227.5390625"),
        ("GiB-days", "GiB-hours", "2", "48"),
        ("GB-hours", "TB-days", "24000", "1"),
        ("EB-days", "GB-hours", "1", "24000000000"),
    ],
)
def test_units_are_known_by_name(source, target, quantity, expected):
    assert Conversion.between(source, target).convert(Decimal(quantity)) == Decimal(expected)


@pytest.mark.parametrize(
    ("source", "target", "field"),
    [
        ("bytes", "seconds", "conversion.to"),
        ("GB-hours", "GB", "conversion.to"),
        ("months", "days", "conversion.from"),
        ("mb", "GB", "conversion.from"),
        ("", "GB", "conversion.from"),
    ],
)
def test_units_that_are_not_known_or_do_not_fit_are_refused(source, target, field):
    with pytest.raises(InvalidInput) as refused:
        Conversion.between(source, target)

    assert refused.value.field == field


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.integers(1, 10**12).map(Decimal))
def test_there_and_back_is_where_it_began(source, target, quantity):
    if UNITS[source].kind is not UNITS[target].kind:
        return

    there = Conversion.between(source, target).convert(quantity)
    back = Conversion.between(target, source).convert(there)

    assert abs(back - quantity) < Decimal("1e-60")


def test_there_are_units_of_every_kind():
    assert {unit.kind for unit in UNITS.values()} == set(Kind)


@given(numbers, factors, factors, st.sampled_from([Rounding.UP, Rounding.DOWN, Rounding.NEAREST]), st.integers(0, 6))
def test_rounding_is_of_the_exact_quotient(quantity, by, over, rounding, decimals):
    exact = Fraction(quantity) * Fraction(by) / Fraction(over)
    unit = Fraction(1, 10**decimals)

    rounded = Fraction(Conversion(by, over, rounding, decimals).convert(quantity))

    assert (rounded / unit).denominator == 1
    if rounding is Rounding.UP:
        assert 0 <= rounded - exact < unit
    elif rounding is Rounding.DOWN:
        assert 0 <= exact - rounded < unit
    else:
        assert abs(rounded - exact) <= unit / 2
        if abs(rounded - exact) == unit / 2:
            assert abs(rounded) > abs(exact)


@given(numbers, factors, factors)
def test_a_quotient_is_kept_to_a_hundred_digits(quantity, by, over):
    wide = Context(prec=300)
    exact = wide.divide(wide.multiply(quantity, by), over)

    converted = Conversion(by, over).convert(quantity)

    assert abs(wide.subtract(converted, exact)) <= wide.multiply(abs(exact), Decimal("1e-99"))
