"""What an alert is, what it measures, and how it stands. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from tallystick.core.money import EXACT, ZERO

HUNDRED = Decimal(100)


class Kind(StrEnum):
    """What an alert watches.

    `usage`: of a metric, in the billing period. `cost`: what the open statement comes to before credits, or what of
    it is about one metric. `projected_usage`, `projected_cost`: the same at the period's end, at the pace so far.
    `credit_balance`: what is left of credits once the open statement is paid. `rate`: how many percent more (or,
    below zero, less) is used in an hour than in the same hour of past weeks. `absence`: minutes without an event.
    """

    USAGE = "usage"
    COST = "cost"
    PROJECTED_USAGE = "projected_usage"
    PROJECTED_COST = "projected_cost"
    CREDIT_BALANCE = "credit_balance"
    RATE = "rate"
    ABSENCE = "absence"


OF_A_PERIOD = frozenset({Kind.USAGE, Kind.COST})
"""Kinds that also look at a period which is over, until it is closed."""

PROJECTED = frozenset({Kind.PROJECTED_USAGE, Kind.PROJECTED_COST})
SPENDING = frozenset({Kind.COST, Kind.PROJECTED_COST})
MAY_THROTTLE = frozenset({Kind.USAGE, Kind.COST, Kind.CREDIT_BALANCE})


class StepType(StrEnum):
    """`soft` tells; `hard` is also told in quiet hours, and may throttle."""

    SOFT = "soft"
    HARD = "hard"


class State(StrEnum):
    """How a step stands in a period; of an alert, how the worst of its steps does.

    `warning`: a step short of the alert's threshold is crossed. `exceeded`: one at the threshold or beyond is.
    `resolved`: one was, in this period, and is no longer.
    """

    OK = "ok"
    WARNING = "warning"
    EXCEEDED = "exceeded"
    RESOLVED = "resolved"

    @property
    def crossed(self) -> bool:
        """Whether the limit is crossed now."""
        return self in (State.WARNING, State.EXCEEDED)


SEVERITY = (State.OK, State.RESOLVED, State.WARNING, State.EXCEEDED)


def worst(states: Sequence[State]) -> State:
    """The state of an alert whose steps have these."""
    return max(states, key=SEVERITY.index, default=State.OK)


class Action(NamedTuple):
    """What a step does when it is crossed.

    Attributes:
        notify: names of notification channels; none: those that the team prefers.
        throttle: the team's usage is throttled until the step is resolved or the period ends.
    """

    notify: tuple[str, ...] = ()
    throttle: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A limit, as a percentage of the alert's threshold or as a value.

    Attributes:
        percent, value: one of the two.
        type: soft or hard.
        action: what happens when it is crossed.
        id: its number; 0 while it is not stored.
    """

    percent: Decimal | None
    value: Decimal | None
    type: StepType
    action: Action
    id: int = 0

    def limit(self, threshold: Decimal) -> Decimal:
        """What is compared with, exactly."""
        if self.value is not None:
            return self.value
        return EXACT.divide(EXACT.multiply(threshold, self.percent or ZERO), HUNDRED)


@dataclass(frozen=True, slots=True)
class Alert:
    """What is watched, for whom, and the steps at which something happens.

    Attributes:
        name: what people call it.
        kind: what is measured.
        threshold: what percentages are of: a quantity in the metric's unit, an amount in `currency`, of a rate a
            percentage, of an absence minutes.
        team_id, plan: whom it is about: a team, the teams on any version of a plan, or, with neither, all teams.
        metric: by name; None: the whole statement, money credits, or events of any kind.
        currency: of amounts; None: not about money, or each team in the currency of its bill.
        type, action: of steps that do not say their own.
        hysteresis: how far, in percent of its limit, the value has to go back until a step is resolved.
        weeks: of a rate: how many past weeks are compared with.
        active: else it looks at nothing.
        steps: in order.
        id, created_at, updated_at, last_triggered_at: as it is stored.
    """

    name: str
    kind: Kind
    threshold: Decimal
    team_id: str | None
    plan: str | None
    metric: str | None
    currency: str | None
    type: StepType
    action: Action
    hysteresis: Decimal
    weeks: int
    active: bool
    steps: tuple[Step, ...]
    created_at: datetime
    updated_at: datetime
    id: int = 0
    last_triggered_at: datetime | None = None

    @property
    def falling(self) -> bool:
        """Whether it is a value that becomes too small that matters."""
        return self.kind is Kind.CREDIT_BALANCE or (self.kind is Kind.RATE and self.threshold < 0)

    def limit(self, step: Step) -> Decimal:
        """What a step compares with."""
        return step.limit(self.threshold)

    def severity(self, step: Step) -> State:
        """What a step is when it is crossed: a warning short of the threshold, else exceeded."""
        limit = self.limit(step)
        short = limit > self.threshold if self.falling else limit < self.threshold
        return State.WARNING if short else State.EXCEEDED

    def covers(self, team_id: str, plan: str | None) -> bool:
        """Whether it is about a team that is on this plan (its family's name)."""
        if self.team_id is not None:
            return self.team_id == team_id
        return self.plan is None or self.plan == plan

    def subject(self) -> tuple[Any, ...]:
        """What decides which number a limit is compared with: of another subject, limits are others, too."""
        return (self.kind, self.team_id, self.plan, self.metric, self.currency, self.weeks)


class Measured(NamedTuple):
    """What an alert found.

    Attributes:
        value: the number; None: there is nothing to compare, such as a rate without a past.
        unit: of the number: the metric's unit, a currency, `%` or `minutes`.
        seen: what else explains the number, as text by name.
        check_at: when to look again although nothing is used; None: only with usage.
        since: of an absence, the last event.
    """

    value: Decimal | None
    unit: str
    seen: Mapping[str, str] = {}
    check_at: datetime | None = None
    since: datetime | None = None


class Stand(NamedTuple):
    """How a step stands with a team in a period, as it is stored."""

    step_id: int
    team_id: str
    period_start: datetime
    period_end: datetime | None
    alert_id: int
    state: State
    value: Decimal | None
    changed_at: datetime
    crossings: int
    resolutions: int


class Cause(StrEnum):
    """Why a state changed: by what was measured, or because the alert was changed or deleted."""

    MEASURED = "measured"
    CHANGED = "changed"
    DELETED = "deleted"


class Transition(NamedTuple):
    """A change of state with the numbers that caused it.

    Attributes:
        id: its number; 0 while it is not stored.
        period_start, period_end: the period; an absence has no end, and begins with the last event.
        cause: why.
        value, limit, unit: what was compared.
        terms: the alert and the step as they were, as JSON.
        known_at: what was recorded up to here gives the value again.
        told: whether it was told; a limit that is crossed again in the same period is not.
    """

    id: int
    alert_id: int
    step_id: int
    team_id: str
    period_start: datetime
    period_end: datetime | None
    from_state: State
    to_state: State
    cause: Cause
    value: Decimal | None
    limit: Decimal
    unit: str
    terms: Mapping[str, Any]
    known_at: datetime
    told: bool


class Check(NamedTuple):
    """When an alert has to look at a team although nothing was used; None: once it is used again.

    `since` is, of an absence, the last event that is known of.
    """

    team_id: str
    alert_id: int
    due_at: datetime | None
    since: datetime | None = None


class Evaluated(NamedTuple):
    """What one round of evaluation did; `more` says that there is more to do right now."""

    teams: int = 0
    transitions: int = 0
    more: bool = False
