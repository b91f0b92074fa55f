"""What an explanation looks like as JSON."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from tallystick.billing.answers import Money
from tallystick.billing.explain.service import Explanation
from tallystick.billing.statements.answers import ClosedLineAnswer, PeriodAnswer
from tallystick.http.answers import Instant, Number
from tallystick.metering.event_store import EventPage
from tallystick.metering.models import Causes, Usage


class ExplainedUsage(BaseModel):
    """What was used in one window with one set of dimension values."""

    start: Instant
    end: Instant = Field(description="Exclusive.")
    dimensions: Mapping[str, str | None] = Field(examples=[{"region": "eu"}])
    quantity: Number | None
    events: int
    unvalued: int

    @classmethod
    def of(cls, usage: Usage, names: tuple[str, ...]) -> Self:
        """The answer that shows it."""
        return cls(
            start=usage.window.start,
            end=usage.window.end,
            dimensions=dict(zip(names, usage.dimensions, strict=False)),
            quantity=usage.quantity,
            events=usage.events,
            unvalued=usage.unvalued,
        )


class ExplanationAnswer(BaseModel):
    """How a line came about. Its events are at `…/events`."""

    statement: PeriodAnswer
    line: ClosedLineAnswer
    price: Mapping[str, Any] | None = Field(description="The price version with its parameters, as it was.")
    usage: list[ExplainedUsage] = Field(description="By local day and dimension values, as known when it was closed.")
    usage_total: Number = Field(description="The sum of the usage; the line's quantity, where usage adds up.")
    adds_up: bool = Field(description="Whether usage of this metric can be added up.")
    adjustments: list[ClosedLineAnswer] = Field(description="What was booked about the line later.")
    booked: Money = Field(description="The line's total and its adjustments', in the currency of the bill.")

    @classmethod
    def of(cls, found: Explanation) -> Self:
        """The answer that shows it."""
        return cls(
            statement=PeriodAnswer.of(found.period),
            line=ClosedLineAnswer.of(found.line),
            price=found.price,
            usage=[ExplainedUsage.of(each, found.dimensions) for each in found.usage],
            usage_total=found.usage_total,
            adds_up=found.adds_up,
            adjustments=[ClosedLineAnswer.of(each) for each in found.adjustments],
            booked=found.booked,
        )


class ExplainedEvent(BaseModel):
    """An event behind a line."""

    id: UUID
    occurred_at: Instant
    recorded_at: Instant
    event_name: str = Field(default="", description="Of an adjustment left empty.")
    value: Number | None = Field(description="What it is worth to the metric; null: it has no value that can be read.")
    cause: str | None = Field(default=None, description="Of an adjustment: `late`, `amended` or `voided`.")
    counts: bool = Field(default=True, description="Of an adjustment: whether it counts now, or no longer.")


class ExplainedEvents(BaseModel):
    """A page of the events behind a line."""

    data: list[ExplainedEvent]
    next_cursor: str | None = Field(description="Send this as `cursor` for the next page; null on the last one.")


def events_of(page: EventPage) -> list[ExplainedEvent]:
    """The events of a usage line."""
    return [
        ExplainedEvent(
            id=event.id,
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            event_name=event.event_name,
            value=value,
        )
        for event, value in zip(page.events, page.values, strict=True)
    ]


def events_of_causes(causes: Causes) -> list[ExplainedEvent]:
    """The events of an adjustment."""
    return [
        ExplainedEvent(
            id=event.id,
            occurred_at=event.occurred_at,
            recorded_at=event.learned_at,
            event_name="",
            value=event.value,
            cause=str(event.cause),
            counts=event.counts,
        )
        for event in causes.events
    ]
