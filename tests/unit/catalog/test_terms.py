"""What fees, terms, plan versions, prices of one team and rules of billing come to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.catalog.documents import (
    rules_from_json,
    rules_to_json,
    team_terms_from_json,
    team_terms_to_json,
    terms_from_json,
    terms_to_json,
)
from tallystick.catalog.loading import defaults_of, parse
from tallystick.catalog.models import BillingRules, Defaults, TeamTerms, Terms
from tallystick.catalog.rules import InvoiceRules, LateUsage, LegalEntity, TaxRate
from tallystick.catalog.terms import PlanCommitment, ScopedDiscount, family_of, version_of, versioned
from tests.unit.catalog.files import METRICS, prices


def plan_of(text: str, name: str = "p"):
    return parse(f"{METRICS}plans:\n  {name}: {text}\n").plans


def entries_of(text: str):
    (plan,) = plan_of(text).values()
    return plan.prices


def team_of(text: str, plans: str = "p: {}"):
    return parse(f"{METRICS}plans:\n  {plans}\nteams:\n  t: {text}\n").teams["t"]


def test_a_fee_is_a_flat_price_without_a_metric_prorated_unless_it_says_otherwise():
    base, setup = entries_of("{fees: [{name: base, amount: 49.00}, {name: setup, amount: 10, prorate: false}]}")
    assert (base.price.metric, base.price.model, base.price.label, base.price.currency) == (None, "flat", "base", "USD")
    assert (base.price.prorate, setup.price.prorate) == (True, False)
    assert base.price.to_parameters() == {"amount": "49", "name": "base"}


def test_several_prices_of_a_metric_have_names():
    one, other = entries_of(
        "{prices: [{metric: api_calls, model: flat, amount: 1}, "
        "{name: Calls from Europe, metric: api_calls, model: per_unit, unit_price: 2}]}"
    )
    assert (one.price.label, other.price.label) == ("api_calls", "Calls from Europe")


def test_the_metrics_own_name_is_no_other_name():
    entry = "metric: api_calls, model: flat, amount: 1"
    named, bare = (
        parse(prices(f"{{{more}{entry}}}")).plans["standard"].prices[0] for more in ("name: api_calls, ", "")
    )
    assert named.price == bare.price


def test_a_price_may_end():
    (entry,) = entries_of("{prices: [{metric: api_calls, model: flat, amount: 1, effective_to: 2026-03-01T00:00:00Z}]}")
    assert (entry.effective_from, entry.effective_to) == (None, datetime(2026, 3, 1, tzinfo=UTC))


def test_dimensions_are_named_as_metrics_name_them_and_their_values_are_text():
    metric = METRICS.replace("unit: call}", "unit: call, dimensions: [region, status]}")
    entry = (
        "{metric: api_calls, model: matrix, dimensions: [metadata.region, status], "
        "where: {metadata.status: [200, 1.10]}, rates: [{metadata.region: eu, status: 200, unit_price: 1}, "
        "{where: {metadata.region: us, status: 404}, unit_price: 2}]}"
    )
    catalogue = parse(f"{metric}plans:\n  p: {{prices: [{entry}]}}\n")
    price = catalogue.plans["p"].prices[0].price
    assert price.where == {"status": ("200", "1.10")}
    assert price.group_by == ("region", "status")
    assert [rate["status"] for rate in price.to_parameters()["rates"]] == ["200", "404"]


def test_a_plan_has_terms():
    (plan,) = plan_of(
        "{trial_days: 14, minimum: 20, commitment: {amount: 100, overage_factor: 1.5, true_up: false}, discounts: ["
        "{name: launch, percent: 10, metrics: [api_calls], from: 2026-01-01T00:00:00Z, to: 2026-07-01T00:00:00Z}, "
        "{amount: 5}]}"
    ).values()
    january, july = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    assert plan.terms == Terms(
        14,
        Decimal(20),
        PlanCommitment(Decimal(100), Decimal("1.5"), true_up=False),
        (
            ScopedDiscount(Decimal(10), None, ("api_calls",), january, july, "launch"),
            ScopedDiscount(amount=Decimal(5)),
        ),
    )
    assert plan_of("{commitment: 100}")["p"].terms == Terms(commitment=PlanCommitment(Decimal(100)))
    assert plan_of("{}")["p"].terms == Terms()


def test_a_discount_covers_its_metrics_or_everything():
    scoped, whole = ScopedDiscount(Decimal(1), metrics=("api_calls",)), ScopedDiscount(Decimal(1))
    assert [scoped.covers(metric) for metric in ("api_calls", "storage", None)] == [True, False, False]
    assert [whole.covers(metric) for metric in ("api_calls", None)] == [True, True]


@pytest.mark.parametrize(
    ("text", "name", "stored"),
    [
        ("{}", "p", "p"),
        ("{version: 1}", "p", "p"),
        ("{version: 3}", "p", "p@3"),
        ("{}", "p@3", "p@3"),
        ("{}", "p@1", "p"),
    ],
)
def test_a_plan_is_stored_under_its_name_and_version(text, name, stored):
    assert list(plan_of(text, name)) == [stored]


def test_a_stored_name_tells_plan_and_version():
    assert [versioned("p", n) for n in (1, 2)] == ["p", "p@2"]
    assert [(family_of(name), version_of(name)) for name in ("p", "p@12")] == [("p", 1), ("p", 12)]


def test_a_new_team_gets_the_newest_version_of_a_plan():
    source = f"{METRICS}plans:\n  p@1: {{}}\n  p: {{version: 3}}\ndefaults: {{plan: p}}\n"
    assert parse(source).defaults == defaults_of(source) == Defaults("p@3", "UTC")
    assert parse(source.replace("plan: p}", "plan: p@1}")).defaults.plan == "p@1"
    assert defaults_of("plans: {p: {}}\ndefaults: {plan: p}").plan == "p"


def test_a_team_may_ask_for_a_version_of_its_plan():
    plans = "p: {version: 3}"
    assert team_of("{plan: p}", plans).plan_version is None
    assert [team_of(text, plans).plan_version for text in ("{plan: p, plan_version: 2}", "{plan: p@3}")] == [2, 3]
    assert team_of("{plan: p@3}", plans).plan == "p"


def test_a_team_has_prices_discounts_and_rates_of_its_own():
    team = team_of(
        "{plan: p, currency: EUR, exchange_rate: {USD/EUR: 0.9}, discounts: [{percent: 5}], "
        "prices: [{metric: api_calls, model: per_unit, unit_price: 1}], fees: [{name: base, amount: 2}]}"
    )
    assert team.currency == "EUR"
    assert team.terms == TeamTerms((ScopedDiscount(Decimal(5)),), {"USD/EUR": Decimal("0.9")})
    assert [(entry.price.label, entry.price.currency) for entry in team.prices] == [
        ("api_calls", "USD"),
        ("base", "USD"),
    ]


def test_prices_of_a_team_are_in_the_currency_of_its_plan():
    team = team_of("{plan: p, fees: [{name: base, amount: 200}]}", "p: {currency: JPY}")
    assert team.prices[0].price.currency == "JPY"


def test_rules_of_billing():
    assert parse(METRICS).billing == BillingRules()
    rules = parse(
        f"""{METRICS}billing:
  grace: 3d
  late_usage: credit_note
  invoice:
    entity:
      id: acme
      name: Acme Inc
      address: [1 Main St, Springfield]
      tax_id: DE123
      bank: |
        Bank of Acme
        IBAN DE00
    number: "{{year}}-{{number:04}}"
    credit_note: "CN-{{number}}"
    locale: de-DE
    due_days: 0
    taxes:
      - {{name: MwSt, percent: 19, metadata: {{country: [DE]}}, metrics: [api_calls]}}
      - {{name: VAT, percent: 20, teams: [acme]}}
      - {{name: Reverse charge, percent: 0}}
    note: Thank you
"""
    ).billing
    assert (rules.grace, rules.late_usage) == (timedelta(days=3), LateUsage.CREDIT_NOTE)
    assert rules.invoice == InvoiceRules(
        LegalEntity("acme", "Acme Inc", ("1 Main St", "Springfield"), "DE123", "", ("Bank of Acme", "IBAN DE00")),
        "{year}-{number:04}",
        "CN-{number}",
        "de_DE",
        0,
        (
            TaxRate("MwSt", Decimal(19), (), {"country": ("DE",)}, ("api_calls",)),
            TaxRate("VAT", Decimal(20), ("acme",)),
            TaxRate("Reverse charge", Decimal(0)),
        ),
        "Thank you",
    )
    assert rules_from_json(rules_to_json(rules)) == rules


@pytest.mark.parametrize(
    ("text", "grace"), [("0", 0), ("0h", 0), ("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800)]
)
def test_the_grace_is_a_duration(text, grace):
    rules = parse(f"{METRICS}billing: {{grace: {text}}}\n").billing
    assert rules.grace.total_seconds() == grace
    assert rules_from_json(rules_to_json(rules)) == rules


AMOUNTS = st.decimals("0.01", 10**6, places=2)
MOMENTS = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(max_size=5)
NAMES = st.lists(TEXTS, max_size=3, unique=True).map(tuple)
DISCOUNTS = st.lists(
    st.builds(ScopedDiscount, st.none() | AMOUNTS, st.none() | AMOUNTS, NAMES, MOMENTS, MOMENTS, TEXTS), max_size=3
).map(tuple)
TERMS = st.builds(
    Terms,
    st.integers(0, 3650),
    st.none() | st.just(Decimal(0)) | AMOUNTS,
    st.none() | st.builds(PlanCommitment, AMOUNTS, AMOUNTS, st.booleans()),
    DISCOUNTS,
)
TEAM_TERMS = st.builds(TeamTerms, DISCOUNTS, st.dictionaries(st.sampled_from(["USD/EUR", "EUR/JPY"]), AMOUNTS))
RULES = st.builds(
    BillingRules,
    st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from(LateUsage),
    st.builds(
        InvoiceRules,
        st.builds(LegalEntity, TEXTS.filter(bool), TEXTS, NAMES, TEXTS, TEXTS, NAMES),
        TEXTS.map(lambda text: f"{text}{{number}}"),
        due_days=st.integers(0, 366),
        taxes=st.lists(
            st.builds(TaxRate, TEXTS.filter(bool), AMOUNTS, NAMES, st.dictionaries(TEXTS, NAMES, max_size=2), NAMES),
            max_size=2,
        ).map(tuple),
    ),
)


@given(TERMS, TEAM_TERMS, RULES)
def test_terms_and_rules_come_back_from_json_as_they_went_in(terms, team_terms, rules):
    assert terms_from_json(terms_to_json(terms)) == terms
    assert team_terms_from_json(team_terms_to_json(team_terms)) == team_terms
    assert rules_from_json(rules_to_json(rules)) == rules


def test_what_is_at_its_default_is_not_stored():
    assert [terms_to_json(Terms()), team_terms_to_json(TeamTerms()), rules_to_json(BillingRules())] == [{}, {}, {}]
