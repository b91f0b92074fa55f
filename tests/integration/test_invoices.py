"""Invoices: made of closed statements, numbered without gaps, immutable once final, taken back by credit notes."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tallystick.billing.credits.service import Credits
from tallystick.billing.credits.terms import Terms as CreditTerms
from tallystick.billing.invoices import store
from tallystick.billing.invoices.models import CreditRequest, Kind, Recipient, Status, Tax
from tallystick.billing.invoices.service import InvoiceService
from tallystick.billing.invoices.store import Search
from tallystick.billing.teams.models import Terms
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.http.principal import Scope
from tests.acceptance.command import Command
from tests.integration.billing_setup import CATALOGUE, calling, opened

ROOT = Path(__file__).resolve().parents[2]
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
SELLER = """
billing:
  invoice:
    entity: {id: northwind, name: Northwind GmbH, address: [Werkstraße 12, 10115 Berlin], tax_id: DE123456789}
    number: "NW-{year}-{number:04}"
    taxes:
      - {name: VAT, percent: 19, metadata: {country: [DE, AT]}}
"""


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        await each.apply(CATALOGUE + SELLER)
        yield each


@pytest.fixture
def invoices(house):
    return InvoiceService(house.database, house.clock)


async def closed(house, *teams, at=APRIL + timedelta(hours=2)):
    """The ids of the March statements of these teams, closed; each used 150,000 calls for 130 USD."""
    for team_id in teams or ("acme",):
        await house.team(team_id)
        await house.use(150_000, team_id=team_id)
    house.clock.set(at)
    return list((await house.billing.closing.run()).statements)


async def billed(house, invoices, *teams):
    """The final invoices of closed March statements of these teams."""
    return [await invoices.finalize_statement(id) for id in await closed(house, *teams)]


async def scalar(house, statement, *values):
    async with house.database.transaction() as tx:
        row = await (await tx.execute(statement, values)).fetchone()
    return row[0] if row else None


def numbers(found):
    return [each.content.number for each in found]


# --- From a statement to a document ----------------------------------------------------------------


async def test_an_invoice_says_what_the_statement_says(house, invoices):
    [period_id] = await closed(house)
    statement = await house.billing.statements.closed(period_id)

    invoice = await invoices.finalize_statement(period_id)

    content = invoice.content
    assert [(line.key, line.billed) for line in content.lines] == [
        (line.key, line.converted_total) for line in statement.lines
    ]
    assert [line.steps for line in content.lines] == [tuple(line.steps) for line in statement.lines]
    assert (content.subtotal, content.due) == (Decimal("130.00"), statement.period.total)
    assert (content.statement_id, content.statement_digest) == (period_id, statement.period.digest)
    assert (content.issuer.name, content.recipient.name) == ("Northwind GmbH", "acme")
    assert (content.number, content.issued_on, content.due_on) == ("NW-2026-0001", date(2026, 4, 1), date(2026, 4, 15))
    assert await scalar(house, "SELECT status FROM metered_billing_periods WHERE id = %s", period_id) == "invoiced"


async def test_a_draft_follows_the_rules_and_the_recipient_until_it_is_final(house, invoices):
    [period_id] = await closed(house)
    draft = await invoices.draft(period_id)
    await invoices.address(Recipient("acme", "Acme Inc.", ("1 Main Street",), reference="PO-1"), "de-DE")

    again = await invoices.draft(period_id)
    final = await invoices.finalize(draft.id)
    await invoices.address(Recipient("acme", "Another name"), None)

    assert (draft.status, draft.content.number, draft.content.recipient.name) == (Status.DRAFT, None, "acme")
    assert (again.id, again.content.recipient.name, again.content.locale) == (draft.id, "Acme Inc.", "de_DE")
    assert (await invoices.get(draft.id)).content == final.content
    assert final.content.recipient.reference == "PO-1"


async def test_only_a_closed_statement_is_invoiced_and_only_once(house, invoices):
    [period_id] = await closed(house)
    await house.billing.statements.aggregate(["acme"])  # the open period of April

    with pytest.raises(NotFound, match="there is no closed statement"):
        await invoices.draft(period_id + 1)
    first = await invoices.finalize_statement(period_id)
    again = await invoices.finalize_statement(period_id)
    at_once = await asyncio.gather(*(invoices.draft(period_id) for _ in range(5)))

    assert {each.id for each in (first, again, *at_once)} == {first.id}
    assert again.content.number == "NW-2026-0001"


async def test_nobody_writes_invoices_until_the_billing_file_says_who(house, invoices):
    await house.apply(CATALOGUE)
    [period_id] = await closed(house)
    draft = await invoices.draft(period_id)

    with pytest.raises(Conflict, match=r"billing\.invoice\.entity"):
        await invoices.finalize(draft.id)

    assert (await invoices.get(draft.id)).status is Status.DRAFT
    assert await scalar(house, "SELECT count(*) FROM invoice_counters") == 0


async def test_a_statement_that_was_made_void_is_not_invoiced(house, invoices):
    [period_id] = await closed(house)
    draft = await invoices.draft(period_id)
    await house.billing.closing.void(period_id, "wrong", "tester")

    with pytest.raises(Conflict, match="is void"):
        await invoices.finalize(draft.id)


async def test_a_statement_on_an_invoice_is_not_made_void(house, invoices):
    [invoice] = await billed(house, invoices)

    with pytest.raises(Conflict):
        await house.billing.closing.void(invoice.period_id, "wrong", "tester")


# --- Totals ----------------------------------------------------------------------------------------


async def test_tax_is_that_of_the_first_rate_that_fits_the_team(house, invoices):
    await house.billing.teams.create("german", metadata={"country": "DE"})
    await house.billing.teams.create("swiss", metadata={"country": "CH"})
    for team_id in ("german", "swiss"):
        await house.billing.teams.subscribe(team_id, Terms("standard", datetime(2026, 3, 1, tzinfo=UTC)))
        await house.use(150_000, team_id=team_id)
    house.clock.set(APRIL + timedelta(hours=2))
    made = [await invoices.finalize_statement(id) for id in (await house.billing.closing.run()).statements]

    found = {each.content.recipient.team_id: each.content for each in made}
    assert (found["german"].tax, found["german"].due) == (Decimal("24.70"), Decimal("154.70"))
    assert (found["swiss"].taxes, found["swiss"].due) == ((), Decimal("130.00"))


async def test_lines_less_credits_and_with_tax_are_what_is_due(house):
    invoices = InvoiceService(house.database, house.clock, tax_rule=lambda _: Tax("Sales tax", Decimal("7.25")))
    await house.team()
    await house.use(150_000)
    credits = Credits(house.database, house.clock)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    await credits.grant(
        "acme", CreditTerms(name="Welcome", amount=Decimal("33.33"), currency="USD", effective_at=start)
    )
    house.clock.set(APRIL + timedelta(hours=2))
    [period_id] = (await house.billing.closing.run()).statements

    content = (await invoices.finalize_statement(period_id)).content

    assert [(use.name, use.amount) for use in content.credits] == [("Welcome", Decimal("33.33"))]
    assert [(tax.base, tax.amount) for tax in content.taxes] == [(Decimal("96.67"), Decimal("7.01"))]
    assert (content.subtotal, content.credited) == (Decimal("130.00"), Decimal("33.33"))
    assert content.due == Decimal("103.68") == content.subtotal - content.credited + content.tax
    columns = await scalar(house, "SELECT array[subtotal, credits, tax, due] FROM invoices")
    assert columns == [content.subtotal, content.credited, content.tax, content.due]


async def test_nothing_to_pay_is_paid(house, invoices):
    await house.team()
    house.clock.set(APRIL + timedelta(hours=2))
    [period_id] = (await house.billing.closing.run()).statements

    invoice = await invoices.finalize_statement(period_id)

    assert (invoice.content.due, invoice.status, invoice.content.due_on) == (Decimal("0.00"), Status.PAID, None)


async def test_an_adjustment_names_its_cause_and_the_invoice_it_corrects(house, invoices):
    [march] = await billed(house, invoices)
    await house.use(10_000, at="2026-03-20T00:00:00Z")  # late: March is closed
    house.clock.set(APRIL + timedelta(days=31))
    [april] = (await house.billing.closing.run()).statements

    [line] = [each for each in (await invoices.finalize_statement(april)).content.lines if each.kind == "adjustment"]

    assert line.billed == Decimal("8.00")
    assert line.adjusts is not None
    assert (line.adjusts.document, line.adjusts.statement_id) == (march.content.number, march.period_id)
    assert line.adjusts.cause["late"] == 1


# --- Numbers ---------------------------------------------------------------------------------------


async def test_numbers_follow_each_other_and_begin_anew_with_the_pattern_s_year(house, invoices):
    first, second, third = await closed(house, "a", "b", "c")
    made = [await invoices.finalize_statement(first), await invoices.finalize_statement(second)]
    house.clock.set(datetime(2027, 1, 1, tzinfo=UTC))

    made.append(await invoices.finalize_statement(third))

    assert numbers(made) == ["NW-2026-0001", "NW-2026-0002", "NW-2027-0001"]


async def test_a_rolled_back_invoice_gives_its_number_back(house, invoices, monkeypatch):
    first, second = await closed(house, "a", "b")

    async def breaks(*_):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(store, "mark_statement", breaks)
        with pytest.raises(RuntimeError):
            await invoices.finalize_statement(first)

    made = [await invoices.finalize_statement(id) for id in (second, first)]

    assert numbers(made) == ["NW-2026-0001", "NW-2026-0002"]


async def test_two_entities_count_apart(house, invoices):
    first, second = await closed(house, "a", "b")
    one = await invoices.finalize_statement(first)
    await house.apply(CATALOGUE + SELLER.replace("id: northwind", "id: southwind"))

    other = await invoices.finalize_statement(second)

    assert numbers([one, other]) == ["NW-2026-0001", "NW-2026-0001"]


WORKER = """
    import asyncio, sys
    from datetime import UTC, datetime
    from tallystick.billing.invoices.service import InvoiceService
    from tallystick.core.clock import ManualClock
    from tallystick.core.errors import TallystickError
    from tallystick.core.settings import Settings
    from tallystick.storage.database import Database

    async def main(url, ids):
        async with await Database.open(Settings(database_url=url, pool_size=3)) as database:
            invoices = InvoiceService(database, ManualClock(datetime(2026, 4, 2, tzinfo=UTC)))
            print("ready", flush=True)
            sys.stdin.readline()
            for id in ids:
                await invoices.finalize_statement(id)

    asyncio.run(main(sys.argv[1], [int(id) for id in sys.argv[2:]]))
"""


def start_worker(url, ids):
    command = [sys.executable, "-c", textwrap.dedent(WORKER), url, *map(str, ids)]
    worker = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


async def test_processes_that_invoice_at_once_leave_no_gap_even_if_one_is_killed(house, invoices, database_url):
    ids = await closed(house, *(f"team-{number:02}" for number in range(30)))
    orders = (ids, ids[::-1], ids[15:] + ids[:15])
    workers = await asyncio.gather(*(asyncio.to_thread(start_worker, database_url, order) for order in orders))
    running = [asyncio.create_task(asyncio.to_thread(worker.communicate, "go\n", 60)) for worker in workers]
    while await scalar(house, "SELECT count(*) < 5 FROM invoices WHERE status = 'final'"):  # noqa: ASYNC110 - other
        await asyncio.sleep(0.01)  # processes write them
    os.kill(workers[0].pid, signal.SIGKILL)
    await asyncio.gather(*running)

    made = await invoices.page(Search(), 100)

    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0, 0]
    assert sorted(numbers(made)) == [f"NW-2026-{number:04}" for number in range(1, 31)]
    assert {each.period_id for each in made} == set(ids)


async def test_the_database_itself_refuses_a_gap_and_a_counter_that_jumps(house, invoices):
    first, second = await closed(house, "a", "b")
    await invoices.finalize_statement(first)
    draft = await invoices.draft(second)
    freeze = (
        "UPDATE invoices SET status = 'final', series = 'NW-2026-#', sequence = 3, number = 'NW-2026-0003', "
        "digest = '', issued_on = current_date, finalized_at = now() WHERE id = %s"
    )

    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="invoices_have_no_gaps"):
        await scalar(house, freeze, draft.id)
    for statement in (
        "UPDATE invoice_counters SET last = last + 2",
        "UPDATE invoice_counters SET last = last - 1",
        "DELETE FROM invoice_counters",
        "INSERT INTO invoice_counters VALUES ('northwind', 'other', 7)",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            await scalar(house, statement)


# --- Immutable -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET due = due - 100, subtotal = subtotal - 100",
        "UPDATE invoices SET content = jsonb_set(content, '{recipient,name}', '\"Somebody else\"')",
        "UPDATE invoices SET number = 'NW-2026-9999'",
        "UPDATE invoices SET issued_on = issued_on - 1",
        "UPDATE invoices SET digest = 'x'",
        "UPDATE invoices SET status = 'draft'",
        "UPDATE invoices SET status = 'paid', paid_at = now(), due_on = due_on + 30",
        "DELETE FROM invoices",
        "TRUNCATE invoices CASCADE",
    ],
)
async def test_a_final_invoice_can_not_be_changed_in_the_database(house, invoices, statement):
    [before] = await billed(house, invoices)

    with pytest.raises(psycopg.Error):
        await scalar(house, statement)

    assert await invoices.get(before.id) == before


async def test_a_final_invoice_is_not_discarded_and_a_draft_is(house, invoices):
    first, second = await closed(house, "a", "b")
    final, draft = await invoices.finalize_statement(first), await invoices.draft(second)

    await invoices.discard(draft.id)
    with pytest.raises(Conflict, match=r"invoice NW-2026-0001 is final; only one that is draft"):
        await invoices.discard(final.id)

    assert numbers(await invoices.page(Search(), 10)) == ["NW-2026-0001"]


async def test_the_digest_is_that_of_the_document(house, invoices):
    [invoice] = await billed(house, invoices)

    stored = await scalar(house, "SELECT content FROM invoices")

    canonical = json.dumps(stored, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == invoice.digest


# --- Paid, taken back ------------------------------------------------------------------------------


async def test_a_paid_invoice_s_statement_is_paid(house, invoices):
    [invoice] = await billed(house, invoices)

    paid = await invoices.pay(invoice.id)
    house.clock.advance(timedelta(days=1))
    again = await invoices.pay(invoice.id)

    assert paid.status is Status.PAID
    assert again == paid
    assert await scalar(house, "SELECT status FROM metered_billing_periods WHERE id = %s", invoice.period_id) == "paid"


async def test_a_void_invoice_leaves_a_credit_note_over_all_of_it_and_its_statement_can_be_billed_again(
    house, invoices
):
    [invoice] = await billed(house, invoices)

    void = await invoices.void(invoice.id, "Wrong address")
    assert await invoices.void(invoice.id, "Wrong address") == void
    anew = await invoices.finalize_statement(invoice.period_id)

    [note] = await invoices.page(Search(kind=Kind.CREDIT_NOTE), 10)
    assert (void.status, void.content) == (Status.VOID, invoice.content)
    assert (note.content.number, note.content.due, note.content.reason) == (
        "CN-00001",
        -invoice.content.due,
        "Wrong address",
    )
    assert note.content.corrects is not None
    assert note.content.corrects.number == "NW-2026-0001"
    assert (anew.content.number, anew.content.due) == ("NW-2026-0002", invoice.content.due)


async def test_credit_notes_never_give_back_more_than_the_invoice(house, invoices):
    [invoice] = await billed(house, invoices)
    key = next(line.key for line in invoice.content.lines if line.billed)

    first = await invoices.credit(invoice.id, [CreditRequest(key, Decimal(30))], "Outage", "ticket-1")
    again = await invoices.credit(invoice.id, [CreditRequest(key, Decimal(30))], "Outage", "ticket-1")
    with pytest.raises(Conflict, match=r"has 100\.00 USD left to give back, not 100\.01"):
        await invoices.credit(invoice.id, [CreditRequest(key, Decimal("100.01"))], "Outage")
    for wrong in ("0", "-1", "0.001"):
        with pytest.raises(InvalidInput, match="no amount of USD above zero"):
            await invoices.credit(invoice.id, [CreditRequest(key, Decimal(wrong))], "Outage")
    await invoices.void(invoice.id, "All of it")

    documents = await invoices.page(Search(), 10)
    assert (first.content.due, again) == (Decimal("-30.00"), first)
    assert sum(each.content.due for each in documents) == 0
    assert numbers(documents) == ["CN-00002", "CN-00001", "NW-2026-0001"]


async def test_a_credit_note_stays_in_force(house, invoices):
    [invoice] = await billed(house, invoices)
    key = next(line.key for line in invoice.content.lines if line.billed)
    note = await invoices.credit(invoice.id, [CreditRequest(key, Decimal(1))], "Outage")

    for change in (invoices.void(note.id, "no"), invoices.credit(note.id, [CreditRequest(key, Decimal(1))], "no")):
        with pytest.raises(Conflict, match="is a credit note of an invoice"):
            await change


async def test_a_correction_that_owes_the_team_money_is_a_credit_note_of_its_invoice(house, invoices):
    late = "billing:\n  late_usage: credit_note\n"
    await house.apply(CATALOGUE + SELLER.replace("billing:\n", late))
    [march] = await billed(house, invoices)
    async with house.database.transaction() as tx:
        [[event_id]] = await (await tx.execute("SELECT id FROM usage_events")).fetchall()
    await house.metering.corrections.void(event_id, "a test run", "tester")
    house.clock.advance(timedelta(hours=2))
    done = await house.billing.closing.run()

    [correction] = done.corrections
    note = await invoices.finalize_statement(correction)

    assert (note.content.kind, note.content.due, note.content.number) == (
        Kind.CREDIT_NOTE,
        Decimal("-130.00"),
        "CN-00001",
    )
    assert note.content.corrects is not None
    assert note.content.corrects.number == march.content.number


# --- Over HTTP -------------------------------------------------------------------------------------


async def test_an_invoice_is_drafted_addressed_finalized_exported_and_taken_back_over_http(house):
    [period_id] = await closed(house)

    async with calling(house) as client:
        draft = await client.post("/api/billing/invoices", json={"statement_id": period_id})
        path = f"/api/billing/invoices/{draft.json()['id']}"
        named = await client.put("/api/billing/recipients/acme", json={"name": "Acme Inc.", "locale": "de_DE"})
        final = await client.post(f"{path}/finalize")
        exports = {
            each: await client.get(f"{path}/document", params={"format": each})
            for each in ("pdf", "html", "csv", "json")
        }
        again = await client.get(f"{path}/document")
        paid = await client.post(f"{path}/pay", json={"paid_at": "2026-04-10T00:00:00Z"})
        key = next(line["key"] for line in final.json()["document"]["lines"] if line["billed"])
        credit = {"lines": [{"key": key, "amount": "10.00"}], "reason": "Outage"}
        note = await client.post(f"{path}/credit-notes", json=credit)
        void = await client.post(f"{path}/void", json={"reason": "Wrong"})
        listed = await client.get("/api/billing/invoices", params={"team_id": "acme", "limit": 2})
        rest = await client.get("/api/billing/invoices", params={"cursor": listed.json()["next_cursor"]})

    assert (draft.status_code, draft.json()["status"], draft.json()["number"]) == (201, "draft", None)
    assert (named.json()["name"], named.json()["locale"]) == ("Acme Inc.", "de_DE")
    assert (final.json()["number"], final.json()["due"]) == ("NW-2026-0001", "130.00")
    assert final.json()["document"]["recipient"]["name"] == "Acme Inc."
    assert exports["pdf"].content.startswith(b"%PDF-")
    assert exports["pdf"].content == again.content
    assert exports["pdf"].headers["content-disposition"] == 'inline; filename="NW-2026-0001.pdf"'
    assert "130,00" in exports["html"].text
    assert exports["json"].json() == final.json()["document"]
    assert exports["csv"].headers["content-type"].startswith("text/csv")
    assert (paid.json()["status"], paid.json()["paid_at"]) == ("paid", "2026-04-10T00:00:00Z")
    assert (note.status_code, note.json()["due"]) == (201, "-10.00")
    assert void.json()["status"] == "void"
    assert [each["number"] for each in listed.json()["data"] + rest.json()["data"]] == [
        "CN-00002",
        "CN-00001",
        "NW-2026-0001",
    ]


async def test_a_key_for_one_team_sees_that_team_s_invoices_alone(house, invoices):
    made = await billed(house, invoices, "acme", "globex")
    acme, globex = sorted(made, key=lambda each: each.content.recipient.team_id)

    async with calling(house, Scope.READ, "acme") as client:
        listed = await client.get("/api/billing/invoices")
        own = await client.get(f"/api/billing/invoices/{acme.id}/document", params={"format": "json"})
        foreign = [
            (await client.get(path)).status_code
            for path in (
                f"/api/billing/invoices/{globex.id}",
                f"/api/billing/invoices/{globex.id}/document",
                "/api/billing/recipients/globex",
                "/api/billing/invoices?team_id=globex",
            )
        ]
        changes = [
            (await client.post(f"/api/billing/invoices/{acme.id}/void", json={"reason": "x"})).status_code,
            (await client.post("/api/billing/invoices", json={"statement_id": acme.period_id})).status_code,
            (await client.put("/api/billing/recipients/acme", json={"name": "x"})).status_code,
        ]

    assert [each["team_id"] for each in listed.json()["data"]] == ["acme"]
    assert own.status_code == 200
    assert (foreign, changes) == ([403] * 4, [403] * 3)


async def test_problems_name_what_is_wrong(house):
    async with calling(house) as client:
        answers = {
            (404, None): await client.get("/api/billing/invoices/4711"),
            (422, "locale"): await client.get("/api/billing/invoices/1/document?locale=klingon"),
            (422, "name"): await client.put("/api/billing/recipients/acme", json={"name": "two\nlines"}),
            (422, "address"): await client.put(
                "/api/billing/recipients/acme", json={"name": "x", "address": ["\u202e"]}
            ),
        }
        nobody = await client.put("/api/billing/recipients/nobody", json={"name": "x"})

    assert [(each.status_code, each.json().get("field")) for each in answers.values()] == list(answers)
    assert nobody.status_code == 404


# --- On the command line ---------------------------------------------------------------------------


async def test_the_command_line_numbers_shows_exports_and_takes_back(house, database_url, tmp_path):
    await closed(house, "acme", "globex")
    command = Command(database_url, tmp_path)

    async def run(*arguments, **options):
        return await asyncio.to_thread(command, "invoices", *arguments, **options)

    await run("recipient", "acme", "--name", "Acme Inc.", "--address", "1 Main Street", "--locale", "de_DE")
    made = await run("finalize", "--all")
    again = await run("finalize", "--all")
    listed = [json.loads(row) for row in (await run("list", "--team", "acme", "--json")).splitlines()]
    number = listed[0]["number"]
    shown = await run("show", number)
    await run("export", number)
    await run("export", number, "--format", "json", "-o", "one.json")
    line = next(line["key"] for line in json.loads((tmp_path / "one.json").read_text())["lines"] if line["billed"])
    await run("credit", number, "--line", f"{line}=30", "--reason", "Outage")
    await run("void", number, "--reason", "Wrong address")
    refused = await run("pay", number, code=1)

    assert sorted(row.split("\t")[1] for row in made.splitlines()) == ["NW-2026-0001", "NW-2026-0002"]
    assert again == ""
    assert (listed[0]["status"], listed[0]["due"]) == ("final", "130.00")
    assert "Zu zahlen" in shown
    assert (tmp_path / f"{number}.pdf").read_bytes().startswith(b"%PDF-")
    dues = [json.loads(row)["due"] for row in (await run("list", "--kind", "credit_note", "--json")).splitlines()]
    assert dues == ["-100.00", "-30.00"]
    assert refused == f"error: invoice {number} is void; only one that is final can be paid\n"
