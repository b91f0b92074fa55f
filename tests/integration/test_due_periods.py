"""Which billing periods are to be closed: all that are over, each once, page by page."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tallystick.billing.teams.due import due_periods
from tallystick.billing.teams.models import TeamChanges, Terms
from tallystick.catalog.models import Anchor
from tallystick.core.clock import Interval
from tests.integration.billing_setup import opened

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANY = 10_000


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def due(house, now, limit=100, after=None, grace=timedelta(0), team_id=None):
    async with house.database.snapshot() as tx:
        return await due_periods(tx, now, grace, limit, after, team_id=team_id)


def shown(found):
    return [(each.team.id, each.period.start, each.period.end) for each in found]


async def close(house, found, status="closed"):
    async with house.database.transaction() as tx:
        for each in found:
            await tx.execute(
                "INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency, "
                "status, computed_at, closed_at) VALUES (%s, %s, %s, %s, 'USD', %s, now(), now())",
                (each.team.id, each.subscription.id, each.period.start, each.period.end, status),
            )


async def test_what_is_over_is_due_once_the_grace_has_passed(house):
    await house.team("acme", starts_at=JANUARY)

    assert shown(await due(house, FEBRUARY, grace=HOUR)) == []
    assert shown(await due(house, FEBRUARY + HOUR, grace=HOUR)) == [("acme", JANUARY, FEBRUARY)]


async def test_every_period_that_was_missed_is_due_by_team_and_then_by_time(house):
    await house.team("b", starts_at=JANUARY)
    await house.team("a", starts_at=FEBRUARY - HOUR)

    found = shown(await due(house, APRIL))

    assert found == [
        ("a", FEBRUARY - HOUR, FEBRUARY),
        ("a", FEBRUARY, MARCH),
        ("a", MARCH, APRIL),
        ("b", JANUARY, FEBRUARY),
        ("b", FEBRUARY, MARCH),
        ("b", MARCH, APRIL),
    ]


async def test_pages_follow_each_other_and_are_all_of_it(house):
    for name in ("a", "b", "c"):
        await house.team(name, starts_at=JANUARY)
    pages, after = [], None

    while page := await due(house, APRIL, limit=2, after=after):
        pages.append(page)
        after = page[-1].position

    assert [each for page in pages for each in page] == await due(house, APRIL)
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]


async def test_what_is_closed_is_not_due_again_and_a_run_that_broke_off_goes_on(house):
    for name in ("a", "b"):
        await house.team(name, starts_at=JANUARY)
    first = await due(house, MARCH, limit=3)

    await close(house, first)

    assert shown(await due(house, MARCH)) == [("b", FEBRUARY, MARCH)]
    await close(house, await due(house, MARCH))
    assert await due(house, MARCH) == []


async def test_an_open_draft_is_due_and_so_is_the_period_of_a_void_statement(house):
    await house.team("acme", starts_at=JANUARY)
    january, february = await due(house, MARCH)
    await close(house, [january], "active")
    assert await due(house, MARCH) == [january, february]

    async with house.database.transaction() as tx:
        await tx.execute("UPDATE metered_billing_periods SET status = 'void', voided_at = now()")
    await close(house, [february])

    assert shown(await due(house, MARCH)) == [("acme", JANUARY, FEBRUARY)]
    await close(house, [january])
    assert await due(house, MARCH) == []


async def test_a_subscription_that_ended_is_due_up_to_its_end_and_then_never_again(house):
    await house.team("acme", starts_at=JANUARY)
    await house.billing.teams.moves.cancel("acme", when=MARCH + HOUR)

    *_, last = found = await due(house, MARCH + 2 * HOUR)
    await close(house, found)

    assert shown([last]) == [("acme", MARCH, MARCH + HOUR)]
    assert last.period.full == Interval(MARCH, APRIL)
    assert await due(house, datetime(2027, 1, 1, tzinfo=UTC)) == []


async def test_one_team_alone_can_be_asked_for(house):
    await house.team("a", starts_at=JANUARY)
    await house.team("b", starts_at=JANUARY)

    assert shown(await due(house, FEBRUARY, team_id="b")) == [("b", JANUARY, FEBRUARY)]


@pytest.mark.parametrize("anchor", Anchor)
@pytest.mark.parametrize("time_zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
async def test_a_team_that_moves_to_another_time_zone_is_billed_for_every_instant_once(house, anchor, time_zone):
    await house.team("acme", starts_at=JANUARY, anchor=anchor)
    found = await due(house, MARCH)
    await close(house, found)
    await house.billing.teams.update("acme", TeamChanges(time_zone=time_zone))

    later = await due(house, datetime(2026, 7, 1, tzinfo=UTC))

    periods = [each.period for each in found + later]
    assert len(periods) >= 5
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert all(timedelta(days=26) < each.end - each.start < timedelta(days=33) for each in periods)


async def test_the_present_of_ten_thousand_teams_is_found_in_a_moment(house):
    async with house.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO teams (id, name, time_zone, created_at) SELECT 't' || n, 't', "
            "(ARRAY['UTC', 'Asia/Kathmandu', 'America/New_York'])[n %% 3 + 1], now() FROM generate_series(1, %s) n",
            (MANY,),
        )
        await tx.execute(
            "INSERT INTO subscriptions (team_id, plan, starts_at, anchor, created_at) SELECT id, 'standard', "
            "timestamptz '2026-01-01Z' + random() * interval '20 days', "
            "(ARRAY['calendar', 'anniversary'])[length(id) % 2 + 1], now() FROM teams"
        )
    started = time.perf_counter()
    seen, after = 0, None
    while page := await due(house, APRIL + timedelta(days=1), limit=1000, after=after):
        seen, after = seen + len(page), page[-1].position
    paged = time.perf_counter() - started

    async with house.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency, "
            "status, computed_at, closed_at) "
            "SELECT team_id, id, starts_at, '2026-04-01Z', 'USD', 'closed', now(), now() FROM subscriptions"
        )
    started = time.perf_counter()
    nothing = await due(house, APRIL + timedelta(days=1))
    idle = time.perf_counter() - started

    print(f"{seen:,} due periods of {MANY:,} teams in pages: {paged:.2f} s; looking in vain: {idle:.2f} s")
    assert seen > 2 * MANY
    assert nothing == []
    assert paged < 30
    assert idle < 5


async def test_a_subscription_that_takes_over_is_billed_from_there(house):
    await house.team("acme", starts_at=JANUARY)
    await house.billing.teams.subscribe("acme", Terms("changing", FEBRUARY + HOUR))

    found = await due(house, MARCH)

    assert shown(found) == [
        ("acme", JANUARY, FEBRUARY),
        ("acme", FEBRUARY, FEBRUARY + HOUR),
        ("acme", FEBRUARY + HOUR, MARCH),
    ]
    assert [each.subscription.plan for each in found] == ["standard", "standard", "changing"]
    assert {each.period.full for each in found[1:]} == {Interval(FEBRUARY, MARCH)}
