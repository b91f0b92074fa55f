"""What is stored of a catalogue, as the plan of changes needs it, and what a plan would have written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tallystick.catalog.models import BillingPeriod, BillingRules, Defaults
from tallystick.catalog.subscriptions import Subscription
from tallystick.catalog.terms import TeamTerms, Terms
from tallystick.catalog.timeline import Edits, Version
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import Price


class StoredMetric(NamedTuple):
    """A metric: what can't change about it, and its versions."""

    aggregation: str
    unit: str
    versions: list[Version[MetricDefinition]]


class StoredPlan(NamedTuple):
    """A plan. `subscribed`: a team was ever on it; `running`: one is, or will be."""

    currency: str
    period: BillingPeriod
    archived: bool
    subscribed: bool
    running: bool
    terms: list[Version[Terms]]


class StoredTeam(NamedTuple):
    """A team with all its subscriptions.

    `settled_until`: up to when its billing periods can't change any more; None: all can.
    """

    name: str
    time_zone: str
    subscriptions: list[Subscription]
    currency: str | None = None
    settled_until: datetime | None = None
    terms: Sequence[Version[TeamTerms]] = ()


class PriceKey(NamedTuple):
    """Which history a price belongs to: its name, and either the plan or the team that it is of."""

    plan: str | None
    team_id: str | None
    name: str

    @property
    def subject(self) -> str:
        """What a plan of changes calls it."""
        return f"price {self.plan}/{self.name}" if self.plan else f"price of team {self.team_id}/{self.name}"


@dataclass(frozen=True, slots=True)
class State:
    """Everything in force, superseded versions left out; of the teams, those that were asked for."""

    metrics: Mapping[str, StoredMetric]
    plans: Mapping[str, StoredPlan]
    prices: Mapping[PriceKey, list[Version[Price]]]
    teams: Mapping[str, StoredTeam]
    defaults: Defaults
    billing: BillingRules = field(default_factory=BillingRules)


class PlanRow(NamedTuple):
    """A plan as it is to be, not archived."""

    name: str
    currency: str
    period: BillingPeriod


class TeamRow(NamedTuple):
    """A team as it is to be; `new`: there was none of its id."""

    id: str
    name: str
    time_zone: str
    currency: str | None = None
    new: bool = False


class SubscriptionEdits(NamedTuple):
    """Of one team: ids to delete, subscriptions whose end is another, and subscriptions to insert."""

    team_id: str
    deleted: list[int]
    ended: list[Subscription]
    inserted: list[Subscription]


@dataclass(slots=True)
class Writes:
    """What applying a plan of changes writes, in the order of the fields."""

    metrics: list[MetricDefinition] = field(default_factory=list)
    metric_versions: list[Edits[MetricDefinition]] = field(default_factory=list)
    plans: list[PlanRow] = field(default_factory=list)
    plan_terms: list[tuple[str, Edits[Terms]]] = field(default_factory=list)
    archived_plans: list[str] = field(default_factory=list)
    teams: list[TeamRow] = field(default_factory=list)
    team_terms: list[tuple[str, Edits[TeamTerms]]] = field(default_factory=list)
    prices: list[tuple[PriceKey, Edits[Price]]] = field(default_factory=list)
    subscriptions: list[SubscriptionEdits] = field(default_factory=list)
