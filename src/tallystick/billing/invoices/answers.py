"""What documents look like as JSON in answers."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from tallystick.billing.answers import Money
from tallystick.billing.invoices.documents import as_json
from tallystick.billing.invoices.models import Invoice, Kind, Recipient, Status
from tallystick.http.answers import Instant

Document = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "additionalProperties": True, "description": "Everything the document says."}),
]

CONTENT = (
    "Everything that the document says: issuer, recipient, lines with their steps, exchange rates and adjustments, "
    "credits, taxes and totals. Numbers are exact decimal text. From final on it never changes."
)


class InvoiceSummary(BaseModel):
    """A document in a listing."""

    id: int = Field(examples=[42])
    kind: Kind
    status: Status
    number: str | None = Field(description="Null in a draft.", examples=["INV-00042"])
    team_id: str = Field(examples=["acme"])
    statement_id: int = Field(description="The closed statement that it bills or gives back.", examples=[17])
    credits_invoice_id: int | None = Field(description="Of a credit note made from an invoice, that invoice.")
    currency: str = Field(examples=["USD"])
    subtotal: Money = Field(description="The sum of the lines.")
    credits: Money = Field(description="What prepaid credit pays.")
    tax: Money
    due: Money = Field(description="subtotal − credits + tax; negative on a credit note.")
    issued_on: date | None
    due_on: date | None
    created_at: Instant
    finalized_at: Instant | None
    paid_at: Instant | None
    voided_at: Instant | None
    digest: str | None = Field(description="SHA-256 over the document, once it is final.")

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """The answer that shows the document."""
        return cls(**_summary(invoice))


class InvoiceAnswer(InvoiceSummary):
    """A document, and everything that it says."""

    document: Document = Field(description=CONTENT)

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """The answer that shows the document."""
        return cls(**_summary(invoice), document=as_json(invoice.content))


class RecipientAnswer(BaseModel):
    """How a team is addressed on its documents."""

    model_config = ConfigDict(from_attributes=True)

    team_id: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Inc."])
    address: list[str] = Field(examples=[["1 Main Street", "Springfield"]])
    tax_id: str
    email: str
    reference: str
    locale: str | None = Field(description="Null: the one of the billing file.", examples=["de_DE"])

    @classmethod
    def of(cls, recipient: Recipient, locale: str | None) -> Self:
        """The answer that shows it."""
        return cls(
            team_id=recipient.team_id,
            name=recipient.name,
            address=list(recipient.address),
            tax_id=recipient.tax_id,
            email=recipient.email,
            reference=recipient.reference,
            locale=locale,
        )


def _summary(invoice: Invoice) -> dict[str, Any]:
    content = invoice.content
    return {
        "id": invoice.id,
        "kind": content.kind,
        "status": invoice.status,
        "number": content.number,
        "team_id": content.recipient.team_id,
        "statement_id": invoice.period_id,
        "credits_invoice_id": invoice.credits_invoice_id,
        "currency": content.currency,
        "subtotal": content.subtotal,
        "credits": content.credited,
        "tax": content.tax,
        "due": content.due,
        "issued_on": content.issued_on,
        "due_on": content.due_on,
        "created_at": invoice.created_at,
        "finalized_at": invoice.finalized_at,
        "paid_at": invoice.paid_at,
        "voided_at": invoice.voided_at,
        "digest": invoice.digest,
    }
