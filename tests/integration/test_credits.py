"""Credits on a real database: granted, burned by closing periods, given back, voided, booked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.billing.credits import Bill, Burn, GrantKind, apply, apply_many, burns, foreseen, reverse
from tallystick.billing.credits.terms import Repeat, Rollover, Terms
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tests.integration.credits_setup import (
    APRIL,
    FEBRUARY,
    GRACE,
    JUNE,
    MARCH,
    MAY,
    calls,
    line,
    money,
    monthly,
    opened_town,
)


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


# --- Burning ---------------------------------------------------------------------------------------


async def test_a_closing_period_is_paid_with_credits_and_what_is_left_stays(town):
    grant = await town.credits.grant("acme", money(100))

    _, burned = await town.close(line("30", "a"), line("50", "b"))

    assert burned == [Burn(grant.id, "a", Decimal(30), None), Burn(grant.id, "b", Decimal(50), None)]
    assert await town.left(grant.id) == 20


async def test_grants_burn_in_the_written_order(town):
    bought = await town.credits.grant("acme", money(10))
    given = await town.credits.grant("acme", money(10, kind=GrantKind.PROMOTIONAL))
    ending = await town.credits.grant("acme", money(10, expires_at=MAY))
    first = await town.credits.grant("acme", money(10, priority=1))

    _, burned = await town.close(line("35"))

    assert [(each.grant_id, each.amount) for each in burned] == [
        (first.id, 10), (ending.id, 10), (given.id, 10), (bought.id, 5),
    ]  # fmt: skip


async def test_a_period_is_applied_to_once(town):
    grant = await town.credits.grant("acme", money(100))
    period_id, burned = await town.close(line("30"))
    await town.credits.grant("acme", money(100, priority=1))

    async with town.database.transaction() as tx:
        again = await apply(tx, "acme", period_id, [line("80")], town.clock.now())

    assert again == burned
    assert await town.left(grant.id) == 70


async def test_a_period_that_burned_nothing_is_applied_to_once_too(town):
    await town.credits.grant("acme", money(100, metrics=("peak",)))
    period_id, burned = await town.close(line("30"))
    await town.credits.grant("acme", money(100))

    async with town.database.transaction() as tx:
        again = await apply(tx, "acme", period_id, [line("30")], town.clock.now())

    assert (burned, again) == ([], [])


async def test_credits_of_usage_pay_what_the_last_units_cost(town):
    grant = await town.credits.grant("acme", calls("1000"))
    cheap_first = line("95", quantity=Decimal(3000), value_of=lambda units: units * Decimal("0.05"))

    _, burned = await town.close(cheap_first)

    assert burned == [Burn(grant.id, "usage", Decimal(50), Decimal(1000))]
    assert await town.left(grant.id) == 0


async def test_a_grant_takes_effect_when_it_says_and_pays_the_period_that_holds_that_instant(town):
    grant = await town.credits.grant("acme", money(100, effective_at=APRIL))

    _, march = await town.close(line("30"))
    _, april = await town.close(line("30"), start=APRIL, end=MAY)

    assert (march, april) == ([], [Burn(grant.id, "usage", Decimal(30), None)])
    assert await town.left(grant.id, APRIL - timedelta(seconds=1)) == 0
    assert await town.left(grant.id, APRIL) == 100
    assert await town.left(grant.id, MAY) == 70


async def test_what_expires_inside_a_period_pays_that_period_though_it_closes_later(town):
    grant = await town.credits.grant("acme", money(100, expires_at=datetime(2026, 3, 15, tzinfo=UTC)))

    _, burned = await town.close(line("30"))

    assert burned == [Burn(grant.id, "usage", Decimal(30), None)]
    found = (await town.credits.get(grant.id)).balance
    assert (found.used, found.expired, found.available) == (30, 70, 0)


async def test_a_grant_is_expired_at_the_instant_at_which_it_expires(town):
    grant = await town.credits.grant("acme", money(100, expires_at=APRIL))

    _, april = await town.close(line("30"), start=APRIL, end=MAY)

    assert april == []
    assert await town.left(grant.id, APRIL - timedelta(microseconds=1)) == 100
    assert await town.left(grant.id, APRIL) == 0


async def test_a_recurring_grant_is_there_again_with_what_is_carried_over(town):
    grant = await town.credits.grant("acme", money(100, repeat=monthly("20")))

    _, march = await town.close(line("30"))
    _, april = await town.close(line("110"), start=APRIL, end=MAY)
    _, may = await town.close(line("500"), start=MAY, end=JUNE)

    assert [each[0].amount for each in (march, april, may)] == [30, 110, 110]
    found = (await town.credits.get(grant.id, at=JUNE - timedelta(seconds=1))).balance
    assert (found.granted, found.used, found.expired) == (300, 140, 50)
    found = (await town.credits.get(grant.id)).balance
    assert (found.granted, found.used, found.expired, found.available) == (400, 250, 50, 100)


async def test_many_teams_are_paid_at_once_and_those_without_grants_cost_nothing(town):
    bills = []
    for n in range(20):
        await town.house.team(f"t{n}", starts_at=FEBRUARY)
        bills.append(Bill(f"t{n}", await town.period(team_id=f"t{n}"), [line(str(10 + n))]))
    for n in range(0, 20, 2):
        await town.credits.grant(f"t{n}", money(15))

    async with town.database.transaction() as tx:
        found = await apply_many(tx, bills, APRIL)

    amounts = [[burn.amount for burn in found[bill.period_id]] for bill in bills]
    assert amounts == [[min(15, 10 + n)] if n % 2 == 0 else [] for n in range(20)]


async def test_two_periods_of_one_team_in_one_call_burn_in_order(town):
    grant = await town.credits.grant("acme", money(50))
    later = Bill("acme", await town.period(APRIL, MAY), [line("30")])
    earlier = Bill("acme", await town.period(), [line("30")])

    async with town.database.transaction() as tx:
        found = await apply_many(tx, [later, earlier], MAY)
        known = await burns(tx, [later.period_id, earlier.period_id])

    assert found == known
    assert found[earlier.period_id] == [Burn(grant.id, "usage", Decimal(30), None)]
    assert found[later.period_id] == [Burn(grant.id, "usage", Decimal(20), None)]


async def test_a_period_that_closes_after_a_later_one_is_paid_with_what_was_not_used_since(town):
    grant = await town.credits.grant("acme", money(100, repeat=monthly("80")))

    _, april = await town.close(line("150"), start=APRIL, end=MAY)
    _, march = await town.close(line("100"))

    assert (april[0].amount, march[0].amount) == (150, 50)
    assert (await town.credits.get(grant.id, at=APRIL)).balance.used == 50


async def test_what_is_foreseen_is_what_is_burned(town):
    await town.credits.grant("acme", money(40, expires_at=datetime(2026, 3, 20, tzinfo=UTC)))
    await town.credits.grant("acme", money(25, repeat=Repeat(BillingPeriod(PeriodUnit.WEEK)), priority=200))
    lines = [line("90", "a"), line("60", "b")]
    async with town.database.snapshot() as tx:
        expected = await foreseen(tx, "acme", lines, MARCH, period=Interval(MARCH, APRIL))
        earlier = await foreseen(tx, "acme", lines, MARCH - timedelta(days=1), period=Interval(MARCH, APRIL))

    _, burned = await town.close(*lines)

    assert burned == expected
    assert sum(each.amount for each in burned) == 150
    assert earlier == []  # nothing was granted yet


# --- Given back ------------------------------------------------------------------------------------


async def test_a_voided_statement_gives_back_what_it_burned(town):
    grant = await town.credits.grant("acme", money(100))
    period_id, _ = await town.close(line("30"))

    await town.void(period_id)
    await town.void(period_id)

    assert await town.left(grant.id) == 100
    async with town.database.snapshot() as tx:
        assert await burns(tx, [period_id]) == {period_id: []}


async def test_what_is_given_back_after_it_expired_pays_the_same_period_closed_again(town):
    grant = await town.credits.grant("acme", money(100, repeat=monthly("10"), expires_at=MAY))
    period_id, _ = await town.close(line("30"))
    town.clock.set(MAY)

    await town.void(period_id)
    expired = (await town.credits.get(grant.id)).balance
    _, again = await town.close(line("45"))

    assert (expired.used, expired.expired) == (0, 200)
    assert again == [Burn(grant.id, "usage", Decimal(45), None)]


async def test_the_same_period_can_be_burned_given_back_and_burned_again(town):
    grant = await town.credits.grant("acme", money(100))
    period_id, _ = await town.close(line("30"))
    for amount in ("40", "50"):
        async with town.database.transaction() as tx:
            await reverse(tx, period_id, town.clock.now())
            [burn] = await apply(tx, "acme", period_id, [line(amount)], town.clock.now())
        assert burn.amount == Decimal(amount)

    assert await town.left(grant.id) == 50


async def test_what_comes_back_to_a_void_grant_is_void(town):
    grant = await town.credits.grant("acme", money(100))
    period_id, _ = await town.close(line("30"))
    await town.credits.void(grant.id, "order cancelled")

    await town.void(period_id)

    found = (await town.credits.get(grant.id)).balance
    assert (found.used, found.voided, found.available) == (0, 100, 0)


# --- Voids -----------------------------------------------------------------------------------------


async def test_voiding_takes_the_rest_only_and_once(town):
    grant = await town.credits.grant("acme", money(100))
    await town.close(line("30"))

    voided = await town.credits.void(grant.id, "order cancelled")
    town.clock.advance(timedelta(days=1))
    again = await town.credits.void(grant.id, "again")
    _, april = await town.close(line("30"), start=APRIL, end=MAY)

    assert voided == again
    assert voided.void_reason == "order cancelled"
    assert april == []
    found = (await town.credits.get(grant.id)).balance
    assert (found.used, found.voided, found.available) == (30, 70, 0)


async def test_a_void_recurring_grant_does_not_come_again(town):
    grant = await town.credits.grant("acme", money(100, repeat=monthly("1000")))
    await town.close(line("30"))
    town.clock.set(datetime(2026, 4, 15, tzinfo=UTC))

    await town.credits.void(grant.id, "r")

    found = (await town.credits.get(grant.id, at=JUNE)).balance
    assert (found.granted, found.used, found.voided, found.available) == (200, 30, 170, 0)


async def test_a_grant_that_is_still_to_come_can_be_voided(town):
    grant = await town.credits.grant("acme", money(100, effective_at=MAY))

    await town.credits.void(grant.id, "r")

    assert await town.left(grant.id, JUNE) == 0


async def test_what_has_expired_can_not_be_voided(town):
    grant = await town.credits.grant("acme", money(100, expires_at=APRIL))
    town.clock.set(APRIL)

    with pytest.raises(Conflict, match="expired at 2026-04-01T00:00:00Z"):
        await town.credits.void(grant.id, "r")
    with pytest.raises(NotFound, match="there is no credit grant 999"):
        await town.credits.void(999, "r")
    with pytest.raises(InvalidInput) as refused:
        await town.credits.void(grant.id, " ")
    assert refused.value.field == "reason"


# --- The ledger ------------------------------------------------------------------------------------


async def test_the_ledger_tells_what_moved_newest_first(town):
    grant = await town.credits.grant("acme", money(100, expires_at=APRIL), actor="cli")
    other = await town.credits.grant("acme", money(5, effective_at=MAY))
    period_id, _ = await town.close(line("30"))

    found = await town.credits.ledger("acme", 10)

    told = [
        (each.transaction.kind, each.transaction.effective_at, each.transaction.period_id,
         [(e.grant_id, e.account, e.amount) for e in each.entries])
        for each in found
    ]  # fmt: skip
    assert told == [
        ("expiry", APRIL, None, [(grant.id, "available", -70), (grant.id, "expired", 70)]),
        ("burn", APRIL, period_id, [(grant.id, "available", -30), (grant.id, "used", 30)]),
        ("grant", MAY, None, [(other.id, "issued", -5), (other.id, "available", 5)]),
        ("grant", MARCH, None, [(grant.id, "issued", -100), (grant.id, "available", 100)]),
    ]
    assert found[1].entries[1][4:] == ("usage", 30, "USD")
    assert found[-1].transaction.actor == "cli"
    paid = await town.credits.ledger("acme", 10, period_id=period_id)
    assert [each.transaction.kind for each in paid] == ["burn"]
    assert [each.transaction.kind for each in await town.credits.ledger("acme", 10, grant_id=other.id)] == ["grant"]


async def test_expiry_is_booked_when_its_moment_has_come(town):
    await town.house.billing.teams.create("prepaid")
    grant = await town.credits.grant("prepaid", money(100, repeat=monthly("20"), expires_at=MAY))
    town.clock.set(MAY)

    assert await town.credits.settle() is False

    kinds = [
        (each.transaction.kind, each.transaction.effective_at) for each in await town.credits.ledger("prepaid", 10)
    ]
    assert sorted(kinds) == [
        ("expiry", APRIL), ("expiry", MAY), ("grant", MARCH), ("grant", APRIL), ("rollover", APRIL),
    ]  # fmt: skip
    assert await town.rows("SELECT due_at FROM credit_grants WHERE id = %s AND due_at < 'infinity'", grant.id) == []


async def test_expiry_waits_for_the_period_that_may_still_burn_it(town):
    grant = await town.credits.grant("acme", money(100, expires_at=datetime(2026, 3, 10, tzinfo=UTC)))
    await town.close(line("1"), start=FEBRUARY, end=MARCH)
    town.clock.set(APRIL + GRACE)

    await town.credits.settle()
    waiting = await town.credits.ledger("acme", 10)
    await town.close(line("30"))
    booked = await town.credits.ledger("acme", 10)

    assert [each.transaction.kind for each in waiting] == ["grant"]
    assert [each.transaction.kind for each in booked] == ["expiry", "burn", "grant"]
    assert await town.left(grant.id) == 0


async def test_settling_changes_no_balance(town):
    await town.house.billing.teams.create("prepaid")
    repeat = Repeat(BillingPeriod(PeriodUnit.WEEK), rollover=Rollover(percent=Decimal(50)))
    await town.credits.grant("prepaid", money(100, repeat=repeat))
    moments = [MARCH + timedelta(days=n) for n in range(0, 60, 5)]
    before = [await town.credits.balance("prepaid", at=at) for at in moments]

    for at in moments:
        town.clock.set(at)
        await town.credits.settle()

    assert [await town.credits.balance("prepaid", at=at) for at in moments] == before


async def test_balances_are_told_by_currency_and_by_metric(town):
    await town.credits.grant("acme", money(100))
    await town.credits.grant("acme", money("0.5", effective_at=MAY))
    await town.credits.grant("acme", Terms(Decimal(7), currency="EUR"))
    await town.credits.grant("acme", calls("1000"))
    await town.close(line("30"))

    found = [(each.currency, each.metric, each.balance) for each in await town.credits.balance("acme")]

    assert found == [
        ("EUR", None, (7, 0, 0, 0, 7, 0)),
        ("USD", None, (100, 30, 0, 0, 70, Decimal("0.5"))),
        (None, "api_calls", (1000, 0, 0, 0, 1000, 0)),
    ]
