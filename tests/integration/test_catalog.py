"""The billing file against a real database: what applying it writes, and what it never overwrites."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tallystick.catalog import service, store
from tallystick.catalog.errors import CatalogueError, RetroactiveChange
from tallystick.catalog.loading import load, parse
from tallystick.catalog.models import ChangeKind, Defaults
from tallystick.catalog.render import render_plan
from tallystick.core.clock import Interval, ManualClock
from tallystick.metering.definitions import definition_from_json

EXAMPLE = Path(__file__).parents[2] / "examples" / "tallystick.yaml"
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
ALL_TIME = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

METRIC = "  calls: {event: api_call, aggregation: sum, unit: call}\n"
PRICE = "      - {metric: calls, model: per_unit, unit_price: 1}\n"


def file(metrics: str = METRIC, prices: str = PRICE, plan: str = "", rest: str = "") -> str:
    return f"version: 1\ncurrency: USD\nmetrics:\n{metrics}plans:\n  standard:\n{plan}    prices:\n{prices}{rest}"


def priced(price: str, *history: str) -> str:
    entries = "".join(
        f"      - {{metric: calls, model: per_unit, {terms}}}\n" for terms in (f"unit_price: {price}", *history)
    )
    return file(prices=entries)


def since(price: str, instant: str) -> str:
    return f"unit_price: {price}, effective_from: {instant}"


async def rows(database, statement, *parameters):
    async with database.snapshot() as tx:
        return await (await tx.execute(statement, parameters)).fetchall()


async def apply(database, clock, source, **options):
    return await service.apply(database, parse(source), clock, **options)


async def price_history(database, plan="standard"):
    async with database.snapshot() as tx:
        versions = await store.price_versions(tx, plan, ALL_TIME)
    return [(str(v.price.tiers[0].unit_price), v.effective_from, v.effective_to) for v in versions]


def kinds(plan):
    return [(str(change.kind), change.subject) for change in plan.differences]


async def test_the_example_is_applied_and_then_changes_nothing(database, clock):
    catalogue = load(EXAMPLE)
    planned = await service.plan_changes(database, catalogue, clock)
    applied = await service.apply(database, catalogue, clock)
    assert kinds(applied) == kinds(planned)
    assert {change.kind for change in applied.differences} == {ChangeKind.ADD, ChangeKind.CHANGE}
    clock.advance(timedelta(days=400))
    again = await service.apply(database, catalogue, clock)
    assert render_plan(again) == "no changes"
    assert await rows(database, "SELECT count(*) FROM catalogue_revisions") == [(1,)]


async def test_planning_writes_nothing(database, clock):
    await service.plan_changes(database, load(EXAMPLE), clock)
    assert await rows(database, "SELECT count(*) FROM metrics") == [(0,)]


async def test_what_was_applied_can_be_exported(database, clock):
    assert await service.export(database) is None
    await apply(database, clock, file())
    assert await service.export(database) == file()


async def test_everything_of_the_file_is_stored(database, clock):
    catalogue = load(EXAMPLE)
    await service.apply(database, catalogue, clock)
    stored = await rows(
        database,
        """SELECT m.name, m.aggregation, m.unit, v.definition, v.effective_from = '-infinity',
                  v.effective_to = 'infinity', v.rolled_until = '-infinity', v.recorded_at
           FROM metrics m JOIN metric_versions v ON v.metric = m.name""",
    )
    assert {name: definition_from_json(document) for name, _, _, document, *_ in stored} == {
        name: entry.definition for name, entry in catalogue.metrics.items()
    }
    assert all(row[4:] == (True, True, True, NOON) for row in stored)
    for name, aggregation, unit, *_ in stored:
        definition = catalogue.metrics[name].definition
        assert (aggregation, unit) == (definition.aggregation, definition.unit)
    assert sorted(await rows(database, "SELECT name, currency, period_unit, period_every FROM plans")) == [
        ("enterprise", "EUR", "quarter", 1),
        ("growth@2", "USD", "month", 1),
        ("standard", "USD", "month", 1),
    ]
    assert await rows(database, "SELECT id, name, time_zone FROM teams ORDER BY id") == [
        ("acme", "Acme", "America/New_York"),
        ("globex", "Globex", "Europe/Berlin"),
    ]
    assert await rows(
        database, "SELECT team_id, plan, starts_at, ends_at = 'infinity', anchor FROM subscriptions ORDER BY team_id"
    ) == [
        ("acme", "standard", datetime(2026, 1, 1, 5, tzinfo=UTC), True, "calendar"),
        ("globex", "enterprise", datetime(2026, 1, 14, 23, tzinfo=UTC), True, "anniversary"),
    ]


async def test_tiers_are_rows_of_their_own(database, clock):
    await service.apply(database, load(EXAMPLE), clock)
    tiers = await rows(
        database,
        """SELECT t.position, t.tier_start, t.tier_end, t.price_per_unit, t.flat_fee, t.currency, t.metric
           FROM usage_pricing_tiers t JOIN prices p ON p.id = t.price_id
           WHERE p.plan = 'standard' AND p.metric = 'api_calls' ORDER BY t.position""",
    )
    assert tiers == [
        (0, 0, 10_000, 0, 0, "USD", "api_calls"),
        (1, 10_000, 100_000, Decimal("0.001"), 0, "USD", "api_calls"),
        (2, 100_000, None, Decimal("0.0008"), 0, "USD", "api_calls"),
    ]


async def test_a_price_comes_back_from_the_database_as_the_file_says(database, clock):
    catalogue = load(EXAMPLE)
    await service.apply(database, catalogue, clock)
    for name, plan in catalogue.plans.items():
        async with database.snapshot() as tx:
            versions = await store.price_versions(tx, name, ALL_TIME)
        prices = [version.price for version in versions]
        assert len(prices) == len(plan.prices)
        assert all(entry.price in prices for entry in plan.prices)


async def test_a_changed_price_holds_from_now_and_the_old_one_until_now(database, clock):
    await apply(database, clock, priced("1"))
    clock.advance(timedelta(days=1))
    plan = await apply(database, clock, priced("2"))
    now = clock.now()
    assert kinds(plan) == [("change", "price standard/calls")]
    assert plan.differences[0].lines == ["unit_price: 1 → 2"]
    assert await price_history(database) == [("1", None, now), ("2", now, None)]
    assert await rows(database, "SELECT effective_to FROM usage_pricing_tiers WHERE effective_to <> 'infinity'") == [
        (now,)
    ]


async def test_prices_can_be_asked_for_an_interval(database, clock):
    await apply(database, clock, priced("1"))
    clock.advance(timedelta(days=1))
    await apply(database, clock, priced("2"))
    now = clock.now()

    async def prices_in(start, end):
        async with database.snapshot() as tx:
            versions = await store.price_versions(tx, "standard", Interval(start, end))
        return [str(v.price.tiers[0].unit_price) for v in versions]

    hour = timedelta(hours=1)
    assert await prices_in(now - hour, now) == ["1"]
    assert await prices_in(now, now + hour) == ["2"]
    assert await prices_in(now - hour, now + hour) == ["1", "2"]


async def test_a_price_to_come_begins_when_it_says_and_can_be_withdrawn(database, clock):
    april = datetime(2026, 4, 1, tzinfo=UTC)
    await apply(database, clock, priced("1"))
    await apply(database, clock, priced("1", since("2", "2026-04-01T00:00:00Z")))
    assert await price_history(database) == [("1", None, april), ("2", april, None)]
    plan = await apply(database, clock, priced("1"))
    assert "- price standard/calls from 2026-04-01T00:00:00Z (withdrawn before it took effect)" in render_plan(plan)
    assert await price_history(database) == [("1", None, None)]


async def test_a_new_price_in_the_past_needs_permission(database, clock):
    await apply(database, clock, priced("1"))
    changed = priced("1", since("2", "2026-03-01T00:00:00Z"))
    planned = await service.plan_changes(database, parse(changed), clock)
    assert [change.retroactive for change in planned.differences] == [True]
    assert "~ price standard/calls from 2026-03-01T00:00:00Z RETROACTIVE" in render_plan(planned)
    with pytest.raises(RetroactiveChange, match=r"price standard/calls from 2026-03-01T00:00:00Z"):
        await apply(database, clock, changed)
    assert await price_history(database) == [("1", None, None)]
    await apply(database, clock, changed, allow_retroactive=True)
    march = datetime(2026, 3, 1, tzinfo=UTC)
    assert await price_history(database) == [("1", None, march), ("2", march, None)]


async def test_a_price_history_can_be_the_first_thing_applied(database, clock):
    plan = await apply(database, clock, priced("1", since("2", "2026-03-01T00:00:00Z")))
    assert not plan.retroactive


async def test_a_correction_supersedes_and_keeps_what_was_known(database, clock):
    first = priced("1", since("2", "2026-03-01T00:00:00Z"))
    await apply(database, clock, first)
    clock.advance(timedelta(days=1))
    plan = await apply(database, clock, priced("1", since("3", "2026-03-01T00:00:00Z")), allow_retroactive=True)
    march, now = datetime(2026, 3, 1, tzinfo=UTC), clock.now()
    assert kinds(plan) == [("correct", "price standard/calls")]
    assert await price_history(database) == [("1", None, march), ("3", march, None)]
    assert await rows(
        database, "SELECT parameters->>'unit_price', recorded_at, superseded_at FROM prices ORDER BY id"
    ) == [("1", NOON, None), ("2", NOON, now), ("3", now, None)]


async def test_what_a_past_statement_knew_can_be_read_again(database, clock):
    await apply(database, clock, priced("1"))
    known = "SELECT parameters->>'unit_price' FROM prices WHERE recorded_at <= %s AND effective_to > %s " \
            "AND (superseded_at IS NULL OR superseded_at > %s) ORDER BY effective_from"  # fmt: skip
    in_march = datetime(2026, 3, 10, tzinfo=UTC)
    before = await rows(database, known, NOON, in_march, NOON)
    clock.advance(timedelta(days=1))
    await apply(database, clock, priced("1", since("2", "2026-03-01T00:00:00Z")), allow_retroactive=True)
    assert await rows(database, known, NOON, in_march, NOON) == before == [("1",)]
    assert await rows(database, known, clock.now(), in_march, clock.now()) == [("2",)]


async def test_a_removed_price_ends_now(database, clock):
    await apply(database, clock, file())
    clock.advance(timedelta(days=1))
    plan = await apply(database, clock, file(prices="      []\n"))
    assert kinds(plan) == [("end", "price standard/calls")]
    assert await price_history(database) == [("1", None, clock.now())]


async def test_a_removed_plan_is_archived_and_can_come_back(database, clock):
    two = file(rest="  basic: {}\n")
    await apply(database, clock, two)
    plan = await apply(database, clock, file())
    assert kinds(plan) == [("end", "plan basic")]
    assert await rows(database, "SELECT name FROM plans WHERE archived_at IS NOT NULL") == [("basic",)]
    assert render_plan(await apply(database, clock, file())) == "no changes"
    assert kinds(await apply(database, clock, two)) == [("change", "plan basic")]
    assert await rows(database, "SELECT name FROM plans WHERE archived_at IS NOT NULL") == []


async def test_a_changed_metric_is_a_new_version(database, clock):
    await apply(database, clock, file())
    clock.advance(timedelta(hours=3, minutes=20))
    changed = file(metrics="  calls: {event: api_call, aggregation: sum, unit: call, filters: {status: 200}}\n")
    plan = await apply(database, clock, changed)
    assert plan.differences[0].lines == ["filters.status: (none) → 200"]
    now = clock.now()
    assert await rows(
        database,
        "SELECT nullif(effective_from, '-infinity'), nullif(effective_to, 'infinity') FROM metric_versions ORDER BY id",
    ) == [(None, now), (now, None)]


async def test_a_removed_metric_ends_now(database, clock):
    two = METRIC + "  other: {event: x, aggregation: count, unit: x}\n"
    await apply(database, clock, file(metrics=two))
    clock.advance(timedelta(hours=1))
    plan = await apply(database, clock, file())
    assert render_plan(plan).startswith("- metric other ends 2026-03-15T13:00:00Z\n")
    assert await rows(
        database, "SELECT metric, effective_to FROM metric_versions WHERE effective_to <> 'infinity'"
    ) == [("other", clock.now())]


async def roll_up(database, version, *hours):
    """Roll-ups of a version for these hours of 15 March, complete until 18:00."""
    async with database.transaction() as tx:
        for hour in hours:
            start = NOON.replace(hour=hour)
            await tx.execute(
                """INSERT INTO usage_aggregates (metric_version_id, team_id, period_start, period_end, dimensions,
                                                 events, unvalued, unit)
                   VALUES (%s, 't', %s, %s, '{}', 1, 0, 'call')""",
                (version, start, start + timedelta(hours=1)),
            )
            await tx.execute("INSERT INTO usage_aggregate_values VALUES (%s, 't', %s, '{}', 'x', 1)", (version, start))
        await tx.execute("UPDATE metric_versions SET rolled_until = %s WHERE id = %s", (NOON.replace(hour=18), version))


async def rolled_up(database):
    hours = "SELECT extract(hour FROM period_start)::int FROM {} ORDER BY 1"
    aggregates = [row[0] for row in await rows(database, hours.format("usage_aggregates"))]
    values = [row[0] for row in await rows(database, hours.format("usage_aggregate_values"))]
    assert aggregates == values
    return aggregates


async def test_roll_ups_of_a_version_are_dropped_from_the_hour_of_its_new_end(database, clock):
    await apply(database, clock, file())
    await roll_up(database, 1, 12, 14, 15, 16)
    clock.advance(timedelta(hours=3, minutes=20))
    await apply(
        database,
        clock,
        file(metrics="  calls: {event: api_call, aggregation: sum, unit: call, allow_negative: true}\n"),
    )
    assert await rolled_up(database) == [12, 14]
    assert await rows(database, "SELECT rolled_until FROM metric_versions WHERE id = 1") == [(NOON.replace(hour=15),)]


async def test_roll_ups_of_a_corrected_version_are_dropped(database, clock):
    dated = "  calls: {event: %s, aggregation: sum, unit: call, effective_from: 2026-03-01T00:00:00Z}\n"
    await apply(database, clock, file(metrics=dated % "api_call"))
    await roll_up(database, 1, 12, 14)
    clock.advance(timedelta(hours=3))
    plan = await apply(database, clock, file(metrics=dated % "call"), allow_retroactive=True)
    assert kinds(plan) == [("correct", "metric calls")]
    assert await rolled_up(database) == []
    assert await rows(
        database, "SELECT definition->>'event_name', superseded_at IS NULL FROM metric_versions ORDER BY id"
    ) == [("api_call", False), ("call", True)]


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("aggregation: max, unit: call", "f.yaml:5: metrics.calls.aggregation: is sum and can't become max; "),
        ("aggregation: sum, unit: hit", "f.yaml:5: metrics.calls.unit: is call and can't become hit; "),
    ],
)
async def test_what_a_metric_adds_up_never_changes(database, clock, metric, message):
    await apply(database, clock, file())
    changed = parse(file(metrics=f"  calls:\n    {{event: api_call, {metric}}}\n"), "f.yaml")
    with pytest.raises(CatalogueError) as raised:
        await service.plan_changes(database, changed, clock)
    assert str(raised.value) == f"{message}define a metric with another name"


SUBSCRIBED = "teams:\n  acme: {plan: standard, start: 2026-01-01}\n"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("    period: year\n", "plans.standard.period: is month and can't become year"),
        ("    currency: EUR\n", "plans.standard.currency: is USD and can't become EUR"),
    ],
)
async def test_a_plan_with_subscriptions_keeps_currency_and_period(database, clock, plan, message):
    await apply(database, clock, file())
    await apply(database, clock, file(plan=plan))
    await apply(database, clock, file(rest=SUBSCRIBED))
    with pytest.raises(CatalogueError) as raised:
        await service.apply(database, parse(file(plan=plan, rest=SUBSCRIBED), "f.yaml"), clock)
    assert str(raised.value) == f"f.yaml:7: {message}, because teams were on the plan; define version 2 of it"


async def test_a_plan_without_subscriptions_may_change_its_currency(database, clock):
    await apply(database, clock, file())
    clock.advance(timedelta(days=1))
    plan = await apply(database, clock, file(plan="    currency: EUR\n"))
    assert kinds(plan) == [("change", "plan standard"), ("change", "price standard/calls")]
    assert await rows(database, "SELECT currency FROM prices ORDER BY id") == [("USD",), ("EUR",)]


async def test_a_metric_that_running_subscriptions_pay_for_can_not_be_removed(database, clock):
    await apply(database, clock, file(rest=SUBSCRIBED))
    empty = "version: 1\nmetrics: {}\nplans: {}\n"
    with pytest.raises(
        CatalogueError, match=r":2: metrics\.calls: can't be removed: plan standard, which teams are on"
    ):
        await apply(database, clock, empty)
    async with database.transaction() as tx:
        await tx.execute("UPDATE subscriptions SET ends_at = %s", (NOON,))
    assert kinds(await apply(database, clock, empty)) == [("end", "metric calls"), ("end", "plan standard")]


async def test_problems_with_what_is_in_force_are_reported_at_once(database, clock):
    await apply(database, clock, file(rest=SUBSCRIBED))
    changed = file(
        metrics="  calls: {event: api_call, aggregation: max, unit: hit}\n",
        plan="    period: day\n",
        rest="teams:\n  acme: {plan: standard, start: 2025-01-01}\n",
    )
    with pytest.raises(CatalogueError) as raised:
        await apply(database, clock, changed)
    assert [problem.key for problem in raised.value.problems] == [
        "metrics.calls.aggregation",
        "metrics.calls.unit",
        "plans.standard.period",
        "teams.acme.start",
    ]


async def test_a_team_moves_to_another_plan_now(database, clock):
    await apply(database, clock, file(rest="  basic: {}\n" + SUBSCRIBED))
    clock.advance(timedelta(days=1))
    moved = "  basic: {}\nteams:\n  acme: {plan: basic, start: 2026-01-01}\n"
    plan = await apply(database, clock, file(rest=moved))
    assert plan.differences[0].lines == ["plan: standard → basic"]
    assert await rows(
        database, "SELECT plan, starts_at, nullif(ends_at, 'infinity') FROM subscriptions ORDER BY id"
    ) == [
        ("standard", datetime(2026, 1, 1, tzinfo=UTC), clock.now()),
        ("basic", clock.now(), None),
    ]
    assert render_plan(await apply(database, clock, file(rest=moved))) == "no changes"


async def test_a_planned_move_can_be_taken_back(database, clock):
    await apply(database, clock, file(rest="  basic: {}\n" + SUBSCRIBED))
    planned = "  basic: {}\nteams:\n  acme: {plan: basic, start: 2026-05-01}\n"
    await apply(database, clock, file(rest=planned))
    await apply(database, clock, file(rest="  basic: {}\n" + SUBSCRIBED))
    assert await rows(database, "SELECT plan, nullif(ends_at, 'infinity') FROM subscriptions") == [("standard", None)]


async def test_teams_that_the_file_does_not_name_are_left_alone(database, clock):
    await apply(database, clock, file(rest=SUBSCRIBED))
    assert render_plan(await apply(database, clock, file())) == "no changes"
    assert await rows(database, "SELECT team_id, ends_at = 'infinity' FROM subscriptions") == [("acme", True)]


async def test_what_the_file_does_not_say_of_a_team_stays(database, clock):
    await apply(database, clock, file(rest="teams:\n  acme: {name: Acme, time_zone: Asia/Tokyo}\n"))
    await apply(database, clock, file(rest="teams:\n  acme: {}\n  new: {}\ndefaults: {time_zone: Asia/Kathmandu}\n"))
    assert await rows(database, "SELECT id, name, time_zone FROM teams ORDER BY id") == [
        ("acme", "Acme", "Asia/Tokyo"),
        ("new", "new", "Asia/Kathmandu"),
    ]


async def test_defaults_are_those_of_the_file_applied_last(database, clock):
    assert await service.defaults(database) == Defaults()
    await apply(database, clock, file(rest="defaults: {plan: standard, time_zone: Asia/Tokyo}\n"))
    assert await service.defaults(database) == Defaults("standard", "Asia/Tokyo")
    plan = await apply(database, clock, file())
    assert kinds(plan) == [("change", "defaults")]
    assert await service.defaults(database) == Defaults()


async def test_applies_wait_for_each_other(database, clock):
    await asyncio.gather(*(apply(database, clock, file(rest=SUBSCRIBED)) for _ in range(6)))
    for table in ("catalogue_revisions", "metric_versions", "prices", "subscriptions"):
        assert await rows(database, f"SELECT count(*) FROM {table}") == [(1,)]


async def test_an_apply_waits_for_a_roll_up(database, clock):
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as roll_up:
        await roll_up.execute("SELECT pg_advisory_lock(7461001)")
        waiting = asyncio.create_task(apply(database, clock, file()))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        await roll_up.execute("SELECT pg_advisory_unlock(7461001)")
        await waiting
    assert await rows(database, "SELECT count(*) FROM metrics") == [(1,)]


async def test_an_apply_that_fails_writes_nothing(database, clock):
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE catalogue_revisions ADD CHECK (false)")  # what apply writes last
    with pytest.raises(psycopg.errors.CheckViolation):
        await apply(database, clock, file())
    assert await rows(database, "SELECT count(*) FROM metrics") == [(0,)]


async def test_a_clock_that_is_behind_the_last_apply_does_not_undo_it(database, clock):
    await apply(database, clock, priced("1"))
    clock.advance(timedelta(seconds=5))
    await apply(database, clock, priced("2"))
    behind = ManualClock(clock.now() - timedelta(seconds=3))
    assert render_plan(await apply(database, behind, priced("2"))) == "no changes"
    await apply(database, behind, priced("3"))
    assert [price for price, *_ in await price_history(database)] == ["1", "3"]
