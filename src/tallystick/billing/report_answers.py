"""What a report looks like as JSON: in answers and on the command line."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.answers import LineAnswer, LocalInstant, Money
from tallystick.billing.credits.models import GrantKind
from tallystick.billing.report import Cost, MetricReport, Report
from tallystick.billing.settlement import StandingAnswer
from tallystick.core.clock import Window
from tallystick.http.answers import Instant, Number
from tallystick.metering.dead_letters.answers import WaitingAnswer


class CostAnswer(BaseModel):
    """What the usage of the current period costs so far."""

    amount: Number = Field(description="Exact.", examples=["130"])
    total: Money = Field(description="The sum of the lines' totals, each rounded once to the currency.")
    lines: list[LineAnswer] = Field(description="One; several where the price changed inside the period.")

    @classmethod
    def of(cls, cost: Cost) -> Self:
        """The answer that shows the cost."""
        return cls(amount=cost.amount, total=cost.total, lines=[LineAnswer.of(line) for line in cost.lines])


class ProjectionAnswer(BaseModel):
    """What the period comes to if usage goes on at the pace it had so far."""

    model_config = ConfigDict(from_attributes=True)

    method: str = Field(
        description="`run_rate`: usage so far ÷ elapsed time × whole period where usage adds up, else the "
        "usage so far. No trend, no season.",
        examples=["run_rate"],
    )
    usage: Number | None
    cost: Money | None = Field(description="Null without a price.")


class CurrentUsageAnswer(BaseModel):
    """The current period of one metric, so far."""

    usage: Number | None = Field(
        description="Null where nothing has a value: an average of no events.", examples=["150000"]
    )
    events: int
    unvalued: int = Field(description="Events that matched but whose value could not be read.")
    cost: CostAnswer | None
    reason: str | None = Field(description="Why there is no cost; null where there is one.")
    projection: ProjectionAnswer | None = Field(description="Null before any of the period has passed.")


class PointAnswer(BaseModel):
    """The usage of one window."""

    model_config = ConfigDict(from_attributes=True)

    start: LocalInstant
    end: LocalInstant = Field(description="Exclusive.")
    usage: Number | None
    events: int
    unvalued: int


class SeriesAnswer(BaseModel):
    """The usage of every window, for one set of dimension values."""

    model_config = ConfigDict(from_attributes=True)

    dimensions: dict[str, str | None] = Field(
        description="Empty without `group_by`; null is an event that does not have the dimension.",
        examples=[{"region": "eu"}],
    )
    windows: list[PointAnswer] = Field(validation_alias="points")


class MetricAnswer(BaseModel):
    """One metric: its current period, and its history."""

    metric: str = Field(examples=["api_calls"])
    unit: str = Field(examples=["call"])
    aggregation: str = Field(examples=["count"])
    current_period: CurrentUsageAnswer
    history: list[SeriesAnswer]

    @classmethod
    def of(cls, report: MetricReport) -> Self:
        """The answer that shows the metric."""
        return cls(
            metric=report.definition.name,
            unit=report.definition.unit,
            aggregation=report.definition.aggregation,
            current_period=CurrentUsageAnswer(
                usage=report.usage,
                events=report.events,
                unvalued=report.unvalued,
                cost=CostAnswer.of(report.cost) if report.cost else None,
                reason=report.reason,
                projection=ProjectionAnswer.model_validate(report.projection) if report.projection else None,
            ),
            history=[SeriesAnswer.model_validate(series) for series in report.history],
        )


class CreditBurnAnswer(BaseModel):
    """What one grant of credits pays of one line."""

    model_config = ConfigDict(from_attributes=True)

    grant_id: int = Field(examples=[17])
    name: str = Field(description="The grant's.", examples=["Welcome credits"])
    kind: GrantKind
    line: str = Field(
        description="The key of the line that is paid.", examples=["usage:api_calls@2026-03-01T00:00:00Z"]
    )
    amount: Money = Field(description="The money that it pays.", examples=["50.00"])
    currency: str = Field(description="Of the bill.", examples=["USD"])
    quantity: Number | None = Field(description="In the metric's unit; null: the grant is of money.")


class ReportedCreditsAnswer(BaseModel):
    """Prepaid credits of one currency, or of one metric's unit, and what of them pays for the current period."""

    model_config = ConfigDict(from_attributes=True)

    currency: str | None = Field(description="Null: credits of usage.", examples=["USD"])
    metric: str | None = Field(description="Null: credits of money.")
    granted: Number = Field(description="What was given by now; of a recurring grant every time.", examples=["100"])
    remaining: Number = Field(
        description="What is left now; what a period that is not closed would burn is still in it.", examples=["100"]
    )
    booked: bool = Field(
        description="True: the period is closed, and `burns` is what it burned. False: what closing it now would burn."
    )
    burns: list[CreditBurnAnswer] | None = Field(
        description="In the order of burning. Null where it can't be foreseen: not every metric is shown, or there is "
        "no rate into the currency of the bill."
    )


class CurrentPeriodAnswer(BaseModel):
    """The billing period that is running; without a subscription the calendar month."""

    start: LocalInstant
    end: LocalInstant = Field(description="Exclusive.")
    elapsed: Number = Field(description="How much of it has passed, from 0 to 1.", examples=["0.467741"])
    currency: str | None = Field(examples=["USD"])
    total: Money | None = Field(description="What the metrics shown here cost so far.")
    projected_total: Money | None = Field(description="What they come to at the run rate.")


class HistoryAnswer(BaseModel):
    """What the series of the metrics are about."""

    start: LocalInstant
    end: LocalInstant = Field(description="Exclusive.")
    window: Window
    group_by: list[str]


class ReportAnswer(BaseModel):
    """A team's usage, what it costs, where that leads, and its history."""

    team_id: str = Field(examples=["acme"])
    team_name: str = Field(examples=["Acme Inc."])
    time_zone: str = Field(examples=["America/New_York"])
    as_of: Instant
    subscription_id: int | None = Field(description="Null: the team is metered, not billed.")
    plan: str | None = Field(examples=["standard"])
    current_period: CurrentPeriodAnswer = Field(description="Not affected by `from` and `to`.")
    history: HistoryAnswer = Field(description="From `from` to `to`, in windows of the team's local time.")
    metrics: list[MetricAnswer]
    others: list[LineAnswer] = Field(
        description="Lines about no metric: fees, discounts, a minimum. Where every metric is shown; they are in the "
        "totals of the current period."
    )
    credits: list[ReportedCreditsAnswer] = Field(
        description="Prepaid credits, of each currency, then of each metric; empty without a grant. No total here has "
        "them taken off."
    )
    dead_letters: list[WaitingAnswer] = Field(
        description="Events of the team and the current period that were rejected and wait to be repaired, by reason. "
        "None of them is in any usage here."
    )
    settlement: StandingAnswer | None = Field(
        default=None, description="How what the billing provider is given stands; null: it is given nothing."
    )

    @classmethod
    def of(cls, report: Report, settlement: StandingAnswer | None = None) -> Self:
        """The answer that shows the report, and how the usage stands that the billing provider is told."""
        account, tz = report.account, report.account.team.zone
        return cls(
            team_id=account.team.id,
            team_name=account.team.name,
            time_zone=account.team.time_zone,
            as_of=account.as_of,
            subscription_id=account.subscription.id if account.subscription else None,
            plan=account.subscription.plan if account.subscription else None,
            current_period=CurrentPeriodAnswer(
                start=account.period.start.astimezone(tz),
                end=account.period.end.astimezone(tz),
                elapsed=report.elapsed,
                currency=account.currency,
                total=report.total,
                projected_total=report.projected_total,
            ),
            history=HistoryAnswer(
                start=report.history.start.astimezone(tz),
                end=report.history.end.astimezone(tz),
                window=report.window,
                group_by=list(report.group_by),
            ),
            metrics=[MetricAnswer.of(metric) for metric in report.metrics],
            others=[LineAnswer.of(line) for line in report.others],
            credits=[ReportedCreditsAnswer.model_validate(each) for each in report.credits],
            dead_letters=[WaitingAnswer.of(each) for each in report.dead_letters],
            settlement=settlement,
        )
