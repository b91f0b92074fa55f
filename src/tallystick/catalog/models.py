"""The words of the catalogue, without I/O: what a billing file says, and what applying it would do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from tallystick.catalog.errors import Position
from tallystick.catalog.rules import BillingRules
from tallystick.catalog.terms import BillingPeriod, PeriodUnit, PlanTerms, TeamTerms, Terms
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import Price

__all__ = [
    "Anchor",
    "BillingPeriod",
    "BillingRules",
    "Catalogue",
    "Change",
    "ChangeKind",
    "Defaults",
    "MetricEntry",
    "Origin",
    "PeriodUnit",
    "Plan",
    "PlanEntry",
    "PlanTerms",
    "PriceEntry",
    "PriceVersion",
    "TeamEntry",
    "TeamTerms",
    "Terms",
    "instant_text",
]


class Anchor(StrEnum):
    """Where billing periods begin: with the calendar's, or on the day the subscription started."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry of the file stands, and where its keys do."""

    position: Position
    keys: Mapping[str, Position] = field(default_factory=dict)

    def of(self, key: str) -> Position:
        """Where the key stands; the entry itself, where the key is not written."""
        return self.keys.get(key) or self.position


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """A metric of the file. Without `effective_from` it holds from the moment it is applied."""

    definition: MetricDefinition
    effective_from: datetime | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """A price or fee of the file, in force in `[effective_from, effective_to)`.

    Without `effective_from` it holds from the moment it is applied; without `effective_to` until the next one
    of its name begins.
    """

    price: Price
    effective_from: datetime | None
    origin: Origin
    effective_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A plan of the file: a currency, a billing period, terms, and prices; several of one name are its history.

    `name` is what it is stored under: of the second version of `growth` it is `growth@2`.
    """

    name: str
    currency: str
    period: BillingPeriod
    prices: tuple[PriceEntry, ...]
    origin: Origin
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A team of the file and its subscription. None leaves what is stored as it is.

    `start` and `end` are instants, or dates that begin at midnight in the team's time zone. `plan` names a plan
    without its version; without `plan_version` a team that is on any version of it stays on that one. `prices` and
    `terms` are what was agreed with this team alone.
    """

    id: str
    name: str | None
    time_zone: str | None
    plan: str | None
    start: date | datetime | None
    end: date | datetime | None
    anchor: Anchor
    origin: Origin
    plan_version: int | None = None
    currency: str | None = None
    prices: tuple[PriceEntry, ...] = ()
    terms: TeamTerms = field(default_factory=TeamTerms)


class Defaults(NamedTuple):
    """What a team gets that registers itself with its first event. No plan: it is metered, not billed."""

    plan: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A billing file that was found right: every reference in it leads somewhere.

    `plans` are by the name they are stored under.
    """

    source: str
    metrics: Mapping[str, MetricEntry]
    plans: Mapping[str, PlanEntry]
    teams: Mapping[str, TeamEntry]
    defaults: Defaults
    origin: Origin
    billing: BillingRules = field(default_factory=BillingRules)


class PriceVersion(NamedTuple):
    """A price with the interval in which it holds; None is unbounded.

    `team_id` names the team with which it was agreed; None: it is the plan's.
    """

    id: int
    price: Price
    effective_from: datetime | None
    effective_to: datetime | None
    team_id: str | None = None


class ChangeKind(StrEnum):
    """What happens to a thing of the catalogue.

    `change` begins a new version beside the old one; `correct` replaces a version as if it had never
    been said; `end` ends what is in force, or withdraws what was to come.
    """

    ADD = "add"
    CHANGE = "change"
    CORRECT = "correct"
    END = "end"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the file and the database, in words.

    Attributes:
        kind: what happens.
        subject: to what: `metric api_calls`, `price standard/api_calls`.
        before: what is in force now, key by key; None where nothing is.
        after: what will be; None where it ends.
        effective_from: since when `after` holds; None: from the beginning, or timeless.
        effective_to: when it ends; None: it does not.
        retroactive: whether it changes what past usage counts or costs.
        note: what else should be known.
    """

    kind: ChangeKind
    subject: str
    before: Mapping[str, str] | None = None
    after: Mapping[str, str] | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    retroactive: bool = False
    note: str = ""

    @property
    def lines(self) -> list[str]:
        """Every key that differs, as `key: old → new`, or as `key: value` where only one of them is there."""
        return list(_differences(self.before or {}, self.after or {}))


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for key in [*after, *(key for key in before if key not in after)]:
        old, new = before.get(key), after.get(key)
        if before and after and old != new:
            yield f"{key}: {old or '(none)'} → {new or '(none)'}"
        elif old != new:
            yield f"{key}: {new or old}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would do. `at` is the instant from which undated changes hold."""

    at: datetime
    changes: Sequence[Change]

    @property
    def differences(self) -> list[Change]:
        """The changes without those that change nothing."""
        return [change for change in self.changes if change.kind is not ChangeKind.UNCHANGED]

    @property
    def retroactive(self) -> list[Change]:
        """The changes to what past usage counts or costs."""
        return [change for change in self.changes if change.retroactive]


def instant_text(moment: datetime) -> str:
    """The instant in RFC 3339, UTC: `2026-03-01T00:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
