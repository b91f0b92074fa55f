"""Documents to look at: small and large, in several currencies, with everything that a line can have."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tallystick.billing.invoices.content import finalized
from tallystick.billing.invoices.models import (
    Adjustment,
    CreditUse,
    Exchange,
    InvoiceContent,
    InvoiceLine,
    Issuer,
    Kind,
    Recipient,
    Tax,
)
from tallystick.billing.invoices.taxes import tax_lines

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)

ISSUER = Issuer(
    "acme",
    "Northwind Cloud GmbH",
    ("Werkstraße 12", "10115 Berlin", "Germany"),
    "DE123456789",
    "billing@northwind.example",
    ("IBAN DE02 1203 0000 0000 2020 51", "BIC BYLADEM1001"),
)
RECIPIENT = Recipient(
    "globex",
    "Globex Corporation",
    ("742 Evergreen Terrace", "Springfield"),
    "US-99-1234567",
    "ap@globex.example",
    "PO-4711",
)
VAT = Tax("VAT", Decimal(19))
STATEMENT_DIGEST = "3f2a9c5be1d04f7786b1c2a4d5e6f70812233445566778899aabbccddeeff001"


def step(kind: str, amount: str, quantity: str = "0", unit_price: str | None = None, **rest: Any) -> dict[str, Any]:
    """A step as statements keep it."""
    empty = dict.fromkeys(("tier", "start", "end", "setting", "label"))
    return {"kind": kind, "quantity": quantity, "unit_price": unit_price, "amount": amount} | empty | rest


def line(name: str, billed: str | None, quantity: str = "1", **rest: Any) -> InvoiceLine:
    """A line of usage in the document's currency."""
    amount = None if billed is None else Decimal(billed)
    values: dict[str, Any] = {
        "key": f"usage:{name}",
        "kind": "usage",
        "name": name,
        "metric": name,
        "unit": "call",
        "quantity": Decimal(quantity),
        "events": 3,
        "start": MARCH,
        "end": APRIL,
        "currency": "USD",
        "amount": amount,
        "total": amount,
        "billed": amount,
    }
    return InvoiceLine(**(values | rest))


TIERED = line(
    "API calls",
    "130.00",
    "150001",
    amount=Decimal("130.0008"),
    steps=(
        step("free_allowance", "0", "10000", "0", setting="10000"),
        step("tier", "90", "90000", "0.001", tier=0, start="0", end="90000"),
        step("tier", "40.0008", "50001", "0.0008", tier=1, start="90000"),
    ),
)
CONVERTED = line(
    "Egress",
    "21.63",
    "300.25",
    unit="GiB",
    currency="EUR",
    amount=Decimal("20.0167"),
    total=Decimal("20.02"),
    exchange=Exchange(Decimal("1.0803"), date(2026, 3, 31), "ecb"),
    steps=(
        step("conversion", "0", "300.25", label="bytes to GiB"),
        step("per_unit", "20.016666666666666666", "300.25", "0.06666666666666666666"),
    ),
)
FEE = line("Platform", "49.00", kind="fee", metric=None, unit="period", steps=(step("flat_fee", "49", "1", "49"),))
TRIAL = line(
    "Support hours", None, "4", unit="hour", reason="trial", start=MARCH, end=datetime(2026, 3, 15, tzinfo=UTC)
)
DISCOUNT = line(
    "discount", "-10.00", kind="discount", metric=None, key="discount:1", steps=(step("discount", "-10", setting="10"),)
)
ADJUSTED = line(
    "API calls",
    "-4.20",
    "-4200",
    key="adjustment:1",
    kind="adjustment",
    start=FEBRUARY,
    end=MARCH,
    adjusts=Adjustment(
        7,
        FEBRUARY,
        MARCH,
        "usage:API calls",
        "INV-2026-00041",
        {
            "late": 3,
            "amended": 0,
            "voided": 12,
            "terms": ["api_calls from 2026-02-10"],
            "events": [f"0190d6c2-5b1f-7c3e-9a44-0000000000{n:02}" for n in range(15)],
            "would_be": None,
        },
    ),
)


def document(lines: tuple[InvoiceLine, ...], *, tax: Tax | None = None, **rest: Any) -> InvoiceContent:
    """A document over these lines, with a tax on all of them."""
    taxed = tuple(replace(each, tax=tax if each.billed else None) for each in lines)
    values: dict[str, Any] = {
        "kind": Kind.INVOICE,
        "issuer": ISSUER,
        "recipient": RECIPIENT,
        "currency": "USD",
        "locale": "en_US",
        "time_zone": "UTC",
        "statement_id": 17,
        "statement_digest": STATEMENT_DIGEST,
        "start": MARCH,
        "end": APRIL,
        "lines": taxed,
    }
    values |= rest
    return InvoiceContent(**values, taxes=tax_lines(taxed, values["currency"]))


def final(content: InvoiceContent, number: str = "INV-2026-00042") -> InvoiceContent:
    """The document with a number, dated 1 April 2026."""
    return finalized(content, number, date(2026, 4, 1), 14)


def full(**rest: Any) -> InvoiceContent:
    """A final invoice with everything that there is."""
    lines = (replace(TIERED, credited=Decimal("30.00")), CONVERTED, FEE, TRIAL, DISCOUNT, ADJUSTED)
    credits = (
        CreditUse(1, "Welcome bonus", TIERED.key, Decimal("20.00")),
        CreditUse(2, "Prepaid calls", TIERED.key, Decimal("10.00"), Decimal(12500)),
    )
    return final(document(lines, tax=VAT, credits=credits, note="Thank you for your business.", **rest))


def long(count: int = 200, **rest: Any) -> InvoiceContent:
    """A final invoice of many lines, each with steps."""
    lines = tuple(
        replace(
            TIERED,
            key=f"usage:metric_{number}",
            name=f"metric_{number:03} in region eu-west-{number % 7}",
            billed=Decimal("130.00") + number,
            total=Decimal("130.00") + number,
        )
        for number in range(count)
    )
    return final(document(lines, tax=VAT, **rest))
