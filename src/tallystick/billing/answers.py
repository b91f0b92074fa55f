"""What a statement looks like as JSON: in answers, in the snapshot that is kept, on the command line."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from tallystick.billing.currencies import Conversion
from tallystick.billing.models import Adjusts, Basis, Line, LineKind, Statement
from tallystick.catalog.models import PriceVersion
from tallystick.core.money import round_money
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
    label: str | None = Field(description="What the step is about: a rate of a matrix, a filter, a discount.")


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


class ConversionAnswer(BaseModel):
    """A total in the currency that the team is billed in."""

    total: Money = Field(description="In the billing currency, rounded to it.")
    currency: str = Field(examples=["EUR"])
    rate: Number = Field(description="How much of it one unit of the price's currency is worth.", examples=["0.92"])
    rate_date: date
    source: str = Field(examples=["ecb"])

    @classmethod
    def of(cls, made: Conversion) -> Self:
        """The answer that shows the conversion."""
        return cls(
            total=made.converted,
            currency=made.currency,
            rate=made.rate,
            rate_date=made.rate_date,
            source=made.source,
        )


class AdjustsAnswer(BaseModel):
    """What an adjustment corrects, and why."""

    period_id: int = Field(description="The closed statement.")
    key: str = Field(description="Its line.")
    cause: dict[str, Any] = Field(
        description="How many events were `late`, `amended` and `voided`, which prices, metrics or `terms` are others, "
        "and the first of those `events`."
    )


class LineAnswer(BaseModel):
    """One line of a statement, or of a report."""

    key: str = Field(
        description="What the line is about; once in its statement.", examples=["usage:api_calls@2026-03-01T00:00:00Z"]
    )
    kind: LineKind
    name: str = Field(description="The price's name.", examples=["api_calls"])
    metric: str | None = Field(description="Null: not usage.", examples=["api_calls"])
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
    reason: str | None = Field(description="Why nothing is charged; null where something is.", examples=["trial"])
    conversion: ConversionAnswer | None = Field(description="Null where the price is in the billing currency.")
    adjusts: AdjustsAnswer | None = Field(description="Of an adjustment, what it corrects.")
    steps: list[StepAnswer]

    @classmethod
    def of(cls, line: Line) -> Self:
        """The answer that shows the line."""
        return cls(
            key=line.key,
            kind=line.kind,
            name=line.name,
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
            reason=line.reason,
            conversion=ConversionAnswer.of(line.conversion) if line.conversion else None,
            adjusts=_adjusts(line.adjusts) if line.adjusts else None,
            steps=[StepAnswer.model_validate(step) for step in line.charge.steps] if line.charge else [],
        )


def _adjusts(adjusts: Adjusts) -> AdjustsAnswer:
    return AdjustsAnswer(period_id=adjusts.period_id, key=adjusts.key, cause=adjusts.cause.as_json())


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
    subtotal: Money | None = Field(description="The sum of the lines' totals; null without a subscription.")
    credits: Money = Field(description="What prepaid credit takes off.")
    total: Money | None = Field(description="Subtotal less credits; null without a subscription.")
    currency: str | None = Field(description="What the team is billed in.", examples=["USD"])
    known_at: Instant | None = Field(description="Nothing recorded later is in it; null: as things are known now.")
    reason: str | None = Field(description="Why there is no total; null where there is one.")
    computed_at: Instant

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The answer that shows the statement."""
        account, currency = statement.account, statement.account.billing_currency
        return cls(
            team_id=account.team.id,
            time_zone=account.team.time_zone,
            subscription_id=account.subscription.id if account.subscription else None,
            plan=account.subscription.plan if account.subscription else None,
            start=account.period.start.astimezone(account.team.zone),
            end=account.period.end.astimezone(account.team.zone),
            lines=[LineAnswer.of(line) for line in statement.lines],
            subtotal=statement.subtotal,
            credits=round_money(statement.credits, currency) if currency else statement.credits,
            total=statement.total,
            currency=currency,
            known_at=account.known_at,
            reason=statement.reason,
            computed_at=account.as_of,
        )


def snapshot(statement: Statement) -> list[dict[str, Any]]:
    """The statement's lines as they are kept in the database."""
    return [LineAnswer.of(line).model_dump(mode="json") for line in statement.lines]
