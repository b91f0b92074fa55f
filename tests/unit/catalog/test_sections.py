"""What the sections of a file come to."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.catalog.loading import parse
from tallystick.catalog.models import Anchor, BillingPeriod, Defaults, PeriodUnit
from tallystick.metering.definitions import definition_from_json, definition_to_json
from tallystick.metering.models import Aggregation, Level, MetricDefinition
from tests.unit.catalog.files import METRICS, definition, price_of, prices


def test_a_metric_has_the_defaults_that_are_documented():
    assert definition() == MetricDefinition("m", Aggregation.SUM, "u", event_name="e")


def test_a_metric_may_match_by_type_alone():
    metric = definition(event="", event_type="login", aggregation="count")
    assert (metric.event_name, metric.event_type) == (None, "login")


@pytest.mark.parametrize(
    ("aggregation", "written", "value"),
    [
        ("sum", "quantity", "quantity"),
        ("sum", "metadata.bytes", "bytes"),
        ("sum", "metadata.usage.input_tokens", "usage.input_tokens"),
        ("sum", "metadata.quantity", "metadata.quantity"),
        ("sum", "metadata.metadata.x", "metadata.metadata.x"),
        ("unique_count", "user_id", "user_id"),
        ("unique_count", "event_name", "event_name"),
        ("unique_count", "metadata.user_id", "metadata.user_id"),
        ("unique_count", "metadata.session", "session"),
    ],
)
def test_a_value_is_a_field_of_the_event_or_a_metadata_path(aggregation, written, value):
    assert definition(aggregation=aggregation, value=written).value == value


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("200", ("200",)),
        ('"200"', ("200",)),
        ("1.10", ("1.10",)),
        ("1e3", ("1000",)),
        ("0x10", ("16",)),
        ("true", ("true",)),
        ("TRUE", ("true",)),
        ("on", ("on",)),
        ("[b, a, b]", ("a", "b")),
        ("[200, 404, eu]", ("200", "404", "eu")),
    ],
)
def test_a_filter_compares_text(written, texts):
    assert definition(filters=f"{{metadata.status: {written}}}").filters == {"status": texts}


def test_dimensions_keep_their_order_and_may_be_fields_of_the_event():
    assert definition(dimensions="[region, metadata.a.b, user_id]").dimensions == ("region", "a.b", "user_id")


def test_the_unit_of_a_time_weighted_metric_is_level_times_time():
    metric = definition(aggregation="time_weighted", value_unit="GB", per="day", level="delta", unit="")
    assert (metric.unit, metric.value_unit, metric.per, metric.level) == ("GB-day", "GB", 86_400, Level.DELTA)
    assert definition(aggregation="time_weighted", value_unit="GB", unit="GBh").unit == "GBh"


def test_a_percentile_is_exact():
    metric = definition(aggregation="percentile", percentile="99.9", slot="15m")
    assert (metric.percentile, metric.slot) == (Decimal("99.9"), 900)
    assert definition(aggregation="percentile").percentile == 95
    assert definition(aggregation="percentile").slot is None


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("", BillingPeriod(PeriodUnit.MONTH, 1)),
        ("period: quarter", BillingPeriod(PeriodUnit.QUARTER, 1)),
        ("period: {every: 2, unit: week}", BillingPeriod(PeriodUnit.WEEK, 2)),
        ("period: {unit: year}", BillingPeriod(PeriodUnit.YEAR, 1)),
    ],
)
def test_a_plan_is_billed_by_the_month_unless_it_says_otherwise(period, expected):
    assert parse(f"{METRICS}plans: {{p: {{{period}}}}}").plans["p"].period == expected


def test_a_plan_may_have_a_currency_of_its_own():
    plans = parse(f"{METRICS}plans: {{p: {{}}, q: {{currency: JPY}}}}").plans
    assert (plans["p"].currency, plans["q"].currency) == ("USD", "JPY")


def test_a_price_is_exact_and_quotes_do_not_matter():
    written = price_of("{metric: api_calls, model: per_unit, unit_price: 0.1, maximum: 1e2}")
    quoted = price_of('{metric: api_calls, model: per_unit, unit_price: "0.10", maximum: "100"}')
    assert written == quoted
    assert written.tiers[0].unit_price == Decimal("0.1")


def test_the_last_tier_may_be_written_open():
    tiers = "[{up_to: 5, unit_price: 1}, {from: 5, up_to: %s, unit_price: 2}]"
    shapes = [price_of(f"{{metric: api_calls, model: volume, tiers: {tiers % text}}}") for text in ("~", "inf", ".inf")]
    assert shapes[0] == shapes[1] == shapes[2]
    assert [(tier.start, tier.end) for tier in shapes[0].tiers] == [(0, 5), (5, None)]


def test_several_prices_of_a_metric_are_its_history():
    one = "metric: api_calls, model: per_unit"
    source = prices(f"{{{one}, unit_price: 1}}", f"{{{one}, unit_price: 2, effective_from: 2026-03-01T00:00:00+01:00}}")
    assert [entry.effective_from for entry in parse(source).plans["standard"].prices] == [
        None,
        datetime(2026, 2, 28, 23, tzinfo=UTC),
    ]


def test_a_team_says_what_it_wants_and_leaves_the_rest():
    source = f"""{METRICS}plans: {{p: {{}}}}
teams:
  acme: {{name: Acme, time_zone: Asia/Kathmandu, plan: p, start: 2026-01-01,
         end: 2026-06-01T00:00:00Z, anchor: anniversary}}
  404: {{}}
  on: {{plan: p}}
defaults: {{plan: p}}
"""
    catalogue = parse(source)
    acme, bare = catalogue.teams["acme"], catalogue.teams["404"]
    assert (acme.name, acme.time_zone, acme.plan) == ("Acme", "Asia/Kathmandu", "p")
    assert (acme.start, acme.end) == (date(2026, 1, 1), datetime(2026, 6, 1, tzinfo=UTC))
    assert acme.anchor is Anchor.ANNIVERSARY
    assert (bare.name, bare.time_zone, bare.plan, bare.start) == (None, None, None, None)
    assert catalogue.teams["on"].anchor is Anchor.CALENDAR
    assert catalogue.defaults == Defaults("p", "UTC")


TEXTS = st.text(min_size=1, max_size=5)
DEFINITIONS = st.builds(
    MetricDefinition,
    name=TEXTS,
    aggregation=st.sampled_from(Aggregation),
    unit=TEXTS,
    event_name=st.none() | TEXTS,
    event_type=st.none() | TEXTS,
    filters=st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1).map(tuple), max_size=3),
    value=TEXTS,
    dimensions=st.lists(TEXTS, max_size=8).map(tuple),
    allow_negative=st.booleans(),
    value_unit=st.none() | TEXTS,
    per=st.sampled_from([1, 60, 3600, 86_400]),
    level=st.sampled_from(Level),
    percentile=st.decimals("0.000001", 100, places=6),
    slot=st.none() | st.sampled_from([30, 300, 3600]),
)


@given(DEFINITIONS)
def test_a_definition_comes_back_from_json_as_it_went_in(metric):
    assert definition_from_json(definition_to_json(metric)) == metric


@given(DEFINITIONS)
def test_a_stored_definition_holds_no_float(metric):
    assert not any(isinstance(value, float | Decimal) for value in definition_to_json(metric).values())
