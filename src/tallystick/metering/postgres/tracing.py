"""Reads the trace of one event; see `metering.tracing`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed

from tallystick.core.clock import Interval
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import Correction, MetricVersion, UsageEvent
from tallystick.metering.postgres.fragments import metric_events, metric_sql
from tallystick.metering.tracing import Counted, Moment, Trace
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
THIS = SQL("e.id = %(id)s AND e.batch_id = %(batch)s AND e.occurred_at = %(at)s")


async def read_trace(connection: Connection, event_id: UUID) -> Trace | None:
    """The trace of an event as the connection's snapshot has it; None when there is no such event."""
    row = await _one(connection, QUERIES["event_by_id"], {"id": event_id})
    if row is None:
        return None
    event = UsageEvent(*row)
    corrected = await _one(connection, QUERIES["correction_of"], {"id": event_id})
    correction = Correction(*corrected) if corrected else None
    batch = await _one(connection, QUERIES["batch"], {"batch": event.batch_id})
    rolled_up_at = batch[1] if batch else None
    versions = await metric_versions(connection)
    counted = [found for v in versions if (found := await _counted(connection, v, event, rolled_up_at))]
    return Trace(event, correction, counted, _timeline(event, correction, rolled_up_at))


async def _counted(
    connection: Connection, version: MetricVersion, event: UsageEvent, rolled_up_at: datetime | None
) -> Counted | None:
    sql = metric_sql(version)
    parameters: dict[str, Any] = {
        **sql.parameters,
        "id": event.id,
        "batch": event.batch_id,
        "at": event.occurred_at,
        "bucket": f"{version.definition.bucket_seconds} seconds",
        "version": version.id,
        "team_id": event.team_id,
    }
    events = metric_events(sql, SQL("usage_events e"), THIS)
    found = await _one(connection, QUERIES["counted_event"].format(events=events), parameters)
    if found is None:
        return None
    start, dimensions, value, member = found
    parameters |= {"bucket_start": start, "dimensions": dimensions}
    dirty = await _one(connection, QUERIES["is_dirty"], parameters)
    bucket = None
    if rolled_up_at is not None and not (dirty and dirty[0]):
        bucket = await _one(connection, QUERIES["bucket"], parameters)
    return Counted(
        metric=version.name,
        dimensions=dict(zip(version.definition.dimensions, dimensions, strict=True)),
        value=member if value is None else value,
        bucket=Interval(bucket[0], bucket[1]) if bucket else None,
        bucket_events=bucket[2] if bucket else None,
        bucket_total=bucket[3] if bucket else None,
    )


def _timeline(event: UsageEvent, correction: Correction | None, rolled_up_at: datetime | None) -> list[Moment]:
    moments = [Moment(event.occurred_at, "happened"), Moment(event.recorded_at, "recorded")]
    if event.amends is not None:
        moments[-1] = Moment(event.recorded_at, f"recorded in the place of {event.amends}")
    if rolled_up_at is not None:
        moments.append(Moment(rolled_up_at, "rolled up"))
    if correction is not None:
        became = f", replaced by {correction.replacement_id}" if correction.replacement_id else ""
        moments.append(Moment(correction.recorded_at, f"voided by {correction.actor}: {correction.reason}{became}"))
    return moments


async def _one(connection: Connection, statement: SQL | Composed, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
    return await (await connection.execute(statement, parameters)).fetchone()
