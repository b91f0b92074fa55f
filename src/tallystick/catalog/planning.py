"""From a catalogue and what is stored to the changes between them, in words and as writes. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar

from tallystick.catalog.describe import describe_metric, describe_price
from tallystick.catalog.errors import CatalogueError, Problem
from tallystick.catalog.models import (
    Catalogue,
    Change,
    ChangeKind,
    Defaults,
    MetricEntry,
    Plan,
    PlanEntry,
    TeamEntry,
)
from tallystick.catalog.state import (
    PlanRow,
    PriceKey,
    State,
    StoredMetric,
    StoredPlan,
    StoredTeam,
    SubscriptionEdits,
    TeamRow,
    Writes,
)
from tallystick.catalog.subscriptions import MisfitError, Subscription, subscribe
from tallystick.catalog.timeline import (
    BEGINNING,
    END,
    Edits,
    Entry,
    Shift,
    Timeline,
    Version,
    edits,
    keeping_the_past,
)
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import Price

C = TypeVar("C")


class Draft(NamedTuple):
    """A plan of changes with the writes that make it true."""

    plan: Plan
    writes: Writes


def draft(catalogue: Catalogue, state: State, now: datetime) -> Draft:
    """What applying the catalogue at `now` would change.

    Raises:
        CatalogueError: the file asks for what can't change any more; all such problems, with their lines.
    """
    planner = _Planner(catalogue, state, now)
    planner.plan_metrics()
    planner.plan_plans()
    planner.plan_teams()
    planner.plan_defaults()
    if planner.problems:
        raise CatalogueError(planner.problems)
    return Draft(Plan(now, planner.changes), planner.writes)


@dataclass(slots=True)
class _Planner:
    """Gathers changes, problems and writes, one kind of thing after the other."""

    catalogue: Catalogue
    state: State
    now: datetime
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    writes: Writes = field(default_factory=Writes)

    def plan_metrics(self) -> None:
        for name, entry in self.catalogue.metrics.items():
            stored = self.state.metrics.get(name)
            if stored is None:
                self.writes.metrics.append(entry.definition)
            else:
                self.problems += _fixed_in_metric(entry, stored)
            self._plan_metric(name, [Entry(entry.definition, entry.effective_from)])
        for name in sorted(self.state.metrics.keys() - self.catalogue.metrics.keys()):
            self.problems += self._still_priced(name)
            self._plan_metric(name, None)

    def _plan_metric(self, name: str, entries: Sequence[Entry[MetricDefinition]] | None) -> None:
        stored = self.state.metrics.get(name)
        versions = stored.versions if stored else []
        changed = self._follow(f"metric {name}", versions, entries, describe_metric)
        self.writes.metric_versions.append(changed)

    def _still_priced(self, metric: str) -> Iterator[Problem]:
        """A plan that is not in the file, but has teams on it, goes on to price what it priced."""
        for key, versions in self.state.prices.items():
            gone = key.plan not in self.catalogue.plans and self.state.plans[key.plan].running
            if key.metric == metric and gone and any(version.end > self.now for version in versions):
                where = self.catalogue.origin.of("metrics")._replace(key=f"metrics.{metric}")
                message = f"can't be removed: plan {key.plan}, which teams are on, has a price for it"
                yield where.problem(message)

    def plan_plans(self) -> None:
        for name, entry in self.catalogue.plans.items():
            self._plan_plan(entry, self.state.plans.get(name))
            self._plan_prices(entry)
        for name in sorted(self.state.plans.keys() - self.catalogue.plans.keys()):
            stored = self.state.plans[name]
            if not stored.archived:
                note = "archived; teams on it stay on it" if stored.running else "archived"
                self.changes.append(Change(ChangeKind.END, f"plan {name}", _plan_keys(stored), note=note))
                self.writes.archived_plans.append(name)

    def _plan_plan(self, entry: PlanEntry, stored: StoredPlan | None) -> None:
        before, after = _plan_keys(stored) if stored else None, _plan_keys(entry)
        if stored and stored.subscribed:
            self.problems += _fixed_in_plan(entry, stored)
        restored = bool(stored and stored.archived)
        self._set(f"plan {entry.name}", before, after, note="restored" if restored else "")
        if before != after or restored:
            self.writes.plans.append(PlanRow(entry.name, entry.currency, entry.period))

    def _plan_prices(self, entry: PlanEntry) -> None:
        priced: dict[str, list[Entry[Price]]] = {}
        for price in entry.prices:
            priced.setdefault(price.price.metric, []).append(Entry(price.price, price.effective_from))
        stored = [key.metric for key in self.state.prices if key.plan == entry.name]
        for metric in [*priced, *sorted(set(stored) - priced.keys())]:
            key = PriceKey(entry.name, metric)
            versions = self.state.prices.get(key, [])
            subject = f"price {entry.name}/{metric}"
            changed = self._follow(subject, versions, priced.get(metric), describe_price)
            self.writes.prices.append((key, keeping_the_past(changed, self.now)))

    def plan_teams(self) -> None:
        for team_id, entry in self.catalogue.teams.items():
            stored = self.state.teams.get(team_id)
            row = self._team_row(entry, stored)
            before = _team_keys(TeamRow(team_id, stored.name, stored.time_zone)) if stored else None
            self._set(f"team {team_id}", before, _team_keys(row))
            if before != _team_keys(row):
                self.writes.teams.append(row)
            if entry.plan:
                self._plan_subscription(entry, entry.plan, row, stored.subscriptions if stored else [])

    def _team_row(self, entry: TeamEntry, stored: StoredTeam | None) -> TeamRow:
        """What the file does not say stays as it is; for a new team, the defaults."""
        present = stored or StoredTeam(entry.id, self.catalogue.defaults.time_zone, [])
        return TeamRow(entry.id, entry.name or present.name, entry.time_zone or present.time_zone)

    def _plan_subscription(self, entry: TeamEntry, plan: str, row: TeamRow, held: list[Subscription]) -> None:
        try:
            wanted, changes = subscribe(entry, plan, row.time_zone, held, self.now)
        except MisfitError as misfit:
            self.problems.append(misfit.problem)
            return
        self.changes += changes
        if any(change.kind is not ChangeKind.UNCHANGED for change in changes):
            self.writes.subscriptions.append(_subscription_edits(entry.id, held, wanted))

    def plan_defaults(self) -> None:
        self._set("defaults", _default_keys(self.state.defaults), _default_keys(self.catalogue.defaults))

    def _set(self, subject: str, before: Mapping[str, str] | None, after: Mapping[str, str], *, note: str = "") -> None:
        """Note the change of something that has no versions."""
        kind = ChangeKind.CHANGE if before != after or note else ChangeKind.UNCHANGED
        kind = ChangeKind.ADD if before is None else kind
        self.changes.append(Change(kind, subject, before, after, note=note))

    def _follow(
        self,
        subject: str,
        versions: Sequence[Version[C]],
        entries: Sequence[Entry[C]] | None,
        describe: Callable[[C], dict[str, str]],
    ) -> Edits[C]:
        """Bring the versions in line with the entries; without any, end them."""
        timeline = Timeline(self.now, list(versions))
        if entries:
            timeline.follow(entries)
        else:
            timeline.finish()
        shifts = sorted(timeline.shifts, key=lambda shift: shift.start)
        self.changes += [_shown(subject, shift, describe) for shift in shifts]
        if entries and not timeline.shifts:
            self.changes.append(Change(ChangeKind.UNCHANGED, subject))
        return edits(versions, timeline.versions)


def _shown(subject: str, shift: Shift[C], describe: Callable[[C], dict[str, str]]) -> Change:
    """A shift of versions in words."""
    ended = shift.kind is ChangeKind.END
    unlike = shift.before is None or shift.after is None or shift.before != shift.after
    note = "withdrawn before it took effect" if shift.withdrawn else "" if unlike else "on the same terms"
    return Change(
        kind=shift.kind,
        subject=subject,
        before=None if shift.before is None else describe(shift.before),
        after=None if shift.after is None else describe(shift.after),
        effective_from=None if shift.start == BEGINNING or (ended and not shift.withdrawn) else shift.start,
        effective_to=None if shift.end == END or shift.withdrawn else shift.end,
        retroactive=shift.retroactive,
        note=note,
    )


def _fixed_in_metric(entry: MetricEntry, stored: StoredMetric) -> Iterator[Problem]:
    """What a metric adds up and in which unit never changes: its history could not be read any more."""
    definition = entry.definition
    for key, before, after in (
        ("aggregation", stored.aggregation, str(definition.aggregation)),
        ("unit", stored.unit, definition.unit),
    ):
        if before != after:
            message = f"is {before} and can't become {after}; define a metric with another name"
            yield entry.origin.of(key)._replace(key=f"metrics.{definition.name}.{key}").problem(message)


def _fixed_in_plan(entry: PlanEntry, stored: StoredPlan) -> Iterator[Problem]:
    """Currency and period don't change once a team was billed by them."""
    for key, before, after in (
        ("currency", stored.currency, entry.currency),
        ("period", str(stored.period), str(entry.period)),
    ):
        if before != after:
            message = f"is {before} and can't become {after}, because teams were on the plan; define a new one"
            yield entry.origin.of(key)._replace(key=f"plans.{entry.name}.{key}").problem(message)


def _plan_keys(plan: PlanEntry | StoredPlan) -> dict[str, str]:
    return {"currency": plan.currency, "period": str(plan.period)}


def _team_keys(team: TeamRow) -> dict[str, str]:
    return {"name": team.name, "time_zone": team.time_zone}


def _default_keys(defaults: Defaults) -> dict[str, str]:
    plan = {"plan": defaults.plan} if defaults.plan else {}
    return {**plan, "time_zone": defaults.time_zone}


def _subscription_edits(
    team_id: str, before: Sequence[Subscription], after: Sequence[Subscription]
) -> SubscriptionEdits:
    ends = {subscription.id: subscription.end for subscription in before}
    kept = {subscription.id for subscription in after}
    return SubscriptionEdits(
        team_id,
        deleted=[s.id for s in before if s.id is not None and s.id not in kept],
        ended=[s for s in after if s.id is not None and s.end != ends[s.id]],
        inserted=[s for s in after if s.id is None],
    )
