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
from uuid import UUID

from tallystick.core.clock import Clock
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

FRESH = 0.05
"""Seconds for which is believed what other processes may have changed."""

LEVELS_FRESH = 1.0
"""Seconds for which usage is believed that grows by itself: a level's."""

OLDEST = 300.0
"""Seconds after which what is remembered is read anew, come what may."""

MOST_REMEMBERED = 20_000
ATTEMPTS = 5


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
        self._arriving: dict[Key, Standing] = {}
        self._wanted: set[Key] = set()
        self._refused: dict[Key, TallystickError] = {}
        self._updating = Rounds(self._update)
        self._reading = Rounds(self._read_wanted)
        self._round = 0
        self._updated_at = float("-inf")
        self._moves = Recordings()
        self._seen = (0, 0)
        self._ledger: str | None = None
        self._revision = -1
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
        if standing is None or standing.round != self._round or not self._is_young(standing):
            return None
        age = self._monotonic() - self._updated_at
        if age > FRESH or self._has_changed(key.team_id):
            return None
        if age > FRESH / 2:
            self._updating.begin()  # before anybody has to wait for it
        return standing

    async def present(self, keys: Collection[Key]) -> dict[Key, Standing]:
        """How teams stand with metrics, as of a moment that is not before this call.

        Raises:
            NotFound: there is no such team or metric.
            InvalidInput: the metric's usage can't be limited.
            Unavailable: the database can't be reached, or what limits the teams never stands still.
        """
        missing = [key for key in keys if not self._is_known(key)]
        for _ in range(ATTEMPTS):
            await self._read(missing)
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
        unseen = await self._read_ledger()
        known = list(self._standings.items())
        trails = _trails(standing for _, standing in known)
        awaited = [id for _, standing in known for hold in standing.holds.values() for id in hold.event_ids]
        answer = await self._events.follow((), trails, list(unseen), awaited)
        self._round += 1
        self._apply(known, trails, answer)
        self._seen, self._updated_at = seen, now

    def _apply(self, known: Sequence[tuple[Key, Standing]], trails: Sequence[Trail], answer: Following) -> None:
        added = {trail.mark: iter(came) for trail, came in zip(trails, answer.added, strict=True)}
        for key, standing in known:
            came = next(added[standing.mark])
            if came is None:
                del self._standings[key]
                continue
            standing.used = EXACT.add(standing.used, came)
            standing.mark, standing.round = answer.mark, self._round
            standing.holds = _unsettled(standing.holds, answer.recorded)

    def _forget_old(self, now: float) -> None:
        if now - self._updated_at > OLDEST or len(self._standings) > MOST_REMEMBERED:
            self._standings.clear()
            self._ledger = None
            return
        for key in [key for key, each in self._standings.items() if now - each.read_at > OLDEST]:
            del self._standings[key]

    async def _read_ledger(self) -> set[UUID]:
        """Take in what was just read, and forget what has changed in the ledger since either was.

        Returns:
            The events that reservations have been naming since then.
        """
        async with self._database.snapshot() as tx:
            found = await store.ledger(tx, self._ledger)
            changed = [*found.changed]
            for mark in self._take_in(found.revision):
                changed += (await store.ledger(tx, mark)).changed
            moved = self._forget_changed(changed)
            holds = await store.holds(tx, moved, self._clock.now()) if moved else {}
            if self._policies is None or any(team_id is None for team_id, _ in changed):
                self._policies = await store.policies(tx)
        unseen: set[UUID] = set()
        for key, held in holds.items():
            unseen |= _events(held.values()) - _events(self._standings[key].holds.values())
            self._standings[key].holds = held
        self._ledger, self._revision = found.mark, found.revision
        return unseen

    def _take_in(self, revision: int) -> set[str]:
        """Take in what was just read by this revision of the catalogue; the marks of the ledger it was read at."""
        arriving, self._arriving = self._arriving, {}
        if revision != self._revision:
            self._standings.clear()
        arrived = {key: each for key, each in arriving.items() if each.ledger.revision == revision}
        self._standings |= arrived
        return {each.ledger.mark for each in arrived.values()}

    def _forget_changed(self, changed: Sequence[tuple[str | None, str | None]]) -> list[Key]:
        """Forget standings whose terms have changed; returns those of which only the reservations have."""
        if (None, None) in changed:
            self._standings.clear()
        teams = {team_id for team_id, metric in changed if metric is None}
        metrics = {metric for team_id, metric in changed if team_id is None}
        for key in [key for key in self._standings if key.team_id in teams or key.metric in metrics]:
            del self._standings[key]
        moved = {Key(team_id, metric) for team_id, metric in changed if team_id is not None and metric is not None}
        return [key for key in moved if key in self._standings]

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
        events = _events(hold for each in terms.values() for hold in each.holds.values())
        answer = await self._events.follow(requests, (), list(events))
        for (key, each), usage in zip(terms.items(), answer.usage, strict=True):
            used = usage[0].quantity if usage else None
            self._arriving[key] = self._standing(key, each, used or ZERO, answer, ledger)

    def _standing(self, key: Key, terms: Terms, used: Decimal, answer: Following, ledger: Ledger) -> Standing:
        return Standing(
            metric=key.metric,
            followed=terms.followed,
            hard=terms.hard,
            soft=terms.soft,
            throttles=terms.throttles,
            used=used,
            mark=answer.mark,
            holds=_unsettled(terms.holds, answer.recorded),
            read_at=self._monotonic(),
            ledger=ledger,
        )


async def _metrics(tx: Connection) -> dict[str, list[MetricVersion]]:
    found: dict[str, list[MetricVersion]] = defaultdict(list)
    for version in await metric_versions(tx):
        found[version.name].append(version)
    return dict(found)


def _trails(standings: Iterable[Standing]) -> list[Trail]:
    """What to ask about these, in their order, apart by how far each was read."""
    by_mark: dict[Mark, list[Standing]] = defaultdict(list)
    for standing in standings:
        by_mark[standing.mark].append(standing)
    return [Trail(mark, [each.followed for each in group]) for mark, group in by_mark.items()]


def _events(holds: Iterable[Hold]) -> set[UUID]:
    """The events that take the place of reservations."""
    return {id for hold in holds for id in hold.event_ids}


def _unsettled(holds: Mapping[UUID, Hold], recorded: frozenset[UUID]) -> Mapping[UUID, Hold]:
    """The reservations without those whose usage is recorded."""
    if not recorded:
        return holds
    return {id: hold for id, hold in holds.items() if not hold.event_ids or not hold.event_ids <= recorded}
