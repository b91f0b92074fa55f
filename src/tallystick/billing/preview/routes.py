"""`POST /api/billing/preview`: rate hypothetical usage on a plan, or a team's real usage on another one."""

from decimal import Decimal
from typing import Any, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from tallystick.billing.answers import Money, StatementAnswer
from tallystick.billing.dependencies import Service
from tallystick.billing.models import Statement
from tallystick.billing.preview.service import Hypothesis
from tallystick.core.clock import as_utc
from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, ZERO, parse_decimal, quantity_problem
from tallystick.http.access import Reader
from tallystick.http.openapi import BODY, problems

router = APIRouter(prefix="/api/billing", tags=["billing"])


class HypotheticalUsage(BaseModel):
    """Usage that was made up."""

    model_config = ConfigDict(extra="forbid")

    metric: str = Field(examples=["api_calls"])
    quantity: str = Field(description="Exact decimal text.", examples=["150000"])
    events: int = Field(default=1, ge=0, description="How many events made it.")
    dimensions: dict[str, str] = Field(default={}, examples=[{"region": "eu"}])
    at: AwareDatetime | None = Field(default=None, description="When; default: at the period's start.")

    @field_validator("quantity", mode="before")
    @classmethod
    def _whole_numbers_too(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) and not isinstance(given, bool) else given

    def hypothesis(self, place: int) -> Hypothesis:
        """The usage, read.

        Raises:
            InvalidInput: the quantity is no number that can be kept exactly.
        """
        field = f"usage[{place}].quantity"
        quantity: Decimal = parse_decimal(self.quantity, field=field)
        if problem := quantity_problem(quantity):
            raise InvalidInput(f"{field} {problem}", field=field)
        at = None if self.at is None else as_utc(self.at)
        return Hypothesis(self.metric, quantity, self.events, self.dimensions, at)


class PreviewRequest(BaseModel):
    """A plan with usage that was made up, or with a team whose real usage is taken."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"plan": "growth", "usage": [{"metric": "api_calls", "quantity": "150000"}]}]},
    )

    plan: str = Field(
        description="A plan's name, for the newest version of it, or with a version.", examples=["growth@2"]
    )
    team_id: str | None = Field(default=None, description="Whose zone, currency and own prices apply.")
    usage: list[HypotheticalUsage] | None = Field(
        default=None, max_length=1000, description="Null: the team's real usage of the period."
    )
    at: AwareDatetime | None = Field(default=None, description="A moment of the period; default: now.")


class PreviewAnswer(BaseModel):
    """What it would cost; nothing of it is kept."""

    statement: StatementAnswer
    now: StatementAnswer | None = Field(description="The team's statement as it is; null for made up usage.")
    difference: Money | None = Field(
        description="What would be paid more; null without a comparison, or where the currencies differ."
    )

    @classmethod
    def of(cls, statement: Statement, now: Statement | None = None) -> Self:
        """The answer that shows it."""
        difference = None
        if now is not None and now.account.billing_currency == statement.account.billing_currency:
            difference = EXACT.subtract(statement.total or ZERO, now.total or ZERO)
        return cls(
            statement=StatementAnswer.of(statement),
            now=None if now is None else StatementAnswer.of(now),
            difference=difference,
        )


@router.post("/preview", responses=BODY | problems(404))
async def preview(wanted: PreviewRequest, billing: Service, who: Reader) -> PreviewAnswer:
    """What usage would cost on a plan, or a team on another plan. Scope: read."""
    team_id = who.team(wanted.team_id)
    at = None if wanted.at is None else as_utc(wanted.at)
    if wanted.usage is not None:
        usage = [each.hypothesis(place) for place, each in enumerate(wanted.usage)]
        return PreviewAnswer.of(await billing.previews.hypothetical(wanted.plan, usage, team_id=team_id, at=at))
    if team_id is None:
        raise InvalidInput("give usage, or the team_id of a team whose usage is taken", field="usage")
    found = await billing.previews.instead(team_id, wanted.plan, at=at)
    return PreviewAnswer.of(found.instead, found.now)
