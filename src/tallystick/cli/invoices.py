"""`tallystick invoices`: draft, finalise, list, show, export, pay and take back invoices."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.billing.invoices.models import Format, Kind, Status
from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput, NotFound, TallystickError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.billing.invoices.models import Invoice
    from tallystick.billing.invoices.service import InvoiceService

T = TypeVar("T")

PAGE = 200
COLUMNS = ("id", "number", "kind", "status", "team", "date", "due on", "currency", "due")

Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
Which = Annotated[str, typer.Argument(metavar="INVOICE", help="The number, or the id as listed.")]
Reason = Annotated[str, typer.Option(help="Why; it stands on the credit note.")]

app = typer.Typer(help="Invoices and credit notes: draft, finalise, show, export, take back.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="invoices")


@app.command("list")
def list_invoices(
    team: Annotated[str | None, typer.Option(help="This team's. Default: everybody's.")] = None,
    status: Annotated[Status | None, typer.Option(help="Those that stand there.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Invoices or credit notes alone.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List invoices and credit notes, the newest first."""
    found = _with_invoices(lambda each: _all(each, team, status, kind), data_dir=data_dir)
    if json:
        for invoice in found:
            output.show_json(_row(invoice))
        return
    output.show_table(COLUMNS, [_cells(invoice) for invoice in found], empty="there are no invoices")


@app.command()
def show(
    invoice: Which,
    locale: Annotated[str | None, typer.Option(help="In which language. Default: the document's own.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show what an invoice says: its lines, how they were made, and what is due."""
    found = _with_invoices(lambda each: _find(each, invoice), data_dir=data_dir)
    if json:
        output.show_json(_row(found, whole=True))
        return
    _show(found, locale)


@app.command()
def draft(
    statement: Annotated[int, typer.Argument(metavar="STATEMENT", help="The id of a closed statement.")],
    data_dir: DataDir = None,
) -> None:
    """Make the draft that bills a closed statement, or make it anew."""
    made = _with_invoices(lambda each: each.draft(statement), data_dir=data_dir)
    output.show_table(COLUMNS, [_cells(made)])


@app.command()
def finalize(
    invoice: Annotated[
        str | None, typer.Argument(metavar="INVOICE", help="The id of a draft. Default: see --statement and --all.")
    ] = None,
    *,
    statement: Annotated[int | None, typer.Option(help="Invoice this closed statement.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Invoice every closed statement that is not invoiced yet.")
    ] = False,
    team: Annotated[str | None, typer.Option(help="With --all: this team's alone.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Number invoices and freeze them. Numbers have no gaps; run it again after a failure, and it goes on."""
    if [invoice is not None, statement is not None, everything].count(True) != 1:
        raise InvalidInput("give an invoice, --statement or --all, and only one of them")
    if everything:
        _finalize_all(team, json=json, data_dir=data_dir)
        return
    made = _with_invoices(lambda each: _finalize(each, invoice, statement), data_dir=data_dir)
    _report([made], json=json)


@app.command()
def export(
    invoice: Which,
    format: Annotated[Format, typer.Option(help="json and csv hold every digit.")] = Format.PDF,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: the number as its name; - is standard output."),
    ] = None,
    locale: Annotated[str | None, typer.Option(help="In which language. Default: the document's own.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write an invoice to a file. A final one gives the same bytes every time."""
    from tallystick.billing.invoices.rendering import render
    from tallystick.billing.invoices.service import known_locale

    wanted = None if locale is None else known_locale(locale)
    found = _with_invoices(lambda each: _find(each, invoice), data_dir=data_dir)
    made = render(found.content, format, wanted)
    if out == Path("-"):
        typer.echo(made.body, nl=False)
        return
    file = out or Path(made.filename)
    file.write_bytes(made.body)
    output.note(f"wrote {file} ({len(made.body):,} bytes)")


@app.command()
def pay(
    invoice: Which,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day (UTC). Default: now.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Note that a final invoice was paid, or a credit note paid back."""
    moment = at.replace(tzinfo=UTC) if at else None
    found = _with_invoices(lambda each: _then(each, invoice, lambda id: each.pay(id, moment)), data_dir=data_dir)
    output.note(f"{found.name} is {found.status}")


@app.command()
def void(invoice: Which, reason: Reason, data_dir: DataDir = None) -> None:
    """Take a final invoice back by a credit note over all that is left of it; its statement can be billed again."""
    found = _with_invoices(lambda each: _then(each, invoice, lambda id: each.void(id, reason)), data_dir=data_dir)
    output.note(f"{found.name} is {found.status}; statement {found.period_id} can be billed again")


@app.command()
def credit(
    invoice: Which,
    line: Annotated[
        list[str],
        typer.Option(metavar="KEY=AMOUNT", help="How much of which line, before tax; may be given several times."),
    ],
    reason: Reason,
    request_key: Annotated[
        str | None, typer.Option(help="Your own name for this: with the same one again, it is made only once.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Give back parts of an invoice's lines by a credit note."""
    lines = [_credit_request(text) for text in line]
    made = _with_invoices(
        lambda each: _then(each, invoice, lambda id: each.credit(id, lines, reason, request_key)), data_dir=data_dir
    )
    _report([made], json=False)


@app.command()
def recipient(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="Who is billed.")],
    *,
    name: Annotated[str | None, typer.Option(help="As it stands on documents.")] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="A line of the address; may be given several times.")
    ] = None,
    tax_id: Annotated[str | None, typer.Option(help="Such as a VAT number.")] = None,
    email: Annotated[str | None, typer.Option(help="Where documents go.")] = None,
    reference: Annotated[str | None, typer.Option(help="The customer's own, such as a purchase order.")] = None,
    locale: Annotated[str | None, typer.Option(help="Language and region, such as de_DE.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show how a team is addressed on its documents, or change what is given from the next document on."""
    changes = {"name": name, "tax_id": tax_id, "email": email, "reference": reference}
    given = {key: value for key, value in changes.items() if value is not None}
    if address:
        given["address"] = tuple(address)  # type: ignore[assignment]  # the other values are text
    shown = _with_invoices(lambda each: _address(each, team, given, locale), data_dir=data_dir)
    output.show_table(("what", "is"), [(key, value) for key, value in shown.items() if value])


def _with_invoices(work: "Callable[[InvoiceService], Awaitable[T]]", **options: Any) -> T:
    from tallystick.billing.invoices.service import InvoiceService
    from tallystick.core.clock import SystemClock

    return run_with_database(lambda database: work(InvoiceService(database, SystemClock())), settings_from(**options))


async def _all(
    invoices: "InvoiceService", team: str | None, status: Status | None, kind: Kind | None
) -> "list[Invoice]":
    from tallystick.billing.invoices.store import LAST, Search

    found: list[Invoice] = []
    while page := await invoices.page(Search(team, status, kind), PAGE, found[-1].id if found else LAST):
        found += page
    return found


async def _find(invoices: "InvoiceService", which: str) -> "Invoice":
    """The document of that number or id; a number comes first."""
    from tallystick.billing.invoices.store import Search

    found = await invoices.page(Search(number=which), 2) if which.isprintable() else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput(f"two entities have an invoice {which}; name it by its id, as listed")
    if which.isascii() and which.isdigit() and int(which) < 2**63:
        return await invoices.get(int(which))
    raise NotFound(f"there is no invoice {which!r}")


async def _then(invoices: "InvoiceService", which: str, work: "Callable[[int], Awaitable[Invoice]]") -> "Invoice":
    return await work((await _find(invoices, which)).id)


async def _finalize(invoices: "InvoiceService", which: str | None, statement: int | None) -> "Invoice":
    if statement is not None:
        return await invoices.finalize_statement(statement)
    return await invoices.finalize((await _find(invoices, which or "")).id)


def _finalize_all(team: str | None, *, json: bool, data_dir: Path | None) -> None:
    """Finalise one by one: what is done stays done, and what can't be is told in the end."""
    failed: list[str] = []

    async def work(invoices: "InvoiceService") -> None:
        after = 0
        while ids := await invoices.to_invoice(team, PAGE, after):
            for id in ids:
                try:
                    _report([await invoices.finalize_statement(id)], json=json, heading=False)
                except TallystickError as error:
                    failed.append(f"statement {id}: {error}")
            after = ids[-1]

    _with_invoices(work, data_dir=data_dir)
    for problem in failed:
        output.note(problem)
    if failed:
        raise typer.Exit(1)


async def _address(invoices: "InvoiceService", team: str, given: dict[str, Any], locale: str | None) -> dict[str, Any]:
    from dataclasses import asdict, replace

    known, kept = await invoices.recipient(team)
    if given or locale is not None:
        await invoices.address(replace(known, **given), locale or kept)
        known, kept = await invoices.recipient(team)
    shown = asdict(known) | {"locale": kept}
    return shown | {"address": "; ".join(known.address)}


def _credit_request(text: str) -> Any:
    from tallystick.billing.invoices.models import CreditRequest
    from tallystick.core.money import parse_decimal

    key, equals, amount = text.rpartition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is not KEY=AMOUNT, such as usage:api_calls=10.00", field="line")
    return CreditRequest(key, parse_decimal(amount, field="line"))


def _report(made: "Sequence[Invoice]", *, json: bool, heading: bool = True) -> None:
    if json:
        for invoice in made:
            output.show_json(_row(invoice))
    elif heading:
        output.show_table(COLUMNS, [_cells(invoice) for invoice in made])
    else:
        for invoice in made:
            output.show("\t".join(output.cell(value) for value in _cells(invoice)))


def _row(invoice: "Invoice", *, whole: bool = False) -> dict[str, Any]:
    from tallystick.billing.invoices.answers import InvoiceAnswer, InvoiceSummary

    answer = (InvoiceAnswer if whole else InvoiceSummary).of(invoice)
    return answer.model_dump(mode="json")


def _cells(invoice: "Invoice") -> Sequence[Any]:
    content = invoice.content
    return (
        invoice.id,
        content.number,
        content.kind,
        invoice.status,
        content.recipient.team_id,
        content.issued_on,
        content.due_on,
        content.currency,
        f"{content.due:f}",
    )


def _show(invoice: "Invoice", locale: str | None) -> None:
    from tallystick.billing.invoices.rendering.view import view_of
    from tallystick.billing.invoices.service import known_locale

    view = view_of(invoice.content, None if locale is None else known_locale(locale))
    output.note(f"{view.title} {view.number or view.watermark} ({invoice.status})")
    for fact in (view.recipient.name, *(f"{each.label}: {each.text}" for each in view.facts)):
        output.note(output.cell(fact))
    output.note("")
    rows: list[Sequence[Any]] = []
    for line in (line for group in view.groups for line in group.lines):
        rows.append((line.name, line.quantity, line.amount))
        rows += [(f"  {note}", "", "") for note in line.notes]
        rows += [(f"  {step.text}", step.formula, step.amount) for step in line.steps]
    rows += [(each.label, "", each.text) for each in (*view.totals, view.due)]
    output.show_table(view.columns, rows)
