"""Fees, terms, plan versions, and what is agreed with single teams: applied, and asked for as known at a moment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.catalog import service, store
from tallystick.catalog.errors import CatalogueError, RetroactiveChange
from tallystick.catalog.loading import parse
from tallystick.catalog.models import BillingRules, TeamTerms
from tallystick.catalog.price_book import PriceBook
from tallystick.catalog.render import render_plan
from tallystick.catalog.rules import LateUsage
from tallystick.catalog.terms import PlanCommitment, ScopedDiscount
from tallystick.core.clock import Interval
from tallystick.core.errors import NotFound

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
MARCH = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
APRIL = Interval(MARCH.end, datetime(2026, 5, 1, tzinfo=UTC))
DAY = timedelta(days=1)

METRICS = """\
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  seats: {event: seats, aggregation: max, unit: seat}
"""
CALLS = "{metric: calls, model: per_unit, unit_price: 1}"


def file(plan: str = f"{{prices: [{CALLS}]}}", teams: str = "", *, name: str = "growth", rest: str = "") -> str:
    return f"{METRICS}plans:\n  {name}: {plan}\n" + (f"teams:\n  acme: {teams}\n" if teams else "") + rest


async def apply(database, clock, source, **options):
    return await service.apply(database, parse(source), clock, **options)


async def planned(database, clock, source):
    return render_plan(await service.plan_changes(database, parse(source), clock))


async def rows(database, statement):
    async with database.snapshot() as tx:
        return await (await tx.execute(statement)).fetchall()


async def prices(database, plan="growth", interval=MARCH, team=None, known_at=None):
    """Label, the first number, and the interval of each price that holds."""
    async with database.snapshot() as tx:
        versions = await store.price_versions(tx, plan, interval, team, known_at)
    return [
        (v.price.label, str(v.price.tiers[0].unit_price or v.price.tiers[0].flat_fee), v.effective_from, v.effective_to)
        for v in versions
    ]


async def terms_of(database, plan="growth", period=None, known_at=None):
    async with database.snapshot() as tx:
        return await store.plan_terms(tx, plan, period, known_at)


async def team_terms_of(database, period=None, known_at=None):
    async with database.snapshot() as tx:
        return await store.team_terms(tx, "acme", period, known_at)


async def test_fees_and_named_prices_are_stored_beside_each_other(database, clock):
    plan = (
        "{fees: [{name: base, amount: 49}], prices: [" + CALLS + ", "
        "{name: premium, metric: calls, model: per_unit, unit_price: 2, where: {region: eu}}]}"
    )
    applied = await apply(database, clock, file(plan))
    assert "+ price growth/base\n    model: flat\n    currency: USD\n    amount: 49\n" in render_plan(applied)
    assert await prices(database) == [
        ("base", "49", None, None),
        ("calls", "1", None, None),
        ("premium", "2", None, None),
    ]
    assert await rows(database, "SELECT name, metric FROM prices ORDER BY name") == [
        ("base", None),
        ("calls", "calls"),
        ("premium", "calls"),
    ]
    assert await planned(database, clock, file(plan)) == "no changes"


async def test_a_price_that_ends_leaves_nothing_and_its_end_can_move(database, clock):
    ends = f"{{prices: [{CALLS[:-1]}, effective_to: %s}}]}}"
    await apply(database, clock, file())
    plan = await apply(database, clock, file(ends % "2026-04-10T00:00:00Z"))
    assert render_plan(plan) == "- price growth/calls ends 2026-04-10T00:00:00Z\n\n1 to end"
    assert await prices(database, interval=APRIL) == [("calls", "1", None, datetime(2026, 4, 10, tzinfo=UTC))]
    moved = await apply(database, clock, file(ends % "2026-04-20T00:00:00Z"))
    assert render_plan(moved).startswith("~ price growth/calls until 2026-04-20T00:00:00Z (prolonged)")
    assert render_plan(await apply(database, clock, file())).startswith("~ price growth/calls (prolonged)")
    assert await prices(database, interval=APRIL) == [("calls", "1", None, None)]


async def test_an_end_in_the_past_needs_permission(database, clock):
    await apply(database, clock, file())
    ended = file(f"{{prices: [{CALLS[:-1]}, effective_to: 2026-03-10T00:00:00Z}}]}}")
    with pytest.raises(RetroactiveChange, match="price growth/calls ends 2026-03-10T00:00:00Z"):
        await apply(database, clock, ended)
    await apply(database, clock, ended, allow_retroactive=True)
    assert await prices(database) == [("calls", "1", None, datetime(2026, 3, 10, tzinfo=UTC))]
    assert await prices(database, known_at=NOON - DAY) == []
    assert await planned(database, clock, ended) == "no changes"


async def test_what_was_known_of_prices_at_any_moment_can_be_asked_for(database, clock):
    await apply(database, clock, file())
    first, known = clock.now(), [await prices(database)]
    for price in (2, 3):
        clock.advance(DAY)
        await apply(database, clock, file(f"{{prices: [{CALLS.replace('1', str(price))}]}}"))
        known.append(await prices(database))
    clock.advance(DAY)
    corrected = file(
        f"{{prices: [{CALLS.replace('1', '3')}, "
        "{metric: calls, model: per_unit, unit_price: 9, effective_from: 2026-03-02T00:00:00Z}]}"
    )
    await apply(database, clock, corrected, allow_retroactive=True)
    known.append(await prices(database))
    assert known[0] == [("calls", "1", None, None)]
    assert known[1] == [("calls", "1", None, first + DAY), ("calls", "2", first + DAY, None)]
    for days, expected in enumerate(known):
        assert await prices(database, known_at=first + days * DAY) == expected
        assert await prices(database, known_at=first + (days + 1) * DAY - timedelta(seconds=1)) == expected
    assert await prices(database, known_at=first - DAY) == []


async def test_a_price_to_come_is_unknown_before_it_was_announced(database, clock):
    await apply(database, clock, file())
    announced = f"{{prices: [{CALLS}, {CALLS.replace('1', '2')[:-1]}, effective_from: 2026-04-01T00:00:00Z}}]}}"
    clock.advance(DAY)
    await apply(database, clock, file(announced))
    clock.advance(DAY)
    await apply(database, clock, file())
    april = MARCH.end
    both = Interval(MARCH.start, APRIL.end)
    assert await prices(database, interval=both, known_at=NOON) == [("calls", "1", None, None)]
    assert await prices(database, interval=both, known_at=NOON + DAY) == [
        ("calls", "1", None, april),
        ("calls", "2", april, None),
    ]
    assert await prices(database, interval=both) == [("calls", "1", None, None)]


async def test_terms_of_a_plan_hold_from_the_apply_and_are_known_by_moment(database, clock):
    await apply(database, clock, file())
    clock.advance(DAY)
    plan = await apply(
        database,
        clock,
        file(
            "{trial_days: 14, minimum: 20, commitment: 100, discounts: [{percent: 10, metrics: [calls]}], prices: []}"
        ),
    )
    assert [str(change.kind) for change in plan.differences] == ["change", "end"]
    assert plan.differences[0].subject == "terms of plan growth"
    assert plan.differences[0].lines == [
        "trial_days: 14",
        "minimum: 20",
        "commitment.amount: 100",
        "commitment.overage_factor: 1",
        "commitment.true_up: true",
        "discounts[0]: percent 10, metrics [calls]",
    ]
    terms = await terms_of(database, period=MARCH)
    assert (terms.name, terms.version, terms.currency, terms.trial_days) == ("growth", 1, "USD", 14)
    assert (terms.minimum, terms.commitment) == (Decimal(20), PlanCommitment(Decimal(100)))
    assert terms.discounts == (ScopedDiscount(Decimal(10), metrics=("calls",)),)
    assert await terms_of(database) == terms
    assert (await terms_of(database, period=MARCH, known_at=NOON)).trial_days == 0
    assert (await terms_of(database, period=Interval(MARCH.start, NOON))).trial_days == 0
    with pytest.raises(NotFound, match="there is no plan 'none'"):
        await terms_of(database, "none")


async def test_a_team_stays_on_its_version_until_it_is_moved(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-01-01}"))
    clock.advance(DAY)
    second = f"{{version: 2, period: quarter, prices: [{CALLS.replace('1', '2')}]}}"
    plan = await apply(database, clock, file(second, teams="{plan: growth, start: 2026-01-01}"))
    assert [(str(change.kind), change.subject) for change in plan.differences] == [
        ("add", "plan growth@2"),
        ("add", "price growth@2/calls"),
        ("end", "plan growth"),
    ]
    assert "- plan growth (followed by growth@2; teams on it stay on it)" in render_plan(plan)
    assert await rows(database, "SELECT plan FROM subscriptions") == [("growth",)]
    assert await prices(database) == [("calls", "1", None, None)]
    assert await prices(database, "growth@2") == [("calls", "2", None, None)]
    moved = file(second, teams="{plan: growth, plan_version: 2, start: 2026-04-01}")
    assert "plan: growth → growth@2" in await planned(database, clock, moved)
    await apply(database, clock, moved)
    assert await rows(database, "SELECT plan, starts_at FROM subscriptions ORDER BY starts_at") == [
        ("growth", datetime(2026, 1, 1, tzinfo=UTC)),
        ("growth@2", MARCH.end),
    ]
    assert await planned(database, clock, moved) == "no changes"


async def test_a_new_team_begins_on_the_newest_version(database, clock):
    await apply(database, clock, file())
    await apply(database, clock, file("{version: 2}", teams="{plan: growth}"))
    assert await rows(database, "SELECT plan FROM subscriptions") == [("growth@2",)]
    assert await rows(database, "SELECT name, family, version FROM plans ORDER BY name") == [
        ("growth", "growth", 1),
        ("growth@2", "growth", 2),
    ]


async def test_both_versions_of_a_plan_can_stand_in_the_file(database, clock):
    both = file(f"{{prices: [{CALLS}]}}", name="growth@1").replace("teams:", "  growth: {version: 2}\nteams:")
    source = both + "  growth: {version: 2}\nteams:\n  acme: {plan: growth@1}\n"
    await apply(database, clock, source)
    assert await rows(database, "SELECT name FROM plans WHERE archived_at IS NULL ORDER BY 1") == [
        ("growth",),
        ("growth@2",),
    ]
    assert await rows(database, "SELECT plan FROM subscriptions") == [("growth",)]


async def test_a_version_that_was_never_applied_is_no_plan(database, clock):
    with pytest.raises(CatalogueError, match=r"teams\.acme\.plan_version: plan growth has no version 2"):
        await apply(database, clock, file("{version: 3}", teams="{plan: growth, plan_version: 2}"))


AGREED = "{plan: growth, start: 2026-03-01, prices: [{metric: calls, model: per_unit, unit_price: 0.5%s}]}"


async def test_a_price_agreed_with_a_team_replaces_the_plans_for_it_alone(database, clock):
    plan = await apply(database, clock, file(teams=AGREED % ""))
    assert "+ price of team acme/calls" in render_plan(plan)
    assert await prices(database, team="acme") == [("calls", "0.5", None, None)]
    assert await prices(database, team="globex") == await prices(database) == [("calls", "1", None, None)]
    assert await planned(database, clock, file(teams=AGREED % "")) == "no changes"


async def test_an_agreed_price_holds_in_its_interval(database, clock):
    begin, end = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 25, tzinfo=UTC)
    interval = ", effective_from: 2026-03-20T00:00:00Z, effective_to: 2026-03-25T00:00:00Z"
    await apply(database, clock, file(teams=AGREED % interval))
    assert await prices(database, team="acme") == [
        ("calls", "1", None, begin),
        ("calls", "0.5", begin, end),
        ("calls", "1", end, None),
    ]
    assert await prices(database, team="acme", interval=APRIL) == [("calls", "1", None, None)]


async def test_what_is_agreed_ends_when_the_file_does_not_say_it_any_more(database, clock):
    await apply(database, clock, file(teams=AGREED[:-1] % "" + ", discounts: [{percent: 5}]}"))
    clock.advance(DAY)
    plan = await apply(database, clock, file(teams="{plan: growth, start: 2026-03-01}"))
    assert [(str(change.kind), change.subject) for change in plan.differences] == [
        ("change", "terms of team acme"),
        ("end", "price of team acme/calls"),
    ]
    now = clock.now()
    assert await prices(database, team="acme") == [("calls", "0.5", None, now), ("calls", "1", now, None)]
    assert await prices(database, team="acme", known_at=NOON) == [("calls", "0.5", None, None)]
    assert await team_terms_of(database, MARCH) == TeamTerms()
    assert (await team_terms_of(database, MARCH, NOON)).discounts == (ScopedDiscount(Decimal(5)),)


async def test_a_team_that_is_not_in_the_file_keeps_what_is_agreed(database, clock):
    await apply(database, clock, file(teams=AGREED % ""))
    assert await planned(database, clock, file()) == "no changes"
    with pytest.raises(CatalogueError, match=r"metrics\.calls: can't be removed: .*team acme has a price for it"):
        await apply(database, clock, "version: 1\nmetrics: {}\nplans: {}\n")


async def test_terms_of_a_known_team_hold_from_now(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-03-01}"))
    clock.advance(DAY)
    agreed = "{plan: growth, start: 2026-03-01, currency: EUR, exchange_rate: {USD/EUR: 0.9}}"
    plan = await apply(database, clock, file(teams=agreed))
    assert [change.lines for change in plan.differences] == [
        ["currency: (none) → EUR"],
        ["exchange_rates.USD/EUR: 0.9"],
    ]
    assert await rows(database, "SELECT currency FROM teams") == [("EUR",)]
    assert (await team_terms_of(database, MARCH)).exchange_rates == {"USD/EUR": Decimal("0.9")}
    assert await team_terms_of(database, Interval(MARCH.start, NOON)) == TeamTerms()
    assert await team_terms_of(database, MARCH, NOON) == TeamTerms()
    clock.advance(DAY)
    assert await planned(database, clock, file(teams="{plan: growth, start: 2026-03-01}")) == (
        "~ terms of team acme from 2026-03-17T12:00:00Z\n    exchange_rates.USD/EUR: 0.9\n\n1 to change"
    )


async def test_agreed_prices_are_in_the_currency_of_the_plan_that_the_team_is_on(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-03-01}"))
    euros = file("{version: 2, currency: EUR}", teams="{plan: growth, fees: [{name: base, amount: 1}]}")
    with pytest.raises(CatalogueError, match="is EUR, but plan growth, which the team is on, is in USD"):
        await apply(database, clock, euros)


async def test_the_rules_of_billing_hold_from_the_apply(database, clock):
    async def rules(known_at=None):
        async with database.snapshot() as tx:
            return await store.billing_rules(tx, known_at)

    assert await rules() == BillingRules()
    await apply(database, clock, file())
    clock.advance(DAY)
    plan = await apply(database, clock, file(rest="billing: {grace: 3d, late_usage: credit_note}\n"))
    assert [change.lines for change in plan.differences] == [
        ["grace: 1h → 3d", "late_usage: next_period → credit_note"]
    ]
    now = await rules()
    assert (now.grace, now.late_usage) == (3 * DAY, LateUsage.CREDIT_NOTE)
    assert await rules(NOON) == BillingRules()


async def test_many_teams_are_answered_from_one_book(database, clock):
    teams = "".join(f"  t{n}: {{plan: growth, start: 2026-03-01}}\n" for n in range(50))
    await apply(database, clock, file(teams=AGREED % "") + teams)
    async with database.snapshot() as tx:
        book = await PriceBook.load(tx, ["growth"], MARCH, ["acme", *(f"t{n}" for n in range(50))])
    shared = {id(book.prices("growth", MARCH, f"t{n}")) for n in range(50)}
    assert len(shared) == 1
    assert [str(v.price.tiers[0].unit_price) for v in book.prices("growth", MARCH, "acme")] == ["0.5"]
    assert book.prices("growth", MARCH, "acme")[0].team_id == "acme"


async def test_a_closed_period_is_not_changed_by_moving_a_team(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-01-01}") + "  globex: {plan: growth}\n")
    async with database.transaction() as tx:
        await tx.execute(
            """INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency,
                                                    status, computed_at)
               SELECT team_id, id, '2026-01-01', '2026-02-01', 'USD', 'closed', '2026-02-01'
               FROM subscriptions WHERE team_id = 'acme'"""
        )
    moved = file(teams="{plan: basic, start: %s}").replace("teams:", "  basic: {}\nteams:")
    with pytest.raises(CatalogueError) as raised:
        await apply(database, clock, moved % "2026-01-15", allow_retroactive=True)
    assert str(raised.value).endswith(
        "teams.acme.start: can't change at 2026-01-15T00:00:00Z: the team's billing periods are closed up to "
        "2026-02-01T00:00:00Z"
    )
    await apply(database, clock, moved % "2026-02-01", allow_retroactive=True)
    assert await rows(database, "SELECT plan FROM subscriptions WHERE team_id = 'acme' ORDER BY starts_at") == [
        ("growth",),
        ("basic",),
    ]


async def test_what_becomes_of_subscriptions_is_recorded_at_the_applys_instant(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-01-01}"))
    clock.advance(DAY)
    moved = file(teams="{plan: basic, start: 2026-01-01}").replace("teams:", "  basic: {trial_days: 7}\nteams:")
    await apply(database, clock, moved)
    assert await rows(database, "SELECT plan, recorded_at, replaced_at FROM subscription_history") == [
        ("growth", NOON, NOON + DAY)
    ]


async def test_a_new_fee_on_a_plan_in_use_holds_from_now(database, clock):
    teams = "{plan: growth, start: 2026-01-01}"
    await apply(database, clock, file(teams=teams))
    clock.advance(DAY)
    fee = "{prices: [%s], fees: [{name: base, amount: 49%s}]}"
    await apply(database, clock, file(fee % (CALLS, ""), teams))
    assert await prices(database) == [("base", "49", clock.now(), None), ("calls", "1", None, None)]


async def test_a_new_fee_in_the_past_of_a_plan_in_use_needs_permission(database, clock):
    teams = "{plan: growth, start: 2026-01-01}"
    await apply(database, clock, file(teams=teams))
    past = "{fees: [{name: base, amount: 49, effective_from: 2026-02-01T00:00:00Z}], prices: [%s]}"
    with pytest.raises(RetroactiveChange, match="price growth/base from 2026-02-01T00:00:00Z"):
        await apply(database, clock, file(past % CALLS, teams))


async def test_what_is_agreed_with_a_team_that_was_charged_already_holds_from_now(database, clock):
    await apply(database, clock, file(teams="{plan: growth, start: 2026-01-01}"))
    clock.advance(DAY)
    plan = await apply(database, clock, file(teams=AGREED.replace("2026-03-01", "2026-01-01") % ""))
    now = clock.now()
    assert not plan.retroactive
    assert await prices(database, team="acme") == [("calls", "1", None, now), ("calls", "0.5", now, None)]


async def test_a_metric_version_cut_in_the_past_stays_known_as_it_was(database, clock):
    await apply(database, clock, file())
    clock.advance(DAY)
    changed = file().replace("event: api_call,", "event: call, effective_from: 2026-03-10T00:00:00Z,")
    await apply(database, clock, changed, allow_retroactive=True)
    known = """SELECT definition ->> 'event_name', effective_to = 'infinity' FROM metric_versions
               WHERE metric = 'calls' AND recorded_at <= %s AND (superseded_at IS NULL OR superseded_at > %s)
               ORDER BY effective_from"""
    async with database.snapshot() as tx:
        before = await (await tx.execute(known, (NOON, NOON))).fetchall()
        after = await (await tx.execute(known, (clock.now(), clock.now()))).fetchall()
    assert (before, after) == ([("api_call", True)], [("api_call", False), ("call", True)])
