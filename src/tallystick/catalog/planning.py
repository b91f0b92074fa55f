"""From a catalogue and what is stored to the changes between them, in words and as writes. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar

from tallystick.catalog.describe import (
    describe_metric,
    describe_price,
    describe_rules,
    describe_team_terms,
    describe_terms,
)
from tallystick.catalog.errors import CatalogueError, Problem, below
from tallystick.catalog.models import (
    Catalogue,
    Change,
    ChangeKind,
    Defaults,
    MetricEntry,
    Plan,
    PlanEntry,
    PriceEntry,
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
from tallystick.catalog.subscriptions import MisfitError, Subscription, plan_version, subscribe
from tallystick.catalog.terms import TeamTerms, Terms, family_of, version_of
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
    planner.plan_billing()
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
    owned: dict[PriceKey, list[PriceKey]] = field(init=False)

    def __post_init__(self) -> None:
        self.owned = {}
        for key in self.state.prices:
            self.owned.setdefault(key._replace(name=""), []).append(key)

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
        self.writes.metric_versions.append(keeping_the_past(changed, self.now))

    def _still_priced(self, metric: str) -> Iterator[Problem]:
        """Plans that teams are on, and teams, that are not in the file go on to price what they priced."""
        for key, versions in self.state.prices.items():
            if any(v.content.metric == metric and v.end > self.now for v in versions) and self._goes_on(key):
                where = self.catalogue.origin.of("metrics")._replace(key=f"metrics.{metric}")
                owner = f"plan {key.plan}, which teams are on," if key.plan else f"team {key.team_id}"
                yield where.problem(f"can't be removed: {owner} has a price for it")

    def _goes_on(self, key: PriceKey) -> bool:
        """Whether a price stays in force although the file does not name its plan or team."""
        if key.plan is None:
            return key.team_id not in self.catalogue.teams
        return key.plan not in self.catalogue.plans and self.state.plans[key.plan].running

    def plan_plans(self) -> None:
        for name, entry in self.catalogue.plans.items():
            stored = self.state.plans.get(name)
            self._plan_plan(entry, stored)
            self._plan_terms(entry, stored)
            self._plan_prices(entry.prices, PriceKey(name, None, ""), used=bool(stored and stored.subscribed))
        for name in sorted(self.state.plans.keys() - self.catalogue.plans.keys()):
            stored = self.state.plans[name]
            if not stored.archived:
                note = self._archived(name, stored)
                self.changes.append(Change(ChangeKind.END, f"plan {name}", _plan_keys(stored), note=note))
                self.writes.archived_plans.append(name)

    def _archived(self, name: str, stored: StoredPlan) -> str:
        family = [other for other in self.catalogue.plans if family_of(other) == family_of(name)]
        how = f"followed by {', '.join(family)}" if family else "archived"
        return f"{how}; teams on it stay on it" if stored.running else how

    def _plan_plan(self, entry: PlanEntry, stored: StoredPlan | None) -> None:
        before, after = _plan_keys(stored) if stored else None, _plan_keys(entry)
        if stored and stored.subscribed:
            self.problems += _fixed_in_plan(entry, stored)
        restored = bool(stored and stored.archived)
        self._set(f"plan {entry.name}", before, after, note="restored" if restored else "")
        if before != after or restored:
            self.writes.plans.append(PlanRow(entry.name, entry.currency, entry.period))

    def _plan_terms(self, entry: PlanEntry, stored: StoredPlan | None) -> None:
        """Terms are what they are from the beginning of a plan; what changes holds from now."""
        versions = stored.terms if stored else []
        said = versions or entry.terms != Terms()
        subject = f"terms of plan {entry.name}"
        changed = self._follow(subject, versions, [Entry(entry.terms, None)], describe_terms, told=bool(said))
        self.writes.plan_terms.append((entry.name, changed))

    def _plan_prices(self, entries: Sequence[PriceEntry], owner: PriceKey, *, used: bool) -> None:
        """Follow each name's history; what is stored of the owner (a key without a name) and not in the file ends."""
        stored = self.owned.get(owner, [])
        named: dict[PriceKey, list[Entry[Price]]] = {}
        for each in entries:
            key = owner._replace(name=each.price.label)
            named.setdefault(key, []).append(Entry(each.price, each.effective_from, each.effective_to))
        for key in [*named, *sorted(set(stored) - named.keys())]:
            stored_versions = self.state.prices.get(key, [])
            changed = self._follow(key.subject, stored_versions, named.get(key), describe_price, used=used)
            self.writes.prices.append((key, keeping_the_past(changed, self.now)))

    def plan_teams(self) -> None:
        for team_id, entry in self.catalogue.teams.items():
            stored = self.state.teams.get(team_id)
            row = self._team_row(entry, stored)
            before = _team_keys(TeamRow(team_id, stored.name, stored.time_zone, stored.currency)) if stored else None
            self._set(f"team {team_id}", before, _team_keys(row))
            if before != _team_keys(row):
                self.writes.teams.append(row)
            if entry.plan:
                self._plan_subscription(entry, entry.plan, row, stored)
            self._plan_team_terms(entry, stored)
            self._plan_prices(entry.prices, PriceKey(None, team_id, ""), used=bool(stored and stored.subscriptions))

    def _team_row(self, entry: TeamEntry, stored: StoredTeam | None) -> TeamRow:
        """What the file does not say stays as it is; for a new team, the defaults."""
        present = stored or StoredTeam(entry.id, self.catalogue.defaults.time_zone, [])
        name, time_zone = entry.name or present.name, entry.time_zone or present.time_zone
        return TeamRow(entry.id, name, time_zone, entry.currency or present.currency, new=stored is None)

    def _plan_team_terms(self, entry: TeamEntry, stored: StoredTeam | None) -> None:
        """What is agreed with a new team holds from the beginning, with another from now: until now it was nothing."""
        versions = list(stored.terms) if stored else []
        if not versions and entry.terms == TeamTerms():
            return
        before = versions or ([Version(TeamTerms())] if stored else [])
        subject, wanted = f"terms of team {entry.id}", [Entry(entry.terms, None)]
        self.writes.team_terms.append((entry.id, self._follow(subject, before, wanted, describe_team_terms)))

    def _plan_subscription(self, entry: TeamEntry, plan: str, row: TeamRow, stored: StoredTeam | None) -> None:
        held = stored.subscriptions if stored else []
        try:
            version = plan_version(entry, plan, held, self._known_plans(plan), self.now)
            settled = stored.settled_until if stored else None
            wanted, changes = subscribe(entry, version, row.time_zone, held, self.now, settled_until=settled)
        except MisfitError as misfit:
            self.problems.append(misfit.problem)
            return
        self.problems += self._other_currency(entry, version)
        self.changes += changes
        if any(change.kind is not ChangeKind.UNCHANGED for change in changes):
            self.writes.subscriptions.append(_subscription_edits(entry.id, held, wanted))

    def _known_plans(self, family: str) -> Sequence[str]:
        """The versions of a plan: those of the file, newest last, and before them those that only are stored."""
        ours = sorted((name for name in self.catalogue.plans if family_of(name) == family), key=version_of)
        stored = (name for name in self.state.plans if family_of(name) == family and name not in ours)
        return [*sorted(stored, key=version_of), *ours]

    def _other_currency(self, entry: TeamEntry, plan: str) -> Iterator[Problem]:
        """Prices agreed with a team have to be in the currency of the plan that it turns out to be on."""
        known = self.catalogue.plans.get(plan) or self.state.plans[plan]
        for price in entry.prices:
            if price.price.currency != known.currency:
                message = f"is {price.price.currency}, but plan {plan}, which the team is on, is in {known.currency}"
                yield price.origin.of("currency").problem(message)

    def plan_defaults(self) -> None:
        self._set("defaults", _default_keys(self.state.defaults), _default_keys(self.catalogue.defaults))

    def plan_billing(self) -> None:
        """The rules hold from the moment that a file with them is applied."""
        self._set("billing", describe_rules(self.state.billing), describe_rules(self.catalogue.billing))

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
        *,
        told: bool = True,
        used: bool = False,
    ) -> Edits[C]:
        """Bring the versions in line with the entries; without any, end them.

        `told`: whether changes are shown. `used`: see `Timeline`.
        """
        timeline = Timeline(self.now, list(versions), used)
        if entries:
            timeline.follow(entries)
        else:
            timeline.finish()
        shifts = sorted(timeline.shifts, key=lambda shift: shift.start)
        self.changes += [_shown(subject, shift, describe) for shift in shifts if told]
        if entries and not timeline.shifts:
            self.changes.append(Change(ChangeKind.UNCHANGED, subject))
        return edits(versions, timeline.versions)


def _shown(subject: str, shift: Shift[C], describe: Callable[[C], dict[str, str]]) -> Change:
    """A shift of versions in words."""
    began_before = shift.kind is ChangeKind.END and not shift.withdrawn
    unlike = shift.before is None or shift.after is None or shift.before != shift.after
    same = "prolonged" if shift.prolonged else "on the same terms"
    note = "withdrawn before it took effect" if shift.withdrawn else "" if unlike else same
    return Change(
        kind=shift.kind,
        subject=subject,
        before=None if shift.before is None else describe(shift.before),
        after=None if shift.after is None else describe(shift.after),
        effective_from=None if shift.start == BEGINNING or shift.prolonged or began_before else shift.start,
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
            hint = f"because teams were on the plan; define version {version_of(entry.name) + 1} of it"
            message = f"is {before} and can't become {after}, {hint}"
            yield entry.origin.of(key)._replace(key=below(entry.origin.position.key, key)).problem(message)


def _plan_keys(plan: PlanEntry | StoredPlan) -> dict[str, str]:
    return {"currency": plan.currency, "period": str(plan.period)}


def _team_keys(team: TeamRow) -> dict[str, str]:
    currency = {"currency": team.currency} if team.currency else {}
    return {"name": team.name, "time_zone": team.time_zone, **currency}


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
