"""What closed statements look like as JSON."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.answers import Money
from tallystick.billing.models import Basis, LineKind
from tallystick.billing.statements.models import (
    ClosedPeriod,
    ClosedStatement,
    StatementKind,
    StatementLine,
    Status,
    Verification,
)
from tallystick.http.answers import Instant, Number


class PeriodAnswer(BaseModel):
    """A statement without its lines: a draft of one that is open, or one that is closed."""

    id: int
    team_id: str = Field(examples=["acme"])
    subscription_id: int
    kind: StatementKind = Field(description="`correction`: adjustments alone, of a period that was closed before.")
    start: Instant = Field(description="The period from here on …")
    end: Instant = Field(description="… and before this.")
    status: Status
    currency: str = Field(description="What the team is billed in.", examples=["USD"])
    subtotal: Money | None = Field(description="The sum of the lines; null while it is open.")
    credits: Money = Field(description="What prepaid credit paid.")
    total: Money = Field(description="What is due; of an open one, when it was computed last.")
    known_at: Instant | None = Field(description="What was recorded up to here is in it; null while it is open.")
    closed_at: Instant | None
    digest: str | None = Field(description="SHA-256 over what it was made of and its lines; null while it is open.")
    voided_at: Instant | None
    void_reason: str | None
    voided_by: str | None

    @classmethod
    def of(cls, period: ClosedPeriod) -> Self:
        """The answer that shows it."""
        return cls(**_members(period))


def _members(period: ClosedPeriod) -> dict[str, Any]:
    open_ = period.digest is None
    return {
        "id": period.id,
        "team_id": period.team_id,
        "subscription_id": period.subscription_id,
        "kind": period.kind,
        "start": period.period.start,
        "end": period.period.end,
        "status": period.status,
        "currency": period.currency,
        "subtotal": None if open_ else period.subtotal,
        "credits": period.credits,
        "total": period.total,
        "known_at": period.known_at,
        "closed_at": period.closed_at,
        "digest": period.digest,
        "voided_at": period.voided_at,
        "void_reason": period.void_reason,
        "voided_by": period.voided_by,
    }


class ClosedLineAnswer(BaseModel):
    """A line of a closed statement."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(description="By which it is explained.")
    position: int
    key: str = Field(examples=["usage:api_calls@2026-03-01T00:00:00Z"])
    kind: LineKind
    name: str = Field(examples=["api_calls"])
    metric: str | None
    unit: str = Field(examples=["call"])
    interval_start: Instant
    interval_end: Instant
    basis: Basis
    quantity: Number
    events: int
    unvalued: int
    price_id: int | None
    currency: str = Field(description="Of amount and total.")
    amount: Number | None = Field(description="Exact; null where nothing is charged.")
    total: Money | None = Field(description="The amount, rounded once.")
    steps: list[Mapping[str, Any]] = Field(description="How the amount was made; their amounts add up to it.")
    reason: str | None = Field(description="Why nothing is charged.")
    billing_currency: str = Field(description="Of the converted total, and of the statement.")
    converted_total: Money | None
    exchange_rate: Number | None = Field(description="Null where nothing was converted.")
    rate_date: date | None
    rate_source: str | None
    adjusts_period_id: int | None = Field(description="Of an adjustment: the statement that it corrects …")
    adjusts_key: str | None = Field(description="… and its line.")
    cause: Mapping[str, Any] | None = Field(description="Of an adjustment: why it is.")

    @classmethod
    def of(cls, line: StatementLine) -> Self:
        """The answer that shows the line."""
        return cls.model_validate(line)


class ClosedStatementAnswer(PeriodAnswer):
    """A closed statement: what it was made of, and its lines."""

    inputs: Mapping[str, Any] = Field(description="Subscription, terms and prices with their parameters.")
    lines: list[ClosedLineAnswer]

    @classmethod
    def of_statement(cls, statement: ClosedStatement) -> Self:
        """The answer that shows the statement."""
        lines = [ClosedLineAnswer.of(line) for line in statement.lines]
        return cls(**_members(statement.period), inputs=statement.period.inputs, lines=lines)


class DifferenceAnswer(BaseModel):
    """A line that comes out different when it is made anew; null: there is no such line."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    stored: Mapping[str, Any] | None
    recomputed: Mapping[str, Any] | None


class VerificationAnswer(BaseModel):
    """A closed statement, checked."""

    period_id: int
    digest: str
    agrees: bool
    intact: bool = Field(description="Whether the digest is that of the stored inputs and lines.")
    differences: list[DifferenceAnswer] = Field(
        description="What raw usage, prices and terms, as known when it was closed, do not give again."
    )

    @classmethod
    def of(cls, found: Verification) -> Self:
        """The answer that shows it."""
        return cls(
            period_id=found.period.id,
            digest=found.period.digest,
            agrees=found.agrees,
            intact=found.intact,
            differences=[DifferenceAnswer.model_validate(each) for each in found.differences],
        )
