"""The statements about limits, reservations and what servers remember of them, run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tallystick.enforcement.models import (
    Hold,
    Ledger,
    Limit,
    LimitType,
    Reservation,
    ReservationState,
    WhenUnavailable,
)
from tallystick.http.answers import dumps
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


class Key(NamedTuple):
    """A team and a metric."""

    team_id: str
    metric: str


async def ledger(tx: Connection, mark: str | None) -> Ledger:
    """The ledger as the transaction sees it; what has changed since `mark`, nothing without one."""
    nothing = "1:1:" if mark is None else mark
    row = await (await tx.execute(QUERIES["ledger"], {"mark": nothing})).fetchone()
    assert row is not None, "a select without a table has one row"
    changed = [] if mark is None else [(team_id, metric) for team_id, metric in row[2]]
    return Ledger(row[0], int(row[1]), changed)


async def forget_changes(tx: Connection) -> None:
    """Delete notes that no server needs any more."""
    await tx.execute(QUERIES["forget_changes"])


async def limits_of(tx: Connection, teams: Iterable[str], plans: Iterable[str], metrics: Iterable[str]) -> list[Limit]:
    """The limits of these teams and plans for these metrics."""
    values = {"teams": list(teams), "plans": list(plans), "metrics": list(metrics)}
    return await _limits(tx, "limits_of", values)


async def limits(tx: Connection, limit: int, *, after: int = 0, **only: str | None) -> list[Limit]:
    """Up to `limit` limits after an id, by id; `only` may name a team_id, a plan and a metric."""
    wanted = {"team_id": None, "plan": None, "metric": None} | only
    return await _limits(tx, "limits", {"limit": limit, "after": after, **wanted})


async def find_limit(tx: Connection, limit_id: int) -> Limit | None:
    """One limit."""
    return next(iter(await _limits(tx, "find_limit", {"id": limit_id})), None)


async def set_limit(tx: Connection, values: Mapping[str, Any]) -> Limit:
    """Set a limit, in place of the one there is."""
    [limit] = await _limits(tx, "set_limit", values)
    return limit


async def remove_limit(tx: Connection, limit_id: int) -> bool:
    """Remove a limit; whether there was one."""
    return (await tx.execute(QUERIES["remove_limit"], {"id": limit_id})).rowcount == 1


async def plan_exists(tx: Connection, plan: str) -> bool:
    """Whether there is such a plan, by its name with or without a version."""
    row = await (await tx.execute(QUERIES["plan_exists"], {"plan": plan})).fetchone()
    return bool(row and row[0])


async def policies(tx: Connection) -> dict[str, WhenUnavailable]:
    """What checks of metrics answer while usage can't be read, where that was said."""
    rows = await (await tx.execute(QUERIES["policies"])).fetchall()
    return {metric: WhenUnavailable(answer) for metric, answer in rows}


async def set_policy(tx: Connection, metric: str, answer: WhenUnavailable, now: datetime) -> None:
    """Say what checks of a metric answer while usage can't be read."""
    await tx.execute(QUERIES["set_policy"], {"metric": metric, "when_unavailable": str(answer), "now": now})


async def holds(tx: Connection, keys: Collection[Key], now: datetime) -> dict[Key, dict[UUID, Hold]]:
    """What reservations keep free, of each of these."""
    found: dict[Key, dict[UUID, Hold]] = {key: {} for key in keys}
    rows = await (await tx.execute(QUERIES["holds"], {**_columns(keys), "now": now})).fetchall()
    for team_id, metric, id, quantity, until, event_ids in rows:
        found[Key(team_id, metric)][id] = Hold(id, quantity, until, frozenset(event_ids))
    return found


async def lock_reserving(tx: Connection, keys: Collection[Key]) -> None:
    """From here until the transaction ends nobody else reserves of these."""
    await tx.execute(QUERIES["lock_reserving"], _columns(keys))


async def by_reference(tx: Connection, references: Collection[tuple[str, str]]) -> dict[tuple[str, str], Reservation]:
    """Reservations that were made before, by team and reference."""
    if not references:
        return {}
    values = {"teams": [team_id for team_id, _ in references], "references": [text for _, text in references]}
    found = await _reservations(tx, "reservations_by_reference", values)
    return {(each.team_id, each.reference or ""): each for each in found}


async def insert_reservations(tx: Connection, made: Sequence[Reservation]) -> None:
    """Keep quantities free."""
    await tx.execute(QUERIES["insert_reservations"], {"made": dumps([each._asdict() for each in made]).decode()})


async def find_reservation(tx: Connection, reservation_id: UUID, *, lock: bool = False) -> Reservation | None:
    """One reservation; locked, if asked for, until the transaction ends."""
    name = "lock_reservation" if lock else "find_reservation"
    return next(iter(await _reservations(tx, name, {"id": reservation_id})), None)


async def reservations(
    tx: Connection,
    limit: int,
    now: datetime,
    *,
    after: tuple[datetime, UUID],
    team_id: str | None,
    metric: str | None,
    waiting: bool,
) -> list[Reservation]:
    """Up to `limit` reservations after a position (created_at, id), oldest first."""
    values = {
        "limit": limit,
        "now": now,
        "after_at": after[0],
        "after_id": after[1],
        "team_id": team_id,
        "metric": metric,
        "waiting": waiting,
    }
    return await _reservations(tx, "reservations", values)


async def move(tx: Connection, reservation: Reservation) -> Reservation:
    """Record a reservation's state, events and end."""
    [moved] = await _reservations(
        tx, "move_reservation", {**reservation._asdict(), "event_ids": list(reservation.event_ids)}
    )
    return moved


async def expire(tx: Connection, now: datetime, limit: int) -> int:
    """Write down which reservations have run out; how many."""
    return (await tx.execute(QUERIES["expire_reservations"], {"now": now, "limit": limit})).rowcount


async def waiting_for_events(tx: Connection, limit: int) -> dict[UUID, list[UUID]]:
    """Reservations whose events are named and may be recorded by now."""
    return dict(await (await tx.execute(QUERIES["waiting_for_events"], {"limit": limit})).fetchall())


async def settle(tx: Connection, ids: Collection[UUID], now: datetime) -> None:
    """Write down that the usage of these is recorded."""
    await tx.execute(QUERIES["settle_reservations"], {"ids": list(ids), "now": now})


async def forget_reservations(tx: Connection, before: datetime, limit: int) -> int:
    """Delete reservations that were made before a moment and are over; how many."""
    return (await tx.execute(QUERIES["forget_reservations"], {"before": before, "limit": limit})).rowcount


def _columns(keys: Collection[Key]) -> dict[str, list[str]]:
    return {"teams": [key.team_id for key in keys], "metrics": [key.metric for key in keys]}


async def _limits(tx: Connection, name: str, values: Mapping[str, Any]) -> list[Limit]:
    rows = await (await tx.execute(QUERIES[name], values)).fetchall()
    return [Limit._make((*row[:4], LimitType(row[4]), *row[5:])) for row in rows]


async def _reservations(tx: Connection, name: str, values: Mapping[str, Any]) -> list[Reservation]:
    rows = await (await tx.execute(QUERIES[name], values)).fetchall()
    return [Reservation._make((*row[:4], ReservationState(row[4]), *row[5:])) for row in rows]
