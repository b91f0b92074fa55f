"""`POST /api/v1/events`: where producers that were made for another system send their events, unchanged.

CloudEvents (which OpenMeter takes) and Lago's events come to the same path. What a request holds is told by its
headers and, where those say no more than JSON, by its body. From there on they are events like any other.
"""

from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import InvalidInput, TallystickError
from tallystick.core.settings import Settings
from tallystick.http.access import guarded, principal_of
from tallystick.http.body import MalformedBody, read_body
from tallystick.http.principal import Scope
from tallystick.http.problems import problem
from tallystick.integrations.foreign import UNREADABLE, not_taken
from tallystick.integrations.lago import answers as lago_answers
from tallystick.integrations.lago import events as lago
from tallystick.integrations.openmeter import cloudevents
from tallystick.integrations.operations import BATCH_OPERATION, EVENTS_OPERATION
from tallystick.metering.decoding import BOM, Decoded, Limits
from tallystick.metering.ingestion import Outcome
from tallystick.metering.service import Metering

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"


class UnknownMediaType(TallystickError):
    """Events in a form that is not read here."""

    code = "unsupported_media_type"
    status = 415


class Kind(Enum):
    """What a request holds."""

    BINARY = auto()
    CLOUDEVENTS = auto()
    LAGO = auto()


class _Shape(msgspec.Struct):
    """What tells an event of Lago from a CloudEvent."""

    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    specversion: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_shape = msgspec.json.Decoder(_Shape)


@guarded(Scope.INGEST, operation=EVENTS_OPERATION)
async def events(request: Request) -> Response:
    """Store CloudEvents, or one event of Lago; see EVENTS_OPERATION."""
    body, limits = await _body(request)
    headers = dict(request.headers)
    kind = kind_of(headers, body)
    try:
        decoded = _decode(kind, headers, body, limits)
    except InvalidInput as error:
        raise MalformedBody(str(error)) from None
    outcome = await _store(request, decoded)
    return lago_answers.one(decoded, outcome, limits.now) if kind is Kind.LAGO else _answer(decoded, outcome)


@guarded(Scope.INGEST, operation=BATCH_OPERATION)
async def batch(request: Request) -> Response:
    """Store a batch of Lago's events; see BATCH_OPERATION."""
    body, limits = await _body(request)
    try:
        decoded = lago.decode_batch(body, limits)
    except InvalidInput as error:
        raise MalformedBody(str(error)) from None
    return lago_answers.many(decoded, await _store(request, decoded), limits.now)


async def _body(request: Request) -> tuple[bytes, Limits]:
    settings: Settings = request.app.state.settings
    metering: Metering = request.app.state.metering
    return (await read_body(request, settings.max_body_bytes)).removeprefix(BOM), metering.limits.now()


async def _store(request: Request, decoded: Decoded) -> Outcome:
    metering: Metering = request.app.state.metering
    return await metering.ingestor.submit(decoded, allowed_team=principal_of(request).team_id)


def kind_of(headers: Mapping[str, str], body: bytes) -> Kind:
    """What a request holds.

    Args:
        headers: with names in lower case.
        body: decompressed.

    Raises:
        UnknownMediaType: its Content-Type is none that is read here.
        MalformedBody: the body is an array where its Content-Type says one event, or the other way round.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_array = body.lstrip()[:1] == b"["
    if media_type == ONE and is_array:
        raise MalformedBody(f"{ONE} is one event; send an array as {BATCH}")
    if media_type == BATCH and not is_array:
        raise MalformedBody(f"{BATCH} is an array of events; send a single one as {ONE}")
    if media_type in (ONE, BATCH):
        return Kind.CLOUDEVENTS
    if "ce-specversion" in headers:
        return Kind.BINARY
    if media_type not in (JSON, ""):
        raise UnknownMediaType(f"Content-Type {media_type!r} is not read here; use {ONE}, {BATCH} or {JSON}")
    return Kind.LAGO if not is_array and _is_of_lago(body) else Kind.CLOUDEVENTS


def _is_of_lago(body: bytes) -> bool:
    try:
        shape = _shape.decode(body)
    except UNREADABLE:
        return False
    return shape.event is not msgspec.UNSET and shape.specversion is msgspec.UNSET


def _decode(kind: Kind, headers: Mapping[str, str], body: bytes, limits: Limits) -> Decoded:
    match kind:
        case Kind.LAGO:
            return lago.decode_one(body, limits)
        case Kind.BINARY:
            return cloudevents.decode_binary(headers, body, limits)
        case Kind.CLOUDEVENTS:
            return cloudevents.decode(body, limits)


def _answer(decoded: Decoded, outcome: Outcome) -> Response:
    """204 when all of them are stored; otherwise which are not, and why."""
    rejected = not_taken(decoded, outcome)
    if not rejected:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    errors = [error for error in cloudevents.CLOUDEVENTS.errors(outcome) if error["code"] != "conflict"]
    detail = errors[0]["message"]
    if decoded.size > 1:
        detail = f"{rejected} of {decoded.size} events were rejected, the others are stored; the first: {detail}"
    members = {
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "rejected": rejected,
        "errors": errors,
    }
    return problem(HTTPStatus.BAD_REQUEST, errors[0]["code"], detail, members=members)


routes = [
    Route("/api/v1/events", events, methods=["POST"], name="ingest_events"),
    Route("/api/v1/events/batch", batch, methods=["POST"], name="ingest_event_batch"),
]
