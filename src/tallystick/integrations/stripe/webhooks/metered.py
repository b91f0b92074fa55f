"""Invoices that Stripe makes itself, of what its meters were told: which statement each is, and whether they agree."""

from dataclasses import dataclass

from tallystick.billing.statements import store as statements
from tallystick.billing.statements.models import ClosedPeriod, Status
from tallystick.core.clock import Clock, Interval
from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.amounts import from_minor_units
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.bills.api import BillApi
from tallystick.integrations.stripe.bills.models import StripeInvoice
from tallystick.integrations.stripe.teams import store as teams
from tallystick.integrations.stripe.teams.models import Mode
from tallystick.notifications.models import Notification
from tallystick.notifications.outbox import enqueue
from tallystick.storage.database import Connection, Database

STATUSES = {"open": Status.INVOICED, "uncollectible": Status.INVOICED, "paid": Status.PAID, "void": Status.CLOSED}
"""What a statement is by what its invoice is."""


@dataclass(frozen=True, slots=True)
class MeteredInvoices:
    """Follows invoices of subscriptions."""

    database: Database
    clock: Clock
    api: BillApi

    async def heard_of(self, id: str) -> str | None:
        """Something happened to an invoice that is no bill of ours: what came of it; None: its statement is still open.

        Raises:
            StripeRefused: it can't be looked at.
        """
        invoice = await self.api.invoice(id)
        async with self.database.snapshot() as tx:
            team = await teams.find_by_customer(tx, self.api.account, invoice.customer_id)
        if team is None or team.mode is not Mode.METERS or invoice.subscription_id is None:
            return "not ours"
        lines = await self.api.lines(id)
        if not lines:
            return "nothing on it"
        interval = Interval(min(line.interval.start for line in lines), max(line.interval.end for line in lines))
        async with self.database.transaction() as tx:
            period_id = await store.metered_statement(tx, team.team_id, interval)
            period = await statements.closed_period(tx, period_id) if period_id is not None else None
            if period is None:
                return None
            await store.mark_period(tx, period.id, invoice.id, STATUSES.get(invoice.status))
            if invoice.status != "draft":
                await self._compare(tx, period, invoice)
        return f"statement {period.id} {invoice.status}"

    async def _compare(self, tx: Connection, period: ClosedPeriod, invoice: StripeInvoice) -> None:
        """Tell of an invoice that does not come to what our statement does."""
        stripe = from_minor_units(invoice.total, period.currency)
        if stripe == period.total:
            return
        content = {
            "title": f"{period.team_id}: Stripe charges {plain(stripe)} {period.currency}, not {plain(period.total)}",
            "text": "The invoice of a subscription is not what our statement of the period comes to.",
            "facts": [
                {"label": "Statement", "value": str(period.id)},
                {"label": "Invoice", "value": invoice.number or invoice.id},
                {"label": "Local", "value": plain(period.total)},
                {"label": "Stripe", "value": plain(stripe)},
                {"label": "Difference", "value": plain(EXACT.subtract(stripe, period.total))},
            ],
        }
        key = f"stripe:invoice:{invoice.id}:{invoice.total}"
        await enqueue(tx, [Notification(key, "stripe.drift", None, (), content, self.clock.now())])
