"""What tests of billing share: an installation with metrics and plans, a way to send events, and HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.billing.service import Billing
from tallystick.billing.teams.models import Terms
from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.http.principal import Scope
from tallystick.metering.decoding import decode
from tallystick.metering.service import Metering
from tallystick.storage.database import Database

CATALOGUE = """
version: 1
currency: USD
metrics:
  api_calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  peak: {event: load, aggregation: max, unit: core}
  latency: {event: load, aggregation: average, unit: ms, value: metadata.ms}
plans:
  standard:
    prices:
      - {metric: api_calls, model: graduated, tiers: [
          {up_to: 10000, unit_price: 0}, {up_to: 100000, unit_price: 0.001}, {unit_price: 0.0008}]}
      - {metric: peak, model: per_unit, unit_price: 2}
  yen:
    currency: JPY
    period: week
    prices:
      - {metric: api_calls, model: per_unit, unit_price: 0.0005}
  changing:
    prices:
      - {metric: api_calls, model: per_unit, unit_price: 0.01}
      - {metric: api_calls, model: per_unit, unit_price: 0.02, effective_from: 2026-03-11T00:00:00Z}
      - {metric: peak, model: per_unit, unit_price: 1}
      - {metric: peak, model: per_unit, unit_price: 3, effective_from: 2026-03-11T00:00:00Z}
  fee:
    prices:
      - {metric: api_calls, model: flat, amount: 99}
      - {metric: api_calls, model: flat, amount: 119, effective_from: 2026-03-11T00:00:00Z}
"""


@dataclass(frozen=True, slots=True)
class House:
    """A running installation."""

    database: Database
    clock: ManualClock
    metering: Metering
    billing: Billing

    async def apply(self, source: str) -> None:
        """Make the billing file hold from the clock's now."""
        await apply(self.database, parse(source), self.clock, allow_retroactive=True)

    async def team(self, team_id: str = "acme", *, plan: str | None = "standard", **terms: Any) -> None:
        """A team, on a plan since 1 March 2026 in its zone."""
        team = await self.billing.teams.create(team_id, time_zone=terms.pop("time_zone", "UTC"))
        starts_at = terms.pop("starts_at", datetime(2026, 3, 1, tzinfo=team.zone))
        if plan is not None:
            await self.billing.teams.subscribe(team_id, Terms(plan, starts_at, **terms))

    async def use(self, quantity: Any = 1, at: str = "2026-03-05T00:00:00Z", **fields: Any) -> None:
        """Send one event."""
        sent = {
            "team_id": "acme",
            "event_name": "api_call",
            "quantity": str(quantity),
            "timestamp": at,
            **fields,
        }
        outcome = await self.metering.ingestor.submit(decode(json.dumps(sent).encode(), self.metering.limits.now()))
        assert outcome.accepted == 1, outcome

    async def kept(self) -> list[tuple[Any, ...]]:
        """The billing periods that are kept."""
        async with self.database.snapshot() as tx:
            found = await tx.execute("SELECT * FROM metered_billing_periods ORDER BY period_start")
            return await found.fetchall()


@asynccontextmanager
async def opened(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    """An installation with the metrics and plans above."""
    async with Metering.open(database, Settings(), clock) as metering:
        house = House(database, clock, metering, Billing.open(database, metering, clock))
        await house.apply(CATALOGUE)
        yield house


@asynccontextmanager
async def calling(
    house: House, scope: Scope = Scope.ADMIN, team_id: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, with a key of that scope."""
    async with AppState.open(Settings(), house.database, house.clock) as whole:
        state = replace(whole, metering=house.metering, billing=house.billing)
        token = (await state.keys.create("test", [scope], team_id)).token
        transport, headers = httpx.ASGITransport(create_app(state)), {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://tallystick", headers=headers) as client:
            yield client
