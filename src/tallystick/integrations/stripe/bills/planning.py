"""Decides what is billed, and freezes it: a bill is written here, complete, before Stripe hears of it.

    closed statement (or our final document of it) ─▶ lines in Stripe's minor units ─▶ stripe_bills, once

From then on the statement counts as invoiced, so that it is neither voided nor invoiced by a second document.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tallystick.billing.invoices import sources
from tallystick.billing.invoices import store as documents
from tallystick.billing.invoices.content import compose
from tallystick.billing.invoices.models import Invoice, InvoiceContent
from tallystick.billing.invoices.models import Kind as DocumentKind
from tallystick.billing.invoices.models import Status as DocumentStatus
from tallystick.billing.invoices.taxes import by_table
from tallystick.billing.statements import store as statements
from tallystick.billing.statements.models import ClosedPeriod, StatementKind, Status
from tallystick.catalog.store import billing_rules
from tallystick.core.clock import Clock
from tallystick.core.errors import StorageError, TallystickError, Unavailable
from tallystick.integrations.stripe.amounts import from_minor_units
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.bills.composing import bill_lines
from tallystick.integrations.stripe.bills.models import Kind, NewBill, Source, State, reference_of
from tallystick.integrations.stripe.teams import store as teams
from tallystick.integrations.stripe.teams.models import LinkedTeam, Mode
from tallystick.storage.database import Connection, Database

PAGE = 200

Search = Callable[[Connection, str, Sequence[str] | None, int, int], Awaitable[list[int]]]


@dataclass(frozen=True, slots=True)
class Planned:
    """What was frozen: how many bills, and what could not be, one line each."""

    bills: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BillPlanner:
    """Freezes bills of one account."""

    database: Database
    clock: Clock
    account: str

    async def run(self, only: Sequence[str] | None = None) -> Planned:
        """Freeze a bill of everything that is to be billed; doing it again finds nothing."""
        bills = await self._each(store.to_bill, self._statement, "statement", only)
        credits = await self._each(store.to_credit, self._credit_note, "credit note", only)
        return Planned(bills.bills + credits.bills, bills.problems + credits.problems)

    async def _each(
        self, search: Search, plan: Callable[[int], Awaitable[bool]], what: str, only: Sequence[str] | None
    ) -> Planned:
        count, problems, after = 0, list[str](), 0
        while True:
            async with self.database.snapshot() as tx:
                found = await search(tx, self.account, only, PAGE, after)
            for id in found:
                try:
                    count += await plan(id)
                except (StorageError, Unavailable):
                    raise
                except TallystickError as error:
                    problems.append(f"{what} {id}: {error}")
            if len(found) < PAGE:
                return Planned(count, tuple(problems))
            after = found[-1]

    async def _statement(self, period_id: int) -> bool:
        async with self.database.transaction() as tx:
            period = await statements.closed_period(tx, period_id, lock=True)
            team = await teams.find(tx, period.team_id) if period else None
            if period is None or team is None or team.account != self.account:
                return False
            document = await documents.of_statement(tx, period_id)
            if team.mode is Mode.METERS:
                return await self._items(tx, period, team)
            if period.status is Status.CLOSED:
                made = await sources.load(tx, period)
                content, document = compose(made, by_table(made.rules.taxes)), None
            elif document is not None and document.status is DocumentStatus.FINAL:
                content = document.content
            else:
                return False
            bill = await self._bill(tx, team, period, content, document=document)
            if await store.freeze(tx, bill, self.clock.now()) is None:
                return False
            status = Status.PAID if bill.state is State.NOTHING else Status.INVOICED
            await store.mark_period(tx, period_id, None, status)
            return True

    async def _items(self, tx: Connection, period: ClosedPeriod, team: LinkedTeam) -> bool:
        """What corrects earlier periods of a team whose usage Stripe bills."""
        made = await sources.load(tx, period)
        content = compose(made, by_table(made.rules.taxes))
        bill = await self._bill(tx, team, period, content, kind=Kind.ITEMS)
        return await store.freeze(tx, bill, self.clock.now()) is not None

    async def _credit_note(self, document_id: int) -> bool:
        async with self.database.transaction() as tx:
            note = await documents.find(tx, document_id, lock=True)
            if note is None or note.credits_invoice_id is None:
                return False
            billed = await store.bill_of_document(tx, self.account, note.credits_invoice_id)
            period = await statements.closed_period(tx, note.period_id)
            team = await teams.find(tx, note.content.recipient.team_id)
            if billed is None or period is None or team is None:
                return False
            bill = await self._bill(tx, team, period, note.content, document=note, source=Source.CREDIT_NOTE)
            kind = Kind.CREDIT_NOTE if bill.total < 0 else Kind.INVOICE
            bill = bill._replace(kind=kind, credits_bill_id=billed.id, customer_id=billed.customer_id)
            return await store.freeze(tx, bill, self.clock.now()) is not None

    async def _bill(
        self,
        tx: Connection,
        team: LinkedTeam,
        period: ClosedPeriod,
        content: InvoiceContent,
        *,
        document: Invoice | None = None,
        source: Source = Source.STATEMENT,
        kind: Kind = Kind.INVOICE,
    ) -> NewBill:
        lines = tuple(bill_lines(content, only_adjustments=kind is Kind.ITEMS))
        total = sum(line.amount for line in lines)
        id = period.id if source is Source.STATEMENT or document is None else document.id
        digest = (document.digest if document else None) or period.digest
        corrected = await self._corrected(tx, period, content) if kind is Kind.INVOICE and total < 0 else None
        return NewBill(
            reference=reference_of(self.account, (source, id), digest, lines, await store.turns(tx, source, id)),
            account=self.account,
            team_id=team.team_id,
            customer_id=team.customer_id,
            period_id=period.id,
            source=source,
            document_id=document.id if document else None,
            kind=kind if corrected is None else Kind.CREDIT_NOTE,
            credits_bill_id=corrected,
            collection=str(team.collection),
            days_until_due=(await billing_rules(tx)).invoice.due_days,
            currency=content.currency,
            due=content.due if kind is not Kind.ITEMS else from_minor_units(total, content.currency),
            total=total,
            title=title_of(content),
            lines=lines,
            state=State.PLANNED if any(line.amount for line in lines) or total else State.NOTHING,
        )

    async def _corrected(self, tx: Connection, period: ClosedPeriod, content: InvoiceContent) -> int | None:
        """The bill that a correction takes something off: of the one statement that it corrects, if Stripe has it."""
        about = {line.adjusts.statement_id for line in content.lines if line.adjusts}
        if period.kind is not StatementKind.CORRECTION or len(about) != 1:
            return None
        billed = await store.bill_of_statement(tx, self.account, about.pop())
        return billed.id if billed and billed.currency == content.currency else None


def title_of(content: InvoiceContent) -> str:
    """What people read above a bill: which period it is for, to its last day, and the number of our document."""
    last = content.end - timedelta.resolution
    what = "Correction of usage" if content.kind is DocumentKind.CREDIT_NOTE else "Usage"
    number = f"{content.number}: " if content.number else ""
    return f"{number}{what} {content.start:%Y-%m-%d} to {last:%Y-%m-%d}"
