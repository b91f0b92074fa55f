"""Which plan a team is on, since when: what the file says, against the subscriptions there are. Pure.

The file decides for the teams it names. One plan follows another at `start`, or now if `start` is older
than the present subscription or not given. A subscription that was ended stays ended, so that nobody is
billed who left, until a `start` after its end begins another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from tallystick.catalog.errors import Problem
from tallystick.catalog.models import Anchor, Change, ChangeKind, TeamEntry, instant_text
from tallystick.catalog.terms import family_of, versioned
from tallystick.core.clock import local_midnight, zone


@dataclass(frozen=True, slots=True)
class Subscription:
    """A team on a plan in `[start, end)`; without an end, until further notice. `id` is None until stored."""

    plan: str
    anchor: Anchor
    start: datetime
    end: datetime | None = None
    id: int | None = None

    def same_terms(self, other: "Subscription") -> bool:
        """Whether the other bills alike."""
        return (self.plan, self.anchor) == (other.plan, other.anchor)

    def described(self) -> dict[str, str]:
        """What a plan of changes shows of it."""
        ends = {"end": instant_text(self.end)} if self.end else {}
        return {"plan": self.plan, "anchor": str(self.anchor), **ends}


class Wanted(NamedTuple):
    """What the file says of one team: the terms, and since when if it says so."""

    entry: TeamEntry
    terms: Subscription
    start: datetime | None
    now: datetime

    def changed(self, kind: ChangeKind, before: Subscription | None, after: Subscription | None) -> Change:
        """A change to the team's subscription."""
        return Change(
            kind,
            f"subscription {self.entry.id}",
            before.described() if before else None,
            after.described() if after else None,
            effective_from=after.start if after else None,
        )


class Outcome(NamedTuple):
    """A team's subscriptions as they should be, and what that changes."""

    subscriptions: list[Subscription]
    changes: list[Change]


class MisfitError(Exception):
    """The file asks for a subscription that can't follow the ones there are."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def plan_version(
    entry: TeamEntry, family: str, held: Sequence[Subscription], known: Sequence[str], now: datetime
) -> str:
    """Which version of its plan the team is to be on: the one that is asked for, else its present one.

    A team that is on no version of the plan gets the newest of the file, which is the last of those `known`.

    Raises:
        MisfitError: there is no such version.
    """
    if entry.plan_version is not None:
        wanted = versioned(family, entry.plan_version)
        if wanted not in known:
            message = f"plan {family} has no version {entry.plan_version}"
            raise MisfitError(entry.origin.of("plan_version").problem(message))
        return wanted
    present = [s.plan for s in held if family_of(s.plan) == family and (s.end is None or s.end > now)]
    return present[-1] if present else known[-1]


def subscribe(
    entry: TeamEntry,
    plan: str,
    time_zone: str,
    held: Sequence[Subscription],
    now: datetime,
    *,
    settled_until: datetime | None = None,
) -> Outcome:
    """The team's subscriptions with what the file says of it.

    Args:
        entry: what the file says.
        plan: the stored name of the plan it comes to.
        time_zone: the team's.
        held: its subscriptions, ended ones too.
        now: when the file is applied.
        settled_until: up to when the team's billing periods are closed and stay as they are.

    Raises:
        MisfitError: a start before the team's first subscription, an end before its start, or a change in a
            billing period that is closed.
    """
    start, end = _instant(entry.start, time_zone), _instant(entry.end, time_zone)
    wanted = Wanted(entry, Subscription(plan, entry.anchor, start or now, end), start, now)
    outcome = _follow(wanted, sorted(held, key=lambda subscription: subscription.start))
    for subscription in outcome.subscriptions:
        if subscription.end and subscription.end <= subscription.start:
            message = f"must be after the start, {instant_text(subscription.start)}"
            raise MisfitError(entry.origin.of("end").problem(message))
    _refuse_settled(entry, held, outcome.subscriptions, settled_until)
    return outcome


def _refuse_settled(
    entry: TeamEntry, before: Sequence[Subscription], after: Sequence[Subscription], settled_until: datetime | None
) -> None:
    """Refuse a subscription that begins or ends otherwise than it did while periods there are closed."""
    if settled_until is None:
        return
    changed = {(s.plan, s.anchor, bound) for s in before for bound in (s.start, s.end)} ^ {
        (s.plan, s.anchor, bound) for s in after for bound in (s.start, s.end)
    }
    first = min((bound for *_, bound in changed if bound is not None), default=settled_until)
    if first < settled_until:
        closed = f"the team's billing periods are closed up to {instant_text(settled_until)}"
        key = "end" if first in [s.end for s in after] and entry.end else "start"
        raise MisfitError(entry.origin.of(key).problem(f"can't change at {instant_text(first)}: {closed}"))


def _instant(moment: date | datetime | None, time_zone: str) -> datetime | None:
    """The instant; of a date, when its midnight is in the zone."""
    if moment is None or isinstance(moment, datetime):
        return moment
    return local_midnight(moment, zone(time_zone))


def _follow(wanted: Wanted, held: list[Subscription]) -> Outcome:
    if not held:
        return Outcome([wanted.terms], [wanted.changed(ChangeKind.ADD, None, wanted.terms)])
    latest = held[-1]
    if latest.start > wanted.now:
        return _before_it_begins(wanted, held)
    _refuse_moving_back(wanted, held[0])
    if latest.end and latest.end <= wanted.now:
        return _after_it_ended(wanted, held)
    if latest.same_terms(wanted.terms) and (wanted.start is None or wanted.start <= latest.start):
        return _keep(wanted, held)
    return _switch(wanted, held)


def _before_it_begins(wanted: Wanted, held: list[Subscription]) -> Outcome:
    """What has not begun can still be taken back without a trace."""
    latest, earlier = held[-1], held[:-1]
    if latest.same_terms(wanted.terms) and wanted.start in (None, latest.start):
        return _keep(wanted, held)
    if earlier and earlier[-1].end == latest.start:
        earlier[-1] = replace(earlier[-1], end=None)
    subscriptions, changes = _follow(wanted, earlier)
    note = f"withdrawn before it began at {instant_text(latest.start)}"
    return Outcome(subscriptions, [replace(wanted.changed(ChangeKind.END, latest, None), note=note), *changes])


def _after_it_ended(wanted: Wanted, held: list[Subscription]) -> Outcome:
    ended = held[-1].end
    if wanted.start and ended and wanted.start >= ended:
        change = wanted.changed(ChangeKind.ADD, None, wanted.terms)
        return Outcome([*held, wanted.terms], [change])
    if held[-1].same_terms(wanted.terms):
        return _keep(wanted, held)
    return Outcome(held, [wanted.changed(ChangeKind.UNCHANGED, held[-1], held[-1])])


def _keep(wanted: Wanted, held: list[Subscription]) -> Outcome:
    """The same subscription goes on; only its end may be another."""
    latest, end = held[-1], wanted.terms.end
    if end is None or end == latest.end:
        return Outcome(held, [wanted.changed(ChangeKind.UNCHANGED, latest, latest)])
    kept = replace(latest, end=end)
    past = min(end, latest.end or end) < wanted.now
    change = replace(wanted.changed(ChangeKind.CHANGE, latest, kept), retroactive=past)
    return Outcome([*held[:-1], kept], [change])


def _switch(wanted: Wanted, held: list[Subscription]) -> Outcome:
    """The present subscription ends where one on other terms begins."""
    latest = held[-1]
    at = wanted.start if wanted.start and wanted.start > latest.start else wanted.now
    still_ends = latest.end if latest.end and latest.end > at else None
    following = replace(wanted.terms, start=at, end=wanted.terms.end or still_ends)
    ended = replace(latest, end=min(at, latest.end or at))
    before = [*held[:-1], ended] if latest.start < at else held[:-1]
    change = replace(wanted.changed(ChangeKind.CHANGE, latest, following), retroactive=at < wanted.now)
    return Outcome([*before, following], [change])


def _refuse_moving_back(wanted: Wanted, first: Subscription) -> None:
    if wanted.start and wanted.start < first.start:
        message = f"can't move back: the team's first subscription began at {instant_text(first.start)}"
        raise MisfitError(wanted.entry.origin.of("start").problem(message))
