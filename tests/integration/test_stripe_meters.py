"""Usage reaches Stripe's meters: what is told, in which period, exactly once, and what happens when it can't be."""

import asyncio
from decimal import Decimal

import psycopg
import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.ids import event_id
from tallystick.integrations.stripe.fake import Effect, Fault
from tallystick.integrations.stripe.meters.rejections import Rejection, report_rejections
from tallystick.integrations.stripe.meters.sending import CALLS
from tallystick.storage.database import Database
from tests.integration.stripe_meters_setup import EVENTS, Shop, open_shop


@pytest.fixture
async def shop(database: Database, clock: ManualClock):
    async with open_shop(database, clock) as opened:
        yield opened


async def test_usage_is_told_per_hour_of_utc(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-05T09:10:00Z")
    await shop.house.use(4, "2026-03-05T09:59:59Z")
    await shop.house.use("0.0000001", "2026-03-05T10:00:00Z")
    done = await shop.sync()
    assert (done.booked, done.accepted) == (2, 2)
    assert await shop.outbox() == [("7", "05 09:00", "accepted"), ("0.0000001", "05 10:00", "accepted")]
    assert shop.told() == Decimal("7.0000001")


async def test_a_second_look_tells_nothing(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    await shop.sync()
    shop.go(hours=1)
    done = await shop.sync()
    assert (done.booked, done.accepted) == (0, 0)


async def test_what_comes_late_is_another_delta_of_its_hour(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-05T09:10:00Z")
    await shop.sync()
    await shop.house.use(5, "2026-03-05T09:20:00Z")
    shop.go(hours=1)
    await shop.sync()
    assert await shop.outbox() == [("3", "05 09:00", "accepted"), ("5", "05 09:01", "accepted")]


async def test_a_correction_takes_back_what_was_told(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-05T09:10:00Z", idempotency_key="one")
    await shop.sync()
    await shop.house.metering.corrections.void(event_id("acme", "one"), reason="wrong", actor="test")
    shop.go(hours=1)
    await shop.sync()
    assert [quantity for quantity, *_ in await shop.outbox()] == ["3", "-3"]
    assert shop.told() == 0


async def test_an_hour_is_told_when_it_is_over_for_ten_minutes(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(1, "2026-03-15T11:30:00Z")
    shop.go(minutes=9)
    assert (await shop.sync()).booked == 0
    shop.go(minutes=1)
    assert (await shop.sync()).booked == 1


async def test_the_hour_in_which_a_period_ends_is_two_windows(shop: Shop) -> None:
    await shop.customer(time_zone="Asia/Kathmandu")  # whose months begin at a quarter past an hour of UTC
    await shop.house.use(1, "2026-03-15T10:05:00Z")
    shop.go_to("2026-03-31T18:20:00+00:00")
    await shop.house.use(2, "2026-03-31T18:10:00Z")
    await shop.house.use(4, "2026-03-31T18:16:00Z")
    shop.go(minutes=10)
    await shop.sync()
    shop.go(hours=1)
    await shop.sync()
    assert [each[:2] for each in await shop.outbox()] == [("1", "15 10:00"), ("2", "31 18:00"), ("4", "31 18:15")]


async def test_usage_that_does_not_add_up_is_told_as_it_stands(shop: Shop) -> None:
    await shop.meter("peak")
    await shop.customer()
    for quantity, at in ((5, "2026-03-05T09:00:00Z"), (3, "2026-03-06T09:00:00Z")):
        await shop.house.use(quantity, at, event_name="load", metadata={"ms": 1})
    await shop.sync()
    await shop.house.use(9, "2026-03-15T11:00:00Z", event_name="load", metadata={"ms": 1})
    shop.go(hours=2)
    await shop.sync()
    assert shop.told("peak") == 9
    assert [quantity for quantity, *_ in await shop.outbox()] == ["5", "4"]


async def test_many_digits_are_told_in_parts(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use("123456789.123456789123456789", "2026-03-05T09:00:00Z")
    await shop.sync()
    assert [each[0] for each in await shop.outbox()] == ["123456789.123456", "0.000000789123456789"]
    assert shop.told() == Decimal("123456789.123456789123456789")


async def test_what_stripe_never_takes_is_kept_and_others_go_on(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(10**16, "2026-03-05T09:00:00Z")
    await shop.house.use(1, "2026-03-05T10:00:00Z")
    await shop.sync()
    assert await shop.states() == {"quarantined": 1, "accepted": 1}
    told = await shop.rows("SELECT kind, content ->> 'title' FROM notifications")
    assert told == [("stripe.quarantined", "Stripe refuses usage of acme")]


@pytest.mark.parametrize(
    "effect",
    [
        Effect.UNREACHABLE,
        Effect.RATE_LIMITED,
        Effect.UNAVAILABLE,
        Effect.SERVER_ERROR,
        Effect.LOCK_TIMEOUT,
        Effect.DONE_BUT_SERVER_ERROR,
        Effect.LOST_ANSWER,
        Effect.GARBLED,
    ],
)
async def test_an_answer_that_says_nothing_is_asked_for_again(shop: Shop, effect: Effect) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(effect, EVENTS, times=2))
    await shop.quiet()
    assert await shop.states() == {"accepted": 1}
    assert shop.told() == 3


async def test_a_deleted_meter_holds_its_lane_and_nothing_is_lost(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    meter = shop.account.usage.meter_named("api_calls")
    assert meter is not None
    shop.api.client.v1.billing.meters.deactivate(meter["id"])
    await shop.sync()
    [standing] = await shop.meters.standing()
    assert (standing.pending, standing.parked) == (0, 1)
    assert standing.hold == "configuration: The meter for this event name is inactive."
    assert await shop.rows("SELECT kind FROM notifications") == [("stripe.held",)]
    shop.api.client.v1.billing.meters.reactivate(meter["id"])
    await shop.quiet()
    assert (shop.told(), (await shop.meters.standing())[0].hold) == (3, None)


async def test_a_key_that_is_not_good_holds_everything(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.api.client._requestor._options.api_key = "sk_test_wrong"
    await shop.sync()
    [standing] = await shop.meters.standing()
    assert standing.parked == 1
    assert "sk_test_wrong" not in (standing.hold or "")


async def test_an_event_that_may_have_arrived_is_not_sent_again_after_twenty_hours(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-15T11:00:00Z")
    shop.go(minutes=15)
    shop.account.faults.plan(Fault(Effect.LOST_ANSWER, EVENTS))
    await shop.sync()
    shop.go(hours=30)  # Stripe has forgotten its identifier: a resend would count twice
    await shop.quiet()
    assert shop.told() == 3
    assert await shop.states() == {"accepted": 1}
    assert await shop.rows("SELECT drift, action FROM stripe_repairs") == [("doubt", "counted")]


async def test_an_event_that_never_arrived_is_told_under_another_name(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-15T11:00:00Z")
    shop.go(minutes=15)
    shop.account.faults.plan(Fault(Effect.UNREACHABLE, EVENTS))
    await shop.sync()
    shop.go(hours=30)
    await shop.quiet()
    assert shop.told() == 3
    assert await shop.states() == {"lost": 1, "accepted": 1}


async def test_a_clock_that_was_put_back_is_not_trusted(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-15T11:00:00Z")
    shop.go(minutes=15)
    real = shop.clock.now()
    shop.clock.set(real.replace(day=17))  # two days ahead
    shop.account.faults.plan(Fault(Effect.LOST_ANSWER, EVENTS))
    await shop.sync()
    shop.clock.set(real)
    shop.account.advance(hours=30)  # so long ago for Stripe; for us it is still to come
    shop.clock.set(real.replace(day=16, hour=18))
    await shop.quiet()
    assert shop.told() == 3


async def test_a_clock_that_is_ahead_holds_what_stripe_calls_the_future(shop: Shop) -> None:
    await shop.customer()
    shop.clock.set(shop.clock.now().replace(hour=16))  # four hours ahead of Stripe's
    await shop.house.use(3, "2026-03-15T15:30:00Z")
    shop.clock.set(shop.clock.now().replace(hour=17))
    await shop.sync()
    [standing] = await shop.meters.standing()
    assert (standing.parked, (standing.hold or "")[:5]) == (1, "clock")
    shop.account.advance(hours=5)
    await shop.quiet()
    assert shop.told() == 3


@pytest.mark.parametrize(("policy", "told"), [("next_period", 8), ("write_off", 3), ("invoice_item", 3)])
async def test_usage_that_comes_when_the_invoice_is_final(shop: Shop, policy: str, told: int) -> None:
    await shop.customer(policy=policy)
    await shop.house.use(3, "2026-03-05T09:00:00Z")
    await shop.sync()
    shop.go_to("2026-04-02T12:00:00+00:00")
    await shop.house.use(5, "2026-03-05T09:30:00Z")
    await shop.sync()
    assert shop.told() == told
    late = await shop.rows("SELECT outcome FROM stripe_deltas WHERE state = 'late'")
    assert late == [("carried by 3" if policy == "next_period" else policy,)]
    stamps = [stamp for _, stamp, state in await shop.outbox() if state == "accepted"]
    assert stamps == ["05 09:00", "02 10:00"][: 2 if policy == "next_period" else 1]


async def test_what_could_not_be_sent_in_time_is_late_and_not_restamped(shop: Shop) -> None:
    await shop.customer(policy="write_off")
    await shop.house.use(3, "2026-03-31T23:30:00Z".replace("31", "15").replace("23:30", "11:30"))
    shop.go(minutes=15)
    shop.account.faults.plan(Fault(Effect.RATE_LIMITED, EVENTS, times=1))
    await shop.sync()
    shop.go_to("2026-04-02T12:00:00+00:00")
    await shop.sync()
    assert await shop.states() == {"late": 1}
    assert shop.told() == 0


async def test_two_senders_tell_everything_once(shop: Shop) -> None:
    for team in ("acme", "beta", "gamma"):
        await shop.customer(team)
        for hour in range(8):
            await shop.house.use(hour + 1, f"2026-03-05T{hour:02}:00:00Z", team_id=team)
    await shop.meters.planner.run()
    await asyncio.gather(*(shop.meters.send() for _ in range(3)))
    assert [shop.told(team_id=team) for team in ("acme", "beta", "gamma")] == [36, 36, 36]
    assert shop.account.counts[EVENTS, 200] == 24


async def test_a_sender_that_died_leaves_nothing_that_is_told_twice(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    await shop.meters.planner.run()
    lines = await shop.meters.sender._lease("dead", shop.clock.now(), CALLS)
    await shop.api.send(lines[0].send[0].request, lines[0].send[0].idempotency_key)  # and then it dies
    await shop.sync()
    assert await shop.states() == {"pending": 1}  # leased
    shop.go(minutes=11)
    await shop.sync()
    assert (await shop.states(), shop.told()) == ({"accepted": 1}, 3)


async def test_by_the_stream_usage_is_told_as_well(database: Database, clock: ManualClock, monkeypatch) -> None:
    monkeypatch.setattr("tallystick.integrations.stripe.meters.sending.STREAM_FROM", 5)
    async with open_shop(database, clock, streams=True) as shop:
        for team in ("acme", "beta"):
            await shop.customer(team)
            for hour in range(24):
                await shop.house.use(hour + 1, f"2026-03-05T{hour:02}:00:00Z", team_id=team)
        shop.account.faults.plan(Fault(Effect.LOST_ANSWER, "POST /v2/billing/meter_event_stream"))
        await shop.quiet()
        assert shop.account.counts["POST /v2/billing/meter_event_stream", 200] >= 1
        assert [shop.told(team_id=team) for team in ("acme", "beta")] == [300, 300]


async def test_a_report_that_events_were_not_counted_has_them_told_anew(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.REJECTED_LATER, EVENTS))
    await shop.sync()
    [(identifier,)] = await shop.rows("SELECT identifier FROM stripe_deltas")
    rejection = Rejection(f"{identifier}:0", "meter_event_customer_not_found", "no such customer")
    for _ in range(2):  # webhooks come twice
        async with shop.house.database.transaction() as tx:
            reported = await report_rejections(tx, [rejection, Rejection("other", "no_meter", "")], shop.clock.now())
        assert reported == (1, 1)
    assert shop.told() == 0
    await shop.quiet()
    assert shop.told() == 3
    assert await shop.states() == {"rejected": 1, "accepted": 1}


async def test_a_delta_can_not_be_changed(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    await shop.sync()
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with shop.house.database.transaction() as tx:
            await tx.execute("UPDATE stripe_deltas SET quantity = 4")


async def test_no_key_is_in_any_row(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.UNREACHABLE, EVENTS), Fault(Effect.SERVER_ERROR, EVENTS))
    await shop.quiet()
    for table in ("stripe_deltas", "stripe_lanes", "stripe_repairs", "notifications"):
        for row in await shop.rows(f"SELECT t::text FROM {table} t"):
            assert "sk_test" not in row[0]


async def test_the_end_of_a_period_is_not_missed_between_two_looks(shop: Shop) -> None:
    await shop.customer()
    await shop.sync()
    shop.go_to("2026-04-01T00:05:00+00:00")
    await shop.house.use(2, "2026-03-31T23:50:00Z")
    assert not await shop.meters.tend()
    assert shop.told() == 0
    shop.go(minutes=6)
    await shop.meters.tend()
    await shop.meters.tend()
    assert shop.told() == 2
