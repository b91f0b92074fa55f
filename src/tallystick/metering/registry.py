"""What ingestion has to know of the ledger: which teams exist, and what each metric accepts.

Kept in memory and refreshed when the catalogue changes, which costs one look per commit; a team that is
not known is looked up at once, so a team made a moment ago is never refused.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from tallystick.metering.decoding import Invalid
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import MetricVersion, NewEvent
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


RegisterTeams: TypeAlias = Callable[[Connection, Sequence[str], datetime], Awaitable[None]]
"""Creates those of some teams that don't exist yet, in the order given."""


class Registry:
    """Teams and metrics as ingestion sees them."""

    def __init__(self, database: Database, register: RegisterTeams | None = None) -> None:
        self._database = database
        self._register = register
        self._revision: int | None = None
        self._by_name: dict[str | None, list[MetricVersion]] = {}
        self._units: dict[str | None, str] = {}
        self._teams: set[str] = set()

    async def refresh(self, team_ids: Iterable[str], now: datetime) -> None:
        """Take in a changed catalogue and teams that were not known yet, registering them if that is on."""
        async with self._database.statements() as connection:
            await self._refresh_metrics(connection)
            if unknown := sorted(set(team_ids) - self._teams):
                await self._refresh_teams(connection, unknown, now)

    async def _refresh_teams(self, connection: Connection, unknown: Sequence[str], now: datetime) -> None:
        async with connection.transaction():
            if self._register:
                await self._register(connection, unknown, now)
            found = await connection.execute(QUERIES["known_teams"], {"teams": unknown})
            self._teams.update(row[0] for row in await found.fetchall())

    async def _refresh_metrics(self, connection: Connection) -> None:
        row = await (await connection.execute(QUERIES["catalogue_revision"])).fetchone()
        revision = int(row[0]) if row else 0
        if revision != self._revision:
            versions = await metric_versions(connection)
            by_name: dict[str | None, list[MetricVersion]] = defaultdict(list)
            for version in versions:
                by_name[version.definition.event_name].append(version)
            self._by_name, self._revision = dict(by_name), revision
            self._units = dict(self._sole_units())

    def _sole_units(self) -> Iterator[tuple[str | None, str]]:
        """Of event names of which all metrics expect one unit: that unit, which needs no closer look."""
        for name, versions in self._by_name.items():
            metrics = versions if name is None else [*versions, *self._by_name.get(None, ())]
            units = {metric.definition.expected_unit for metric in metrics if _is_of_quantity(metric)}
            if len(units) == 1:
                yield name, units.pop()

    def problem(self, event: NewEvent) -> Invalid | None:
        """Why the catalogue does not let this event in, or None when it does."""
        if event.team_id not in self._teams:
            return Invalid(
                "team_id",
                "unknown_team",
                f"team {event.team_id!r} is not known; create it, or turn on TALLYSTICK_AUTO_REGISTER_TEAMS",
            )
        if (event.unit is None or event.unit == self._units.get(event.event_name)) and event.quantity >= 0:
            return None  # what follows is about the unit and the sign
        metrics = self._matching(event)
        by_quantity = [metric for metric in metrics if _is_of_quantity(metric)]
        if event.unit is not None and by_quantity:
            allowed = sorted({m.definition.expected_unit for m in by_quantity})
            if event.unit not in allowed:
                return Invalid(
                    "unit",
                    "unit_mismatch",
                    f"unit {event.unit!r} does not fit {event.event_name!r}; allowed: {', '.join(allowed)}",
                )
        if event.quantity < 0 and not any(m.definition.accepts_negative for m in metrics):
            return Invalid(
                "quantity",
                "negative_quantity",
                f"quantity {event.quantity:f} is negative and no metric of {event.event_name!r} allows that",
            )
        return None

    def _matching(self, event: NewEvent) -> Sequence[MetricVersion]:
        candidates = [*self._by_name.get(event.event_name, ()), *self._by_name.get(None, ())]
        return [version for version in candidates if version.counts(event)]


def _is_of_quantity(metric: MetricVersion) -> bool:
    """Whether a metric computes with the quantity of events, so that their unit has to be its."""
    return metric.definition.value == "quantity" and metric.definition.uses_value
