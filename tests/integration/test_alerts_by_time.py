"""Alerts that time decides: silence, and change against the same hour of past weeks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.integration.alerts_setup import at, opened_tower

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
"""When the clock of a test begins, a Sunday."""


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


def wait(tower, **time):
    tower.house.clock.advance(timedelta(**time))


async def use(tower, quantity=1, **fields):
    await tower.house.use(quantity, at=fields.pop("at", tower.house.clock.now().isoformat()), **fields)


# --- Absence ---------------------------------------------------------------------------------------


async def test_a_team_that_goes_quiet_is_told_of_once_and_again_when_it_comes_back(tower):
    await use(tower)
    await tower.add("absence", 60)
    await tower.look()
    wait(tower, minutes=59)
    await tower.look()
    assert await tower.told() == []

    wait(tower, minutes=1)
    await tower.look()
    wait(tower, hours=9)
    await tower.look()
    assert await tower.told() == [("alert.exceeded", "acme: no events for 60 minutes")]

    await use(tower)
    await tower.look()
    assert (await tower.told())[1:] == [("alert.resolved", "acme: events again")]

    wait(tower, hours=1)
    await tower.look()
    assert await tower.kinds() == ["alert.exceeded", "alert.resolved", "alert.exceeded"]


async def test_usage_puts_off_the_look_without_being_looked_at_each_time(tower):
    await use(tower)
    await tower.add("absence", 60)
    await tower.look()
    for _ in range(4):
        wait(tower, minutes=30)
        await use(tower)
        await tower.look()
    assert await tower.kinds() == []
    [(due,)] = await tower.rows("SELECT due_at FROM usage_alert_checks")
    assert due == NOON + timedelta(hours=3)  # moved twice: when it was due

    wait(tower, minutes=59)
    await tower.look()
    wait(tower, minutes=1)
    await tower.look()

    assert await tower.kinds() == ["alert.exceeded"]


async def test_steps_of_a_silence_follow_each_other(tower):
    await use(tower)
    await tower.add("absence", 60, at(100), at(300, hard=True))
    await tower.look()
    for _ in range(10):
        wait(tower, minutes=60)
        await tower.look()

    assert await tower.states() == [("exceeded", "60"), ("exceeded", "180")]


async def test_a_metric_may_go_quiet_while_others_do_not(tower):
    await use(tower)
    await use(tower, event_name="load")
    await tower.add("absence", 60, metric="peak")
    await tower.look()
    for _ in range(3):
        wait(tower, minutes=30)
        await use(tower)
        await tower.look()

    assert await tower.told() == [("alert.exceeded", "acme: no events of peak for 60 minutes")]


async def test_a_team_that_is_named_is_waited_for_since_the_alert_was_made(tower):
    await tower.add("absence", 60)
    await tower.look()
    wait(tower, minutes=60)

    await tower.look()

    assert await tower.kinds() == ["alert.exceeded"]


async def test_of_all_teams_those_are_watched_that_have_used_something(tower):
    await tower.house.team("never")
    await tower.add("absence", 60, team_id=None)
    await use(tower)
    await tower.look()
    wait(tower, hours=3)

    await tower.look()

    assert [each.team_id for each in await tower.history()] == ["acme"]


async def test_a_silence_lasts_over_the_end_of_a_period_and_is_told_once(tower):
    await use(tower)
    await tower.add("absence", 60)
    await tower.look()
    for _ in range(5):
        wait(tower, days=10)
        await tower.look()

    assert await tower.kinds() == ["alert.exceeded"]


async def test_an_idle_team_costs_no_look_at_all(tower):
    await use(tower)
    await tower.add("absence", 60)
    await tower.look()
    wait(tower, hours=2)
    await tower.look()

    assert await tower.rows("SELECT * FROM usage_alert_checks WHERE due_at < 'infinity'") == []


# --- Rate ------------------------------------------------------------------------------------------


async def used_in_past_weeks(tower, *quantities, hour=12):
    """Usage at this hour, one week ago, two weeks ago, and so on."""
    for weeks, quantity in enumerate(quantities, start=1):
        moment = NOON.replace(hour=hour, minute=20) - timedelta(weeks=weeks)
        await use(tower, quantity, at=moment.isoformat())


async def test_a_rise_over_the_same_hour_of_past_weeks_is_told_while_the_hour_runs(tower):
    await used_in_past_weeks(tower, 80, 120, 100)
    await tower.add("rate", 50)
    wait(tower, minutes=5)
    await use(tower, 149)
    await tower.look()
    assert await tower.states() == []

    await use(tower, 1)
    await tower.look()

    assert await tower.told() == [("alert.exceeded", "acme: api_calls is 50 % above the same hour of past weeks")]
    [found] = await tower.history()
    assert (found.value, found.terms["seen"]["mean"], found.terms["seen"]["weeks"]) == (50, "100", "3")


async def test_a_rise_is_over_when_the_next_hour_is_like_others(tower):
    await used_in_past_weeks(tower, 100, 100)
    await used_in_past_weeks(tower, 100, 100, hour=13)
    await tower.add("rate", 50)
    await use(tower, 200)
    await tower.look()

    wait(tower, hours=1)
    await tower.look()

    assert await tower.states() == [("exceeded", "100"), ("resolved", "-100")]


async def test_a_rise_is_told_once_a_day_and_the_next_day_anew(tower):
    for day in range(3):
        for weeks in (1, 2):
            moment = NOON + timedelta(days=day) - timedelta(weeks=weeks)
            await use(tower, 100, at=moment.isoformat())
    await tower.add("rate", 50)
    for _ in range(3):
        await use(tower, 200)
        await tower.look()
        wait(tower, hours=24)

    assert (await tower.kinds()).count("alert.exceeded") == 3


async def test_without_two_weeks_of_a_past_there_is_nothing_to_compare(tower):
    await used_in_past_weeks(tower, 1)
    await tower.add("rate", 50)

    await use(tower, 1_000_000)
    await tower.look()

    assert await tower.states() == []


async def test_a_fall_is_told_when_the_hour_is_over(tower):
    await used_in_past_weeks(tower, 100, 100, 100)
    await tower.add("rate", -50)
    await use(tower, 40)
    await tower.look()
    wait(tower, minutes=64)
    await tower.look()
    assert await tower.states() == []

    wait(tower, minutes=1)
    await tower.look()

    assert await tower.states() == [("exceeded", "-60")]
    assert await tower.told() == [("alert.exceeded", "acme: api_calls is 50 % below the same hour of past weeks")]


async def test_the_same_hour_is_the_one_that_the_teams_clocks_show(tower):
    """The clocks of New York went forward on 8 March: noon there was 17:00 UTC before, and is 16:00 UTC now."""
    await tower.house.team("york", time_zone="America/New_York")
    for moment in ("2026-03-01T17:30:00Z", "2026-02-22T17:30:00Z", "2026-03-08T16:30:00Z"):
        await use(tower, 100, at=moment, team_id="york")
    for moment in ("2026-03-01T16:30:00Z", "2026-02-22T16:30:00Z"):
        await use(tower, 900, at=moment, team_id="york")
    await tower.add("rate", 50, team_id="york")
    tower.house.clock.set(datetime(2026, 3, 15, 16, 30, tzinfo=UTC))

    await use(tower, 160, team_id="york")
    await tower.look()

    [found] = await tower.history()
    assert found.value == Decimal(60)


async def test_numbers_of_time_are_reproduced_too(tower):
    await used_in_past_weeks(tower, 100, 100)
    await tower.add("rate", 50)
    await tower.add("absence", 60)
    await use(tower, 200)
    await tower.look()
    wait(tower, hours=2)
    await tower.look()
    await use(tower, 5)
    await tower.look()

    history = await tower.history()
    assert len(history) >= 4
    for each in history:
        again = await tower.alerts.reproduce(each.id)
        assert again.agrees, again
