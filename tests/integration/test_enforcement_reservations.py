"""Reservations: concurrent work never overshoots a hard limit, and what is reserved counts once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.errors import Conflict, NotFound
from tallystick.core.settings import Settings
from tallystick.enforcement.carrying import Committed, commit_events
from tallystick.enforcement.counters import FRESH
from tallystick.enforcement.models import Reason, Reservation, ReservationState
from tallystick.enforcement.reservations import Reserved, Wish
from tallystick.enforcement.store import Key
from tallystick.metering.service import Metering
from tallystick.storage.database import Database
from tests.integration.enforcement_setup import CALLS, Desk, at_work, enforcing, unanswered

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def desk(database: Database, clock: ManualClock) -> AsyncIterator[Desk]:
    async with at_work(database, clock) as desk:
        await desk.limit(10)
        yield desk


async def reserve(desk: Desk, quantity: Any = 1, **more: Any) -> Reserved:
    return await desk.enforcement.reserve(Wish(CALLS, Decimal(quantity), MINUTE, "test")._replace(**more))


async def granted(desk: Desk, quantity: Any = 1, **more: Any) -> Reservation:
    reservation = (await reserve(desk, quantity, **more)).reservation
    assert reservation is not None
    return reservation


async def commit(desk: Desk, reservation: Reservation, **event: Any) -> Committed:
    sent = {"event_name": "api_call", "quantity": str(reservation.quantity)} | event
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in sent.items()}
    found = await desk.enforcement.reservations.find(reservation.id)
    return await commit_events(desk.enforcement.reservations, desk.house.metering, found, [raw])


async def left(desk: Desk) -> Decimal | None:
    return (await desk.check(0)).remaining


async def test_what_is_reserved_is_not_free(desk: Desk) -> None:
    await granted(desk, 6)
    refused = await reserve(desk, 5)
    assert (refused.reservation, refused.verdict.allowed, refused.verdict.reason) == (None, False, Reason.HARD_LIMIT)
    verdict = await desk.check(5)
    assert (verdict.allowed, verdict.held, verdict.remaining) == (False, Decimal(6), Decimal(4))
    assert (await reserve(desk, 4)).verdict.allowed


async def test_committed_usage_takes_the_place_of_the_reservation(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    done = await commit(desk, reservation, quantity="4")
    assert (done.outcome.accepted, done.reservation.state) == (1, ReservationState.SETTLED)
    verdict = await desk.check(0)
    assert (verdict.used, verdict.held, verdict.remaining) == (Decimal(4), Decimal(0), Decimal(6))


async def test_committing_twice_counts_once(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    await commit(desk, reservation)
    again = await commit(desk, reservation)
    assert (again.outcome.accepted, again.outcome.duplicates) == (0, 1)
    assert await left(desk) == 4


async def test_the_named_event_of_another_sender_settles_it(desk: Desk) -> None:
    reservation = await granted(desk, 6, idempotency_keys=["job-1"])
    await desk.house.use(6, idempotency_key="job-1")
    verdict = await desk.check(0)
    assert (verdict.used, verdict.held, verdict.remaining) == (Decimal(6), Decimal(0), Decimal(4))
    await desk.enforcement.tidy()
    found = await desk.enforcement.reservations.find(reservation.id)
    assert found.state is ReservationState.SETTLED


async def test_it_keeps_its_quantity_free_until_the_events_named_later_are_there(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    await desk.enforcement.reservations.commit(reservation.id, ["a", "b"])
    desk.house.clock.advance(10 * MINUTE)
    assert await left(desk) == 4
    await desk.house.use(2, idempotency_key="a")
    assert await left(desk) == 2
    await desk.house.use(2, idempotency_key="b")
    assert await left(desk) == 6


async def test_what_is_released_is_free_again(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    for _ in range(2):
        released = await desk.enforcement.reservations.release(reservation.id)
        assert released.state is ReservationState.RELEASED
    assert await left(desk) == 10
    with pytest.raises(Conflict, match="was released"):
        await commit(desk, reservation)


async def test_a_reservation_runs_out(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    desk.house.clock.advance(MINUTE)
    assert await left(desk) == 10
    await desk.enforcement.tidy()
    assert (await desk.enforcement.reservations.find(reservation.id)).state is ReservationState.EXPIRED


async def test_work_that_took_too_long_is_usage_all_the_same(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    desk.house.clock.advance(2 * MINUTE)
    await granted(desk, 10)
    assert (await commit(desk, reservation)).outcome.accepted == 1
    verdict = await desk.check(0)
    assert (verdict.used, verdict.held, verdict.remaining) == (Decimal(6), Decimal(10), Decimal(0))


async def test_a_reservation_whose_event_is_refused_is_as_it_was(desk: Desk) -> None:
    reservation = await granted(desk, 6)
    done = await commit(desk, reservation, unit="furlong")
    assert [rejected.code for rejected in done.outcome.rejections] == ["unit_mismatch"]
    assert (done.reservation.state, await left(desk)) == (ReservationState.HELD, Decimal(4))
    await commit(desk, reservation)
    assert await left(desk) == 4


async def test_the_same_reference_is_the_same_reservation(desk: Desk) -> None:
    first = await granted(desk, 6, reference="order-1")
    assert await granted(desk, 6, reference="order-1") == first
    assert await left(desk) == 4
    with pytest.raises(Conflict, match="'order-1' was used for 6 of api_calls"):
        await reserve(desk, 5, reference="order-1")


async def test_one_reference_at_the_same_time_is_one_reservation(desk: Desk) -> None:
    made = await asyncio.gather(*(granted(desk, 6, reference="order-1") for _ in range(20)))
    assert len({each.id for each in made}) == 1
    assert await left(desk) == 4


async def test_an_unknown_metric_spoils_no_other_reservation(desk: Desk) -> None:
    wrong, right = await asyncio.gather(
        reserve(desk, key=Key("acme", "nothing")), reserve(desk, 6), return_exceptions=True
    )
    assert isinstance(wrong, NotFound)
    assert isinstance(right, Reserved)
    assert right.verdict.allowed


async def test_reservations_outlast_the_period_they_were_made_in(desk: Desk) -> None:
    await granted(desk, 6, lasts=timedelta(days=20))
    desk.house.clock.advance(timedelta(days=17))
    assert await left(desk) == 4


async def test_what_was_granted_after_nobody_waited_for_it_is_given_back(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await granted(desk, 1)
    monkeypatch.setattr(desk.enforcement, "_patience", 0.02)
    async with unanswered(database, "usage_reservations"):
        assert (await reserve(desk, 4)).verdict.reason is Reason.UNAVAILABLE
        assert (await reserve(desk, 3, reference="again")).verdict.reason is Reason.UNAVAILABLE
    monkeypatch.undo()
    assert (await reserve(desk, 3, reference="again")).verdict.allowed
    assert await left(desk) == 6


async def test_64_clients_of_two_processes_never_pass_a_limit_of_1000(desk: Desk, database: Database) -> None:
    await desk.limit(1000)
    async with Metering.open(database, Settings(), desk.house.clock) as elsewhere:
        other = enforcing(database, elsewhere, desk.house.clock)
        offices = [(desk.enforcement, desk.house.metering), (other, elsewhere)]
        seen: list[Decimal] = []

        async def client(number: int) -> None:
            enforcement, metering = offices[number % 2]
            raw = {"event_name": msgspec.Raw(b'"api_call"'), "quantity": msgspec.Raw(str(1 + number % 3).encode())}
            while True:
                wish = Wish(CALLS, Decimal(1 + number % 3), timedelta(hours=1), "test")
                verdict, reservation = await enforcement.reserve(wish)
                if reservation is None:
                    return
                assert verdict.used is not None
                assert verdict.held is not None
                seen.append(verdict.used + verdict.held + wish.quantity)
                if number % 8 == 0:
                    await enforcement.reservations.release(reservation.id)
                    await enforcement.reserve(wish)  # it runs out unused, and counts
                    return
                await commit_events(enforcement.reservations, metering, reservation, [raw])

        await asyncio.gather(*(client(number) for number in range(64)))
    await asyncio.sleep(FRESH)  # from then on a check knows what the other process has recorded
    verdict = await desk.check(0)
    assert verdict.used is not None
    assert verdict.held is not None
    assert max(seen) <= 1000
    assert verdict.used + verdict.held <= 1000
    assert not (await desk.check(3)).allowed
    assert verdict.used == await desk.billed()
