"""How teams stand with their limits, kept in memory and brought up to date as often as somebody asks.

What is remembered is used without a look at the database for `FRESH` seconds, unless this process has recorded usage
of the team or changed its limits since. Then a round brings everything that is remembered up to date at once: it
reads what was recorded since the last one, not the usage. So a check includes every event that this process has
acknowledged before, and what other processes had recorded `FRESH` seconds before.

The order of the two readings makes sure that nothing is missing: first the ledger (limits and reservations), then
usage. An event that takes the place of a reservation is in the usage before the reservation is given up.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Self
from uuid import UUID

from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import TallystickError, Unavailable
from tallystick.core.money import EXACT, ZERO
from tallystick.enforcement import store
from tallystick.enforcement.models import Hold, Ledger, Standing, WhenUnavailable
from tallystick.enforcement.rounds import Rounds
from tallystick.enforcement.store import Key
from tallystick.enforcement.terms import Terms, read_terms
from tallystick.metering.event_store import EventStore, Following, Mark, Trail, UsageRequest
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import Aggregation, MetricVersion
from tallystick.metering.recordings import Recordings
from tallystick.storage.database import Connection, Database

FRESH = 0.3
"""Seconds for which is believed what other processes may have changed."""

RENEWED = 0.1
"""Seconds after which it is looked at again if anybody asks, while what is remembered answers."""

LEVELS_FRESH = 1.0
"""Seconds for which usage is believed that grows by itself: a level's."""

OLDEST = 300.0
"""Seconds after which what is remembered is read anew, come what may."""

MOST_REMEMBERED = 20_000
ATTEMPTS = 5


class _Roster(NamedTuple):
    """Standings that are up to date as of one mark, in the order in which `trail` follows them."""

    standings: Sequence[Standing]
    trail: Trail

    @classmethod
    def of(cls, mark: Mark, standings: Sequence[Standing]) -> Self:
        """These standings, one at least."""
        start = min(each.period.start for each in standings)
        end = max(each.period.end for each in standings)
        return cls(standings, Trail(mark, [each.followed for each in standings], Interval(start, end)))

    def at(self, mark: Mark) -> Self:
        """The same, as of another mark."""
        return self._replace(trail=self.trail._replace(mark=mark))


class _Look(NamedTuple):
    """A look at the ledger, and what reservations keep free where that has changed."""

    ledger: Ledger
    holds: Mapping[Key, Mapping[UUID, Hold]]


class Counters:
    """Standings of teams with metrics.

    Args:
        database: of the ledger.
        events: of usage.
        clock: where "now" comes from.
        monotonic: what ages are measured with.
    """

    def __init__(
        self, database: Database, events: EventStore, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._monotonic = monotonic
        self._standings: dict[Key, Standing] = {}
        self._joining: dict[Key, Standing] = {}
        self._roster: _Roster | None = None
        self._wanted: set[Key] = set()
        self._refused: dict[Key, TallystickError] = {}
        self._updating = Rounds(self._update)
        self._reading = Rounds(self._read_wanted)
        self._mark = Mark("")
        self._updated_at = self._ledger_at = float("-inf")
        self._moves = Recordings()
        self._seen = (0, 0)
        self._exact = False
        self._ledger: Ledger | None = None
        self._policies: Mapping[str, WhenUnavailable] | None = None

    def moved(self, *team_ids: str) -> None:
        """Say that this process has changed something in the ledger about these teams; about any, if none is named."""
        self._moves.note(team_ids or None)

    def stuck_for(self, key: Key) -> float:
        """For how many seconds the database has not answered what has to be known of this."""
        updating = self._updating.running_for()
        return updating if self._is_known(key) else max(updating, self._reading.running_for())

    def policy(self, metric: str) -> WhenUnavailable | None:
        """What to answer while usage can't be read; None: that was never read either."""
        return None if self._policies is None else self._policies.get(metric, WhenUnavailable.OPEN)

    def fresh(self, key: Key) -> Standing | None:
        """How a team stands with a metric, if that is known well enough; else ask `present`."""
        standing = self._standings.get(key)
        age = self._monotonic() - self._updated_at
        if standing is None or age > FRESH or self._has_changed(key.team_id) or not self._is_young(standing):
            return None
        if age > RENEWED:
            self._updating.begin()  # before anybody has to wait for it
        return standing

    async def present(self, keys: Collection[Key], *, exact: bool = False) -> dict[Key, Standing]:
        """How teams stand with metrics, as of a moment that is not before this call.

        Args:
            keys: of which teams and metrics.
            exact: the ledger is as of such a moment, too; else it may be `FRESH` seconds older.

        Raises:
            NotFound: there is no such team or metric.
            InvalidInput: the metric's usage can't be limited.
            Unavailable: the database can't be reached, or what limits the teams never stands still.
        """
        missing = [key for key in keys if not self._is_known(key)]
        for _ in range(ATTEMPTS):
            await self._read(missing)
            self._exact |= exact
            await self._updating.join()
            missing = [key for key in keys if key not in self._standings]
            if not missing:
                return {key: self._standings[key] for key in keys}
        raise Unavailable("limits change all the time; try again")

    def _has_changed(self, team_id: str) -> bool:
        """Whether this process has done anything about a team since the last round began."""
        events, moves = self._seen
        return self._events.recordings.of(team_id) > events or self._moves.of(team_id) > moves

    def _is_known(self, key: Key) -> bool:
        standing = self._standings.get(key)
        return standing is not None and self._is_young(standing)

    def _is_young(self, standing: Standing) -> bool:
        level = standing.versions[-1].definition.aggregation is Aggregation.TIME_WEIGHTED
        most = LEVELS_FRESH if level else OLDEST
        return self._monotonic() - standing.read_at < most and self._clock.now() < standing.period.end

    # --- Bringing up to date ----------------------------------------------------------------------

    async def _update(self) -> None:
        """Bring everything that is remembered up to date; what can't be is forgotten."""
        seen, now = (self._events.recordings.last, self._moves.last), self._monotonic()
        self._forget_old(now)
        joining, exact, self._exact = dict(self._joining), self._exact, False
        due = exact or joining or now - self._ledger_at > RENEWED or seen[1] > self._seen[1]
        look = await self._look(joining) if due else None
        joining = {key: each for key, each in joining.items() if self._joining.get(key) is each}
        rosters = self._rosters(joining)
        awaited = _events(each.holds for roster in rosters for each in roster.standings)
        unseen = _events(look.holds.values()) - awaited if look else set()
        trails = [roster.trail for roster in rosters]
        answer = await self._events.follow((), trails, list(unseen), list(awaited))
        self._add(rosters, answer)
        self._join(joining)
        self._settle(look, answer)
        self._mark, self._seen, self._updated_at = answer.mark, seen, now
        if look:
            self._ledger, self._ledger_at = look.ledger, now

    def _rosters(self, joining: Mapping[Key, Standing]) -> list[_Roster]:
        """All that is remembered and those that join it, apart by how far they are up to date."""
        if self._standings:
            self._roster = self._roster or _Roster.of(self._mark, list(self._standings.values()))
        by_mark: dict[Mark, list[Standing]] = defaultdict(list)
        for each in joining.values():
            by_mark[each.mark].append(each)
        rosters = [_Roster.of(mark, group) for mark, group in by_mark.items()]
        return [self._roster.at(self._mark), *rosters] if self._roster else rosters

    def _add(self, rosters: Sequence[_Roster], answer: Following) -> None:
        for roster, added in zip(rosters, answer.added, strict=True):
            for place, came in added.items():
                standing = roster.standings[place]
                if came is None:
                    self._drop(standing)
                else:
                    standing.used = EXACT.add(standing.used, came)

    def _join(self, joining: Mapping[Key, Standing]) -> None:
        """Count those that were read among those that are up to date."""
        for key, standing in joining.items():
            if self._joining.get(key) is standing:
                del self._joining[key]
                self._standings[key], self._roster = standing, None

    def _settle(self, look: _Look | None, answer: Following) -> None:
        """Put down what is kept free, without reservations whose usage is recorded."""
        for key, holds in look.holds.items() if look else ():
            if key in self._standings:
                self._standings[key].holds = unsettled(holds, answer.recorded)
        for standing in self._standings.values() if answer.recorded else ():
            if standing.holds:
                standing.holds = unsettled(standing.holds, answer.recorded)

    def _drop(self, standing: Standing) -> None:
        key = Key(standing.team_id, standing.metric)
        for remembered in (self._standings, self._joining):
            if remembered.get(key) is standing:
                del remembered[key]
                self._roster = None

    def _forget(self, wanted: Callable[[Key, Standing], bool]) -> None:
        for remembered in (self._standings, self._joining):
            for standing in [each for key, each in remembered.items() if wanted(key, each)]:
                self._drop(standing)

    def _forget_old(self, now: float) -> None:
        if now - self._updated_at > OLDEST or len(self._standings) > MOST_REMEMBERED:
            self._standings, self._roster, self._ledger = {}, None, None
        self._forget(lambda _, standing: now - standing.read_at > OLDEST)

    async def _look(self, joining: Mapping[Key, Standing]) -> _Look:
        """Forget what has changed in the ledger since it was read, and read again what reservations keep free."""
        async with self._database.snapshot() as tx:
            found = await store.ledger(tx, self._ledger.mark if self._ledger else None)
            changed = [*found.changed]
            for mark in {each.ledger.mark for each in joining.values()}:
                changed += (await store.ledger(tx, mark)).changed
            if self._ledger is not None and found.revision != self._ledger.revision:
                changed.append((None, None))
            self._forget(lambda _, standing: standing.ledger.revision != found.revision)
            moved = self._forget_changed(changed)
            holds = await store.holds(tx, moved, self._clock.now()) if moved else {}
            if self._policies is None or any(team_id is None for team_id, _ in changed):
                self._policies = await store.policies(tx)
        return _Look(found, holds)

    def _forget_changed(self, changed: Sequence[tuple[str | None, str | None]]) -> list[Key]:
        """Forget standings whose terms have changed; returns those of which only the reservations have."""
        everything = (None, None) in changed
        teams = {team_id for team_id, metric in changed if metric is None}
        metrics = {metric for team_id, metric in changed if team_id is None}
        if teams or metrics:
            self._forget(lambda key, _: everything or key.team_id in teams or key.metric in metrics)
        moved = {Key(team_id, metric) for team_id, metric in changed if team_id is not None and metric is not None}
        return [key for key in moved if key in self._standings or key in self._joining]

    # --- Reading anew -----------------------------------------------------------------------------

    async def _read(self, keys: Collection[Key]) -> None:
        if not keys:
            return
        self._wanted.update(keys)
        await self._reading.join()
        for key in keys:
            if key in self._refused:
                raise self._refused[key]

    async def _read_wanted(self) -> None:
        """Read standings that are not remembered; the next update takes them in."""
        keys, self._wanted = self._wanted, set()
        now = self._clock.now()
        async with self._database.snapshot() as tx:
            ledger = await store.ledger(tx, None)
            terms, self._refused = await read_terms(tx, keys, await _metrics(tx), now)
        wanted = [each.followed for each in terms.values()]
        requests = [UsageRequest(each.versions, each.team_id, [each.interval], now) for each in wanted]
        events = _events(each.holds for each in terms.values())
        answer = await self._events.follow(requests, (), list(events))
        for (key, each), usage in zip(terms.items(), answer.usage, strict=True):
            used = usage[0].quantity if usage else None
            self._joining[key] = self._standing(key, each, used or ZERO, answer, ledger)

    def _standing(self, key: Key, terms: Terms, used: Decimal, answer: Following, ledger: Ledger) -> Standing:
        return Standing(
            metric=key.metric,
            followed=terms.followed,
            hard=terms.hard,
            soft=terms.soft,
            throttles=terms.throttles,
            used=used,
            mark=answer.mark,
            holds=unsettled(terms.holds, answer.recorded),
            read_at=self._monotonic(),
            ledger=ledger,
        )


async def _metrics(tx: Connection) -> dict[str, list[MetricVersion]]:
    found: dict[str, list[MetricVersion]] = defaultdict(list)
    for version in await metric_versions(tx):
        found[version.name].append(version)
    return dict(found)


def _events(held: Iterable[Mapping[UUID, Hold]]) -> set[UUID]:
    """The events that take the place of reservations."""
    return {id for holds in held if holds for hold in holds.values() for id in hold.event_ids}


def unsettled(holds: Mapping[UUID, Hold], recorded: frozenset[UUID]) -> Mapping[UUID, Hold]:
    """The reservations without those whose usage is recorded."""
    if not recorded:
        return holds
    return {id: hold for id, hold in holds.items() if not hold.event_ids or not hold.event_ids <= recorded}
