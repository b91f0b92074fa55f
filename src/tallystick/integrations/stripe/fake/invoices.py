"""Invoices: drafts, their finalisation, and what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tallystick.integrations.stripe.fake.assumptions import (
    DAY,
    FINALISATION_GRACE,
    MAX_ITEMS,
)
from tallystick.integrations.stripe.fake.customers import Customers
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.lines import line_of
from tallystick.integrations.stripe.fake.payments import Payments
from tallystick.integrations.stripe.fake.refusals import NotServed, wrong
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

_EMBEDDED = 10
"""Lines that an invoice shows of itself; the rest is paged."""

_SET = (
    "auto_advance", "automatically_finalizes_at", "collection_method", "days_until_due", "default_payment_method",
    "description", "due_date", "footer",
)  # fmt: skip
_DAYS = "days_until_due"
"""Is set, and not answered: the due date says it."""

_ALWAYS = frozenset({"metadata", "auto_advance", "default_payment_method"})
"""What can be changed when an invoice is final."""


class Invoices:
    """The invoices of an account."""

    def __init__(self, world: World, customers: Customers) -> None:
        self._world = world
        self._payments = Payments(world, customers, self.announce)
        self.bring_up_to_date: Callable[[Object], None] = lambda _: None
        """Told a draft before it is shown or made final: whoever knows its usage may bring that up to date."""

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        one = "/v1/invoices/{invoice}"
        taken = f"{' '.join(_SET)} metadata automatic_tax"
        return {
            "POST /v1/invoices": serves(self._create, f"{taken} customer currency pending_invoice_items_behavior"),
            "GET /v1/invoices": serves(self._list, f"collection_method created customer status subscription {PAGING}"),
            f"GET {one}": serves(lambda call: self.shown(self._found(call))),
            f"POST {one}": serves(self._update, taken),
            f"DELETE {one}": serves(self._delete),
            f"GET {one}/lines": serves(self._lines, PAGING),
            f"POST {one}/finalize": serves(self._finalise, "auto_advance"),
            f"POST {one}/pay": serves(self._pay, "paid_out_of_band payment_method off_session"),
            f"POST {one}/send": serves(self._send),
            f"POST {one}/void": serves(lambda call: self._leave(call, "void", "voided")),
            f"POST {one}/mark_uncollectible": serves(
                lambda call: self._leave(call, "uncollectible", "marked_uncollectible")
            ),
        }

    def draft(self, customer: Object, currency: str, **about: Any) -> Object:
        """A new draft without lines."""
        now = self._world.now
        invoice = _blank(self._world.new_id("in"), customer, currency, now)
        invoice.update(about)
        self._world.invoices[invoice["id"]] = invoice
        self._world.lines[invoice["id"]] = []
        return invoice

    def need_draft(self, identity: str) -> Object:
        """An invoice that has to be a draft.

        Raises:
            Refused: there is none, or it is final.
        """
        invoice = self._world.invoices.need(identity)
        if invoice["status"] != "draft":
            raise wrong(
                f"Invoice {identity} is {invoice['status']}; only a draft can be changed.", code="invoice_not_editable"
            )
        return invoice

    def attach(self, invoice: Object, items: Sequence[Object]) -> list[Object]:
        """Put invoice items on a draft. All of them, or none.

        Raises:
            Refused: there would be too many.
        """
        lines = self._world.lines[invoice["id"]]
        if len(lines) + len(items) > MAX_ITEMS:
            raise wrong(f"An invoice can have at most {MAX_ITEMS} items.", "lines")
        added = []
        for each in items:
            each["invoice"] = invoice["id"]
            added.append(line_of(self._world, each, invoice["id"]))
        lines.extend(added)
        self.add_up(invoice)
        return added

    def pending(self, customer: str, currency: str) -> list[Object]:
        """The items that wait for a customer's next invoice, oldest first."""
        waiting = matching(self._world.invoice_items.values(), customer=customer, currency=currency)
        return [each for each in waiting if each["invoice"] is None and not each.get("deleted")]

    def add_up(self, invoice: Object) -> None:
        """Bring a draft's totals up to date with its lines."""
        total = sum(line["amount"] for line in self._world.lines[invoice["id"]])
        due = max(0, total)
        invoice.update(
            amount_due=due,
            amount_remaining=due,
            subtotal=total,
            subtotal_excluding_tax=total,
            total=total,
            total_excluding_tax=total,
        )

    def shown(self, invoice: Object) -> Object:
        """An invoice as it is answered, with the first of its lines."""
        if invoice["status"] == "draft":
            self.bring_up_to_date(invoice)
        lines = self.lines(invoice["id"])
        embedded = {
            "object": "list",
            "data": lines[:_EMBEDDED],
            "has_more": len(lines) > _EMBEDDED,
            "url": f"/v1/invoices/{invoice['id']}/lines",
        }
        return {name: value for name, value in invoice.items() if name != _DAYS} | {"lines": embedded}

    def lines(self, identity: str) -> list[Object]:
        """The lines of an invoice, in the order in which they are listed (A26)."""
        lines = self._world.lines[identity]
        return list(lines) if self._world.assumed.a26_lines_in_order else lines[::-1]

    def announce(self, what: str, invoice: Object) -> None:
        """Tell that something happened to an invoice."""
        self._world.announce(f"invoice.{what}", self.shown(invoice))

    def finalise(self, invoice: Object) -> None:
        """Make a draft final: numbered, balanced, and paid where nothing is left to pay."""
        self.bring_up_to_date(invoice)
        now, customer = self._world.now, self._world.customers[invoice["customer"]]
        invoice.update(
            status="open",
            effective_at=now,
            number=f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
            hosted_invoice_url=f"https://invoice.stripe.com/i/{invoice['id']}",
            invoice_pdf=f"https://pay.stripe.com/invoice/{invoice['id']}/pdf",
            automatically_finalizes_at=None,
        )
        if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
            invoice["due_date"] = now + (invoice[_DAYS] or 0) * DAY
        invoice["status_transitions"]["finalized_at"] = now
        customer["next_invoice_sequence"] += 1
        self._payments.apply_balance(invoice)
        self.announce("finalized", invoice)
        self._payments.begin(invoice)

    def finalise_later(self, invoice: Object, when: float) -> None:
        """Finalise a draft at a time, if it still is one and advances by itself then."""

        def due() -> None:
            if invoice["status"] == "draft" and invoice["auto_advance"] and not invoice.get("deleted"):
                self.finalise(invoice)

        invoice["automatically_finalizes_at"] = int(when)
        self._world.clock.at(when, due)

    def _found(self, call: Call) -> Object:
        return self._world.invoices.need(call.ids["invoice"])

    def _create(self, call: Call) -> Object:
        params = dict(call.params)
        if "customer" not in params:
            raise wrong("Missing required param: customer.", "customer", "parameter_missing")
        customer = self._world.customers.need(params.pop("customer"), "customer")
        currency = params.pop("currency", None) or customer["currency"] or "usd"
        include = params.pop("pending_invoice_items_behavior", "exclude") == "include"
        changes = _changes({}, params)
        _check_collection(changes)
        items = self.pending(customer["id"], currency) if include else []
        invoice = self.draft(customer, currency, **changes)
        self.attach(invoice, items)
        self._schedule(invoice, changes)
        self.announce("created", invoice)
        return self.shown(invoice)

    def _schedule(self, invoice: Object, changes: Mapping[str, Any]) -> None:
        if (when := changes.get("automatically_finalizes_at")) is not None:
            self.finalise_later(invoice, when)
        elif changes.get("auto_advance"):
            self.finalise_later(invoice, self._world.clock.seconds + FINALISATION_GRACE)

    def _update(self, call: Call) -> Object:
        invoice = self._found(call)
        if invoice["status"] != "draft" and (fixed := sorted(call.params.keys() - _ALWAYS)):
            raise wrong(
                f"Finalized invoices can't be updated in this way: {fixed[0]}", fixed[0], "invoice_not_editable"
            )
        changes = _changes(invoice["metadata"], call.params)
        _check_collection({**invoice, **changes})
        invoice.update(changes)
        if invoice["status"] == "draft":
            self._schedule(invoice, changes)
        self.announce("updated", invoice)
        return self.shown(invoice)

    def _delete(self, call: Call) -> Object:
        invoice = self.need_draft(call.ids["invoice"])
        if invoice["parent"] is not None:
            raise wrong("An invoice of a subscription can't be deleted.")
        for each in matching(self._world.invoice_items.values(), invoice=invoice["id"]):
            each["invoice"] = None
            if not self._world.assumed.a36_deleted_draft_frees_items:
                each["deleted"] = True
        invoice["deleted"] = True
        self._world.announce("invoice.deleted", self.shown(invoice))
        return {"id": invoice["id"], "object": "invoice", "deleted": True}

    def _list(self, call: Call) -> Object:
        wanted = {name: call.params.get(name) for name in ("collection_method", "customer", "status")}
        found = created_in(matching(newest_first(self._world.invoices), **wanted), call.params.get("created"))
        if (subscription := call.params.get("subscription")) is not None:
            found = (each for each in found if _subscription(each) == subscription)
        shown = page(call, found, "/v1/invoices")
        shown["data"] = [self.shown(each) for each in shown["data"]]
        return shown

    def _lines(self, call: Call) -> Object:
        invoice = self._found(call)
        return page(call, self.lines(invoice["id"]), f"/v1/invoices/{invoice['id']}/lines")

    def _finalise(self, call: Call) -> Object:
        invoice = self._found(call)
        if invoice["status"] != "draft":
            raise wrong("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
        invoice["auto_advance"] = call.params.get("auto_advance", invoice["auto_advance"])
        self.finalise(invoice)
        return self.shown(invoice)

    def _pay(self, call: Call) -> Object:
        invoice = self._found(call)
        if invoice["status"] not in {"open", "uncollectible"}:
            raise wrong(f"Invoice is {invoice['status']} and can't be paid.")
        if not call.params.get("paid_out_of_band"):
            self._payments.charge(invoice, call.params.get("payment_method"))
        else:
            self._payments.paid(invoice)
        return self.shown(invoice)

    def _send(self, call: Call) -> Object:
        invoice = self._found(call)
        if invoice["collection_method"] != "send_invoice":
            raise wrong("You can only manually send an invoice if its collection method is 'send_invoice'.")
        if invoice["status"] == "draft":
            self.finalise(invoice)
        self.announce("sent", invoice)
        return self.shown(invoice)

    def _leave(self, call: Call, status: str, event: str) -> Object:
        invoice = self._found(call)
        if invoice["status"] not in {"open", "uncollectible"} or invoice["status"] == status:
            raise wrong(f"Invoice is {invoice['status']}; it can't be {event.replace('_', ' ')}.")
        invoice["status"] = status
        invoice["status_transitions"][f"{event}_at"] = self._world.now
        if status == "void":
            self._payments.give_back(invoice)
        self.announce(event, invoice)
        return self.shown(invoice)


def _subscription(invoice: Object) -> str | None:
    parent = invoice["parent"]
    return parent["subscription_details"]["subscription"] if parent else None


def _changes(metadata: Mapping[str, str], params: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: params[name] for name in _SET if name in params}
    changes["metadata"] = merged(metadata, params.get("metadata"))
    if params.get("automatic_tax", {}).get("enabled"):
        raise NotServed("taxes")
    return changes


def _check_collection(changes: Mapping[str, Any]) -> None:
    sends = changes.get("collection_method") == "send_invoice"
    due = changes.get("days_until_due") is not None or changes.get("due_date") is not None
    if sends and not due:
        raise wrong("If invoice's collection_method is set to send_invoice, you must set days_until_due or due_date.")
    if due and not sends:
        raise wrong("days_until_due and due_date go with collection_method=send_invoice.", "days_until_due")


def _blank(identity: str, customer: Object, currency: str, now: int) -> Object:
    """A draft about nothing."""
    return {
        "id": identity,
        "object": "invoice",
        "account_country": "US",
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None, "status": None},
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        _DAYS: None,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "number": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "total": 0,
        "total_excluding_tax": 0,
        "webhooks_delivered_at": None,
    }
