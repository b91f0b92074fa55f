"""Credits from usage to a closed statement, void and closed again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.billing.credits import Burn, burns
from tallystick.billing.report import ReportRequest
from tallystick.billing.report_answers import ReportAnswer
from tests.integration.credits_setup import APRIL, GRACE, MARCH, calls, money, opened_town


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        await each.close(start=each.clock.now() - timedelta(days=28), end=MARCH)  # February
        yield each


async def use(town):
    """Usage of 130 USD in March: 90 of them up to 100,000 calls, 40 for the last 50,000."""
    town.clock.set(MARCH + timedelta(days=14))
    await town.house.use(150_000)
    town.clock.set(APRIL + GRACE + timedelta(hours=1))


async def closed(town):
    """The statement of March, closed now, and what credits paid of it."""
    [id] = (await town.house.billing.closing.run(team_id="acme")).statements
    async with town.database.snapshot() as tx:
        burned = (await burns(tx, [id]))[id]
    return await town.house.billing.statements.closed(id), burned


async def test_a_statement_is_paid_with_credits_as_it_foresaw(town):
    included = await town.credits.grant("acme", calls("20000", priority=1))
    prepaid = await town.credits.grant("acme", money("50"))
    await use(town)
    town.clock.set(APRIL - timedelta(seconds=1))
    before = await town.house.billing.statements.current("acme")
    town.clock.set(APRIL + GRACE + timedelta(hours=1))

    statement, burned = await closed(town)

    key = statement.lines[0].key
    assert burned == [Burn(included.id, key, Decimal(16), Decimal(20_000)), Burn(prepaid.id, key, Decimal(50), None)]
    assert (statement.period.subtotal, statement.period.credits, statement.period.total) == (130, 66, 64)
    assert (before.credits, before.total) == (66, 64)


async def told(town, *metrics, period="2026-03"):
    """The credits of the report on March: (unit, granted, remaining, booked, burns as (grant, amount, quantity))."""
    found = await town.house.billing.reports.report(ReportRequest("acme", metrics, period=period))
    answer = ReportAnswer.of(found).model_dump(mode="json")["credits"]
    return [
        (each["currency"] or each["metric"], each["granted"], each["remaining"], each["booked"],
         each["burns"] and [(burn["grant_id"], burn["amount"], burn["quantity"]) for burn in each["burns"]])
        for each in answer
    ]  # fmt: skip


async def test_the_report_tells_what_credits_would_pay_of_an_open_period_and_paid_of_a_closed_one(town):
    before_any_grant = await told(town)
    included = await town.credits.grant("acme", calls("20000", priority=1))
    prepaid = await town.credits.grant("acme", money("50"))
    await use(town)
    of_calls, of_money = [(included.id, "16.00", "20000")], [(prepaid.id, "50.00", None)]

    assert before_any_grant == []
    assert await told(town) == [
        ("USD", "50", "50", False, of_money),
        ("api_calls", "20000", "20000", False, of_calls),
    ]
    assert [each[-1] for each in await told(town, "api_calls")] == [None, None]  # other lines may be paid first

    await closed(town)

    assert await told(town) == [("USD", "50", "0", True, of_money), ("api_calls", "20000", "0", True, of_calls)]
    assert [each[3:] for each in await told(town, period="current")] == [(False, []), (False, [])]


async def test_a_void_statement_gives_its_credits_back_for_the_next(town):
    grant = await town.credits.grant("acme", money("200", expires_at=APRIL))
    await use(town)
    first, _ = await closed(town)

    await town.house.billing.closing.void(first.period.id, "wrong price", "test")
    back = (await town.credits.get(grant.id)).balance
    second, burned = await closed(town)

    assert (back.used, back.expired) == (0, 200)
    assert second.period.id != first.period.id
    assert [each.amount for each in burned] == [130]
    assert second.period.total == 0
