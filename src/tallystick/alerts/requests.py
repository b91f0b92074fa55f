"""What the API is asked about alerts: what a request may say, and the terms that it comes to."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.alerts.models import Action, Alert, Kind, Step, StepType
from tallystick.alerts.terms import MOST_CHANNELS, MOST_STEPS, AlertTerms, StepTerms
from tallystick.core.errors import InvalidInput
from tallystick.core.money import parse_decimal, plain

BUDGET: dict[str, Any] = {
    "name": "Monthly budget",
    "team_id": "acme",
    "kind": "cost",
    "threshold_value": "1000",
    "currency": "USD",
    "steps": [
        {"percent": "80", "action": {"notify": ["email"]}},
        {"percent": "100", "action": {"notify": ["slack", "email"]}},
        {"percent": "120", "type": "hard", "action": {"throttle": True}},
    ],
}
SIMPLE: dict[str, Any] = {
    "team_id": "acme",
    "metric": "api_calls",
    "threshold_value": "100000",
    "type": "soft",
    "action": {"notify": ["email"]},
}
LONGEST_TEXT = 255


class ActionRequest(BaseModel):
    """What happens when a step is crossed."""

    model_config = ConfigDict(extra="forbid")

    notify: list[str] = Field(
        default=[], max_length=MOST_CHANNELS, description="Channels to tell. Default: those that the team prefers."
    )
    throttle: bool = Field(
        default=False, description="Throttle the team until it is resolved or the period ends. Hard steps only."
    )

    def action(self) -> Action:
        """The action that is asked for."""
        return Action(tuple(dict.fromkeys(self.notify)), self.throttle)

    @classmethod
    def of(cls, action: Action) -> Self:
        """The request that asks for it."""
        return cls(notify=list(action.notify), throttle=action.throttle)


class StepRequest(BaseModel):
    """A limit: a percentage of the threshold, or a value. With neither, 100 percent."""

    model_config = ConfigDict(extra="forbid")

    percent: str | None = Field(default=None, description="Of the threshold.", examples=["80"])
    value: str | None = Field(default=None, description="Instead of a percentage.")
    type: StepType | None = Field(default=None, description="Default: the alert's.")
    action: ActionRequest | None = Field(default=None, description="Default: the alert's.")

    def terms(self) -> StepTerms:
        """The step that is asked for.

        Raises:
            InvalidInput: a number is none.
        """
        return StepTerms(
            percent=None if self.percent is None else parse_decimal(self.percent, field="percent"),
            value=None if self.value is None else parse_decimal(self.value, field="value"),
            type=self.type,
            action=self.action.action() if self.action else None,
        )

    @classmethod
    def of(cls, step: Step) -> Self:
        """The request that asks for a step."""
        return cls(
            percent=None if step.percent is None else plain(step.percent),
            value=None if step.value is None else plain(step.value),
            type=step.type,
            action=ActionRequest.of(step.action),
        )


class AlertRequest(BaseModel):
    """An alert that is wanted: about a team, the teams of a plan, or, with neither, all teams."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [BUDGET, SIMPLE]})

    name: str | None = Field(default=None, description="Default: one that says what it watches.")
    kind: Kind | None = Field(default=None, description="What is watched. Default: `usage` with a metric, else `cost`.")
    team_id: str | None = Field(default=None, min_length=1, max_length=LONGEST_TEXT)
    plan: str | None = Field(default=None, min_length=1, max_length=LONGEST_TEXT, description="Any version of it.")
    metric: str | None = Field(
        default=None,
        max_length=LONGEST_TEXT,
        description="Of which usage, cost, credit or events. Needed for `usage`, `projected_usage` and `rate`.",
    )
    currency: str | None = Field(
        default=None, description="Of amounts; others are converted. Default: the one that the team is billed in."
    )
    threshold_value: str = Field(
        description="What percentages are of: a quantity, an amount, of a `rate` a change in percent (below zero: a "
        "fall), of an `absence` minutes."
    )
    type: StepType = Field(default=StepType.SOFT, description="Of steps that do not say their own.")
    action: ActionRequest = Field(default=ActionRequest(), description="Of steps that do not say their own.")
    hysteresis: str | None = Field(
        default=None,
        description="How far back, in percent of its limit, the value goes until a step is resolved. Default: 0; 5 "
        "for projections and rates.",
    )
    weeks: int | None = Field(default=None, ge=1, le=52, description="Past weeks a `rate` compares with. Default: 4.")
    active: bool = True
    steps: list[StepRequest] = Field(
        default=[], max_length=MOST_STEPS, description="Default: one, at the threshold itself."
    )

    def terms(self) -> AlertTerms:
        """What is asked for.

        Raises:
            InvalidInput: a number is none.
        """
        return AlertTerms(
            kind=self.kind or (Kind.USAGE if self.metric else Kind.COST),
            threshold=parse_decimal(self.threshold_value, field="threshold_value"),
            name=self.name,
            team_id=self.team_id,
            plan=self.plan,
            metric=self.metric,
            currency=self.currency,
            type=self.type,
            action=self.action.action(),
            hysteresis=None if self.hysteresis is None else parse_decimal(self.hysteresis, field="hysteresis"),
            weeks=self.weeks,
            active=self.active,
            steps=tuple(_step(place, each) for place, each in enumerate(self.steps)),
        )

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """The request that asks for an alert."""
        return cls(
            name=alert.name,
            kind=alert.kind,
            team_id=alert.team_id,
            plan=alert.plan,
            metric=alert.metric,
            currency=alert.currency,
            threshold_value=plain(alert.threshold),
            type=alert.type,
            action=ActionRequest.of(alert.action),
            hysteresis=plain(alert.hysteresis),
            weeks=alert.weeks if alert.kind is Kind.RATE else None,
            active=alert.active,
            steps=[StepRequest.of(step) for step in alert.steps],
        )


def _step(place: int, wanted: StepRequest) -> StepTerms:
    try:
        return wanted.terms()
    except InvalidInput as error:
        raise InvalidInput(str(error), field=f"steps.{place}.{error.field}") from None


class AlertChanges(BaseModel):
    """What is to be another of an alert; what is not sent stays. `steps` are replaced as a whole."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"threshold_value": "2000"}, {"active": False}]}
    )

    name: str | None = None
    kind: Kind | None = None
    team_id: str | None = None
    plan: str | None = None
    metric: str | None = None
    currency: str | None = None
    threshold_value: str | None = None
    type: StepType | None = None
    action: ActionRequest | None = None
    hysteresis: str | None = None
    weeks: int | None = Field(default=None, ge=1, le=52)
    active: bool | None = None
    steps: list[StepRequest] | None = Field(default=None, max_length=MOST_STEPS)

    def made_to(self, alert: Alert) -> AlertTerms:
        """The terms of the alert with these changes.

        Raises:
            InvalidInput: a number is none, or something that an alert needs is taken away.
        """
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("kind", "threshold_value", "type", "action", "active", "steps"):
            if name in changes and changes[name] is None:
                raise InvalidInput(f"{name} can't be null", field=name)
        return AlertRequest.of(alert).model_copy(update=changes).terms()
