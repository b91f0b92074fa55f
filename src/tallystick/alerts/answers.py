"""What the API answers about alerts."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.alerts.models import Action, Alert, Cause, Kind, State, Step, StepType, Transition
from tallystick.alerts.service import Reproduced, Status, StepStatus
from tallystick.http.answers import Instant, Number
from tallystick.notifications import Notification


class ActionAnswer(BaseModel):
    """What happens when a step is crossed."""

    notify: list[str] = Field(description="Channels that are told; none: those that the team prefers.")
    throttle: bool = Field(description="Whether the team is throttled until it is resolved or the period ends.")

    @classmethod
    def of(cls, action: Action) -> Self:
        """The answer that shows the action."""
        return cls(notify=list(action.notify), throttle=action.throttle)


class StepAnswer(BaseModel):
    """A limit of an alert."""

    id: int = Field(examples=[34])
    percent: Number | None = Field(description="Of the threshold.", examples=["80"])
    value: Number | None = Field(description="Instead of a percentage.")
    limit: Number = Field(description="What is compared with.", examples=["800"])
    type: StepType
    action: ActionAnswer

    @classmethod
    def of(cls, alert: Alert, step: Step) -> Self:
        """The answer that shows a step."""
        return cls(
            id=step.id,
            percent=step.percent,
            value=step.value,
            limit=alert.limit(step),
            type=step.type,
            action=ActionAnswer.of(step.action),
        )


class AlertAnswer(BaseModel):
    """An alert with its steps."""

    id: int = Field(examples=[12])
    name: str
    kind: Kind
    team_id: str | None = Field(description="The team that it is about.")
    plan: str | None = Field(description="Or the plan whose teams it is about; neither: all teams.")
    metric: str | None
    currency: str | None
    threshold_value: Number = Field(description="What percentages are of.", examples=["1000"])
    type: StepType = Field(description="Of steps that do not say their own.")
    action: ActionAnswer = Field(description="Of steps that do not say their own.")
    hysteresis: Number = Field(description="How far back, in percent of its limit, a value goes until it is resolved.")
    weeks: int = Field(description="Of a rate: how many past weeks it compares with.")
    active: bool
    steps: list[StepAnswer]
    created_at: Instant
    updated_at: Instant
    last_triggered_at: Instant | None = Field(description="When a step was last crossed.")

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """The answer that shows the alert."""
        return cls(
            id=alert.id,
            name=alert.name,
            kind=alert.kind,
            team_id=alert.team_id,
            plan=alert.plan,
            metric=alert.metric,
            currency=alert.currency,
            threshold_value=alert.threshold,
            type=alert.type,
            action=ActionAnswer.of(alert.action),
            hysteresis=alert.hysteresis,
            weeks=alert.weeks,
            active=alert.active,
            steps=[StepAnswer.of(alert, step) for step in alert.steps],
            created_at=alert.created_at,
            updated_at=alert.updated_at,
            last_triggered_at=alert.last_triggered_at,
        )


class StepStatusAnswer(BaseModel):
    """How a step stands with a team in the period that is running."""

    step: StepAnswer
    state: State
    changed_at: Instant | None = Field(description="Since when; null: since the period began.")

    @classmethod
    def of_step(cls, alert: Alert, status: StepStatus) -> Self:
        """The answer that shows it."""
        return cls(step=StepAnswer.of(alert, status.step), state=status.state, changed_at=status.changed_at)


class StatusAnswer(BaseModel):
    """How an alert stands with a team, and the number as it is now."""

    alert_id: int = Field(examples=[12])
    name: str
    kind: Kind
    team_id: str = Field(examples=["acme"])
    state: State = Field(description="Of the step that stands worst.")
    value: Number | None = Field(description="Null: there is nothing to compare.", examples=["812.50"])
    unit: str = Field(examples=["USD"])
    threshold_value: Number = Field(examples=["1000"])
    period_start: Instant
    period_end: Instant | None = Field(description="Null: a silence has no end yet.")
    steps: list[StepStatusAnswer]

    @classmethod
    def of(cls, status: Status) -> Self:
        """The answer that shows it."""
        return cls(
            alert_id=status.alert.id,
            name=status.alert.name,
            kind=status.alert.kind,
            team_id=status.team_id,
            state=status.state,
            value=status.value,
            unit=status.unit,
            threshold_value=status.alert.threshold,
            period_start=status.span.start,
            period_end=status.span.end,
            steps=[StepStatusAnswer.of_step(status.alert, each) for each in status.steps],
        )


class StatusesAnswer(BaseModel):
    """How the active alerts about a team stand."""

    team_id: str = Field(examples=["acme"])
    data: list[StatusAnswer]


class TransitionAnswer(BaseModel):
    """A change of state, with the numbers that caused it."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[78])
    alert_id: int = Field(examples=[12])
    step_id: int = Field(examples=[34])
    team_id: str = Field(examples=["acme"])
    period_start: Instant
    period_end: Instant | None = Field(description="Null: of a silence, which begins with the last event.")
    from_state: State
    to_state: State
    cause: Cause = Field(description="`measured`, or the alert was `changed` or `deleted`.")
    value: Number | None = Field(description="What was measured.", examples=["801.20"])
    limit: Number = Field(description="What it was compared with.", examples=["800"])
    unit: str = Field(examples=["USD"])
    terms: dict[str, Any] = Field(description="The alert and its step as they were then.")
    known_at: Instant = Field(description="What was recorded up to here gives the value again.")
    told: bool = Field(description="Whether it was told: the first crossing and resolution of a period are.")

    @classmethod
    def of(cls, transition: Transition) -> Self:
        """The answer that shows it."""
        return cls.model_validate(transition)


class VerifiedAnswer(BaseModel):
    """A change of state, and the number measured again from what was known then."""

    transition: TransitionAnswer
    value: Number | None = Field(examples=["801.20"])
    agrees: bool

    @classmethod
    def of(cls, found: Reproduced) -> Self:
        """The answer that shows it."""
        return cls(transition=TransitionAnswer.of(found.transition), value=found.value, agrees=found.agrees)


class TestedStep(BaseModel):
    """A test notification that was queued."""

    key: str = Field(description="By which its deliveries are found.")
    title: str
    channels: list[str] = Field(description="Channels that are told; none: those that the team prefers.")

    @classmethod
    def of(cls, told: Notification) -> Self:
        """The answer that shows it."""
        return cls(key=told.key, title=str(told.content["title"]), channels=list(told.channels))


class TestedAnswer(BaseModel):
    """The test notifications that were queued, one for each step."""

    data: list[TestedStep]

    @classmethod
    def of(cls, told: list[Notification]) -> Self:
        """The answer that shows them."""
        return cls(
            data=[
                TestedStep(key=each.key, title=str(each.content["title"]), channels=list(each.channels))
                for each in told
            ]
        )
