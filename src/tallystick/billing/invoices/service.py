"""Documents: draft → final → paid, or void by a credit note.

A draft is made of a closed statement, as often as wanted. Finalising makes it once more, gives it the next
number of its series and freezes it, all in one transaction: a number is either on a document or not given at
all. Whoever changes a document locks it first, then its statement, then the counter, so nobody waits in a ring.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Never

from babel import Locale, UnknownLocaleError

from tallystick.billing.invoices import sources, store
from tallystick.billing.invoices.content import Sources, compose, finalized
from tallystick.billing.invoices.crediting import reversed_in_full, reversed_in_part
from tallystick.billing.invoices.models import CreditRequest, Invoice, InvoiceContent, Kind, Recipient, Status
from tallystick.billing.invoices.numbering import Numbering
from tallystick.billing.invoices.store import LAST, Search
from tallystick.billing.invoices.taxes import TaxRule, by_table
from tallystick.billing.statements.models import Status as StatementStatus
from tallystick.billing.teams.service import required_team
from tallystick.catalog.rules import InvoiceRules
from tallystick.catalog.store import billing_rules
from tallystick.core.clock import Clock, as_utc
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.storage.database import Connection, Database

LONGEST_TEXT = 500
MOST_ADDRESS_LINES = 10

SETTLED = frozenset({Status.FINAL, Status.PAID})
"""A document that stands."""


@dataclass(frozen=True, slots=True)
class InvoiceService:
    """The documents of one installation.

    Attributes:
        database: where they are.
        clock: what day it is; documents are dated in UTC.
        tax_rule: which tax a line bears; None: what the billing file says.
    """

    database: Database
    clock: Clock
    tax_rule: TaxRule | None = None

    async def draft(self, period_id: int) -> Invoice:
        """The draft that bills a closed statement: made, or made anew. A final document stays what it is.

        Raises:
            NotFound: there is no such closed statement.
            Conflict: it can't be billed, or what it is made of does not add up.
        """
        async with self.database.transaction() as tx:
            known = await store.of_statement(tx, period_id)
            if known is not None and (known := await _locked(tx, known.id)).status is not Status.DRAFT:
                return known
            content = self._compose(await sources.load(tx, await sources.billable(tx, period_id)))
            if known is not None:
                await store.redraft(tx, known.id, content)
                return replace(known, content=content)
            return await self._insert(tx, content)

    async def finalize(self, invoice_id: int) -> Invoice:
        """Give a draft its number and freeze it. One that is final already stays what it is.

        Raises:
            NotFound: there is no such document.
            Conflict: it can't be billed, or the billing file does not say who writes invoices.
        """
        async with self.database.transaction() as tx:
            draft = await _locked(tx, invoice_id)
            if draft.status is not Status.DRAFT:
                return draft
            made = await sources.load(tx, await sources.billable(tx, draft.period_id))
            return await self._number(tx, draft, self._compose(made), made.rules)

    async def finalize_statement(self, period_id: int) -> Invoice:
        """`draft` and `finalize`."""
        return await self.finalize((await self.draft(period_id)).id)

    async def to_invoice(self, team_id: str | None, limit: int, after: int = 0) -> Sequence[int]:
        """Up to `limit` ids of closed statements that are not invoiced yet, after one."""
        async with self.database.snapshot() as tx:
            return await store.to_invoice(tx, team_id, limit, after)

    async def pay(self, invoice_id: int, at: datetime | None = None) -> Invoice:
        """A final document is paid, now or at another moment; a credit note was paid back. Once.

        Raises:
            NotFound: there is no such document.
            Conflict: it is a draft, or void.
        """
        async with self.database.transaction() as tx:
            invoice = await _locked(tx, invoice_id)
            if invoice.status is not Status.PAID:
                _require(invoice, {Status.FINAL}, "can be paid")
                await store.pay(tx, invoice_id, as_utc(at or self.clock.now()))
                await _mark(tx, invoice, StatementStatus.PAID)
            return await _found(tx, invoice_id)

    async def void(self, invoice_id: int, reason: str) -> Invoice:
        """Take a final invoice back by a credit note over all that is left of it; its statement can be billed again.

        Void already, it stays as it is. A draft is discarded instead.

        Raises:
            NotFound: there is no such document.
            Conflict: it is a draft, or itself a credit note of an invoice.
        """
        _check_text(reason, "reason", required=True)
        async with self.database.transaction() as tx:
            invoice = await _locked(tx, invoice_id)
            if invoice.status is not Status.VOID:
                _require(invoice, SETTLED, "can be made void")
                _require_no_credit_note(invoice)
                earlier = await _contents(tx, invoice)
                content = reversed_in_full(invoice.content, earlier, reason)
                if any(line.billed or line.credited for line in content.lines):
                    await self._credit(tx, invoice, content, None)
                await store.void(tx, invoice_id, self.clock.now())
                await _mark(tx, invoice, StatementStatus.CLOSED)
            return await _found(tx, invoice_id)

    async def credit(
        self, invoice_id: int, lines: Sequence[CreditRequest], reason: str, request_key: str | None = None
    ) -> Invoice:
        """A final credit note over parts of an invoice's lines, which stays in force for the rest.

        Args:
            invoice_id: a final invoice, paid or not.
            lines: how much of which line, before tax.
            reason: why; it stands on the credit note.
            request_key: the caller's own name for this; with the same one again it is made only once.

        Raises:
            NotFound: there is no such document.
            InvalidInput: a line or an amount that can't be.
            Conflict: it is not a final invoice, or less is left of it.
        """
        _check_text(reason, "reason", required=True)
        _check_text(request_key or "", "request_key")
        async with self.database.transaction() as tx:
            invoice = await _locked(tx, invoice_id)
            if request_key and (known := await store.find_request(tx, invoice_id, request_key)):
                return known
            _require(invoice, SETTLED, "can be credited")
            _require_no_credit_note(invoice)
            earlier = await _contents(tx, invoice)
            content = reversed_in_part(invoice.content, earlier, lines, reason)
            return await self._credit(tx, invoice, content, request_key)

    async def discard(self, invoice_id: int) -> None:
        """Throw a draft away; its statement can be billed again.

        Raises:
            NotFound: there is no such document.
            Conflict: it is final.
        """
        async with self.database.transaction() as tx:
            _require(await _locked(tx, invoice_id), {Status.DRAFT}, "can be thrown away")
            await store.discard(tx, invoice_id)

    async def get(self, invoice_id: int) -> Invoice:
        """The document of that id.

        Raises:
            NotFound: there is none.
        """
        async with self.database.snapshot() as tx:
            return await _found(tx, invoice_id)

    async def page(self, search: Search, limit: int, before: int = LAST) -> Sequence[Invoice]:
        """Up to `limit` documents made before one, the newest first."""
        async with self.database.snapshot() as tx:
            return await store.page(tx, search, limit, before)

    async def recipient(self, team_id: str) -> tuple[Recipient, str | None]:
        """How a team is addressed on its documents, and in which language; None: the one of the billing file.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.snapshot() as tx:
            team = await required_team(tx, team_id)
            found, locale = await sources.find_recipient(tx, team_id)
        return found or Recipient(team.id, team.name), locale

    async def address(self, recipient: Recipient, locale: str | None) -> None:
        """Say how a team is addressed from its next document on.

        Raises:
            NotFound: there is no such team.
            InvalidInput: a text that can't be printed, or a locale that is not known.
        """
        for name in ("name", "tax_id", "email", "reference"):
            _check_text(getattr(recipient, name), name, required=name == "name")
        if len(recipient.address) > MOST_ADDRESS_LINES:
            raise InvalidInput(f"an address has at most {MOST_ADDRESS_LINES} lines", field="address")
        for line in recipient.address:
            _check_text(line, "address")
        known = None if locale is None else known_locale(locale)
        async with self.database.transaction() as tx:
            await required_team(tx, recipient.team_id, lock=True)
            await sources.save_recipient(tx, recipient, known, self.clock.now())

    def _compose(self, made: Sources) -> InvoiceContent:
        return compose(made, self.tax_rule or by_table(made.rules.taxes))

    async def _insert(self, tx: Connection, content: InvoiceContent) -> Invoice:
        made = await store.insert_draft(tx, content, self.clock.now())
        if made is not None:
            return await _found(tx, made)
        theirs = await store.of_statement(tx, content.statement_id)  # made while we waited for the statement
        assert theirs is not None
        return theirs

    async def _number(self, tx: Connection, draft: Invoice, content: InvoiceContent, rules: InvoiceRules) -> Invoice:
        if not content.issuer.name:
            message = "nobody writes invoices yet: say who in the billing file, under billing.invoice.entity"
            raise Conflict(message)
        await self._freeze(tx, draft.id, content, rules)
        status = StatementStatus.INVOICED
        if not content.due:
            await store.pay(tx, draft.id, self.clock.now())
            status = StatementStatus.PAID
        await _mark(tx, draft, status)
        return await _found(tx, draft.id)

    async def _credit(
        self, tx: Connection, invoice: Invoice, content: InvoiceContent, request_key: str | None
    ) -> Invoice:
        made = await store.insert_credit_note(tx, invoice.id, content, request_key, self.clock.now())
        await self._freeze(tx, made, content, (await billing_rules(tx)).invoice)
        return await _found(tx, made)

    async def _freeze(self, tx: Connection, invoice_id: int, content: InvoiceContent, rules: InvoiceRules) -> None:
        """Number and date a document. The day is asked for again once the number is ours, so days follow numbers."""
        pattern = rules.credit_note if content.kind is Kind.CREDIT_NOTE else rules.number
        numbering = Numbering(pattern, content.issuer.id, self.clock.now().date())
        count = await store.next_number(tx, content.issuer.id, numbering.series)
        now = self.clock.now()
        document = finalized(content, numbering.number(count), now.date(), rules.due_days)
        await store.finalize(tx, invoice_id, document, series=numbering.series, sequence=count, now=now)


def known_locale(text: str) -> str:
    """The locale as documents name it: `de_DE`.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return str(Locale.parse(text.replace("-", "_")))
    except (UnknownLocaleError, ValueError, TypeError):
        raise InvalidInput(f"{text!r} is not a known locale, such as en_US or de_DE", field="locale") from None


async def _locked(tx: Connection, invoice_id: int) -> Invoice:
    return await store.find(tx, invoice_id, lock=True) or _no_invoice(invoice_id)


async def _found(tx: Connection, invoice_id: int) -> Invoice:
    return await store.find(tx, invoice_id) or _no_invoice(invoice_id)


def _no_invoice(invoice_id: int) -> Never:
    raise NotFound(f"there is no invoice {invoice_id}")


async def _contents(tx: Connection, invoice: Invoice) -> list[InvoiceContent]:
    return [note.content for note in await store.credit_notes(tx, invoice.id)]


async def _mark(tx: Connection, invoice: Invoice, status: StatementStatus) -> None:
    """Tell the statement what became of the document that bills it."""
    if invoice.credits_invoice_id is None:
        await store.mark_statement(tx, invoice.period_id, status)


def _require(invoice: Invoice, allowed: frozenset[Status] | set[Status], what: str) -> None:
    if invoice.status not in allowed:
        wanted = " or ".join(sorted(allowed))
        raise Conflict(f"invoice {invoice.name} is {invoice.status}; only one that is {wanted} {what}")


def _require_no_credit_note(invoice: Invoice) -> None:
    if invoice.credits_invoice_id is not None:
        raise Conflict(f"{invoice.name} is a credit note of an invoice and stays in force")


def _check_text(text: str, field: str, *, required: bool = False) -> None:
    if (required and not text.strip()) or not text.isprintable() or len(text) > LONGEST_TEXT:
        least = 1 if required else 0
        raise InvalidInput(f"{field} must have {least} to {LONGEST_TEXT} printable characters", field=field)
