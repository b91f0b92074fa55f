"""What documents say: totals that add up, taxes, numbers, JSON that reads back, and credit notes that never exceed."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.billing.invoices.crediting import reversed_in_full, reversed_in_part
from tallystick.billing.invoices.documents import as_json, digest, from_json, to_json
from tallystick.billing.invoices.models import CreditRequest, CreditUse, InvoiceContent, Kind, Tax
from tallystick.billing.invoices.numbering import Numbering
from tallystick.billing.invoices.taxes import Taxable, by_table, tax_on
from tallystick.catalog.rules import TaxRate
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.core.money import EXACT, minor_unit, round_money
from tests.unit.billing.invoices.samples import VAT, document, final, full, line

CENTS = st.integers(-(10**14), 10**14).map(lambda cents: Decimal(cents).scaleb(-2))


# --- Totals ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(CENTS, st.integers(0, 100)), max_size=20), st.integers(0, 3000))
def test_lines_less_credits_and_with_tax_are_what_is_due(rows, percent_in_hundredths):
    tax = Tax("T", Decimal(percent_in_hundredths).scaleb(-2))
    lines = tuple(
        replace(line(f"m{n}", str(billed)), credited=round_money(max(billed, Decimal(0)) * part / 100, "USD"))
        for n, (billed, part) in enumerate(rows)
    )

    content = document(lines, tax=tax)

    base = sum((each.billed or 0) - each.credited for each in lines if each.billed)
    assert content.subtotal == sum(each.billed or 0 for each in lines)
    assert content.tax == round_money(base * tax.percent / 100, "USD")
    assert content.due == content.subtotal - content.credited + content.tax
    assert content.due == round_money(content.due, "USD")


@pytest.mark.parametrize(
    ("currency", "base", "percent", "amount"),
    [
        ("USD", "100.00", "7.25", "7.25"),
        ("USD", "0.10", "5", "0.01"),  # half a cent goes away from zero
        ("USD", "-0.10", "5", "-0.01"),
        ("JPY", "127", "10", "13"),
        ("KWD", "1.500", "5", "0.075"),
        ("EUR", "0.00", "19", "0.00"),
    ],
)
def test_a_tax_is_rounded_once_to_the_currency(currency, base, percent, amount):
    assert tax_on(Decimal(base), Tax("T", Decimal(percent)), currency) == Decimal(amount)


def test_of_the_rates_that_fit_a_line_the_first_one_counts():
    rule = by_table(
        [
            TaxRate("Reverse charge", Decimal(0), metadata={"business": ("true",), "country": ("DE", "AT")}),
            TaxRate("Reduced", Decimal(7), metadata={"country": ("DE",)}, metrics=("books",)),
            TaxRate("Special", Decimal(1), teams=("globex",)),
            TaxRate("VAT", Decimal(19), metadata={"country": ("DE",)}),
        ]
    )
    german = {"country": "DE"}
    cases = [
        (Taxable("acme", german | {"business": True}, "books"), "Reverse charge"),
        (Taxable("acme", german, "books"), "Reduced"),
        (Taxable("acme", german, "calls"), "VAT"),
        (Taxable("acme", german, None), "VAT"),
        (Taxable("globex", german, "calls"), "Special"),
        (Taxable("acme", {"country": "CH"}, "calls"), None),
        (Taxable("acme", {}, "calls"), None),
    ]

    found = [rule(each) for each, _ in cases]

    assert [tax and tax.name for tax in found] == [name for _, name in cases]


# --- Numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "series", "first", "hundredth"),
    [
        ("INV-{number:05}", "INV-#", "INV-00001", "INV-00100"),
        ("{entity}/{year}/{number}", "acme/2026/#", "acme/2026/1", "acme/2026/100"),
        ("{number:2}", "#", " 1", "100"),
        ("{number:03d}-{year}", "#-2026", "001-2026", "100-2026"),
    ],
)
def test_a_number_is_written_by_its_pattern_and_counted_in_its_series(pattern, series, first, hundredth):
    numbering = Numbering(pattern, "acme", date(2026, 12, 31))

    assert (numbering.series, numbering.number(1), numbering.number(100)) == (series, first, hundredth)


# --- JSON ------------------------------------------------------------------------------------------


def test_a_document_reads_back_from_its_json_as_it_was():
    content = full()

    again = from_json(json.loads(json.dumps(to_json(content)), parse_float=Decimal))

    assert again == content
    assert digest(again) == digest(content)


def test_json_shows_exact_numbers_and_the_totals():
    shown = as_json(full())

    assert shown["lines"][0]["amount"] == "130.0008"
    assert (shown["subtotal"], shown["credited"], shown["tax"], shown["due"]) == ("186.43", "30.00", "29.72", "186.15")
    assert (shown["issued_on"], shown["lines"][1]["exchange"]["rate"]) == ("2026-04-01", "1.0803")


# --- Credit notes ----------------------------------------------------------------------------------


def invoice(*amounts: str, credited: str = "0.00") -> InvoiceContent:
    lines = [line(f"m{n}", amount) for n, amount in enumerate(amounts)]
    lines[0] = replace(lines[0], credited=Decimal(credited))
    uses = (CreditUse(1, "Bonus", lines[0].key, Decimal(credited)),) if Decimal(credited) else ()
    return final(document(tuple(lines), tax=VAT, credits=uses))


def test_a_reversal_gives_back_everything_credits_and_taxes_included():
    original = invoice("100.00", "-10.00", credited="30.00")

    note = reversed_in_full(original, [], "Wrong")

    assert (note.kind, note.due) == (Kind.CREDIT_NOTE, -original.due)
    assert (note.subtotal, note.credited, note.tax) == (-original.subtotal, -original.credited, -original.tax)
    assert note.corrects is not None
    assert (note.corrects.number, note.reason) == (original.number, "Wrong")


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**6)), max_size=8),
)
def test_parts_and_then_the_rest_give_back_the_invoice_to_the_last_cent(cents, parts):
    original = invoice(*(str(Decimal(each).scaleb(-2)) for each in cents))
    notes: list[InvoiceContent] = []
    for position, amount in parts:
        wanted = [CreditRequest(f"usage:m{position}", Decimal(amount).scaleb(-2))]
        try:
            notes.append(reversed_in_part(original, notes, wanted, "Part"))
        except (Conflict, InvalidInput):
            continue
        assert original.due + sum(note.due for note in notes) >= 0
        assert all(note.tax <= 0 for note in notes)

    notes.append(reversed_in_full(original, notes, "The rest"))

    assert sum(note.due for note in notes) == -original.due
    assert sum(note.tax for note in notes) == -original.tax
    assert abs(notes[-1].tax) <= original.tax + minor_unit("USD")


def test_a_discount_limits_what_can_be_given_back():
    original = invoice("100.00", "-80.00")

    with pytest.raises(Conflict, match=r"that is 80\.00 USD more than is left of invoice INV-2026-00042"):
        reversed_in_part(original, [], [CreditRequest("usage:m0", Decimal(100))], "Too much")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ([], "needs a line"),
        ([("usage:nothing", "1")], r"line 'usage:nothing' is not charged on INV-2026-00042"),
        ([("usage:m0", "1"), ("usage:m0", "1")], "is there twice"),
        ([("usage:m0", "0.001")], r"0\.001 is no amount of USD above zero"),
    ],
)
def test_what_can_not_be_given_back_is_refused(wanted, says):
    requests = [CreditRequest(key, Decimal(amount)) for key, amount in wanted]

    with pytest.raises(InvalidInput, match=says):
        reversed_in_part(invoice("10.00"), [], requests, "No")


def test_amounts_with_more_digits_than_python_keeps_add_up():
    large = "12345678901234567890123456789.01"
    content = document((line("a", large), line("b", large)))

    assert content.due == EXACT.multiply(Decimal(large), Decimal(2))
