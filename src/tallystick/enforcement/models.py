"""What a limit, a reservation and a verdict are. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.enforcement.throttles import Throttle
from tallystick.metering.event_store import Followed, Mark
from tallystick.metering.models import Aggregation, MetricVersion

LIMITED = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE_COUNT, Aggregation.TIME_WEIGHTED})
"""Aggregations whose usage can be limited: it grows by what is used."""


NEVER = datetime.max.replace(tzinfo=UTC)


class LimitType(StrEnum):
    """What becomes of usage beyond a limit: `soft` lets it pass and says so, `hard` refuses it."""

    SOFT = "soft"
    HARD = "hard"


class WhenUnavailable(StrEnum):
    """What a check answers while usage can't be read: `open` allows, `closed` refuses."""

    OPEN = "open"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a verdict is what it is; a verdict that needs none has none."""

    THROTTLED = "throttled"
    HARD_LIMIT = "hard_limit"
    SOFT_LIMIT = "soft_limit"
    UNAVAILABLE = "unavailable"


class ReservationState(StrEnum):
    """How a reservation stands."""

    HELD = "held"
    COMMITTED = "committed"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class Limit(NamedTuple):
    """How much of a metric a team, or each team on a plan, may use in a billing period.

    Attributes:
        id: its number.
        team_id, plan: whose; one of the two. A plan without a version means all its versions.
        metric: of what.
        type: what becomes of usage beyond it.
        quantity: in the metric's unit; None: no limit, in spite of the plan's.
        actor: who set it last.
        created_at, updated_at: when.
    """

    id: int
    team_id: str | None
    plan: str | None
    metric: str
    type: LimitType
    quantity: Decimal | None
    actor: str
    created_at: datetime
    updated_at: datetime


class Hold(NamedTuple):
    """A quantity that a reservation keeps free, until when, and the events that take its place."""

    id: UUID
    quantity: Decimal
    until: datetime
    event_ids: frozenset[UUID]

    def counts(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return now < self.until


class Reservation(NamedTuple):
    """A quantity of a metric that is kept free for a team.

    Attributes:
        id: its identity.
        team_id, metric, quantity: what is kept free.
        state: `held`, until its usage is named; `committed`, until that is recorded; and, over for good, `settled`
            (it is recorded), `released` or `expired`.
        reference: the client's own key; None: it gave none.
        event_ids: the events that carry its usage.
        actor: who reserved.
        created_at: when.
        holds_until: when it runs out.
        ended_at: since when it keeps nothing free; None: it does, unless it has run out.
    """

    id: UUID
    team_id: str
    metric: str
    quantity: Decimal
    state: ReservationState
    reference: str | None
    event_ids: Sequence[UUID]
    actor: str
    created_at: datetime
    holds_until: datetime
    ended_at: datetime | None

    def standing(self, now: datetime) -> ReservationState:
        """Its state; one that has run out is expired, even if that was not written down yet."""
        waiting = self.state in (ReservationState.HELD, ReservationState.COMMITTED)
        return ReservationState.EXPIRED if waiting and now >= self.holds_until else self.state


class Ledger(NamedTuple):
    """A moment of the ledger, and what has changed since an earlier one.

    Attributes:
        mark: the moment.
        revision: of the catalogue.
        changed: teams and metrics of which something is another; None stands for all of them.
    """

    mark: str
    revision: int
    changed: Sequence[tuple[str | None, str | None]] = ()


@dataclass(slots=True)
class Standing:
    """How a team stands with a metric in the period that is running, as last read; brought up to date in place.

    Attributes:
        followed: the metric's versions, the team and the period.
        hard, soft: its limits; None: none.
        throttles: what stops it.
        used: its usage in the period.
        mark: what that usage included when it was read.
        holds: what reservations keep free.
        read_at: when it was read, on the monotonic clock.
        ledger: the moment of the ledger that it was read at.
    """

    metric: str
    followed: Followed
    hard: Decimal | None
    soft: Decimal | None
    throttles: Sequence[Throttle]
    used: Decimal
    mark: Mark
    holds: Mapping[UUID, Hold]
    read_at: float
    ledger: Ledger
    _held: tuple[Mapping[UUID, Hold], datetime, datetime, Decimal] | None = field(default=None)

    @property
    def team_id(self) -> str:
        """Whose."""
        return self.followed.team_id

    @property
    def period(self) -> Interval:
        """The billing period, or the calendar month of a team without a subscription."""
        return self.followed.interval

    @property
    def versions(self) -> Sequence[MetricVersion]:
        """The metric's."""
        return self.followed.versions

    def held(self, now: datetime) -> Decimal:
        """What reservations keep free at a moment."""
        known = self._held
        if known is None or known[0] is not self.holds or not known[1] <= now < known[2]:
            counting = [hold for hold in self.holds.values() if hold.counts(now)]
            total = reduce(EXACT.add, (hold.quantity for hold in counting), ZERO)
            until = min((hold.until for hold in counting), default=NEVER)
            self._held = known = (self.holds, now, until, total)
        return known[3]


class Verdict(NamedTuple):
    """Whether a team may use a quantity of a metric now.

    Attributes:
        allowed: whether it may.
        reason: why not, or what is the matter in spite of it; None: nothing.
        limit: the hard limit, else the soft one; None: there is none, or it can't be known.
        type: of the limit.
        used: the usage in the period; None where it can't be known.
        held: what reservations keep free.
        remaining: what is left of the limit, never below zero; None where there is no limit.
        resets_at: when the period ends; None where it can't be known.
        retry_at: when a refusal may end by itself; None: not foreseeable, or nothing was refused.
        period: the period that the limit is for; None where it can't be known.
    """

    allowed: bool
    reason: Reason | None = None
    limit: Decimal | None = None
    type: LimitType | None = None
    used: Decimal | None = None
    held: Decimal | None = None
    remaining: Decimal | None = None
    resets_at: datetime | None = None
    retry_at: datetime | None = None
    period: Interval | None = None
