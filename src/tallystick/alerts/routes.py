"""`/api/usage/alerts`: alerts, how they stand, what they did, tests. Reading takes the scope read, the rest admin."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, status
from pydantic import BaseModel, ConfigDict, Field

from tallystick.alerts.answers import (
    AlertAnswer,
    StatusAnswer,
    StatusesAnswer,
    TestedAnswer,
    TransitionAnswer,
    VerifiedAnswer,
)
from tallystick.alerts.models import Kind
from tallystick.alerts.requests import AlertChanges, AlertRequest
from tallystick.alerts.service import Alerts
from tallystick.core.errors import Forbidden, InvalidInput
from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/usage/alerts", tags=["alerts"])


class AlertsQuery(PageQuery):
    """Which alerts to list."""

    team_id: str | None = Field(
        default=None,
        description="About this team: its own, those of its plan, and those of all teams. Default: every alert.",
        examples=["acme"],
    )
    kind: Kind | None = None
    metric: str | None = Field(default=None, examples=["api_calls"])
    active: bool | None = None


class StatusQuery(BaseModel):
    """Whose status."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="May be left out with a key for one team.", examples=["acme"])


class HistoryQuery(PageQuery):
    """Which changes of state to list."""

    team_id: str | None = Field(default=None, description="Default: every team's, or the key's.", examples=["acme"])
    alert_id: int | None = Field(default=None, ge=1, lt=2**63, description="Of this alert alone.")


class AlertTestRequest(BaseModel):
    """Whose numbers and preferences a test takes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"team_id": "acme"}]})

    team_id: str | None = Field(default=None, description="Needed for an alert about more than one team.")


def service(request: Request) -> Alerts:
    """The application's alerts."""
    state = request.app.state
    return Alerts.open(state.database, state.metering, state.billing, state.clock)


Service = Annotated[Alerts, Depends(service)]
AlertId = Annotated[int, Path(ge=1, lt=2**63, examples=[12])]
EntryId = Annotated[int, Path(ge=1, lt=2**63, examples=[78])]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(400, 404))
async def create_alert(wanted: AlertRequest, alerts: Service, _: Administrator) -> AlertAnswer:
    """Make an alert. A limit that is crossed already is told at once. Scope: admin."""
    return AlertAnswer.of(await alerts.create(wanted.terms()))


@router.get("", responses=problems(404))
async def list_alerts(query: Annotated[AlertsQuery, Query()], alerts: Service, who: Reader) -> Page[AlertAnswer]:
    """List alerts, oldest first. Scope: read."""
    rows = await alerts.page(
        query.limit + 1,
        after=decode_cursor(query.cursor, int)[0] if query.cursor is not None else 0,
        team_id=who.team(query.team_id),
        kind=query.kind,
        metric=query.metric,
        active=query.active,
    )
    shown, cursor = cut(rows, query.limit, lambda each: (each.id,))
    return Page(data=[AlertAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/status", responses=problems(404))
async def alert_status(query: Annotated[StatusQuery, Query()], alerts: Service, who: Reader) -> StatusesAnswer:
    """How the active alerts about a team stand, each with its number as it is now. Scope: read."""
    team_id = who.team(query.team_id)
    if team_id is None:
        raise InvalidInput("team_id is required", field="team_id")
    found = await alerts.status(team_id)
    return StatusesAnswer(team_id=team_id, data=[StatusAnswer.of(each) for each in found])


@router.get("/history", responses=problems(404))
async def alert_history(
    query: Annotated[HistoryQuery, Query()], alerts: Service, who: Reader
) -> Page[TransitionAnswer]:
    """List changes of state with the numbers that caused them, newest first. Scope: read."""
    before = {"before": decode_cursor(query.cursor, int)[0]} if query.cursor is not None else {}
    rows = await alerts.history(query.limit + 1, alert_id=query.alert_id, team_id=who.team(query.team_id), **before)
    shown, cursor = cut(rows, query.limit, lambda each: (each.id,))
    return Page(data=[TransitionAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/history/{entry_id}/verify", responses=problems(404, 409))
async def verify_alert_history(entry_id: EntryId, alerts: Service, who: Reader) -> VerifiedAnswer:
    """Measure again what caused a change of state, from what was known then. Scope: read."""
    who.require(Scope.READ, (await alerts.transition(entry_id)).team_id)
    return VerifiedAnswer.of(await alerts.reproduce(entry_id))


@router.get("/{alert_id}", responses=problems(404))
async def get_alert(alert_id: AlertId, alerts: Service, who: Reader) -> AlertAnswer:
    """One alert. Scope: read."""
    alert = await alerts.get(alert_id)
    if who.team_id is not None and not await alerts.is_about(alert, who.team_id):
        raise Forbidden(f"API key {who.key_id} is for team {who.team_id!r} alone, which this alert is not about")
    return AlertAnswer.of(alert)


@router.patch("/{alert_id}", responses=problems(400, 404))
async def change_alert(alert_id: AlertId, changes: AlertChanges, alerts: Service, _: Administrator) -> AlertAnswer:
    """Change an alert. A step with a new limit tells anew; one that stays does not. Scope: admin."""
    return AlertAnswer.of(await alerts.change(alert_id, changes.made_to))


@router.delete("/{alert_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_alert(alert_id: AlertId, alerts: Service, _: Administrator) -> None:
    """Delete an alert, and stop what it throttles. Its history stays. Scope: admin."""
    await alerts.delete(alert_id)


@router.post("/{alert_id}/test", status_code=status.HTTP_202_ACCEPTED, responses=problems(400, 404))
async def send_alert_test(
    alert_id: AlertId, alerts: Service, _: Administrator, wanted: AlertTestRequest | None = None
) -> TestedAnswer:
    """Send a test of each step on the way that it goes when it is crossed. Scope: admin."""
    return TestedAnswer.of(await alerts.test(alert_id, wanted.team_id if wanted else None))
