"""Credit notes: what is taken off an invoice that is final."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.money import EXACT
from tallystick.integrations.stripe.fake.customers import Customers
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.invoices import Invoices
from tallystick.integrations.stripe.fake.refusals import missing, wrong
from tallystick.integrations.stripe.fake.world import (
    PAGING,
    Call,
    Served,
    World,
    created_in,
    matching,
    merged,
    newest_first,
    page,
    serves,
)


class CreditNotes:
    """The credit notes of an account. Before payment they lessen what is due; after it they credit the balance."""

    def __init__(self, world: World, customers: Customers, invoices: Invoices) -> None:
        self._world = world
        self._customers = customers
        self._invoices = invoices

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        taken = "invoice amount lines credit_amount out_of_band_amount memo metadata reason email_type"
        return {
            "POST /v1/credit_notes": serves(self._create, taken),
            "GET /v1/credit_notes": serves(self._list, f"created customer invoice {PAGING}"),
            "GET /v1/credit_notes/{id}": serves(lambda call: self._world.credit_notes.need(call.ids["id"])),
            "POST /v1/credit_notes/{id}": serves(self._update, "memo metadata"),
            "POST /v1/credit_notes/{id}/void": serves(self._void),
        }

    def _create(self, call: Call) -> Object:
        params = call.params
        invoice = self._world.invoices.need(params["invoice"], "invoice")
        if invoice["status"] not in {"open", "paid", "uncollectible"}:
            raise wrong(f"A credit note can't be issued for a {invoice['status']} invoice.", "invoice")
        lines = [self._line(invoice, each) for each in params.get("lines") or ()]
        amount = self._amount(invoice, params, lines)
        note = self._issue(invoice, params, lines, amount)
        self._world.credit_notes[note["id"]] = note
        self._world.announce("credit_note.created", note)
        return note

    def _amount(self, invoice: Object, params: Mapping[str, Any], lines: Sequence[Object]) -> int:
        of_lines = sum(line["amount"] for line in lines)
        amount: int = params.get("amount", of_lines)
        if amount <= 0 or (lines and amount != of_lines):
            raise wrong("The amount must be positive, and the sum of the lines where there are lines.", "amount")
        issued = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
        if issued + amount > invoice["total"]:
            raise wrong("The credit notes of an invoice can't come to more than its total.", "amount")
        return amount

    def _issue(self, invoice: Object, params: Mapping[str, Any], lines: list[Object], amount: int) -> Object:
        before = amount if invoice["status"] != "paid" else 0
        if before > invoice["amount_remaining"]:
            raise wrong("The credit note is over more than is left to pay.", "amount")
        credited = params.get("credit_amount", 0)
        if amount - before != credited + params.get("out_of_band_amount", 0):
            raise wrong("credit_amount and out_of_band_amount must be what is credited after payment.", "credit_amount")
        note = self._blank(invoice, amount, before, lines, params)
        if before:
            self._lessen(invoice, before)
        else:
            invoice["post_payment_credit_notes_amount"] += amount
        if credited:
            customer = self._world.customers[invoice["customer"]]
            booked = self._customers.book(
                customer, -credited, invoice["currency"], "credit_note", credit_note=note["id"]
            )
            note["customer_balance_transaction"] = booked["id"]
        return note

    def _lessen(self, invoice: Object, amount: int) -> None:
        left = invoice["amount_remaining"] - amount
        invoice["pre_payment_credit_notes_amount"] += amount
        invoice.update(amount_due=invoice["amount_due"] - amount, amount_remaining=left)
        if left == 0:
            invoice["status"] = "paid"
            invoice["status_transitions"]["paid_at"] = self._world.now
        self._invoices.announce("updated", invoice)

    def _line(self, invoice: Object, params: Mapping[str, Any]) -> Object:
        of: Object = {}
        if params["type"] == "invoice_line_item":
            of = self._invoice_line(invoice, params.get("invoice_line_item", ""))
        amount, quantity = _line_amount(params, of)
        return {
            "id": self._world.new_id("cnli"),
            "object": "credit_note_line_item",
            "amount": amount,
            "description": params.get("description", of.get("description")),
            "discount_amount": 0,
            "discount_amounts": [],
            **({"invoice_line_item": of["id"]} if of else {}),
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "pretax_credit_amounts": [],
            "quantity": quantity,
            "tax_rates": [],
            "taxes": [],
            "type": params["type"],
            "unit_amount": None,
            "unit_amount_decimal": None,
        }

    def _invoice_line(self, invoice: Object, identity: str) -> Object:
        for line in self._world.lines[invoice["id"]]:
            if line["id"] == identity:
                return line
        raise missing("line item", identity, "lines[][invoice_line_item]")

    def _blank(
        self, invoice: Object, amount: int, before: int, lines: list[Object], params: Mapping[str, Any]
    ) -> Object:
        identity = self._world.new_id("cn")
        earlier = sum(1 for _ in matching(self._world.credit_notes.values(), invoice=invoice["id"]))
        return {
            "id": identity,
            "object": "credit_note",
            "amount": amount,
            "amount_shipping": 0,
            "created": self._world.now,
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "customer_balance_transaction": None,
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": self._world.now,
            "invoice": invoice["id"],
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": False,
                "url": f"/v1/credit_notes/{identity}/lines",
            },
            "livemode": False,
            "memo": params.get("memo"),
            "metadata": merged({}, params.get("metadata")),
            "number": f"{invoice['number']}-CN-{earlier + 1:02d}",
            "out_of_band_amount": params.get("out_of_band_amount"),
            "pdf": f"https://pay.stripe.com/credit_notes/{identity}/pdf",
            "post_payment_amount": amount - before,
            "pre_payment_amount": before,
            "pretax_credit_amounts": [],
            "reason": params.get("reason"),
            "refunds": [],
            "shipping_cost": None,
            "status": "issued",
            "subtotal": amount,
            "subtotal_excluding_tax": amount,
            "total": amount,
            "total_excluding_tax": amount,
            "total_taxes": [],
            "type": "pre_payment" if before else "post_payment",
            "voided_at": None,
        }

    def _list(self, call: Call) -> Object:
        wanted = {name: call.params.get(name) for name in ("customer", "invoice")}
        found = matching(newest_first(self._world.credit_notes), **wanted)
        return page(call, created_in(found, call.params.get("created")), "/v1/credit_notes")

    def _update(self, call: Call) -> Object:
        note = self._world.credit_notes.need(call.ids["id"])
        note["metadata"] = merged(note["metadata"], call.params.get("metadata"))
        note["memo"] = call.params.get("memo", note["memo"])
        self._world.announce("credit_note.updated", note)
        return note

    def _void(self, call: Call) -> Object:
        note = self._world.credit_notes.need(call.ids["id"])
        invoice = self._world.invoices[note["invoice"]]
        if note["status"] == "void" or note["type"] != "pre_payment" or invoice["status"] != "open":
            raise wrong("Only a credit note that is issued, for an open invoice, can be voided.")
        note.update(status="void", voided_at=self._world.now)
        self._lessen(invoice, -note["amount"])
        self._world.announce("credit_note.voided", note)
        return note


def _line_amount(params: Mapping[str, Any], of: Object) -> tuple[int, int | None]:
    """The amount and the quantity of a credit note's line."""
    quantity = params.get("quantity")
    if (amount := params.get("amount")) is not None:
        return amount, quantity
    if of and quantity is None:
        return of["amount"], of["quantity"]
    unit = params.get("unit_amount_decimal", params.get("unit_amount"))
    unit = of["pricing"]["unit_amount_decimal"] if unit is None and of else unit
    exact = EXACT.multiply(Decimal(unit or 0), Decimal(1 if quantity is None else quantity))
    if exact != exact.to_integral_value():
        raise wrong("The fake Stripe credits whole minor units; give the line's amount.", "lines[][amount]")
    return int(exact), quantity
