"""Credits from usage to a closed statement, void and closed again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.billing.credits import Burn, burns
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
