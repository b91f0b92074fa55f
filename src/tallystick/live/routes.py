"""`/api/live`: one stream of server-sent events for as long as somebody looks. Scope: read.

A stream is not bounded by the time and the number of requests, but by a number of its own. It ends when its key or
token is not accepted any more, and when the server stops; whoever looks asks again.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tallystick.billing.teams.finding import required_team
from tallystick.core.errors import InvalidInput, Unauthorized, Unavailable
from tallystick.http.access import guarded, principal_of
from tallystick.http.capacity import HELD
from tallystick.http.gate import CREDENTIAL
from tallystick.http.openapi import problems
from tallystick.http.principal import Mode, Scope
from tallystick.live import messages
from tallystick.live.hub import Hub
from tallystick.live.listener import Listener

KEEP_ALIVE_SECONDS = 15.0
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

OPERATION: dict[str, Any] = {
    "tags": ["usage"],
    "summary": "Live",
    "description": "A stream of server-sent events. With a team its usage and cost, right away and after each "
    "roll-up that touched it, at most once a second; without one the teams that were touched. Alerts of both. "
    "A comment every 15 seconds keeps it open. Scope: read.",
    "parameters": [
        {
            "name": "team_id",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "maxLength": 255},
            "description": "Whose usage to show. May be left out with a key for one team. Default: all teams.",
        }
    ],
    "responses": {
        "200": {
            "description": "`hello`, then `usage`, `touched` and `alert` as they come; `goodbye` before the server "
            "ends the stream.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **{str(status): answer for status, answer in problems(404).items()},
    },
}


@guarded(Scope.READ, operation=OPERATION)
async def live_usage(request: Request) -> Response:
    """Open the stream."""
    principal, hub = principal_of(request), cast(Hub, request.app.state.live)
    team_id = principal.team(_named(request))
    if team_id is not None:
        async with request.app.state.database.snapshot() as tx:
            await required_team(tx, team_id)
    if request.method == "HEAD":
        return Response(headers=HEADERS, media_type=MEDIA_TYPE)
    hub.admit()
    request.scope[HELD].let_go()
    own = principal.mode is Mode.PORTAL
    return StreamingResponse(_stream(request, hub, team_id, own=own), headers=HEADERS, media_type=MEDIA_TYPE)


routes = (Route("/api/live", live_usage, methods=["GET"], name="live_usage"),)


def _named(request: Request) -> str | None:
    if unknown := set(request.query_params) - {"team_id"}:
        raise InvalidInput(f"{min(unknown)!r} is not known here; there is: team_id", field=min(unknown))
    return request.query_params.get("team_id")


async def _stream(request: Request, hub: Hub, team_id: str | None, *, own: bool) -> AsyncIterator[bytes]:
    try:
        with hub.listening(team_id, own=own) as listener:
            await hub.hearing()
            yield messages.hello(request.app.state.clock.now())
            async for told in _told(request, listener):
                yield told
    except Unavailable:  # another came in between; its client tries again
        pass
    yield messages.GOODBYE


async def _told(request: Request, listener: Listener) -> AsyncIterator[bytes]:
    clock = request.app.state.clock
    while not listener.closed:
        told = await listener.next(clock, KEEP_ALIVE_SECONDS)
        if not await _still_let_in(request):
            return
        yield told or messages.KEEP_ALIVE


async def _still_let_in(request: Request) -> bool:
    """Whether whoever looks would still be let in; asked before each thing that is told."""
    if (token := request.scope.get(CREDENTIAL)) is None:
        return True  # dev mode
    try:
        await request.app.state.verify(token)
    except Unauthorized:
        return False
    except Unavailable:
        return True  # the database is away, and will be asked again
    return True
