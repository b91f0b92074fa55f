"""Listing raw events, newest first, page by page.

With a team the order is by when it happened, which its index has; over all teams it is by when it was
recorded, which the batches' index has. Either way a page costs the same however many came before it.

The events that a metric counts are listed with what each is worth to it, by the same conditions that its
usage is made with.
"""

from typing import Any

from psycopg.sql import SQL, Composable, Placeholder

from tallystick.metering.event_store import EventPage
from tallystick.metering.models import EventFilter, UsageEvent
from tallystick.metering.postgres.fragments import ALWAYS, having, metadata_path, metric_sql
from tallystick.metering.postgres.keyset import AFTER_BATCH, AFTER_TIME, read_position, time_position
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
KNOWN = SQL("c.recorded_at <= %(known_at)s")
NO_VALUE = SQL("NULL::numeric")


async def page_of_events(
    connection: Connection, wanted: EventFilter, limit: int, after: tuple[str, ...] | None
) -> EventPage:
    """A page of the events that match, and where the next page begins."""
    parameters: dict[str, Any] = {"limit": limit + 1, "known_at": wanted.known_at}
    conditions = _conditions(wanted, parameters)
    counted, value = _counted(wanted, parameters)
    by_time = wanted.team_id is not None
    if after is not None:
        parameters |= read_position(after, by_time=by_time)
        conditions.append(AFTER_TIME if by_time else AFTER_BATCH)
    statement = QUERIES["page_of_events"].format(
        value=value,
        known=KNOWN if wanted.known_at else ALWAYS,
        conditions=SQL(" AND ").join([*conditions, counted]),
        order=SQL("e.occurred_at DESC, e.id DESC") if by_time else SQL("e.batch_id DESC, e.position DESC"),
    )
    rows = await (await connection.execute(statement, parameters)).fetchall()
    events = [UsageEvent(*row[:-1]) for row in rows[:limit]]
    values = [row[-1] for row in rows[:limit]] if wanted.versions else []
    return EventPage(events, _position(events[-1], by_time) if len(rows) > limit else None, values)


def _position(event: UsageEvent, by_time: bool) -> tuple[str, str]:
    if by_time:
        return time_position(event.occurred_at, event.id)
    return str(event.batch_id), str(event.position)


def _counted(wanted: EventFilter, parameters: dict[str, Any]) -> tuple[Composable, Composable]:
    """Whether one of the metric's versions counts an event, and what it is worth to that version."""
    if not wanted.versions:
        return ALWAYS, NO_VALUE
    matches, values = [], []
    for i, version in enumerate(wanted.versions):
        sql = metric_sql(version, f"v{i}_")
        within, names = having(wanted.where, version.definition.dimensions, sql.dimensions, f"v{i}_")
        parameters |= {**sql.parameters, **names}
        valued = SQL("({} IS NULL AND {} IS NULL)").format(sql.value, sql.member) if wanted.unvalued else ALWAYS
        matches.append(SQL("({} AND {} AND {})").format(sql.match, within, valued))
        values.append(SQL("WHEN {} THEN {}").format(sql.match, sql.value))
    return SQL("({})").format(SQL(" OR ").join(matches)), SQL("CASE {} END").format(SQL(" ").join(values))


def _conditions(wanted: EventFilter, parameters: dict[str, Any]) -> list[Composable]:
    conditions: list[Composable] = []
    for column in ("team_id", "event_name", "event_type", "user_id", "idempotency_key"):
        if (value := getattr(wanted, column)) is not None:
            parameters[column] = value
            conditions.append(SQL("e.{} = {}").format(SQL(column), Placeholder(column)))
    if wanted.interval is not None:
        parameters["start"], parameters["end"] = wanted.interval
        conditions.append(SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s"))
    if wanted.recorded is not None:
        parameters["recorded_start"], parameters["recorded_end"] = wanted.recorded
        conditions.append(SQL("e.recorded_at >= %(recorded_start)s AND e.recorded_at < %(recorded_end)s"))
    if wanted.known_at is not None:
        conditions.append(SQL("e.recorded_at <= %(known_at)s"))
    for i, (path, text) in enumerate(wanted.metadata.items()):
        parameters[f"path_{i}"], parameters[f"text_{i}"] = metadata_path(path), text
        conditions.append(
            SQL("e.metadata #>> {}::text[] = {}").format(Placeholder(f"path_{i}"), Placeholder(f"text_{i}"))
        )
    if wanted.corrected is not None:
        conditions.append(SQL("c.event_id IS NOT NULL") if wanted.corrected else SQL("c.event_id IS NULL"))
    return conditions
