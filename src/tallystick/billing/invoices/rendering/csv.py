"""A document's lines, credits and taxes as CSV (RFC 4180): one row each, and they add up to what is due.

Numbers are plain decimals, as in JSON; text never begins a formula in a spreadsheet.
"""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from tallystick.billing.invoices.models import InvoiceContent, InvoiceLine
from tallystick.billing.report_csv import FORMULA
from tallystick.core.money import plain
from tallystick.http.answers import rfc3339

COLUMNS = (
    "document",
    "row",
    "key",
    "name",
    "metric",
    "start",
    "end",
    "quantity",
    "unit",
    "original_currency",
    "original_total",
    "exchange_rate",
    "rate_date",
    "rate_source",
    "tax",
    "tax_percent",
    "currency",
    "amount",
    "reason",
)


def as_csv(content: InvoiceContent) -> str:
    """A row per line, per credit and per tax; `amount` adds up to what is due."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    document = {"document": _text(content.number or "draft"), "currency": content.currency}
    writer.writerows(document | row for row in _rows(content))
    return text.getvalue()


def _rows(content: InvoiceContent) -> Iterator[dict[str, str]]:
    for line in content.lines:
        yield _line(line)
    for use in content.credits:
        yield {"row": "credit", "key": _text(use.line_key), "name": _text(use.name), "amount": f"{-use.amount:f}"}
    for tax in content.taxes:
        name, percent = _text(tax.name), plain(tax.percent)
        yield {"row": "tax", "name": name, "tax": name, "tax_percent": percent, "amount": f"{tax.amount:f}"}


def _line(line: InvoiceLine) -> dict[str, str]:
    exchange = line.exchange
    return {
        "row": line.kind,
        "key": _text(line.key),
        "name": _text(line.name),
        "metric": _text(line.metric or ""),
        "start": rfc3339(line.start),
        "end": rfc3339(line.end),
        "quantity": plain(line.quantity),
        "unit": _text(line.unit),
        "original_currency": line.currency,
        "original_total": _number(line.total),
        "exchange_rate": _number(exchange.rate if exchange else None),
        "rate_date": exchange.rate_date.isoformat() if exchange else "",
        "rate_source": _text(exchange.source if exchange else ""),
        "tax": _text(line.tax.name if line.tax else ""),
        "tax_percent": plain(line.tax.percent) if line.tax else "",
        "amount": _number(line.billed),
        "reason": _text(line.reason or ""),
    }


def _text(value: str) -> str:
    return f"'{value}" if value.lstrip().startswith(FORMULA) or value.startswith(FORMULA) else value


def _number(value: Any) -> str:
    return "" if value is None else f"{value:f}"
