"""Listing raw events, newest first, page by page.

With a team the order is by when it happened, which its index has; over all teams it is by when it was
recorded, which the batches' index has. Either way a page costs the same however many came before it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composable, Placeholder

from tallystick.core.errors import InvalidInput
from tallystick.metering.event_store import EventPage
from tallystick.metering.models import EventFilter, UsageEvent
from tallystick.metering.postgres.fragments import ALWAYS, metadata_path
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def page_of_events(
    connection: Connection, wanted: EventFilter, limit: int, after: tuple[str, ...] | None
) -> EventPage:
    """A page of the events that match, and where the next page begins."""
    parameters: dict[str, Any] = {"limit": limit + 1}
    conditions = _conditions(wanted, parameters)
    by_time = wanted.team_id is not None
    if after is not None:
        conditions.append(_after(by_time, after, parameters))
    order = SQL("e.occurred_at DESC, e.id DESC") if by_time else SQL("e.batch_id DESC, e.position DESC")
    where = SQL(" AND ").join(conditions) if conditions else ALWAYS
    statement = QUERIES["page_of_events"].format(conditions=where, order=order)
    rows = [UsageEvent(*row) for row in await (await connection.execute(statement, parameters)).fetchall()]
    return EventPage(rows[:limit], _position(rows[limit - 1], by_time) if len(rows) > limit else None)


def _position(event: UsageEvent, by_time: bool) -> tuple[str, ...]:
    if by_time:
        return event.occurred_at.isoformat(), str(event.id)
    return str(event.batch_id), str(event.position)


def _after(by_time: bool, after: tuple[str, ...], parameters: dict[str, Any]) -> Composable:
    try:
        first, second = after
        if by_time:
            parameters["after"], parameters["after_id"] = datetime.fromisoformat(first), UUID(second)
            return SQL("(e.occurred_at, e.id) < (%(after)s, %(after_id)s)")
        parameters["after"], parameters["after_id"] = int(first), int(second)
        return SQL("(e.batch_id, e.position) < (%(after)s, %(after_id)s)")
    except ValueError:
        raise InvalidInput("the cursor is not one of this listing", field="cursor") from None


def _conditions(wanted: EventFilter, parameters: dict[str, Any]) -> list[Composable]:
    conditions: list[Composable] = []
    for column in ("team_id", "event_name", "event_type", "user_id", "idempotency_key"):
        if (value := getattr(wanted, column)) is not None:
            parameters[column] = value
            conditions.append(SQL("e.{} = {}").format(SQL(column), Placeholder(column)))
    if wanted.interval is not None:
        parameters["start"], parameters["end"] = wanted.interval
        conditions.append(SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s"))
    for i, (path, text) in enumerate(wanted.metadata.items()):
        parameters[f"path_{i}"], parameters[f"text_{i}"] = metadata_path(path), text
        conditions.append(
            SQL("e.metadata #>> {}::text[] = {}").format(Placeholder(f"path_{i}"), Placeholder(f"text_{i}"))
        )
    if wanted.corrected is not None:
        conditions.append(SQL("c.event_id IS NOT NULL") if wanted.corrected else SQL("c.event_id IS NULL"))
    return conditions
