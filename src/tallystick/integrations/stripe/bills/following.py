"""What became of a bill at Stripe is written down here: on the bill, its statement, and the document of ours."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.billing.invoices import store as documents
from tallystick.billing.invoices.models import Status as DocumentStatus
from tallystick.billing.statements.models import Status
from tallystick.core.clock import Clock
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.bills.issuing import settled_state
from tallystick.integrations.stripe.bills.models import Bill, Kind, Source, State, StripeCreditNote, StripeInvoice
from tallystick.integrations.stripe.bills.telling import tell
from tallystick.storage.database import Connection, Database

STATUSES = {
    State.FINAL: Status.INVOICED,
    State.UNCOLLECTIBLE: Status.INVOICED,
    State.PAID: Status.PAID,
}
"""What a statement is by what its bill is. One whose bill is void can be billed again."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Writes down what became of bills."""

    database: Database
    clock: Clock

    async def settle(self, bill: Bill, found: StripeInvoice | StripeCreditNote | None) -> None:
        """A bill is what Stripe says it is. Doing it again changes nothing."""
        state = settled_state(found)
        if state is State.DRAFTED:
            return
        now = self.clock.now()
        async with self.database.transaction() as tx:
            if found is not None and bill.document_id is not None and state is State.PAID:
                await self._pay_document(tx, bill, _paid_at(found, now))
            before = await store.find(tx, bill.id, lock=True)
            if before is None or before.state is State.RELEASED:
                return
            number, id = (found.number, found.id) if found else (None, None)
            await store.settle(tx, bill.id, state, now, stripe_id=id, number=number)
            await self._mark(tx, before, state, id)
            if state is not before.state and state in (State.VOID, State.UNCOLLECTIBLE):
                await tell(tx, before, str(state), f"Stripe says that it is {state}.", now)

    async def _mark(self, tx: Connection, bill: Bill, state: State, stripe_id: str | None) -> None:
        """The statement follows, unless it is billed by Stripe itself."""
        if bill.source is not Source.STATEMENT or bill.kind is Kind.ITEMS:
            return
        if state is State.VOID:
            if bill.document_id is None:
                await store.mark_period(tx, bill.period_id, stripe_id, Status.CLOSED)
            return
        await store.mark_period(tx, bill.period_id, stripe_id, STATUSES[state])

    async def _pay_document(self, tx: Connection, bill: Bill, at: datetime) -> None:
        """Our document is paid, too. It is locked before its statement, as elsewhere."""
        assert bill.document_id is not None
        document = await documents.find(tx, bill.document_id, lock=True)
        if document is not None and document.status is DocumentStatus.FINAL:
            await documents.pay(tx, bill.document_id, at)


def _paid_at(found: StripeInvoice | StripeCreditNote, now: datetime) -> datetime:
    paid_at = found.paid_at if isinstance(found, StripeInvoice) else None
    return paid_at or now
