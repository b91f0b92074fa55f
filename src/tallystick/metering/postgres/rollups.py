"""Rolling up: whole committed batches become partials, once each.

One transaction with one snapshot takes the batches that no roll-up has taken, adds their partials to the
buckets, recomputes the hours that corrections or levels out of order made wrong, and marks the batches. A
batch that it can see is committed; one that it can't see stays unmarked and is taken next time. A reader
sees marks and partials change together. A session lock lets one roll-up run at a time; nothing else waits.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from psycopg import IsolationLevel
from psycopg.sql import SQL, Composable

from tallystick.core.clock import EARLIEST
from tallystick.metering.event_store import RollUpProgress
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import MetricVersion
from tallystick.metering.postgres.fragments import ALWAYS, MetricSql, metric_events, metric_sql, moment
from tallystick.metering.postgres.partitions import existing_months, next_month
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
MOST_HOURS = 1000

NEW = SQL("e.batch_id = ANY(%(batches)s::bigint[]) AND e.occurred_at < %(rolled_until)s")
NEW_ELSEWHERE = SQL("e.batch_id = ANY(%(batches)s::bigint[]) AND e.occurred_at < %(rolled_until)s AND NOT EXISTS ("
                    "SELECT FROM unnest(%(teams)s::text[], %(hours)s::timestamptz[]) AS d (team_id, hour) "
                    "WHERE d.team_id = e.team_id AND e.occurred_at >= d.hour "
                    "AND e.occurred_at < d.hour + interval '1 hour')")  # fmt: skip
HOURS = SQL("unnest(%(teams)s::text[], %(hours)s::timestamptz[]) AS d (team_id, hour) "
            "JOIN usage_events e ON e.team_id = d.team_id AND e.occurred_at >= d.hour "
            "AND e.occurred_at < d.hour + interval '1 hour'")  # fmt: skip
ROLLED = SQL("e.occurred_at < %(rolled_until)s AND e.batch_id <> ALL(%(untaken)s::bigint[])")
RANGE = SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND e.batch_id <> ALL(%(untaken)s::bigint[])")
EVENTS = SQL("usage_events e")
NEVER = SQL("FALSE")
COUNTED = {"occurrences": SQL("count(*)"), "again": SQL("UPDATE SET occurrences = a.occurrences + p.occurrences")}
NOT_COUNTED = {"occurrences": SQL("1"), "again": SQL("DO NOTHING")}
INFINITY = "infinity"


class RollUp:
    """One run of the roll-up."""

    def __init__(self, database: Database, now: datetime, limit: int) -> None:
        self._database = database
        self._limit = limit
        self._now = now

    async def run(self) -> RollUpProgress:
        """Take batches and dirty hours, or else backfill one month of one metric version."""
        async with self._alone() as connection, connection.transaction():
            return await _Work(connection, self._now, self._limit).run()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection]:
        """A connection whose next transaction takes its snapshot after the roll-up before it committed."""
        async with self._database.connection() as connection:
            await connection.set_autocommit(True)
            try:
                await connection.execute(QUERIES["lock_rollup"])
                try:
                    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                    yield connection
                finally:
                    await connection.set_isolation_level(None)
                    await connection.execute(QUERIES["unlock_rollup"])
            finally:
                if not connection.closed:
                    await connection.set_autocommit(False)


class _Work:
    """What one roll-up does inside its transaction."""

    def __init__(self, connection: Connection, now: datetime, limit: int) -> None:
        self.connection = connection
        self.now = now
        self.limit = limit
        self.rolled_until: dict[int, datetime | None] = {}
        self.touched: set[str] = set()
        self.known = ALWAYS  # which corrections are looked up for new events

    async def run(self) -> RollUpProgress:
        versions = await metric_versions(self.connection)
        ids = {"versions": [version.id for version in versions]}
        self.rolled_until = dict(await self._fetch(QUERIES["rolled_until"], ids))
        tail = [(int(id), int(events)) for id, events in await self._fetch(QUERIES["tail"])]
        batches, events = self._take(tail)
        untaken = [id for id, _ in tail[len(batches) :]]
        dirty = await self._fetch(QUERIES["dirty_hours"], {"limit": MOST_HOURS})
        corrected = {(team, hour) for team, hour, _ in dirty}
        hours = set(corrected)
        await self._look(batches)
        for version in versions:
            own = corrected | await self._out_of_order(version, batches)
            await self._bring_forward(version, batches, untaken, sorted(own))
            hours |= own
        await self._mark(batches, [mark for _, _, marks in dirty for mark in marks])
        backfilled = await self._backfill(versions, untaken)
        await self._touch(hours)
        if events:
            await self._execute(QUERIES["announce"], {"events": events})
        more = bool(untaken) or len(dirty) == MOST_HOURS or backfilled > 0
        return RollUpProgress(len(batches), events, len(hours), backfilled, more, frozenset(self.touched))

    async def _look(self, batches: list[int]) -> None:
        """Which teams the batches are about, and whether corrections have to be looked up for their events at all."""
        teams = dict(await self._fetch(QUERIES["teams_of_batches"], {"batches": batches})) if batches else {}
        self.touched.update(teams)
        self.known = ALWAYS if any(teams.values()) else NEVER

    async def _touch(self, hours: set[tuple[str, datetime]]) -> None:
        """Leave word of the teams that have new events, recomputed hours or a backfilled month."""
        self.touched |= {team for team, _ in hours}
        if self.touched:
            await self._execute(QUERIES["record_touched"], {"teams": sorted(self.touched), "now": self.now})

    def _take(self, tail: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
        """The oldest batches up to the limit of events, at least one."""
        batches: list[int] = []
        total = 0
        for id, events in tail:
            if batches and total + events > self.limit:
                break
            batches.append(id)
            total += events
        return batches, total

    async def _out_of_order(self, version: MetricVersion, batches: list[int]) -> set[tuple[str, datetime]]:
        if not (version.definition.sets_level and batches):
            return set()
        sql = metric_sql(version)
        events = metric_events(sql, EVENTS, SQL("e.batch_id = ANY(%(batches)s::bigint[])"))
        parameters = {**self._of(version, sql), "batches": batches}
        return set(await self._fetch(QUERIES["out_of_order"].format(events=events), parameters))

    async def _bring_forward(
        self,
        version: MetricVersion,
        batches: list[int],
        untaken: list[int],
        hours: list[tuple[str, datetime]],
    ) -> None:
        sql = metric_sql(version)
        parameters = {
            **self._of(version, sql),
            "batches": batches,
            "untaken": untaken,
            "teams": [team for team, _ in hours],
            "hours": [hour for _, hour in hours],
        }
        if batches:
            scope = NEW_ELSEWHERE if hours else NEW
            await self._merge(version, metric_events(sql, EVENTS, scope, known=self.known), parameters)
        if hours:
            await self._execute(QUERIES["delete_hours"], parameters)
            await self._execute(QUERIES["delete_hour_values"], parameters)
            await self._merge(version, metric_events(sql, HOURS, ROLLED), parameters)

    async def _merge(self, version: MetricVersion, events: Composable, parameters: dict[str, Any]) -> None:
        definition = version.definition
        bucket = SQL("date_bin(%(bucket)s::interval, occurred_at, '2000-01-01Z') AS bucket")
        slots: dict[str, Composable] = {
            "group": SQL("team_id, bucket, dimensions"), "columns": bucket, "events": events, "matching": ALWAYS,
        }  # fmt: skip
        if definition.keeps_order:
            partials, kept = QUERIES["ordered_partials"].format(**slots), QUERIES["kept_ordered"]
        else:
            partials, kept = QUERIES["partials"].format(moment=moment(definition), **slots), QUERIES["kept_unordered"]
        await self._execute(QUERIES["merge_partials"].format(partials=partials, kept=kept), parameters)
        if definition.keeps_values:
            counted = COUNTED if definition.ranks_values else NOT_COUNTED
            await self._execute(QUERIES["merge_values"].format(columns=bucket, events=events, **counted), parameters)

    def _of(self, version: MetricVersion, sql: MetricSql) -> dict[str, Any]:
        return {
            **sql.parameters,
            "version": version.id,
            "bucket": f"{version.definition.bucket_seconds} seconds",
            "unit": version.definition.unit,
            "rolled_until": self.rolled_until[version.id] or datetime.max.replace(tzinfo=UTC),
        }

    async def _mark(self, batches: list[int], marks: list[int]) -> None:
        if batches:
            await self._execute(QUERIES["record_late"], {"batches": batches})
            await self._execute(QUERIES["mark_rolled_up"], {"batches": batches, "now": self.now})
        if marks:
            await self._execute(QUERIES["record_corrected"], {"marks": marks})
            await self._execute(QUERIES["delete_marks"], {"marks": marks})

    async def _backfill(self, versions: Sequence[MetricVersion], untaken: list[int]) -> int:
        """One month of the first version that is not complete; returns how many months were done."""
        for version in versions:
            until = self.rolled_until[version.id]
            if until is None:
                continue
            months = [datetime(m.year, m.month, 1, tzinfo=UTC) for m in await existing_months(self.connection)]
            ends = [datetime(*next_month(m.date()).timetuple()[:3], tzinfo=UTC) for m in months]
            begun = max(until, version.effective_from or EARLIEST)
            remaining = [(max(a, until), b) for a, b in zip(months, ends, strict=True) if b > begun]
            if remaining and (version.effective_to is None or remaining[0][0] < version.effective_to):
                await self._backfill_range(version, *remaining[0], untaken)
                return 1
            await self._execute(QUERIES["set_rolled_until"], {"version": version.id, "rolled_until": INFINITY})
        return 0

    async def _backfill_range(self, version: MetricVersion, start: datetime, end: datetime, untaken: list[int]) -> None:
        sql = metric_sql(version)
        parameters = {**self._of(version, sql), "start": start, "end": end, "untaken": untaken}
        await self._execute(QUERIES["delete_range"], parameters)
        await self._execute(QUERIES["delete_value_range"], parameters)
        await self._merge(version, metric_events(sql, EVENTS, RANGE), parameters)
        await self._execute(QUERIES["set_rolled_until"], {"version": version.id, "rolled_until": end})
        self.touched |= {team for (team,) in await self._fetch(QUERIES["teams_of_range"], parameters)}

    async def _execute(self, statement: Any, parameters: dict[str, Any]) -> None:
        await self.connection.execute(statement, parameters)

    async def _fetch(self, statement: Any, parameters: dict[str, Any] | None = None) -> list[Any]:
        return await (await self.connection.execute(statement, parameters or {})).fetchall()
