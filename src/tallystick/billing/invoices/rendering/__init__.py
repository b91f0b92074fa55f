"""A document in the formats people and programs want. The same final document gives the same bytes.

InvoiceContent ─▶ JSON, CSV                  every digit, for programs
               ─▶ InvoiceView ─▶ HTML, PDF   in the reader's language, for people
"""

from typing import NamedTuple

from tallystick.billing.invoices.documents import as_json
from tallystick.billing.invoices.models import Format, InvoiceContent
from tallystick.billing.invoices.rendering.csv import as_csv
from tallystick.billing.invoices.rendering.html import as_html
from tallystick.billing.invoices.rendering.pdf import as_pdf
from tallystick.billing.invoices.rendering.view import view_of
from tallystick.http.answers import dumps


class Rendered(NamedTuple):
    """A written document: its bytes, what they are, and what to call the file."""

    body: bytes
    media_type: str
    filename: str


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; header=present; charset=utf-8",
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
}


def render(content: InvoiceContent, format: Format, locale: str | None = None) -> Rendered:
    """The document in a format. HTML and PDF are in the document's language, unless another locale is given."""
    body = _written(content, format, locale)
    return Rendered(body, _MEDIA_TYPES[format], f"{file_name(content)}.{format}")


def _written(content: InvoiceContent, format: Format, locale: str | None) -> bytes:
    match format:
        case Format.JSON:
            return dumps(as_json(content)) + b"\n"
        case Format.CSV:
            return as_csv(content).encode()
        case Format.HTML:
            return as_html(view_of(content, locale)).encode()
        case Format.PDF:
            return as_pdf(content, locale)


def file_name(content: InvoiceContent) -> str:
    """The document's number as a file's name: letters and digits stay, anything else becomes a dash."""
    name = content.number or f"draft-statement-{content.statement_id}"
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in name).lstrip(".")
