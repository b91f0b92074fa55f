"""From a document to what Stripe is given: lines in its minor units that add up to the total, not too many. Pure."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.invoices.models import InvoiceContent, InvoiceLine
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO, plain
from tallystick.integrations.stripe.amounts import in_minor_units
from tallystick.integrations.stripe.bills.models import MOST_LINES, BillLine

LONGEST_DESCRIPTION = 500
LONGEST_KEY = 450
"""Of a line, in its metadata; Stripe takes 500. A longer one ends in its hash."""


class Part(NamedTuple):
    """A line before it is rounded: what it is about, exactly how much, and with what it may be put together."""

    key: str
    description: str
    amount: Decimal
    interval: Interval
    group: str


def bill_lines(content: InvoiceContent, *, only_adjustments: bool = False) -> list[BillLine]:
    """The lines of a document, with what credit pays and taxes as lines of their own.

    They add up to what the document says is due, rounded once where Stripe's amounts are rounder than ours. More than
    Stripe takes are put together: by what they charge, and then the smallest.

    Args:
        content: the document.
        only_adjustments: leave out what Stripe bills itself.

    Raises:
        InvalidInput: Stripe does not bill in its currency.
    """
    parts = _parts(content) if not only_adjustments else _adjustments(content)
    parts = _few(parts, content.period)
    amounts = in_minor_units([part.amount for part in parts], content.currency)
    return [_line(part, amount) for part, amount in zip(parts, amounts, strict=True)]


def _parts(content: InvoiceContent) -> list[Part]:
    parts = [_part(line) for line in content.lines if line.billed is not None]
    if content.credited:
        parts.append(Part("credit", "Prepaid credit", -content.credited, content.period, "credit"))
    for tax in content.taxes:
        name = f"{tax.name} {plain(tax.percent)} %"
        parts.append(Part(f"tax:{tax.name}:{plain(tax.percent)}", name, tax.amount, content.period, "tax"))
    return parts


def _adjustments(content: InvoiceContent) -> list[Part]:
    """What the lines that correct earlier periods come to, less what credit pays of them."""
    lines = [line for line in content.lines if line.adjusts is not None and line.billed is not None]
    return [_part(line)._replace(amount=line.net) for line in lines]


def _part(line: InvoiceLine) -> Part:
    amount = line.billed or ZERO
    quantity = f": {plain(line.quantity)} {line.unit}".rstrip() if line.metric else ""
    what = "Adjustment of " if line.adjusts else ""
    group = f"{line.kind}:{line.metric or line.name}"
    return Part(line.key, f"{what}{line.name}{quantity}", amount, line.interval, group)


def _few(parts: Sequence[Part], period: Interval) -> list[Part]:
    """As many as fit: those of one kind and metric together, then all but the largest."""
    if len(parts) <= MOST_LINES:
        return list(parts)
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.group, []).append(part)
    together = [_together(f"group:{name}", name.partition(":")[2], each) for name, each in groups.items()]
    if len(together) <= MOST_LINES:
        return together
    by_size = sorted(together, key=lambda part: -abs(part.amount))
    kept = {part.key for part in by_size[: MOST_LINES - 1]}
    rest = [part for part in together if part.key not in kept]
    others = _together("others", f"{len(rest)} other items", rest)._replace(interval=period)
    return [*(part for part in together if part.key in kept), others]


def _together(key: str, name: str, parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    total = ZERO
    for part in parts:
        total = EXACT.add(total, part.amount)
    interval = Interval(min(part.interval.start for part in parts), max(part.interval.end for part in parts))
    return Part(key, f"{name} ({len(parts)} items)" if key != "others" else name, total, interval, key)


def _line(part: Part, amount: int) -> BillLine:
    start, end = (int(moment.timestamp()) for moment in part.interval)
    return BillLine(_short(part.key), part.description[:LONGEST_DESCRIPTION], amount, start, end)


def _short(key: str) -> str:
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: LONGEST_KEY - len(digest)]}{digest}"
