"""What was known when: sealed instants, usage as it was known, and what has changed since, one promise at a time."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.core.clock import Interval, ManualClock
from tallystick.core.errors import InvalidInput
from tallystick.core.settings import Settings
from tallystick.metering.decoding import decode
from tallystick.metering.models import Cause, EventFilter, Known, Measure, Usage
from tallystick.metering.seal import recording_at
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database

CATALOGUE = """
version: 1
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  users: {event: api_call, aggregation: unique_count, value: user_id, unit: user}
  disk: {event: disk, aggregation: time_weighted, unit: GB-hour, value_unit: GB, dimensions: [region]}
teams:
  acme: {}
  globex: {}
"""
TEN, ELEVEN, NOON = (datetime(2026, 3, 10, hour, tzinfo=UTC) for hour in (10, 11, 12))
MORNING = Interval(TEN, NOON)


@pytest.fixture
async def metering(database: Database, clock: ManualClock) -> AsyncIterator[Metering]:
    """Metering with the metrics above; it is noon of the tenth."""
    clock.set(NOON)
    await apply(database, parse(CATALOGUE), clock)
    async with Metering.open(database, Settings(), clock) as opened:
        yield opened


async def send(metering: Metering, at: datetime, quantity: Any = 1, **fields: Any) -> None:
    sent = {"team_id": "acme", "event_name": "api_call", "timestamp": at.isoformat(), "quantity": str(quantity)}
    outcome = await metering.ingestor.submit(decode(json.dumps({**sent, **fields}).encode(), metering.limits.now()))
    assert outcome.accepted == 1, outcome


async def level(metering: Metering, at: datetime, gigabytes: int, region: str = "eu") -> None:
    await send(metering, at, gigabytes, event_name="disk", metadata={"region": region})


async def ask(metering: Metering, metric: str = "calls", **terms: Any) -> Usage:
    ((usage,),) = await metering.usage.read([UsageQuestion(metric, "acme", [MORNING], **terms)])
    return usage


async def roll_up(metering: Metering, clock: ManualClock) -> None:
    while (await metering.store.roll_up(clock.now())).more:
        pass


async def changed(metering: Metering, known_at: datetime, interval: Interval = MORNING) -> set[str]:
    (found,) = await metering.store.changed([Known("acme", interval, known_at)])
    return set(found)


async def test_what_is_recorded_after_sealing_is_recorded_after_the_sealed_instant_whatever_the_clock_says(
    metering: Metering, clock: ManualClock
) -> None:
    await send(metering, TEN, 1, idempotency_key="first")
    sealed = await metering.store.seal(clock.now())
    await send(metering, TEN, 10)
    (first,) = (await metering.store.events(EventFilter(idempotency_key="first"), limit=1)).events
    await metering.corrections.void(first.id, "wrong", "test")
    assert sealed == clock.now()
    assert (await ask(metering, known_at=sealed)).quantity == 1
    assert (await ask(metering)).quantity == 10


async def test_sealing_waits_for_a_batch_that_is_being_written(metering: Metering, database: Database) -> None:
    async with database.transaction() as writer:
        await recording_at(writer, NOON)
        sealing = asyncio.create_task(metering.store.seal(NOON))
        await asyncio.sleep(0.1)
        assert not sealing.done()
    assert await sealing == NOON


async def test_every_seal_is_later_than_the_one_before_it(metering: Metering, database: Database) -> None:
    assert await metering.store.seal(NOON) == NOON
    again = await metering.store.seal(TEN)
    assert again > NOON
    async with database.transaction() as tx:
        assert await recording_at(tx, TEN) > again


async def test_usage_as_known_uses_the_definitions_of_that_time(
    metering: Metering, clock: ManualClock, database: Database
) -> None:
    await send(metering, TEN, 1, metadata={"region": "eu"})
    await send(metering, ELEVEN, 2, metadata={"region": "us"})
    sealed = await metering.store.seal(clock.now())
    clock.advance(timedelta(hours=1))
    narrower = CATALOGUE.replace(
        "unit: call, ", "unit: call, filters: {region: eu}, effective_from: 2026-03-10T09:00:00Z, "
    )
    await apply(database, parse(narrower), clock, allow_retroactive=True)
    assert (await ask(metering)).quantity == 1
    assert (await ask(metering, known_at=sealed)).quantity == 3
    assert await changed(metering, sealed) == {"calls"}
    assert await changed(metering, clock.now()) == set()
    assert await changed(metering, sealed, Interval(TEN - timedelta(days=9), TEN - timedelta(days=8))) == set()


async def test_a_definition_that_begins_later_leaves_what_is_closed_as_it_was(
    metering: Metering, clock: ManualClock, database: Database
) -> None:
    sealed = await metering.store.seal(clock.now())
    clock.advance(timedelta(hours=1))
    await apply(database, parse(CATALOGUE.replace("unit: call, ", "unit: call, filters: {region: eu}, ")), clock)
    assert await changed(metering, sealed) == set()
    assert await changed(metering, sealed, Interval(NOON, NOON + timedelta(days=1))) == {"calls"}


async def test_a_late_event_changes_the_metrics_that_count_its_name_before_and_after_the_roll_up(
    metering: Metering, clock: ManualClock
) -> None:
    sealed = await metering.store.seal(clock.now())
    await send(metering, TEN, 5)
    assert await changed(metering, sealed) == {"calls", "users"}
    await roll_up(metering, clock)
    assert await changed(metering, sealed) == {"calls", "users"}
    assert await changed(metering, clock.now() + timedelta(seconds=1)) == set()
    assert await changed(metering, sealed, Interval(ELEVEN, NOON)) == set()


async def test_an_event_recorded_in_its_own_hour_is_found_when_that_hour_was_cut_by_closing(
    metering: Metering, clock: ManualClock
) -> None:
    clock.set(NOON + timedelta(minutes=20))
    sealed = await metering.store.seal(clock.now())
    clock.advance(timedelta(minutes=1))
    await send(metering, NOON + timedelta(minutes=10))
    await roll_up(metering, clock)
    assert await changed(metering, sealed, Interval(TEN, NOON + timedelta(minutes=15))) == {"calls", "users"}


async def test_a_late_level_changes_every_later_interval_that_it_lasts_into(
    metering: Metering, clock: ManualClock
) -> None:
    sealed = await metering.store.seal(clock.now())
    await level(metering, TEN, 4)
    await roll_up(metering, clock)
    later = Interval(ELEVEN, NOON)
    assert await changed(metering, sealed, later) == {"disk"}
    assert await changed(metering, sealed, Interval(TEN - timedelta(hours=1), TEN)) == set()
    versions = (await metering.usage.metrics())["disk"]
    causes = await metering.store.causes("acme", versions, later, sealed)
    assert (causes.late, causes.amended, causes.voided) == (1, 0, 0)


async def test_causes_tell_late_amended_and_voided_events_apart(metering: Metering, clock: ManualClock) -> None:
    for key in ("amended", "voided"):
        await send(metering, TEN, 10, idempotency_key=key)
    sealed = await metering.store.seal(clock.now())
    amended, voided = [
        (await metering.store.events(EventFilter(idempotency_key=key), limit=1)).events[0].id
        for key in ("amended", "voided")
    ]
    await metering.corrections.amend(amended, {"quantity": 3}, "miscounted", "test")
    await metering.corrections.void(voided, "a test", "test")
    await send(metering, ELEVEN, 2)
    versions = (await metering.usage.metrics())["calls"]
    causes = await metering.store.causes("acme", versions, MORNING, sealed)
    assert (causes.late, causes.amended, causes.voided) == (1, 1, 1)
    assert {(event.cause, event.counts, event.value) for event in causes.events} == {
        (Cause.LATE, True, Decimal(2)), (Cause.AMENDED, True, Decimal(3)), (Cause.AMENDED, False, Decimal(10)),
        (Cause.VOIDED, False, Decimal(10)),
    }  # fmt: skip
    until = await metering.store.seal(clock.now())
    assert (await metering.store.causes("acme", versions, MORNING, until)).events == []
    assert (await ask(metering, known_at=sealed)).quantity == 20
    assert (await ask(metering, known_at=until)).quantity == 5


async def test_the_average_is_over_the_window_and_the_peak_includes_the_level_it_opens_with(
    metering: Metering, clock: ManualClock
) -> None:
    await level(metering, TEN - timedelta(days=1), 8)
    await level(metering, TEN + timedelta(minutes=30), 2)
    await level(metering, ELEVEN, 3, region="us")
    assert (await ask(metering, "disk")).quantity == 10  # 8 × ½ h + 2 × 1½ h + 3 × 1 h
    assert (await ask(metering, "disk", measure=Measure.AVERAGE)).quantity == 5
    assert (await ask(metering, "disk", measure=Measure.PEAK)).quantity == 8
    in_us = await ask(metering, "disk", measure=Measure.PEAK, where={"region": ["us"]})
    assert in_us.quantity == 3


async def test_the_peak_of_all_is_the_highest_sum_and_not_the_sum_of_peaks(metering: Metering) -> None:
    await level(metering, TEN, 8, region="eu")
    await level(metering, ELEVEN, 1, region="eu")
    await level(metering, ELEVEN, 5, region="us")
    assert (await ask(metering, "disk", measure=Measure.PEAK)).quantity == 8


async def test_a_level_that_is_replaced_at_the_same_instant_was_never_held(metering: Metering) -> None:
    await level(metering, TEN, 100)
    await level(metering, TEN, 7)
    assert (await ask(metering, "disk", measure=Measure.PEAK)).quantity == 7


async def test_a_window_that_has_not_begun_has_no_average_and_no_peak(metering: Metering, clock: ManualClock) -> None:
    await level(metering, TEN, 8)
    clock.set(NOON)
    tomorrow = Interval(NOON + timedelta(days=1), NOON + timedelta(days=2))
    questions = [UsageQuestion("disk", "acme", [MORNING, Interval(NOON, tomorrow.start), tomorrow], measure=measure)
                 for measure in Measure]  # fmt: skip
    quantities = [[usage.quantity for usage in answer] for answer in await metering.usage.read(questions)]
    assert quantities == [[16, 0, 0], [8, None, None], [8, None, None]]


async def test_amounts_are_in_the_order_of_time_and_of_recording(metering: Metering) -> None:
    await send(metering, ELEVEN, "2.50")
    await send(metering, TEN, 7)
    await send(metering, ELEVEN, 1)
    usage = await ask(metering, each=True)
    assert usage.amounts == (Decimal(7), Decimal("2.5"), Decimal(1))
    assert (await ask(metering)).amounts is None
    ((nothing,),) = await metering.usage.read([UsageQuestion("calls", "globex", [MORNING], each=True)])
    assert nothing.amounts == ()


@pytest.mark.parametrize(
    ("metric", "terms", "message"),
    [
        ("calls", {"measure": Measure.PEAK}, "has no level whose peak could be taken; it is sum, not time_weighted"),
        ("users", {"each": True}, "are not worth a number"),
        ("calls", {"where": {"zone": ["a"]}}, "'zone' is not a dimension"),
    ],
)
async def test_what_a_metric_can_not_answer_is_refused(
    metering: Metering, metric: str, terms: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        await ask(metering, metric, **terms)


async def test_dimensions_that_a_metric_gained_later_are_absent_before(
    metering: Metering, clock: ManualClock, database: Database
) -> None:
    await send(metering, TEN, 1, metadata={"region": "eu", "kind": "a"})
    await level(metering, TEN, 4)
    wider = CATALOGUE.replace(
        "dimensions: [region]", "dimensions: [kind, region], effective_from: 2026-03-10T11:00:00Z"
    )
    await apply(database, parse(wider), clock, allow_retroactive=True)
    await send(metering, ELEVEN, 2, metadata={"region": "eu", "kind": "a"})
    ((*usages,),) = await metering.usage.read([UsageQuestion("calls", "acme", [MORNING], group_by=("region", "kind"))])
    assert [usage.dimensions for usage in usages] == [("eu", "a"), ("eu", None)]
    assert [usage.quantity for usage in usages] == [2, 1]
    assert (await ask(metering, "disk", measure=Measure.PEAK)).quantity == 4
    assert (await ask(metering, "disk")).quantity == 8


async def test_a_cursor_of_another_listing_is_refused(metering: Metering) -> None:
    versions = (await metering.usage.metrics())["calls"]
    await send(metering, TEN)
    with pytest.raises(InvalidInput, match="not one of this listing"):
        await metering.store.causes("acme", versions, MORNING, TEN, after=("1", "2"))
