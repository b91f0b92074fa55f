"""The statements about documents, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from tallystick.billing.invoices.documents import digest, from_json, to_json
from tallystick.billing.invoices.models import Invoice, InvoiceContent, Kind, Status
from tallystick.billing.statements.models import Status as StatementStatus
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

LAST = 2**63 - 1
"""The position before the newest document."""


class Search(NamedTuple):
    """Which documents are looked for; None filters nothing."""

    team_id: str | None = None
    status: Status | None = None
    kind: Kind | None = None
    number: str | None = None
    period_id: int | None = None


async def insert_draft(tx: Connection, content: InvoiceContent, now: datetime) -> int | None:
    """Make the draft that bills a statement; its id, or None where another document bills it."""
    values = _columns(content) | {"team_id": content.recipient.team_id, "period_id": content.statement_id, "now": now}
    return await _id(tx, "insert_draft", values)


async def insert_credit_note(
    tx: Connection, invoice_id: int, content: InvoiceContent, request_key: str | None, now: datetime
) -> int:
    """Make a draft of a credit note; its id."""
    values = _columns(content) | {"invoice_id": invoice_id, "request_key": request_key, "now": now}
    found = await _id(tx, "insert_credit_note", values)
    assert found is not None
    return found


async def redraft(tx: Connection, invoice_id: int, content: InvoiceContent) -> None:
    """Make a draft anew."""
    await tx.execute(QUERIES["redraft"], _columns(content) | {"id": invoice_id})


async def next_number(tx: Connection, entity: str, series: str) -> int:
    """The next number of a series. Others wait for it until this transaction ends."""
    found = await _id(tx, "next_number", {"entity": entity, "series": series})
    assert found is not None
    return found


async def finalize(
    tx: Connection, invoice_id: int, content: InvoiceContent, *, series: str, sequence: int, now: datetime
) -> None:
    """Give a draft its number, which the content has by now, and freeze it."""
    values = _columns(content) | {
        "id": invoice_id,
        "series": series,
        "sequence": sequence,
        "number": content.number,
        "digest": digest(content),
        "issued_on": content.issued_on,
        "due_on": content.due_on,
        "now": now,
    }
    await tx.execute(QUERIES["finalize"], values)


async def pay(tx: Connection, invoice_id: int, at: datetime) -> None:
    """A final document is paid."""
    await tx.execute(QUERIES["pay"], {"id": invoice_id, "at": at})


async def void(tx: Connection, invoice_id: int, at: datetime) -> None:
    """A final document is taken back."""
    await tx.execute(QUERIES["void"], {"id": invoice_id, "at": at})


async def discard(tx: Connection, invoice_id: int) -> None:
    """Throw a draft away."""
    await tx.execute(QUERIES["discard"], {"id": invoice_id})


async def mark_statement(tx: Connection, period_id: int, status: StatementStatus) -> None:
    """Say what has become of a statement; one that is void stays void."""
    await tx.execute(QUERIES["mark_statement"], {"period_id": period_id, "status": str(status)})


async def find(tx: Connection, invoice_id: int, *, lock: bool = False) -> Invoice | None:
    """The document of that id; locked, if asked for, until the transaction ends."""
    return await _one(tx, "lock" if lock else "find", {"id": invoice_id})


async def of_statement(tx: Connection, period_id: int) -> Invoice | None:
    """The document that bills a statement, unless it is void."""
    return await _one(tx, "of_statement", {"period_id": period_id})


async def credit_notes(tx: Connection, invoice_id: int) -> list[Invoice]:
    """The credit notes of an invoice, in the order in which they were made."""
    rows = await (await tx.execute(QUERIES["credit_notes"], {"invoice_id": invoice_id})).fetchall()
    return [_invoice(row) for row in rows]


async def find_request(tx: Connection, invoice_id: int, request_key: str) -> Invoice | None:
    """The credit note that a request with this key made."""
    return await _one(tx, "find_request", {"invoice_id": invoice_id, "request_key": request_key})


async def page(tx: Connection, search: Search, limit: int, before: int = LAST) -> list[Invoice]:
    """Up to `limit` documents, the newest first."""
    values = search._asdict() | {"limit": limit, "before": before}
    return [_invoice(row) for row in await (await tx.execute(QUERIES["list"], values)).fetchall()]


async def to_invoice(tx: Connection, team_id: str | None, limit: int, after: int = 0) -> list[int]:
    """Up to `limit` closed statements that are not invoiced yet."""
    values = {"team_id": team_id, "limit": limit, "after": after}
    return [id for (id,) in await (await tx.execute(QUERIES["to_invoice"], values)).fetchall()]


async def _one(tx: Connection, name: str, values: dict[str, Any]) -> Invoice | None:
    row = await (await tx.execute(QUERIES[name], values)).fetchone()
    return _invoice(row) if row else None


async def _id(tx: Connection, name: str, values: dict[str, Any]) -> int | None:
    row = await (await tx.execute(QUERIES[name], values)).fetchone()
    return int(row[0]) if row else None


def _columns(content: InvoiceContent) -> dict[str, Any]:
    return {
        "kind": str(content.kind),
        "entity": content.issuer.id,
        "currency": content.currency,
        "subtotal": content.subtotal,
        "credits": content.credited,
        "tax": content.tax,
        "due": content.due,
        "content": Jsonb(to_json(content)),
    }


def _invoice(row: Sequence[Any]) -> Invoice:
    id, status, period_id, credits_invoice_id, content, *rest = row
    return Invoice(id, Status(status), period_id, credits_invoice_id, from_json(content), *rest)
