"""What tests of credits share: a team whose billing periods close by what the test says they come to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tallystick.billing.credits import Creditable, apply, reverse
from tallystick.billing.credits.service import Credits
from tallystick.billing.credits.terms import Repeat, Rollover, Terms
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import ManualClock
from tallystick.storage.database import Database
from tests.integration.billing_setup import opened

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
GRACE = timedelta(hours=1)
MONTHLY = BillingPeriod(PeriodUnit.MONTH)


def money(amount, **terms):
    return Terms(Decimal(amount), currency="USD", **terms)


def calls(amount, **terms):
    return Terms(Decimal(amount), metric="api_calls", **terms)


def monthly(cap="0"):
    return Repeat(MONTHLY, rollover=Rollover(Decimal(cap)))


def line(amount, key="usage", **changes):
    """A line of 1 USD a call."""
    amount = Decimal(amount)
    return Creditable(key, "api_calls", amount, "USD", amount, lambda units: units)._replace(**changes)


class Town:
    """A house whose periods close by what the test says they come to."""

    def __init__(self, house):
        self.house, self.database, self.clock = house, house.database, house.clock
        self.credits = Credits(house.database, house.clock)

    async def period(self, start=MARCH, end=APRIL, team_id="acme", status="closing"):
        """A billing period of the team."""
        async with self.database.transaction() as tx:
            found = await tx.execute(
                "INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency, "
                "status, computed_at) SELECT %s, min(id), %s, %s, 'USD', %s, %s FROM subscriptions WHERE team_id = %s "
                "RETURNING id",
                [team_id, start, end, status, end, team_id],
            )
            return (await found.fetchone())[0]

    async def close(self, *lines, start=MARCH, end=APRIL, team_id="acme"):
        """Close a period with these lines, an hour after its end; its id and the burns."""
        self.clock.set(max(self.clock.now(), end + GRACE))
        period_id = await self.period(start, end, team_id)
        async with self.database.transaction() as tx:
            found = await apply(tx, team_id, period_id, list(lines), self.clock.now())
            await tx.execute("UPDATE metered_billing_periods SET status = 'closed' WHERE id = %s", [period_id])
        return period_id, found

    async def void(self, period_id):
        """Void a closed period's statement."""
        async with self.database.transaction() as tx:
            await reverse(tx, period_id, self.clock.now())
            await tx.execute("UPDATE metered_billing_periods SET status = 'void' WHERE id = %s", [period_id])

    async def left(self, grant_id, at=None):
        """What is left of a grant."""
        return (await self.credits.get(grant_id, at=at)).balance.available

    async def rows(self, statement, *values):
        async with self.database.snapshot() as tx:
            return await (await tx.execute(statement, values)).fetchall()

    async def check(self):
        """The ledger sums to zero, and is what is computed, grant by grant and for every moment of the year."""
        unbalanced = (
            "SELECT transaction_id FROM credit_entries GROUP BY transaction_id, grant_id HAVING sum(amount) <> 0"
        )
        assert await self.rows(unbalanced) == []
        differing = (
            "SELECT a.* FROM credit_accounts a LEFT JOIN (SELECT grant_id, allotment, account, sum(amount) AS balance "
            "FROM credit_entries GROUP BY 1, 2, 3) e USING (grant_id, allotment, account) "
            "WHERE a.balance <> coalesce(e.balance, 0)"
        )
        assert await self.rows(differing) == []
        settled = {id: (until, due) for id, until, due in await self.rows(
            "SELECT id, settled_until, nullif(due_at, 'infinity') FROM credit_grants")}  # fmt: skip
        for grant_id, (until, due) in settled.items():
            for moment in (MARCH + timedelta(days=n) for n in range(0, 120, 7)):
                if moment <= until or due is None or moment < due:
                    await self._compare(grant_id, moment)

    async def _compare(self, grant_id, moment):
        statement = (
            "SELECT e.account, sum(e.amount) FROM credit_entries e "
            "JOIN credit_transactions t ON t.id = e.transaction_id "
            "WHERE e.grant_id = %s AND t.effective_at <= %s GROUP BY e.account"
        )
        booked = await self.rows(statement, grant_id, moment)
        accounts, computed = dict(booked), (await self.credits.get(grant_id, at=moment)).balance
        assert -accounts.get("issued", 0) == computed.granted
        for name in ("used", "expired", "voided", "available"):
            assert accounts.get(name, 0) == getattr(computed, name), (name, moment)


@asynccontextmanager
async def opened_town(database: Database, clock: ManualClock) -> AsyncIterator[Town]:
    """A town with the team acme, on 1 March 2026; its ledger is checked when the block ends well."""
    async with opened(database, clock) as house:
        town = Town(house)
        await house.team(starts_at=FEBRUARY)
        town.clock.set(MARCH)
        yield town
        await town.check()
