"""Laws of closing: whatever is learned afterwards, what is booked and adjusted is the rating of what is known."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import Raw

from tallystick.billing.accounts import Occasion, load_accounts
from tallystick.billing.charging import Charging, charge
from tallystick.billing.models import LineKind
from tallystick.billing.statements.models import StatementKind
from tallystick.billing.tariffs import latest_definitions
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.service import required_team
from tests.integration.billing_setup import opened

EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "6"))
MARCH = datetime(2026, 3, 1, tzinfo=UTC)

CATALOGUE = """
version: 1
currency: USD
billing: {{late_usage: {late}}}
metrics:
  api_calls: {{event: api_call, aggregation: sum, unit: call, dimensions: [region]}}
  peak: {{event: load, aggregation: max, unit: core}}
  disk: {{event: disk, aggregation: time_weighted, unit: GB-hour, value_unit: GB}}
plans:
  weekly:
    period: week
    minimum: 3
    fees: [{{name: base, amount: 4.99}}]
    prices:
      - {{metric: api_calls, effective_from: 2026-01-01T00:00:00Z, model: graduated, tiers: [
          {{up_to: 100, unit_price: 0}}, {{up_to: 1000, unit_price: {low}}}, {{unit_price: 0.0008}}]}}
      - {{metric: peak, model: per_unit, unit_price: 2}}
      - {{metric: disk, model: per_unit, unit_price: 0.000123}}
"""


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def sent(house, source, at):
    """One random event at a moment; its key."""
    key = f"key-{source.random()}"
    name = source.choice(["api_call", "api_call", "load", "disk"])
    quantity = source.randint(0, 900) + Decimal(source.randint(0, 9)) / 10
    region = {"region": source.choice(["eu", "us"])}
    await house.use(quantity, at.isoformat(), event_name=name, idempotency_key=key, metadata=region)


async def correct(house, source):
    """Void or amend a random event."""
    async with house.database.snapshot() as tx:
        rows = await (
            await tx.execute(
                "SELECT id FROM usage_events e WHERE NOT EXISTS "
                "(SELECT FROM event_corrections c WHERE c.event_id = e.id) ORDER BY idempotency_key, id"
            )
        ).fetchall()
    if not rows:
        return
    [event_id] = source.choice(rows)
    if source.random() < 0.5:
        await house.metering.corrections.void(event_id, "test", "test")
    else:
        await house.metering.corrections.amend(event_id, {"quantity": Raw(b"%d" % source.randint(0, 500))}, "t", "t")


async def books(house):
    """By closed period and line key: what is booked, adjustments included; and each period."""
    booked: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    periods = {}
    for row in await house.billing.statements.page(1000, team_id="acme"):
        if row.digest is None or row.status == "void":
            continue
        statement = await house.billing.statements.closed(row.id)
        if row.kind is StatementKind.PERIOD:
            periods[row.id] = row
        for line in statement.lines:
            about = (line.adjusts_period_id or row.id, line.adjusts_key or line.key)
            booked[about] += line.total or 0
    return booked, periods


async def rated_now(house, periods):
    """By closed period and line key: what it comes to by what is known now."""
    async with house.database.snapshot() as tx:
        team = await required_team(tx, "acme")
        [subscription] = await teams.subscriptions(tx, "acme")
        occasions = [Occasion(team, subscription, row.period, full_of(row)) for row in periods.values()]
        accounts = await load_accounts(tx, occasions, as_of=house.clock.now())
    definitions = list(latest_definitions(await house.metering.usage.metrics()).values())
    work = [Charging.of(account, definitions) for account in accounts]
    lines = await charge(house.metering.usage, work, as_of=house.clock.now(), raw=True)
    return {
        (id, line.key): line.total for id, found in zip(periods, lines, strict=True) for line in found if line.total
    }


def full_of(row):
    return (
        type(row.period)(*(datetime.fromisoformat(row.inputs["full"][each]) for each in ("start", "end")))
        if (row.inputs)
        else row.period
    )


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_what_is_booked_and_adjusted_is_the_rating_of_what_is_known(house, seed):
    source = random.Random(seed)
    late = "credit_note" if seed % 3 == 2 else "next_period"
    house.clock.set(MARCH + timedelta(days=30))
    await house.apply(CATALOGUE.format(late=late, low="0.001"))
    await house.team(plan="weekly", starts_at=MARCH + timedelta(days=1))
    for _ in range(source.randint(3, 12)):
        await sent(house, source, MARCH + timedelta(days=1, seconds=source.randrange(29 * 86_400)))
    for step in range(5):
        house.clock.advance(timedelta(days=source.choice([1, 7])))
        await house.billing.closing.run()
        for _ in range(source.randint(0, 4)):
            house.clock.advance(timedelta(seconds=source.randint(1, 100)))
            await sent(house, source, MARCH + timedelta(days=1, seconds=source.randrange(29 * 86_400)))
        if source.random() < 0.7:
            await correct(house, source)
        if source.random() < 0.4:
            await house.apply(CATALOGUE.format(late=late, low=f"0.00{source.randint(1, 9)}"))
        if source.random() < 0.5:
            await house.metering.store.roll_up(house.clock.now())
        if step == 3 and source.random() < 0.7:
            await void_last(house)
    house.clock.advance(timedelta(days=8))
    await house.billing.closing.run()

    booked, periods = await books(house)
    rated = await rated_now(house, periods)

    assert len(periods) >= 4
    assert sum(rated.values()) > 20
    assert {key: total for key, total in booked.items() if total} == {k: t for k, t in rated.items() if t}


async def void_last(house):
    """Void the statement that was closed last, which none adjusts."""
    rows = await house.billing.statements.page(1000, team_id="acme")
    closed = [row for row in rows if row.status == "closed"]
    if closed:
        await house.billing.closing.void(max(closed, key=lambda row: (row.closed_at, row.id)).id, "test", "test")


async def test_every_statement_of_a_random_history_verifies(house):
    source = random.Random(7)
    house.clock.set(MARCH + timedelta(days=9))
    await house.apply(CATALOGUE.format(late="next_period", low="0.001"))
    await house.team(plan="weekly", starts_at=MARCH + timedelta(days=1, hours=5))
    for _ in range(4):
        for _ in range(5):
            at = min(MARCH + timedelta(days=1, seconds=source.randrange(20 * 86_400)), house.clock.now())
            await sent(house, source, at)
        await correct(house, source)
        house.clock.advance(timedelta(days=7))
        await house.billing.closing.run()

    rows = await house.billing.statements.page(100)
    for row in rows:
        found = await house.billing.verifications.verify(row.id)
        assert found.agrees, (found.differences, row.period)
    assert len(rows) >= 4
    statements = [await house.billing.statements.closed(row.id) for row in rows]
    assert any(line.kind is LineKind.ADJUSTMENT for statement in statements for line in statement.lines)


CLOSER = """
import asyncio, sys
from datetime import datetime
from tallystick.billing.closing import service
from tallystick.billing.service import Billing
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.metering.service import Metering
from tallystick.storage.database import Database
service.BATCH = 3
async def main():
    settings = Settings()
    clock = ManualClock(datetime.fromisoformat(sys.argv[1]))
    async with await Database.open(settings) as database, Metering.open(database, settings, clock) as metering:
        print("ready", flush=True)
        await Billing.open(database, metering, clock).closing.run()
        print("done", flush=True)
asyncio.run(main())
"""


async def test_a_closing_that_is_killed_and_continued_comes_to_the_same(house, database_url, tmp_path):
    count = 24
    for number in range(count):
        await house.team(f"team-{number:02}")
        await house.use(1000 * number + 1, team_id=f"team-{number:02}")
    house.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    script = tmp_path / "close.py"
    script.write_text(CLOSER)
    source, kills = random.Random(3), 0

    for _ in range(12):
        environment = {**os.environ, "DATABASE_URL": database_url}
        process = await asyncio.to_thread(start, script, house.clock.now(), environment)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(source.uniform(0.01, 0.3))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        await asyncio.to_thread(process.wait)
        process.stdout.close()
        if len(await house.kept()) == count:
            break
    await house.billing.closing.run()

    rows = await house.billing.statements.page(1000)
    totals = {row.team_id: (row.status, row.total) for row in rows}
    assert kills
    assert len(rows) == count
    for number in range(count):
        expected = max(0, 1000 * number + 1 - 10_000) * Decimal("0.001")
        assert totals[f"team-{number:02}"] == ("closed", expected.quantize(Decimal("0.01")))
    assert (await house.billing.verifications.verify(rows[0].id)).agrees


def start(script, now, environment):
    command = [sys.executable, str(script), now.isoformat()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
