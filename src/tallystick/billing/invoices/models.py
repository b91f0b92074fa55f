"""What an invoice says, and where it stands. No I/O.

A document's totals are computed from its lines and taxes, so they can't disagree with them. On a credit note
amounts are negative: what a team owes is the sum of what is due on all its documents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import Any, NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, round_money

NO_MONEY = Decimal(0)


class Kind(StrEnum):
    """What a document is: a demand for payment, or a promise to pay back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Status(StrEnum):
    """Where a document stands. From `final` on what it says never changes; it can be paid, or taken back."""

    DRAFT = "draft"
    FINAL = "final"
    PAID = "paid"
    VOID = "void"


class Format(StrEnum):
    """What a document can be written as."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The legal entity that writes the document. `bank` are lines that say how to pay."""

    id: str
    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    bank: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom the document is for.

    Attributes:
        team_id: the team that is billed.
        name: as it stands on the document; the team's name unless another is given.
        address: its lines.
        tax_id: such as a VAT number.
        email: where documents go.
        reference: the customer's own, such as a purchase order.
    """

    team_id: str
    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    reference: str = ""


class Tax(NamedTuple):
    """A tax by name and rate: 19 is 19 %."""

    name: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Exchange:
    """How a line's total became an amount of the document's currency."""

    rate: Decimal
    rate_date: date
    source: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a line corrects: a line of an earlier statement, and why.

    Attributes:
        statement_id: the closed statement.
        start, end: its period.
        key: the line in it.
        document: the number of the document on which it was billed; empty where it was not.
        cause: what was learned since: counts of late, amended and voided events, terms that changed, event ids.
    """

    statement_id: int
    start: datetime
    end: datetime
    key: str
    document: str
    cause: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a document.

    Attributes:
        key: what the line is about; once in its document.
        kind: usage, fee, discount, commitment or adjustment.
        name: what people read.
        metric, unit, quantity, events: the usage that is charged.
        start, end: the instants that are charged.
        currency: of `amount` and `total`.
        amount: exact; None: nothing is charged, and `reason` says why.
        total: the amount, rounded once.
        steps: how the amount was made, as the rating says; their amounts add up to it.
        reason: why nothing is charged.
        billed: what the line adds to the document, in the document's currency; None: nothing.
        exchange: how the total became `billed`; None: it is the total.
        credited: what prepaid credit pays of it.
        tax: which tax the line bears; None: none.
        adjusts: of an adjustment, what it corrects.
    """

    key: str
    kind: str
    name: str
    metric: str | None
    unit: str
    quantity: Decimal
    events: int
    start: datetime
    end: datetime
    currency: str
    amount: Decimal | None
    total: Decimal | None
    steps: tuple[Mapping[str, Any], ...] = ()
    reason: str | None = None
    billed: Decimal | None = None
    exchange: Exchange | None = None
    credited: Decimal = NO_MONEY
    tax: Tax | None = None
    adjusts: Adjustment | None = None

    @property
    def interval(self) -> Interval:
        """The instants that are charged."""
        return Interval(self.start, self.end)

    @property
    def net(self) -> Decimal:
        """What is left to pay of the line before tax: what is billed less what credit pays."""
        return EXACT.subtract(self.billed or NO_MONEY, self.credited)


@dataclass(frozen=True, slots=True)
class CreditUse:
    """What one credit grant paid of one line; `quantity` is the units of a grant of usage."""

    grant_id: int
    name: str
    line_key: str
    amount: Decimal
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TaxLine:
    """A tax of the document: `amount` is the percentage of `base`, rounded once."""

    name: str
    percent: Decimal
    base: Decimal
    amount: Decimal

    @property
    def tax(self) -> Tax:
        """Which tax it is."""
        return Tax(self.name, self.percent)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another document, by its number and date."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """Everything that a document says; every format is made of this alone.

    Attributes:
        kind: invoice or credit note.
        issuer, recipient: from whom, to whom.
        currency: of all amounts but the lines' own.
        locale: the language and region that it is written in, such as `de_DE`.
        time_zone: the zone in which instants are shown.
        statement_id, statement_digest: the closed statement it is made of, and the SHA-256 by which both sides
            can tell that it is the same.
        start, end: the statement's period.
        lines: what is billed, in the statement's order.
        credits: what prepaid credit paid, grant by grant and line by line.
        taxes: of what is left to pay.
        note: text below the total.
        corrects: of a credit note, the invoice that it takes back.
        reason: of a credit note, why it is.
        number, issued_on, due_on: given when the document becomes final.
    """

    kind: Kind
    issuer: Issuer
    recipient: Recipient
    currency: str
    locale: str
    time_zone: str
    statement_id: int
    statement_digest: str
    start: datetime
    end: datetime
    lines: tuple[InvoiceLine, ...]
    credits: tuple[CreditUse, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    note: str = ""
    corrects: Reference | None = None
    reason: str = ""
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None

    @property
    def period(self) -> Interval:
        """What is billed."""
        return Interval(self.start, self.end)

    @property
    def subtotal(self) -> Decimal:
        """The sum of the lines."""
        return self._money(line.billed for line in self.lines if line.billed is not None)

    @property
    def credited(self) -> Decimal:
        """What prepaid credit pays."""
        return self._money(line.credited for line in self.lines)

    @property
    def tax(self) -> Decimal:
        """The sum of the taxes."""
        return self._money(tax.amount for tax in self.taxes)

    @property
    def due(self) -> Decimal:
        """What is to be paid: lines − credits + tax; below zero, what the recipient gets back."""
        return EXACT.add(EXACT.subtract(self.subtotal, self.credited), self.tax)

    def _money(self, amounts: Iterable[Decimal]) -> Decimal:
        return round_money(reduce(EXACT.add, amounts, NO_MONEY), self.currency)


class CreditRequest(NamedTuple):
    """How much of which line a credit note gives back, before tax; above zero."""

    key: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """A document and where it stands.

    Attributes:
        id: by which it is asked for; a draft has nothing else.
        status: draft, final, paid or void.
        period_id: the statement that it bills or gives back.
        credits_invoice_id: of a credit note made from an invoice, that invoice.
        content: what it says.
        digest: SHA-256 of the content, in hexadecimal, once it is final.
        created_at: when the draft was made first.
        finalized_at, paid_at, voided_at: when it became so.
    """

    id: int
    status: Status
    period_id: int
    credits_invoice_id: int | None
    content: InvoiceContent
    digest: str | None
    created_at: datetime
    finalized_at: datetime | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None

    @property
    def name(self) -> str:
        """What people call it: its number, or that it is a draft."""
        return self.content.number or f"draft {self.id}"
