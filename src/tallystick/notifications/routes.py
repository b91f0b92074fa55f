"""`/api/notifications`: channels, what teams prefer, and what became of every message."""

from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import Field

from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope
from tallystick.notifications.answers import (
    ChannelAnswer,
    ChannelPatch,
    ChannelRequest,
    DeliveryAnswer,
    NewChannelAnswer,
    PreferencesModel,
    RotationAnswer,
    RotationRequest,
    SentTest,
)
from tallystick.notifications.models import State
from tallystick.notifications.service import Notifications
from tallystick.notifications.store_deliveries import NEWEST

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

DEFAULT_ROTATION = RotationRequest()


async def service(request: Request) -> Notifications:
    """The application's notifications."""
    return cast(Notifications, request.app.state.notifications)


Service = Annotated[Notifications, Depends(service)]
ChannelName = Annotated[str, Path(description="The channel's name.", examples=["ops-email"])]
DeliveryId = Annotated[int, Path(description="The delivery's number.", ge=1, lt=NEWEST)]
TeamId = Annotated[str, Path(description="The team's id.", examples=["acme"])]


class DeliveryQuery(PageQuery):
    """Which deliveries to list."""

    state: State | None = Field(default=None, description="Those that stand like this.")
    channel: str | None = Field(default=None, description="Those to this channel.")
    team_id: str | None = Field(default=None, description="Those about this team.")


@router.post("/channels", status_code=status.HTTP_201_CREATED, responses={**BODY, **problems(409)})
async def create_channel(wanted: ChannelRequest, notifications: Service, _: Administrator) -> NewChannelAnswer:
    """Make a channel. Scope: admin.

    A webhook's secret is in this answer and in no other.
    """
    made = await notifications.add_channel(wanted.wanted())
    return NewChannelAnswer.of(made.channel).model_copy(update={"signing_secret": made.signing_secret})


@router.get("/channels")
async def list_channels(
    page: Annotated[PageQuery, Query()], notifications: Service, _: Administrator
) -> Page[ChannelAnswer]:
    """List channels by name. Scope: admin."""
    after = decode_cursor(page.cursor, str)[0] if page.cursor is not None else ""
    shown, cursor = cut(
        await notifications.channels(page.limit + 1, after), page.limit, lambda channel: (channel.name,)
    )
    return Page(data=[ChannelAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/channels/{name}", responses=problems(404))
async def get_channel(name: ChannelName, notifications: Service, _: Administrator) -> ChannelAnswer:
    """Show a channel. Scope: admin."""
    return ChannelAnswer.of(await notifications.channel(name))


@router.patch("/channels/{name}", responses={**BODY, **problems(404)})
async def change_channel(
    name: ChannelName, patch: ChannelPatch, notifications: Service, _: Administrator
) -> ChannelAnswer:
    """Change a channel; if it was paused because it failed, it is tried again at once. Scope: admin."""
    return ChannelAnswer.of(await notifications.change_channel(name, patch.changes()))


@router.delete(
    "/channels/{name}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=problems(404)
)
async def remove_channel(name: ChannelName, notifications: Service, _: Administrator) -> None:
    """Remove a channel; what still waits for it is parked. Scope: admin."""
    await notifications.remove_channel(name)


@router.post("/channels/{name}/rotate-secret", responses={**BODY, **problems(404, 409)})
async def rotate_secret(
    name: ChannelName, notifications: Service, _: Administrator, wanted: RotationRequest = DEFAULT_ROTATION
) -> RotationAnswer:
    """Give a webhook a new signing secret; for a while the old one signs beside it. Scope: admin."""
    secret = await notifications.rotate_secret(name, timedelta(hours=wanted.overlap_hours))
    return RotationAnswer(signing_secret=secret)


@router.post("/channels/{name}/test", status_code=status.HTTP_202_ACCEPTED, responses=problems(404))
async def send_test(name: ChannelName, notifications: Service, _: Administrator) -> SentTest:
    """Send a test message by the way of every other. Scope: admin."""
    return SentTest(key=await notifications.test_channel(name))


@router.get("/preferences/{team_id}", responses=problems(404))
async def get_preferences(team_id: TeamId, notifications: Service, caller: Reader) -> PreferencesModel:
    """Show how a team wants to be told. Scope: read."""
    caller.require(Scope.READ, team_id)
    return PreferencesModel.of(await notifications.preferences(team_id))


@router.put("/preferences/{team_id}", responses={**BODY, **problems(404)})
async def put_preferences(
    team_id: TeamId, wanted: PreferencesModel, notifications: Service, _: Administrator
) -> PreferencesModel:
    """Say how a team wants to be told. Scope: admin.

    What is left out is as if it was never said. What is on its way already is left as it is.
    """
    return PreferencesModel.of(await notifications.put_preferences(team_id, wanted.wanted()))


@router.get("/deliveries")
async def list_deliveries(
    query: Annotated[DeliveryQuery, Query()], notifications: Service, caller: Reader
) -> Page[DeliveryAnswer]:
    """List messages and what became of them, newest first. Scope: read, every team."""
    caller.require_every_team()
    before = decode_cursor(query.cursor, int)[0] if query.cursor is not None else NEWEST
    rows = await notifications.deliveries(
        query.limit + 1, before=before, state=query.state, channel=query.channel, team_id=query.team_id
    )
    shown, cursor = cut(rows, query.limit, lambda delivery: (delivery.id,))
    return Page(data=[DeliveryAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/deliveries/{delivery_id}", responses=problems(404))
async def get_delivery(delivery_id: DeliveryId, notifications: Service, caller: Reader) -> DeliveryAnswer:
    """Show a message and what became of it. Scope: read, every team."""
    caller.require_every_team()
    return DeliveryAnswer.of(await notifications.delivery(delivery_id))


@router.post("/deliveries/{delivery_id}/replay", responses=problems(404, 409))
async def replay_delivery(delivery_id: DeliveryId, notifications: Service, _: Administrator) -> DeliveryAnswer:
    """Send what was parked, or sent, once more: the same message with the same id. Scope: admin."""
    return DeliveryAnswer.of(await notifications.replay(delivery_id))
