"""What becomes of a team's subscription: it starts, changes its plan, pauses, goes on, ends.

A team is on one plan at a time. Every move holds the team's lock until it is written, so that two of them follow
each other, and the database refuses subscriptions that overlap. Up to the end of the last closed billing period
nothing moves any more.

A change of plan ends one subscription and begins another that goes on with the anniversaries, the rest of the
trial and the planned end of the first. A pause belongs to the team: it goes on over a change of plan.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, takewhile

from psycopg.errors import ExclusionViolation

from tallystick.billing.teams import store
from tallystick.billing.teams.finding import check_instant, required_plan, required_subscription, required_team
from tallystick.billing.teams.models import Pause, Subscription, Team, Terms, When
from tallystick.catalog.models import Anchor
from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.http.answers import rfc3339
from tallystick.metering.seal import recording_at
from tallystick.storage.database import Connection, Database

LONGEST_TRIAL = 3650
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Hold:
    """A team whose subscriptions nobody else changes until the transaction ends.

    Attributes:
        tx: the transaction.
        team: the team.
        now: when the move is made.
        settled: up to when its billing periods are closed; None: none is.
    """

    tx: Connection
    team: Team
    now: datetime
    settled: datetime | None

    async def instant(self, when: When) -> datetime:
        """The instant at which a move takes effect.

        Raises:
            InvalidInput: outside of the years that are kept.
            Conflict: in a closed billing period; or at the end of a period, and none is running.
        """
        if isinstance(when, datetime):
            check_instant(when, "when")
        at = when if isinstance(when, datetime) else self.now
        if when == "period_end":
            period = (await self.in_force(self.now)).period_containing(self.now, self.team.zone)
            assert period is not None
            at = period.end
        self.refuse_settled(at)
        return at

    def refuse_settled(self, at: datetime) -> None:
        """Refuse what would change a closed billing period.

        Raises:
            Conflict: the instant lies in one.
        """
        if self.settled is not None and at < self.settled:
            until = rfc3339(self.settled)
            raise Conflict(f"team {self.team.id!r} is billed up to {until}; choose that instant or a later one")

    async def held(self, during: Interval = store.EVER) -> Sequence[Subscription]:
        """The team's subscriptions of an interval, oldest first."""
        return await store.subscriptions(self.tx, self.team.id, during)

    async def in_force(self, at: datetime) -> Subscription:
        """The subscription in force at an instant.

        Raises:
            Conflict: there is none.
        """
        for each in await self.held(Interval(at, at + datetime.resolution)):
            return each
        raise Conflict(f"team {self.team.id!r} has no subscription in force at {rfc3339(at)}; start one")

    async def reread(self, subscription: Subscription) -> Subscription:
        """The subscription as it is now."""
        return await required_subscription(self.tx, self.team.id, subscription.id)

    async def withdraw_following(self, at: datetime) -> None:
        """Take back the moves that were to begin at the instant or later, each where the one before it ends.

        Raises:
            Conflict: one of them has begun, after the instant.
        """
        behind = [each for each in await self.held() if each.ends_at is None or each.ends_at >= at]
        joined = takewhile(lambda pair: pair[0].ends_at == pair[1].starts_at, pairwise(behind))
        for each in reversed([later for _, later in joined if later.starts_at >= at]):
            if each.starts_at > self.now:
                await store.withdraw_subscription(self.tx, each)
            elif each.starts_at > at:
                raise Conflict(f"team {self.team.id!r} {_began(each)}; choose that instant or a later one")

    async def ending_at(self, at: datetime) -> Subscription:
        """The subscription that ends where something ends at the instant: in force before it, or from it on.

        Raises:
            Conflict: there is none.
        """
        around = await self.held(Interval(at - datetime.resolution, at + datetime.resolution))
        return around[0] if around and at > self.now else await self.in_force(at)


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves of subscriptions in one installation."""

    database: Database
    clock: Clock

    async def start(self, team_id: str, terms: Terms) -> Subscription:
        """Put a team on a plan. The subscription in force when this one starts ends there.

        Without a version it gets the newest one. Without a word about a trial it has what is left of the trial of the
        subscription that it takes over from, else the plan's, if the team was never on the plan before.

        Raises:
            NotFound: there is no such team.
            InvalidInput: no such plan or version, an end that is not after the start, or a trial that can't be.
            Conflict: another one starts while this one would run, or the start lies in a closed billing period.
        """
        async with self._hold(team_id) as hold:
            interval = _checked_interval(terms.starts_at or hold.now, terms.ends_at)
            _check_terms(terms, interval.start)
            plan = await required_plan(hold.tx, terms.plan, terms.plan_version)
            hold.refuse_settled(interval.start)
            await _make_room(hold, interval)
            values = {
                "team_id": team_id,
                "plan": plan,
                "starts_at": interval.start,
                "ends_at": terms.ends_at,
                "anchor": str(terms.anchor),
                "anchored_at": terms.anchored_at or interval.start,
                "trial_days": terms.trial_days,
                "trial_ends_at": terms.trial_ends_at,
                "created_at": hold.now,
            }
            return await required_subscription(hold.tx, team_id, await store.insert_subscription(hold.tx, values))

    async def change(self, team_id: str, plan: str, *, version: int | None = None, when: When = "now") -> Subscription:
        """Move a team to another plan, or to another version of its plan; gives the subscription that it is on then.

        Moves that were to follow are taken back. To the plan that it is on: nothing else happens.

        Raises:
            NotFound: there is no such team.
            InvalidInput: no such plan or version.
            Conflict: no subscription is in force then, another one began since, or the period is closed.
        """
        async with self._hold(team_id) as hold:
            at = await hold.instant(when)
            await hold.withdraw_following(at)
            present = await hold.in_force(at)
            wanted = await required_plan(hold.tx, plan, version, present=present.plan)
            if present.plan == wanted:
                return present
            if present.starts_at == at:
                await store.replace_plan(hold.tx, present.id, wanted)
                return await hold.reread(present)
            return await _follow(hold, present, wanted, at)

    async def pause(self, team_id: str, *, when: When = "now", until: datetime | None = None) -> Subscription:
        """Charge a team nothing from an instant on; without an end, until it is resumed. Usage goes on to be metered.

        Raises:
            NotFound: there is no such team.
            InvalidInput: an end that is not after the start.
            Conflict: no subscription is in force then, it is paused already, or the period is closed.
        """
        async with self._hold(team_id) as hold:
            at = await hold.instant(when)
            check_instant(until, "until")
            if until is not None and until <= at:
                raise InvalidInput(f"until must be after the pause begins, {rfc3339(at)}", field="until")
            present = await hold.in_force(at)
            await store.end_stale_pauses(hold.tx, team_id, hold.now)
            for stored in await store.pauses_after(hold.tx, team_id, at):
                if until is None or stored.pause.starts_at < until:
                    since = rfc3339(stored.pause.starts_at)
                    raise Conflict(f"team {team_id!r} has a pause from {since} on already; resume it first")
            await store.insert_pause(hold.tx, team_id, Pause(at, until), hold.now)
            return await hold.reread(present)

    async def resume(self, team_id: str, *, when: When = "now") -> Subscription:
        """End a team's pause; where none is running then, take back the next one that is planned.

        Raises:
            NotFound: there is no such team.
            Conflict: it has no pause, no subscription is in force then, or the period is closed.
        """
        async with self._hold(team_id) as hold:
            at = await hold.instant(when)
            present = await hold.in_force(at)
            await store.end_stale_pauses(hold.tx, team_id, hold.now)
            stored = next(iter(await store.pauses_after(hold.tx, team_id, at)), None)
            if stored is None:
                raise Conflict(f"team {team_id!r} is not paused at {rfc3339(at)}")
            await store.supersede_pause(hold.tx, stored, hold.now)
            if stored.pause.starts_at < at:
                await store.insert_pause(hold.tx, team_id, Pause(stored.pause.starts_at, at), hold.now)
            return await hold.reread(present)

    async def cancel(
        self, team_id: str, *, when: When = "period_end", reason: str | None = None
    ) -> Subscription | None:
        """End a team's subscription. Moves that were to follow are taken back.

        Gives the subscription that ends; None: it had not begun, and is taken back.

        Raises:
            NotFound: there is no such team.
            InvalidInput: a reason that is too long.
            Conflict: no subscription is in force then, another one began since, or the period is closed.
        """
        if reason is not None and len(reason) > LONGEST_REASON:
            raise InvalidInput(f"reason must have at most {LONGEST_REASON} characters", field="reason")
        async with self._hold(team_id) as hold:
            at = await hold.instant(when)
            await hold.withdraw_following(at)
            ending = await hold.ending_at(at)
            if ending.starts_at >= at:
                await _take_back(hold, ending)
                return None
            await store.end_subscription(hold.tx, ending.id, at, canceled_at=hold.now, reason=reason)
            return await hold.reread(ending)

    async def keep(self, team_id: str) -> Subscription:
        """Take back a cancellation that has not taken effect.

        Raises:
            NotFound: there is no such team.
            Conflict: there is no such cancellation.
        """
        async with self._hold(team_id) as hold:
            for each in await hold.held(Interval(hold.now, store.EVER.end)):
                if each.canceled_at is not None and each.ends_at is not None:
                    await store.resume_subscription(hold.tx, team_id, each.ends_at)
                    return await hold.reread(each)
        raise Conflict(f"team {team_id!r} has no cancellation that could be taken back")

    async def try_until(self, team_id: str, ends_at: datetime | None) -> Subscription:
        """Let the trial of the subscription in force end at another instant; None: there is none, from its start on.

        Raises:
            NotFound: there is no such team.
            InvalidInput: an end that is not after the start of the subscription.
            Conflict: no subscription is in force, or a closed period would be charged otherwise.
        """
        async with self._hold(team_id) as hold:
            check_instant(ends_at, "ends_at")
            present = await hold.in_force(hold.now)
            if ends_at is not None and ends_at <= present.starts_at:
                start = rfc3339(present.starts_at)
                raise InvalidInput(
                    f"ends_at must be after the start, {start}; without it there is none", field="ends_at"
                )
            bounds = [max(each or present.starts_at, present.starts_at) for each in (present.trial_ends_at, ends_at)]
            if bounds[0] != bounds[1]:
                hold.refuse_settled(min(bounds))
                await store.end_trial(hold.tx, present.id, ends_at)
            return await hold.reread(present)

    async def end(self, team_id: str, subscription_id: int) -> None:
        """End a subscription now. One that has not begun is taken back; one that has ended stays as it is.

        Raises:
            NotFound: the team has no such subscription.
            Conflict: the billing period is closed.
        """
        async with self._hold(team_id) as hold:
            subscription = await required_subscription(hold.tx, team_id, subscription_id)
            if subscription.starts_at >= hold.now:
                await _take_back(hold, subscription)
            elif subscription.ends_at is None or subscription.ends_at > hold.now:
                hold.refuse_settled(hold.now)
                await store.end_subscription(hold.tx, subscription_id, hold.now, canceled_at=hold.now)

    @asynccontextmanager
    async def _hold(self, team_id: str) -> AsyncIterator[Hold]:
        try:
            async with self.database.transaction() as tx:
                team = await required_team(tx, team_id, lock=True)
                now = await recording_at(tx, self.clock.now())
                await store.record_at(tx, now)
                yield Hold(tx, team, now, await store.settled_until(tx, team_id))
        except ExclusionViolation:
            raise Conflict(
                f"team {team_id!r} was just given another subscription or pause; look, and try again"
            ) from None


async def _follow(hold: Hold, present: Subscription, plan: str, at: datetime) -> Subscription:
    """End a subscription where one to another plan begins, which is like it in everything else."""
    await store.end_subscription(hold.tx, present.id, at)
    trial = present.trial_ends_at if present.trial_ends_at is not None and present.trial_ends_at > at else None
    values = {
        "team_id": hold.team.id,
        "plan": plan,
        "starts_at": at,
        "ends_at": present.ends_at,
        "anchor": str(present.anchor),
        "anchored_at": present.anchored_at,
        "trial_days": 0,
        "trial_ends_at": trial,
        "created_at": hold.now,
    }
    id = await store.insert_subscription(hold.tx, values)
    if present.canceled_at is not None:
        await store.end_subscription(
            hold.tx, id, present.ends_at, canceled_at=present.canceled_at, reason=present.cancel_reason
        )
    return await required_subscription(hold.tx, hold.team.id, id)


async def _take_back(hold: Hold, subscription: Subscription) -> None:
    hold.refuse_settled(subscription.starts_at)
    await store.withdraw_subscription(hold.tx, subscription)


async def _make_room(hold: Hold, wanted: Interval) -> None:
    """End the subscription in force at the start of another.

    Raises:
        Conflict: another one starts later than that.
    """
    held = await hold.held(wanted)
    for subscription in held:
        if subscription.starts_at >= wanted.start:
            problem = f"{_began(subscription)}; end that one first, or let this one end before it"
            raise Conflict(f"team {hold.team.id!r} {problem}")
    for subscription in held:
        await store.end_subscription(hold.tx, subscription.id, wanted.start)


def _began(subscription: Subscription) -> str:
    return f"begins subscription {subscription.id} to {subscription.plan!r} at {rfc3339(subscription.starts_at)}"


def _checked_interval(start: datetime, end: datetime | None) -> Interval:
    check_instant(start, "starts_at")
    check_instant(end, "ends_at")
    if end is not None and end <= start:
        raise InvalidInput(f"ends_at must be after the start, {rfc3339(start)}", field="ends_at")
    return Interval(start, end or store.EVER.end)


def _check_terms(terms: Terms, start: datetime) -> None:
    if terms.anchored_at is not None and terms.anchor is not Anchor.ANNIVERSARY:
        raise InvalidInput("anchored_at needs the anchor anniversary", field="anchored_at")
    check_instant(terms.anchored_at, "anchored_at")
    check_instant(terms.trial_ends_at, "trial_ends_at")
    if terms.trial_days is not None and terms.trial_ends_at is not None:
        raise InvalidInput("give trial_days or trial_ends_at, not both", field="trial_days")
    if terms.trial_days is not None and not 0 <= terms.trial_days <= LONGEST_TRIAL:
        raise InvalidInput(f"trial_days must lie between 0 and {LONGEST_TRIAL}", field="trial_days")
    if terms.trial_ends_at is not None and terms.trial_ends_at <= start:
        raise InvalidInput(f"trial_ends_at must be after the start, {rfc3339(start)}", field="trial_ends_at")
