"""What tests of alerts share: a house whose roll-ups and evaluations run when the test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.alerts.models import Action, Alert, Evaluated, Kind, StepType, Transition
from tallystick.alerts.service import Alerts
from tallystick.alerts.terms import AlertTerms, StepTerms
from tallystick.core.clock import ManualClock
from tallystick.core.money import plain
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened


@dataclass(frozen=True, slots=True)
class Watchtower:
    """A house with alerts."""

    house: House
    alerts: Alerts

    async def add(self, kind: str = "usage", threshold: Any = 100, *steps: StepTerms, **terms: Any) -> Alert:
        """An alert about acme, unless another team, a plan or everybody is named."""
        terms = {"team_id": None if "plan" in terms else "acme", **terms}
        if kind in ("usage", "projected_usage", "rate"):
            terms = {"metric": "api_calls", **terms}
        return await self.alerts.create(AlertTerms(Kind(kind), Decimal(threshold), steps=steps, **terms))

    async def look(self) -> Evaluated:
        """Roll up and evaluate, until there is nothing to do."""
        while (await self.house.metering.store.roll_up(self.house.clock.now())).more:
            pass
        done = await self.alerts.evaluate()
        transitions = done.transitions
        while done.more:
            done = await self.alerts.evaluate()
            transitions += done.transitions
        return done._replace(transitions=transitions)

    async def history(self, **only: Any) -> list[Transition]:
        """Changes of state, oldest first."""
        return (await self.alerts.history(1000, **only))[::-1]

    async def states(self) -> list[tuple[str, str | None]]:
        """Each change of state: to which, and by which number."""
        return [
            (str(each.to_state), None if each.value is None else plain(each.value)) for each in await self.history()
        ]

    async def told(self) -> list[tuple[Any, ...]]:
        """Every notification: kind and title, in the order in which they were queued."""
        rows = await self.rows("SELECT kind, content ->> 'title' FROM notifications ORDER BY id")
        return [tuple(row) for row in rows]

    async def kinds(self) -> list[str]:
        """The kinds of notifications of alerts, in order."""
        return [kind for kind, _ in await self.told() if kind.startswith("alert.")]

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.house.database.snapshot() as tx:
            return await (await tx.execute(statement, values)).fetchall()

    async def throttled(self) -> list[tuple[Any, ...]]:
        """Throttles that are set: team, metric."""
        return await self.rows("SELECT team_id, metric FROM usage_throttles ORDER BY 1, 2")


def at(percent: Any, *notify: str, hard: bool = False, throttle: bool = False) -> StepTerms:
    """A step at a percentage of the threshold."""
    kind = StepType.HARD if hard or throttle else None
    return StepTerms(percent=Decimal(percent), type=kind, action=Action(notify, throttle))


@asynccontextmanager
async def opened_tower(database: Database, clock: ManualClock) -> AsyncIterator[Watchtower]:
    """An installation with the team acme on a plan since 1 March 2026."""
    async with opened(database, clock) as house:
        await house.team()
        yield Watchtower(house, Alerts.open(database, house.metering, house.billing, clock))
