"""Setting limits, and what checks answer while usage can't be read."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.teams.service import required_team
from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.core.money import quantity_problem
from tallystick.enforcement import store
from tallystick.enforcement.counters import Counters
from tallystick.enforcement.models import Limit, LimitType, WhenUnavailable
from tallystick.enforcement.terms import limited_metric
from tallystick.metering.usage import UsageReader, find_metric
from tallystick.storage.database import Connection, Database


class NewLimit(NamedTuple):
    """A limit to be set: of a team or a plan; a quantity of None lifts the plan's limit for a team."""

    team_id: str | None
    plan: str | None
    metric: str
    type: LimitType
    quantity: Decimal | None


class Limits:
    """The limits of an installation."""

    def __init__(self, database: Database, usage: UsageReader, counters: Counters, clock: Clock) -> None:
        self._database = database
        self._usage = usage
        self._counters = counters
        self._clock = clock

    async def put(self, wanted: NewLimit, *, actor: str) -> Limit:
        """Set a limit, in place of the one there is of the same team or plan, metric and type.

        Raises:
            InvalidInput: it is of neither or both, below zero, none for a plan, or its metric can't be limited.
            NotFound: there is no such team, plan or metric.
        """
        _check(wanted)
        limited_metric(wanted.metric, await self._usage.metrics())
        async with self._database.transaction() as tx:
            await _require_owner(tx, wanted)
            values = {**wanted._asdict(), "type": str(wanted.type), "actor": actor, "now": self._clock.now()}
            limit = await store.set_limit(tx, values)
        self._counters.moved()
        return limit

    async def page(self, limit: int, *, after: int = 0, **only: str | None) -> Sequence[Limit]:
        """Up to `limit` limits after an id, by id; `only` may name a `team_id`, a `plan` and a `metric`."""
        async with self._database.snapshot() as tx:
            return await store.limits(tx, limit, after=after, **only)

    async def find(self, limit_id: int) -> Limit:
        """One limit.

        Raises:
            NotFound: there is none of that id.
        """
        async with self._database.snapshot() as tx:
            found = await store.find_limit(tx, limit_id)
        if found is None:
            raise NotFound(f"there is no limit {limit_id}")
        return found

    async def remove(self, limit_id: int) -> None:
        """Remove a limit.

        Raises:
            NotFound: there is none of that id.
        """
        async with self._database.transaction() as tx:
            if not await store.remove_limit(tx, limit_id):
                raise NotFound(f"there is no limit {limit_id}")
        self._counters.moved()

    async def policies(self) -> Mapping[str, WhenUnavailable]:
        """What checks of every metric answer while usage can't be read."""
        metrics = await self._usage.metrics()
        async with self._database.snapshot() as tx:
            said = await store.policies(tx)
        return {metric: said.get(metric, WhenUnavailable.OPEN) for metric in sorted(metrics)}

    async def set_policy(self, metric: str, answer: WhenUnavailable) -> None:
        """Say what checks of a metric answer while usage can't be read.

        Raises:
            NotFound: there is no such metric.
        """
        find_metric(metric, await self._usage.metrics())
        async with self._database.transaction() as tx:
            await store.set_policy(tx, metric, answer, self._clock.now())
        self._counters.moved()


def _check(wanted: NewLimit) -> None:
    if (wanted.team_id is None) == (wanted.plan is None):
        raise InvalidInput("a limit is of a team or of a plan: give team_id or plan", field="team_id")
    if wanted.quantity is None and wanted.plan is not None:
        raise InvalidInput("a plan has no limit when none is set: give a quantity, or remove it", field="limit")
    if wanted.quantity is None:
        return
    if problem := quantity_problem(wanted.quantity):
        raise InvalidInput(f"limit: {problem}", field="limit")
    if wanted.quantity < 0:
        raise InvalidInput("a limit is zero or more", field="limit")


async def _require_owner(tx: Connection, wanted: NewLimit) -> None:
    if wanted.team_id is not None:
        await required_team(tx, wanted.team_id)
    elif wanted.plan is not None and not await store.plan_exists(tx, wanted.plan):
        raise NotFound(f"there is no plan {wanted.plan!r}")
