"""The words of metering, without I/O: metrics, events, and what adding events up yields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from tallystick.core.clock import Interval


class Aggregation(StrEnum):
    """How the values of a metric's events become its usage over an interval."""

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    MIN = "min"
    AVERAGE = "average"
    LATEST = "latest"
    UNIQUE_COUNT = "unique_count"
    TIME_WEIGHTED = "time_weighted"
    PERCENTILE = "percentile"


class Level(StrEnum):
    """What a value of a time-weighted metric says: the new level, or the change of it."""

    ABSOLUTE = "absolute"
    DELTA = "delta"


class Measure(StrEnum):
    """What is asked of a level over time; of any other metric there is only the total."""

    TOTAL = "total"
    AVERAGE = "average"
    PEAK = "peak"


SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}

SUMMABLE = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.TIME_WEIGHTED})
"""Aggregations whose usage over an interval is the sum of the usage over its parts."""

MAX_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """Which events a metric counts, what each is worth, and how they add up.

    Attributes:
        name: the metric's name in the catalogue, the API and on the bill.
        aggregation: how values become usage.
        unit: what one unit of usage is called (`call`, `token`, `GB-hour`).
        event_name: counts events of this name; None: of any name.
        event_type: counts events of this type; None: of any type. At least one of the two is set.
        filters: metadata path → the texts one of which the value there must equal.
        value: `quantity`, or the metadata path (`bytes`, `usage.input_tokens`) that holds the value.
        dimensions: metadata paths whose values are kept apart, in this order.
        allow_negative: whether a value below zero is accepted.
        value_unit: the unit events must give, when they give one; of a time-weighted metric the unit of
            the level (`GB`), else the same as `unit`.
        per: time-weighted only: usage is level × time in this unit of time, in seconds.
        level: time-weighted only: what an event's value says.
        percentile: percentile only: 0 < p <= 100, by nearest rank.
        slot: percentile only: seconds of the slots whose means are ranked; None ranks the values themselves.
    """

    name: str
    aggregation: Aggregation
    unit: str
    event_name: str | None = None
    event_type: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    value: str = "quantity"
    dimensions: tuple[str, ...] = ()
    allow_negative: bool = False
    value_unit: str | None = None
    per: int = 3600
    level: Level = Level.ABSOLUTE
    percentile: Decimal = Decimal(95)
    slot: int | None = None

    @property
    def expected_unit(self) -> str:
        """The unit an event of this metric has to be in."""
        return self.value_unit or self.unit

    @property
    def uses_value(self) -> bool:
        """Whether the number that an event carries matters to this metric."""
        return self.aggregation not in (Aggregation.COUNT, Aggregation.UNIQUE_COUNT)

    @property
    def accepts_negative(self) -> bool:
        """Whether a value may be below zero: said so, or a change of a level, which goes both ways."""
        return self.allow_negative or self.changes_level

    @property
    def changes_level(self) -> bool:
        """Whether values are changes of a level."""
        return self.aggregation is Aggregation.TIME_WEIGHTED and self.level is Level.DELTA

    @property
    def sets_level(self) -> bool:
        """Whether values are levels that hold until the next one."""
        return self.aggregation is Aggregation.TIME_WEIGHTED and self.level is Level.ABSOLUTE

    @property
    def keeps_order(self) -> bool:
        """Whether the order of events decides the usage."""
        return self.sets_level or self.aggregation is Aggregation.LATEST

    @property
    def keeps_values(self) -> bool:
        """Whether roll-ups keep every distinct value."""
        return self.ranks_values or self.aggregation is Aggregation.UNIQUE_COUNT

    @property
    def ranks_values(self) -> bool:
        """Whether single values are ranked, and so it matters how often each occurred."""
        return self.aggregation is Aggregation.PERCENTILE and self.slot is None

    @property
    def bucket_seconds(self) -> int:
        """The length of a roll-up bucket: the slot of a percentile, else an hour."""
        return self.slot or 3600


@dataclass(frozen=True, slots=True)
class MetricVersion:
    """A definition with the event-time interval in which it holds; None is an end without bound."""

    id: int
    definition: MetricDefinition
    effective_from: datetime | None
    effective_to: datetime | None

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.definition.name

    def counts(self, event: "NewEvent") -> bool:
        """Whether an event's name, type and time are this version's; its metadata is not looked at."""
        wanted = self.definition
        return (
            wanted.event_name in (None, event.event_name)
            and wanted.event_type in (None, event.event_type)
            and (self.effective_from is None or self.effective_from <= event.occurred_at)
            and (self.effective_to is None or event.occurred_at < self.effective_to)
        )


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """A valid event on its way in, its time in UTC. `metadata` is canonical JSON; `content` hashes what it says.

    Thousands are made a second, and this kind of class is made in the least time.
    """

    id: UUID
    content: int
    team_id: str
    user_id: str | None
    event_type: str | None
    event_name: str
    quantity: Decimal
    unit: str | None
    metadata: str | None
    idempotency_key: str
    occurred_at: datetime
    amends: UUID | None = None


class UsageEvent(NamedTuple):
    """A stored event, as it was recorded, and the correction that voided it if there is one."""

    id: UUID
    batch_id: int
    position: int
    team_id: str
    user_id: str | None
    event_type: str | None
    event_name: str
    quantity: Decimal
    unit: str | None
    metadata: str | None
    idempotency_key: str
    occurred_at: datetime
    recorded_at: datetime
    amends: UUID | None
    correction: str | None
    replacement_id: UUID | None


class Appended(NamedTuple):
    """What became of an appended batch, by position: everything not named here is fresh and committed."""

    duplicates: frozenset[int]
    conflicts: frozenset[int]


class Usage(NamedTuple):
    """The usage of one metric, team, window and dimension values.

    `quantity` is exact, or correct to 100 digits where the aggregation divides; None where the
    aggregation of no events has no value (the average, maximum, minimum, latest or percentile of none).
    Of a level's average and peak it is in the unit of the level, and None in a window that has not begun.

    `amounts` are the values of the single events that have one, in the order of time (and of recording
    where they happened at the same instant), if they were asked for; else None.
    """

    metric: str
    window: Interval
    dimensions: tuple[str | None, ...]
    quantity: Decimal | None
    events: int
    unvalued: int
    amounts: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which raw events a listing shows; None means any.

    Attributes:
        team_id: of this team.
        event_name: of this name.
        event_type: of this type.
        user_id: of this user.
        interval: happened in it.
        metadata: path → the text that the value there equals.
        idempotency_key: with this key.
        corrected: whether they were voided or amended.
        versions: one of these metric versions counts them: name, type, filters and the version's interval.
        where: with `versions`: dimension → the values one of which it must have; None is an absent value.
        recorded: recorded in it.
        known_at: recorded at or before it; a correction that was recorded later is not shown.
        unvalued: with `versions`: the version that counts it finds no value in it.
        text: it has this text in its name, type, user, idempotency key or metadata, in upper or lower case.
    """

    team_id: str | None = None
    event_name: str | None = None
    event_type: str | None = None
    user_id: str | None = None
    interval: Interval | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    corrected: bool | None = None
    versions: Sequence[MetricVersion] = ()
    where: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    recorded: Interval | None = None
    known_at: datetime | None = None
    unvalued: bool = False
    text: str | None = None


class Sort(StrEnum):
    """By which clock events are listed."""

    OCCURRED = "occurred_at"
    RECORDED = "recorded_at"


@dataclass(frozen=True, slots=True)
class Listing:
    """In which order raw events are listed, and how many are looked at for one page.

    Attributes:
        by: the clock; None: when they happened where the filter has a team, else when they were recorded. Events of
            all teams are kept in the order of recording alone.
        ascending: the oldest first.
        most: look at this many events and no more, and go on from there with the next page; None: until the page is
            full.
    """

    by: Sort | None = None
    ascending: bool = False
    most: int | None = None


NEWEST_FIRST = Listing()


class Unvalued(NamedTuple):
    """How many events of a team a metric counts but finds no value in, and how many it counts in all."""

    metric: str
    team_id: str
    unvalued: int
    events: int


class Correction(NamedTuple):
    """That an event no longer counts, since when, why, and what stands in its place."""

    event_id: UUID
    kind: str
    replacement_id: UUID | None
    reason: str
    actor: str
    recorded_at: datetime


class Known(NamedTuple):
    """The usage of a team over an interval, as it was known at an instant."""

    team_id: str
    interval: Interval
    known_at: datetime


class Cause(StrEnum):
    """Why the usage of an interval is another than it was."""

    LATE = "late"
    AMENDED = "amended"
    VOIDED = "voided"


class CausingEvent(NamedTuple):
    """An event that changed the usage of an interval.

    Attributes:
        id: the event's.
        cause: how it changed the usage: it was recorded late, it was amended or takes the place of an amended
            one, or it was voided.
        occurred_at: when it happened.
        learned_at: when the event, or the correction that took it out, was recorded.
        value: what it is worth to the metric; None where that has no value.
        counts: whether it counts now (late, or in the place of another), or no longer.
    """

    id: UUID
    cause: Cause
    occurred_at: datetime
    learned_at: datetime
    value: Decimal | None
    counts: bool


class Causes(NamedTuple):
    """Why the usage of an interval changed between two instants: how many events of each kind, and a page of them.

    An amended event and the one in its place are one amendment, and two events of the page. `after` is where
    the page ended, None on the last one.
    """

    late: int
    amended: int
    voided: int
    events: Sequence[CausingEvent]
    after: tuple[str, ...] | None
