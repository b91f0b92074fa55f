"""Documents as people see them: handsome, localised, the same bytes every time, and safe whatever names hold."""

import csv
import io
import re
import time
from dataclasses import asdict, replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tallystick.billing.invoices.crediting import reversed_in_full
from tallystick.billing.invoices.models import Format, InvoiceContent, Recipient, Tax
from tallystick.billing.invoices.rendering import file_name, pdf, render
from tallystick.billing.invoices.rendering.localise import Localiser
from tallystick.billing.invoices.rendering.text import UNPRINTABLE, breakable, clean
from tallystick.billing.invoices.rendering.view import view_of
from tallystick.billing.invoices.rendering.words import Words, languages
from tallystick.core.clock import Interval
from tests.unit.billing.invoices.samples import (
    APRIL,
    FEBRUARY,
    FEE,
    MARCH,
    TIERED,
    document,
    final,
    full,
    line,
    long,
    step,
)

NBSP = "\N{NO-BREAK SPACE}"
HOSTILE = '=1+1 #panic("x") $x$ *b* _i_ @r `c` \\ <script>alert(1)</script> {{ 7 * 7 }} {number} \' \u202eevil\x07\n'


def written(content: InvoiceContent, format: Format, locale: str | None = None) -> bytes:
    return render(content, format, locale).body


def page_count(body: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", body))


def texts(content: InvoiceContent, locale: str | None = None) -> list[str]:
    """Every text of the view."""
    return list(pdf._texts(asdict(view_of(content, locale))))


# --- The same bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize("format", list(Format))
def test_the_same_document_gives_the_same_bytes(format):
    assert written(full(), format) == written(full(), format)


def test_a_pdf_is_dated_as_the_document_and_archivable_with_its_json_attached():
    body = written(full(), Format.PDF)

    assert body.startswith(b"%PDF-1.7")
    assert b"D:20260401000000Z" in body
    assert re.search(rb"pdfaid:part>3</pdfaid:part><pdfaid:conformance>A<", body)
    assert b"document.json" in body


# --- What is on it ---------------------------------------------------------------------------------


def test_a_document_shows_lines_steps_causes_credits_rates_taxes_and_notes():
    said = "\n".join(texts(full())).replace(NBSP, " ").replace("\u2009", " ")

    for expected in (
        "Tier 1: up to 90,000",
        "50,001 × $0.0008",
        "$40.0008",
        "Included: 10,000 of 10,000",
        "€20.02 × 1.0803, rate of Mar 31, 2026, European Central Bank",
        "≈ €20.016667",
        "Not charged: trial",
        "Corrects Feb 1 – 28, 2026 on INV-2026-00041",
        "Because of late events: 3, voided events: 12, changed prices or terms: api_calls from 2026-02-10",
        "Credit: Prepaid calls (12,500 units)",
        "VAT 19% on $156.43",
        "$186.15",
        "Thank you for your business.",
        "IBAN DE02 1203 0000 0000 2020 51",
    ):
        assert expected in said


def test_running_totals_end_with_the_subtotal():
    view = view_of(full())

    running = [each.running for group in view.groups for each in group.lines]

    assert running[-1] == view.totals[0].text == "$186.43"


def test_a_draft_has_no_number_and_says_that_it_is_one():
    view = view_of(document((TIERED,)))

    assert (view.number, view.watermark) == ("", "Draft")
    assert "Number" not in [fact.label for fact in view.facts]
    assert written(document((TIERED,)), Format.PDF) == written(document((TIERED,)), Format.PDF)


def test_a_credit_note_says_what_it_takes_back_and_asks_for_no_payment():
    note = final(reversed_in_full(full(), [], "Wrong address"), "CN-00001")

    view = view_of(note)

    facts = {fact.label: fact.text for fact in view.facts}
    assert (view.title, view.due.label, view.due.text) == ("Credit note", "Amount credited", "$186.15")
    assert facts["Corrects"] == "INV-2026-00042 of Apr 1, 2026"
    assert facts["Reason"] == "Wrong address"
    assert view.payment.lines == ()


def test_an_unknown_kind_of_step_is_shown_by_its_name():
    content = document((line("a", "1.00", steps=(step("moon_phase", "0.5"), step("per_unit", "0.5", "1", "0.5"))),))

    assert [each.text for each in view_of(content).groups[0].lines[0].steps] == ["Moon phase", "Per unit"]


# --- Language --------------------------------------------------------------------------------------


def test_every_language_says_everything_with_the_same_slots():
    english = Words.of_language("en").sections
    slots = re.compile(r"\{(\w+)\}")
    for language in languages():
        said = Words.of_language(language).sections
        assert {key: set(said[key]) for key in said} == {key: set(english[key]) for key in english}, language
        for section, entries in english.items():
            for key, text in entries.items():
                assert set(slots.findall(said[section][key])) == set(slots.findall(text)), f"{language} {section}.{key}"
    assert languages() >= {"en", "de", "fr", "es", "ja"}


@pytest.mark.parametrize(
    ("locale", "amount", "price", "day", "period"),
    [
        ("en_US", "-$1,234,567.50", "$0.0008", "Apr 1, 2026", "Mar 1 – 31, 2026"),
        ("en_GB", "-US$1,234,567.50", "US$0.0008", "1 Apr 2026", "1–31 Mar 2026"),
        ("de_DE", "-1.234.567,50 $", "0,0008 $", "01.04.2026", "1.–31. März 2026"),
        ("fr_FR", "-1 234 567,50 $US", "0,0008 $US", "1 avr. 2026", "1–31 mars 2026"),
        ("ja_JP", "-$1,234,567.50", "$0.0008", "2026/04/01", "2026年3月1日～31日"),
    ],
)
def test_amounts_and_dates_are_written_as_the_locale_does(locale, amount, price, day, period):
    localiser = Localiser.of(locale, ZoneInfo("UTC"))

    found = (
        localiser.money(Decimal("-1234567.5"), "USD"),
        localiser.price(Decimal("0.0008"), "USD"),
        localiser.day(APRIL.date()),
        localiser.period(Interval(MARCH, APRIL)),
    )

    assert tuple(re.sub(r"[\u00a0\u202f\u2009]", " ", text) for text in found) == (amount, price, day, period)


@pytest.mark.parametrize(
    ("currency", "amount", "text"),
    [
        ("JPY", "1234", "¥1,234"),
        ("KWD", "1.5", f"KWD{NBSP}1.500"),
        ("IQD", "1.5", f"IQD{NBSP}1.500"),
        ("HUF", "1", "HUF"),
    ],
)
def test_decimals_are_those_of_iso_4217(currency, amount, text):
    assert Localiser.of("en_US", ZoneInfo("UTC")).money(Decimal(amount), currency).startswith(text)


def test_numbers_keep_every_digit():
    localiser = Localiser.of("de_CH", ZoneInfo("UTC"))
    assert localiser.quantity(Decimal("123456789012345678901234567890.5")) == (
        "123’456’789’012’345’678’901’234’567’890.5"
    )
    assert localiser.quantity(Decimal("0.0000001")) == f"≈{NBSP}0"
    assert localiser.percent(Decimal("7.25")) == "7.25%"


def test_a_period_that_is_no_whole_days_is_told_with_the_time():
    new_york = ZoneInfo("America/New_York")
    localiser = Localiser.of("en_US", new_york)
    day = localiser.period(Interval(MARCH.replace(hour=5), MARCH.replace(day=2, hour=5)))
    hours = localiser.period(Interval(MARCH.replace(hour=5), MARCH.replace(hour=17, minute=30)))

    assert day == "Mar 1, 2026"
    assert re.sub(r"[\u00a0\u202f]", " ", hours) == "Mar 1, 2026 12:00 AM – Mar 1, 2026 12:30 PM"


def test_a_language_without_words_is_english_with_its_own_numbers():
    swedish, arabic = view_of(full(), "sv_SE"), view_of(full(), "ar_EG")

    assert (swedish.title, arabic.title) == ("Invoice", "Invoice")
    assert swedish.due.text == f"186,15{NBSP}US$"
    assert arabic.due.text == "$186.15"


def test_paper_is_that_of_the_country():
    assert [view_of(full(), each).paper for each in ("en_US", "en_GB", "de_DE")] == ["us-letter", "a4", "a4"]


# --- Scripts ---------------------------------------------------------------------------------------


@pytest.fixture
def no_system_fonts(monkeypatch):
    """A machine without any font."""
    shipped = pdf._fonts(system=False)
    monkeypatch.setattr(pdf, "_fonts", lambda **_: shipped)
    pdf._prints.cache_clear()
    yield
    pdf._prints.cache_clear()


def test_the_shipped_fonts_print_europe(no_system_fonts):
    for locale in ("de_DE", "fr_FR", "es_ES", "pl_PL", "el_GR", "uk_UA", "tr_TR", "de_CH", "he_IL"):
        assert pdf._prints(pdf._characters(asdict(view_of(full(locale=locale)))), system=False), locale


def test_a_language_that_no_font_prints_is_english_and_names_get_a_mark_and_a_note(no_system_fonts, monkeypatch):
    shown: dict[str, Any] = {}
    monkeypatch.setattr(pdf, "_compile", lambda view, *_, **__: (shown.update(view), b"")[1])
    name = replace(full().recipient, name="株式会社テスト")

    pdf.as_pdf(full(locale="ja_JP", recipient=name))

    assert shown["title"] == "Invoice"
    assert shown["recipient"]["name"] == UNPRINTABLE * 7
    assert shown["notes"][-1].startswith("Some letters can't be printed")
    assert "請求書" in written(full(locale="ja_JP"), Format.HTML).decode()


# --- Several pages, and fast -----------------------------------------------------------------------


def test_two_hundred_lines_take_several_pages_and_well_under_a_second():
    content = long(200)
    written(content, Format.PDF)  # fonts are read once in a process
    began = time.perf_counter()

    body = written(replace(content, note="another"), Format.PDF)

    assert time.perf_counter() - began < 3  # 0.3 s on one free core; a busy machine may take longer
    assert 10 <= page_count(body) <= 20
    assert page_count(written(full(), Format.PDF)) == 1


# --- Hostile names ---------------------------------------------------------------------------------


@pytest.fixture
def hostile():
    recipient = Recipient("x'; --", HOSTILE, (HOSTILE, "a" * 300), HOSTILE, HOSTILE, HOSTILE)
    lines = (line(HOSTILE, "5.00", unit=HOSTILE, reason=HOSTILE, steps=(step(HOSTILE, "5", label=HOSTILE),)), FEE)
    return final(document(lines, tax=Tax(HOSTILE, Decimal(1)), recipient=recipient, note=HOSTILE), HOSTILE)


def test_names_are_no_markup_in_a_pdf(hostile):
    assert page_count(written(hostile, Format.PDF)) >= 1


class Tags(HTMLParser):
    """Collects the names of tags, and of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {tag, *(name for name, _ in attrs)}


def test_names_are_no_markup_in_html(hostile):
    tags = Tags()

    tags.feed(written(hostile, Format.HTML).decode())

    assert not tags.found & {"script", "img", "onerror", "iframe", "a", "link", "href", "src"}
    assert "&lt;script&gt;" in written(hostile, Format.HTML).decode()


def test_text_in_csv_never_begins_a_formula(hostile):
    rows = list(csv.DictReader(io.StringIO(written(hostile, Format.CSV).decode(), newline="")))

    numbers = {"amount", "original_total", "quantity"}
    assert len(rows) == 3
    for row in rows:
        for column, value in row.items():
            assert column in numbers or not value.lstrip().startswith(("=", "+", "-", "@")), (column, value)


def test_csv_adds_up_to_what_is_due():
    content = full()

    rows = csv.DictReader(io.StringIO(written(content, Format.CSV).decode(), newline=""))

    assert sum(Decimal(row["amount"]) for row in rows if row["amount"]) == content.due


def test_what_would_be_obeyed_instead_of_shown_becomes_visible():
    assert clean("a\tb\nc\u202ed\x00e\u200bf") == "a�b�c�d�e�f"
    assert clean(f"1{NBSP}234 é 株") == f"1{NBSP}234 é 株"


def test_long_words_can_be_broken():
    assert breakable("short words stay") == "short words stay"
    assert max(map(len, breakable("a" * 100).split("\u200b"))) == 16


def test_a_file_is_called_by_the_number_and_stays_where_it_is_put():
    assert file_name(final(document((FEE,)), "../../etc/a b#1")) == "-..-etc-a-b-1"
    assert file_name(document((FEE,))) == "draft-statement-17"


def test_a_correction_s_period_is_named():
    content = document((FEE,), start=FEBRUARY, end=MARCH)

    assert "Feb 1" in {fact.label: fact.text for fact in view_of(content).facts}["Billing period"]
