"""What Stripe is given to collect, and where it stands. No I/O."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self

from tallystick.core.clock import Interval

ADDED_AT_ONCE = 100
"""Lines of one call."""

MOST_LINES = 250
"""Lines of one invoice."""


class Kind(StrEnum):
    """What a bill is at Stripe."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    ITEMS = "items"
    """Items that wait for the next invoice of the customer's subscription."""


class Source(StrEnum):
    """What is billed."""

    STATEMENT = "statement"
    CREDIT_NOTE = "credit_note"


class State(StrEnum):
    """Where a bill stands."""

    PLANNED = "planned"
    DRAFTED = "drafted"
    FINAL = "final"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"
    NOTHING = "nothing"
    RELEASED = "released"


class BillLine(NamedTuple):
    """A line as Stripe is given it.

    Attributes:
        key: by which it is found again; once in its bill.
        description: what people read.
        amount: in Stripe's minor units.
        start, end: what it is for, in Unix seconds.
    """

    key: str
    description: str
    amount: int
    start: int
    end: int


class NewBill(NamedTuple):
    """A bill that is to be frozen.

    Attributes:
        reference: by which it is found again at Stripe.
        account, team_id, customer_id: whose, and who that is.
        period_id: the statement.
        source, document_id: what is billed, and which document of ours says the same.
        kind, credits_bill_id: what it becomes at Stripe.
        collection, days_until_due: how it is collected.
        currency: ISO 4217.
        due: as our books say.
        total: in Stripe's minor units.
        title: what people read above it.
        lines: they add up to the total.
        state: planned, or nothing.
    """

    reference: str
    account: str
    team_id: str
    customer_id: str
    period_id: int
    source: Source
    document_id: int | None
    kind: Kind
    credits_bill_id: int | None
    collection: str
    days_until_due: int
    currency: str
    due: Decimal
    total: int
    title: str
    lines: Sequence[BillLine]
    state: State = State.PLANNED


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill. Attributes as of `NewBill`, and how far it is.

    Attributes:
        id: its number here.
        stripe_id: its own, once it is begun there.
        number: Stripe's, once it is final.
        planned_at: when it was frozen.
        key_number: of its idempotency keys.
        attempts: how often it was tried.
        tried_at: when for the first time; None: Stripe can't know of it.
        failures: in a row.
        hold: why it waits for somebody.
    """

    id: int
    reference: str
    account: str
    team_id: str
    customer_id: str
    period_id: int
    source: Source
    document_id: int | None
    kind: Kind
    credits_bill_id: int | None
    collection: str
    days_until_due: int
    currency: str
    due: Decimal
    total: int
    title: str
    lines: tuple[BillLine, ...]
    planned_at: datetime
    state: State
    stripe_id: str | None
    number: str | None
    key_number: int
    attempts: int
    tried_at: datetime | None
    failures: int
    hold: str | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """The bill of a row, whose columns are as the attributes."""
        values = list(row)
        values[6], values[8], values[18] = Source(row[6]), Kind(row[8]), State(row[18])
        values[16] = tuple(BillLine(*line) for line in row[16])
        return cls(*values)

    def idempotency_key(self, step: str) -> str:
        """The key of one step. It is another for other content, and after an answer that will never be another."""
        return f"{self.reference}:{step}:{self.key_number}"


class StripeInvoice(NamedTuple):
    """An invoice as Stripe shows it; amounts in its minor units.

    Attributes:
        id, number, status: which, and where it stands: draft, open, paid, void or uncollectible.
        customer_id: whose.
        reference: the bill that it was made for, by its metadata.
        total: of its lines.
        remaining: what is left to pay.
        paid_at: when it was paid.
        subscription_id: of which subscription it is; None: of none.
        interval: what it is for.
    """

    id: str
    number: str | None
    status: str
    customer_id: str
    reference: str | None
    total: int
    remaining: int
    paid_at: datetime | None
    subscription_id: str | None
    interval: Interval


class StripeLine(NamedTuple):
    """A line of an invoice as Stripe shows it. `key` is that of ours, by its metadata; `reference` its bill's."""

    id: str
    key: str | None
    amount: int
    interval: Interval


class StripeCreditNote(NamedTuple):
    """A credit note as Stripe shows it."""

    id: str
    number: str | None
    reference: str | None
    amount: int
    status: str


def reference_of(account: str, source: tuple[Source, int], digest: str, lines: Sequence[BillLine], turn: int) -> str:
    """By what a bill is found again: the same for the same content, whoever makes it, and another when made anew.

    Args:
        account: at which it is.
        source: what is billed, and its number here.
        digest: of the statement or document, so that two installations can't be mistaken for each other.
        lines: what it says.
        turn: how often it was given up before.
    """
    said = json.dumps([account, *map(str, source), digest, [list(line) for line in lines], turn])
    return "tb1_" + base64.b32encode(hashlib.sha256(said.encode()).digest()).decode().rstrip("=").lower()
