"""Throttling: a team is stopped for a metric, or for all of them, while there is a cause that has not ended.

Several causes may throttle the same thing, such as two alerts; it is open again when the last one has ended. Every
change of the state is told, as `throttle.changed`, in the transaction that makes it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from tallystick.http.answers import rfc3339
from tallystick.notifications import Notification, enqueue
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

State: TypeAlias = Literal["throttled", "open"]

EVERY_METRIC = ""
"""As the metric of a stored throttle: all of the team's."""


PAGE = 1000
"""Most causes that end in one transaction."""


class Throttle(NamedTuple):
    """Why a team is stopped: for which metric (None: every one), since when, and until when (None: until lifted)."""

    team_id: str
    metric: str | None
    cause: str
    since: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or now < self.until


class Change(NamedTuple):
    """A team's state with a metric (None: every one) changed, by a cause that was set or ended."""

    team_id: str
    metric: str | None
    state: State
    until: datetime | None
    cause: str
    now: datetime


async def throttle(
    connection: Connection,
    team_id: str,
    metric: str | None,
    *,
    state: State,
    until: datetime | None,
    cause: str,
    now: datetime,
) -> bool:
    """Throttle a team for a cause, or end that cause, in the caller's transaction.

    Doing it again changes nothing and tells nobody. Whoever does it for several teams in one transaction takes them
    in the order of their ids, so that two of them wait for each other instead of deadlocking.

    Args:
        connection: inside a transaction.
        team_id: who is stopped; must exist.
        metric: for which metric; None: for every one.
        state: `throttled` sets the cause, `open` ends it; other causes go on.
        until: when the cause ends by itself; None: when it is ended. Of no meaning with `open`.
        cause: what throttles, such as `alert:12:3`; it is shown to administrators and in notifications.
        now: the present instant.

    Returns:
        Whether that changed how the team stands: another state, or throttled until another instant.
    """
    key = {"team_id": team_id, "metric": metric or EVERY_METRIC, "cause": cause, "now": now}
    await connection.execute(QUERIES["lock_throttles"], key)
    before = await _standing(connection, key)
    statement = QUERIES["set_throttle" if state == "throttled" else "end_throttle"]
    await connection.execute(statement, {**key, "until": until})
    after = await _standing(connection, key)
    if after == before:
        return False
    await _tell(connection, Change(team_id, metric, *after, cause, now))
    return True


async def lift_ended(connection: Connection, now: datetime, limit: int = PAGE) -> int:
    """Remove throttles that have ended by themselves and tell whom that leaves open; how many had ended."""
    ended = await (await connection.execute(QUERIES["ended_throttles"], {"now": now, "limit": limit})).fetchall()
    for team_id, metric, cause in ended:
        key = {"team_id": team_id, "metric": metric, "cause": cause, "now": now}
        await connection.execute(QUERIES["lock_throttles"], key)
        if (await connection.execute(QUERIES["remove_ended_throttle"], key)).rowcount == 0:
            continue  # it was set anew, or another process was faster
        state, until = await _standing(connection, key)
        if state == "open":
            await _tell(connection, Change(team_id, metric or None, state, until, cause, now))
    return len(ended)


async def throttles_of(connection: Connection, team_ids: Sequence[str] | None, now: datetime) -> list[Throttle]:
    """The causes in force, of these teams or of all, by team, metric and cause."""
    values = {"team_ids": None if team_ids is None else list(team_ids), "now": now}
    rows = await (await connection.execute(QUERIES["throttles"], values)).fetchall()
    return [Throttle(team_id, metric or None, cause, since, until) for team_id, metric, cause, since, until in rows]


async def _standing(connection: Connection, key: Mapping[str, Any]) -> tuple[State, datetime | None]:
    """How a team stands with a metric, and until when, where that is known."""
    row = await (await connection.execute(QUERIES["standing"], key)).fetchone()
    return ("throttled", row[0]) if row else ("open", None)


async def _tell(connection: Connection, change: Change) -> None:
    """Keep the change, and let it be told."""
    values = {**change._asdict(), "metric": change.metric or EVERY_METRIC}
    row = await (await connection.execute(QUERIES["record_throttle_change"], values)).fetchone()
    assert row is not None, "an insert returns its row"
    await enqueue(connection, [_notification(int(row[0]), change)])


def _notification(number: int, change: Change) -> Notification:
    what = change.metric or "every metric"
    stopped = change.state == "throttled"
    until = rfc3339(change.until) if change.until else None
    ends = f" until {until}" if until else ""
    return Notification(
        key=f"throttle:{number}",
        kind="throttle.changed",
        team_id=change.team_id,
        channels=(),
        content={
            "title": f"{change.team_id}: {what} is {'throttled' if stopped else 'open again'}",
            "text": f"Checks of {what} are refused{ends}." if stopped else f"Checks of {what} are no longer refused.",
            "facts": [
                {"label": "Team", "value": change.team_id},
                {"label": "Metric", "value": what},
                {"label": "Cause", "value": change.cause},
            ],
            "metric": change.metric,
            "state": change.state,
            "until": until,
            "cause": change.cause,
        },
        occurred_at=change.now,
        urgent=True,
    )
