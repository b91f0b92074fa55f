"""What the roll-ups of a snapshot don't hold, or should not be asked for: batches and hours to be read raw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tallystick.metering.event_store import UsageRequest
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

TeamHours = Mapping[str, frozenset[datetime]]
NONE: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class Unrolled:
    """Of everything that one call asks for.

    Attributes:
        rolled_until: per metric version, up to when its roll-ups are complete; None: to the end.
        tail: the batches that no roll-up has taken.
        tail_hours: the hours that events of the tail fall into; only of teams whose levels are asked for.
        dirty_hours: the hours that corrections made wrong.
        changed_hours: per moment of knowledge, the hours whose roll-ups hold what was recorded after it.
    """

    rolled_until: Mapping[int, datetime | None] = field(default_factory=dict)
    tail: Sequence[int] = ()
    tail_hours: TeamHours = field(default_factory=dict)
    dirty_hours: TeamHours = field(default_factory=dict)
    changed_hours: Mapping[datetime, TeamHours] = field(default_factory=dict)

    def hours(self, team_id: str, known_at: datetime | None, *, ordered: bool) -> frozenset[datetime]:
        """The hours of a team that have to be read raw; `ordered`: also those whose order the tail may change."""
        hours = self.dirty_hours.get(team_id, NONE)
        if ordered:
            hours |= self.tail_hours.get(team_id, NONE)
        if known_at is not None:
            hours |= self.changed_hours[known_at].get(team_id, NONE)
        return hours


async def read_unrolled(connection: Connection, requests: Iterable[UsageRequest]) -> Unrolled:
    """What the connection's snapshot says, about the teams and versions of these requests."""
    rolled = [request for request in requests if not request.raw]
    if not rolled:
        return Unrolled()
    versions = list({version.id for request in rolled for version in request.versions})
    until = await (await connection.execute(QUERIES["rolled_until"], {"versions": versions})).fetchall()
    tail = [row[0] for row in await (await connection.execute(QUERIES["tail"])).fetchall()]
    ordered = {r.team_id for r in rolled if tail and any(v.definition.sets_level for v in r.versions)}
    return Unrolled(
        rolled_until=dict(until),
        tail=tail,
        tail_hours=await _team_hours(connection, "tail_hours", ordered, tail=tail),
        dirty_hours=await _team_hours(connection, "dirty_hours_of_teams", {r.team_id for r in rolled}),
        changed_hours={
            known_at: await _team_hours(connection, "hours_changed_since", teams, known_at=known_at)
            for known_at, teams in _by_knowledge(rolled).items()
        },
    )


def _by_knowledge(requests: Iterable[UsageRequest]) -> Mapping[datetime, set[str]]:
    teams: dict[datetime, set[str]] = defaultdict(set)
    for request in requests:
        if request.known_at is not None:
            teams[request.known_at].add(request.team_id)
    return teams


async def _team_hours(connection: Connection, name: str, teams: set[str], **parameters: object) -> TeamHours:
    if not teams:
        return {}
    rows = await (await connection.execute(QUERIES[name], {"teams": sorted(teams), **parameters})).fetchall()
    hours: dict[str, set[datetime]] = defaultdict(set)
    for team_id, hour in rows:
        hours[team_id].add(hour)
    return {team_id: frozenset(found) for team_id, found in hours.items()}
