"""What is stored of a catalogue, as the plan of changes needs it, and what a plan would have written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tallystick.catalog.models import BillingPeriod, Defaults
from tallystick.catalog.subscriptions import Subscription
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


class StoredTeam(NamedTuple):
    """A team with all its subscriptions."""

    name: str
    time_zone: str
    subscriptions: list[Subscription]


class PriceKey(NamedTuple):
    """Which history a price belongs to."""

    plan: str
    metric: str


@dataclass(frozen=True, slots=True)
class State:
    """Everything in force, superseded versions left out; of the teams, those that were asked for."""

    metrics: Mapping[str, StoredMetric]
    plans: Mapping[str, StoredPlan]
    prices: Mapping[PriceKey, list[Version[Price]]]
    teams: Mapping[str, StoredTeam]
    defaults: Defaults


class PlanRow(NamedTuple):
    """A plan as it is to be, not archived."""

    name: str
    currency: str
    period: BillingPeriod


class TeamRow(NamedTuple):
    """A team as it is to be."""

    id: str
    name: str
    time_zone: str


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
    prices: list[tuple[PriceKey, Edits[Price]]] = field(default_factory=list)
    archived_plans: list[str] = field(default_factory=list)
    teams: list[TeamRow] = field(default_factory=list)
    subscriptions: list[SubscriptionEdits] = field(default_factory=list)
