"""What a team and a subscription are. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from tallystick.billing.periods import Period, Schedule
from tallystick.catalog.models import Anchor, BillingPeriod
from tallystick.catalog.terms import family_of, version_of
from tallystick.core.clock import Interval, zone

When: TypeAlias = Literal["now", "period_end"] | datetime
"""When a change takes effect: at once, when the billing period ends that is running, or at an instant."""

PLAN_CURRENCY = ""
"""As another currency of a team: the plan's again."""


@dataclass(frozen=True, slots=True)
class Team:
    """A customer.

    Attributes:
        id: what events and keys name the team by.
        name: what people call it.
        time_zone: the IANA zone in which its days, months and billing periods begin.
        metadata: a JSON object of the user's own.
        created_at: when it became known.
        currency: what it is billed in, an ISO 4217 code; None: the currency of its plan.
    """

    id: str
    name: str
    time_zone: str
    metadata: Mapping[str, Any]
    created_at: datetime
    currency: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return zone(self.time_zone)


@dataclass(frozen=True, slots=True)
class TeamChanges:
    """What is to be another of a team; None leaves it. `currency` may be `PLAN_CURRENCY`."""

    name: str | None = None
    time_zone: str | None = None
    metadata: Mapping[str, Any] | None = None
    currency: str | None = None


class Pause(NamedTuple):
    """A stretch for which a team is charged nothing; without an end, until it is resumed."""

    starts_at: datetime
    ends_at: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Whether the instant is in it."""
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


class Status(StrEnum):
    """How a subscription stands at a moment."""

    UPCOMING = "upcoming"
    TRIAL = "trial"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A team on a plan in `[starts_at, ends_at)`; without an end, until further notice.

    Attributes:
        id: its number.
        team_id: whose.
        plan: the name that the plan is stored under, with its version from the second on: `growth@2`.
        currency, cadence: the plan's.
        anchor: where billing periods begin: with the calendar's, or on anniversaries of `anchored_at`.
        starts_at, ends_at: when it is in force.
        created_at: when it was made.
        anchored_at: None: the start. It is an earlier instant where the team has moved here from another plan.
        trial_ends_at: up to when nothing is charged; None: there is no trial.
        pauses: in order, those that reach into it, also the parts of them that lie outside of it.
        canceled_at: when somebody said that it is to end; None: nobody did.
        cancel_reason: why, in their words.
        billed_until: the end of its last billing period that is closed; None: none is.
    """

    id: int
    team_id: str
    plan: str
    currency: str
    cadence: BillingPeriod
    anchor: Anchor
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime
    anchored_at: datetime | None = None
    trial_ends_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    canceled_at: datetime | None = None
    cancel_reason: str | None = None
    billed_until: datetime | None = None

    @property
    def family(self) -> str:
        """The plan's name without its version."""
        return family_of(self.plan)

    @property
    def plan_version(self) -> int:
        """Which version of the plan it is on; 1 is the first."""
        return version_of(self.plan)

    def schedule(self, tz: ZoneInfo) -> Schedule:
        """The billing periods, in the team's zone."""
        return Schedule(
            self.cadence, self.anchor, self.starts_at, self.ends_at, tz, self.anchored_at, self.billed_until
        )

    def period_containing(self, moment: datetime, tz: ZoneInfo) -> Period | None:
        """The billing period that holds the instant, in the team's zone; None outside of the subscription."""
        return self.schedule(tz).period_containing(moment)

    def uncharged(self, interval: Interval) -> list[tuple[Interval, str]]:
        """The stretches of the interval for which nothing is charged, and why: `trial` or `paused`.

        In order and without overlap: a pause inside the trial is trial. What the interval has outside of the
        subscription is not part of the answer.
        """
        start = max(interval.start, self.starts_at)
        end = min(interval.end, self.ends_at or interval.end)
        return list(_stretches(Interval(start, end), self.trial_ends_at, self.pauses))

    def status(self, now: datetime) -> Status:
        """How it stands at a moment."""
        if now < self.starts_at:
            return Status.UPCOMING
        if self.ends_at is not None and now >= self.ends_at:
            return Status.ENDED
        if any(pause.covers(now) for pause in self.pauses):
            return Status.PAUSED
        return Status.TRIAL if self.trial_ends_at is not None and now < self.trial_ends_at else Status.ACTIVE


def _stretches(
    interval: Interval, trial_ends_at: datetime | None, pauses: tuple[Pause, ...]
) -> Iterator[tuple[Interval, str]]:
    at, end = interval
    if trial_ends_at is not None and at < min(trial_ends_at, end):
        yield Interval(at, min(trial_ends_at, end)), str(Status.TRIAL)
        at = min(trial_ends_at, end)
    for pause in pauses:
        paused = Interval(max(at, pause.starts_at), min(end, pause.ends_at or end))
        if paused.start < paused.end:
            yield paused, str(Status.PAUSED)
            at = paused.end


@dataclass(frozen=True, slots=True)
class Terms:
    """What a team subscribes to. Without a start, from now on; without an end, until further notice.

    Attributes:
        plan: its name, or with a version `growth@2`.
        starts_at, ends_at: when it is to be in force.
        anchor: where billing periods begin.
        plan_version: which version; None: the newest, unless `plan` names one.
        anchored_at: whose anniversaries periods begin on; None: the start's.
        trial_days: how many days of the team's zone nothing is charged; 0 for none, None: as the plan says.
        trial_ends_at: up to when, instead.
    """

    plan: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    anchor: Anchor = field(default=Anchor.CALENDAR)
    plan_version: int | None = None
    anchored_at: datetime | None = None
    trial_days: int | None = None
    trial_ends_at: datetime | None = None


class Due(NamedTuple):
    """A billing period that is over and not closed."""

    team: Team
    subscription: Subscription
    period: Period

    @property
    def position(self) -> "DuePosition":
        """Where it stands in the order of closing."""
        return DuePosition(self.team.id, self.period.start)


class DuePosition(NamedTuple):
    """A position in the order of closing: by team, then by time. What follows it can be asked for."""

    team_id: str
    start: datetime
