"""A document as it is read: every text in the reader's language, ready to be laid out.

HTML and PDF are made of this same view, so they can't say different things. It holds nothing but text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale

from tallystick.billing.invoices.models import InvoiceContent, InvoiceLine, Kind, Recipient
from tallystick.billing.invoices.rendering.lines import LineView, line_views
from tallystick.billing.invoices.rendering.localise import Localiser
from tallystick.billing.invoices.rendering.text import clean, filled
from tallystick.billing.invoices.rendering.words import ENGLISH, Words
from tallystick.core.clock import zone
from tallystick.core.money import EXACT

ADJUSTMENT = "adjustment"

LETTER = frozenset({"US", "CA", "MX"})
"""Territories whose paper is Letter; elsewhere it is A4."""


@dataclass(frozen=True, slots=True)
class PartyView:
    """A party of the document."""

    heading: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowView:
    """A label and what stands beside it."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """Lines under a title; an empty one where there is but one group."""

    title: str
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """The document in one language.

    Attributes:
        language: of the words, as ISO 639 has it.
        title, number, watermark: what it is called; a draft has a watermark and no number.
        issuer, recipient: from whom, to whom.
        facts: number, dates, period and references.
        columns: headings of the lines' columns: description, quantity, amount.
        groups: the lines.
        totals: subtotal, credits, taxes.
        due: what is to be paid.
        payment: how, line by line.
        notes: what else is to be said.
        statement, hint: which statement it is made of, and that it can be checked.
        carried, brought: before running totals, where lines go on on the next page.
        page: with the slots `{page}` and `{pages}`.
        day: the date of issue as ISO 8601; empty in a draft.
        paper: the size of paper that is usual where the document is read.
    """

    language: str
    title: str
    number: str
    watermark: str
    issuer: PartyView
    recipient: PartyView
    facts: tuple[RowView, ...]
    columns: tuple[str, str, str]
    groups: tuple[GroupView, ...]
    totals: tuple[RowView, ...]
    due: RowView
    payment: PartyView
    notes: tuple[str, ...]
    statement: str
    hint: str
    carried: str
    brought: str
    page: str
    day: str
    paper: str


def view_of(content: InvoiceContent, locale: str | None = None) -> InvoiceView:
    """The document in its own language, or another.

    Languages that documents have no words in get English ones, with the locale's numbers and dates; those that
    are written from right to left are English throughout.
    """
    parsed = Locale.parse(locale or content.locale)
    if parsed.text_direction == "rtl":
        parsed = Locale.parse(ENGLISH)
    return _Writer(content, Localiser(parsed, zone(content.time_zone)), Words.of(parsed)).view()


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one document in one language."""

    content: InvoiceContent
    localiser: Localiser
    words: Words

    def view(self) -> InvoiceView:
        content, say = self.content, self._say
        return InvoiceView(
            language=self.words.language,
            title=say("credit_note" if content.kind is Kind.CREDIT_NOTE else "invoice"),
            number=content.number or "",
            watermark="" if content.number else say("draft"),
            issuer=self._issuer(),
            recipient=self._recipient(content.recipient),
            facts=tuple(self._facts()),
            columns=(say("description"), say("quantity"), say("amount")),
            groups=tuple(self._groups()),
            totals=tuple(self._totals()),
            due=RowView(say("credited" if content.due < 0 else "due"), self._money(abs(content.due))),
            payment=PartyView(say("payment"), "", filled(content.issuer.bank) if content.due > 0 else ()),
            notes=filled(content.note.splitlines()),
            statement=say("statement", id=str(content.statement_id), digest=content.statement_digest),
            hint=say("statement_hint"),
            carried=say("carried"),
            brought=say("brought"),
            page=say("page", page="{page}", pages="{pages}"),
            day=content.issued_on.isoformat() if content.issued_on else "",
            paper="us-letter" if self.localiser.locale.territory in LETTER else "a4",
        )

    def _say(self, key: str, /, **slots: str) -> str:
        return self.words("document", key, **slots)

    def _money(self, amount: Decimal) -> str:
        return self.localiser.money(amount, self.content.currency)

    def _issuer(self) -> PartyView:
        issuer = self.content.issuer
        lines = (*issuer.address, self._tax_id(issuer.tax_id), issuer.email)
        return PartyView(self._say("issuer"), clean(issuer.name) or self._say("no_issuer"), filled(lines))

    def _recipient(self, recipient: Recipient) -> PartyView:
        lines = (*recipient.address, self._tax_id(recipient.tax_id), recipient.email)
        return PartyView(self._say("recipient"), clean(recipient.name), filled(lines))

    def _tax_id(self, tax_id: str) -> str:
        return self._say("tax_id", tax_id=tax_id) if tax_id else ""

    def _facts(self) -> Iterator[RowView]:
        content, day = self.content, self.localiser.day
        if content.number and content.issued_on:
            yield RowView(self._say("number"), content.number)
            yield RowView(self._say("issued_on"), day(content.issued_on))
        if content.due_on:
            yield RowView(self._say("due_on"), day(content.due_on))
        yield RowView(self._say("period"), self.localiser.period(content.period))
        yield RowView(self._say("customer"), clean(content.recipient.team_id))
        if content.recipient.reference:
            yield RowView(self._say("reference"), clean(content.recipient.reference))
        if content.corrects:
            text = self._say("corrects_text", number=content.corrects.number, date=day(content.corrects.issued_on))
            yield RowView(self._say("corrects"), text)
        if content.reason:
            yield RowView(self._say("reason"), clean(content.reason))

    def _groups(self) -> Iterator[GroupView]:
        lines = [line for line in self.content.lines if line.kind != ADJUSTMENT]
        adjustments = [line for line in self.content.lines if line.kind == ADJUSTMENT]
        title = "corrections" if not lines else "adjustments"
        running = Decimal(0)
        for key, group in (("charges", lines), (title, adjustments)):
            if group:
                yield GroupView(self._say(key) if adjustments else "", self._lines(group, running))
                running = EXACT.add(running, _sum(group))

    def _lines(self, lines: list[InvoiceLine], running: Decimal) -> tuple[LineView, ...]:
        return tuple(line_views(self.content, lines, running, self.localiser, self.words))

    def _totals(self) -> Iterator[RowView]:
        content = self.content
        if content.credits or content.taxes:
            yield RowView(self._say("subtotal"), self._money(content.subtotal))
        yield from self._credits()
        for tax in content.taxes:
            percent, base = self.localiser.percent(tax.percent), self._money(tax.base)
            label = self._say("tax", name=clean(tax.name), percent=percent, base=base)
            yield RowView(label, self._money(tax.amount))

    def _credits(self) -> Iterator[RowView]:
        """What each grant paid, all lines together."""
        found: dict[int, tuple[str, Decimal, Decimal]] = {}
        for use in self.content.credits:
            _, amount, units = found.get(use.grant_id, ("", Decimal(0), Decimal(0)))
            amounts = EXACT.add(amount, use.amount), EXACT.add(units, use.quantity or Decimal(0))
            found[use.grant_id] = (clean(use.name), *amounts)
        for name, amount, units in found.values():
            key = ("credit_units" if units else "credit") if name else "credit_unnamed"
            quantity = self.localiser.quantity(units)
            yield RowView(self._say(key, name=name, quantity=quantity), self._money(-amount))


def _sum(lines: list[InvoiceLine]) -> Decimal:
    total = Decimal(0)
    for line in lines:
        total = EXACT.add(total, line.billed or Decimal(0))
    return total
