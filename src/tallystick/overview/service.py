"""Reads the overview. However many dashboards ask, it is read once a second."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

from psycopg.sql import SQL

from tallystick.core.clock import Clock
from tallystick.core.money import ZERO
from tallystick.overview import models
from tallystick.overview.keeping import QUERIES
from tallystick.overview.models import Ingest, Minute, Overview
from tallystick.storage.database import Connection, Database

T = TypeVar("T")

GOOD_FOR = 1.0
"""Seconds for which an answer is given again."""

MOST_SHOWN = 10
MOST_RISKS = 50
MOST_CURRENCIES = 10
MINUTE = timedelta(minutes=1)
MINUTES = 60
UNSETTLED = 3
"""Minutes that are read each time: a transaction that takes long may still add to the last ones."""

TEAM = SQL(
    "o.team_id, t.name, o.plan, o.currency, o.period_start, o.period_end, o.events, o.cost, o.projected, o.previous, "
    "o.computed_at"
)


class Overviews:
    """The overview of one server process. `stripe`: usage is told to Stripe, so that there is something to say."""

    def __init__(self, database: Database, clock: Clock, *, stripe: bool) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._minutes: dict[datetime, int] = {}
        self._asked: asyncio.Task[Overview] | None = None
        self._since = float("-inf")

    async def overview(self) -> Overview:
        """Everything at a glance, at most a second old."""
        now = asyncio.get_running_loop().time()
        if self._asked is None or (self._asked.done() and (self._failed() or now - self._since >= GOOD_FOR)):
            self._since = now
            self._asked = asyncio.create_task(self._read())
        return await asyncio.shield(self._asked)

    def _failed(self) -> bool:
        return self._asked is not None and (self._asked.cancelled() or self._asked.exception() is not None)

    async def _read(self) -> Overview:
        now = self._clock.now()
        async with self._database.snapshot() as tx:
            totals = await _read(tx, "totals", models.Total)
            shown = {"currencies": [each.currency for each in totals[:MOST_CURRENCIES]], "limit": MOST_SHOWN}
            [(teams, pending, oldest)] = await _rows(tx, "standing")
            [alerts] = await _read(tx, "alerts", models.AlertsStanding, now=now)
            return Overview(
                at=now,
                teams=teams,
                pending_teams=pending,
                oldest=oldest,
                totals=totals,
                top=await _read(tx, "top", models.Spender, **shown),
                growing=await _read(tx, "growing", models.Spender, **shown),
                at_risk=await _read(tx, "at_risk", models.Risk, now=now, limit=MOST_RISKS),
                ingest=await self._ingest(tx, now),
                stripe=await _stripe(tx) if self._stripe else None,
                alerts=alerts,
            )

    async def _ingest(self, tx: Connection, now: datetime) -> Ingest:
        per_minute = await self._per_minute(tx, now)
        [(_, events, oldest)] = await _rows(tx, "tail")
        lag = Decimal(str(round(max((now - oldest).total_seconds(), 0), 3))) if oldest else ZERO
        total = sum(each.events for each in per_minute)
        return Ingest(total, per_minute, int(events), lag, await _read(tx, "dead_letters", models.Reason))

    async def _per_minute(self, tx: Connection, now: datetime) -> list[Minute]:
        """The last hour; minutes that are over are remembered."""
        running = now.replace(second=0, microsecond=0)
        minutes = [running - MINUTE * back for back in range(MINUTES - 1, -1, -1)]
        known = {at: self._minutes[at] for at in minutes[:-UNSETTLED] if at in self._minutes}
        start = next(at for at in minutes if at not in known)
        found = dict(await _rows(tx, "minutes", start=start, end=running + MINUTE))
        self._minutes = {at: known[at] if at in known else int(found.get(at, 0)) for at in minutes}
        return [Minute(at, events) for at, events in self._minutes.items()]


async def _stripe(tx: Connection) -> models.StripeStanding:
    [(pending, parked, quarantined, late, bills, held)] = await _rows(tx, "stripe")
    drift = await _read(tx, "drift", models.Drift, limit=MOST_SHOWN)
    return models.StripeStanding(pending, parked, quarantined, late, bills, held, drift)


async def _read(tx: Connection, name: str, kind: Callable[..., T], **values: Any) -> list[T]:
    return [kind(*row) for row in await _rows(tx, name, **values)]


async def _rows(tx: Connection, name: str, **values: Any) -> Sequence[tuple[Any, ...]]:
    statement = QUERIES[name].format(team=TEAM) if name in ("top", "growing") else QUERIES[name]
    return cast("Sequence[tuple[Any, ...]]", await (await tx.execute(statement, values)).fetchall())
