"""Checks: the usage that a bill sees, every acknowledged event in it, compared with the limit that holds."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from tallystick.core.ids import event_id
from tallystick.core.settings import Settings
from tallystick.enforcement.models import Reason, WhenUnavailable
from tallystick.enforcement.store import Key
from tallystick.metering.decoding import decode
from tallystick.metering.service import Metering
from tallystick.storage.database import Database
from tests.integration.billing_setup import CATALOGUE
from tests.integration.enforcement_setup import CALLS, PATIENCE, Desk, at_work, enforcing, unanswered

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def desk(database: Database, clock: ManualClock) -> AsyncIterator[Desk]:
    async with at_work(database, clock) as desk:
        yield desk


# --- What is compared ------------------------------------------------------------------------------


async def test_a_team_without_a_limit_is_allowed_and_its_usage_shown(desk: Desk) -> None:
    await desk.house.use(7)
    verdict = await desk.check()
    assert (verdict.allowed, verdict.reason, verdict.limit, verdict.remaining) == (True, None, None, None)
    assert (verdict.used, verdict.resets_at) == (Decimal(7), APRIL)


async def test_a_hard_limit_is_reached_but_never_passed(desk: Desk) -> None:
    await desk.limit(10)
    await desk.house.use("7.5")
    assert (await desk.check("2.5")).allowed
    verdict = await desk.check("2.500000000000000001")
    assert (verdict.allowed, verdict.reason) == (False, Reason.HARD_LIMIT)
    assert (verdict.limit, verdict.remaining, verdict.retry_at) == (Decimal(10), Decimal("2.5"), APRIL)


async def test_a_soft_limit_lets_pass_and_says_so(desk: Desk) -> None:
    await desk.limit(10, type="soft")
    await desk.house.use(12)
    verdict = await desk.check()
    assert (verdict.allowed, verdict.reason, verdict.remaining) == (True, Reason.SOFT_LIMIT, Decimal(0))


async def test_of_both_limits_the_hard_one_counts_down(desk: Desk) -> None:
    await desk.limit(5, type="soft")
    await desk.limit(10)
    await desk.house.use(6)
    verdict = await desk.check()
    assert (verdict.reason, verdict.limit, verdict.remaining) == (Reason.SOFT_LIMIT, Decimal(10), Decimal(4))


async def test_a_team_s_own_limit_wins_over_its_plan_s(desk: Desk) -> None:
    await desk.limit(10, plan="standard")
    await desk.limit(20, team_id="acme")
    assert (await desk.check()).limit == 20
    assert (await desk.check(key=Key("globex", "api_calls"))).limit == 10


async def test_a_team_can_be_without_the_limit_of_its_plan(desk: Desk) -> None:
    await desk.limit(10, plan="standard")
    await desk.limit(None, team_id="acme")
    assert (await desk.check(1000)).allowed


async def test_usage_of_the_period_before_does_not_count(desk: Desk) -> None:
    await desk.limit(10)
    await desk.house.use(10)
    assert not (await desk.check()).allowed
    desk.house.clock.set(APRIL)
    assert (await desk.check(10)).allowed


async def test_a_change_of_plan_changes_the_limit(desk: Desk) -> None:
    await desk.limit(10, plan="standard")
    await desk.limit(99, plan="yen")
    await desk.house.team("initech", plan="yen")
    assert (await desk.check(key=Key("initech", "api_calls"))).limit == 99


async def test_a_throttled_team_is_refused_whatever_its_limit_says(desk: Desk) -> None:
    until = desk.house.clock.now() + timedelta(hours=1)
    assert (await desk.check()).allowed
    await desk.enforcement.throttle("acme", None, state="throttled", until=until, cause="manual")
    verdict = await desk.check()
    assert (verdict.allowed, verdict.reason, verdict.retry_at) == (False, Reason.THROTTLED, until)
    desk.house.clock.set(until)
    assert (await desk.check()).allowed


async def test_a_throttle_of_another_metric_stops_nothing(desk: Desk) -> None:
    await desk.enforcement.throttle("acme", "peak", state="throttled", until=None, cause="manual")
    assert (await desk.check()).allowed


@pytest.mark.parametrize("key", [Key("nobody", "api_calls"), Key("acme", "nothing")])
async def test_a_team_or_metric_that_does_not_exist_is_named(desk: Desk, key: Key) -> None:
    with pytest.raises(NotFound, match=r"there is no (team 'nobody'|metric 'nothing')"):
        await desk.check(key=key)


async def test_a_metric_whose_usage_does_not_grow_by_use_can_not_be_limited(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="'peak' is max"):
        await desk.limit(10, metric="peak")


# --- What is known ---------------------------------------------------------------------------------


async def test_every_acknowledged_event_is_in_the_next_check(desk: Desk) -> None:
    for number in range(1, 40):
        await desk.house.use(1)
        assert await desk.used() == number


async def test_events_of_other_processes_are_seen_soon(desk: Desk, database: Database) -> None:
    assert await desk.used() == 0
    async with Metering.open(database, Settings(), desk.house.clock) as elsewhere:
        sent = {"team_id": "acme", "event_name": "api_call", "quantity": 3}
        await elsewhere.ingestor.submit(decode(json.dumps(sent).encode(), elsewhere.limits.now()))
    while await desk.used() != 3:
        pass


async def test_checks_see_what_a_bill_sees_whatever_happens(desk: Desk) -> None:
    source = random.Random(20260315)
    house, stored = desk.house, 0
    for step in range(60):
        match source.randrange(6):
            case 0 | 1 | 2:
                at = datetime(2026, 2, 25, tzinfo=UTC) + timedelta(hours=source.randrange(24 * 18))
                await house.use(source.randint(1, 9), at.isoformat(), idempotency_key=f"k{stored}")
                stored += 1
            case 3 if stored:
                victim = event_id("acme", f"k{source.randrange(stored)}")
                with suppress(Conflict):  # it was voided before
                    await house.metering.corrections.void(victim, reason=f"step {step}", actor="test")
            case 4:
                await house.metering.store.roll_up(house.clock.now())
            case _:
                house.clock.advance(timedelta(minutes=source.randrange(60)))
        assert await desk.used() == await desk.billed()


async def test_a_metric_that_is_added_later_has_its_past(desk: Desk) -> None:
    await desk.house.use(5)
    assert await desk.used() == 5
    requests = "  requests: {event: api_call, aggregation: count, unit: call}\n"
    await desk.house.apply(CATALOGUE.replace("metrics:\n", "metrics:\n" + requests))
    assert await desk.used(Key("acme", "requests")) == 1


# --- Without the database --------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "allowed"), [(WhenUnavailable.OPEN, True), (WhenUnavailable.CLOSED, False)])
async def test_a_metric_fails_open_or_closed_as_it_is_set(
    desk: Desk, database: Database, policy: WhenUnavailable, allowed: bool
) -> None:
    await desk.enforcement.limits.set_policy("api_calls", policy)
    assert (await desk.check()).allowed
    await desk.house.use(1)
    desk.enforcement._patience = 0.05
    async with unanswered(database):
        verdict = await desk.check()
    assert (verdict.allowed, verdict.reason) == (allowed, Reason.UNAVAILABLE)
    desk.enforcement._patience = PATIENCE
    assert await desk.used() == 1


async def test_before_anything_was_ever_read_nothing_is_allowed(desk: Desk, database: Database) -> None:
    hasty = enforcing(database, desk.house.metering, desk.house.clock, patience=0.05)
    async with unanswered(database):
        with pytest.raises(Unavailable):
            await hasty.check(CALLS, Decimal(1))
    await desk.used()
