"""`/api/billing/periods` and `/api/billing/statements`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.billing.answers import StatementAnswer
from tallystick.billing.dependencies import Service
from tallystick.billing.statements.answers import ClosedStatementAnswer, PeriodAnswer, VerificationAnswer
from tallystick.billing.statements.models import ClosedPeriod, Status
from tallystick.core.clock import as_utc
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.access import Reader
from tallystick.http.openapi import problems
from tallystick.http.pace import Unhurried
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Principal

router = APIRouter(prefix="/api/billing", tags=["billing"])

StatementId = Annotated[int, Path(ge=1, lt=2**63)]


class PeriodsQuery(PageQuery):
    """Which statements to list."""

    team_id: str | None = Field(default=None, description="Of this team.")
    status: Status | None = None


class CurrentQuery(BaseModel):
    """Whose open statement, and as known when."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="May be left out with a key for one team.", examples=["acme"])
    known_at: AwareDatetime | None = Field(
        default=None, description="As it was at this past moment: nothing recorded later is in it."
    )


@router.get("/periods")
async def list_periods(query: Annotated[PeriodsQuery, Query()], billing: Service, who: Reader) -> Page[PeriodAnswer]:
    """List statements, the newest period first: closed ones, and drafts of open ones. Scope: read."""
    after = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    status = None if query.status is None else str(query.status)
    rows = await billing.statements.page(query.limit + 1, team_id=who.team(query.team_id), status=status, after=after)
    shown, cursor = cut(rows, query.limit, lambda row: (row.period.start, row.id))
    return Page[PeriodAnswer](data=[PeriodAnswer.of(row) for row in shown], next_cursor=cursor)


@router.get("/statements/current", responses=problems(404))
async def current_statement(query: Annotated[CurrentQuery, Query()], billing: Service, who: Reader) -> StatementAnswer:
    """The statement of the period that is running, now or as it was known at a past moment. Scope: read."""
    team_id = who.team(query.team_id)
    if team_id is None:
        raise InvalidInput("team_id is required", field="team_id")
    known_at = None if query.known_at is None else as_utc(query.known_at)
    return StatementAnswer.of(await billing.statements.current(team_id, known_at=known_at))


@router.get("/statements/{period_id}", responses=problems(404))
async def closed_statement(period_id: StatementId, billing: Service, who: Reader) -> ClosedStatementAnswer:
    """A closed statement with its lines, as it was closed. Scope: read."""
    found = await billing.statements.closed(period_id)
    _check_team(found.period, who)
    return ClosedStatementAnswer.of_statement(found)


@router.get("/statements/{period_id}/verify", responses=problems(404), dependencies=[Unhurried])
async def verify_statement(period_id: StatementId, billing: Service, who: Reader) -> VerificationAnswer:
    """Make a closed statement anew from raw events, as known when it was closed, and compare. Scope: read."""
    found = await billing.statements.closed(period_id)
    _check_team(found.period, who)
    return VerificationAnswer.of(await billing.verifications.verify(period_id))


def _check_team(period: ClosedPeriod, who: Principal) -> None:
    if who.team_id not in (None, period.team_id):
        raise NotFound(f"there is no closed statement {period.id}")
