"""Enforcement as one thing: what the API, the CLI and the worker call."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import psycopg

from tallystick.billing.teams.service import required_team
from tallystick.core.clock import Clock
from tallystick.core.errors import StorageError, Unavailable
from tallystick.enforcement import throttles
from tallystick.enforcement.counters import Counters
from tallystick.enforcement.judging import judge, unknown
from tallystick.enforcement.limits import Limits
from tallystick.enforcement.models import Verdict
from tallystick.enforcement.reservations import Reservations, Reserved, Wish
from tallystick.enforcement.store import Key
from tallystick.enforcement.throttles import State, Throttle
from tallystick.metering.event_store import EventStore
from tallystick.metering.usage import UsageReader, find_metric
from tallystick.storage.database import Database

log = logging.getLogger("tallystick.enforcement")

T = TypeVar("T")

PATIENCE = 0.25
"""Seconds that a check waits for the database."""

RESERVING = 8
"""How many times as long a reservation waits: it is written, and stands in a queue with others."""

OUTAGES = (Unavailable, StorageError, TimeoutError, psycopg.OperationalError)


class Enforcement:
    """Limits, checks, reservations and throttles of one installation.

    Args:
        database: of the ledger.
        usage: the one path to it.
        events: where it is kept.
        clock: where "now" comes from.
        patience: seconds that a check or a reservation waits for the database before it does without.
    """

    def __init__(
        self, database: Database, usage: UsageReader, events: EventStore, clock: Clock, *, patience: float = PATIENCE
    ) -> None:
        self.clock = clock
        self._database = database
        self._usage = usage
        self._patience = patience
        self._out = False
        self._counters = Counters(database, events, clock)
        self.limits = Limits(database, usage, self._counters, clock)
        self.reservations = Reservations(database, events, self._counters, clock)

    async def check(self, key: Key, quantity: Decimal) -> Verdict:
        """Whether a team may use so much more of a metric now.

        It includes every event that this process has acknowledged. While usage can't be read, the metric's policy
        decides.

        Raises:
            NotFound: there is no such team or metric.
            InvalidInput: the metric's usage can't be limited.
            Unavailable: the database can't be reached, and never could since this process began.
        """
        standing = self._counters.fresh(key)
        if standing is None:
            try:
                present = self._counters.present([key])
                standing = (await self._patiently(present, self._counters.stuck_for(key)))[key]
            except OUTAGES as error:
                return self._without(key, error)
        return judge(standing, quantity, self.clock.now())

    async def reserve(self, wish: Wish) -> Reserved:
        """Keep a quantity free; see `Reservations.reserve`.

        While the database can't be asked, the metric's policy decides, and nothing is kept free.
        """
        try:
            stuck = max(self._counters.stuck_for(wish.key), self.reservations.stuck_for())
            return await self._patiently(self.reservations.reserve(wish), stuck, RESERVING)
        except OUTAGES as error:
            return Reserved(self._without(wish.key, error), None)

    async def throttles(self, team_id: str | None) -> Sequence[Throttle]:
        """The throttles in force, of a team or of all."""
        async with self._database.snapshot() as tx:
            teams = None if team_id is None else [team_id]
            return await throttles.throttles_of(tx, teams, self.clock.now())

    async def throttle(
        self, team_id: str, metric: str | None, *, state: State, until: datetime | None, cause: str
    ) -> bool:
        """Throttle a team for a cause, or end that cause; whether that changed how the team stands.

        Raises:
            NotFound: there is no such team or metric.
        """
        if metric is not None:
            find_metric(metric, await self._usage.metrics())
        async with self._database.transaction() as tx:
            await required_team(tx, team_id)
            changed = await throttles.throttle(
                tx, team_id, metric, state=state, until=until, cause=cause, now=self.clock.now()
            )
        self._counters.moved(team_id)
        return changed

    async def tidy(self) -> bool:
        """End throttles and reservations whose time has come; whether there is more to do right now."""
        async with self._database.transaction() as tx:
            ended = await throttles.lift_ended(tx, self.clock.now())
        if ended:
            self._counters.moved()
        return await self.reservations.tidy() or ended >= throttles.PAGE

    async def _patiently(self, work: Awaitable[T], stuck_for: float, times: int = 1) -> T:
        """The result, if it comes soon enough. Where others have waited too long already, nobody waits any more."""
        result = await asyncio.wait_for(work, max(self._patience * times - stuck_for, 0.0))
        if self._out:
            self._out = False
            log.warning("usage is read again")
        return result

    def _without(self, key: Key, error: BaseException) -> Verdict:
        policy = self._counters.policy(key.metric)
        if policy is None:
            raise Unavailable("usage can't be read", retry_after=1) from error
        if not self._out:
            log.warning("usage can't be read in time, so checks answer as is set for their metrics: %r", error)
        self._out = True
        return unknown(policy)
