"""What the overview shows. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tallystick.core.money import EXACT

TENTH = Decimal("0.1")
HUNDRED = Decimal(100)


class Total(NamedTuple):
    """What all teams of one currency come to: in their periods so far, at their ends, and in those before."""

    currency: str
    teams: int
    cost: Decimal
    projected: Decimal
    previous: Decimal

    @property
    def growth(self) -> Decimal | None:
        """See `growth`."""
        return growth(self.projected, self.previous)


class Spender(NamedTuple):
    """A team's period: so far, at its end, and what the one before came to."""

    team_id: str
    name: str
    plan: str | None
    currency: str
    period_start: datetime
    period_end: datetime
    events: int
    cost: Decimal | None
    projected: Decimal | None
    previous: Decimal | None
    computed_at: datetime

    @property
    def growth(self) -> Decimal | None:
        """See `growth`."""
        return growth(self.projected, self.previous)


class Risk(NamedTuple):
    """An alert that is crossed."""

    team_id: str
    name: str
    alert_id: int
    alert: str
    kind: str
    metric: str | None
    state: str
    value: Decimal | None
    limit: Decimal
    threshold: Decimal
    unit: str | None
    since: datetime
    type: str


class Minute(NamedTuple):
    """Events that were recorded in a minute."""

    at: datetime
    events: int


class Reason(NamedTuple):
    """Rejected events that wait, for one reason."""

    code: str
    number: int


class Ingest(NamedTuple):
    """How events come in, and how far roll-ups are behind."""

    events_last_hour: int
    per_minute: Sequence[Minute]
    waiting_events: int
    lag_seconds: Decimal
    dead_letters: Sequence[Reason]


class Drift(NamedTuple):
    """A metric of a team of which Stripe counts something else."""

    team_id: str
    metric: str
    drift: str
    local: Decimal
    stripe: Decimal
    compared_at: datetime


class StripeStanding(NamedTuple):
    """What is to be told to Stripe, and where it differs."""

    pending: int
    parked: int
    quarantined: int
    late: int
    bills_waiting: int
    bills_held: int
    drift: Sequence[Drift]


class AlertsStanding(NamedTuple):
    """How many alerts look at something, how many teams are near or over a limit, and what changed in a day."""

    active: int
    teams_warned: int
    teams_exceeded: int
    changes_last_day: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at a glance. `pending_teams` wait to be computed; no number is older than `oldest`."""

    at: datetime
    teams: int
    pending_teams: int
    oldest: datetime | None
    totals: Sequence[Total]
    top: Sequence[Spender]
    growing: Sequence[Spender]
    at_risk: Sequence[Risk]
    ingest: Ingest
    stripe: StripeStanding | None
    alerts: AlertsStanding


def growth(projected: Decimal | None, previous: Decimal | None) -> Decimal | None:
    """How many percent more the period will come to than the one before, to a tenth; None: nothing to compare."""
    if projected is None or previous is None or previous <= 0:
        return None
    share = EXACT.divide(EXACT.subtract(projected, previous), previous)
    return EXACT.multiply(share, HUNDRED).quantize(TENTH, rounding=ROUND_HALF_UP, context=EXACT)
