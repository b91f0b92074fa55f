"""The statements about grants and their ledger, run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composed

from tallystick.billing.credits.models import NEVER, Burn, Grant, GrantKind, Recurrence
from tallystick.billing.credits.posting import Account, Entry, Posting, TransactionKind
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

_COLUMNS = SQL(
    "g.id, g.team_id, g.name, g.kind, g.priority, g.amount, g.currency, g.metric, g.metrics, g.effective_at, "
    "nullif(g.expires_at, 'infinity'), g.recurs_unit, g.recurs_every, g.anchor, g.time_zone, g.rollover, "
    "g.reference, g.created_at, g.voided_at, g.void_reason, g.settled_until"
)


class Stored(NamedTuple):
    """A grant, and up to when everything that follows from it is booked."""

    grant: Grant
    settled_until: datetime


class Booked(NamedTuple):
    """What the ledger says of a grant from one allotment on: what is used of each, and what came over to it."""

    used: dict[int, Decimal]
    carried: Decimal


class Application(NamedTuple):
    """The `number`-th burn for a period, as the transactions that it is made of, or its reversal."""

    kind: TransactionKind
    number: int
    team_id: str
    transaction_ids: tuple[int, ...]


class Transaction(NamedTuple):
    """A transaction of the ledger, without its entries."""

    id: int
    kind: TransactionKind
    period_id: int | None
    effective_at: datetime
    recorded_at: datetime
    actor: str | None


def _grants(name: str) -> Composed:
    return QUERIES[name].format(grant=_COLUMNS)


async def insert_grant(tx: Connection, grant: Grant) -> int | None:
    """Record a grant; its id, or None where its team has one with the same reference."""
    recurs = grant.recurrence
    values = {
        "team_id": grant.team_id,
        "name": grant.name,
        "kind": str(grant.kind),
        "priority": grant.priority,
        "amount": grant.amount,
        "currency": grant.currency,
        "metric": grant.metric,
        "metrics": list(grant.metrics),
        "effective_at": grant.effective_at,
        "expires_at": grant.expires_at,
        "recurs_unit": str(recurs.cadence.unit) if recurs else None,
        "recurs_every": recurs.cadence.every if recurs else None,
        "anchor": recurs.anchor if recurs else None,
        "time_zone": recurs.time_zone if recurs else None,
        "rollover": recurs.cap if recurs else None,
        "reference": grant.reference,
        "created_at": grant.created_at,
    }
    row = await (await tx.execute(QUERIES["insert_grant"], values)).fetchone()
    return int(row[0]) if row else None


async def grants(tx: Connection, team_id: str | None, limit: int, after: int = 0) -> list[Stored]:
    """Up to `limit` grants after an id, by id, of one team or of all."""
    return await _fetch(tx, "grants", {"team_id": team_id, "limit": limit, "after": after})


async def find_grant(tx: Connection, grant_id: int) -> Stored | None:
    """The grant of that id."""
    return next(iter(await _fetch(tx, "find_grant", {"id": grant_id})), None)


async def find_reference(tx: Connection, team_id: str, reference: str) -> Stored | None:
    """The team's grant with that reference."""
    return next(iter(await _fetch(tx, "find_reference", {"team_id": team_id, "reference": reference})), None)


async def lock_grants(tx: Connection, ids: Sequence[int]) -> list[Stored]:
    """The grants of these ids by id, locked until the transaction ends."""
    return await _fetch(tx, "lock_grants", {"ids": list(ids)})


async def lock_grants_of_periods(tx: Connection, team_ids: Sequence[str], period_ids: Sequence[int]) -> list[Stored]:
    """The grants that may pay for some of these billing periods of these teams, locked, by id."""
    return await _fetch(tx, "lock_grants_of_periods", {"team_ids": list(team_ids), "period_ids": list(period_ids)})


async def lock_due_grants(tx: Connection, now: datetime, limit: int) -> list[tuple[Stored, datetime]]:
    """Up to `limit` grants of which something is to be booked, locked, each with the moment up to which."""
    rows = await (await tx.execute(_grants("lock_due_grants"), {"now": now, "limit": limit})).fetchall()
    return [(_stored(row[:-1]), row[-1]) for row in rows]


async def grants_in_force(tx: Connection, team_id: str, during: Interval, known_at: datetime) -> list[Stored]:
    """The team's grants, as known at a moment, that may pay for an interval."""
    values = {"team_id": team_id, "start": during.start, "end": during.end, "known_at": known_at}
    return await _fetch(tx, "grants_in_force", values)


async def settle_grants(tx: Connection, settled: Sequence[tuple[int, datetime, datetime]]) -> None:
    """Note of grants (id, booked up to, next event) how far they are booked; `NEVER`: nothing is to come."""
    values = {
        "ids": [grant_id for grant_id, _, _ in settled],
        "untils": [until for _, until, _ in settled],
        "due": [None if due == NEVER else due for _, _, due in settled],
    }
    await tx.execute(QUERIES["settle_grants"], values)


async def void_grant(tx: Connection, grant_id: int, at: datetime, reason: str) -> None:
    """Void what is left of a grant."""
    await tx.execute(QUERIES["void_grant"], {"id": grant_id, "at": at, "reason": reason})


async def periods(tx: Connection, ids: Sequence[int]) -> dict[int, Interval]:
    """The bounds of billing periods, by id."""
    rows = await (await tx.execute(QUERIES["periods"], {"ids": list(ids)})).fetchall()
    return {id: Interval(start, end) for id, start, end in rows}


async def applications(tx: Connection, period_ids: Sequence[int]) -> dict[int, list[Application]]:
    """The burns and reversals of billing periods, by period, oldest first."""
    found: dict[int, list[Application]] = defaultdict(list)
    for row in await (await tx.execute(QUERIES["applications"], {"period_ids": list(period_ids)})).fetchall():
        period_id, kind, number, team_id, ids = row
        found[period_id].append(Application(TransactionKind(kind), number, team_id, tuple(ids)))
    return found


async def balances(tx: Connection, firsts: Mapping[int, int]) -> dict[int, Booked]:
    """What the ledger says of grants (by id), of each from the given allotment on."""
    found = {grant_id: Booked({}, ZERO) for grant_id in firsts}
    values = {"ids": list(firsts), "firsts": list(firsts.values())}
    for grant_id, allotment, used, total in await (await tx.execute(QUERIES["balances"], values)).fetchall():
        so_far = found[grant_id]
        so_far.used[allotment] = used
        found[grant_id] = so_far._replace(carried=EXACT.add(so_far.carried, total))
    return found


async def used(
    tx: Connection,
    ids: Sequence[int],
    *,
    effective_by: datetime | None = None,
    recorded_by: datetime | None = None,
) -> dict[int, dict[int, Decimal]]:
    """What was used of grants, by grant and allotment, by a moment and as recorded by another; None: ever."""
    found: dict[int, dict[int, Decimal]] = {grant_id: {} for grant_id in ids}
    values = {"ids": list(ids), "effective_by": effective_by, "recorded_by": recorded_by}
    for grant_id, allotment, amount in await (await tx.execute(QUERIES["used"], values)).fetchall():
        found[grant_id][allotment] = amount
    return found


async def book(
    tx: Connection,
    postings: Sequence[Posting],
    recorded_at: datetime,
    *,
    applications: Mapping[int, int] | None = None,
    actor: str | None = None,
) -> None:
    """Book transactions, all entries at once.

    Args:
        tx: the transaction of the database.
        postings: what is to be booked.
        recorded_at: when it was learned.
        applications: of burns and reversals, by period, the number of the burn.
        actor: who did it, where somebody did.
    """
    if not postings:
        return
    rows = await (await tx.execute(QUERIES["new_transaction_ids"], {"count": len(postings)})).fetchall()
    ids, numbers = [id for (id,) in rows], applications or {}
    values = {
        "ids": ids,
        "team_ids": [each.team_id for each in postings],
        "kinds": [str(each.kind) for each in postings],
        "period_ids": [each.period_id for each in postings],
        "applications": [None if each.period_id is None else numbers[each.period_id] for each in postings],
        "parts": [each.part for each in postings],
        "effective": [each.effective_at for each in postings],
        "recorded_at": recorded_at,
        "actor": actor,
    }
    await tx.execute(QUERIES["insert_transactions"], values)
    await _book_entries(tx, [(id, n, e) for id, p in zip(ids, postings, strict=True) for n, e in enumerate(p.entries)])


async def _book_entries(tx: Connection, rows: Sequence[tuple[int, int, Entry]]) -> None:
    values = {
        "transactions": [id for id, _, _ in rows],
        "positions": [position for _, position, _ in rows],
        "grants": [entry.grant_id for _, _, entry in rows],
        "allotments": [entry.allotment for _, _, entry in rows],
        "accounts": [str(entry.account) for _, _, entry in rows],
        "amounts": [entry.amount for _, _, entry in rows],
        "lines": [entry.line_key for _, _, entry in rows],
        "values": [entry.value for _, _, entry in rows],
        "currencies": [entry.currency for _, _, entry in rows],
    }
    if rows:
        await tx.execute(QUERIES["insert_entries"], values)


async def entries(tx: Connection, transaction_ids: Sequence[int]) -> dict[int, list[Entry]]:
    """The entries of transactions, by transaction, in order."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for row in await (await tx.execute(QUERIES["entries"], {"ids": list(transaction_ids)})).fetchall():
        found[row[0]].append(Entry(row[1], row[2], Account(row[3]), *row[4:]))
    return found


async def burns(tx: Connection, period_ids: Sequence[int]) -> dict[int, list[Burn]]:
    """What grants paid of lines for billing periods, by period, in the order in which it burned."""
    found: dict[int, list[Burn]] = defaultdict(list)
    for period_id, *burn in await (await tx.execute(QUERIES["burns"], {"period_ids": list(period_ids)})).fetchall():
        found[period_id].append(Burn(*burn))
    return found


async def ledger(
    tx: Connection, team_id: str, limit: int, before: int, *, grant_id: int | None = None, period_id: int | None = None
) -> list[Transaction]:
    """Up to `limit` of a team's transactions with an id below `before`, newest first, of one grant or period or all."""
    values = {"team_id": team_id, "grant_id": grant_id, "period_id": period_id, "limit": limit, "before": before}
    rows = await (await tx.execute(QUERIES["ledger"], values)).fetchall()
    return [Transaction(row[0], TransactionKind(row[1]), *row[2:]) for row in rows]


async def closed_period(tx: Connection, subscription_id: int, start: datetime) -> tuple[int, str] | None:
    """The id and currency of a subscription's closed billing period that begins at a moment; None: it is not closed."""
    values = {"subscription_id": subscription_id, "start": start}
    row = await (await tx.execute(QUERIES["closed_period"], values)).fetchone()
    return (row[0], row[1]) if row else None


async def metric_names(tx: Connection) -> list[str]:
    """Every metric's name, in order."""
    return [name for (name,) in await (await tx.execute(QUERIES["metric_names"])).fetchall()]


async def _fetch(tx: Connection, name: str, values: Mapping[str, Any]) -> list[Stored]:
    return [_stored(row) for row in await (await tx.execute(_grants(name), values)).fetchall()]


def _stored(row: Sequence[Any]) -> Stored:
    (id, team_id, name, kind, priority, amount, currency, metric, metrics, effective_at, expires_at, *recurs,
     reference, created_at, voided_at, void_reason, settled_until) = row  # fmt: skip
    grant = Grant(
        id, team_id, name, GrantKind(kind), priority, amount, currency, metric, tuple(metrics), effective_at,
        expires_at, _recurrence(*recurs), reference, created_at, voided_at, void_reason,
    )  # fmt: skip
    return Stored(grant, settled_until)


def _recurrence(unit: str | None, every: int, anchor: datetime, time_zone: str, cap: Decimal) -> Recurrence | None:
    return Recurrence(BillingPeriod(PeriodUnit(unit), every), anchor, time_zone, cap) if unit else None
