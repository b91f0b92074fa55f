"""Which prices hold for a team: the plan's, and in their place those agreed with it."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.catalog.models import BillingPeriod, PlanTerms, PriceVersion, TeamTerms
from tallystick.catalog.price_book import Named, PriceBook
from tallystick.core.clock import Interval
from tallystick.core.errors import NotFound
from tallystick.pricing import Price


def day(n):
    return None if n is None else datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def named(name, start, end, *, amount=1, team=None, currency="USD"):
    price = Price.from_parameters("m", "flat", currency, {"amount": amount, "name": name})
    return Named(name, PriceVersion(amount, price, day(start), day(end), team))


def book(plan, team=(), terms=()):
    whole = Interval(day(-1000), day(1000))
    known = {"p": list(terms) or [(None, PlanTerms("p", 1, "USD", BillingPeriod()))]}
    return PriceBook(whole, {"p": plan}, {"acme": list(team)}, known, {})


def spans(versions):
    def number(moment):
        return None if moment is None else (moment - day(0)).days

    return [(v.price.label, v.id, number(v.effective_from), number(v.effective_to)) for v in versions]


PERIOD = Interval(day(0), day(30))
CASES = [
    ("nothing agreed", [("a", None, None)], [], [("a", 1, None, None)]),
    ("instead of the plan's", [("a", None, None)], [("a", None, None)], [("a", 2, None, None)]),
    (
        "for some time",
        [("a", None, None)],
        [("a", 10, 20)],
        [("a", 1, None, 10), ("a", 2, 10, 20), ("a", 1, 20, None)],
    ),
    ("from some day on", [("a", 5, None)], [("a", 10, None)], [("a", 1, 5, 10), ("a", 2, 10, None)]),
    ("up to some day", [("a", None, 25)], [("a", None, 10)], [("a", 2, None, 10), ("a", 1, 10, 25)]),
    ("beside the plan's", [("a", None, None)], [("b", None, None)], [("a", 1, None, None), ("b", 2, None, None)]),
    ("of a time before", [("a", None, None)], [("a", None, 0)], [("a", 1, None, None)]),
    ("of a time to come", [("a", None, None)], [("a", 30, None)], [("a", 1, None, None)]),
    (
        "across a change of the plan's",
        [("a", None, 15), ("a", 15, None)],
        [("a", 10, 20)],
        [("a", 1, None, 10), ("a", 2, 10, 20), ("a", 1, 20, None)],
    ),
    (
        "twice",
        [("a", None, None)],
        [("a", 5, 10), ("a", 15, 20)],
        [("a", 1, None, 5), ("a", 2, 5, 10), ("a", 1, 10, 15), ("a", 2, 15, 20), ("a", 1, 20, None)],
    ),
]


@pytest.mark.parametrize(("plan", "team", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_price_agreed_with_a_team_takes_the_place_of_the_plans(plan, team, expected):
    prices = book([named(*each) for each in plan], [named(*each, amount=2, team="acme") for each in team])
    assert spans(prices.prices("p", PERIOD, "acme")) == expected
    assert spans(prices.prices("p", PERIOD, "globex")) == [(name, 1, start, end) for name, start, end in plan]


def test_a_price_agreed_in_another_currency_than_the_plans_is_left_out():
    prices = book([named("a", None, None)], [named("a", None, None, amount=2, team="acme", currency="EUR")])
    assert spans(prices.prices("p", PERIOD, "acme")) == [("a", 1, None, None)]


def test_only_prices_of_the_period_are_given():
    prices = book([named("a", None, 0), named("a", 0, 30, amount=2), named("a", 30, None, amount=3)])
    assert spans(prices.prices("p", PERIOD)) == [("a", 2, 0, 30)]
    assert prices.prices("unknown", PERIOD) == ()


def test_teams_without_prices_of_their_own_share_one_answer():
    prices = book([named("a", None, None)])
    assert prices.prices("p", PERIOD, "globex") is prices.prices("p", PERIOD, "initech")


def test_the_terms_at_the_end_of_a_period_hold_for_all_of_it():
    first, second = (PlanTerms("p", 1, "USD", BillingPeriod(), trial_days=days) for days in (1, 2))
    terms = book([], terms=[(None, first), (day(20), second)])
    assert terms.plan_terms("p", Interval(day(0), day(20))) == first
    assert terms.plan_terms("p", PERIOD) == terms.plan_terms("p") == second
    assert terms.team_terms("globex", PERIOD) == TeamTerms()
    with pytest.raises(NotFound, match="there is no plan 'q'"):
        terms.plan_terms("q")
