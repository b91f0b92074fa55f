"""`/api/teams/{team_id}/subscriptions`: start, change, pause, cancel. Reading takes the scope read, moving admin."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, status

from tallystick.billing.teams.models import Terms
from tallystick.billing.teams.service import Teams
from tallystick.billing.teams.subscription_answers import (
    CancelAnswer,
    CancelRequest,
    ChangeRequest,
    PauseRequest,
    ResumeRequest,
    SubscriptionAnswer,
    SubscriptionRequest,
    TrialRequest,
)
from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/{team_id}/subscriptions")


def service(request: Request) -> Teams:
    """The application's teams."""
    return cast(Teams, request.app.state.billing.teams)


Service = Annotated[Teams, Depends(service)]
TeamId = Annotated[str, Path(examples=["acme"])]
SubscriptionId = Annotated[int, Path(ge=1, lt=2**63, examples=[17])]
Paging = Annotated[PageQuery, Query()]
MOVED = problems(400, 404, 409)


@router.post("", status_code=status.HTTP_201_CREATED, responses=MOVED)
async def subscribe_team(
    team_id: TeamId, wanted: SubscriptionRequest, teams: Service, _: Administrator
) -> SubscriptionAnswer:
    """Put a team on a plan. The subscription in force when this one starts ends there. Scope: admin."""
    made = await teams.moves.start(team_id, Terms(**wanted.model_dump()))
    return SubscriptionAnswer.of(made, teams.clock.now())


@router.get("", responses=problems(404))
async def list_subscriptions(team_id: TeamId, page: Paging, teams: Service, who: Reader) -> Page[SubscriptionAnswer]:
    """List a team's subscriptions, ended ones too, oldest first. Scope: read."""
    who.require(Scope.READ, team_id)
    after = None if page.cursor is None else decode_cursor(page.cursor, datetime, int)
    rows = await teams.subscriptions(team_id, page.limit + 1, after)
    shown, cursor = cut(rows, page.limit, lambda each: (each.starts_at, each.id))
    now = teams.clock.now()
    return Page(data=[SubscriptionAnswer.of(each, now) for each in shown], next_cursor=cursor)


@router.delete("/{subscription_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409))
async def end_subscription(team_id: TeamId, subscription_id: SubscriptionId, teams: Service, _: Administrator) -> None:
    """End a subscription now; take it back if it has not begun. Scope: admin."""
    await teams.moves.end(team_id, subscription_id)


@router.post("/change", responses=MOVED)
async def change_plan(team_id: TeamId, wanted: ChangeRequest, teams: Service, _: Administrator) -> SubscriptionAnswer:
    """Move a team to another plan or version, now, at the period's end or at an instant. Scope: admin.

    Billing periods, trial and a planned end go on; moves that were to follow are taken back. Answers with the
    subscription that the team is on from then on.
    """
    moved = await teams.moves.change(team_id, wanted.plan, version=wanted.plan_version, when=wanted.when)
    return SubscriptionAnswer.of(moved, teams.clock.now())


@router.post("/pause", responses=MOVED)
async def pause_subscription(
    team_id: TeamId, teams: Service, _: Administrator, wanted: PauseRequest | None = None
) -> SubscriptionAnswer:
    """Charge a team nothing for a while; its usage goes on to be metered. Scope: admin."""
    wanted = wanted or PauseRequest()
    paused = await teams.moves.pause(team_id, when=wanted.when, until=wanted.until)
    return SubscriptionAnswer.of(paused, teams.clock.now())


@router.post("/resume", responses=MOVED)
async def resume_subscription(
    team_id: TeamId, teams: Service, _: Administrator, wanted: ResumeRequest | None = None
) -> SubscriptionAnswer:
    """End a pause; where none is running, take back the next one that is planned. Scope: admin."""
    resumed = await teams.moves.resume(team_id, when=(wanted or ResumeRequest()).when)
    return SubscriptionAnswer.of(resumed, teams.clock.now())


@router.post("/cancel", responses=MOVED)
async def cancel_subscription(
    team_id: TeamId, teams: Service, _: Administrator, wanted: CancelRequest | None = None
) -> CancelAnswer:
    """End a team's subscription, by default with the running billing period. Scope: admin.

    Moves that were to follow are taken back.
    """
    wanted = wanted or CancelRequest()
    ended = await teams.moves.cancel(team_id, when=wanted.when, reason=wanted.reason)
    return CancelAnswer(subscription=SubscriptionAnswer.of(ended, teams.clock.now()) if ended else None)


@router.post("/keep", responses=MOVED)
async def keep_subscription(team_id: TeamId, teams: Service, _: Administrator) -> SubscriptionAnswer:
    """Take back a cancellation that has not taken effect. Scope: admin."""
    return SubscriptionAnswer.of(await teams.moves.keep(team_id), teams.clock.now())


@router.post("/trial", responses=MOVED)
async def set_trial(team_id: TeamId, wanted: TrialRequest, teams: Service, _: Administrator) -> SubscriptionAnswer:
    """Let the trial of the subscription in force end at another instant. Scope: admin."""
    return SubscriptionAnswer.of(await teams.moves.try_until(team_id, wanted.ends_at), teams.clock.now())
