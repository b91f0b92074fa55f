"""Credit notes made from an invoice: all that is left of it, or parts of some of its lines. Pure.

What all credit notes of an invoice give back is never more than the invoice: neither of a line, nor of a tax,
nor in all. The one that gives back the rest gives back exactly what the others left, to the last minor unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import reduce

from tallystick.billing.invoices.models import (
    NO_MONEY,
    CreditRequest,
    InvoiceContent,
    InvoiceLine,
    Kind,
    Reference,
    TaxLine,
)
from tallystick.billing.invoices.taxes import tax_on
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.core.money import EXACT, round_money


def reversed_in_full(invoice: InvoiceContent, earlier: Sequence[InvoiceContent], reason: str) -> InvoiceContent:
    """The document that takes back everything that earlier credit notes left of the invoice, credits included."""
    lines = tuple(
        _reversed(line, EXACT.subtract(line.billed, _given_back(line.key, earlier)), line.credited)
        for line in invoice.lines
        if line.billed is not None
    )
    taxes = (_less(tax, earlier) for tax in invoice.taxes)
    content = _document(invoice, lines, (_negated(tax) for tax in taxes), reason)
    credits = tuple(replace(each, amount=-each.amount) for each in invoice.credits)
    kind = Kind.INVOICE if invoice.kind is Kind.CREDIT_NOTE else Kind.CREDIT_NOTE
    return replace(content, kind=kind, credits=credits)


def reversed_in_part(
    invoice: InvoiceContent, earlier: Sequence[InvoiceContent], wanted: Sequence[CreditRequest], reason: str
) -> InvoiceContent:
    """The credit note over these amounts, before tax, with the taxes that the lines bore.

    Raises:
        InvalidInput: a line that the invoice has not, a line twice, or an amount that is no amount of its currency.
        Conflict: more than is left of a line or of the invoice.
    """
    lines = tuple(_in_part(invoice, earlier, each) for each in _checked(invoice, wanted))
    content = _document(invoice, lines, _taxes(invoice, earlier, lines), reason)
    left = reduce(EXACT.add, (each.due for each in (*earlier, content)), invoice.due)
    if left < 0:
        message = f"that is {-left:f} {invoice.currency} more than is left of invoice {invoice.number}"
        raise Conflict(message)
    return content


def _document(
    invoice: InvoiceContent, lines: tuple[InvoiceLine, ...], taxes: Iterable[TaxLine], reason: str
) -> InvoiceContent:
    assert invoice.number is not None
    assert invoice.issued_on is not None
    return replace(
        invoice,
        kind=Kind.CREDIT_NOTE,
        lines=lines,
        credits=(),
        taxes=tuple(taxes),
        note="",
        corrects=Reference(invoice.number, invoice.issued_on),
        reason=reason,
        number=None,
        issued_on=None,
        due_on=None,
    )


def _reversed(line: InvoiceLine, billed: Decimal, credited: Decimal) -> InvoiceLine:
    """The line with what it gives back; how the amount was made is told by the invoice."""
    amounts = replace(line, amount=None, total=None, steps=(), exchange=None)
    return replace(amounts, billed=-billed, credited=-credited)


def _in_part(invoice: InvoiceContent, earlier: Sequence[InvoiceContent], wanted: CreditRequest) -> InvoiceLine:
    line = next(line for line in invoice.lines if line.key == wanted.key)
    left = EXACT.subtract(line.net, _given_back(line.key, earlier))
    if wanted.amount > left:
        message = f"line {line.key!r} has {left:f} {invoice.currency} left to give back, not {wanted.amount:f}"
        raise Conflict(message)
    return _reversed(line, wanted.amount, NO_MONEY)


def _checked(invoice: InvoiceContent, wanted: Sequence[CreditRequest]) -> list[CreditRequest]:
    if not wanted:
        raise InvalidInput("a credit note needs a line", field="lines")
    known, found = {line.key for line in invoice.lines if line.billed is not None}, dict[str, CreditRequest]()
    for key, amount in wanted:
        if key not in known or key in found:
            problem = "is there twice" if key in found else f"is not charged on {invoice.number}"
            raise InvalidInput(f"line {key!r} {problem}", field="lines")
        rounded = round_money(amount, invoice.currency)
        if amount <= 0 or rounded != amount:
            raise InvalidInput(f"{amount:f} is no amount of {invoice.currency} above zero", field="lines")
        found[key] = CreditRequest(key, rounded)
    return list(found.values())


def _given_back(key: str, earlier: Iterable[InvoiceContent]) -> Decimal:
    """How much of a line credit notes gave back so far."""
    amounts = (-(line.billed or NO_MONEY) for each in earlier for line in each.lines if line.key == key)
    return reduce(EXACT.add, amounts, NO_MONEY)


def _taxes(
    invoice: InvoiceContent, earlier: Sequence[InvoiceContent], lines: Sequence[InvoiceLine]
) -> Iterable[TaxLine]:
    """The taxes on what is given back: never more than is left of them, and all of it with the rest of the base."""
    for tax in invoice.taxes:
        base = reduce(EXACT.add, (-(line.billed or NO_MONEY) for line in lines if line.tax == tax.tax), NO_MONEY)
        if not base:
            continue
        left = _less(tax, earlier)
        amount = left.amount if base == left.base else min(tax_on(base, tax.tax, invoice.currency), left.amount)
        yield TaxLine(*tax.tax, -base, -amount)


def _less(tax: TaxLine, earlier: Iterable[InvoiceContent]) -> TaxLine:
    """What credit notes left of a tax."""
    for each in (each for document in earlier for each in document.taxes if each.tax == tax.tax):
        tax = replace(tax, base=EXACT.add(tax.base, each.base), amount=EXACT.add(tax.amount, each.amount))
    return tax


def _negated(tax: TaxLine) -> TaxLine:
    return replace(tax, base=-tax.base, amount=-tax.amount)
