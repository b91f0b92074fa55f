"""Invoice items, and the lines of drafts that are added, changed and removed in bulk."""

from collections.abc import Callable, Mapping
from typing import Any

from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.invoices import Invoices
from tallystick.integrations.stripe.fake.lines import (
    PRICED,
    PRICED_LINE,
    PRICES,
    TOLD,
    item,
    price_item,
    show,
    tell,
    worth,
)
from tallystick.integrations.stripe.fake.refusals import NotServed, missing, wrong
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

_LINE = frozenset(f"{PRICED} {TOLD} invoice_item id behavior".split())


class InvoiceItems:
    """What invoices are made of, where it does not come from a subscription."""

    def __init__(self, world: World, invoices: Invoices) -> None:
        self._world = world
        self._invoices = invoices

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        one, invoice = "/v1/invoiceitems/{invoiceitem}", "/v1/invoices/{invoice}"
        return {
            "POST /v1/invoiceitems": serves(self._create, f"{PRICED} {TOLD} customer currency invoice"),
            "GET /v1/invoiceitems": serves(self._list, f"created customer invoice pending {PAGING}"),
            f"GET {one}": serves(lambda call: self._world.invoice_items.need(call.ids["invoiceitem"])),
            f"POST {one}": serves(self._update, f"{PRICED} {TOLD}"),
            f"DELETE {one}": serves(self._delete),
            f"POST {invoice}/add_lines": serves(self._bulk(self._add), "lines invoice_metadata"),
            f"POST {invoice}/update_lines": serves(self._bulk(self._change), "lines invoice_metadata"),
            f"POST {invoice}/remove_lines": serves(self._bulk(self._remove), "lines invoice_metadata"),
            f"POST {invoice}/lines/{{line_item_id}}": serves(self._update_line, f"{PRICED_LINE} {TOLD}"),
        }

    def _create(self, call: Call) -> Object:
        params = call.params
        invoice = self._invoices.need_draft(params["invoice"]) if "invoice" in params else None
        identity = params.get("customer") or (invoice["customer"] if invoice else None)
        if identity is None:
            raise wrong("Missing required param: customer.", "customer", "parameter_missing")
        customer = self._world.customers.need(identity, "customer")
        if invoice and invoice["customer"] != customer["id"]:
            raise wrong("The invoice is another customer's.", "invoice")
        made = self._made(customer, invoice["currency"] if invoice else None, params)
        if invoice:
            self._invoices.attach(invoice, [made])
        self._keep(made)
        return made

    def _made(self, customer: Object, currency: str | None, params: Mapping[str, Any]) -> Object:
        found = worth(self._world, params)
        currency = currency or found.currency
        if currency is None:
            raise wrong("Missing required param: currency.", "currency", "parameter_missing")
        made = item(self._world, customer["id"], currency, params)
        customer["currency"] = customer["currency"] or currency
        return made

    def _keep(self, made: Object) -> None:
        self._world.invoice_items[made["id"]] = made
        self._world.announce("invoiceitem.created", made)

    def _list(self, call: Call) -> Object:
        wanted = {name: call.params.get(name) for name in ("customer", "invoice")}
        found = created_in(matching(newest_first(self._world.invoice_items), **wanted), call.params.get("created"))
        if (pending := call.params.get("pending")) is not None:
            found = (each for each in found if (each["invoice"] is None) == pending)
        return page(call, found, "/v1/invoiceitems")

    def _update(self, call: Call) -> Object:
        found = self._world.invoice_items.need(call.ids["invoiceitem"])
        self._set(found, call.params)
        return found

    def _delete(self, call: Call) -> Object:
        found = self._world.invoice_items.need(call.ids["invoiceitem"])
        self._take_off(found)
        found["deleted"] = True
        self._world.announce("invoiceitem.deleted", found)
        return {"id": found["id"], "object": "invoiceitem", "deleted": True}

    def _bulk(self, do: Callable[[Object, list[Object]], None]) -> Callable[[Call], Object]:
        """Something done to lines of a draft. What is wrong with one of them is found before any is touched."""

        def done(call: Call) -> Object:
            invoice = self._invoices.need_draft(call.ids["invoice"])
            metadata = merged(invoice["metadata"], call.params.get("invoice_metadata"))
            for each in call.params["lines"]:
                if unknown := each.keys() - _LINE:
                    raise NotServed(f"lines[][{min(unknown)}]")
            do(invoice, call.params["lines"])
            invoice["metadata"] = metadata
            self._invoices.announce("updated", invoice)
            return self._invoices.shown(invoice)

        return done

    def _add(self, invoice: Object, lines: list[Object]) -> None:
        customer = self._world.customers[invoice["customer"]]
        made = [self._added(customer, invoice["currency"], each) for each in lines]
        added = self._invoices.attach(invoice, made)
        for each in made:
            if each["id"] not in self._world.invoice_items:
                self._keep(each)
        if not self._world.assumed.a27_line_metadata_is_the_items:
            self._forget_metadata(made, added)

    def _added(self, customer: Object, currency: str, params: Mapping[str, Any]) -> Object:
        if (identity := params.get("invoice_item")) is None:
            return self._made(customer, currency, params)
        found = self._world.invoice_items.need(identity, "lines[][invoice_item]")
        if found["invoice"] is not None or found["customer"] != customer["id"]:
            raise wrong("The invoice item is on an invoice, or another customer's.", "lines[][invoice_item]")
        return found

    def _forget_metadata(self, made: list[Object], added: list[Object]) -> None:
        for each, line in zip(made, added, strict=True):
            line["metadata"] = dict(each["metadata"])
            each["metadata"] = {}

    def _change(self, invoice: Object, lines: list[Object]) -> None:
        found = [(self._item_behind(invoice, each.get("id", "")), each) for each in lines]
        for of, each in found:
            self._set(of, {name: value for name, value in each.items() if name != "id"})

    def _remove(self, invoice: Object, lines: list[Object]) -> None:
        found = [(self._item_behind(invoice, each["id"]), each["behavior"]) for each in lines]
        for of, behavior in found:
            self._take_off(of)
            of["invoice"] = None
            if behavior == "delete":
                of["deleted"] = True

    def _update_line(self, call: Call) -> Object:
        invoice = self._invoices.need_draft(call.ids["invoice"])
        self._set(self._item_behind(invoice, call.ids["line_item_id"]), call.params)
        return self._line(invoice, call.ids["line_item_id"])

    def _item_behind(self, invoice: Object, line: str) -> Object:
        details = self._line(invoice, line)["parent"]["invoice_item_details"]
        if details is None:
            raise wrong("A line of a subscription can't be changed.", "lines[][id]")
        return self._world.invoice_items[details["invoice_item"]]

    def _line(self, invoice: Object, identity: str) -> Object:
        for line in self._world.lines[invoice["id"]]:
            if line["id"] == identity:
                return line
        raise missing("line item", identity, "id")

    def _set(self, of: Object, params: Mapping[str, Any]) -> None:
        """Change an item, and the line that shows it.

        Raises:
            Refused: its invoice is final.
        """
        invoice = self._invoices.need_draft(of["invoice"]) if of["invoice"] else None
        if any(name in params for name in PRICED.split()):
            price_item(of, worth(self._world, _repriced(of, params)), of["currency"])
        tell(of, params)
        if invoice:
            for line in self._world.lines[invoice["id"]]:
                if _shows(line, of):
                    show(self._world, line, of)
            self._invoices.add_up(invoice)

    def _take_off(self, of: Object) -> None:
        if of["invoice"] is not None:
            invoice = self._invoices.need_draft(of["invoice"])
            kept = [line for line in self._world.lines[invoice["id"]] if not _shows(line, of)]
            self._world.lines[invoice["id"]] = kept
            self._invoices.add_up(invoice)


def _repriced(of: Object, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A quantity alone goes with the unit amount that the item has."""
    if any(params.get(name) is not None for name in PRICES):
        return params
    return {**params, "unit_amount_decimal": of["pricing"]["unit_amount_decimal"]}


def _shows(line: Object, of: Object) -> bool:
    details = line["parent"]["invoice_item_details"]
    return details is not None and details["invoice_item"] == of["id"]
