"""What a roll-up says and leaves behind: the teams it touched, and buckets that hold exactly what counts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tallystick.core.clock import Interval
from tallystick.metering.event_store import RollUpProgress, UsageRequest
from tallystick.metering.models import Aggregation, MetricDefinition
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

from .world import BASE, World

DAY = datetime(2026, 3, 31, tzinfo=UTC)
WHOLE_DAY = Interval(DAY, DAY + timedelta(days=1))
TAKE_ALL = "DELETE FROM rollup_touched WHERE id IN (SELECT id FROM rollup_touched FOR UPDATE SKIP LOCKED)"

VALUES: list[tuple[Any, str | None]] = [
    (0, "0"), (-3, "-3"), (1.50, "1.5"), ("1.50", "1.5"), ("+.5", "0.5"), ("5.", "5"), ("1e3", "1000"),
    ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ("1e20", None), ("-1e20", None), ("-1e-18", "-1e-18"), ("1e-18", "1e-18"), ("1e-19", None),
    ("1.0000000000000000000", "1"), ("1e999", None), ("9" * 61, None), ("NaN", None), ("Infinity", None),
    ("", None), (" 1", None), ("1\n", None), ("1_000", None), ("0x10", None), ("many", None),
    (None, None), (True, None), ([1], None), ({"a": 1}, None),
]  # fmt: skip
"""What metadata may hold, and the number that it is to a metric."""


def sent(team: int = 0, quantity: int = 1, second: int = 60, **metadata: Any) -> dict[str, Any]:
    """An event as the world sends it."""
    return {"team": team, "name": "call", "second": second, "quantity": Decimal(quantity), "metadata": metadata}


async def world_with(database: Database, definition: MetricDefinition = BASE) -> World:
    """A world with one metric whose history is rolled up."""
    world = World(PostgresEventStore(database), database, DAY)
    await world.add_metric(definition)
    await roll_up_all(world)
    return world


async def roll_up_all(world: World) -> RollUpProgress:
    while (done := await world.store.roll_up(world.now)).more:
        pass
    return done


async def total(world: World) -> Decimal | None:
    """The usage of the first team on that day."""
    ((usage,),) = await world.store.usage([UsageRequest(world.versions, world.teams[0], [WHOLE_DAY], WHOLE_DAY.end)])
    return usage.quantity


async def rows(database: Database, statement: str) -> Sequence[tuple[Any, ...]]:
    async with database.snapshot() as snapshot:
        return await (await snapshot.execute(statement)).fetchall()


async def test_a_roll_up_says_which_teams_have_new_usage_and_leaves_word_of_them(database: Database) -> None:
    world = await world_with(database)
    await world.append([sent(team=0), sent(team=2), sent(team=2)])
    done = await world.store.roll_up(world.now)
    assert done.touched == {world.teams[0], world.teams[2]}
    left = await rows(database, "SELECT team_id, touched_at FROM rollup_touched ORDER BY team_id")
    assert left == [(team, world.now) for team in sorted(done.touched)]


async def test_a_roll_up_without_work_touches_nobody(database: Database) -> None:
    world = await world_with(database)
    assert (await world.store.roll_up(world.now)).touched == frozenset()
    assert await rows(database, "SELECT FROM rollup_touched") == []


async def test_a_correction_touches_its_team_when_its_hour_is_recomputed(database: Database) -> None:
    world = await world_with(database)
    await world.append([sent(team=0), sent(team=1)])
    await roll_up_all(world)
    await world.correct(0, None)
    (voided,) = [fact.team for fact in world.facts.values() if fact.voided_at]
    assert (await world.store.roll_up(world.now)).touched == {voided}


async def test_the_backfill_of_a_metric_touches_the_teams_it_counts_events_of(database: Database) -> None:
    world = await world_with(database)
    await world.append([sent(team=1)])
    await roll_up_all(world)
    await world.add_metric(BASE)
    assert (await world.store.roll_up(world.now)).touched == {world.teams[1]}


async def test_whoever_takes_the_word_out_neither_holds_up_a_roll_up_nor_makes_it_fail(database: Database) -> None:
    world = await world_with(database)
    await world.append([sent()])
    await world.store.roll_up(world.now)
    async with await psycopg.AsyncConnection.connect(database.url) as taking:
        assert (await taking.execute(TAKE_ALL)).rowcount == 1
        await world.append([sent()])
        assert (await world.store.roll_up(world.now)).touched == {world.teams[0]}
        await taking.commit()
    assert len(await rows(database, "SELECT FROM rollup_touched")) == 1


async def test_an_event_that_is_voided_before_its_batch_is_taken_is_never_counted(database: Database) -> None:
    world = await world_with(database)
    await world.append([sent(quantity=1)])
    await world.append([sent(quantity=10)])
    ten = next(id for id, fact in world.facts.items() if fact.quantity == 10)
    await world.correct(sorted(world.facts).index(ten), None)
    first = await world.store.roll_up(world.now, limit=1)
    assert (first.batches, first.hours_recomputed, first.more) == (1, 1, True)
    assert await total(world) == 1
    await roll_up_all(world)
    assert await total(world) == 1
    assert await rows(database, "SELECT events FROM usage_aggregates") == [(1,)]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [(Aggregation.SUM, 17), (Aggregation.COUNT, 4), (Aggregation.MAX, 9), (Aggregation.MIN, 2)],
)
async def test_batches_that_are_rolled_up_one_by_one_add_up_in_their_bucket(
    database: Database, aggregation: Aggregation, expected: int
) -> None:
    world = await world_with(database, replace(BASE, aggregation=aggregation))
    for quantity in (3, 9, 2, 3):
        await world.append([sent(quantity=quantity, region="eu")])
        await world.store.roll_up(world.now)
    assert await total(world) == expected
    assert await rows(database, "SELECT events, dimensions FROM usage_aggregates") == [(4, ["eu"])]


async def test_a_value_is_read_from_metadata_exactly_or_not_at_all(database: Database) -> None:
    spelled = [json.dumps(value) for value, _ in VALUES]
    reading = "SELECT usage_number(value), usage_unsigned(usage_number(value)) FROM unnest(%s::jsonb[]) value"
    async with database.snapshot() as snapshot:
        found = await (await snapshot.execute(reading, [spelled])).fetchall()
    expected = [Decimal(number) if number else None for _, number in VALUES]
    assert [any_number for any_number, _ in found] == expected
    assert [unsigned for _, unsigned in found] == [
        None if number is None or number < 0 else number for number in expected
    ]
