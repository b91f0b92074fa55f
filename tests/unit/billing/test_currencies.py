"""Exchange rates: which one answers, how it is made, and what becomes of an amount. No database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.billing.currencies.history import EcbHistory
from tallystick.billing.currencies.models import NoExchangeRate, Pair, Quote, Rate, rate_day
from tallystick.billing.currencies.rates import Rates, Table
from tallystick.billing.currencies.uploads import parse_table
from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, minor_unit, round_money

FRIDAY, SATURDAY, MONDAY = date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 30)
HISTORY = EcbHistory(
    [
        "Date,USD,JPY,KWD,ISK,EEK,",
        "2026-03-30,1.1250,160.00,0.3400,N/A,N/A,",
        "2026-03-27,1.25,125,0.3125,142.5,N/A,",
        "2010-12-31,1.3362,108.65,N/A,N/A,15.6466,",
    ]
)


def rates(*own, newer=()):
    """The history above with uploaded rates, each as (day, pair, rate)."""
    held = Rates(HISTORY)
    for table, lines, source in ((held.own, own, "bank"), (held.newer, newer, "ecb")):
        for day, pair, value in lines:
            table.add(Quote(day, Pair.parse(pair), Decimal(value), source))
    return held


# --- Which rate answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("EUR/USD", "1.25"),  # as published
        ("USD/EUR", "0.8"),  # its inverse
        ("USD/JPY", "100"),  # 125 ÷ 1.25
        ("JPY/KWD", "0.0025"),
        ("KWD/EUR", "3.2"),
    ],
)
def test_a_rate_is_the_published_one_its_inverse_or_two_by_way_of_the_euro(pair, value):
    assert rates().rate(*Pair.parse(pair), FRIDAY) == Rate(*Pair.parse(pair), Decimal(value), FRIDAY, "ecb")


def test_a_weekend_has_friday_s_rate_and_says_so():
    for day in (SATURDAY, SATURDAY + timedelta(days=1)):
        assert rates().rate("EUR", "USD", day) == Rate("EUR", "USD", Decimal("1.25"), FRIDAY, "ecb")
    assert rates().rate("EUR", "USD", MONDAY).value == Decimal("1.1250")


def test_both_legs_of_a_cross_rate_are_of_one_day():
    assert rates().rate("USD", "JPY", MONDAY).day == MONDAY
    assert rates().rate("USD", "ISK", MONDAY) == Rate("USD", "ISK", Decimal(114), FRIDAY, "ecb")  # 142.5 ÷ 1.25


def test_a_rate_may_be_seven_days_old_and_no_older():
    assert rates().rate("EUR", "USD", MONDAY + timedelta(days=7)).day == MONDAY
    assert rates().find("EUR", "USD", MONDAY + timedelta(days=8)) is None


def test_what_is_not_settled_yet_is_estimated_at_the_last_rate_there_was():
    later = MONDAY + timedelta(days=100)

    assert rates().estimate("EUR", "USD", later) == Rate("EUR", "USD", Decimal("1.1250"), MONDAY, "ecb")
    assert rates().estimate("EUR", "ISK", later).day == FRIDAY
    with pytest.raises(NoExchangeRate):
        rates().estimate("EUR", "USD", MONDAY + timedelta(days=400))


@pytest.mark.parametrize(
    ("pair", "day", "gap"),
    [
        ("USD/JPY", date(2026, 4, 7), "no exchange rate USD/JPY for 2026-04-07: the last one of the European Central "
         "Bank for USD that is installed is of 2026-03-30"),
        ("EUR/ISK", date(2026, 4, 6), "for ISK that is installed is of 2026-03-27"),
        ("EUR/USD", date(2001, 1, 1), "has none for USD so early"),
        ("USD/COP", MONDAY, "the European Central Bank publishes none for COP"),
    ],
)  # fmt: skip
def test_the_error_names_the_gap(pair, day, gap):
    with pytest.raises(NoExchangeRate, match=gap):
        rates().rate(*Pair.parse(pair), day)


def test_a_contract_comes_before_everything_and_holds_in_both_directions():
    held, pinned = rates((FRIDAY, "USD/EUR", "0.85")), {"USD/EUR": Decimal("0.9")}

    assert held.rate("USD", "EUR", date(1999, 1, 1), pinned) == Rate(
        "USD", "EUR", Decimal("0.9"), date(1999, 1, 1), "contract"
    )
    assert held.rate("EUR", "USD", FRIDAY, pinned).value == Decimal("1.111111111111111111111111111")


def test_an_uploaded_table_answers_for_its_pairs_from_its_first_day_on():
    held = rates((FRIDAY, "USD/EUR", "0.85"))

    assert held.rate("USD", "EUR", MONDAY) == Rate("USD", "EUR", Decimal("0.85"), FRIDAY, "bank")
    assert held.rate("EUR", "USD", MONDAY).value == Decimal("1.176470588235294117647058824")
    assert held.find("USD", "EUR", FRIDAY - timedelta(days=1)) is None  # before it, ECB: none in this history
    assert held.rate("EUR", "JPY", MONDAY).source == "ecb"


def test_a_gap_in_an_uploaded_table_is_an_error_and_not_another_source_s_rate():
    held = rates((date(2026, 3, 1), "EUR/USD", "1.2"))

    with pytest.raises(NoExchangeRate, match="the uploaded table, which answers for the pair"):
        held.rate("USD", "EUR", MONDAY)
    with pytest.raises(NoExchangeRate, match="the uploaded table, which answers for EUR/USD"):
        held.rate("USD", "JPY", MONDAY)


def test_a_currency_that_the_bank_does_not_publish_is_crossed_with_an_uploaded_leg():
    held = rates((FRIDAY, "EUR/COP", "4500"))

    assert held.rate("USD", "COP", FRIDAY) == Rate("USD", "COP", Decimal(3600), FRIDAY, "ecb, bank")
    assert held.rate("COP", "USD", FRIDAY).source == "bank, ecb"
    assert held.find("USD", "COP", MONDAY).day == FRIDAY  # the last day with both


def test_newer_rates_of_the_bank_go_on_where_the_history_ends():
    newer = date(2026, 4, 20)
    held = rates(newer=[(newer, "EUR/USD", "1.1"), (newer, "EUR/JPY", "165")])

    assert held.rate("USD", "JPY", newer) == Rate("USD", "JPY", Decimal(150), newer, "ecb")
    assert held.rate("USD", "JPY", MONDAY).day == MONDAY


def test_a_currency_is_worth_itself():
    conversion = rates().convert(Decimal("12.34"), "USD", "USD", date(1990, 1, 1))
    assert (conversion.converted, conversion.rate, conversion.source) == (Decimal("12.34"), 1, "identity")


def test_the_day_of_a_period_is_the_last_one_that_it_touches_in_the_team_s_zone():
    new_york = ZoneInfo("America/New_York")
    assert rate_day(datetime(2026, 4, 1, tzinfo=new_york), new_york) == date(2026, 3, 31)
    assert rate_day(datetime(2026, 4, 1, 1, tzinfo=UTC), ZoneInfo("UTC")) == date(2026, 4, 1)


# --- Amounts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "pair", "converted"),
    [
        ("100.01", "EUR/JPY", "12501"),  # 12,501.25: yen have no decimals
        ("0.02", "EUR/JPY", "3"),  # 2.5, half away from zero
        ("-0.02", "EUR/JPY", "-3"),
        ("1.00", "EUR/KWD", "0.313"),  # 0.3125: dinars have three
        ("12345.67", "USD/EUR", "9876.54"),  # 9,876.536
    ],
)
def test_an_amount_is_rounded_once_to_the_decimals_of_the_currency_it_becomes(amount, pair, converted):
    conversion = rates().convert(Decimal(amount), *Pair.parse(pair), FRIDAY)
    assert str(conversion.converted) == converted
    assert conversion.original == Decimal(amount)


def test_what_stands_on_a_bill_can_be_multiplied_by_hand():
    conversion = rates().convert(Decimal("1234567.89"), "JPY", "USD", MONDAY)
    assert round_money(EXACT.multiply(conversion.original, conversion.rate), "USD") == conversion.converted
    assert len(conversion.rate.as_tuple().digits) <= 28


SHIPPED = EcbHistory.shipped()
CURRENCIES = ["EUR", "USD", "GBP", "JPY", "IDR", "KRW", "CHF", "INR", "ISK", "MXN", "ZAR"]


@given(
    minor=st.integers(-(10**17), 10**17),
    base=st.sampled_from(CURRENCIES),
    quote=st.sampled_from(CURRENCIES),
    day=st.dates(date(2020, 1, 7), date(2026, 6, 30)),
)
def test_there_and_back_is_within_one_minor_unit_of_the_coarser_currency(minor, base, quote, day):
    held = Rates(SHIPPED)
    amount = EXACT.multiply(Decimal(minor), minor_unit(base))

    there = held.convert(amount, base, quote, day)
    back = held.convert(there.converted, quote, base, day)

    coarser = max(minor_unit(base), EXACT.multiply(minor_unit(quote), back.rate))
    assert abs(back.converted - amount) <= coarser


@given(value=st.decimals("0.000001", "1000000", places=6), minor=st.integers(-(10**12), 10**12))
def test_there_and_back_holds_for_any_rate_that_somebody_pins(value, minor):
    pinned = {"USD/JPY": value}
    there = rates().convert(Decimal(minor).scaleb(-2), "USD", "JPY", FRIDAY, pinned)
    back = rates().convert(there.converted, "JPY", "USD", FRIDAY, pinned)

    assert abs(back.converted - there.original) <= max(Decimal("0.01"), back.rate)


# --- The history that is installed -----------------------------------------------------------------


def test_the_installed_history_has_the_rates_as_they_were_published():
    history = EcbHistory.shipped()

    assert history.rate("USD", date(1999, 1, 4)) == Decimal("1.1789")
    assert str(history.rate("JPY", date(1999, 1, 4))) == "133.73"
    assert history.rate("USD", date(2024, 5, 1)) is None  # Labour Day
    assert history.days[0] == date(1999, 1, 4)
    assert len(history.days) > 7000


def test_a_rate_is_read_as_text_and_never_a_float():
    assert str(Rates(EcbHistory.shipped()).rate("EUR", "USD", date(2014, 3, 28)).value) == "1.3759"


# --- Uploaded tables -------------------------------------------------------------------------------


def test_a_table_has_a_rate_a_line_with_its_columns_in_any_order():
    [quote] = parse_table("\ufeffrate,note,quote,base,date\n0.90120,mean,eur,USD,2026-03-31\n", "bank")
    assert quote == Quote(date(2026, 3, 31), Pair("USD", "EUR"), Decimal("0.90120"), "bank")


def test_the_bank_s_own_shapes_are_read_without_the_currencies_that_are_no_more():
    text = "Date,USD,EEK,ISK,\n2026-03-31,1.1096,15.6466,N/A,\n"
    assert parse_table(text, "ecb") == [Quote(date(2026, 3, 31), Pair("EUR", "USD"), Decimal("1.1096"), "ecb")]
    assert parse_table("Date, USD, JPY, \n31 March 2026, 1.1, 163, \n", "ecb")[0].day == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: a table of rates begins with its columns"),
        ("date,base,quote,rate\n", "the table has no rate"),
        ("date,base,quote,rate\n31.3.2026,USD,EUR,1", "line 2: '31.3.2026' is not a date such as 2026-03-31"),
        ("date,base,quote,rate\n2026-03-31,USD,EUR", "line 2: 3 values are too few"),
        ("date,base,quote,rate\n2026-03-31,USD,XXB,1", "line 2: 'XXB' is not a currency"),
        ("date,base,quote,rate\n2026-03-31,USD,USD,1", "line 2: 'USD/USD' has the same currency twice"),
        ("date,base,quote,rate\n2026-03-31,USD,EUR,0", "line 2: a rate must be above 0"),
        ("date,base,quote,rate\n2026-03-31,USD,EUR,nan", "line 2: 'nan' is not a finite number"),
        ("date,base,quote,rate\n\n2026-03-31,USD,EUR,1\n2026-03-31,EUR,USD,1", "two rates of EUR/USD for 2026-03-31"),
        ("Date,USD\n2026-03-31,-1", "line 2: a rate must be above 0"),
    ],
)
def test_a_table_is_refused_with_the_line_that_does_not_fit(text, problem):
    with pytest.raises(InvalidInput, match=problem):
        parse_table(text, "bank")


@pytest.mark.parametrize("name", ["", "contract", "identity", "a,b", "a\nb", " a", "x" * 65])
def test_a_table_can_not_be_called_anything(name):
    with pytest.raises(InvalidInput, match="a table's name"):
        parse_table("date,base,quote,rate\n2026-03-31,USD,EUR,1", name)


def test_only_rates_of_the_euro_go_on_the_bank_s_history():
    with pytest.raises(InvalidInput, match="the table ecb has rates of the euro alone, not USD/CHF"):
        parse_table("date,base,quote,rate\n2026-03-31,USD,CHF,1", "ecb")


def test_of_two_lines_about_one_day_the_later_holds_in_both_directions():
    table = Table()
    table.add(Quote(FRIDAY, Pair("USD", "EUR"), Decimal("0.8"), "bank"))
    table.add(Quote(FRIDAY, Pair("EUR", "USD"), Decimal(2), "bank"))
    held = Rates(HISTORY, own=table)
    assert held.rate("USD", "EUR", FRIDAY).value == Decimal("0.5")
