"""The statements about bills, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from tallystick.billing.statements.models import Status
from tallystick.core.clock import Interval
from tallystick.integrations.stripe.bills.models import Bill, Kind, NewBill, Source, State
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
LAST = 2**63 - 1


class Standing(NamedTuple):
    """How the bills of a team stand: how many wait, are open, are paid, are held; since when the oldest waits; why."""

    team_id: str
    waiting: int
    open: int
    paid: int
    held: int
    oldest: datetime | None
    hold: str | None


async def to_bill(tx: Connection, account: str, teams: Sequence[str] | None, limit: int, after: int) -> list[int]:
    """Statements that are to be billed."""
    return await _ids(tx, "to_bill", _filter(account, teams) | {"limit": limit, "after": after})


async def to_credit(tx: Connection, account: str, teams: Sequence[str] | None, limit: int, after: int) -> list[int]:
    """Credit notes of ours that Stripe is to be told of."""
    return await _ids(tx, "to_credit", _filter(account, teams) | {"limit": limit, "after": after})


async def turns(tx: Connection, source: Source, id: int) -> int:
    """How often it was billed and given up."""
    [found] = await _ids(tx, "turns", {"source": str(source), "id": id})
    return found


async def freeze(tx: Connection, bill: NewBill, now: datetime) -> int | None:
    """Keep a bill; its number, or None where somebody else has."""
    values = {**bill._asdict(), "lines": Jsonb([list(line) for line in bill.lines]), "now": now}
    found = await _ids(tx, "freeze", {name: _text(value) for name, value in values.items()})
    return found[0] if found else None


async def bill_of_statement(tx: Connection, account: str, period_id: int) -> Bill | None:
    """The invoice of a statement that stands at Stripe."""
    return await _one(tx, "bill_of_statement", {"account": account, "period_id": period_id})


async def bill_of_document(tx: Connection, account: str, document_id: int) -> Bill | None:
    """The bill that says the same as a document of ours."""
    return await _one(tx, "bill_of_document", {"account": account, "document_id": document_id})


async def find(tx: Connection, id: int, *, lock: bool = False) -> Bill | None:
    """The bill of that number."""
    return await _one(tx, "lock" if lock else "find", {"id": id})


async def find_by_stripe_id(tx: Connection, account: str, stripe_id: str) -> Bill | None:
    """The bill that is this at Stripe."""
    return await _one(tx, "find_by_stripe_id", {"account": account, "stripe_id": stripe_id})


async def page(
    tx: Connection, limit: int, *, team_id: str | None = None, state: State | None = None, before: int = LAST
) -> list[Bill]:
    """Bills, the newest first."""
    values = {"limit": limit, "team_id": team_id, "state": None if state is None else str(state), "before": before}
    return [Bill.of(row) for row in await (await tx.execute(QUERIES["page"], values)).fetchall()]


async def claim(
    tx: Connection, account: str, teams: Sequence[str] | None, *, lease: str, now: datetime, until: datetime
) -> Bill | None:
    """A bill whose time has come, for whoever holds this lease."""
    found = await _ids(tx, "claim", _filter(account, teams) | {"lease": lease, "now": now, "until": until})
    return await find(tx, found[0]) if found else None


async def claim_open(
    tx: Connection, account: str, teams: Sequence[str] | None, *, now: datetime, before: datetime
) -> Bill | None:
    """A bill that Stripe was not asked about since a moment."""
    found = await _ids(tx, "claim_open", _filter(account, teams) | {"now": now, "before": before})
    return await find(tx, found[0]) if found else None


async def trying(tx: Connection, id: int, now: datetime) -> None:
    """From here on Stripe may know of it."""
    await tx.execute(QUERIES["trying"], {"id": id, "now": now})


async def drafted(tx: Connection, id: int, stripe_id: str) -> None:
    """It has its own at Stripe."""
    await tx.execute(QUERIES["drafted"], {"id": id, "stripe_id": stripe_id})


async def become(tx: Connection, id: int, kind: Kind, credits_bill_id: int | None) -> None:
    """It becomes something else there."""
    await tx.execute(QUERIES["become"], {"id": id, "kind": str(kind), "credits_bill_id": credits_bill_id})


async def settle(
    tx: Connection, id: int, state: State, now: datetime, *, stripe_id: str | None = None, number: str | None = None
) -> None:
    """Where it stands, as Stripe says."""
    values = {"id": id, "state": str(state), "now": now, "stripe_id": stripe_id, "number": number}
    await tx.execute(QUERIES["settle"], values)


async def put_off(
    tx: Connection, id: int, lease: str, *, now: datetime, next_at: datetime, hold: str | None, new_key: bool
) -> bool:
    """It is tried again later; whether it was still ours to put off."""
    values = {"id": id, "lease": lease, "now": now, "next_at": next_at, "hold": hold, "raise": int(new_key)}
    return (await tx.execute(QUERIES["put_off"], values)).rowcount == 1


async def resume(tx: Connection, account: str, teams: Sequence[str] | None, now: datetime) -> None:
    """Try at once what waits."""
    await tx.execute(QUERIES["resume"], _filter(account, teams) | {"now": now})


async def release(tx: Connection, id: int, now: datetime) -> None:
    """It is given up."""
    await tx.execute(QUERIES["release"], {"id": id, "now": now})


async def mark_period(tx: Connection, period_id: int, stripe_id: str | None, status: Status | None) -> None:
    """What became of a statement at Stripe; None leaves its status."""
    values = {"period_id": period_id, "stripe_id": stripe_id, "status": None if status is None else str(status)}
    await tx.execute(QUERIES["mark_period"], values)


async def open_again(tx: Connection, period_id: int) -> None:
    """A statement can be billed again."""
    await tx.execute(QUERIES["open_again"], {"period_id": period_id})


async def standing(tx: Connection, teams: Sequence[str] | None) -> list[Standing]:
    """How bills stand, team by team."""
    values = {"teams": None if teams is None else list(teams)}
    return [Standing(*row) for row in await (await tx.execute(QUERIES["standing"], values)).fetchall()]


async def metered_statement(tx: Connection, team_id: str, interval: Interval) -> int | None:
    """The closed statement whose period shares most with an interval."""
    values = {"team_id": team_id, "start": interval.start, "end": interval.end}
    found = await _ids(tx, "metered_statement", values)
    return found[0] if found else None


def _filter(account: str, teams: Sequence[str] | None) -> dict[str, Any]:
    return {"account": account, "teams": None if teams is None else list(teams)}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Kind | Source | State) else value


async def _ids(tx: Connection, name: str, values: dict[str, Any]) -> list[int]:
    return [int(row[0]) for row in await (await tx.execute(QUERIES[name], values)).fetchall()]


async def _one(tx: Connection, name: str, values: dict[str, Any]) -> Bill | None:
    row = await (await tx.execute(QUERIES[name], values)).fetchone()
    return Bill.of(row) if row else None
