"""`POST /api/billing/close` and `POST /api/billing/statements/{period_id}/void`."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.billing.closing.models import Closed, Failure
from tallystick.billing.dependencies import Service
from tallystick.billing.statements.answers import PeriodAnswer
from tallystick.core.clock import as_utc
from tallystick.http.access import Administrator
from tallystick.http.answers import Instant
from tallystick.http.openapi import BODY, problems
from tallystick.http.pace import Unhurried

router = APIRouter(prefix="/api/billing", tags=["billing"])


class CloseRequest(BaseModel):
    """What to close."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"team_id": "acme"}]})

    team_id: str | None = Field(default=None, description="Default: every team.")
    until: AwareDatetime | None = Field(
        default=None, description="Only periods that ended by then. Default: by now. The grace is kept either way."
    )


class FailureAnswer(BaseModel):
    """A period that could not be closed; it stays open and is tried again."""

    team_id: str
    start: Instant
    end: Instant
    message: str

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """The answer that shows it."""
        start, end = failure.period
        return cls(team_id=failure.team_id, start=start, end=end, message=failure.message)


class CloseAnswer(BaseModel):
    """What was closed."""

    statements: list[int] = Field(description="Statements of periods.")
    corrections: list[int] = Field(description="Statements of adjustments alone.")
    adjustments: int = Field(description="How many adjustments they hold.")
    failures: list[FailureAnswer]

    @classmethod
    def of(cls, done: Closed) -> Self:
        """The answer that shows it."""
        return cls(
            statements=list(done.statements),
            corrections=list(done.corrections),
            adjustments=done.adjustments,
            failures=[FailureAnswer.of(each) for each in done.failures],
        )


class VoidStatementRequest(BaseModel):
    """Why a statement is taken out of the books."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "closed on a wrong plan"}]})

    reason: str = Field(min_length=1, max_length=1000)


@router.post("/close", responses=problems(400, 404), dependencies=[Unhurried])
async def close_periods(billing: Service, _: Administrator, wanted: CloseRequest | None = None) -> CloseAnswer:
    """Close every period that is due; doing it again closes nothing twice. Scope: admin."""
    wanted = wanted or CloseRequest()
    until = None if wanted.until is None else as_utc(wanted.until)
    return CloseAnswer.of(await billing.closing.run(team_id=wanted.team_id, until=until))


@router.post("/statements/{period_id}/void", responses=BODY | problems(404, 409))
async def void_statement(
    period_id: Annotated[int, Path(ge=1, lt=2**63)], wanted: VoidStatementRequest, billing: Service, who: Administrator
) -> PeriodAnswer:
    """Take a closed statement out of the books; its period can be closed anew. Scope: admin."""
    return PeriodAnswer.of(await billing.closing.void(period_id, wanted.reason, who.actor))
