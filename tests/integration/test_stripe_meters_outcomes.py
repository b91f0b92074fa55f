"""Every class of answer of Stripe's has its deed, and in none of them is anything dropped or told twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import stripe

from tallystick.core.clock import ManualClock
from tallystick.integrations.stripe.fake import ASSUMED, Effect, Fault, Setting
from tallystick.integrations.stripe.fake.usage import Known
from tallystick.integrations.stripe.meters import sending
from tallystick.integrations.stripe.meters.models import BLIND, OLDEST
from tallystick.integrations.stripe.meters.rejections import (
    Rejection,
    rejections_in,
    report_rejections,
    unnamed_since,
)
from tallystick.integrations.stripe.outcomes import Class, outcome_of
from tallystick.integrations.stripe.reconciling.service import Reconciliation
from tallystick.storage.database import Database
from tests.integration.stripe_meters_setup import EVENTS, Shop, open_shop

STREAM = "POST /v2/billing/meter_event_stream"
EVENING = "2026-03-15T11:00:00Z"


@pytest.fixture
async def shop(database: Database, clock: ManualClock) -> AsyncIterator[Shop]:
    async with open_shop(database, clock) as opened:
        yield opened


def keys(shop: Shop) -> list[str | None]:
    """The idempotency keys of the events that were sent, the identifiers taken off."""
    sent = [each for each in shop.account.requests if each.operation == EVENTS]
    assert all(each.idempotency_key and each.idempotency_key.startswith("ts1_") for each in sent)
    return [(each.idempotency_key or "").partition(":")[2] for each in sent]


async def kinds(shop: Shop) -> list[str]:
    """What people were told."""
    return [kind for (kind,) in await shop.rows("SELECT kind FROM notifications ORDER BY id")]


async def repaired(shop: Shop) -> None:
    """Differences are found at second sight, and put right."""
    service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
    for _ in range(3):
        await service.run(cap=100)  # type: ignore[arg-type]
        await shop.quiet(hours=2)


def refusal(status: int, message: str, **body: Any) -> stripe.StripeError:
    return stripe.InvalidRequestError(message, None, http_status=status, json_body={"error": body})


# --- Accepted, and accepted before --------------------------------------------------------------------------


async def test_what_was_sent_before_is_as_good_as_accepted(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.DONE_BUT_SERVER_ERROR, EVENTS))
    await shop.quiet()
    assert (await shop.states(), shop.told()) == ({"accepted": 1}, 3)
    assert shop.account.usage.duplicates == 1
    assert keys(shop) == ["0", "0", "1"]  # answered, replayed, and asked anew


def test_that_another_event_exists_says_nothing_about_this_one() -> None:
    message = "An event already exists with identifier ts1_other."
    assert outcome_of(refusal(400, message), "ts1_mine").kind is Class.POISON
    assert outcome_of(refusal(400, message), "ts1_other").kind is Class.DUPLICATE


@pytest.mark.parametrize(("done", "states"), [(True, {"accepted": 1}), (False, {"lost": 1, "accepted": 1})])
async def test_a_repeat_that_is_refused_with_other_words_is_looked_for(
    database: Database, clock: ManualClock, done: bool, states: dict[str, int]
) -> None:
    assumed = replace(ASSUMED, a03_duplicate_message="Event {identifier} was seen.")
    async with open_shop(database, clock, Setting(at=clock.now(), assumed=assumed)) as shop:
        await shop.customer()
        await shop.house.use(3)
        effect = Effect.DONE_BUT_SERVER_ERROR if done else Effect.SERVER_ERROR
        shop.account.faults.plan(Fault(effect, EVENTS))
        await shop.sync()
        if not done:  # the same words for something that never arrived
            shop.account.usage._known["", (await identifiers(shop))[0]] = Known(0, None)
        await shop.quiet()
        assert (await shop.states(), shop.told()) == (states, 3)


async def identifiers(shop: Shop) -> list[str]:
    return [each for (each,) in await shop.rows("SELECT identifier FROM stripe_deltas ORDER BY id")]


# --- Throttled, unknown --------------------------------------------------------------------------------------


async def test_what_comes_too_fast_waits_with_its_key_and_all_go_slower(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.RATE_LIMITED, EVENTS, times=2))
    full = shop.meters.sender.pace.rate
    await shop.sync()
    assert shop.meters.sender.pace.rate == full / 2
    await shop.quiet()
    assert (await shop.states(), shop.told(), keys(shop)) == ({"accepted": 1}, 3, ["0", "0", "0"])


async def test_a_lock_that_another_holds_slows_nobody_down(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.LOCK_TIMEOUT, EVENTS))
    full = shop.meters.sender.pace.rate
    await shop.quiet()
    assert (shop.meters.sender.pace.rate, shop.told(), keys(shop)) == (full, 3, ["0", "0", "1"])


@pytest.mark.parametrize(("after", "calls"), [(BLIND - timedelta(minutes=1), 2), (BLIND, 1)])
async def test_without_an_answer_it_is_sent_again_for_twenty_hours_and_then_looked_for(
    shop: Shop, after: timedelta, calls: int
) -> None:
    await shop.customer()
    await shop.house.use(3, EVENING)
    shop.go(minutes=15)
    shop.account.faults.plan(Fault(Effect.LOST_ANSWER, EVENTS))
    await shop.sync()
    shop.go(seconds=after.total_seconds())
    await shop.sync()
    assert (len(keys(shop)), set(keys(shop))) == (calls, {"0"})
    await shop.quiet()
    assert (shop.told(), await shop.states(), len(keys(shop))) == (3, {"accepted": 1}, calls)


# --- Late, clock ---------------------------------------------------------------------------------------------


async def test_what_stripe_calls_too_old_is_late_and_its_policy_decides(database: Database, clock: ManualClock) -> None:
    assumed = replace(ASSUMED, a07_oldest=5 * 86_400)
    async with open_shop(database, clock, Setting(at=clock.now(), assumed=assumed)) as shop:
        await shop.customer()
        await shop.house.use(3, "2026-03-05T09:00:00Z")
        await shop.house.use(4, "2026-03-14T09:00:00Z")
        await shop.quiet()
        await shop.sync()
        assert await shop.states() == {"late": 1, "accepted": 2}  # told now, as of now, and kept as late
        assert shop.told() == 7
        stamps = [stamp for quantity, stamp, _ in await shop.outbox() if quantity == "3"]
        assert stamps[0] == "05 09:00"
        assert stamps[1] > "15"


async def test_nothing_is_sent_that_is_older_than_thirty_four_days(shop: Shop) -> None:
    await shop.customer(plan=None, policy="write_off")  # no subscription: no invoice is final before
    await shop.house.use(3, EVENING)
    shop.go(minutes=15)
    shop.account.faults.plan(Fault(Effect.RATE_LIMITED, EVENTS))
    await shop.sync()
    calls = len(keys(shop))
    shop.go_to((datetime.fromisoformat(EVENING) + OLDEST - timedelta(minutes=1)).isoformat())
    shop.account.faults.plan(Fault(Effect.RATE_LIMITED, EVENTS))
    await shop.sync()
    assert len(keys(shop)) == calls + 1  # the last minute
    shop.go(hours=1)
    await shop.sync()
    assert (len(keys(shop)), await shop.states(), shop.told()) == (calls + 1, {"late": 1}, 0)


async def test_nothing_is_sent_for_an_invoice_that_will_be_final_in_a_moment(shop: Shop) -> None:
    await shop.customer(policy="write_off")
    shop.go_to("2026-04-01T00:49:00+00:00")
    await shop.house.use(1, "2026-03-31T22:00:00Z")
    await shop.sync()
    shop.go(minutes=1)  # ten minutes before Stripe's hour of grace is over
    await shop.house.use(2, "2026-03-31T22:30:00Z")
    await shop.sync()
    assert (shop.told(), await shop.states()) == (1, {"accepted": 1, "late": 1})


async def test_somebody_is_told_long_before_usage_is_too_late(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.RATE_LIMITED, EVENTS, times=None))
    await shop.sync()
    assert await kinds(shop) == []
    shop.go_to("2026-03-31T06:00:00+00:00")
    for _ in range(2):
        await shop.sync()
    assert await kinds(shop) == ["stripe.deadline"]
    [(title,)] = await shop.rows("SELECT content ->> 'title' FROM notifications")
    assert title == "Usage of acme has to reach Stripe by 2026-04-01 00:50 UTC"


# --- Configuration -------------------------------------------------------------------------------------------


async def test_a_key_that_is_refused_holds_every_lane_with_one_call_or_a_few(shop: Shop) -> None:
    for number in range(60):
        await shop.customer(f"team-{number}")
        await shop.house.use(1, team_id=f"team-{number}")
    shop.api.client._requestor._options.api_key = "sk_test_wrong"
    for _ in range(3):
        await shop.sync()
    refused = [each for each in shop.account.requests if each.status == 401]
    assert len(refused) <= 32  # those of two rounds that were under way together
    assert {each.parked for each in await shop.meters.standing()} == {1}
    assert await kinds(shop) == ["stripe.held"]
    shop.api.client._requestor._options.api_key = "sk_test_fake"
    await shop.quiet()
    assert {shop.told(team_id=f"team-{number}") for number in range(60)} == {1}
    assert {each.hold for each in await shop.meters.standing()} == {None}


async def test_a_customer_who_is_gone_holds_nobody_else_up(database: Database, clock: ManualClock) -> None:
    known = ASSUMED.a09_refused_at_once | {"meter_event_customer_not_found"}
    setting = Setting(at=clock.now(), assumed=replace(ASSUMED, a09_refused_at_once=known))
    async with open_shop(database, clock, setting) as shop:
        for team in ("acme", "beta"):
            await shop.customer(team)
            await shop.house.use(2, team_id=team)
        shop.api.client.v1.customers.delete(shop.customers["acme"])
        await shop.sync()
        standing = {each.team_id: (each.parked, each.accepted) for each in await shop.meters.standing()}
        assert standing == {"acme": (1, 0), "beta": (0, 1)}
        assert shop.told(team_id="beta") == 2


# --- Poison --------------------------------------------------------------------------------------------------


async def test_a_key_that_was_used_for_something_else_sets_its_event_aside(shop: Shop) -> None:
    await shop.customer()
    await shop.house.use(3, "2026-03-05T09:00:00Z")
    await shop.house.use(4, "2026-03-05T10:00:00Z")
    await shop.meters.planner.run()
    [first, _] = await identifiers(shop)
    event: Any = {"event_name": "api_calls", "payload": {"stripe_customer_id": shop.customers["acme"], "value": "9"}}
    shop.api.client.v1.billing.meter_events.create(event, {"idempotency_key": f"{first}:0"})
    await shop.sync()
    assert await shop.states() == {"quarantined": 1, "accepted": 1}
    assert await kinds(shop) == ["stripe.quarantined"]


async def test_what_was_refused_for_good_can_be_told_anew_when_its_reason_is_gone(shop: Shop) -> None:
    assert await rejected(shop, "meter_event_invalid_value") == {"quarantined": 1}
    assert (await shop.meters.retell(["beta"]), await shop.meters.retell(["acme"])) == (0, 1)
    await shop.quiet()
    assert (await shop.states(), shop.told()) == ({"rejected": 1, "accepted": 1}, 3)
    assert await shop.rows("SELECT cause FROM stripe_repairs") == [("told again by hand",)]


# --- Rejected later ------------------------------------------------------------------------------------------


async def rejected(shop: Shop, *codes: str) -> dict[str, int]:
    """An event was accepted, and reports name it."""
    await shop.customer()
    await shop.house.use(3)
    shop.account.faults.plan(Fault(Effect.REJECTED_LATER, EVENTS))
    await shop.sync()
    [identifier] = await identifiers(shop)
    for code in codes:
        async with shop.house.database.transaction() as tx:
            await report_rejections(tx, [Rejection(f"{identifier}:0", code, "words")], shop.clock.now())
    return await shop.states()


async def test_what_stripe_will_never_take_is_set_aside_and_somebody_is_told(shop: Shop) -> None:
    assert await rejected(shop, "meter_event_invalid_value") == {"quarantined": 1}
    assert await kinds(shop) == ["stripe.rejected"]


async def test_what_was_too_old_for_stripe_is_late(shop: Shop) -> None:
    assert await rejected(shop, "timestamp_too_far_in_past") == {"late": 1}
    await shop.quiet()
    assert shop.told() == 3  # in the period that is running


async def test_a_reason_that_is_not_known_is_left_to_the_summaries(shop: Shop) -> None:
    assert await rejected(shop, "something_new") == {"accepted": 1}
    await repaired(shop)
    assert (await shop.states(), shop.told()) == ({"lost": 1, "confirmed": 1}, 3)


async def test_a_repeat_that_a_report_names_is_no_rejection(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STREAM_FROM", 3)
    assumed = replace(ASSUMED, a04_stream_reports_duplicates=True)
    async with open_shop(database, clock, Setting(at=clock.now(), assumed=assumed), streams=True) as shop:
        await shop.customer()
        for hour in range(5):
            await shop.house.use(2**hour, f"2026-03-05T0{hour}:00:00Z")
        shop.account.faults.plan(Fault(Effect.LOST_ANSWER, STREAM))
        await shop.quiet()
        await heard(shop)
        await repaired(shop)
        assert shop.account.usage.duplicates == 5
        assert (await shop.states(), shop.told()) == ({"confirmed": 5}, 31)


async def test_what_a_report_does_not_show_is_found_by_the_summaries(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of eleven teams are rejected, five are shown, and by the stream the batch is all that is named."""
    monkeypatch.setattr(sending, "STREAM_FROM", 3)
    async with open_shop(database, clock, Setting(at=clock.now()), streams=True) as shop:
        for number in range(11):
            await shop.customer(f"team-{number}")
            await shop.house.use(2 + number, team_id=f"team-{number}")
        fault = Fault(Effect.REJECTED_LATER, STREAM, code="meter_event_customer_not_found")
        shop.account.faults.plan(fault)
        await shop.sync()
        await heard(shop)
        for _ in range(4):  # by itself, and without a cap: Stripe itself has said so
            await shop.quiet(hours=2)
            await Reconciliation(shop.meters, shop.house.metering, shop.clock).tend()
        await shop.quiet()
        assert [shop.told(team_id=f"team-{number}") for number in range(11)] == [2 + number for number in range(11)]


async def heard(shop: Shop) -> None:
    """The reports of Stripe's arrive."""
    shop.account.advance(minutes=1)
    answer = shop.api.client.raw_request("get", "/v2/core/events", limit=100)
    for event in answer.data["data"]:
        data, now = event["data"], shop.clock.now()
        async with shop.house.database.transaction() as tx:
            found = rejections_in(data)
            await report_rejections(tx, found, now, account=shop.api.account, since=unnamed_since(data))


# --- How fast, and one at a time -----------------------------------------------------------------------------


async def test_a_customers_meter_has_one_call_at_a_time(database: Database, clock: ManualClock) -> None:
    async with open_shop(database, clock, Setting(at=clock.now(), latency=0.01)) as shop:
        for team in ("acme", "beta"):
            await shop.customer(team)
            for hour in range(10):
                await shop.house.use(1, f"2026-03-05T{hour:02}:00:00Z", team_id=team)
        await shop.meters.planner.run()
        await asyncio.gather(*(shop.meters.send() for _ in range(4)))
        assert shop.account.buckets.refused == 0
        assert shop.account.counts[EVENTS, 200] == 20


async def test_many_that_wait_go_by_the_stream_and_few_by_single_calls(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STREAM_FROM", 10)
    async with open_shop(database, clock, streams=True) as shop:
        await shop.customer()
        for hour in range(9):
            await shop.house.use(1, f"2026-03-05T{hour:02}:00:00Z")
        await shop.sync()
        assert (shop.account.counts[EVENTS, 200], shop.account.counts[STREAM, 200]) == (9, 0)
        for hour in range(10):
            await shop.house.use(1, f"2026-03-06T{hour:02}:00:00Z")
        shop.go(hours=1)
        await shop.sync()
        assert (shop.account.counts[EVENTS, 200], shop.account.counts[STREAM, 200]) == (9, 1)
