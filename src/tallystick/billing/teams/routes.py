"""`/api/teams`: teams and their subscriptions. Reading takes the scope read, changing anything admin."""

from datetime import datetime
from typing import Annotated, Any, Self, cast

from fastapi import APIRouter, Depends, Path, Query, Request, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.billing.teams.models import Subscription, Team, TeamChanges, Terms
from tallystick.billing.teams.service import LONGEST_ID, LONGEST_NAME, Teams
from tallystick.catalog.models import Anchor, PeriodUnit
from tallystick.http.access import Administrator, Reader
from tallystick.http.answers import Instant
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/teams", tags=["teams"])

ZONE = "IANA time zone in which the team's days, months and billing periods begin."
METADATA = "A JSON object of your own: at most 50 keys and 16 KiB."
EXAMPLE: dict[str, Any] = {
    "id": "acme",
    "name": "Acme Inc.",
    "time_zone": "America/New_York",
    "metadata": {"crm": "A-17"},
}


class TeamRequest(BaseModel):
    """A team to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    id: str = Field(min_length=1, max_length=LONGEST_ID, description="What events and keys name the team by.")
    name: str | None = Field(default=None, max_length=LONGEST_NAME, description="Default: the id.")
    time_zone: str = Field(default="UTC", description=ZONE)
    metadata: dict[str, Any] = Field(default={}, description=METADATA)


class TeamPatch(BaseModel):
    """What is to be another of a team. What is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"time_zone": "Europe/Berlin"}]})

    name: str | None = Field(default=None, max_length=LONGEST_NAME)
    time_zone: str | None = Field(default=None, description=f"{ZONE} Moves the bounds of open periods.")
    metadata: dict[str, Any] | None = Field(default=None, description=f"{METADATA} Replaces what there is.")


class TeamAnswer(BaseModel):
    """A team."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Inc."])
    time_zone: str = Field(examples=["America/New_York"])
    metadata: dict[str, Any] = Field(examples=[{"crm": "A-17"}])
    created_at: Instant


class SubscriptionRequest(BaseModel):
    """A plan for a team."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"plan": "standard", "starts_at": "2026-03-01T00:00:00-05:00"}]},
    )

    plan: str = Field(min_length=1, examples=["standard"])
    starts_at: AwareDatetime | None = Field(
        default=None, description="RFC 3339; default: now. The subscription in force there ends there."
    )
    ends_at: AwareDatetime | None = Field(default=None, description="Exclusive; default: until further notice.")
    anchor: Anchor = Field(
        default=Anchor.CALENDAR,
        description="`calendar`: periods begin on the 1st, on Monday, in January. `anniversary`: they begin "
        "at the local date and time at which the subscription starts.",
    )


class SubscriptionAnswer(BaseModel):
    """A team on a plan. Periods are `period_every` times `period_unit` long."""

    id: int = Field(examples=[17])
    team_id: str = Field(examples=["acme"])
    plan: str = Field(examples=["standard"])
    currency: str = Field(examples=["USD"])
    period_unit: PeriodUnit
    period_every: int = Field(examples=[1])
    anchor: Anchor
    starts_at: Instant
    ends_at: Instant | None = Field(description="Exclusive; null: until further notice.")
    created_at: Instant

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        """The answer that shows the subscription."""
        return cls(
            id=subscription.id,
            team_id=subscription.team_id,
            plan=subscription.plan,
            currency=subscription.currency,
            period_unit=subscription.cadence.unit,
            period_every=subscription.cadence.every,
            anchor=subscription.anchor,
            starts_at=subscription.starts_at,
            ends_at=subscription.ends_at,
            created_at=subscription.created_at,
        )


def service(request: Request) -> Teams:
    """The application's teams."""
    return cast(Teams, request.app.state.billing.teams)


Service = Annotated[Teams, Depends(service)]
TeamId = Annotated[str, Path(examples=["acme"])]
SubscriptionId = Annotated[int, Path(ge=1, lt=2**63, examples=[17])]
Paging = Annotated[PageQuery, Query()]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(400, 409))
async def create_team(wanted: TeamRequest, teams: Service, _: Administrator) -> TeamAnswer:
    """Make a team. Scope: admin."""
    team = await teams.create(wanted.id, name=wanted.name, time_zone=wanted.time_zone, metadata=wanted.metadata)
    return TeamAnswer.model_validate(team)


@router.get("")
async def list_teams(page: Paging, teams: Service, who: Reader) -> Page[TeamAnswer]:
    """List teams by id; a key for one team sees that one. Scope: read."""
    after = decode_cursor(page.cursor, str)[0] if page.cursor is not None else ""
    rows: list[Team] = list(await teams.page(page.limit + 1, after=after, only=who.team(None)))
    shown, cursor = cut(rows, page.limit, lambda team: (team.id,))
    return Page(data=[TeamAnswer.model_validate(team) for team in shown], next_cursor=cursor)


@router.get("/{team_id}", responses=problems(404))
async def get_team(team_id: TeamId, teams: Service, who: Reader) -> TeamAnswer:
    """One team. Scope: read."""
    who.require(Scope.READ, team_id)
    return TeamAnswer.model_validate(await teams.get(team_id))


@router.patch("/{team_id}", responses=problems(400, 404))
async def update_team(team_id: TeamId, changes: TeamPatch, teams: Service, _: Administrator) -> TeamAnswer:
    """Change a team's name, time zone or metadata. Scope: admin."""
    return TeamAnswer.model_validate(await teams.update(team_id, TeamChanges(**changes.model_dump())))


@router.post("/{team_id}/subscriptions", status_code=status.HTTP_201_CREATED, responses=problems(400, 404, 409))
async def subscribe_team(
    team_id: TeamId, wanted: SubscriptionRequest, teams: Service, _: Administrator
) -> SubscriptionAnswer:
    """Put a team on a plan. The subscription in force when this one starts ends there. Scope: admin."""
    return SubscriptionAnswer.of(await teams.subscribe(team_id, Terms(**wanted.model_dump())))


@router.get("/{team_id}/subscriptions", responses=problems(404))
async def list_subscriptions(team_id: TeamId, page: Paging, teams: Service, who: Reader) -> Page[SubscriptionAnswer]:
    """List a team's subscriptions, ended ones too, oldest first. Scope: read."""
    who.require(Scope.READ, team_id)
    after = None if page.cursor is None else decode_cursor(page.cursor, datetime, int)
    rows = await teams.subscriptions(team_id, page.limit + 1, after)
    shown, cursor = cut(rows, page.limit, lambda each: (each.starts_at, each.id))
    return Page(data=[SubscriptionAnswer.of(each) for each in shown], next_cursor=cursor)


@router.delete(
    "/{team_id}/subscriptions/{subscription_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(404),
)
async def end_subscription(team_id: TeamId, subscription_id: SubscriptionId, teams: Service, _: Administrator) -> None:
    """End a subscription now; take it back if it has not begun. Scope: admin."""
    await teams.end(team_id, subscription_id)
