"""What a file may get wrong, and what it is told."""

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tallystick.catalog.errors import CatalogueError
from tallystick.catalog.loading import defaults_of, load, parse
from tallystick.catalog.models import Defaults
from tallystick.pricing import MODELS
from tests.unit.catalog.files import METRICS, metric, prices, problems_of

PER_UNIT = "model: per_unit, unit_price: 1"

TOP = [
    ("[]", "f.yaml:1:1: must be a mapping of keys to values"),
    ("metrics: {}", "f.yaml:1: version: is required: write version: 1"),
    ("version: 2", "f.yaml:1: version: must be 1, the only version there is, not 2"),
    (
        "version: 1\nbogus: USD",
        "f.yaml:2: bogus: is not known here; allowed: billing, currency, defaults, metrics, plans, teams, version",
    ),
    ("version: 1\nmetric: {}", "f.yaml:2: metric: is not known here; did you mean 'metrics'?"),
    ("version: 1\nmetrics: 5", "f.yaml:2: metrics: must be a mapping of keys to values"),
    (
        "version: 1\ncurrency: usd",
        "f.yaml:2: currency: 'usd' is not a currency; use an ISO 4217 code such as USD, EUR or JPY",
    ),
    ("version: 1\ncurrency: XAU", "f.yaml:2: currency: 'XAU' has no minor unit in ISO 4217 and can't be billed"),
]

METRIC = [
    (
        metric(aggregation="summ"),
        "f.yaml:5: metrics.m.aggregation: must be one of sum, count, max, min, "
        "average, latest, unique_count, time_weighted, percentile, not 'summ'",
    ),
    (metric(aggregation=""), "f.yaml:4: metrics.m.aggregation: is required"),
    (metric(event=""), "f.yaml:4: metrics.m: needs event or event_type: which events it counts"),
    (metric(unit=""), "f.yaml:4: metrics.m.unit: is required: what one unit of usage is called, such as call or token"),
    (metric(unit="5"), 'f.yaml:6: metrics.m.unit: must be text; put it in quotes: "5"'),
    (metric(agregation="sum"), "f.yaml:7: metrics.m.agregation: is not known here; did you mean 'aggregation'?"),
    (metric(event='"a\\0b"'), "f.yaml:4: metrics.m.event: must not hold control characters"),
    (metric(event="é" * 128), "f.yaml:4: metrics.m.event: must have 1 to 255 bytes, not 256"),
    (
        metric(value="bytes"),
        "f.yaml:7: metrics.m.value: must be one of quantity, a metadata path such as "
        "metadata.bytes, not 'bytes'; did you mean metadata.bytes?",
    ),
    (
        metric(value="metadata.a..b"),
        "f.yaml:7: metrics.m.value: 'metadata.a..b' is not a metadata path such as region or usage.input_tokens",
    ),
    (
        metric(aggregation="count", value="quantity"),
        "f.yaml:7: metrics.m.value: has no meaning for count, which counts events",
    ),
    (
        metric(aggregation="unique_count"),
        "f.yaml:4: metrics.m.value: is required: what is told apart: user_id, or a "
        "metadata path such as metadata.session",
    ),
    (
        metric(aggregation="unique_count", value="quantity"),
        "f.yaml:7: metrics.m.value: must be one of user_id, event_name, event_type, a "
        "metadata path such as metadata.bytes, not 'quantity'",
    ),
    (
        metric(aggregation="count", allow_negative="true"),
        "f.yaml:7: metrics.m.allow_negative: has no meaning for count, which looks at no amount",
    ),
    (metric(allow_negative="on"), "f.yaml:7: metrics.m.allow_negative: must be true or false"),
    (metric(percentile="95"), "f.yaml:7: metrics.m.percentile: is only for aggregation percentile, not sum"),
    (metric(per="hour"), "f.yaml:7: metrics.m.per: is only for aggregation time_weighted, not sum"),
    (
        metric(aggregation="percentile", percentile="0"),
        "f.yaml:7: metrics.m.percentile: must be above 0 and at most 100, not 0",
    ),
    (
        metric(aggregation="percentile", percentile="100.5"),
        "f.yaml:7: metrics.m.percentile: must be above 0 and at most 100, not 100.5",
    ),
    (metric(aggregation="percentile", percentile=".nan"), "f.yaml:7: metrics.m.percentile: must be a finite number"),
    (
        metric(aggregation="percentile", slot="7m"),
        "f.yaml:7: metrics.m.slot: must divide an hour, such as 30s, 5m, 15m or 1h, not '7m'",
    ),
    (
        metric(aggregation="percentile", slot="2h"),
        "f.yaml:7: metrics.m.slot: must divide an hour, such as 30s, 5m, 15m or 1h, not '2h'",
    ),
    (
        metric(aggregation="time_weighted"),
        "f.yaml:4: metrics.m.value_unit: is required: the unit of the level, such as GB",
    ),
    (
        metric(aggregation="time_weighted", value_unit="GB", per="week"),
        "f.yaml:8: metrics.m.per: must be one of second, minute, hour, day, not 'week'",
    ),
    (
        metric(aggregation="time_weighted", value_unit="GB", level="relative"),
        "f.yaml:8: metrics.m.level: must be one of absolute, delta, not 'relative'",
    ),
    (metric(dimensions="[a, b, c, d, e, f, g, h, i]"), "f.yaml:7: metrics.m.dimensions: must be at most 8, not 9"),
    (metric(dimensions="[a, b, metadata.a]"), "f.yaml:7: metrics.m.dimensions: a is there twice"),
    (metric(dimensions="region"), "f.yaml:7: metrics.m.dimensions: must be a list"),
    (
        metric(dimensions="[unit]"),
        "f.yaml:7: metrics.m.dimensions[0]: the event's own unit can't be used here; a metadata key is metadata.unit",
    ),
    (metric(filters="{status: []}"), "f.yaml:7: metrics.m.filters.status: must name at least one value"),
    (
        metric(filters="{status: ~}"),
        "f.yaml:7: metrics.m.filters.status: null can't be matched; name the values that count",
    ),
    (metric(filters="{a: 1, metadata.a: 2}"), "f.yaml:7: metrics.m.filters.metadata.a: a is filtered already"),
    (
        metric(effective_from="2026-03-01"),
        "f.yaml:7: metrics.m.effective_from: '2026-03-01' has no offset; write 2026-03-01T00:00:00Z or …+02:00",
    ),
    (
        metric(effective_from="soon"),
        "f.yaml:7: metrics.m.effective_from: 'soon' is not an RFC 3339 instant such as 2026-03-01T00:00:00Z",
    ),
    (
        metric(effective_from='"0001-01-01T00:00:00+14:00"'),
        "f.yaml:7: metrics.m.effective_from: '0001-01-01T00:00:00+14:00' is not in the calendar",
    ),
    (
        "version: 1\nmetrics:\n  API: {event: e, aggregation: count, unit: u}",
        "f.yaml:3: metrics.API: must be made of a to z, 0 to 9 and _ . -",
    ),
    (
        f"version: 1\nmetrics:\n  {'m' * 65}: {{event: e, aggregation: count, unit: u}}",
        f"f.yaml:3: metrics.{'m' * 65}: must have at most 64 characters, not 65",
    ),
]

GRADUATED = "metric: api_calls, model: graduated"

PRICE = [
    (
        f"{{{GRADUATED}, tiers: [{{up_to: 10000, unit_price: 0}}, {{up_to: 9000, unit_price: 1}}, {{unit_price: 1}}]}}",
        "tiers[1].up_to: must be above 10000, the bound before it",
    ),
    (f"{{{GRADUATED}, tiers: [{{up_to: 0, unit_price: 0}}, {{unit_price: 1}}]}}", "tiers[0].up_to: must be above 0"),
    (
        f"{{{GRADUATED}, tiers: [{{up_to: 5, unit_price: 0}}, {{from: 6, unit_price: 1}}]}}",
        "tiers[1].from: leaves a gap: must be 5, the bound before it",
    ),
    (
        f"{{{GRADUATED}, tiers: [{{up_to: 5, unit_price: 0}}, {{from: 4, unit_price: 1}}]}}",
        "tiers[1].from: overlaps the tier before it: must be 5, the bound before it",
    ),
    (f"{{{GRADUATED}, tiers: [{{from: 1, unit_price: 1}}]}}", "tiers[0].from: leaves a gap: must be 0"),
    (
        f"{{{GRADUATED}, tiers: [{{unit_price: 0}}, {{unit_price: 1}}]}}",
        "tiers[0].up_to: is required: only the last tier has no upper bound",
    ),
    (
        f"{{{GRADUATED}, tiers: [{{up_to: inf, unit_price: 0}}, {{unit_price: 1}}]}}",
        "tiers[0].up_to: must be a number: only the last tier has no upper bound",
    ),
    (
        f"{{{GRADUATED}, tiers: [{{up_to: 5, unit_price: 0}}]}}",
        "tiers[0].up_to: must be left out: usage above 5 would have no price",
    ),
    (
        f"{{{GRADUATED}, tiers: [{{unit_prise: 0, flat_fee: 1}}]}}",
        "tiers[0].unit_prise: is not known here; did you mean 'unit_price'?",
    ),
    (
        "{metric: api_call, model: per_unit, unit_price: 1}",
        "metric: no metric is named 'api_call'; did you mean 'api_calls'?",
    ),
    (
        "{metric: api_calls, model: graduate, unit_price: 1}",
        "model: no price model is named 'graduate'; did you mean 'graduated'?",
    ),
    ("{metric: api_calls, model: package, package_price: 1}", "package_size: is required"),
    (
        f"{{metric: api_calls, {PER_UNIT}, currency: EUR}}",
        "currency: must be USD, the currency of the plan; another currency needs another plan",
    ),
    (
        f"{{metric: api_calls, {PER_UNIT}, effective_to: x}}",
        "effective_to: 'x' is not an RFC 3339 instant such as 2026-03-01T00:00:00Z",
    ),
    (
        f"{{metric: api_calls, {PER_UNIT}, effective_form: x}}",
        "effective_form: is not known here; did you mean 'effective_from'?",
    ),
    ("5", "must be a mapping of keys to values"),
]

REST = [
    (
        f"{METRICS}plans: {{p: {{currency: USX}}}}",
        "f.yaml:6: plans.p.currency: 'USX' is not a currency; use an ISO 4217 code such as USD, EUR or JPY",
    ),
    (
        "version: 1\nplans:\n  p:\n    period: month",
        "f.yaml:4: plans.p.currency: is required here or at the top of the file, such as USD",
    ),
    (
        f"{METRICS}plans: {{p: {{period: fortnight}}}}",
        "f.yaml:6: plans.p.period: must be one of day, week, month, quarter, year, not 'fortnight'",
    ),
    (
        f"{METRICS}plans: {{p: {{period: {{every: 1.5, unit: week}}}}}}",
        "f.yaml:6: plans.p.period.every: must be a whole number from 1 to 1000, not 1.5",
    ),
    (f"{METRICS}plans: {{p: {{period: {{every: 2}}}}}}", "f.yaml:6: plans.p.period.unit: is required"),
    (
        f"{METRICS}plans: {{p: {{}}}}\nteams: {{t: {{plan: q}}}}",
        "f.yaml:7: teams.t.plan: no plan is named 'q'; allowed: p",
    ),
    (f"{METRICS}teams: {{t: {{plan: q}}}}", "f.yaml:6: teams.t.plan: no plan is named 'q'; there is none"),
    (
        f"{METRICS}teams: {{t: {{time_zone: Mars/Base}}}}",
        "f.yaml:6: teams.t.time_zone: 'Mars/Base' is not an IANA time zone; use a name such as UTC or America/New_York",
    ),
    (
        f"{METRICS}teams: {{t: {{start: 2026-01-01}}}}",
        "f.yaml:6: teams.t.start: needs plan, the plan that the team is on",
    ),
    (
        f"{METRICS}plans: {{p: {{}}}}\nteams: {{t: {{plan: p, start: 2026-02-30}}}}",
        "f.yaml:7: teams.t.start: 2026-02-30 is not in the calendar",
    ),
    (
        f"{METRICS}plans: {{p: {{}}}}\nteams: {{t: {{plan: p, anchor: birthday}}}}",
        "f.yaml:7: teams.t.anchor: must be one of calendar, anniversary, not 'birthday'",
    ),
    (f'{METRICS}teams: {{"": {{}}}}', "f.yaml:6: teams.'': must have 1 to 255 bytes, not 0"),
    (f'{METRICS}teams: {{"a\\tb": {{}}}}', "f.yaml:6: teams.'a\\tb': must not hold control characters"),
    (f"{METRICS}defaults: {{plan: gold}}", "f.yaml:6: defaults.plan: no plan is named 'gold'; there is none"),
]


@pytest.mark.parametrize(("source", "message"), TOP + METRIC + REST)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(source, message):
    assert problems_of(source) == [message]


@pytest.mark.parametrize(("entry", "message"), PRICE)
def test_a_wrong_price_is_refused_with_line_and_reason(entry, message):
    key = "plans.standard.prices[0]"
    where = f"{key}: " if entry == "5" else f"{key}."
    assert problems_of(prices(entry)) == [f"f.yaml:9: {where}{message}"]


@pytest.mark.parametrize("key", ["unit_price", "free_units", "minimum", "maximum"])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("-1", "must not be negative"),
        (".inf", "finite"),
        ("1e30", "below 10^20"),
        ("'x'", "not a decimal number"),
        ("0.1234567890123456789", "at most 18 decimals"),
    ],
)
def test_numbers_that_no_price_has_are_refused(key, number, reason):
    others = "" if key == "unit_price" else ", unit_price: 1"
    (problem,) = problems_of(prices(f"{{metric: api_calls, model: per_unit{others}, {key}: {number}}}"))
    assert problem.startswith(f"f.yaml:9: plans.standard.prices[0].{key}: ")
    assert reason in problem


def test_a_minimum_above_the_maximum_is_refused():
    (problem,) = problems_of(prices(f"{{metric: api_calls, {PER_UNIT}, minimum: 100, maximum: 10}}"))
    assert problem.startswith("f.yaml:9: plans.standard.prices[0].minimum: ")


def test_all_problems_of_one_price_are_reported_at_once():
    found = problems_of(
        prices("{metric: x, model: package, package_size: -1, package_price: -2, minimum: -3, free: 4}")
    )
    assert [problem.split(": ")[1] for problem in found] == [
        "plans.standard.prices[0].metric",
        "plans.standard.prices[0].package_size",
        "plans.standard.prices[0].package_price",
        "plans.standard.prices[0].minimum",
        "plans.standard.prices[0].free",
    ]


def test_tier_bounds_and_tier_prices_are_reported_together():
    tiers = "[{up_to: 5, unit_price: -1}, {up_to: 4, unit_price: 1}, {flat_fee: -2}]"
    found = problems_of(prices(f"{{{GRADUATED}, tiers: {tiers}}}"))
    assert [problem.split(": ")[1].removeprefix("plans.standard.prices[0].") for problem in found] == [
        "tiers[0].unit_price",
        "tiers[1].up_to",
        "tiers[2].flat_fee",
    ]


def test_all_problems_of_a_file_are_reported_at_once_in_its_order():
    sections = "metrics:\n  A: {}\nplans:\n  p:\n    prices: [{metric: z}]\nteams:\n  t: {plan: q}\n"
    source = f"version: 3\ncurrency: nope\n{sections}"
    lines = [int(problem.split(":")[1]) for problem in problems_of(source)]
    assert lines == sorted(lines)
    assert set(lines) == {1, 2, 4, 7, 9}


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "",
            "",
            "plans.standard.prices[1]: api_calls has one without effective_from in "
            "line 9 already; say from when this one holds, or give it a name of its own",
        ),
        (
            "effective_from: 2026-03-01T00:00:00Z",
            "effective_from: 2026-03-01T01:00:00+01:00",
            "plans.standard.prices[1].effective_from: api_calls has a price from "
            "2026-03-01T00:00:00Z in line 9 already",
        ),
    ],
)
def test_two_prices_of_a_metric_can_not_begin_together(first, second, message):
    entries = (f"{{metric: api_calls, {PER_UNIT}, {text}}}" for text in (first, second))
    assert problems_of(prices(*entries)) == [f"f.yaml:10: {message}"]


def test_a_wrong_metric_does_not_make_its_prices_wrong():
    plan = "plans:\n  p:\n    prices: [{metric: m, model: flat, amount: 1}]\n"
    source = f"version: 1\ncurrency: USD\nmetrics:\n  m: {{event: e}}\n{plan}"
    assert all(problem.startswith("f.yaml:4: metrics.m") for problem in problems_of(source))


def test_an_anchored_mistake_is_told_of_every_place_it_is_used_in():
    source = prices("&p {metric: storage, model: per_unit, unit_price: -1}") + "  other:\n    prices: [*p]\n"
    assert [problem.split(": ")[1] for problem in problems_of(source)] == [
        "plans.standard.prices[0].unit_price",
        "plans.other.prices[0].unit_price",
    ]


def test_an_error_tells_programs_as_much_as_people():
    with pytest.raises(CatalogueError) as raised:
        parse("version: 1\ncurrency: nope", "f.yaml")
    assert (raised.value.status, raised.value.exit_code, raised.value.code) == (422, 2, "catalogue")
    (problem,) = raised.value.details()["problems"]
    assert {key: problem[key] for key in ("file", "line", "column", "key")} == {
        "file": "f.yaml",
        "line": 2,
        "column": 11,
        "key": "currency",
    }


def test_a_file_that_can_not_be_read_is_one_line(tmp_path):
    with pytest.raises(CatalogueError, match=r"none\.yaml:1:1: can't be read: no such file or directory$"):
        load(tmp_path / "none.yaml")
    with pytest.raises(CatalogueError, match="can't be read: is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"version: 1\nteams: {\xff: {}}\n")
    with pytest.raises(CatalogueError, match=r"f\.yaml:2:1: not UTF-8 text$"):
        load(tmp_path / "f.yaml")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert load(tmp_path / "f.yaml").metrics == {}


WORDS = [
    *("version", "currency", "metrics", "plans", "teams", "defaults", "billing", "api_calls", "acme", "USD"),
    *(
        "event",
        "aggregation",
        "sum",
        "percentile",
        "unit",
        "value",
        "metadata.x",
        "filters",
        "dimensions",
        "slot",
        "5m",
    ),
    *(
        "prices",
        "metric",
        "model",
        "graduated",
        "package",
        "per_unit",
        "tiers",
        "up_to",
        "from",
        "unit_price",
        "amount",
    ),
    *("period", "every", "month", "plan", "start", "2026-01-01", "effective_from", "2026-03-01T00:00:00Z", "time_zone"),
    *("fees", "discounts", "percent", "name", "commitment", "trial_days", "minimum", "plan_version", "exchange_rate"),
    *("matrix", "rates", "default", "where", "schedule", "bands", "measure", "conversion", "effective_to", "USD/EUR"),
    *("grace", "1h", "invoice", "entity", "number", "taxes", "locale", "en_US", "p@2", "{number}"),
    *("UTC", "tiers[0]", "tiers[0].up_to", "a.b", "", "\x00", "é" * 300, "inf", "1e400", "0001-01-01"),
]
SCALARS = st.sampled_from(WORDS) | st.integers(-2, 2**70) | st.booleans() | st.none() | st.floats()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
)
PRICES = st.fixed_dictionaries(
    {"metric": st.just("m"), "model": st.sampled_from(sorted(MODELS))},
    optional={
        "tiers": VALUES
        | st.lists(st.dictionaries(st.sampled_from(["up_to", "from", "unit_price"]), SCALARS), max_size=4),
        **dict.fromkeys(("unit_price", "package_size", "maximum", "tiers[0]", "tiers[0].up_to", "a.b", ""), VALUES),
        **dict.fromkeys(("where", "dimensions", "rates", "default", "schedule", "conversion", "commitment"), VALUES),
        **dict.fromkeys(("discounts", "measure", "prorate", "name", "effective_to", "rate", "free_units"), VALUES),
    },
)


def only_catalogue_errors(content):
    with contextlib.suppress(CatalogueError):
        parse(yaml.safe_dump(content, allow_unicode=True))


@given(VALUES)
def test_whatever_a_file_holds_is_right_or_explained(content):
    only_catalogue_errors(content)


@given(
    st.dictionaries(
        st.sampled_from(["metrics", "plans", "teams", "defaults", "billing"]),
        st.dictionaries(st.sampled_from(WORDS), VALUES),
    )
)
def test_whatever_a_section_holds_is_right_or_explained(sections):
    only_catalogue_errors({"version": 1, "currency": "USD", **sections})


@given(st.lists(PRICES, max_size=3))
def test_whatever_a_price_holds_is_right_or_explained(entries):
    metrics = {"m": {"event": "e", "aggregation": "sum", "unit": "u"}}
    only_catalogue_errors({"version": 1, "currency": "USD", "metrics": metrics, "plans": {"p": {"prices": entries}}})


@given(st.text())
def test_whatever_text_a_file_is_it_is_right_or_explained(source):
    with pytest.raises(CatalogueError):
        parse(source)


def test_empty_sections_are_no_problem():
    assert problems_of("version: 1\nmetrics:\nplans:\nteams:\ndefaults:\n") == []


def test_defaults_can_be_read_from_a_file_that_is_wrong_today():
    assert defaults_of("version: 0\ndefaults: {plan: gone, time_zone: Asia/Tokyo}") == Defaults("gone", "Asia/Tokyo")
    assert defaults_of("[") == Defaults()
    assert defaults_of("[]") == Defaults()
