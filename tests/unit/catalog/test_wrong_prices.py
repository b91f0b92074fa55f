"""Wrong price lists are refused with the line and the reason."""

import textwrap

import pytest

from tests.unit.catalog.files import problems_of

HEAD = """\
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region, metadata.user_id]}
  storage: {event: stored, aggregation: time_weighted, value_unit: GB, dimensions: [region]}
  users: {event: seen, aggregation: unique_count, value: user_id, unit: user}
  peak: {event: load, aggregation: max, unit: core}
"""


def plan(text: str) -> str:
    """A file whose plan `standard` stands from line 10 on."""
    return f"{HEAD}plans:\n  standard:\n{textwrap.indent(textwrap.dedent(text), '    ')}"


def case(name, text, *problems):
    return pytest.param(plan(text), [f"f.yaml:{line}: plans.standard.{rest}" for line, rest in problems], id=name)


TIERS = [
    case(
        "overlapping tiers",
        """\
        prices:
          - metric: calls
            model: graduated
            tiers:
              - {up_to: 1000, unit_price: 1}
              - {from: 900, up_to: 2000, unit_price: 0.9}
              - {unit_price: 0.8}
        """,
        (15, "prices[0].tiers[1].from: overlaps the tier before it: must be 1000, the bound before it"),
    ),
    case(
        "gapped tiers",
        """\
        prices:
          - metric: calls
            model: volume
            tiers:
              - {up_to: 1000, unit_price: 1}
              - {from: 1001, unit_price: 0.9}
        """,
        (15, "prices[0].tiers[1].from: leaves a gap: must be 1000, the bound before it"),
    ),
    case(
        "a tier end below its start",
        """\
        prices:
          - metric: calls
            model: graduated
            tiers:
              - {up_to: 1000, unit_price: 1}
              - {up_to: 500, unit_price: 0.9}
              - {unit_price: 0.8}
        """,
        (15, "prices[0].tiers[1].up_to: must be above 1000, the bound before it"),
    ),
    case(
        "no price above the last tier",
        """\
        prices:
          - metric: calls
            model: stairstep
            tiers:
              - {up_to: 1000, flat_fee: 1}
        """,
        (14, "prices[0].tiers[0].up_to: must be left out: usage above 1000 would have no price"),
    ),
    case(
        "tiers inside a rate",
        """\
        prices:
          - metric: calls
            model: matrix
            dimensions: [region]
            rates:
              - region: eu
                model: graduated
                tiers:
                  - {up_to: 10, unit_price: 1}
                  - {up_to: 9, unit_price: 2}
                  - {unit_price: -3}
            default:
              model: volume
              tiers:
                - {up_to: 10, unit_price: 1}
                - {from: 20, unit_price: 2}
        """,
        (19, "prices[0].rates[0].tiers[1].up_to: must be above 10, the bound before it"),
        (20, "prices[0].rates[0].tiers[2].unit_price: is -3: must not be negative"),
        (25, "prices[0].default.tiers[1].from: leaves a gap: must be 10, the bound before it"),
    ),
]

EFFECTIVE = [
    case(
        "overlapping effective intervals",
        """\
        prices:
          - metric: calls
            model: flat
            amount: 1
            effective_from: 2026-01-01T00:00:00Z
            effective_to: 2026-03-01T00:00:00Z
          - metric: calls
            model: flat
            amount: 2
            effective_from: 2026-02-01T00:00:00Z
        """,
        (
            15,
            "prices[0].effective_to: overlaps the next one of calls: must not be after 2026-02-01T00:00:00Z, "
            "its start in line 19",
        ),
    ),
    case(
        "one without a start that ends after another has begun",
        """\
        prices:
          - {metric: calls, model: flat, amount: 1, effective_to: 2026-03-01T00:00:00Z}
          - {metric: calls, model: flat, amount: 2, effective_from: 2026-02-01T00:00:00Z}
        """,
        (
            11,
            "prices[0].effective_to: overlaps the next one of calls: must not be after 2026-02-01T00:00:00Z, "
            "its start in line 12",
        ),
    ),
    case(
        "an end before the start",
        """\
        fees:
          - name: base
            amount: 1
            effective_from: 2026-03-01T00:00:00Z
            effective_to: 2026-03-01T00:00:00Z
        """,
        (14, "fees[0].effective_to: must be after effective_from, 2026-03-01T00:00:00Z"),
    ),
    case(
        "two that begin together",
        """\
        prices:
          - {metric: calls, name: premium, model: flat, amount: 1}
          - {metric: calls, model: flat, amount: 2}
          - {metric: calls, name: premium, model: flat, amount: 3}
        """,
        (
            13,
            "prices[2]: premium has one without effective_from in line 11 already; say from when this one holds, "
            "or give it a name of its own",
        ),
    ),
    case(
        "one name of two metrics",
        """\
        prices:
          - {metric: calls, name: base, model: flat, amount: 1}
          - {metric: peak, name: base, model: flat, amount: 2, effective_from: 2026-03-01T00:00:00Z}
        fees:
          - {name: calls, amount: 2}
          - {name: base, amount: 2}
        """,
        (12, "prices[1].name: base is of calls in line 11; give this one another name"),
        (15, "fees[1].name: base is of calls in line 11; give this one another name"),
    ),
]

DIMENSIONS = [
    case(
        "an unknown dimension to filter by",
        """\
        prices:
          - metric: calls
            model: per_unit
            unit_price: 1
            where:
              region: eu
              regoin: eu
        """,
        (16, "prices[0].where.regoin: calls has no dimension 'regoin'; did you mean 'region'?"),
    ),
    case(
        "an unknown dimension of a matrix",
        """\
        prices:
          - metric: calls
            model: matrix
            dimensions:
              - metadata.region
              - zone
            rates:
              - {region: eu, unit_price: 1}
              - {zone: a, region: us, unit_price: 1}
        """,
        (15, "prices[0].dimensions[1]: calls has no dimension 'zone'; allowed: metadata.user_id, region"),
    ),
    case(
        "a metric without dimensions",
        """\
        prices:
          - {metric: users, model: per_unit, unit_price: 1, where: {region: eu}}
        """,
        (11, "prices[0].where.region: users has no dimension 'region'; there is none"),
    ),
    case(
        "the same usage twice",
        """\
        prices:
          - metric: calls
            model: matrix
            dimensions: [region]
            rates:
              - {region: [eu, us], unit_price: 1}
              - {region: eu, unit_price: 2}
        """,
        (16, "prices[0].rates[1]: applies to eu, and so does rates[0]"),
    ),
    case(
        "a band that the schedule does not have",
        """\
        prices:
          - metric: calls
            model: matrix
            schedule:
              time_zone: Europe/Berlin
              bands: [{name: day, hours: ["08:00-20:00"]}]
              otherwise: night
            rates:
              - {schedule: day, unit_price: 2}
              - {schedule: nihgt, unit_price: 1}
        """,
        (19, "prices[0].rates[1].schedule: is 'nihgt': must be a band of the schedule: day, night"),
    ),
]

SCHEDULE = """schedule: {time_zone: UTC, bands: [{name: day, hours: ["08:00-20:00"]}], otherwise: night}"""
DAY = "rates: [{schedule: day, unit_price: 2}]"

FIT = [
    case(
        "a schedule on usage that does not add up",
        f"""\
        prices:
          - {{metric: peak, model: matrix, {DAY}, {SCHEDULE}}}
          - {{metric: users, model: matrix, {DAY}, {SCHEDULE}}}
          - {{metric: storage, model: matrix, {DAY}, {SCHEDULE}}}
          - {{metric: storage, name: top, model: matrix, {DAY}, {SCHEDULE}, measure: peak}}
        """,
        (11, "prices[0].schedule: is only for usage that adds up; peak is max"),
        (12, "prices[1].schedule: is only for usage that adds up; users is unique_count"),
        (14, "prices[3].schedule: is only for usage that adds up; storage is peak"),
    ),
    case(
        "a measure on a metric that is no level over time",
        """\
        prices:
          - {metric: storage, model: per_unit, unit_price: 1, measure: average}
          - {metric: calls, model: per_unit, unit_price: 1, measure: average}
        """,
        (12, "prices[1].measure: average is only for levels over time (time_weighted); calls is sum"),
    ),
    case(
        "a percentage of what is no amount",
        """\
        prices:
          - {metric: calls, model: percentage, rate: 2.9}
          - {metric: users, model: percentage, rate: 2.9}
        """,
        (
            12,
            "prices[1].model: percentage prices the amounts of events, which only sum adds up; users is unique_count",
        ),
    ),
]

NUMBERS = [
    case(
        "negative caps",
        """\
        minimum: -1
        prices:
          - metric: calls
            model: per_unit
            unit_price: 1
            maximum: -5
            minimum: -6
            commitment: {amount: -7}
        """,
        (10, "minimum: is -1: must not be negative"),
        (15, "prices[0].maximum: is -5: must not be negative"),
        (16, "prices[0].minimum: is -6: must not be negative"),
        (17, "prices[0].commitment.amount: is -7: must not be negative"),
    ),
    case(
        "a discount of more than all",
        """\
        discounts:
          - percent: 120
        prices:
          - metric: calls
            model: per_unit
            unit_price: 1
            discounts:
              - {percent: 10}
              - {percent: 101}
        """,
        (11, "discounts[0].percent: must be above 0 and at most 100, not 120"),
        (18, "prices[0].discounts[1].percent: is 101: must not exceed 100"),
    ),
    case(
        "another currency than the plan's",
        """\
        fees:
          - {name: base, amount: 5, currency: EUR}
        prices:
          - metric: calls
            currency: JPY
            model: flat
            amount: 100
        """,
        (11, "fees[0].currency: must be USD, the currency of the plan; another currency needs another plan"),
        (14, "prices[0].currency: must be USD, the currency of the plan; another currency needs another plan"),
    ),
    case(
        "discounts and commitments that say nothing",
        """\
        trial_days: 1.5
        commitment: {overage_factor: 2}
        discounts:
          - {percent: 10, amount: 3}
          - {metrics: [calls]}
          - {amount: 1, metrics: [nope]}
          - {amount: 1, metrics: []}
          - {percent: 1, from: 2026-02-01T00:00:00Z, to: 2026-01-01T00:00:00Z}
        """,
        (10, "trial_days: must be a whole number from 0 to 3650, not 1.5"),
        (11, "commitment.amount: is required"),
        (13, "discounts[0].amount: needs percent or amount, and not both"),
        (14, "discounts[1]: needs percent or amount, and not both"),
        (15, "discounts[2].metrics[0]: no metric is named 'nope'; allowed: calls, peak, storage, users"),
        (16, "discounts[3].metrics: must name at least one metric; left out, it is for all charges"),
        (17, "discounts[4].to: must be after from, 2026-02-01T00:00:00Z"),
    ),
    case(
        "fees that are none",
        """\
        fees:
          - {name: base, amount: -1}
          - {amount: 3}
          - {name: "a\\nb", amount: 1}
          - {name: x}
          - {name: y, amount: 1, metric: calls}
        """,
        (11, "fees[0].amount: is -1: must not be negative"),
        (12, "fees[1].name: is required: what the fee is called on the bill, such as base"),
        (13, "fees[2].name: must not hold control characters"),
        (14, "fees[3].amount: is required"),
        (
            15,
            "fees[4].metric: is not known here; allowed: amount, currency, description, effective_from, "
            "effective_to, name, prorate",
        ),
    ),
]


@pytest.mark.parametrize(("source", "problems"), TIERS + EFFECTIVE + DIMENSIONS + FIT + NUMBERS)
def test_a_wrong_price_list_is_refused_with_line_and_reason(source, problems):
    assert problems_of(source) == problems


def test_a_price_of_a_wrong_metric_is_not_blamed_for_it():
    source = plan("prices: [{metric: odd, model: per_unit, unit_price: 1, where: {region: eu}}]")
    found = problems_of(source.replace("metrics:\n", "metrics:\n  odd: {event: e}\n"))
    assert all(problem.startswith("f.yaml:4: metrics.odd") for problem in found)


TEAMS = [
    ("t: {plan: growth, plan_version: 3}", "t.plan_version: must be a whole number from 1 to 2, not 3"),
    ("t: {plan: growth@2, plan_version: 1}", "t.plan_version: must be 2, as plan says"),
    ("t: {plan: growth@7}", "t.plan: no plan is named 'growth@7'; did you mean 'growth@2'?"),
    ("t: {plan_version: 1}", "t.plan_version: needs plan, the plan that the team is on"),
    (
        "t: {currency: XYZ}",
        "t.currency: 'XYZ' is not a currency; use an ISO 4217 code such as USD, EUR or JPY",
    ),
    ("t: {exchange_rate: {USD/EUR: 0}}", "t.exchange_rate.'USD/EUR': must be above zero"),
    ("t: {exchange_rate: {USD/USD: 1}}", "t.exchange_rate.'USD/USD': has the same currency twice"),
    (
        "t: {exchange_rate: {EURUSD: 1}}",
        "t.exchange_rate.EURUSD: 'EURUSD' is not a pair of ISO 4217 currencies such as USD/EUR",
    ),
    (
        "t: {exchange_rate: {USD/JPY: 150, JPY/USD: 0.007}}",
        "t.exchange_rate.'JPY/USD': USD/JPY is pinned already, which is the same rate the other way round",
    ),
    (
        "t: {plan: growth, prices: [{metric: calls, model: flat, amount: 1, currency: EUR}]}",
        "t.prices[0].currency: must be USD, the currency of the plan of the team",
    ),
    ("t: {discounts: [{percent: 101}]}", "t.discounts[0].percent: must be above 0 and at most 100, not 101"),
]


@pytest.mark.parametrize(("entry", "problem"), TEAMS)
def test_wrong_terms_of_a_team_are_refused(entry, problem):
    source = f"{HEAD}plans:\n  growth: {{version: 2}}\nteams:\n  {entry}\n"
    assert problems_of(source) == [f"f.yaml:11: teams.{problem}"]


PLANS = [
    ("growth@2: {}", "growth@2: is version 2 of growth, as in line 9"),
    ("a@1: {version: 3}", "a@1.version: must be 1, as the plan's name says"),
    ("a@0: {}", "a@0: must be made of a to z, 0 to 9 and _ . -"),
    ("a: {version: 0}", "a.version: must be a whole number from 1 to 9999, not 0"),
]


@pytest.mark.parametrize(("entry", "problem"), PLANS)
def test_a_wrong_plan_version_is_refused(entry, problem):
    assert problems_of(f"{HEAD}plans:\n  growth: {{version: 2}}\n  {entry}\n") == [f"f.yaml:10: plans.{problem}"]


RULES = [
    ("grace: soon", "grace: must be a duration such as 30m, 1h or 3d, not 'soon'"),
    ("grace: 100d", "grace: must be at most 90d, not 100d"),
    ("late_usage: never", "late_usage: must be one of next_period, credit_note, ignore, not 'never'"),
    (
        "invoice: {number: 'INV-{x}'}",
        "invoice.number: may hold {number}, {number:05}, {entity} and {year}, and no other braces",
    ),
    (
        "invoice: {number: INV}",
        "invoice.number: must hold {number}, the count of the entity's documents: numbers have no gaps and don't "
        "repeat",
    ),
    ("invoice: {locale: xx_YY}", "invoice.locale: 'xx_YY' is not a locale that is known, such as en_US or de_DE"),
    ("invoice: {due_days: -1}", "invoice.due_days: must be a whole number from 0 to 366, not -1"),
    ("invoice: {entity: {id: a}}", "invoice.entity.name: is required"),
    ("invoice: {taxes: [{name: VAT}]}", "invoice.taxes[0].percent: is required"),
    (
        "invoice: {taxes: [{name: VAT, percent: 200}]}",
        "invoice.taxes[0].percent: must be at least 0 and at most 100, not 200",
    ),
    ("graze: 1h", "graze: is not known here; did you mean 'grace'?"),
]


@pytest.mark.parametrize(("entry", "problem"), RULES)
def test_wrong_rules_of_billing_are_refused(entry, problem):
    assert problems_of(f"{HEAD}billing:\n  {entry}\n") == [f"f.yaml:9: billing.{problem}"]


PRICE = [
    (
        "metric: calls, model: matrix, dimensions: [region], rates: [{region: eu, unit_price: 1, from: 3}]",
        "rates[0].from: is not known here; allowed: free_units, model, region, unit_price, where",
    ),
    (
        "metric: calls, model: per_unit, unit_price: 1, package_size: 3",
        "package_size: is not known here; allowed: commitment, conversion, currency, description, discounts, "
        "effective_from, effective_to, free_units, maximum, measure, metric, minimum, model, name, prorate, schedule, "
        "unit_price, where",
    ),
    ("metric: calls, model: [flat], amount: 1", "model: must be the name of a price model; allowed: "),
    (
        "metric: calls, model: matrix, dimensions: [], rates: [{region: eu, unit_price: 1}]",
        "dimensions: must be a text or a list of different texts",
    ),
    (
        f"metric: calls, model: per_unit, unit_price: {'9' * 5000}",
        f"unit_price: is {'9' * 40}…: absolute value must be below 10^20",
    ),
    (
        "metric: storage, model: matrix, dimensions: [region], rates: [{region: eu, model: percentage, rate: 1}]",
        "model: percentage prices the amounts of events, which only sum adds up; storage is time_weighted",
    ),
    (
        "metric: storage, model: matrix, dimensions: [region], rates: [{region: eu, unit_price: 1}], "
        "default: {model: dynamic}",
        "model: dynamic prices the amounts of events, which only sum adds up; storage is time_weighted",
    ),
    (
        "metric: storage, model: per_unit, unit_price: 1, conversion: {from: MB-hours, to: TB-hours}",
        "conversion.from: must be GB-hour, the unit of storage",
    ),
    (
        "metric: storage, model: per_unit, measure: peak, unit_price: 1, conversion: {from: hours, to: days}",
        "conversion.from: must be GB, the unit of storage",
    ),
    (
        "metric: calls, model: per_unit, unit_price: 1, discounts: [{percent: 10, scope: [users]}]",
        "discounts[0].scope: is not for a price, whose discounts are its own; see those of the plan",
    ),
]


@pytest.mark.parametrize(("entry", "problem"), PRICE, ids=map(str, range(len(PRICE))))
def test_what_is_wrong_with_a_price_is_said_once_and_in_the_words_of_the_file(entry, problem):
    (found,) = problems_of(plan(f"prices:\n  - {{{entry}}}\n"))

    assert found.startswith(f"f.yaml:11: plans.standard.prices[0].{problem}")


def test_a_schedule_that_is_wrong_is_not_called_useless_besides():
    source = banded("{name: a, holidays: only}", ", holidays: [2026-02-30]").replace(", b: {unit_price: 2}", "")
    assert problems_of(source) == [
        "f.yaml:11: plans.standard.prices[0].schedule.holidays: is '2026-02-30': must be a day such as 2026-12-25"
    ]


@pytest.mark.parametrize(
    "conversion",
    [
        "{metric: storage, model: per_unit, unit_price: 1, conversion: {from: GB-hours, to: TB-days}}",
        "{metric: storage, model: per_unit, measure: peak, unit_price: 1, conversion: {from: GB, to: TB}}",
        "{metric: calls, model: per_unit, unit_price: 1, conversion: {from: units, to: thousand}}",
    ],
)
def test_usage_is_converted_from_the_unit_of_the_metric_or_from_any_where_that_is_not_known(conversion):
    assert problems_of(plan(f"prices:\n  - {conversion}\n")) == []


def banded(bands: str, more: str = "") -> str:
    rates = "rates: {a: {unit_price: 1}, b: {unit_price: 2}, c: {unit_price: 3}}"
    schedule = f"schedule: {{time_zone: UTC, bands: [{bands}], otherwise: c{more}}}"
    return plan(f"prices:\n  - {{metric: calls, model: matrix, {schedule}, {rates}}}\n")


NEVER = "never applies: the bands before it hold all of its times"


@pytest.mark.parametrize(
    ("bands", "more", "problem"),
    [
        ("{name: a}, {name: b, hours: ['08:00-20:00']}", "", f"[1]: {NEVER}"),
        ("{name: a, hours: ['08:00-20:00']}, {name: b, hours: ['10:00-12:00'], weekdays: [mon]}", "", f"[1]: {NEVER}"),
        (
            "{name: a, hours: ['00:00-12:00']}, {name: a, hours: ['12:00-24:00']}, {name: b, weekdays: [sun]}",
            "",
            f"[2]: {NEVER}",
        ),
        (
            "{name: a, holidays: only}, {name: b, hours: ['00:00-01:00']}",
            "",
            "[0]: never applies: it is for holidays only, and the schedule has none",
        ),
    ],
)
def test_a_band_that_never_applies_is_refused(bands, more, problem):
    assert problems_of(banded(bands, more)) == [f"f.yaml:11: plans.standard.prices[0].schedule.bands{problem}"]


@pytest.mark.parametrize(
    ("bands", "more"),
    [
        ("{name: a, hours: ['08:00-20:00']}, {name: b, hours: ['10:00-20:01']}", ""),
        ("{name: a, holidays: exclude}, {name: b}", ", holidays: [2026-12-25]"),
        ("{name: a, weekdays: [mon, tue]}, {name: b, hours: ['22:00-24:00', '00:00-06:00']}", ""),
        ("{name: a, holidays: only}, {name: b, weekdays: [sat]}", ", holidays: [2026-12-25]"),
    ],
)
def test_bands_may_overlap_as_long_as_each_applies_at_some_time(bands, more):
    assert problems_of(banded(bands, more)) == []


def test_a_schedule_is_refused_beside_a_dimension_of_that_name():
    source = """\
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [schedule]}
plans:
  s:
    prices:
      - metric: calls
        model: matrix
        schedule: {time_zone: UTC, bands: [{name: a, weekdays: [mon]}], otherwise: b}
        rates: {a: {unit_price: 1}, b: {unit_price: 2}}
"""
    assert problems_of(source) == [
        "f.yaml:10: plans.s.prices[0].schedule: can't be told from the dimension of calls that is called schedule, too"
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            "prices: [{metric: users, name: calls, model: per_unit, unit_price: 1}]",
            "prices[0].name: calls is the price of calls in plan growth, which this would replace; "
            "give this one another name",
        ),
        (
            "fees: [{name: calls, amount: 1}]",
            "fees[0].name: calls is the price of calls in plan growth, which this would replace; "
            "give this one another name",
        ),
        (
            "prices: [{metric: calls, name: base, model: flat, amount: 1}]",
            "prices[0].name: base is a fee in plan growth, which this would replace; give this one another name",
        ),
        ("start: 2027-02-01, end: 2027-01-01", "end: must be after start, 2027-02-01"),
        ("start: 2027-02-01, end: 2027-02-01", "end: must be after start, 2027-02-01"),
        (
            "start: 2027-02-01T00:00:00Z, end: 2027-02-01T00:00:00+01:00",
            "end: must be after start, 2027-02-01T00:00:00Z",
        ),
    ],
)
def test_a_team_can_not_replace_another_charge_by_accident_or_end_before_it_starts(entry, problem):
    prices = "prices: [{metric: calls, model: per_unit, unit_price: 1}], fees: [{name: base, amount: 5}]"
    source = f"{HEAD}plans:\n  growth: {{{prices}}}\nteams:\n  t: {{plan: growth, {entry}}}\n"
    assert problems_of(source) == [f"f.yaml:11: teams.t.{problem}"]


def test_a_team_has_prices_and_fees_of_its_own_in_place_of_those_of_the_plan_or_on_top():
    prices = "prices: [{metric: calls, model: per_unit, unit_price: 1}], fees: [{name: base, amount: 5}]"
    agreed = "prices: [{metric: calls, model: flat, amount: 1}, {metric: users, model: per_unit, unit_price: 1}]"
    fees = "fees: [{name: base, amount: 1}, {name: support, amount: 2}]"
    source = f"{HEAD}plans:\n  growth: {{{prices}}}\nteams:\n  t: {{plan: growth, {agreed}, {fees}}}\n"
    assert problems_of(source) == []
