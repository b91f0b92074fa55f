"""`/api/usage/…` over raw events: the event log and corrections. Tracking is in `tracking`."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from tallystick.core.clock import EARLIEST, Interval, parse_instant
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.access import Administrator, Reader
from tallystick.http.answers import rfc3339
from tallystick.http.body import members_of
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, decode_cursor, encode_cursor
from tallystick.http.principal import Principal
from tallystick.metering.event_log import begun
from tallystick.metering.export import Column, Format, written
from tallystick.metering.models import NEWEST_FIRST, EventFilter, Listing, Sort
from tallystick.metering.service import Metering
from tallystick.metering.views import (
    CorrectionAnswer,
    Encoded,
    EventAnswer,
    EventPageAnswer,
    TraceAnswer,
    UnvaluedAnswer,
    UnvaluedEventAnswer,
    UnvaluedPage,
    correction_view,
    event_view,
    trace_view,
)

router = APIRouter(prefix="/api/usage")

FAR_AHEAD = datetime.max.replace(tzinfo=EARLIEST.tzinfo)


async def service(request: Request) -> Metering:
    """The application's metering."""
    return cast(Metering, request.app.state.metering)


Service = Annotated[Metering, Depends(service)]
EventId = Annotated[UUID, Path(description="The event's id, or that of the event it replaced.")]


class EventsQuery(BaseModel):
    """Which events, and in which order."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="Of this team.")
    event_name: str | None = None
    event_type: str | None = None
    user_id: str | None = None
    metric: str | None = Field(default=None, description="That this metric counts.")
    idempotency_key: str | None = None
    start: str | None = Field(default=None, alias="from", description="Happened at this instant or later (RFC 3339).")
    end: str | None = Field(default=None, alias="to", description="Happened before this instant (RFC 3339).")
    metadata: list[str] = Field(default=[], description="`key=value` that the metadata must have; may be repeated.")
    corrected: bool | None = Field(
        default=None, description="true: voided or amended ones alone; false: those in force."
    )
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="With this text in the name, type, user, idempotency key or metadata, in upper or lower case.",
    )
    sort: Literal["-occurred_at", "occurred_at", "-recorded_at", "recorded_at"] | None = Field(
        default=None,
        description="By when they happened (with `team_id` alone) or were recorded; `-`: the newest first. "
        "Default: the newest first, by `occurred_at` with `team_id` and by `recorded_at` without.",
    )

    def filter(self, caller: Principal) -> EventFilter:
        """What the caller may see of what is asked for; the metric is to be added."""
        return EventFilter(
            team_id=caller.team(self.team_id),
            event_name=self.event_name,
            event_type=self.event_type,
            user_id=self.user_id,
            idempotency_key=self.idempotency_key,
            interval=interval_of(self.start, self.end),
            metadata=dict(_pair(text) for text in self.metadata),
            corrected=self.corrected,
            text=self.search,
        )

    def listing(self) -> Listing:
        """The order."""
        if self.sort is None:
            return NEWEST_FIRST
        return Listing(by=Sort(self.sort.removeprefix("-")), ascending=not self.sort.startswith("-"))


class EventPageQuery(PageQuery, EventsQuery):
    """Which events to list, and which part of them."""


class ExportQuery(EventsQuery):
    """Which events to write into a file, and how."""

    format: Format = Format.CSV
    columns: list[Column] = Field(default=[], description="What of each event; may be repeated. Default: everything.")


@router.get("/events", tags=["usage"], response_model=EventPageAnswer, responses=problems(404))
async def list_events(query: Annotated[EventPageQuery, Query()], metering: Service, caller: Reader) -> Response:
    """List raw events, newest first unless `sort` says otherwise. Scope: read.

    A page may be short, or empty, and not be the last one: where `looked_to` is an instant, looking for what has no
    index ended there, and goes on with `next_cursor`.
    """
    log = metering.log
    wanted = await log.filtered(query.filter(caller), query.metric)
    after = None if query.cursor is None else decode_cursor(query.cursor, str, str)
    page = await log.page(wanted, query.listing(), limit=query.limit, after=after)
    return Encoded(
        {
            "data": [event_view(event) for event in page.events],
            "next_cursor": None if page.after is None else encode_cursor(*page.after),
            "looked_to": None if page.looked_to is None else rfc3339(page.looked_to),
        }
    )


_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


@router.get("/events/export", tags=["usage"], response_class=StreamingResponse, responses=_FILE | problems(404))
async def export_events(query: Annotated[ExportQuery, Query()], metering: Service, caller: Reader) -> Response:
    """All events that match, as a CSV or NDJSON file. Scope: read.

    It is written while it is read, however long it gets; a line of NDJSON is what the listing answers for the event.
    """
    log = metering.log
    wanted = await log.filtered(query.filter(caller), query.metric)
    pages = await begun(log.pages(wanted, query.listing()))
    disposition = f'attachment; filename="usage-events.{query.format}"'
    return StreamingResponse(
        written(pages, query.format, query.columns),
        media_type=query.format.media_type,
        headers={"Content-Disposition": disposition, "Cache-Control": "no-store"},
    )


def interval_of(start: str | None, end: str | None) -> Interval | None:
    """The interval between `from` and `to` of a query; None where neither is given.

    Raises:
        InvalidInput: one is no instant, or they are not in order.
    """
    if start is None and end is None:
        return None
    first = EARLIEST if start is None else parse_instant(start, field="from")
    last = FAR_AHEAD if end is None else parse_instant(end, field="to")
    if first >= last:
        raise InvalidInput(f"from ({start}) must be before to ({end})", field="from")
    return Interval(first, last)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidInput(f"{text!r} is not key=value", field="metadata")
    return key, value


@router.get("/events/{event_id}", tags=["usage"], response_model=EventAnswer, responses=problems(404))
async def get_event(event_id: EventId, metering: Service, caller: Reader) -> Response:
    """One event as it was recorded. Scope: read."""
    event = await metering.store.event(event_id)
    if event is None or caller.team_id not in (None, event.team_id):
        raise NotFound(f"there is no event {event_id}")
    return Encoded(event_view(event))


@router.get("/events/{event_id}/trace", tags=["usage"], response_model=TraceAnswer, responses=problems(404))
async def trace_event(event_id: EventId, metering: Service, caller: Reader) -> Response:
    """One event in full: which metrics count it and as what, the roll-ups it is in, and its timeline. Scope: read."""
    trace = await metering.store.trace(event_id)
    if trace is None or caller.team_id not in (None, trace.event.team_id):
        raise NotFound(f"there is no event {event_id}")
    return Encoded(trace_view(trace))


class VoidRequest(BaseModel):
    """Why an event is voided."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "sent by a test run"}]})

    reason: str = Field(min_length=1, max_length=1000)


class AmendRequest(VoidRequest):
    """What an event should have said. What is not given stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "wrong unit", "quantity": "1024"}]}
    )

    quantity: Any = Field(default=None, description="Number or decimal string.")
    unit: str | None = None
    timestamp: str | None = None
    user_id: str | None = None
    event_type: str | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="Replaces the metadata as a whole.")


@router.post(
    "/events/{event_id}/void",
    tags=["usage"],
    response_model=CorrectionAnswer,
    responses=BODY | problems(404, 409),
)
async def void_event(event_id: EventId, wanted: VoidRequest, metering: Service, caller: Administrator) -> Response:
    """Say that an event no longer counts. What was recorded stays; voiding it again changes nothing. Scope: admin."""
    corrected = await metering.corrections.void(event_id, wanted.reason, caller.actor)
    return Encoded(correction_view(*corrected))


@router.post(
    "/events/{event_id}/amend",
    tags=["usage"],
    response_model=CorrectionAnswer,
    responses=BODY | problems(404, 409),
)
async def amend_event(
    event_id: EventId, request: Request, wanted: AmendRequest, metering: Service, caller: Administrator
) -> Response:
    """Put a corrected event in the place of one. Both stay on record. Scope: admin."""
    changes = {name: raw for name, raw in (await members_of(request)).items() if name != "reason"}
    corrected = await metering.corrections.amend(event_id, changes, wanted.reason, caller.actor)
    return Encoded(correction_view(*corrected))


class UnvaluedQuery(BaseModel):
    """Which events without a value to count."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = None
    start: str | None = Field(default=None, alias="from", description="Happened then or later. Default: 31 days ago.")
    end: str | None = Field(default=None, alias="to", description="Happened before this instant (RFC 3339).")


@router.get("/unvalued", tags=["usage"])
async def count_unvalued(query: Annotated[UnvaluedQuery, Query()], metering: Service, caller: Reader) -> UnvaluedPage:
    """Which metrics find no value in events of which teams, the most first, as far as roll-ups have got. Scope: read.

    Such events are stored and add nothing to the usage; once the metric is corrected they count.
    """
    interval = interval_of(query.start, query.end)
    found = await metering.unvalued.counts(interval, caller.team(query.team_id))
    return UnvaluedPage(data=[UnvaluedAnswer.model_validate(each) for each in found])


class UnvaluedEventsQuery(PageQuery):
    """Which events without a value to list."""

    team_id: str | None = Field(default=None, description="Whose. Needed unless the key is for one team.")
    start: str | None = Field(default=None, alias="from", description="Happened then or later. Default: 31 days ago.")
    end: str | None = Field(default=None, alias="to", description="Happened before this instant (RFC 3339).")


@router.get("/unvalued/{metric}", tags=["usage"], response_model=Page[UnvaluedEventAnswer], responses=problems(404))
async def list_unvalued(
    metric: str, query: Annotated[UnvaluedEventsQuery, Query()], metering: Service, caller: Reader
) -> Response:
    """List the events of a team that a metric counts but finds no value in, newest first, and why. Scope: read."""
    team_id = caller.team(query.team_id)
    if team_id is None:
        raise InvalidInput("say whose events: team_id", field="team_id")
    after = None if query.cursor is None else decode_cursor(query.cursor, str, str)
    interval = interval_of(query.start, query.end)
    page = await metering.unvalued.page(metric, team_id, interval, limit=query.limit, after=after)
    data = [{"problem": each.problem, "event": event_view(each.event)} for each in page.found]
    return Encoded({"data": data, "next_cursor": None if page.after is None else encode_cursor(*page.after)})
