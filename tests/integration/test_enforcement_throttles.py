"""Throttles: a team is stopped while there is a cause, and each change of its state is told once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallystick.core.clock import ManualClock
from tallystick.enforcement import throttle
from tallystick.enforcement.throttles import lift_ended, throttles_of
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened

TOMORROW = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.team("acme")
        yield house


async def do(
    house: House, state: Any, *, metric: str | None = "api_calls", cause: str = "alert:1", **more: Any
) -> bool:
    options = {"until": None, "now": house.clock.now()} | more
    async with house.database.transaction() as tx:
        return await throttle(tx, "acme", metric, state=state, cause=cause, **options)


async def told(house: House) -> list[tuple[str, str]]:
    async with house.database.snapshot() as tx:
        found = await tx.execute(
            "SELECT content ->> 'state', content ->> 'cause' FROM notifications "
            "WHERE kind = 'throttle.changed' ORDER BY id"
        )
        return await found.fetchall()


async def in_force(house: House) -> list[tuple[str | None, str]]:
    async with house.database.snapshot() as tx:
        return [(each.metric, each.cause) for each in await throttles_of(tx, ["acme"], house.clock.now())]


async def test_a_throttle_is_told_once_however_often_it_is_set(house: House) -> None:
    assert await do(house, "throttled")
    assert not await do(house, "throttled")
    assert await told(house) == [("throttled", "alert:1")]


async def test_a_team_is_open_again_when_the_last_cause_has_ended(house: House) -> None:
    assert await do(house, "throttled", cause="alert:1")
    assert not await do(house, "throttled", cause="alert:2")
    assert not await do(house, "open", cause="alert:1")
    assert await in_force(house) == [("api_calls", "alert:2")]
    assert await do(house, "open", cause="alert:2")
    assert await told(house) == [("throttled", "alert:1"), ("open", "alert:2")]


async def test_ending_what_never_began_says_nothing(house: House) -> None:
    assert not await do(house, "open")
    assert await told(house) == []


async def test_a_throttle_ends_by_itself_and_that_is_told_once(house: House) -> None:
    await do(house, "throttled", until=TOMORROW, metric=None)
    house.clock.set(TOMORROW)
    assert await in_force(house) == []
    for _ in range(2):
        async with house.database.transaction() as tx:
            await lift_ended(tx, house.clock.now())
    assert await told(house) == [("throttled", "alert:1"), ("open", "alert:1")]


async def test_another_end_is_told(house: House) -> None:
    await do(house, "throttled", until=TOMORROW)
    assert await do(house, "throttled", until=TOMORROW + timedelta(days=1))
    assert await told(house) == [("throttled", "alert:1")] * 2


async def test_a_rolled_back_throttle_was_never_there(house: House) -> None:
    async with house.database.connection() as connection, connection.transaction(force_rollback=True):
        now = house.clock.now()
        assert await throttle(connection, "acme", None, state="throttled", until=None, cause="x", now=now)
    assert (await in_force(house), await told(house)) == ([], [])
