"""`tallystick events`, `trace` and `unvalued`: the event log, one event in full, and events without a value."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tallystick.core.clock import Interval
    from tallystick.metering.models import EventFilter, UsageEvent
    from tallystick.metering.tracing import Counted, Trace
    from tallystick.metering.unvalued import UnvaluedEvents
    from tallystick.storage.database import Database

Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
PAGE = 1000


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.command()(events)
    parent.command()(trace)
    parent.command()(unvalued)


def events(
    *,
    team: Annotated[str | None, typer.Option(help="Of this team.")] = None,
    name: Annotated[str | None, typer.Option(help="Of this event name.")] = None,
    user: Annotated[str | None, typer.Option(help="Of this user.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Happened at this instant or later (RFC 3339).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Happened before this instant (RFC 3339).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most events to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List raw events, newest first."""
    from tallystick.metering.models import EventFilter

    wanted = EventFilter(team_id=team, event_name=name, user_id=user, interval=_interval(start, end))
    settings = settings_from(data_dir=data_dir)
    found = run_with_database(lambda database: _list(database, wanted, limit), settings)
    if json:
        for event in found:
            output.show_json(_row(event))
        return
    columns = ("happened", "team", "event", "quantity", "unit", "key", "correction", "id")
    output.show_table(columns, [_cells(event) for event in found], empty="no events")


def _interval(start: str | None, end: str | None) -> "Interval | None":
    from tallystick.core.clock import EARLIEST, Interval, parse_instant

    if start is None and end is None:
        return None
    first = parse_instant(start, field="from") if start else EARLIEST
    last = parse_instant(end, field="to") if end else datetime.max.replace(tzinfo=EARLIEST.tzinfo)
    if first >= last:
        raise InvalidInput(f"--from ({start}) must be before --to ({end})")
    return Interval(first, last)


async def _list(database: "Database", wanted: "EventFilter", limit: int) -> "list[UsageEvent]":
    from tallystick.metering.postgres import PostgresEventStore

    store, found, after = PostgresEventStore(database), list[Any](), None
    while len(found) < limit:
        page = await store.events(wanted, limit=min(PAGE, limit - len(found)), after=after)
        found += page.events
        if (after := page.after) is None:
            break
    return found


def _cells(event: "UsageEvent") -> tuple[Any, ...]:
    return (
        event.occurred_at, event.team_id, event.event_name, event.quantity, event.unit, event.idempotency_key,
        event.correction, event.id,
    )  # fmt: skip


def _row(event: "UsageEvent") -> dict[str, Any]:
    import json

    document = event._asdict()
    if event.metadata is not None:
        document["metadata"] = json.loads(event.metadata, parse_float=str)
    return document


def trace(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, or TEAM/IDEMPOTENCY-KEY.")],
    *,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show one event: what was recorded, which metrics count it, the roll-ups it is in, and its timeline."""
    settings = settings_from(data_dir=data_dir)
    found = run_with_database(lambda database: _trace(database, _identity(event)), settings)
    if found is None:
        raise NotFound(f"there is no event {event!r}")
    if json:
        output.show_json(_document(found))
    else:
        _show(found)


def _identity(text: str) -> UUID:
    from tallystick.core.ids import event_id

    try:
        return UUID(text)
    except ValueError:
        team, slash, key = text.partition("/")
        if not (team and slash and key):
            raise InvalidInput(f"{text!r} is neither an event id nor TEAM/IDEMPOTENCY-KEY") from None
        return event_id(team, key)


async def _trace(database: "Database", event_id: UUID) -> "Trace | None":
    from tallystick.metering.postgres import PostgresEventStore

    return await PostgresEventStore(database).trace(event_id)


def _show(found: "Trace") -> None:
    fields = [(name, value) for name, value in found.event._asdict().items() if value is not None]
    output.show_table(("field", "value"), fields)
    output.show("")
    none = "no metric counts this event" if found.correction is None else "it no longer counts"
    columns = ("metric", "dimensions", "value", "roll-up from", "to", "its events", "its total")
    output.show_table(columns, [_counted(each) for each in found.counted], empty=none)
    output.show("")
    output.show_table(("when", "what"), found.timeline)


def _counted(each: "Counted") -> tuple[Any, ...]:
    dimensions = ", ".join(f"{name}={value}" for name, value in each.dimensions.items())
    start, end = each.bucket or ("not yet", None)
    value = "could not be valued" if each.value is None else each.value
    return each.metric, dimensions, value, start, end, each.bucket_events, each.bucket_total


def _document(found: "Trace") -> dict[str, Any]:
    return {
        "event": _row(found.event),
        "correction": found.correction._asdict() if found.correction else None,
        "counted": [each._asdict() for each in found.counted],
        "timeline": [moment._asdict() for moment in found.timeline],
    }


def unvalued(
    metric: Annotated[str | None, typer.Argument(help="List its events; without it, count those of all.")] = None,
    *,
    team: Annotated[str | None, typer.Option(help="Whose; needed with a metric.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Happened at this instant or later (RFC 3339). Default: 31 days ago.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Happened before this instant (RFC 3339).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Most events to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show events that a metric counts but finds no value in, and why. They count once the metric is corrected."""
    if metric is not None and team is None:
        raise InvalidInput("say whose events with --team")
    interval, settings = _interval(start, end), settings_from(data_dir=data_dir)
    if metric is None or team is None:
        counts = run_with_database(lambda database: _unvalued(database).counts(interval, team), settings)
        _print([each._asdict() for each in counts], ("metric", "team_id", "unvalued", "events"), json=json)
        return
    page = run_with_database(lambda database: _unvalued(database).page(metric, team, interval, limit=limit), settings)
    rows = [{**_row(each.event), "problem": each.problem} for each in page.found]
    _print(rows, ("occurred_at", "event_name", "problem", "idempotency_key", "id"), json=json)


def _unvalued(database: "Database") -> "UnvaluedEvents":
    from tallystick.core.clock import SystemClock
    from tallystick.metering.postgres import PostgresEventStore
    from tallystick.metering.unvalued import UnvaluedEvents
    from tallystick.metering.usage import UsageReader

    store, clock = PostgresEventStore(database), SystemClock()
    return UnvaluedEvents(store, UsageReader(database, store, clock), clock)


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], *, json: bool) -> None:
    if json:
        for row in rows:
            output.show_json(row)
        return
    output.show_table(columns, [tuple(row[name] for name in columns) for row in rows], empty="every event has a value")
