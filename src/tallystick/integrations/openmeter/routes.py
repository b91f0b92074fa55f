"""`/api/v1/meters…`: metrics and their usage for readers that were made for OpenMeter."""

from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import Forbidden
from tallystick.core.settings import Settings
from tallystick.http.access import guarded, principal_of
from tallystick.http.body import read_body
from tallystick.http.principal import Principal, Scope
from tallystick.integrations.openmeter import answers
from tallystick.integrations.openmeter.errors import BadQuery
from tallystick.integrations.openmeter.meters import Meters
from tallystick.integrations.openmeter.operations import (
    GET_OPERATION,
    LIST_OPERATION,
    QUERY_BODY_OPERATION,
    QUERY_OPERATION,
)
from tallystick.integrations.openmeter.questions import MeterQuestion, from_body, from_parameters
from tallystick.metering.service import Metering

CSV = "text/csv"
JSON = "application/json"
LARGEST_PAGE = 1000


@guarded(Scope.READ, operation=LIST_OPERATION)
async def list_meters(request: Request) -> Response:
    """Metrics as meters; see LIST_OPERATION."""
    found = [answers.meter(meter) for meter in await _meters(request).all()]
    if size := _whole_number(request, "pageSize", LARGEST_PAGE):
        begin = ((_whole_number(request, "page", None) or 1) - 1) * size
        found = found[begin : begin + size]
    return _json(found)


@guarded(Scope.READ, operation=GET_OPERATION)
async def get_meter(request: Request) -> Response:
    """One metric as a meter; see GET_OPERATION."""
    return _json(answers.meter(await _meters(request).get(request.path_params["slug"])))


@guarded(Scope.READ, operation=QUERY_OPERATION)
async def query_meter(request: Request) -> Response:
    """The rows of a meter; see QUERY_OPERATION."""
    return await _answer(request, from_parameters(request.query_params.multi_items()))


@guarded(Scope.READ, operation=QUERY_BODY_OPERATION)
async def query_meter_with_body(request: Request) -> Response:
    """The rows of a meter; see QUERY_BODY_OPERATION."""
    settings: Settings = request.app.state.settings
    return await _answer(request, from_body(await read_body(request, settings.max_body_bytes)))


async def _answer(request: Request, question: MeterQuestion) -> Response:
    question = _allowed(question, principal_of(request))
    slug: str = request.path_params["slug"]
    rows = await _meters(request).rows(slug, question)
    if not _wants_csv(request):
        return Response(answers.result(question, rows), media_type=JSON)
    headers = {"Content-Disposition": f'attachment; filename="{slug}.csv"'}
    return Response(answers.as_csv(question, rows), media_type=CSV, headers=headers)


def _allowed(question: MeterQuestion, caller: Principal) -> MeterQuestion:
    """The question as far as the caller may ask it: of all teams means of the only one that its key is for."""
    if caller.team_id is None:
        return question
    if any(team_id != caller.team_id for team_id in question.teams or ()):
        raise Forbidden(f"API key {caller.key_id} is for team {caller.team_id!r} alone")
    return question if question.teams is not None else replace(question, teams=(caller.team_id,))


def _meters(request: Request) -> Meters:
    state = request.app.state
    metering: Metering = state.metering
    return Meters(state.database, metering.usage, state.clock, metering.limits.now().future_tolerance)


def _wants_csv(request: Request) -> bool:
    accepted = request.headers.get("accept", "").lower()
    return CSV in accepted and JSON not in accepted


def _whole_number(request: Request, name: str, most: int | None) -> int | None:
    if (text := request.query_params.get(name)) is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= (most or int(text))):
        raise BadQuery(f"{name} must be a whole number from 1" + (f" to {most}" if most else ""), field=name)
    return int(text)


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type=JSON)


_SLUG = "/api/v1/meters/{slug}"

routes = [
    Route("/api/v1/meters", list_meters, methods=["GET"], name="list_meters"),
    Route(_SLUG, get_meter, methods=["GET"], name="get_meter"),
    Route(f"{_SLUG}/query", query_meter, methods=["GET"], name="query_meter"),
    Route(f"{_SLUG}/query", query_meter_with_body, methods=["POST"], name="query_meter_with_body"),
]
