"""What tests of limits share: an installation whose teams have limits, and short ways to ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.clock import Clock, ManualClock
from tallystick.enforcement.limits import NewLimit
from tallystick.enforcement.models import LimitType, Verdict
from tallystick.enforcement.service import Enforcement
from tallystick.enforcement.store import Key
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened

PATIENCE = 60.0
"""Seconds that no machine is too slow for."""

CALLS = Key("acme", "api_calls")


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation, and its enforcement as one process has it."""

    house: House
    enforcement: Enforcement

    async def limit(self, quantity: Any, *, metric: str = "api_calls", type: str = "hard", **of: str) -> int:
        """Set a limit, of acme unless another team or a plan is given."""
        owner = {"team_id": None, "plan": None} | (of or {"team_id": "acme"})
        amount = None if quantity is None else Decimal(quantity)
        wanted = NewLimit(metric=metric, type=LimitType(type), quantity=amount, **owner)
        return (await self.enforcement.limits.put(wanted, actor="test")).id

    async def check(self, quantity: Any = 1, key: Key = CALLS) -> Verdict:
        """Ask for a quantity."""
        return await self.enforcement.check(key, Decimal(quantity))

    async def used(self, key: Key = CALLS) -> Decimal:
        """The usage that a check sees."""
        used = (await self.check(0, key)).used
        assert used is not None
        return used

    async def billed(self, key: Key = CALLS) -> Decimal | None:
        """The usage of the same period that a bill sees."""
        period = (await self.check(0, key)).period
        assert period is not None
        question = UsageQuestion(key.metric, key.team_id, [period])
        [[usage]] = await self.house.metering.usage.read([question])
        return usage.quantity


def enforcing(database: Database, metering: Metering, clock: Clock, patience: float = PATIENCE) -> Enforcement:
    """Enforcement of its own, as another process would have."""
    return Enforcement(database, metering.usage, metering.store, clock, patience=patience)


@asynccontextmanager
async def at_work(database: Database, clock: ManualClock) -> AsyncIterator[Desk]:
    """An installation with the teams acme and globex on the plan standard."""
    async with opened(database, clock) as house:
        await house.team("acme")
        await house.team("globex")
        yield Desk(house, enforcing(database, house.metering, clock))


@asynccontextmanager
async def unanswered(database: Database, *more: str) -> AsyncIterator[None]:
    """While the block runs the database leaves questions about limits, usage and more tables unanswered."""
    tables = ", ".join(("enforcement_changes", "ingest_batches", *more))
    async with database.connection() as held, held.transaction():
        await held.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE".encode())
        yield
