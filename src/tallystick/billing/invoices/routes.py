"""`/api/billing/invoices` and `/api/billing/recipients`. Reading takes the scope read, changing anything admin."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.billing.invoices.answers import InvoiceAnswer, InvoiceSummary, RecipientAnswer
from tallystick.billing.invoices.models import CreditRequest, Format, Invoice, Kind, Recipient, Status
from tallystick.billing.invoices.rendering import Rendered, render
from tallystick.billing.invoices.service import InvoiceService, known_locale
from tallystick.billing.invoices.store import LAST, Search
from tallystick.core.money import parse_decimal
from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Principal, Scope

router = APIRouter(prefix="/api/billing", tags=["invoices"])

HTML_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A document needs nothing but its own style, so a browser gives it nothing else."""

DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document.",
        "content": {
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "text/html": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object", "additionalProperties": True}},
        },
    }
}


class DraftRequest(BaseModel):
    """Which statement is to be billed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"statement_id": 17}]})

    statement_id: int = Field(ge=1, lt=2**63, description="A closed statement.")


class InvoicesQuery(PageQuery):
    """Which documents are wanted."""

    team_id: str | None = Field(default=None, description="Default: every team, or the key's one.")
    status: Status | None = None
    kind: Kind | None = None
    number: str | None = Field(default=None, examples=["INV-00042"])
    statement_id: int | None = Field(default=None, ge=1, lt=2**63)


class DocumentQuery(BaseModel):
    """How a document is written."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field(default=Format.PDF, description="json and csv hold every digit.")
    locale: str | None = Field(
        default=None, description="In which language and region PDF and HTML are. Default: the document's own."
    )


class PaymentRequest(BaseModel):
    """That a document was paid."""

    model_config = ConfigDict(extra="forbid")

    paid_at: AwareDatetime | None = Field(default=None, description="RFC 3339; default: now.")


class VoidRequest(BaseModel):
    """Why a document is taken back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Wrong address"}]})

    reason: str = Field(min_length=1, description="Stands on the credit note.")


class CreditLine(BaseModel):
    """How much of a line is given back."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="The line's, as the document has it.")
    amount: str = Field(description="Before tax, in the document's currency, above zero.", examples=["10.00"])


class CreditNoteRequest(BaseModel):
    """What a credit note gives back."""

    model_config = ConfigDict(extra="forbid")

    lines: list[CreditLine] = Field(min_length=1, max_length=10_000)
    reason: str = Field(min_length=1, description="Stands on the credit note.", examples=["Outage on 12 March"])
    request_key: str | None = Field(
        default=None, description="Your own name for this request: sent again with the same one it is made only once."
    )


class RecipientRequest(BaseModel):
    """How a team is addressed on its next documents; all of it is replaced."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, examples=["Acme Inc."])
    address: list[str] = Field(default=[], max_length=10, examples=[["1 Main Street", "Springfield"]])
    tax_id: str = ""
    email: str = ""
    reference: str = Field(default="", description="The customer's own, such as a purchase order.")
    locale: str | None = Field(default=None, description="Default: the one of the billing file.", examples=["de_DE"])


def service(request: Request) -> InvoiceService:
    """The application's invoices."""
    return InvoiceService(request.app.state.database, request.app.state.clock)


Service = Annotated[InvoiceService, Depends(service)]
InvoiceId = Annotated[int, Path(ge=1, lt=2**63, examples=[42])]
TeamId = Annotated[str, Path(examples=["acme"])]


@router.get("/invoices")
async def list_invoices(
    query: Annotated[InvoicesQuery, Query()], invoices: Service, who: Reader
) -> Page[InvoiceSummary]:
    """List invoices and credit notes, the newest first; a key for one team sees that team's. Scope: read."""
    search = Search(who.team(query.team_id), query.status, query.kind, query.number, query.statement_id)
    before = LAST if query.cursor is None else decode_cursor(query.cursor, int)[0]
    rows = await invoices.page(search, query.limit + 1, before)
    shown, cursor = cut(rows, query.limit, lambda each: (each.id,))
    return Page(data=[InvoiceSummary.of(each) for each in shown], next_cursor=cursor)


@router.post("/invoices", status_code=status.HTTP_201_CREATED, responses=problems(400, 404, 409))
async def draft_invoice(wanted: DraftRequest, invoices: Service, _: Administrator) -> InvoiceAnswer:
    """Make the draft that bills a closed statement, or make it anew. Scope: admin."""
    return InvoiceAnswer.of(await invoices.draft(wanted.statement_id))


@router.get("/invoices/{invoice_id}", responses=problems(404))
async def get_invoice(invoice_id: InvoiceId, invoices: Service, who: Reader) -> InvoiceAnswer:
    """One document and everything that it says. Scope: read."""
    return InvoiceAnswer.of(await _visible(invoices, invoice_id, who))


@router.get("/invoices/{invoice_id}/document", response_class=Response, responses=DOCUMENT | problems(404))
async def get_invoice_document(
    invoice_id: InvoiceId, query: Annotated[DocumentQuery, Query()], invoices: Service, who: Reader
) -> Response:
    """The document as PDF, HTML, CSV or JSON; of a final one always the same bytes. Scope: read."""
    locale = None if query.locale is None else known_locale(query.locale)
    invoice = await _visible(invoices, invoice_id, who)
    return _response(await asyncio.to_thread(render, invoice.content, query.format, locale))


@router.post("/invoices/{invoice_id}/finalize", responses=problems(404, 409))
async def finalize_invoice(invoice_id: InvoiceId, invoices: Service, _: Administrator) -> InvoiceAnswer:
    """Give a draft its number and freeze it; done twice, it is done once. Scope: admin."""
    return InvoiceAnswer.of(await invoices.finalize(invoice_id))


@router.post("/invoices/{invoice_id}/pay", responses=problems(400, 404, 409))
async def pay_invoice(
    invoice_id: InvoiceId, invoices: Service, _: Administrator, payment: PaymentRequest | None = None
) -> InvoiceAnswer:
    """Note that a final document was paid (a credit note: paid back). Scope: admin."""
    return InvoiceAnswer.of(await invoices.pay(invoice_id, payment.paid_at if payment else None))


@router.post("/invoices/{invoice_id}/void", responses=problems(400, 404, 409))
async def void_invoice(
    invoice_id: InvoiceId, wanted: VoidRequest, invoices: Service, _: Administrator
) -> InvoiceAnswer:
    """Take a final invoice back by a credit note over all that is left of it. Scope: admin.

    Its statement can be billed again.
    """
    return InvoiceAnswer.of(await invoices.void(invoice_id, wanted.reason))


@router.post(
    "/invoices/{invoice_id}/credit-notes",
    status_code=status.HTTP_201_CREATED,
    responses=problems(400, 404, 409),
)
async def credit_invoice(
    invoice_id: InvoiceId, wanted: CreditNoteRequest, invoices: Service, _: Administrator
) -> InvoiceAnswer:
    """Give back parts of an invoice's lines, with the taxes that they bore. Scope: admin."""
    lines = [CreditRequest(each.key, parse_decimal(each.amount, field="lines")) for each in wanted.lines]
    return InvoiceAnswer.of(await invoices.credit(invoice_id, lines, wanted.reason, wanted.request_key))


@router.delete("/invoices/{invoice_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404, 409))
async def discard_invoice(invoice_id: InvoiceId, invoices: Service, _: Administrator) -> None:
    """Throw a draft away. Scope: admin."""
    await invoices.discard(invoice_id)


@router.get("/recipients/{team_id}", responses=problems(404))
async def get_invoice_recipient(team_id: TeamId, invoices: Service, who: Reader) -> RecipientAnswer:
    """How a team is addressed on its documents. Scope: read."""
    who.require(Scope.READ, team_id)
    return RecipientAnswer.of(*await invoices.recipient(team_id))


@router.put("/recipients/{team_id}", responses=problems(400, 404))
async def set_invoice_recipient(
    team_id: TeamId, wanted: RecipientRequest, invoices: Service, _: Administrator
) -> RecipientAnswer:
    """Say how a team is addressed from its next document on; final ones stay as they are. Scope: admin."""
    parts = wanted.name, tuple(wanted.address), wanted.tax_id, wanted.email, wanted.reference
    await invoices.address(Recipient(team_id, *parts), wanted.locale)
    return RecipientAnswer.of(*await invoices.recipient(team_id))


async def _visible(invoices: InvoiceService, invoice_id: int, who: Principal) -> Invoice:
    """The document, if the key may touch its team.

    Raises:
        NotFound: there is none.
        Forbidden: it is another team's.
    """
    invoice = await invoices.get(invoice_id)
    who.require(Scope.READ, invoice.content.recipient.team_id)
    return invoice


def _response(made: Rendered) -> Response:
    headers = {
        "Content-Disposition": f'inline; filename="{made.filename}"',
        "Content-Security-Policy": HTML_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    return Response(made.body, headers=headers, media_type=made.media_type)
