"""Payment of invoices: the customer's balance first, then a charge."""

from collections.abc import Callable
from contextlib import suppress

from tallystick.integrations.stripe.fake.assumptions import HOUR, LEAST_CHARGE
from tallystick.integrations.stripe.fake.customers import Customers
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.refusals import Refused
from tallystick.integrations.stripe.fake.world import World


class Payments:
    """Gets final invoices paid.

    Args:
        world: the account.
        customers: whose balances and payment methods they are.
        announce: told what happened to an invoice: `paid`, `payment_failed`.
    """

    def __init__(self, world: World, customers: Customers, announce: Callable[[str, Object], None]) -> None:
        self._world = world
        self._customers = customers
        self._announce = announce

    def apply_balance(self, invoice: Object) -> None:
        """Let the balance pay what it can, and leave to it what can't be charged: less than nothing, or too little."""
        customer = self._world.customers[invoice["customer"]]
        starting = customer["balance"]
        owed = invoice["total"] + starting
        automatic = invoice["collection_method"] == "charge_automatically"
        too_small = automatic and 0 < owed < LEAST_CHARGE.get(invoice["currency"], 0)
        due = 0 if too_small else max(0, owed)
        if change := owed - due - starting:
            kind = "invoice_too_small" if too_small and starting <= 0 else "applied_to_invoice"
            self._customers.book(customer, change, invoice["currency"], kind, invoice=invoice["id"])
        invoice.update(
            starting_balance=starting, ending_balance=customer["balance"], amount_due=due, amount_remaining=due
        )

    def give_back(self, invoice: Object) -> None:
        """Undo what the balance paid or took: the invoice is void."""
        if change := invoice["starting_balance"] - (invoice["ending_balance"] or 0):
            customer = self._world.customers[invoice["customer"]]
            self._customers.book(customer, change, invoice["currency"], "unapplied_from_invoice", invoice=invoice["id"])

    def begin(self, invoice: Object) -> None:
        """What happens to an invoice that has just become final."""
        if invoice["amount_due"] == 0:
            self.paid(invoice)
        elif invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically":
            if self._world.assumed.a34_charged_when_finalised:
                self._charge_by_itself(invoice)
            else:
                self._world.clock.at(self._world.clock.seconds + HOUR, lambda: self._charge_by_itself(invoice))

    def charge(self, invoice: Object, payment_method: str | None = None) -> None:
        """Charge the customer.

        Raises:
            Refused: the card was declined, or there is none.
        """
        customer = self._world.customers[invoice["customer"]]
        invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
        if not self._customers.can_pay(customer, payment_method or invoice["default_payment_method"]):
            self._announce("payment_failed", invoice)
            raise Refused(402, "Your card was declined.", code="card_declined", kind="card_error")
        self.paid(invoice)

    def paid(self, invoice: Object) -> None:
        """All that was due is paid."""
        invoice.update(status="paid", amount_paid=invoice["amount_remaining"], amount_remaining=0, auto_advance=False)
        invoice["status_transitions"]["paid_at"] = self._world.now
        self._announce("paid", invoice)
        self._announce("payment_succeeded", invoice)

    def _charge_by_itself(self, invoice: Object) -> None:
        if invoice["status"] == "open":
            with suppress(Refused):  # the event payment_failed has said so
                self.charge(invoice)
