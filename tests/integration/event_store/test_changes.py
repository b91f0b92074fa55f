"""What changed after it was known: every change is found, nothing else is, and its causes add up to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import Causes, CausingEvent, EventFilter, Known, Measure, MetricVersion
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

from .world import BASE, METRICS, World, law, steps

DAY = datetime(2026, 3, 31, tzinfo=UTC)
FOREVER = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
SUMS = [BASE, replace(BASE, value="size", filters={"kind": ["a", "b"]}), replace(BASE, allow_negative=False)]
intervals = st.tuples(st.integers(0, 40 * 4), st.integers(1, 50 * 4)).map(
    lambda quarters: Interval(
        DAY + timedelta(minutes=15 * quarters[0]), DAY + timedelta(minutes=15 * (quarters[0] + quarters[1]))
    )
)


happenings = st.tuples(steps, steps).map(lambda both: [*both[0], ("seal", None), *both[1]])
"""What happens, and somewhere in between an instant is sealed."""


async def happen(database: Database, definitions: Sequence[Any], steps: Sequence[tuple[str, Any]]) -> World:
    world = World(PostgresEventStore(database), database, DAY)
    for definition in definitions:
        await world.add_metric(definition)
    for action, argument in steps:
        if action != "add metric":
            await world.take(action, argument)
    return world


@law
@given(metrics=st.lists(st.sampled_from(METRICS), min_size=1, max_size=3), steps=happenings, interval=intervals)
async def test_every_change_since_a_sealed_instant_is_found_and_none_where_nothing_was_recorded(
    database: Database, metrics: list[Any], steps: list[tuple[str, Any]], interval: Interval
) -> None:
    world = await happen(database, metrics, steps)
    known = [Known(team, interval, sealed) for team in world.teams for sealed in world.sealed]
    for each, changed in zip(known, await world.store.changed(known), strict=True):
        assert await differing(world, each) <= changed
        recorded = [fact for fact in world.facts.values() if fact.team == each.team_id]
        if all(max(f.recorded_at, f.voided_at or f.recorded_at) <= each.known_at for f in recorded):
            assert not changed
    await world.retire()


async def differing(world: World, known: Known) -> set[str]:
    """The metrics whose usage is another than was known, by dimensions and by every measure."""
    asked = [
        UsageRequest([v], known.team_id, [known.interval], FOREVER.end, v.definition.dimensions, measure=measure)
        for v in world.versions
        for measure in (Measure if v.definition.sets_level or v.definition.changes_level else [Measure.TOTAL])
    ]
    now = await world.store.usage(asked)
    then = await world.store.usage([replace(request, known_at=known.known_at) for request in asked])
    return {request.versions[0].name for request, a, b in zip(asked, now, then, strict=True) if a != b}


@law
@given(
    metrics=st.lists(st.sampled_from(SUMS), min_size=1, max_size=2),
    steps=happenings,
    interval=intervals,
    where=st.sampled_from([{}, {"region": ["eu"]}, {"region": ["us", None]}]),
)
async def test_usage_as_known_and_its_causes_add_up_to_usage_now(
    database: Database,
    metrics: list[Any],
    steps: list[tuple[str, Any]],
    interval: Interval,
    where: Mapping[str, Sequence[str | None]],
) -> None:
    world = await happen(database, metrics, steps)
    for version in world.versions:
        for team in world.teams:
            booked = None
            for since, until in pairwise([*world.sealed, None]):
                assert since is not None
                causes = await all_causes(world, team, version, interval, since, until, where)
                before = await total(world, team, version, interval, where, since)
                after = await total(world, team, version, interval, where, until)
                assert booked in (None, before)
                booked = EXACT.add(before, change(causes))
                assert booked == after
    await world.retire()


async def total(
    world: World,
    team: str,
    version: MetricVersion,
    interval: Interval,
    where: Mapping[str, Sequence[str | None]],
    known_at: datetime | None,
) -> Decimal:
    """The sum of the events behind a line, as listed page by page; it is the usage."""
    wanted = EventFilter(
        team_id=team, versions=[version], where=where, interval=interval, known_at=known_at, corrected=False
    )
    found, after = Decimal(0), None
    while True:
        page = await world.store.events(wanted, limit=2, after=after)
        for value in page.values:
            found = EXACT.add(found, value or 0)
        after = page.after
        if after is None:
            break
    request = UsageRequest([version], team, [interval], FOREVER.end, ("region",), known_at=known_at)
    ((*usages,),) = await world.store.usage([request])
    kept = [usage for usage in usages if not where or usage.dimensions[0] in where["region"]] if where else usages
    summed = Decimal(0)
    for usage in kept:
        summed = EXACT.add(summed, usage.quantity or 0)
    assert summed == found
    return found


async def all_causes(
    world: World,
    team: str,
    version: MetricVersion,
    interval: Interval,
    since: datetime,
    until: datetime | None,
    where: Mapping[str, Sequence[str | None]],
) -> list[CausingEvent]:
    """Every causing event, read two at a time; each once, newest first, and as many as counted."""
    events: list[CausingEvent] = []
    after: tuple[str, ...] | None = None
    while True:
        page: Causes = await world.store.causes(
            team, [version], interval, since, until=until, where=where, limit=2, after=after
        )
        events += page.events
        after = page.after
        if after is None:
            break
    assert len({event.id for event in events}) == len(events)
    assert events == sorted(events, key=lambda event: (event.occurred_at, event.id), reverse=True)
    assert {event.cause for event in events} == {
        name for name, count in zip(("late", "amended", "voided"), page[:3], strict=True) if count
    }
    return events


def change(events: Sequence[CausingEvent]) -> Decimal:
    found = Decimal(0)
    for event in events:
        value = event.value or Decimal(0)
        found = EXACT.add(found, value) if event.counts else EXACT.subtract(found, value)
    return found
