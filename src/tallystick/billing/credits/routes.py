"""`/api/billing/credits`: credits are granted, voided and looked at. Reading takes the scope read, the rest admin."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.billing.credits.answers import (
    GrantAnswer,
    TeamBalanceAnswer,
    TransactionAnswer,
    UnitBalanceAnswer,
)
from tallystick.billing.credits.models import GrantKind
from tallystick.billing.credits.service import LONGEST_REASON, Credits
from tallystick.billing.credits.terms import (
    HIGHEST_PRIORITY,
    LONGEST_TEXT,
    MOST_EVERY,
    PRIORITY,
    Repeat,
    Terms,
    read_rollover,
)
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.errors import InvalidInput
from tallystick.core.money import parse_decimal
from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/billing/credits", tags=["credits"])

EXAMPLE: dict[str, Any] = {
    "team_id": "acme",
    "amount": "100.00",
    "currency": "USD",
    "kind": "promotional",
    "expires_at": "2027-01-01T00:00:00Z",
    "reference": "welcome",
}
MONTHLY: dict[str, Any] = {
    "team_id": "acme",
    "amount": "1000000",
    "metric": "api_calls",
    "name": "Included calls",
    "recurrence": {"period": "month", "rollover": "50%"},
}


class RecurrenceRequest(BaseModel):
    """How a grant comes again."""

    model_config = ConfigDict(extra="forbid")

    period: PeriodUnit
    every: int = Field(default=1, ge=1, le=MOST_EVERY)
    anchor: AwareDatetime | None = Field(
        default=None,
        description="A moment at which it is given; the others are whole periods away. Default: when it takes effect.",
    )
    time_zone: str | None = Field(
        default=None, description="IANA time zone whose wall time counts. Default: the team's.", examples=["UTC"]
    )
    rollover: str = Field(
        default="0",
        description="The most of what is left that is carried over into the next period: an amount, or a "
        "percentage of what is given, such as `50%`. The rest expires.",
        examples=["50%"],
    )

    def repeat(self) -> Repeat:
        """The recurrence that is asked for.

        Raises:
            InvalidInput: the rollover is not a number.
        """
        return Repeat(BillingPeriod(self.period, self.every), self.anchor, self.time_zone, read_rollover(self.rollover))


class GrantRequest(BaseModel):
    """Credits to be granted: of money with `currency`, or of usage with `metric`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE, MONTHLY]})

    team_id: str = Field(min_length=1, max_length=LONGEST_TEXT)
    amount: str = Field(description="An exact decimal number, above zero. Of a recurring grant, each time.")
    currency: str | None = Field(default=None, description="It pays charges in this currency alone.")
    metric: str | None = Field(default=None, description="It pays usage of this metric alone, in its unit.")
    name: str | None = Field(default=None, max_length=LONGEST_TEXT, description="What people call it.")
    kind: GrantKind = Field(default=GrantKind.PAID, description="Promotional credits burn before paid ones.")
    priority: int = Field(default=PRIORITY, ge=0, le=HIGHEST_PRIORITY, description="The lower burns first.")
    metrics: list[str] = Field(
        default=[], description="The metrics whose charges credits of money may pay; default: every charge, fees too."
    )
    effective_at: AwareDatetime | None = Field(default=None, description="Default: now. May lie in the past.")
    expires_at: AwareDatetime | None = Field(default=None, description="Exclusive; default: never.")
    recurrence: RecurrenceRequest | None = Field(default=None, description="Default: it is given once.")
    reference: str | None = Field(
        default=None,
        max_length=LONGEST_TEXT,
        description="A key of your own, unique in the team. Sent again, it grants nothing more.",
    )

    def terms(self) -> Terms:
        """What is asked for.

        Raises:
            InvalidInput: a number is none.
        """
        given = self.model_dump(exclude={"team_id", "amount", "metrics", "recurrence"})
        return Terms(
            amount=parse_decimal(self.amount, field="amount"),
            metrics=tuple(self.metrics),
            repeat=self.recurrence.repeat() if self.recurrence else None,
            **given,
        )


class VoidRequest(BaseModel):
    """Why a grant is voided."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "the order was cancelled"}]})

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class GrantsQuery(PageQuery):
    """Whose grants to list."""

    team_id: str | None = Field(default=None, description="Default: every team's, or the key's.", examples=["acme"])


class BalanceQuery(BaseModel):
    """Whose balance, and when."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="May be left out with a key for one team.", examples=["acme"])
    at: AwareDatetime | None = Field(default=None, description="Default: now.")


class LedgerQuery(PageQuery):
    """Whose ledger to list."""

    team_id: str | None = Field(default=None, description="May be left out with a key for one team.", examples=["acme"])
    grant_id: int | None = Field(default=None, ge=1, lt=2**63, description="Of this grant alone.")
    period_id: int | None = Field(default=None, ge=1, lt=2**63, description="What paid this billing period, alone.")


def service(request: Request) -> Credits:
    """The application's credits."""
    return Credits(request.app.state.database, request.app.state.clock)


Service = Annotated[Credits, Depends(service)]
GrantId = Annotated[int, Path(ge=1, lt=2**63, examples=[17])]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(400, 404, 409))
async def grant_credits(wanted: GrantRequest, credits: Service, who: Administrator) -> GrantAnswer:
    """Grant credits to a team. Scope: admin."""
    grant = await credits.grant(wanted.team_id, wanted.terms(), actor=who.actor)
    return GrantAnswer.of(await credits.get(grant.id))


@router.get("", responses=problems(404))
async def list_credit_grants(
    query: Annotated[GrantsQuery, Query()], credits: Service, who: Reader
) -> Page[GrantAnswer]:
    """List grants, oldest first, with what is left of each now; expired and voided ones too. Scope: read."""
    after = decode_cursor(query.cursor, int)[0] if query.cursor is not None else 0
    rows = await credits.page(who.team(query.team_id), query.limit + 1, after=after)
    shown, cursor = cut(rows, query.limit, lambda each: (each.grant.id,))
    return Page(data=[GrantAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/balance", responses=problems(404))
async def credit_balance(query: Annotated[BalanceQuery, Query()], credits: Service, who: Reader) -> TeamBalanceAnswer:
    """What a team has at a moment, of each currency and of each metric. Scope: read."""
    team_id, at = _required(who.team(query.team_id)), query.at or credits.clock.now()
    balances = await credits.balance(team_id, at=query.at)
    return TeamBalanceAnswer(team_id=team_id, at=at, balances=[UnitBalanceAnswer.of_unit(each) for each in balances])


@router.get("/ledger", responses=problems(404))
async def credit_ledger(
    query: Annotated[LedgerQuery, Query()], credits: Service, who: Reader
) -> Page[TransactionAnswer]:
    """List the transactions that moved a team's credits, newest first. Scope: read."""
    before = {"before": decode_cursor(query.cursor, int)[0]} if query.cursor is not None else {}
    team_id = _required(who.team(query.team_id))
    rows = await credits.ledger(team_id, query.limit + 1, grant_id=query.grant_id, period_id=query.period_id, **before)
    shown, cursor = cut(rows, query.limit, lambda each: (each.transaction.id,))
    return Page(data=[TransactionAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/{grant_id}", responses=problems(404))
async def get_credit_grant(grant_id: GrantId, credits: Service, who: Reader) -> GrantAnswer:
    """One grant, with what is left of it now. Scope: read."""
    found = await credits.get(grant_id)
    who.require(Scope.READ, found.grant.team_id)
    return GrantAnswer.of(found)


@router.post("/{grant_id}/void", responses=problems(400, 404, 409))
async def void_credit_grant(
    grant_id: GrantId, wanted: VoidRequest, credits: Service, who: Administrator
) -> GrantAnswer:
    """Void what is left of a grant. What it has paid stays paid. Again: nothing happens. Scope: admin."""
    await credits.void(grant_id, wanted.reason, actor=who.actor)
    return GrantAnswer.of(await credits.get(grant_id))


def _required(team_id: str | None) -> str:
    if team_id is None:
        raise InvalidInput("team_id is required", field="team_id")
    return team_id
