"""A document as Stripe is given it: everything that it says is due, in no more lines than Stripe takes."""

from datetime import UTC, datetime
from decimal import Decimal

from tallystick.billing.invoices.models import InvoiceContent, InvoiceLine, Issuer, Kind, Recipient, TaxLine
from tallystick.integrations.stripe.bills.composing import bill_lines

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def line(key: str, billed: str | None, metric: str = "calls", credited: str = "0") -> InvoiceLine:
    amount = None if billed is None else Decimal(billed)
    return InvoiceLine(
        key=key, kind="usage", name="Calls", metric=metric, unit="call", quantity=Decimal(7), events=1, start=START,
        end=END, currency="USD", amount=amount, total=amount, billed=amount, credited=Decimal(credited),
    )  # fmt: skip


def document(*lines: InvoiceLine, taxes: tuple[TaxLine, ...] = (), currency: str = "USD") -> InvoiceContent:
    return InvoiceContent(
        kind=Kind.INVOICE, issuer=Issuer("default", "Us"), recipient=Recipient("acme", "Acme"), currency=currency,
        locale="en", time_zone="UTC", statement_id=1, statement_digest="0", start=START, end=END, lines=lines,
        taxes=taxes,
    )  # fmt: skip


def test_credit_and_taxes_are_lines_and_all_of_them_come_to_what_is_due() -> None:
    tax = TaxLine("VAT", Decimal(19), Decimal("8.00"), Decimal("1.52"))
    content = document(line("a", "10.00", credited="2.00"), line("b", None), taxes=(tax,))
    lines = bill_lines(content)
    assert [(each.key, each.amount) for each in lines] == [("a", 1000), ("credit", -200), ("tax:VAT:19", 152)]
    assert sum(each.amount for each in lines) == content.due * 100
    assert lines[0].description == "Calls: 7 call"


def test_more_than_stripe_takes_are_put_together_by_metric() -> None:
    content = document(*(line(f"{i}", "0.01", f"metric{i % 3}") for i in range(600)))
    lines = bill_lines(content)
    assert [(each.description, each.amount) for each in lines] == [(f"metric{i} (200 items)", 200) for i in range(3)]


def test_and_then_the_smallest_together() -> None:
    content = document(*(line(f"{i}", f"{i}.00", f"metric{i}") for i in range(300)))
    lines = bill_lines(content)
    assert len(lines) == 250
    assert sum(each.amount for each in lines) == content.due * 100
    assert (lines[-1].key, lines[-1].description) == ("others", "51 other items")
    assert lines[-1].amount == sum(range(51)) * 100


def test_where_stripe_is_rounder_lines_still_add_up() -> None:
    lines = bill_lines(document(*(line(f"{i}", "0.40") for i in range(10)), currency="MGA"))
    assert sum(each.amount for each in lines) == 4
    assert {each.amount for each in lines} == {0, 1}


def test_keys_are_short_enough_and_still_apart() -> None:
    long = "x" * 600
    lines = bill_lines(document(line(f"{long}a", "1"), line(f"{long}b", "1")))
    assert len({each.key for each in lines}) == 2
    assert all(len(each.key) <= 500 for each in lines)
