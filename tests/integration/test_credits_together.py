"""Credits under attack: what the database refuses, and closings, voids and processes at the same time."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tallystick.billing.credits import apply, burns
from tests.integration.credits_setup import (
    APRIL,
    GRACE,
    MARCH,
    calls,
    line,
    money,
    opened_town,
)


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


# --- What the database refuses ---------------------------------------------------------------------


async def attempt(town, *entries, kind="burn"):
    """Write a transaction past the code."""
    async with town.database.transaction() as tx:
        [(id,)] = await (await tx.execute(
            "INSERT INTO credit_transactions (team_id, kind, effective_at, recorded_at) "
            "VALUES ('acme', %s, now(), now()) RETURNING id", [kind])).fetchall()  # fmt: skip
        for position, (grant_id, account, amount) in enumerate(entries):
            await tx.execute(
                "INSERT INTO credit_entries (transaction_id, position, grant_id, allotment, account, amount) "
                "VALUES (%s, %s, %s, 0, %s, %s)", [id, position, grant_id, account, amount])  # fmt: skip


async def test_entries_that_do_not_sum_to_zero_can_not_be_committed(town):
    grant = await town.credits.grant("acme", money(100))

    with pytest.raises(psycopg.errors.CheckViolation, match="do not sum to zero"):
        await attempt(town, (grant.id, "available", -10), (grant.id, "expired", 9), kind="expiry")


async def test_two_units_can_not_make_up_for_each_other(town):
    dollars, requests = await town.credits.grant("acme", money(100)), await town.credits.grant("acme", calls("100"))

    with pytest.raises(psycopg.errors.CheckViolation, match="do not sum to zero"):
        await attempt(town, (dollars.id, "available", -10), (requests.id, "expired", 10), kind="expiry")


async def test_more_than_there_is_can_not_be_taken(town):
    grant = await town.credits.grant("acme", money(100))

    with pytest.raises(psycopg.errors.CheckViolation, match="credit_accounts_overdrawn"):
        await attempt(town, (grant.id, "expired", 101), (grant.id, "available", -101), kind="expiry")


@pytest.mark.parametrize("table", ["credit_entries", "credit_transactions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_is_booked_can_not_be_changed(town, table, change):
    await town.credits.grant("acme", money(100))
    column = "position" if table == "credit_entries" else "id"

    with pytest.raises(psycopg.errors.RestrictViolation, match="is append-only"):
        async with town.database.transaction() as tx:
            await tx.execute(change.format(table, column, column) if "SET" in change else change.format(table))


# --- At the same time ------------------------------------------------------------------------------

RACER = """
import asyncio, sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from psycopg import IsolationLevel
from tallystick.core.errors import Unavailable
from tallystick.billing.credits import Creditable, apply
from tallystick.core.settings import Settings
from tallystick.storage.database import Database

async def main(url, period_ids, level):
    async with await Database.open(Settings(database_url=url)) as database:
        print("ready", flush=True)
        sys.stdin.readline()
        for period_id in period_ids:
            while not await close(database, int(period_id), level):
                pass

async def close(database, period_id, level):
    line = Creditable("usage", "api_calls", Decimal(7), "USD", Decimal(7), lambda units: units)
    try:
        async with database.connection() as connection:
            await connection.set_isolation_level(IsolationLevel[level])
            async with connection.transaction():
                await connection.execute("SELECT count(*) FROM credit_accounts")
                await asyncio.sleep(0.01)
                await apply(connection, "acme", period_id, [line], datetime.now(UTC))
            await connection.set_isolation_level(None)
            return True
    except Unavailable:  # it could not be serialized
        return False

asyncio.run(main(sys.argv[1], sys.argv[3:], sys.argv[2]))
"""


@pytest.mark.parametrize("level", ["READ_COMMITTED", "REPEATABLE_READ"])
async def test_processes_that_close_periods_of_one_team_together_never_overdraw_it(town, database_url, level):
    grants = [await town.credits.grant("acme", money(50, priority=n)) for n in range(2)]
    day = timedelta(days=1)
    periods = [await town.period(MARCH + n * day, MARCH + (n + 1) * day) for n in range(24)]

    def race():
        command = [sys.executable, "-c", RACER, database_url, level]
        racers: list[Any] = [
            subprocess.Popen([*command, *map(str, periods[n::4] + periods[n::2])], stdin=-1, stdout=-1, text=True)
            for n in range(4)
        ]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.close()
        return [racer.wait(120) for racer in racers], [racer.stdout.close() for racer in racers]

    codes, _ = await asyncio.to_thread(race)

    assert codes == [0, 0, 0, 0]
    async with town.database.snapshot() as tx:
        found = await burns(tx, periods)
    paid = [sum((each.amount for each in burned), Decimal(0)) for burned in found.values()]
    assert sum(paid) == 100
    assert sorted(paid) == [*[0] * 9, 2, *[7] * 14]
    assert [await town.left(grant.id) for grant in grants] == [0, 0]


async def test_a_void_during_a_closing_waits_and_takes_what_is_left(town):
    grant = await town.credits.grant("acme", money(100))
    period_id = await town.period()
    town.clock.set(APRIL + GRACE)
    burned, voided = asyncio.Event(), asyncio.Event()

    async def close():
        async with town.database.transaction() as tx:
            await apply(tx, "acme", period_id, [line("30")], town.clock.now())
            burned.set()
            await asyncio.sleep(0.3)
            assert not voided.is_set()

    async def void():
        await burned.wait()
        await town.credits.void(grant.id, "r")
        voided.set()

    await asyncio.gather(close(), void())

    found = (await town.credits.get(grant.id)).balance
    assert (found.used, found.voided, found.available) == (30, 70, 0)


async def test_a_closing_during_a_void_burns_nothing(town):
    grant = await town.credits.grant("acme", money(100))
    period_id = await town.period()
    town.clock.set(APRIL + GRACE)
    locked = asyncio.Event()

    async def hold():
        async with town.database.transaction() as tx:
            await tx.execute("SELECT FROM credit_grants FOR UPDATE")
            locked.set()
            await asyncio.sleep(0.2)
            await tx.execute("UPDATE credit_grants SET voided_at = now(), void_reason = 'r'")

    async def close():
        await locked.wait()
        async with town.database.transaction() as tx:
            return await apply(tx, "acme", period_id, [line("30")], town.clock.now())

    _, found = await asyncio.gather(hold(), close())
    async with town.database.transaction() as tx:
        await tx.execute("UPDATE credit_grants SET voided_at = NULL, void_reason = NULL")

    assert found == []
    assert await town.left(grant.id) == 100
