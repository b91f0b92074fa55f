"""What the product asks of the place where raw events and roll-ups are kept.

PostgreSQL is the first implementation and the default. Whatever implements this must pass the behaviour
suite in `tests/integration/event_store`. Everything else (teams, prices, periods) is always PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from tallystick.core.clock import Interval
from tallystick.metering.models import (
    Appended,
    Correction,
    EventFilter,
    MetricVersion,
    NewEvent,
    Usage,
    UsageEvent,
)
from tallystick.metering.tracing import Trace


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """The usage to be read: of one metric and team, over windows that follow each other without a gap.

    Attributes:
        versions: the metric's versions; each counts the events of its own effective interval.
        team_id: whose usage.
        windows: at least one; each one's end is the next one's start.
        as_of: up to when the level of a time-weighted metric holds in a window that is still running.
        group_by: the dimensions to keep apart, by name; must be among the metric's.
        where: dimension → the values one of which it must have.
        raw: read raw events only, no roll-ups: for checking one against the other.
    """

    versions: Sequence[MetricVersion]
    team_id: str
    windows: Sequence[Interval]
    as_of: datetime
    group_by: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    raw: bool = False


class RollUpProgress(NamedTuple):
    """What one roll-up did; `more` says that there is more to do right now."""

    batches: int
    events: int
    hours_recomputed: int
    backfilled: int
    more: bool


class EventPage(NamedTuple):
    """A page of raw events and the position to go on from, None on the last page."""

    events: Sequence[UsageEvent]
    after: tuple[str, ...] | None


class EventStore(Protocol):
    """Raw events and their roll-ups."""

    async def append(self, events: Sequence[NewEvent], recorded_at: datetime) -> Appended:
        """Store the events whose identity is new; durable when it returns. Ids in `events` are distinct.

        Raises:
            InvalidInput: an event can't be stored; nothing of the batch was.
        """
        ...

    async def contents(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        """With which content each of these identities was recorded; those that were not are absent."""
        ...

    async def usage(self, requests: Sequence[UsageRequest]) -> list[list[Usage]]:
        """The usage of each request, all from one snapshot; windows without events are absent."""
        ...

    async def event(self, event_id: UUID) -> UsageEvent | None:
        """One event as it was recorded, or None."""
        ...

    async def correction(self, event_id: UUID) -> Correction | None:
        """The correction that voided an event, or None."""
        ...

    async def events(self, wanted: EventFilter, *, limit: int, after: tuple[str, ...] | None = None) -> EventPage:
        """Raw events, newest first; `after` is where the page before ended."""
        ...

    async def void(self, correction: Correction, replacement: NewEvent | None = None) -> bool:
        """Void an event, with the replacement in its place; False when it was corrected before."""
        ...

    async def amendments(self, event_id: UUID) -> int:
        """How often an event was amended so far."""
        ...

    async def trace(self, event_id: UUID) -> Trace | None:
        """Everything known about one event, or None."""
        ...

    async def roll_up(self, now: datetime, *, limit: int = 100_000) -> RollUpProgress:
        """Bring the roll-ups forward by some batches, corrected hours and backfill."""
        ...

    async def ensure_months(self, now: datetime) -> None:
        """Create the storage of this month and the next three."""
        ...
