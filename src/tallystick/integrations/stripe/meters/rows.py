"""What goes into the outbox's tables and comes out of them: a type for each shape of row. No I/O."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.meters.models import Kind, Lane, LatePolicy, NewDelta, State

UNCLEAR = "unclear"
"""How the reason begins for which a delta in doubt was set aside."""

REPORTED = "reported"
"""How it begins where Stripe said that a delta, or one that was sent with it, was not counted."""


class Leased(NamedTuple):
    """A lane that this sender alone sends of.

    Attributes:
        lane: which.
        failures: how often in a row it got no answer that settles anything.
        broken: whether a sender that died was at it.
    """

    lane: Lane
    failures: int
    broken: bool


class SeenUntil(NamedTuple):
    """Up to where a team was looked at, and where the periods before and after that end; None: there is none."""

    team_id: str
    until: datetime
    last_edge: datetime | None
    next_edge: datetime | None


class Entry(NamedTuple):
    """A delta to be booked in a lane, with its complete request."""

    lane_id: int
    delta: NewDelta
    identifier: str
    request: dict[str, Any]


class Unsettled(NamedTuple):
    """A delta that goes on waiting, with what was learned about it."""

    id: int
    doubt_since: datetime | None
    key_number: int
    outcome: str
    looked_at: datetime | None


class Settled(NamedTuple):
    """A delta that waits no more, and why."""

    id: int
    state: State
    outcome: str | None


class Release(NamedTuple):
    """How a lane is given back."""

    lane_id: int
    failures: int
    hold: str | None
    next_at: datetime


class LateUsage(NamedTuple):
    """A delta that came too late, and what its team wants done with such."""

    id: int
    window: Interval
    quantity: Decimal
    policy: LatePolicy
    lane: Lane


class AtRisk(NamedTuple):
    """Usage of a team that waits and will be too late soon: how many deltas, until when, and what holds them."""

    team_id: str
    deltas: int
    deadline: datetime
    hold: str | None


class Named(NamedTuple):
    """A delta that an error report names.

    Attributes:
        id, lane_id, team_id, state: the delta, as it stands.
        reference: what the report calls it.
        alone: whether the report means this one, and not a batch that it was in.
    """

    id: int
    lane_id: int
    team_id: str
    state: State
    reference: str
    alone: bool


class Told(NamedTuple):
    """A delta in a stretch of a lane, as it stands."""

    id: int
    identifier: str
    kind: Kind
    window: Interval
    quantity: Decimal
    stamped_at: datetime
    deadline: datetime
    state: State
    doubt_since: datetime | None
    settled_at: datetime | None
    outcome: str | None
    looked_at: datetime | None

    @property
    def is_unclear(self) -> bool:
        """Whether it was set aside because nobody could say whether it had arrived."""
        return (self.outcome or "").startswith(UNCLEAR)

    @property
    def is_reported(self) -> bool:
        """Whether Stripe has said that it, or one that was sent with it, was not counted."""
        return (self.outcome or "").startswith(REPORTED)
