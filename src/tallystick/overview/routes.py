"""`/api/overview`: all teams at a glance, for who may see all of them."""

from decimal import Decimal
from typing import Annotated, Self, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from tallystick.core.money import plain, round_money
from tallystick.http.access import Reader
from tallystick.http.answers import Instant, Number
from tallystick.overview.models import Overview, Risk, Spender, Total
from tallystick.overview.service import Overviews

router = APIRouter(prefix="/api/overview", tags=["usage"])

Money = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["130.00"]}, mode="serialization"),
]
Growth = Annotated[
    Decimal | None,
    PlainSerializer(lambda percent: None if percent is None else plain(percent), return_type=str | None),
]
MORE = "How many percent more the period will come to than the one before, to a tenth; null: nothing to compare."


class TotalAnswer(BaseModel):
    """What all teams of one currency come to."""

    currency: str = Field(examples=["USD"])
    teams: int
    cost: Money = Field(description="In their periods so far.")
    projected: Money = Field(description="At the ends of these, at the pace so far.")
    previous: Money = Field(description="In the periods before.")
    growth: Growth = Field(description=MORE)

    @classmethod
    def of(cls, total: Total) -> Self:
        """The answer that shows it."""
        return cls(
            currency=total.currency,
            teams=total.teams,
            cost=round_money(total.cost, total.currency),
            projected=round_money(total.projected, total.currency),
            previous=round_money(total.previous, total.currency),
            growth=total.growth,
        )


class SpenderAnswer(BaseModel):
    """A team's period as it was when it was looked at last."""

    team_id: str = Field(examples=["acme"])
    name: str
    plan: str | None = Field(examples=["growth"])
    currency: str = Field(examples=["USD"])
    period_start: Instant
    period_end: Instant
    events: int = Field(description="How often a metric counted an event in the period.")
    cost: Money | None = Field(description="So far; null: nothing has a price.")
    projected: Money | None = Field(description="At the period's end, at the pace so far.")
    previous: Money | None = Field(description="What the period before came to; null: there was none.")
    growth: Growth = Field(description=MORE)
    computed_at: Instant = Field(description="When it was looked at.")

    @classmethod
    def of(cls, team: Spender) -> Self:
        """The answer that shows it."""
        return cls(
            **{
                **team._asdict(),
                "cost": _money(team.cost, team.currency),
                "projected": _money(team.projected, team.currency),
                "previous": _money(team.previous, team.currency),
            },
            growth=team.growth,
        )


class RiskAnswer(BaseModel):
    """An alert that is crossed now, by its worst step."""

    model_config = ConfigDict(from_attributes=True)

    team_id: str
    name: str = Field(description="The team's.")
    alert_id: int
    alert: str = Field(description="The alert's name.")
    kind: str = Field(examples=["cost"])
    metric: str | None
    state: str = Field(description="`warning` or `exceeded`.", examples=["exceeded"])
    value: Number | None = Field(description="When it was crossed.")
    limit: Number
    threshold: Number = Field(description="What the percentages of the alert's steps are of.")
    unit: str | None = Field(description="Of the numbers: a currency or a unit.", examples=["USD"])
    since: Instant
    type: str = Field(description="`soft` or `hard`.")

    @classmethod
    def of(cls, risk: Risk) -> Self:
        """The answer that shows it."""
        return cls.model_validate(risk)


class MinuteAnswer(BaseModel):
    """Events that were recorded in a minute."""

    model_config = ConfigDict(from_attributes=True)

    at: Instant
    events: int


class ReasonAnswer(BaseModel):
    """Rejected events that wait, for one reason."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(examples=["unknown_team"])
    number: int


class IngestAnswer(BaseModel):
    """How events come in."""

    events_last_hour: int
    per_minute: list[MinuteAnswer] = Field(description="The last 60 minutes, oldest first.")
    waiting_events: int = Field(description="That no roll-up has taken yet; usage counts them all the same.")
    lag_seconds: Number = Field(description="Since when the oldest of them waits.", examples=["0.4"])
    dead_letters: int = Field(description="Rejected events that wait to be repaired; at most 100,000 are counted.")
    dead_letter_reasons: list[ReasonAnswer]


class DriftAnswer(BaseModel):
    """A metric of a team of which Stripe counts something else."""

    model_config = ConfigDict(from_attributes=True)

    team_id: str
    metric: str
    drift: str = Field(examples=["missing"])
    local: Number
    stripe: Number
    compared_at: Instant


class StripeOverviewAnswer(BaseModel):
    """What is to be told to Stripe, and where it differs."""

    pending: int = Field(description="Differences of usage that wait to be sent.")
    parked: int = Field(description="Of these, how many wait until something is put right.")
    quarantined: int = Field(description="Refused for good.")
    late: int = Field(description="Came when the bill was final.")
    bills_waiting: int
    bills_held: int
    drift: list[DriftAnswer] = Field(description="The newest ten.")


class AlertsOverviewAnswer(BaseModel):
    """How alerts stand."""

    model_config = ConfigDict(from_attributes=True)

    active: int
    teams_warned: int
    teams_exceeded: int
    changes_last_day: int = Field(description="At most 1,000.")


class OverviewAnswer(BaseModel):
    """Everything at a glance. Money is of billing periods, before credits, in the currency of the plans."""

    at: Instant
    teams: int
    pending_teams: int = Field(description="Teams that were touched and wait to be looked at.")
    oldest: Instant | None = Field(description="No team's numbers are older; null: there are none yet.")
    totals: list[TotalAnswer] = Field(description="By currency, the one of most teams first.")
    top: list[SpenderAnswer] = Field(description="The ten that owe most, of each currency.")
    growing: list[SpenderAnswer] = Field(description="The ten that grow most, of each currency.")
    at_risk: list[RiskAnswer] = Field(description="Alerts that are crossed now, the worst first, at most 50.")
    ingest: IngestAnswer
    stripe: StripeOverviewAnswer | None = Field(description="Null: Stripe is not told anything.")
    alerts: AlertsOverviewAnswer

    @classmethod
    def of(cls, found: Overview) -> Self:
        """The answer that shows it."""
        reasons = [ReasonAnswer.model_validate(each) for each in found.ingest.dead_letters]
        return cls(
            at=found.at,
            teams=found.teams,
            pending_teams=found.pending_teams,
            oldest=found.oldest,
            totals=[TotalAnswer.of(each) for each in found.totals],
            top=[SpenderAnswer.of(each) for each in found.top],
            growing=[SpenderAnswer.of(each) for each in found.growing],
            at_risk=[RiskAnswer.of(each) for each in found.at_risk],
            ingest=IngestAnswer(
                events_last_hour=found.ingest.events_last_hour,
                per_minute=[MinuteAnswer.model_validate(each) for each in found.ingest.per_minute],
                waiting_events=found.ingest.waiting_events,
                lag_seconds=found.ingest.lag_seconds,
                dead_letters=sum(each.number for each in found.ingest.dead_letters),
                dead_letter_reasons=reasons,
            ),
            stripe=StripeOverviewAnswer.model_validate(found.stripe._asdict()) if found.stripe else None,
            alerts=AlertsOverviewAnswer.model_validate(found.alerts),
        )


async def service(request: Request) -> Overviews:
    """The application's."""
    return cast(Overviews, request.app.state.overviews)


@router.get("")
async def get_overview(overviews: Annotated[Overviews, Depends(service)], who: Reader) -> OverviewAnswer:
    """All teams at a glance. Scope: read, with a key for every team.

    Kept by the server for the teams that are touched: a number is some seconds old where many are.
    """
    who.require_every_team()
    return OverviewAnswer.of(await overviews.overview())


def _money(amount: Decimal | None, currency: str) -> Decimal | None:
    return None if amount is None else round_money(amount, currency)
