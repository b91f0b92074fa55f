"""What a statement looks like as JSON: in answers, in the snapshot that is kept, on the command line."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from tallystick.billing.models import Basis, Line, Statement
from tallystick.catalog.models import PriceVersion
from tallystick.http.answers import Instant, Number

Money = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["130.00"]}, mode="serialization"),
]
"""A rounded amount, with the decimals of its currency."""

LocalInstant = Annotated[
    AwareDatetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-08T00:00:00-05:00"]},
        mode="serialization",
    ),
]
"""A moment with the offset of the team's zone."""


class StepAnswer(BaseModel):
    """One of the steps that made an amount; the steps' amounts add up to it."""

    model_config = ConfigDict(from_attributes=True)

    kind: str = Field(examples=["tier"])
    quantity: Number
    unit_price: Number | None
    amount: Number
    tier: int | None = Field(description="Position of the tier, from 0.")
    start: Number | None = Field(description="The tier prices usage above this …")
    end: Number | None = Field(description="… up to and including this; null in the last tier.")
    setting: Number | None = Field(description="The number of the price that the step applies, such as the free units.")


class PriceAnswer(BaseModel):
    """A price, and the interval in which it holds; null is unbounded."""

    id: int
    model: str = Field(examples=["graduated"])
    effective_from: Instant | None
    effective_to: Instant | None

    @classmethod
    def of(cls, version: PriceVersion) -> Self:
        """The answer that shows the price."""
        return cls(
            id=version.id,
            model=version.price.model,
            effective_from=version.effective_from,
            effective_to=version.effective_to,
        )


class LineAnswer(BaseModel):
    """What the usage of one metric over one interval costs."""

    metric: str = Field(examples=["api_calls"])
    unit: str = Field(examples=["call"])
    start: Instant = Field(description="The usage from here on …")
    end: Instant = Field(description="… and before this is charged.")
    basis: Basis = Field(
        description="`interval`: usage while the price was in force. `period_end`: usage of the whole period "
        "at the price in force at its end, since this usage can't be split at a change of price."
    )
    quantity: Number = Field(description="The usage as it is rated.", examples=["150000"])
    events: int
    unvalued: int = Field(description="Events that matched but whose value could not be read.")
    price: PriceAnswer | None = Field(description="Null: nothing is charged for this usage.")
    amount: Number | None = Field(description="Exact; null without a price.", examples=["130"])
    total: Money | None = Field(
        description="The amount, rounded once, half away from zero, to the currency; null without a price."
    )
    steps: list[StepAnswer]

    @classmethod
    def of(cls, line: Line) -> Self:
        """The answer that shows the line."""
        return cls(
            metric=line.metric,
            unit=line.unit,
            start=line.interval.start,
            end=line.interval.end,
            basis=line.basis,
            quantity=line.quantity,
            events=line.events,
            unvalued=line.unvalued,
            price=PriceAnswer.of(line.price) if line.price else None,
            amount=line.charge.amount if line.charge else None,
            total=line.total,
            steps=[StepAnswer.model_validate(step) for step in line.charge.steps] if line.charge else [],
        )


class StatementAnswer(BaseModel):
    """What a team owes for its current period so far."""

    team_id: str = Field(examples=["acme"])
    time_zone: str = Field(examples=["America/New_York"])
    subscription_id: int | None
    plan: str | None = Field(examples=["standard"])
    start: LocalInstant = Field(description="The period from here on …")
    end: LocalInstant = Field(description="… and before this.")
    status: str = Field(default="active", description="The period is open: the statement still changes.")
    lines: list[LineAnswer]
    total: Money | None = Field(description="The sum of the lines' totals; null without a subscription.")
    currency: str | None = Field(examples=["USD"])
    reason: str | None = Field(description="Why there is no total; null where there is one.")
    computed_at: Instant

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The answer that shows the statement."""
        account = statement.account
        return cls(
            team_id=account.team.id,
            time_zone=account.team.time_zone,
            subscription_id=account.subscription.id if account.subscription else None,
            plan=account.subscription.plan if account.subscription else None,
            start=account.period.start.astimezone(account.team.zone),
            end=account.period.end.astimezone(account.team.zone),
            lines=[LineAnswer.of(line) for line in statement.lines],
            total=statement.total,
            currency=account.currency,
            reason=statement.reason,
            computed_at=account.as_of,
        )


def snapshot(statement: Statement) -> list[dict[str, Any]]:
    """The statement's lines as they are kept in the database."""
    return [LineAnswer.of(line).model_dump(mode="json") for line in statement.lines]
