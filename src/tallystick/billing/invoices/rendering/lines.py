"""The lines of a document as they are printed: what is charged, how it was made, what it corrects and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.billing.invoices.models import Adjustment, InvoiceContent, InvoiceLine
from tallystick.billing.invoices.rendering.localise import Localiser
from tallystick.billing.invoices.rendering.steps import StepView, step_views
from tallystick.billing.invoices.rendering.text import clean
from tallystick.billing.invoices.rendering.words import Words
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT

COUNTED = frozenset({"usage", "adjustment"})
"""Kinds of lines whose quantity is usage."""

NAMED_BY_KIND = frozenset({"discount", "commitment"})
"""Kinds of lines whose names are words of ours, not of the billing file."""

MOST_EVENTS = 3
"""Event ids that are printed; JSON has all that the statement keeps."""

CAUSES = ("late", "amended", "voided")


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as it is printed.

    Attributes:
        name: what is charged.
        quantity: how much of it, with its unit.
        amount: what it adds to the document; empty where nothing is charged.
        steps: how the amount was made.
        notes: when, why not, at which rate, and what it corrects because of what.
        running: what all lines up to here come to.
    """

    name: str
    quantity: str
    amount: str
    steps: tuple[StepView, ...]
    notes: tuple[str, ...]
    running: str


def line_views(
    content: InvoiceContent, lines: Sequence[InvoiceLine], running: Decimal, localiser: Localiser, words: Words
) -> Iterator[LineView]:
    """The lines in their order; `running` is what those before them come to."""
    for line in lines:
        running = EXACT.add(running, line.billed or Decimal(0))
        yield LineView(
            name=_name(line, words),
            quantity=_quantity(line, localiser),
            amount="" if line.billed is None else localiser.money(line.billed, content.currency),
            steps=tuple(_cleaned(step) for step in step_views(line, localiser, words)),
            notes=tuple(clean(note) for note in _notes(content, line, localiser, words)),
            running=localiser.money(running, content.currency),
        )


def _cleaned(step: StepView) -> StepView:
    return StepView(clean(step.text), step.formula, step.amount)


def _name(line: InvoiceLine, words: Words) -> str:
    kind = line.adjusts.key.partition(":")[0] if line.adjusts and line.metric is None else line.kind
    named = words.find("lines", line.name) if kind in NAMED_BY_KIND else None
    return clean(named or line.name)


def _quantity(line: InvoiceLine, localiser: Localiser) -> str:
    if line.kind not in COUNTED or line.metric is None:
        return ""
    return f"{localiser.quantity(line.quantity)} {clean(line.unit)}".strip()


def _notes(content: InvoiceContent, line: InvoiceLine, localiser: Localiser, words: Words) -> Iterator[str]:
    if line.interval != content.period and line.adjusts is None:
        yield localiser.period(line.interval)
    if line.reason:
        yield words("lines", "not_charged", reason=words.find("reasons", line.reason) or line.reason)
    if line.exchange and line.total:
        yield words(
            "lines",
            "converted",
            total=localiser.money(line.total, line.currency),
            rate=localiser.rate(line.exchange.rate),
            date=localiser.day(line.exchange.rate_date),
            source=words.find("sources", line.exchange.source) or line.exchange.source,
        )
    if line.adjusts:
        yield from _adjustment(line.adjusts, localiser, words)


def _adjustment(adjusts: Adjustment, localiser: Localiser, words: Words) -> Iterator[str]:
    period = localiser.period(Interval(adjusts.start, adjusts.end))
    key = "adjusts_document" if adjusts.document else "adjusts"
    yield words("lines", key, period=period, document=adjusts.document)
    if causes := list(_causes(adjusts, localiser, words)):
        yield words("lines", "cause", causes=", ".join(causes))
    events = [str(event) for event in adjusts.cause.get("events") or ()]
    if events:
        more = "" if len(events) <= MOST_EVENTS else ", …"
        yield words("lines", "events", events=", ".join(events[:MOST_EVENTS]) + more)


def _causes(adjusts: Adjustment, localiser: Localiser, words: Words) -> Iterator[str]:
    for cause in CAUSES:
        if count := adjusts.cause.get(cause):
            yield words("lines", cause, count=localiser.number(Decimal(str(count))))
    if terms := adjusts.cause.get("terms"):
        yield words("lines", "terms", names=", ".join(map(str, terms)))
