"""Listing raw events, page by page.

By when they happened, where a team is named, which its index has; or by when they were recorded, which the
batches' index has. Either way a page costs the same however many came before it.

What has no index, such as a text or a value of the metadata, is looked for among a bounded number of events in that
order: a page then ends where looking ended, be it full or not, and the next one goes on there. The events of one
idempotency key are found by their identities.

The events that a metric counts are listed with what each is worth to it, by the same conditions that its
usage is made with.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composable, Placeholder

from tallystick.core.clock import Interval
from tallystick.core.errors import InvalidInput
from tallystick.core.ids import event_id
from tallystick.metering.event_store import EventPage
from tallystick.metering.models import EventFilter, Listing, Sort, UsageEvent
from tallystick.metering.postgres.fragments import ALWAYS, having, metadata_path, metric_sql
from tallystick.metering.postgres.keyset import Order, read_position, time_position
from tallystick.metering.postgres.partitions import first_of_month, next_month
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
KNOWN = SQL("c.recorded_at <= %(known_at)s")
NO_VALUE = SQL("NULL::numeric")
TEAM = SQL("e.team_id = %(team_id)s")
EVENTS = SQL("usage_events")
INSIDE = SQL("e.occurred_at >= %(start)s AND e.occurred_at < %(end)s")
INSIDE_MONTHS = SQL("e.occurred_at >= %(first_month)s AND e.occurred_at < %(last_month)s")
HAS_TEXT = SQL(
    "(e.event_name ILIKE %(pattern)s OR e.event_type ILIKE %(pattern)s OR e.user_id ILIKE %(pattern)s"
    " OR e.idempotency_key ILIKE %(pattern)s OR e.metadata::text ILIKE %(pattern)s)"
)
LATEST = datetime(9999, 12, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""An event is recorded at most so long before it happens: what may lie ahead is a setting, of an hour by default."""


class _Looked(NamedTuple):
    """Up to where events were looked at, and when that was by the listing's clock."""

    position: tuple[str, str]
    instant: datetime


async def page_of_events(
    connection: Connection, wanted: EventFilter, listing: Listing, limit: int, after: tuple[str, ...] | None
) -> EventPage:
    """A page of the events that match, and where the next page begins.

    Raises:
        InvalidInput: the position is of another listing, or events of all teams are to be sorted by when they
            happened.
    """
    order = _order(wanted, listing)
    parameters: dict[str, Any] = {"limit": limit + 1, "known_at": wanted.known_at, "most": listing.most}
    if wanted.team_id is not None:
        parameters |= {"team_id": wanted.team_id, "id": event_id(wanted.team_id, wanted.idempotency_key or "")}
    scope, conditions = _scope(wanted, order, after, parameters), _conditions(wanted, order, parameters)
    bounded = listing.most is not None and bool(conditions or wanted.versions)
    counted, value = _counted(wanted, parameters)
    statement = QUERIES["page_of_events"].format(
        value=value,
        known=KNOWN if wanted.known_at else ALWAYS,
        source=_source(wanted, order, scope, bounded),
        conditions=SQL(" AND ").join([*scope, *conditions, counted]),
        order=order.sql(),
    )
    rows = await (await connection.execute(statement, parameters)).fetchall()
    events = [UsageEvent(*row[:-1]) for row in rows[:limit]]
    values = [row[-1] for row in rows[:limit]] if wanted.versions else []
    if len(rows) > limit:
        return EventPage(events, _position(events[-1], order), values)
    looked = await _looked(connection, order, scope, parameters) if bounded and not _by_key(wanted) else None
    if looked is None or _nothing_behind(wanted, order, looked):
        return EventPage(events, None, values)
    return EventPage(events, looked.position, values, looked.instant)


def _order(wanted: EventFilter, listing: Listing) -> Order:
    if listing.by is None:
        return Order(wanted.team_id is not None, listing.ascending)
    if listing.by is Sort.OCCURRED and wanted.team_id is None:
        problem = "events of all teams are sorted by recorded_at; name a team to sort its events by occurred_at"
        raise InvalidInput(problem, field="sort")
    return Order(listing.by is Sort.OCCURRED, listing.ascending)


def _position(event: UsageEvent, order: Order) -> tuple[str, str]:
    if order.by_time:
        return time_position(event.occurred_at, event.id)
    return str(event.batch_id), str(event.position)


def _by_key(wanted: EventFilter) -> bool:
    return wanted.team_id is not None and wanted.idempotency_key is not None


def _scope(
    wanted: EventFilter, order: Order, after: tuple[str, ...] | None, parameters: dict[str, Any]
) -> list[Composable]:
    """What the index of the order, or the choice of months, answers."""
    scope: list[Composable] = []
    if wanted.interval is not None:
        parameters |= _bounds(wanted.interval)
        scope.append(INSIDE if order.by_time else INSIDE_MONTHS)
    if wanted.team_id is not None and order.by_time:
        scope.append(TEAM)
    if after is not None:
        parameters |= read_position(after, by_time=order.by_time)
        scope.append(order.behind())
    return scope or [ALWAYS]


def _bounds(interval: Interval) -> dict[str, datetime]:
    """The interval, and the months that hold it."""
    start, end = interval
    last = end if end >= LATEST else _midnight(next_month(first_of_month(end)))
    return {"start": start, "end": end, "first_month": _midnight(first_of_month(start)), "last_month": last}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _source(wanted: EventFilter, order: Order, scope: list[Composable], bounded: bool) -> Composable:
    if _by_key(wanted):
        return QUERIES["events_of_identity"].format()
    if bounded:
        return QUERIES["events_looked_at"].format(scope=SQL(" AND ").join(scope), order=order.sql())
    return EVENTS


async def _looked(
    connection: Connection, order: Order, scope: list[Composable], parameters: dict[str, Any]
) -> _Looked | None:
    """The last event that was looked at; None where all were."""
    statement = QUERIES["last_looked_at"].format(
        columns=order.columns(),
        instant=SQL("e.occurred_at") if order.by_time else SQL("e.recorded_at"),
        scope=SQL(" AND ").join(scope),
        order=order.sql(),
    )
    row = await (await connection.execute(statement, parameters)).fetchone()
    if row is None:
        return None
    first, second, instant = row
    return _Looked(time_position(first, second) if order.by_time else (str(first), str(second)), instant)


def _nothing_behind(wanted: EventFilter, order: Order, looked: _Looked) -> bool:
    """Whether everything behind was recorded long before the interval, so that nothing of it is in there."""
    if wanted.interval is None or order.by_time or order.ascending:
        return False
    return looked.instant < wanted.interval.start - AHEAD


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


def _conditions(wanted: EventFilter, order: Order, parameters: dict[str, Any]) -> list[Composable]:
    """What no index answers."""
    conditions: list[Composable] = []
    if wanted.team_id is not None and not order.by_time:
        conditions.append(TEAM)
    for column in ("event_name", "event_type", "user_id", "idempotency_key"):
        if (value := getattr(wanted, column)) is not None:
            parameters[column] = value
            conditions.append(SQL("e.{} = {}").format(SQL(column), Placeholder(column)))
    if wanted.interval is not None and not order.by_time:
        conditions.append(INSIDE)
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
    if wanted.text is not None:
        parameters["pattern"] = f"%{_literal(wanted.text)}%"
        conditions.append(HAS_TEXT)
    if wanted.corrected is not None:
        conditions.append(SQL("c.event_id IS NOT NULL") if wanted.corrected else SQL("c.event_id IS NULL"))
    return conditions


def _literal(text: str) -> str:
    """The text with what LIKE takes for more than itself escaped."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
