"""`/api/teams`: teams and their subscriptions. Reading takes the scope read, changing anything admin."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.teams import subscription_routes
from tallystick.billing.teams.models import PLAN_CURRENCY, Team, TeamChanges
from tallystick.billing.teams.service import LONGEST_ID, LONGEST_NAME
from tallystick.billing.teams.subscription_routes import Paging, Service, TeamId
from tallystick.http.access import Administrator, Reader
from tallystick.http.answers import Instant
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/teams", tags=["teams"])

ZONE = "IANA time zone in which the team's days, months and billing periods begin."
CURRENCY = "ISO 4217 code of the currency that the team is billed in."
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
    currency: str | None = Field(
        default=None, min_length=3, max_length=3, description=f"{CURRENCY} Default: that of its plan."
    )
    metadata: dict[str, Any] = Field(default={}, description=METADATA)


class TeamPatch(BaseModel):
    """What is to be another of a team. What is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"time_zone": "Europe/Berlin"}]})

    name: str | None = Field(default=None, max_length=LONGEST_NAME)
    time_zone: str | None = Field(default=None, description=f"{ZONE} Moves the bounds of open periods.")
    currency: str | None = Field(
        default=None, min_length=3, max_length=3, description=f"{CURRENCY} null: that of its plan again."
    )
    metadata: dict[str, Any] | None = Field(default=None, description=f"{METADATA} Replaces what there is.")

    @property
    def changes(self) -> TeamChanges:
        """What is to be another."""
        again = "currency" in self.model_fields_set and self.currency is None
        return TeamChanges(**self.model_dump() | ({"currency": PLAN_CURRENCY} if again else {}))


class TeamAnswer(BaseModel):
    """A team."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Inc."])
    time_zone: str = Field(examples=["America/New_York"])
    currency: str | None = Field(description="What it is billed in; null: the currency of its plan.", examples=["USD"])
    metadata: dict[str, Any] = Field(examples=[{"crm": "A-17"}])
    created_at: Instant


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(400, 409))
async def create_team(wanted: TeamRequest, teams: Service, _: Administrator) -> TeamAnswer:
    """Make a team. Scope: admin."""
    fields = wanted.model_dump(exclude={"id"})
    team = await teams.create(wanted.id, **fields)
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
    """Change a team's name, time zone, currency or metadata. Scope: admin."""
    return TeamAnswer.model_validate(await teams.update(team_id, changes.changes))


router.include_router(subscription_routes.router)
