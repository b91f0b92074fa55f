"""What is asked of Stripe about bills. Every call raises StripeRefused when it did not succeed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.bills.models import Bill, BillLine, StripeCreditNote, StripeInvoice, StripeLine
from tallystick.integrations.stripe.client import call

REFERENCE = "tallystick_bill"
LINE = "tallystick_line"
TEAM = "tallystick_team"
STATEMENT = "tallystick_statement"
DOCUMENT = "tallystick_document"
PAGE = 100


@dataclass(frozen=True, slots=True)
class BillApi:
    """Stripe's invoices and credit notes, for one account."""

    client: stripe.StripeClient
    account: str

    async def create_draft(self, bill: Bill, key: str) -> StripeInvoice:
        """A draft without lines, which does not go on by itself."""
        params: Any = {
            "customer": bill.customer_id,
            "currency": bill.currency.lower(),
            "auto_advance": False,
            "collection_method": bill.collection,
            "pending_invoice_items_behavior": "exclude",
            "description": bill.title,
            "metadata": metadata_of(bill),
        }
        if bill.collection == "send_invoice":
            params["days_until_due"] = bill.days_until_due
        made = await call("create an invoice", self.client.v1.invoices.create, params, {"idempotency_key": key})
        return _invoice(made)

    async def find_invoice(self, bill: Bill, since: datetime) -> StripeInvoice | None:
        """The invoice that was made for a bill since a moment, whatever became of it."""
        params: Any = {"customer": bill.customer_id, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        found = await call("list invoices", lambda: _all(self.client.v1.invoices.list(params)))
        return next((each for each in map(_invoice, found) if each.reference == bill.reference), None)

    async def invoice(self, id: str) -> StripeInvoice:
        """An invoice as it is now."""
        return _invoice(await call("look at an invoice", self.client.v1.invoices.retrieve, id))

    async def lines(self, id: str) -> list[StripeLine]:
        """The lines of an invoice, all of them."""
        found = await call("list lines", lambda: _all(self.client.v1.invoices.line_items.list(id, {"limit": PAGE})))
        return [_line(each) for each in found]

    async def add_lines(self, bill: Bill, id: str, lines: Sequence[BillLine], key: str) -> None:
        """Add lines to a draft: all of them, or none."""
        params: Any = {"lines": [_added(bill, line) for line in lines]}
        await call("add lines", self.client.v1.invoices.add_lines, id, params, {"idempotency_key": key})

    async def remove_lines(self, id: str, lines: Sequence[str]) -> None:
        """Take lines off a draft, and their items with them: they would wait for the next invoice otherwise."""
        params: Any = {"lines": [{"id": each, "behavior": "delete"} for each in lines]}
        await call("remove lines", self.client.v1.invoices.remove_lines, id, params)

    async def finalise(self, id: str, key: str) -> StripeInvoice:
        """Make a draft final, and have it collected."""
        params: Any = {"auto_advance": True}
        made = await call(
            "finalise an invoice", self.client.v1.invoices.finalize_invoice, id, params, {"idempotency_key": key}
        )
        return _invoice(made)

    async def delete_draft(self, id: str) -> None:
        """Throw a draft away."""
        await call("delete a draft", self.client.v1.invoices.delete, id)

    async def credit(self, bill: Bill, invoice: StripeInvoice, key: str) -> StripeCreditNote:
        """A credit note over an invoice that is final; of one that is paid the customer's balance gets it."""
        amount = -bill.total
        params: Any = {
            "invoice": invoice.id,
            "amount": amount,
            "lines": _credited(bill),
            "memo": bill.title,
            "metadata": metadata_of(bill),
        }
        if invoice.status == "paid":
            params["credit_amount"] = amount
        made = await call("make a credit note", self.client.v1.credit_notes.create, params, {"idempotency_key": key})
        return _credit_note(made)

    async def credit_notes(self, invoice_id: str) -> list[StripeCreditNote]:
        """The credit notes of an invoice."""
        params: Any = {"invoice": invoice_id, "limit": PAGE}
        found = await call("list credit notes", lambda: _all(self.client.v1.credit_notes.list(params)))
        return [_credit_note(each) for each in found]

    async def items(self, bill: Bill, since: datetime) -> dict[str, int]:
        """The items of a bill that are there already: their amounts, by key."""
        params: Any = {"customer": bill.customer_id, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        found = await call("list items", lambda: _all(self.client.v1.invoice_items.list(params)))
        ours = [(metadata_in(each), each.amount) for each in found]
        return {said[LINE]: amount for said, amount in ours if said.get(REFERENCE) == bill.reference and LINE in said}

    async def add_item(self, bill: Bill, line: BillLine, key: str) -> None:
        """An item that waits for the customer's next invoice."""
        params: Any = {"customer": bill.customer_id, "currency": bill.currency.lower(), **_added(bill, line)}
        params["metadata"] |= metadata_of(bill)
        await call("create an item", self.client.v1.invoice_items.create, params, {"idempotency_key": key})


def metadata_of(bill: Bill) -> dict[str, str]:
    """What is written on an invoice or a credit note, so that it is found again and people know what it is about."""
    said = {REFERENCE: bill.reference, TEAM: bill.team_id, STATEMENT: str(bill.period_id)}
    return said | ({DOCUMENT: str(bill.document_id)} if bill.document_id is not None else {})


def metadata_in(found: Any) -> dict[str, str]:
    """The metadata of something of Stripe's."""
    metadata = getattr(found, "metadata", None)
    return {} if metadata is None else dict(metadata.to_dict())


def _all(page: Any) -> list[Any]:
    return list(page.auto_paging_iter())


def _added(bill: Bill, line: BillLine) -> dict[str, Any]:
    return {
        "amount": line.amount,
        "description": line.description,
        "period": {"start": line.start, "end": line.end},
        "metadata": {REFERENCE: bill.reference, LINE: line.key},
    }


def _credited(bill: Bill) -> list[dict[str, Any]]:
    """The lines of a credit note, which can't be below zero: where one would be, they are told as one."""
    lines = [line for line in bill.lines if line.amount]
    if all(line.amount < 0 for line in lines) and len(lines) <= PAGE:
        return [_credit_line(line.description, -line.amount, line.key) for line in lines]
    return [_credit_line(bill.title, -bill.total, "total")]


def _credit_line(description: str, amount: int, key: str) -> dict[str, Any]:
    return {
        "type": "custom_line_item",
        "description": description,
        "quantity": 1,
        "unit_amount": amount,
        "metadata": {LINE: key},
    }


def _invoice(found: Any) -> StripeInvoice:
    moments = getattr(found, "status_transitions", None)
    paid_at = getattr(moments, "paid_at", None)
    parent = getattr(found, "parent", None)
    details = getattr(parent, "subscription_details", None)
    return StripeInvoice(
        id=found.id,
        number=getattr(found, "number", None),
        status=str(found.status),
        customer_id=str(getattr(found.customer, "id", found.customer)),
        reference=metadata_in(found).get(REFERENCE),
        total=found.total,
        remaining=found.amount_remaining,
        paid_at=_moment(paid_at) if paid_at else None,
        subscription_id=getattr(details, "subscription", None),
        interval=Interval(_moment(found.period_start), _moment(found.period_end)),
    )


def _line(found: Any) -> StripeLine:
    interval = Interval(_moment(found.period.start), _moment(found.period.end))
    return StripeLine(found.id, metadata_in(found).get(LINE), found.amount, interval)


def _credit_note(found: Any) -> StripeCreditNote:
    return StripeCreditNote(found.id, found.number, metadata_in(found).get(REFERENCE), found.amount, found.status)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
