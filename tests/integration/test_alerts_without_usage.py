"""Alerts on numbers that change although nobody uses anything: by new prices and rates, by a closing, by time."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.billing.currencies.service import Currencies
from tallystick.billing.teams.models import TeamChanges
from tests.integration.alerts_setup import at, opened_tower
from tests.integration.billing_setup import CATALOGUE

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
LEVELS = """
  storage: {event: stored, aggregation: time_weighted, value_unit: GB}
plans:
  kept:
    prices:
      - {metric: storage, model: per_unit, unit_price: 0.01}
"""


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


async def applied(tower, source):
    """Apply another billing file, a minute later."""
    tower.house.clock.advance(timedelta(minutes=1))
    await tower.house.apply(source)


async def idle(tower):
    """Look, though there is nothing to roll up."""
    return await tower.alerts.evaluate()


# --- Prices ---------------------------------------------------------------------------------------


async def test_a_price_that_rises_is_noticed_without_usage(tower):
    await tower.house.team("globex", plan="changing")
    await tower.add("cost", 250, team_id=None, plan="changing", currency="USD")
    await tower.house.use(10_000, at="2026-03-12T00:00:00Z", team_id="globex")
    await tower.look()
    assert await tower.states() == []

    await applied(tower, CATALOGUE.replace("unit_price: 0.02,", "unit_price: 0.03,"))
    await idle(tower)

    assert await tower.states() == [("exceeded", "300")]


async def test_a_discount_for_one_team_is_noticed_without_usage(tower):
    await tower.house.team("globex")
    await tower.add("cost", 90)
    await tower.add("cost", 90, team_id="globex")
    await tower.house.use(110_000)
    await tower.house.use(110_000, team_id="globex")
    await tower.look()

    agreed = "teams:\n  acme: {plan: standard, discounts: [{percent: 50}]}\n"
    await applied(tower, CATALOGUE + agreed)
    await idle(tower)

    assert [(each.team_id, str(each.to_state)) for each in await tower.history()] == [
        ("acme", "exceeded"), ("globex", "exceeded"), ("acme", "resolved"),
    ]  # fmt: skip


async def test_a_file_that_changes_no_price_lets_nobody_be_looked_at(tower):
    await tower.add("cost", 90)
    await tower.look()
    await applied(tower, CATALOGUE + "# a remark\n")
    assert await tower.rows("SELECT team_id FROM rollup_touched") == []
    await applied(tower, CATALOGUE.replace("unit_price: 0.0005", "unit_price: 0.0006"))  # of a plan without teams
    assert await tower.rows("SELECT team_id FROM rollup_touched") == []


# --- Exchange rates -------------------------------------------------------------------------------


async def test_an_exchange_rate_that_changes_is_noticed_without_usage(tower):
    await tower.house.team("berlin", time_zone="Europe/Berlin")
    await tower.house.billing.teams.update("berlin", TeamChanges(currency="EUR"))
    await tower.add("cost", 200, team_id="berlin", currency="EUR")
    await tower.add("cost", 200, currency="USD")
    await tower.house.use(110_000, team_id="berlin")
    await tower.look()
    assert await tower.states() == []

    rates = Currencies(tower.house.database, tower.house.clock)
    await rates.upload("date,base,quote,rate\n2026-03-15,USD,EUR,3\n", "house")
    assert await tower.rows("SELECT team_id FROM rollup_touched") == [("berlin",)], "whose amounts are converted"
    await idle(tower)

    [found] = await tower.history()
    assert (found.team_id, found.unit, found.value) == ("berlin", "EUR", 294)


# --- Closing --------------------------------------------------------------------------------------


async def test_fixed_fees_of_a_new_period_are_noticed_when_the_old_one_closes(tower):
    await tower.house.team("globex", plan="fee")
    await tower.add("cost", 100, team_id="globex")
    await idle(tower)
    assert [each.period_start.month for each in await tower.history()] == [3]

    tower.house.clock.set(APRIL + timedelta(hours=3))
    await tower.house.billing.closing.run()
    await idle(tower)

    assert [(each.period_start.month, each.value) for each in await tower.history()] == [(3, 119), (4, 119)]


# --- Time -----------------------------------------------------------------------------------------


@pytest.fixture
async def store(tower):
    """Acme keeps 10 GB since the fifth of March, 244 hours ago."""
    levels, plan = LEVELS.split("plans:\n")
    source = CATALOGUE.replace("plans:\n", f"{levels.strip(chr(10))}\nplans:\n{plan}")
    await tower.house.apply(source)
    await tower.house.team("kept", plan="kept")
    await tower.house.use(10, at="2026-03-05T08:00:00Z", event_name="stored", team_id="kept")
    return tower


async def test_usage_that_grows_by_time_alone_crosses_its_limit_unasked(store):
    await store.add("usage", 2500, at(100), at(200), team_id="kept", metric="storage")
    await store.look()
    assert await store.states() == []

    for _ in range(8):
        store.house.clock.advance(timedelta(hours=1))
        await idle(store)

    assert await store.states() == [("exceeded", "2500")]
    assert (await store.alerts.reproduce((await store.history())[0].id)).agrees


async def test_cost_that_grows_by_time_alone_does_too(store):
    await store.add("cost", 25, team_id="kept")
    await store.look()
    for _ in range(8):
        store.house.clock.advance(timedelta(hours=1))
        await idle(store)
    assert await store.states() == [("exceeded", "25")]


async def test_a_level_that_is_told_of_is_looked_at_next_when_its_period_ends(store):
    await store.add("usage", 1000, team_id="kept", metric="storage")
    await store.look()
    assert await store.states() == [("exceeded", "2440")]
    assert await store.rows("SELECT due_at FROM usage_alert_checks") == [(APRIL,)]

    for hours in (0, 1, 99, 1):
        store.house.clock.set(max(store.house.clock.now(), APRIL) + timedelta(hours=hours))
        await idle(store)

    assert (await store.states())[1:] == [("exceeded", "1000")]


async def test_a_team_without_a_level_is_looked_at_once_a_period_at_most(store):
    await store.house.team("empty", plan="kept")
    await store.add("usage", 1000, team_id="empty", metric="storage")
    await store.look()
    assert await store.rows("SELECT due_at FROM usage_alert_checks") == []
