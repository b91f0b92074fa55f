"""The one mapping from a closed statement to a document. Pure: what is read comes from `sources`.

    closed statement + what credits paid + the team + the rules ─▶ InvoiceContent

A statement that owes the team money (its adjustments or credits exceed its charges) becomes a credit note;
so does a correction, which holds nothing but adjustments of a period that was billed before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

from tallystick.billing.credits.models import Burn
from tallystick.billing.invoices.models import (
    NO_MONEY,
    Adjustment,
    CreditUse,
    Exchange,
    InvoiceContent,
    InvoiceLine,
    Issuer,
    Kind,
    Recipient,
    Reference,
)
from tallystick.billing.invoices.taxes import Taxable, TaxRule, tax_lines
from tallystick.billing.statements.models import ClosedStatement, StatementKind, StatementLine
from tallystick.billing.teams.models import Team
from tallystick.catalog.rules import InvoiceRules, LegalEntity
from tallystick.core.clock import Interval
from tallystick.core.errors import Conflict
from tallystick.core.money import EXACT, plain, round_money


@dataclass(frozen=True, slots=True)
class Corrected:
    """A statement that adjustments correct: its period, and the document it is on, if there is one."""

    period: Interval
    document: Reference | None


@dataclass(frozen=True, slots=True)
class Sources:
    """What a document is made of.

    Attributes:
        statement: closed.
        burns: what credits paid of its lines.
        grants: the names of the grants that did.
        corrected: the statements that its adjustments correct, by id.
        team: who is billed.
        recipient: how the team wants to be called on documents; None: by its name.
        locale: the language the team wants; None: the one of the rules.
        rules: how invoices are written.
    """

    statement: ClosedStatement
    burns: Sequence[Burn]
    grants: Mapping[int, str]
    corrected: Mapping[int, Corrected]
    team: Team
    recipient: Recipient | None
    locale: str | None
    rules: InvoiceRules


def compose(sources: Sources, tax_rule: TaxRule) -> InvoiceContent:
    """The document, still without number and dates.

    Raises:
        Conflict: lines or credits do not add up to what the statement says: it was changed since it was closed.
    """
    period, lines = sources.statement.period, _lines(sources, tax_rule)
    content = InvoiceContent(
        kind=Kind.INVOICE,
        issuer=issuer_of(sources.rules.entity),
        recipient=sources.recipient or Recipient(sources.team.id, sources.team.name),
        currency=period.currency,
        locale=sources.locale or sources.rules.locale,
        time_zone=sources.team.time_zone,
        statement_id=period.id,
        statement_digest=period.digest,
        start=period.period.start,
        end=period.period.end,
        lines=lines,
        credits=tuple(_credit(burn, sources.grants) for burn in sources.burns),
        taxes=tax_lines(lines, period.currency),
        note=sources.rules.note,
        corrects=_corrects(sources),
    )
    _check(content, sources.statement)
    return replace(content, kind=Kind.CREDIT_NOTE) if content.due < 0 else replace(content, corrects=None)


def finalized(content: InvoiceContent, number: str, issued_on: date, due_days: int) -> InvoiceContent:
    """The document with its number and dates. What is owed to the recipient has no day by which it is due."""
    due_on = issued_on + timedelta(days=due_days) if content.due > 0 else None
    return replace(content, number=number, issued_on=issued_on, due_on=due_on)


def issuer_of(entity: LegalEntity) -> Issuer:
    """The entity of the rules, as documents name it."""
    return Issuer(entity.id, entity.name, entity.address, entity.tax_id, entity.email, entity.bank)


def _lines(sources: Sources, tax_rule: TaxRule) -> tuple[InvoiceLine, ...]:
    credited: dict[str, Decimal] = {}
    for burn in sources.burns:
        credited[burn.line_key] = EXACT.add(credited.get(burn.line_key, NO_MONEY), burn.amount)
    return tuple(
        replace(
            _line(line, sources),
            credited=round_money(credited.get(line.key, NO_MONEY), line.billing_currency),
            tax=tax_rule(Taxable(sources.team.id, sources.team.metadata, line.metric)) if line.total else None,
        )
        for line in sources.statement.lines
    )


def _line(line: StatementLine, sources: Sources) -> InvoiceLine:
    return InvoiceLine(
        key=line.key,
        kind=str(line.kind),
        name=line.name,
        metric=line.metric,
        unit=line.unit,
        quantity=Decimal(plain(line.quantity)),
        events=line.events,
        start=line.interval_start,
        end=line.interval_end,
        currency=line.currency,
        amount=None if line.amount is None else Decimal(plain(line.amount)),
        total=None if line.total is None else round_money(line.total, line.currency),
        steps=tuple(line.steps),
        reason=line.reason,
        billed=_billed(line),
        exchange=_exchange(line),
        adjusts=_adjusts(line, sources.corrected),
    )


def _billed(line: StatementLine) -> Decimal | None:
    amount = line.total if line.converted_total is None else line.converted_total
    return None if amount is None else round_money(amount, line.billing_currency)


def _exchange(line: StatementLine) -> Exchange | None:
    if line.exchange_rate is None or line.rate_date is None:
        return None
    return Exchange(line.exchange_rate, line.rate_date, line.rate_source or "")


def _adjusts(line: StatementLine, corrected: Mapping[int, Corrected]) -> Adjustment | None:
    if line.adjusts_period_id is None:
        return None
    found = corrected[line.adjusts_period_id]
    number = found.document.number if found.document else ""
    return Adjustment(line.adjusts_period_id, *found.period, line.adjusts_key or "", number, line.cause or {})


def _credit(burn: Burn, grants: Mapping[int, str]) -> CreditUse:
    quantity = None if burn.quantity is None else Decimal(plain(burn.quantity))
    return CreditUse(burn.grant_id, grants.get(burn.grant_id, ""), burn.line_key, burn.amount, quantity)


def _corrects(sources: Sources) -> Reference | None:
    """The one document that a correction corrects."""
    if sources.statement.period.kind is not StatementKind.CORRECTION:
        return None
    found = {each.document for each in sources.corrected.values() if each.document}
    return found.pop() if len(found) == 1 else None


def _check(content: InvoiceContent, statement: ClosedStatement) -> None:
    """Refuse a statement whose parts do not add up: better no invoice than a wrong one."""
    period = statement.period
    paid = reduce(EXACT.add, (credit.amount for credit in content.credits), NO_MONEY)
    for what, found, said in (
        ("lines", content.subtotal, period.subtotal),
        ("credits", content.credited, period.credits),
        ("credits", paid, period.credits),
    ):
        if found != said:
            message = f"the {what} of statement {period.id} add up to {found:f} {period.currency}, not to {said:f}"
            raise Conflict(f"{message}; it was changed since it was closed")
