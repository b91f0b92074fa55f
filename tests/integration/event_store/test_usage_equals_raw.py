"""The law of the roll-ups: usage from roll-ups and tail is what a recomputation from the events gives.

For random events of several teams, corrections, late arrivals, roll-up timings and metrics added late, in
zones whose hours are not UTC's and on days that have 23, 24 and 25 hours. Now, and as it was known at every
instant that was sealed on the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clock import Interval, Window, windows, zone
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import Aggregation, Measure, MetricDefinition
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

from .world import DAYS, METRICS, World, law, steps


class Asked(NamedTuple):
    """The windows that are asked for, and the instant up to which levels hold."""

    day: datetime
    cut: list[Interval]
    as_of: datetime


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    zone_name = draw(st.sampled_from(sorted(DAYS)))
    day = draw(st.sampled_from(DAYS[zone_name]))
    begin = day + timedelta(minutes=15 * draw(st.integers(0, 40 * 4)))
    interval = Interval(begin, begin + timedelta(minutes=15 * draw(st.integers(1, 50 * 4))))
    size = draw(st.sampled_from([Window.HOUR, Window.DAY, Window.MONTH]))
    return Asked(day, windows(interval, size, zone(zone_name)), day + timedelta(hours=draw(st.integers(0, 80))))


metrics = st.lists(st.sampled_from(METRICS), min_size=1, max_size=3)


async def begin(database: Database, day: datetime, definitions: Sequence[MetricDefinition]) -> World:
    world = World(PostgresEventStore(database), database, day)
    for definition in definitions:
        await world.add_metric(definition)
    return world


@law
@given(metrics=metrics, steps=steps, asked=questions())
async def test_usage_from_rollups_and_tail_is_usage_recomputed_from_events(
    database: Database, metrics: list[MetricDefinition], steps: list[tuple[str, Any]], asked: Asked
) -> None:
    world = await begin(database, asked.day, metrics)
    for action, argument in steps:
        await world.take(action, argument)
        await world.check(list(world.requests(asked.cut, asked.as_of)))
    while (await world.store.roll_up(world.now)).more:
        pass
    await world.check(list(world.requests(asked.cut, asked.as_of)))
    await world.retire()


@law
@given(metrics=metrics, steps=steps, asked=questions())
async def test_every_question_is_answered_as_it_was_known_at_every_sealed_instant(
    database: Database, metrics: list[MetricDefinition], steps: list[tuple[str, Any]], asked: Asked
) -> None:
    world = await begin(database, asked.day, metrics)
    for number, (action, argument) in enumerate(steps):
        await world.take(action, argument)
        if number % 5 == 4:
            await world.check(list(_questions(world, asked)))
    while (await world.store.roll_up(world.now)).more:
        pass
    await world.check(list(_questions(world, asked)))
    await world.retire()


def _questions(world: World, asked: Asked) -> Iterator[UsageRequest]:
    """Of every metric what else can be asked, now and at the sealed instants."""
    for request in world.requests(asked.cut, asked.as_of):
        for known_at in (None, *world.sealed[:1], *world.sealed[-1:]):
            known = replace(request, known_at=known_at)
            aggregation = request.versions[0].definition.aggregation
            if aggregation is Aggregation.TIME_WEIGHTED:
                yield from (replace(known, measure=measure) for measure in Measure)
            else:
                yield replace(known, each=aggregation is not Aggregation.UNIQUE_COUNT)
