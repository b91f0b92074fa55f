"""Gives a frozen bill to Stripe, step by step; each step looks first at what is there, so it can be done again.

    none ─▶ draft ─▶ its lines, only those that are missing ─▶ read back and compared ─▶ final

What was asked for and not answered may have been done. So a draft is looked for before it is made a second time, lines
are listed before they are added, and an invoice is looked at before it is made final. Idempotency keys hold for
content: two who do the same at once do it once.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tallystick.core.clock import Clock
from tallystick.core.errors import TallystickError
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.bills.api import BillApi
from tallystick.integrations.stripe.bills.models import (
    ADDED_AT_ONCE,
    Bill,
    BillLine,
    Kind,
    State,
    StripeCreditNote,
    StripeInvoice,
    StripeLine,
)
from tallystick.storage.database import Database

SKEW = timedelta(hours=1)
"""How far Stripe's clock may be from ours when something is looked for by its date."""


class Differs(TallystickError):
    """What Stripe has is not what it was given; somebody has to look."""

    code = "stripe_bill_differs"
    status = 409


@dataclass(frozen=True, slots=True)
class Issuer:
    """Gives bills to Stripe."""

    database: Database
    clock: Clock
    api: BillApi

    async def issue(self, bill: Bill) -> StripeInvoice | StripeCreditNote | None:
        """Bring a bill as far as it goes. It can be stopped anywhere and done again.

        Returns:
            What it is at Stripe; None: items, which are on no invoice yet.

        Raises:
            StripeRefused: Stripe did not take a step, or nobody knows.
            Differs: something is there that we did not put there.
        """
        if bill.kind is Kind.ITEMS:
            await self._add_items(bill)
            return None
        if bill.kind is Kind.CREDIT_NOTE:
            return await self._credit(bill)
        return await self._invoice(bill)

    async def _invoice(self, bill: Bill) -> StripeInvoice:
        if bill.stripe_id is None:
            invoice = await self._draft(bill)
            await self._note(bill, invoice.id)
        else:
            invoice = await self.api.invoice(bill.stripe_id)
        if invoice.status != "draft":
            return invoice
        await self._fill(bill, invoice.id)
        await self._compare(bill, invoice.id)
        return await self.api.finalise(invoice.id, bill.idempotency_key("final"))

    async def _draft(self, bill: Bill) -> StripeInvoice:
        tried_at = bill.tried_at
        await self._trying(bill)
        if tried_at is not None and (found := await self.api.find_invoice(bill, tried_at - SKEW)):
            return found
        return await self.api.create_draft(bill, bill.idempotency_key("draft"))

    async def _fill(self, bill: Bill, id: str) -> None:
        """Add the lines that are missing, each batch being the same whoever adds it; take off what is there twice."""
        there = await self.api.lines(id)
        if surplus := _surplus(bill, there):
            await self.api.remove_lines(id, surplus)
            there = [line for line in there if line.id not in surplus]
        known = {line.key for line in there}
        for start in range(0, len(bill.lines), ADDED_AT_ONCE):
            missing = [line for line in bill.lines[start : start + ADDED_AT_ONCE] if line.key not in known]
            if missing:
                await self.api.add_lines(bill, id, missing, bill.idempotency_key(f"lines-{_digest(missing)}"))

    async def _compare(self, bill: Bill, id: str) -> None:
        """Read back what is there.

        Raises:
            Differs: it is not what was given.
        """
        wanted: Counter[tuple[str | None, int]] = Counter((line.key, line.amount) for line in bill.lines)
        found = Counter((line.key, line.amount) for line in await self.api.lines(id))
        if wanted != found:
            other = next(iter((found - wanted) or (wanted - found)))
            raise Differs(
                f"draft {id} has other lines than bill {bill.id}: look at {other[0] or 'one of another origin'}"
            )
        total = (await self.api.invoice(id)).total
        if total != bill.total:
            raise Differs(
                f"draft {id} comes to {total}, bill {bill.id} to {bill.total} (in minor units): tax, discount?"
            )

    async def _credit(self, bill: Bill) -> StripeInvoice | StripeCreditNote:
        """A credit note, or, where it doesn't fit the invoice any more, an invoice below zero: the balance gets it."""
        about = await self._credited(bill)
        if about is not None:
            made = [each for each in await self.api.credit_notes(about.id) if each.status == "issued"]
            if found := next((each for each in made if each.reference == bill.reference), None):
                return found
            if _fits(bill, about, sum(each.amount for each in made)):
                await self._trying(bill)
                return await self.api.credit(bill, about, bill.idempotency_key("credit"))
        await self._become_invoice(bill)
        return await self._invoice(bill)

    async def _credited(self, bill: Bill) -> StripeInvoice | None:
        async with self.database.snapshot() as tx:
            about = await store.find(tx, bill.credits_bill_id) if bill.credits_bill_id else None
        if about is None or about.kind is not Kind.INVOICE or about.stripe_id is None:
            return None
        return await self.api.invoice(about.stripe_id)

    async def _become_invoice(self, bill: Bill) -> None:
        async with self.database.transaction() as tx:
            await store.become(tx, bill.id, Kind.INVOICE, bill.credits_bill_id)

    async def _add_items(self, bill: Bill) -> None:
        tried_at = bill.tried_at
        await self._trying(bill)
        known = await self.api.items(bill, tried_at - SKEW) if tried_at is not None else {}
        for line in bill.lines:
            if line.key not in known and line.amount:
                await self.api.add_item(bill, line, bill.idempotency_key(f"item-{_digest([line])}"))

    async def _trying(self, bill: Bill) -> None:
        async with self.database.transaction() as tx:
            await store.trying(tx, bill.id, self.clock.now())

    async def _note(self, bill: Bill, id: str) -> None:
        async with self.database.transaction() as tx:
            await store.drafted(tx, bill.id, id)
            if bill.source == "statement":
                await store.mark_period(tx, bill.period_id, id, None)


def settled_state(found: StripeInvoice | StripeCreditNote | None) -> State:
    """Where a bill stands that is this at Stripe. Items are out of our hands, and a credit note has nothing to pay."""
    if not isinstance(found, StripeInvoice):
        return State.FINAL if found is None else State.PAID
    states = {"draft": State.DRAFTED, "paid": State.PAID, "void": State.VOID, "uncollectible": State.UNCOLLECTIBLE}
    return states.get(found.status, State.FINAL)


def _surplus(bill: Bill, there: Sequence[StripeLine]) -> list[str]:
    """Lines of ours that are there a second time, or with another amount."""
    wanted = {line.key: line.amount for line in bill.lines}
    seen: set[str] = set()
    surplus = []
    for line in there:
        if line.key is None or line.key not in wanted:
            continue
        if line.key in seen or line.amount != wanted[line.key]:
            surplus.append(line.id)
        else:
            seen.add(line.key)
    return surplus


def _fits(bill: Bill, invoice: StripeInvoice, credited: int) -> bool:
    """Whether an invoice can be credited so much: what is left to pay of it, or of its total once it is paid."""
    amount = -bill.total
    if amount <= 0:
        return False
    if invoice.status == "paid":
        return amount <= invoice.total - credited
    return invoice.status in ("open", "uncollectible") and amount <= invoice.remaining


def _digest(lines: Sequence[BillLine]) -> str:
    """Names a batch by what is in it."""
    return hashlib.sha256(repr([tuple(line) for line in lines]).encode()).hexdigest()[:24]
