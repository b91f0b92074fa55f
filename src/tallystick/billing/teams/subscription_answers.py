"""Subscriptions as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler
from pydantic.functional_validators import WrapValidator
from pydantic_core import PydanticCustomError

from tallystick.billing.teams.models import Status, Subscription
from tallystick.billing.teams.moves import LONGEST_REASON, LONGEST_TRIAL
from tallystick.catalog.models import Anchor, PeriodUnit
from tallystick.http.answers import Instant


def _one_complaint(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """What is read; where it is neither a word nor an instant, one message says so, at the field itself."""
    try:
        return read(value)
    except ValidationError:
        message = "must be now, period_end or an RFC 3339 instant with an offset, such as 2026-03-01T00:00:00Z"
        raise PydanticCustomError("when", message) from None


WhenField = Annotated[
    Literal["now", "period_end"] | AwareDatetime,
    WrapValidator(_one_complaint),
    Field(
        description="`now`, `period_end` (when the billing period ends that is running) or an RFC 3339 instant.",
        examples=["period_end"],
    ),
]
PLAN = "Its name, for the newest version of it, or with a version: `growth@2`."
PLAN_VERSION = "Which version of the plan; default: the newest."


def _strict(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class SubscriptionRequest(BaseModel):
    """A plan for a team."""

    model_config = _strict({"plan": "standard", "starts_at": "2026-03-01T00:00:00-05:00"})

    plan: str = Field(min_length=1, description=PLAN, examples=["standard"])
    plan_version: int | None = Field(default=None, ge=1, description=PLAN_VERSION)
    starts_at: AwareDatetime | None = Field(
        default=None, description="RFC 3339; default: now. The subscription in force there ends there."
    )
    ends_at: AwareDatetime | None = Field(default=None, description="Exclusive; default: until further notice.")
    anchor: Anchor = Field(
        default=Anchor.CALENDAR,
        description="`calendar`: periods begin on the 1st, on Monday, in January. `anniversary`: they begin "
        "at the local date and time at which the subscription starts.",
    )
    anchored_at: AwareDatetime | None = Field(
        default=None, description="With `anniversary`: the instant whose date and time count instead of the start's."
    )
    trial_days: int | None = Field(
        default=None,
        ge=0,
        le=LONGEST_TRIAL,
        description="Days of the team's zone from the start for which nothing is charged. Default: as the plan says, "
        "once for all versions of it.",
    )
    trial_ends_at: AwareDatetime | None = Field(default=None, description="The end of the trial instead; exclusive.")


class ChangeRequest(BaseModel):
    """Another plan, or another version of it."""

    model_config = _strict({"plan": "growth", "when": "period_end"})

    plan: str = Field(min_length=1, description=PLAN, examples=["growth"])
    plan_version: int | None = Field(default=None, ge=1, description=PLAN_VERSION)
    when: WhenField = "now"


class PauseRequest(BaseModel):
    """A stretch for which nothing is charged."""

    model_config = _strict({"when": "now", "until": "2026-05-01T00:00:00Z"})

    when: WhenField = "now"
    until: AwareDatetime | None = Field(default=None, description="Exclusive; default: until it is resumed.")


class ResumeRequest(BaseModel):
    """The end of a pause."""

    model_config = _strict({"when": "now"})

    when: WhenField = "now"


class CancelRequest(BaseModel):
    """The end of a subscription."""

    model_config = _strict({"when": "period_end", "reason": "moved in-house"})

    when: WhenField = "period_end"
    reason: str | None = Field(default=None, max_length=LONGEST_REASON, description="In your words, for yourself.")


class TrialRequest(BaseModel):
    """Another end of the trial."""

    model_config = _strict({"ends_at": "2026-04-15T00:00:00Z"})

    ends_at: AwareDatetime | None = Field(description="Exclusive; null: there is no trial, from the start on.")


class PauseAnswer(BaseModel):
    """A stretch for which nothing is charged."""

    model_config = ConfigDict(from_attributes=True)

    starts_at: Instant
    ends_at: Instant | None = Field(description="Exclusive; null: until it is resumed.")


class SubscriptionAnswer(BaseModel):
    """A team on a plan. Periods are `period_every` times `period_unit` long."""

    id: int = Field(examples=[17])
    team_id: str = Field(examples=["acme"])
    plan: str = Field(description="With its version, from the second on.", examples=["growth@2"])
    plan_version: int = Field(examples=[2])
    currency: str = Field(examples=["USD"])
    period_unit: PeriodUnit
    period_every: int = Field(examples=[1])
    anchor: Anchor
    anchored_at: Instant = Field(description="Whose anniversaries periods begin on, with `anniversary`.")
    status: Status = Field(description="As of now.")
    starts_at: Instant
    ends_at: Instant | None = Field(description="Exclusive; null: until further notice.")
    trial_ends_at: Instant | None = Field(description="Exclusive; null: there is no trial.")
    pauses: list[PauseAnswer]
    canceled_at: Instant | None = Field(description="When it was said that it ends at `ends_at`.")
    cancel_reason: str | None
    created_at: Instant

    @classmethod
    def of(cls, subscription: Subscription, now: datetime) -> Self:
        """The answer that shows the subscription at a moment."""
        return cls(
            id=subscription.id,
            team_id=subscription.team_id,
            plan=subscription.plan,
            plan_version=subscription.plan_version,
            currency=subscription.currency,
            period_unit=subscription.cadence.unit,
            period_every=subscription.cadence.every,
            anchor=subscription.anchor,
            anchored_at=subscription.anchored_at or subscription.starts_at,
            status=subscription.status(now),
            starts_at=subscription.starts_at,
            ends_at=subscription.ends_at,
            trial_ends_at=subscription.trial_ends_at,
            pauses=[PauseAnswer.model_validate(pause) for pause in subscription.pauses],
            canceled_at=subscription.canceled_at,
            cancel_reason=subscription.cancel_reason,
            created_at=subscription.created_at,
        )


class CancelAnswer(BaseModel):
    """What was canceled."""

    subscription: SubscriptionAnswer | None = Field(
        description="With its end; null: it had not begun, and was taken back."
    )
