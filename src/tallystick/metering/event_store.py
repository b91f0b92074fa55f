"""What the product asks of the place where raw events and roll-ups are kept.

PostgreSQL is the first implementation and the default. Whatever implements this must pass the behaviour
suite in `tests/integration/event_store`. Everything else (teams, prices, periods) is always PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, NewType, Protocol
from uuid import UUID

from tallystick.core.clock import Interval
from tallystick.metering.aggregation import Partial
from tallystick.metering.models import (
    NEWEST_FIRST,
    Appended,
    Causes,
    Correction,
    EventFilter,
    Known,
    Listing,
    Measure,
    MetricVersion,
    NewEvent,
    Unvalued,
    Usage,
    UsageEvent,
)
from tallystick.metering.recordings import Recordings
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
        known_at: count what was recorded at or before this instant, and not corrected by then; None: everything.
            The versions have to be those of that time, too.
        each: give the values of the single events as well, in `Usage.amounts`; reads them raw.
        measure: of a time-weighted metric: its total (level × time), or the average or the highest level.
    """

    versions: Sequence[MetricVersion]
    team_id: str
    windows: Sequence[Interval]
    as_of: datetime
    group_by: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    raw: bool = False
    known_at: datetime | None = None
    each: bool = False
    measure: Measure = Measure.TOTAL


Mark = NewType("Mark", str)
"""A moment of the store, for it alone to read: what was recorded by then. It is of use for some minutes."""


class Followed(NamedTuple):
    """A usage over one interval that was read before, to be brought up to date."""

    versions: Sequence[MetricVersion]
    team_id: str
    interval: Interval


class Trail(NamedTuple):
    """Usage that is followed from one mark on; of a metric and team there is one at most.

    `hull` is an interval that holds those of all of them.
    """

    mark: Mark
    followed: Sequence[Followed]
    hull: Interval


class Following(NamedTuple):
    """What `EventStore.follow` answers, all of one moment.

    Attributes:
        mark: that moment.
        usage: of the requests.
        added: per trail, what came to the usage that it follows, by its place; None: it has to be read anew. Usage
            to which nothing came is absent.
        recorded: those of the identities asked about that are recorded.
    """

    mark: Mark
    usage: list[list[Usage]]
    added: Sequence[Mapping[int, Decimal | None]]
    recorded: frozenset[UUID]


class RollUpProgress(NamedTuple):
    """What one roll-up did.

    Attributes:
        batches, events: taken from the tail.
        hours_recomputed: of teams, because of a correction or of levels out of order.
        backfilled: months of metric versions.
        more: there is more to do right now.
        touched: the teams that any of it was about. PostgreSQL keeps them in `rollup_touched` as well.
    """

    batches: int
    events: int
    hours_recomputed: int
    backfilled: int
    more: bool
    touched: frozenset[str] = frozenset()


class EventPage(NamedTuple):
    """A page of raw events and the position to go on from, None on the last page.

    `values` says, event by event, what each is worth to the metric whose events were asked for; None where it
    has no value. Empty where no metric was asked for. `looked_to` is the instant, by the listing's clock, up to
    which events were looked at, if that is why the page ends; None where it is full or the last one.
    """

    events: Sequence[UsageEvent]
    after: tuple[str, ...] | None
    values: Sequence[Decimal | None] = ()
    looked_to: datetime | None = None


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
        """The usage of each request, all from one snapshot; windows without events are absent.

        Requests that differ by the team alone are answered together, thousands at the price of a few.
        """
        ...

    async def partials(self, requests: Sequence[UsageRequest]) -> list[list[Partial]]:
        """What `usage` answers, before the last step is taken, so that teams and dimension values can be merged.

        Of the total measure only, and without the amounts of single events.
        """
        ...

    async def follow(
        self,
        requests: Sequence[UsageRequest],
        trails: Sequence[Trail] = (),
        identities: Sequence[UUID] = (),
        awaited: Sequence[UUID] = (),
    ) -> Following:
        """The usage of requests, what came to usage that was read before, and which identities are recorded.

        For who asks again and again: bringing sums up to date costs as much as the events that came since.

        Args:
            requests: as of `usage`.
            trails: usage that earlier answers gave, with the mark of the last answer about it.
            identities: events that may be recorded.
            awaited: events that were not when the trails were marked: looked for only if anything came since.
        """
        ...

    @property
    def recordings(self) -> Recordings:
        """What this process has recorded or corrected: when usage that was read may be out of date."""
        ...

    async def seal(self, now: datetime) -> datetime:
        """Draw a line under the past: what was recorded up to the instant that it returns, `now` or later, is final.

        Everything recorded at or before it can be read from then on, and whatever is appended or corrected from
        then on is recorded after it. So what is read as known at that instant never changes again. Waits for the
        batches that are just being written; not to be called from inside a transaction that records.
        """
        ...

    async def changed(self, known: Sequence[Known]) -> list[frozenset[str]]:
        """For each of these, the metrics whose usage may be another now; empty where nothing has changed.

        Late events, corrections, and definitions that were recorded or replaced since count as changes, as does
        an earlier change of a level that lasts into the interval. `known_at` should be an instant that was
        sealed. One look for thousands.
        """
        ...

    async def causes(
        self,
        team_id: str,
        versions: Sequence[MetricVersion],
        interval: Interval,
        since: datetime,
        *,
        until: datetime | None = None,
        where: Mapping[str, Sequence[str | None]] | None = None,
        limit: int = 100,
        after: tuple[str, ...] | None = None,
    ) -> Causes:
        """Which events changed the usage of a metric over an interval, recorded after `since` and up to `until`.

        Args:
            team_id: whose usage.
            versions: the metric's.
            interval: in which the events happened.
            since: what was recorded at or before this instant was known.
            until: what was recorded after this instant is left out; None: nothing is.
            where: dimension → the values one of which it must have; None is an absent value.
            limit: most events of the page.
            after: where the page before ended.
        """
        ...

    async def event(self, event_id: UUID) -> UsageEvent | None:
        """One event as it was recorded, or None."""
        ...

    async def correction(self, event_id: UUID) -> Correction | None:
        """The correction that voided an event, or None."""
        ...

    async def events(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        after: tuple[str, ...] | None = None,
        listing: Listing = NEWEST_FIRST,
    ) -> EventPage:
        """Raw events in the order of the listing; `after` is where the page before ended.

        With `wanted.versions` they are the events behind a metric's usage, with the value of each. Those of one
        idempotency key are found at once, however many events the team has.

        Raises:
            InvalidInput: the position is of another listing, or events of all teams are to be sorted by when they
                happened.
        """
        ...

    async def unvalued(self, interval: Interval, team_id: str | None = None, *, limit: int = 1000) -> list[Unvalued]:
        """Which metrics find no value in events of which teams, the most first, as far as roll-ups have got."""
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
