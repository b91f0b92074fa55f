"""`/api/usage/…` over raw events: the event log, corrections and dead letters. Tracking is in `tracking`."""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tallystick.core.clock import EARLIEST, Interval, parse_instant
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.access import Administrator, Ingester, Reader
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, decode_cursor, encode_cursor
from tallystick.http.principal import Principal
from tallystick.metering.models import EventFilter
from tallystick.metering.service import Metering
from tallystick.metering.views import (
    CorrectionAnswer,
    DeadLetterAnswer,
    DeadLetterPage,
    Encoded,
    EventAnswer,
    correction_view,
    dead_letter_view,
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
        interval=_interval(query),
        metadata=dict(_pair(text) for text in query.metadata),
        corrected=query.corrected,
    )


def _interval(query: EventQuery) -> Interval | None:
    if query.start is None and query.end is None:
        return None
    start = EARLIEST if query.start is None else parse_instant(query.start, field="from")
    end = FAR_AHEAD if query.end is None else parse_instant(query.end, field="to")
    if start >= end:
        raise InvalidInput(f"from ({query.start}) must be before to ({query.end})", field="from")
    return Interval(start, end)


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
    sent = msgspec.json.decode(await request.body(), type=dict[str, msgspec.Raw])
    changes = {name: raw for name, raw in sent.items() if name != "reason"}
    corrected = await metering.corrections.amend(event_id, changes, wanted.reason, caller.actor)
    return Encoded(correction_view(*corrected))


class DeadLetterQuery(PageQuery):
    """Which dead letters to list."""

    team_id: str | None = None
    code: str | None = Field(default=None, description="Rejected for this reason.", examples=["unknown_team"])
    replayed: bool | None = Field(default=False, description="false: those that wait; true: those that were replayed.")


@router.get("/dead-letters", tags=["dead letters"])
async def list_dead_letters(
    query: Annotated[DeadLetterQuery, Query()], metering: Service, caller: Reader
) -> DeadLetterPage:
    """List rejected events, newest first, with how many wait by reason. Scope: read."""
    team_id = caller.team(query.team_id)
    before = None if query.cursor is None else decode_cursor(query.cursor, int)[0]
    letters = await metering.dead_letters.list(
        team_id=team_id, code=query.code, replayed=query.replayed, before=before, limit=query.limit + 1
    )
    more = encode_cursor(letters[query.limit - 1].id) if len(letters) > query.limit else None
    return DeadLetterPage(
        data=[dead_letter_view(letter) for letter in letters[: query.limit]],
        next_cursor=more,
        waiting=await metering.dead_letters.counts(team_id),
    )


LetterId = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/dead-letters/{letter_id}", tags=["dead letters"], responses=problems(404))
async def get_dead_letter(letter_id: LetterId, metering: Service, caller: Reader) -> DeadLetterAnswer:
    """One dead letter. Scope: read."""
    letter = await metering.dead_letters.get(letter_id)
    if caller.team_id not in (None, letter.team_id):
        raise NotFound(f"there is no dead letter {letter_id}")
    return dead_letter_view(letter)


class ReplayRequest(BaseModel):
    """How to send a dead letter again."""

    model_config = ConfigDict(extra="forbid")

    event: dict[str, Any] | None = Field(default=None, description="The repaired event; null sends it as it was.")


class ReplayAnswer(BaseModel):
    """What became of it."""

    taken: bool = Field(description="Whether its event is stored now.")
    errors: list[dict[str, Any]]
    letter: DeadLetterAnswer


@router.post("/dead-letters/{letter_id}/replay", tags=["dead letters"], responses=BODY | problems(404, 409))
async def replay_dead_letter(
    letter_id: LetterId, request: Request, _: ReplayRequest, metering: Service, caller: Ingester
) -> ReplayAnswer:
    """Send a dead letter again, as it is or repaired. Scope: ingest, for every team."""
    caller.require_every_team()
    sent = msgspec.json.decode(await request.body(), type=dict[str, msgspec.Raw])
    body = bytes(sent["event"]) if "event" in sent and bytes(sent["event"]) != b"null" else None
    replay = await metering.dead_letters.replay(letter_id, metering.limits.now(), body=body)
    errors = [{"field": r.field, "code": r.code, "message": r.message} for r in replay.outcome.rejections]
    letter = dead_letter_view(await metering.dead_letters.get(letter_id))
    return ReplayAnswer(taken=replay.taken, errors=errors, letter=letter)
