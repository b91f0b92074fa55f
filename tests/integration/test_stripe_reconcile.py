"""What Stripe has counted is held against the ledger, told apart, and put right under a cap."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tallystick.cli.stripe.usage import show_comparisons
from tallystick.core.clock import Interval, ManualClock
from tallystick.core.errors import InvalidInput
from tallystick.integrations.stripe.fake import Effect, Fault, Lag, Setting
from tallystick.integrations.stripe.meters.models import Kind, State
from tallystick.integrations.stripe.meters.rows import Told
from tallystick.integrations.stripe.reconciling.comparing import arrived, explained
from tallystick.integrations.stripe.reconciling.models import Comparison
from tallystick.integrations.stripe.reconciling.service import SAMPLE, Reconciliation
from tallystick.storage.database import Database
from tests.integration.stripe_meters_setup import EVENTS, Shop, open_shop

ALL = Decimal(100)


@pytest.fixture
async def shop(database: Database, clock: ManualClock):
    async with open_shop(database, clock) as opened:
        await opened.customer()
        for hour in range(6):
            await opened.house.use(2**hour, f"2026-03-05T{hour:02}:30:00Z")
        yield opened


async def reconciled(shop: Shop, cap: Decimal = ALL, **options: Any) -> Comparison:
    """What a run says about the only lane's period."""
    service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
    [found] = await service.run(cap=cap, **options)
    return found


async def at_second_sight(shop: Shop, cap: Decimal = ALL, **options: Any) -> Comparison:
    """What a run says when it looks the same an hour later."""
    first = await reconciled(shop, cap, **options)
    assert first.drift == "lag"
    shop.go(hours=1)
    return await reconciled(shop, cap, **options)


async def test_what_agrees_is_confirmed(shop: Shop) -> None:
    await shop.sync()
    found = await reconciled(shop)
    assert (found.drift, found.absolute, found.percent) == ("none", 0, 0)
    assert found.sums == (63, 63, 0, 63)
    assert await shop.states() == {"confirmed": 6}


async def test_what_waits_is_no_drift(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.UNREACHABLE, EVENTS))
    await shop.sync()
    found = await reconciled(shop)
    assert (found.drift, found.sums.waiting, found.absolute) == ("waiting", 63, -63)


async def test_summaries_that_lag_are_no_drift(database: Database, clock: ManualClock) -> None:
    setting = Setting(at=clock.now(), lag=Lag(200, 300))
    async with open_shop(database, clock, setting) as shop:
        await shop.customer()
        await shop.house.use(3)
        await shop.sync()
        assert (await reconciled(shop)).drift == "lag"
        shop.go(minutes=6)
        assert (await reconciled(shop)).drift == "none"


async def test_what_is_accepted_and_never_counted_is_told_anew(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS, skip=2))
    await shop.sync()
    found = await at_second_sight(shop)
    assert (found.drift, found.absolute, found.repaired) == ("missing", -4, 1)
    await shop.sync()
    shop.go(hours=1)
    assert (await reconciled(shop)).drift == "none"
    assert await shop.states() == {"lost": 1, "confirmed": 6}
    assert await shop.rows("SELECT drift, action, quantity FROM stripe_repairs") == [("missing", "lost", 4)]


async def test_what_is_counted_twice_is_taken_back_within_a_day(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.COUNTED_TWICE, EVENTS, skip=3))
    await shop.sync()
    found = await at_second_sight(shop)
    assert (found.drift, found.absolute, found.detail) == ("extra", 8, "taken back and booked anew")
    await shop.quiet()
    assert (shop.told(), (await reconciled(shop)).drift) == (63, "none")


async def test_what_is_counted_twice_is_offset_after_a_day(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.COUNTED_TWICE, EVENTS, skip=3))
    await shop.sync()
    shop.go(hours=30)
    assert (await at_second_sight(shop)).detail == "offset"
    await shop.quiet()
    assert (shop.told(), (await reconciled(shop)).drift) == (63, "none")


async def test_a_second_run_sends_nothing(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS), Fault(Effect.COUNTED_TWICE, EVENTS, skip=3))
    await shop.sync()
    await at_second_sight(shop)
    await shop.sync()
    sent = shop.account.counts[EVENTS, 200]
    for _ in range(3):
        await reconciled(shop)
        await shop.sync()
        shop.go(hours=2)
    assert shop.account.counts[EVENTS, 200] == sent
    assert (await reconciled(shop)).drift == "none"


@pytest.mark.parametrize("effect", [Effect.NEVER_COUNTED, Effect.COUNTED_TWICE])
@pytest.mark.parametrize("hours", [1, 30])
async def test_two_who_reconcile_at_once_repair_once(shop: Shop, effect: Effect, hours: float) -> None:
    shop.account.faults.plan(Fault(effect, EVENTS, skip=3))
    await shop.sync()
    assert (await reconciled(shop)).drift == "lag"
    shop.go(hours=hours)
    found = await asyncio.gather(*(reconciled(shop) for _ in range(3)))
    assert sum(each.repaired for each in found) == 1
    await shop.quiet()
    assert (shop.told(), (await reconciled(shop)).drift) == (63 if effect is Effect.COUNTED_TWICE else 71, "none")
    assert await shop.rows("SELECT count(*)::int FROM stripe_repairs") == [(1,)]


async def test_what_was_never_ours_is_reported_and_not_touched(shop: Shop) -> None:
    await shop.sync()
    event = {"stripe_customer_id": shop.customers["acme"], "value": "1000"}
    stamp = shop.account.clock.now().replace(day=7)
    params: Any = {"event_name": "api_calls", "payload": event, "timestamp": int(stamp.timestamp())}
    shop.api.client.v1.billing.meter_events.create(params)
    found = await at_second_sight(shop)
    assert (found.drift, found.absolute, found.repaired) == ("foreign", 1000, 0)
    assert await shop.rows("SELECT * FROM stripe_repairs") == []


async def test_more_than_the_cap_is_left_for_people_and_told(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS))
    await shop.sync()
    found = await at_second_sight(shop, cap=Decimal(1))
    assert (found.drift, found.repaired, found.detail) == ("missing", 0, "more than 1 %: not repaired")
    for _ in range(3):  # and told once
        await reconciled(shop, cap=Decimal(1))
    told = await shop.rows("SELECT kind, content ->> 'title' FROM notifications")
    assert told == [("stripe.drift", "Stripe differs for acme: api_calls by -1")]


async def test_a_look_without_repair_changes_nothing(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS))
    await shop.sync()
    assert (await at_second_sight(shop, repair=False)).repaired == 0
    assert await shop.states() == {"accepted": 6}


async def test_a_cap_is_a_percentage(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 100"):
        await reconciled(shop, cap=Decimal(101))


async def test_many_hours_are_read_page_by_page(database: Database, clock: ManualClock) -> None:
    async with open_shop(database, clock) as shop:
        await shop.customer()
        for number in range(150):
            await shop.house.use(
                1, f"2026-03-{number // 24 + 1:02}T{number % 24:02}:00:00Z", idempotency_key=f"{number}"
            )
        shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS, skip=140))
        await shop.sync()
        assert (await at_second_sight(shop)).repaired == 1
        await shop.quiet()
        assert (await reconciled(shop)).drift == "none"


async def test_what_is_due_is_compared_by_itself(shop: Shop) -> None:
    service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
    await shop.sync()
    assert [each.drift for each in await service.tend()] == ["none"]
    assert await service.tend() == []
    shop.go_to("2026-04-01T00:15:00+00:00")
    await shop.sync()
    shop.go(minutes=10)
    assert [each.drift for each in await service.tend()] == ["none"]  # the period that has ended


async def test_usage_that_was_carried_is_no_drift_of_either_period(shop: Shop) -> None:
    await shop.sync()
    shop.go_to("2026-04-02T12:00:00+00:00")
    await shop.house.use(5, "2026-03-05T09:30:00Z")
    await shop.sync()
    service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
    march, april = await service.run()
    assert (march.drift, march.sums.local, april.drift, april.sums.local) == ("none", 63, "none", 5)


async def test_a_difference_of_mixed_signs_is_made_of_what_is_missing() -> None:
    given = [told(1, "-0.4"), told(2, "0.6"), told(3, "100")]
    assert explained(Decimal("-0.2"), given) == ((1, 2), True)


async def test_what_could_be_either_is_left_to_people() -> None:
    given = [told(1, "5"), told(2, "-5")]
    assert explained(Decimal(-5), given) == ((), False)
    reported = told(1, "5", outcome="reported: no_meter: words")
    assert explained(Decimal(-5), [reported, given[1]]) == ((1,), True)


async def test_a_small_amount_is_seen_beside_a_large_one() -> None:
    given = [told(1, "315903"), told(2, "0.000270513")]
    assert explained(Decimal("-0.000270513"), given) == ((2,), True)
    assert explained(Decimal("-0.00000000001"), given) == ((), False)  # what doubles can't tell is no difference


async def test_what_was_set_aside_together_is_decided_together() -> None:
    aside = [told(1, "5", State.QUARANTINED), told(2, "7", State.QUARANTINED), told(3, "0.1", State.QUARANTINED)]
    assert arrived(Decimal(12), aside, Decimal(0)) == {1, 2}
    assert arrived(Decimal(0), aside, Decimal(0)) == frozenset()
    assert arrived(Decimal(17), aside, Decimal(0)) == {1, 2}  # one of them twice
    assert arrived(Decimal(9), aside, Decimal(0)) is None


async def test_periods_that_ended_are_all_compared_and_of_the_others_a_few_each_time(
    database: Database, clock: ManualClock
) -> None:
    async with open_shop(database, clock) as shop:
        for number in range(10):
            await shop.customer(f"team-{number}")
            await shop.house.use(1, team_id=f"team-{number}")
        await shop.sync()
        service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
        assert [len(await service.tend()) for _ in range(3)] == [6, 4, 0]
        shop.go(days=1, minutes=1)
        assert [len(await service.tend()) for _ in range(3)] == [6, 4, 0]
        shop.go_to("2026-04-01T00:15:00+00:00")
        await shop.sync()
        await service.tend()  # too early: a sample
        shop.go(minutes=10)
        assert len(await service.tend(sample=0)) == 10
        assert await service.tend(sample=0) == []


async def test_what_goes_on_to_differ_is_looked_at_less_and_less(shop: Shop) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS, skip=5))  # half of all: far above the cap
    await shop.sync()
    service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
    looks = []
    for hour in range(40):
        if found := await service.tend(sample=SAMPLE if hour == 0 else 0):
            looks.append((hour, str(found[0].drift)))
        shop.go(hours=1)
    assert looks == [(0, "lag"), (1, "missing"), (3, "missing"), (7, "missing"), (15, "missing"), (31, "missing")]


async def test_differences_are_printed_written_as_csv_and_told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS, skip=5))
    await shop.sync()
    found = await at_second_sight(shop, cap=Decimal(1))
    show_comparisons([found], as_csv=True)
    [row] = csv.DictReader(capsys.readouterr().out.splitlines())
    assert {name: row[name] for name in ("team", "metric", "local", "stripe", "absolute", "percent", "drift")} == {
        "team": "acme", "metric": "api_calls", "local": "63", "stripe": "31", "absolute": "-32",
        "percent": "-50.7937", "drift": "missing",
    }  # fmt: skip
    show_comparisons([found])
    assert "-50.7937" in capsys.readouterr().out
    assert await shop.rows("SELECT kind FROM notifications") == [("stripe.drift",)]
    assert (await reconciled(shop)).detail == "booked anew"
    assert await shop.rows("SELECT drift, action, cause FROM stripe_repairs") == [
        ("missing", "lost", "accepted, and 32 is missing in the summary of its minute")
    ]


def told(id: int, quantity: str, state: State = State.ACCEPTED, outcome: str | None = None) -> Told:
    """A delta of one minute."""
    at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    hour = Interval(at, at + timedelta(hours=1))
    return Told(id, f"ts1_{id}", Kind.USAGE, hour, Decimal(quantity), at, at, state, None, at, outcome, None)
