"""`/api/usage/…` over raw events: the event log and corrections. Tracking is in `tracking`."""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tallystick.core.clock import EARLIEST, Interval, parse_instant
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.access import Administrator, Reader
from tallystick.http.body import members_of
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, decode_cursor, encode_cursor
from tallystick.http.principal import Principal
from tallystick.metering.models import EventFilter
from tallystick.metering.service import Metering
from tallystick.metering.views import (
    CorrectionAnswer,
    Encoded,
    EventAnswer,
    UnvaluedAnswer,
    UnvaluedEventAnswer,
    UnvaluedPage,
    correction_view,
    event_view,
)

router = APIRouter(prefix="/api/usage")

FAR_AHEAD = datetime.max.replace(tzinfo=EARLIEST.tzinfo)


async def service(request: Request) -> Metering:
    """The application's metering."""
    return cast(Metering, request.app.state.metering)


Service = Annotated[Metering, Depends(service)]
EventId = Annotated[UUID, Path(description="The event's id, or that of the event it replaced.")]


class EventQuery(PageQuery):
    """Which events to list."""

    team_id: str | None = Field(default=None, description="Of this team. With it the order is by `occurred_at`.")
    event_name: str | None = None
    event_type: str | None = None
    user_id: str | None = None
    idempotency_key: str | None = None
    start: str | None = Field(default=None, alias="from", description="Happened at this instant or later (RFC 3339).")
    end: str | None = Field(default=None, alias="to", description="Happened before this instant (RFC 3339).")
    metadata: list[str] = Field(default=[], description="`key=value` that the metadata must have; may be repeated.")
    corrected: bool | None = Field(
        default=None, description="true: voided or amended ones alone; false: those in force."
    )


@router.get("/events", tags=["usage"], response_model=Page[EventAnswer])
async def list_events(query: Annotated[EventQuery, Query()], metering: Service, caller: Reader) -> Response:
    """List raw events, newest first. Scope: read.

    Those of one team are ordered by when they happened, those of all teams by when they were recorded.
    """
    wanted = _filter(query, caller)
    after = None if query.cursor is None else decode_cursor(query.cursor, str, str)
    page = await metering.store.events(wanted, limit=query.limit, after=after)
    cursor = None if page.after is None else encode_cursor(*page.after)
    return Encoded({"data": [event_view(event) for event in page.events], "next_cursor": cursor})


def _filter(query: EventQuery, caller: Principal) -> EventFilter:
    return EventFilter(
        team_id=caller.team(query.team_id),
        event_name=query.event_name,
        event_type=query.event_type,
        user_id=query.user_id,
        idempotency_key=query.idempotency_key,
        interval=interval_of(query.start, query.end),
        metadata=dict(_pair(text) for text in query.metadata),
        corrected=query.corrected,
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
