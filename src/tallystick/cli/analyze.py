"""`tallystick analyze`: what is in a usage file, and a billing file that would count it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import output
from tallystick.core.money import EXACT
from tallystick.importing import Format, ImportOptions, option_help

if TYPE_CHECKING:
    from tallystick.importing.analysis import Analysis, Proposal
    from tallystick.importing.analysis.models import FieldReport

DEFAULT = Path("tallystick.yaml")
STDOUT = Path("-")
SHOWN = Decimal("0.01")
MOST_SHOWN = 10


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(analyze)


def _option(name: str, *spellings: str) -> Any:
    return typer.Option(*spellings, help=option_help(name))


def analyze(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to read; - is standard input.")],
    *,
    write: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the proposed billing file goes; - shows it.")
    ] = DEFAULT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write it even if the file is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Show what was found as one JSON object.")] = False,
    format: Annotated[Format, _option("format")] = Format.AUTO,
    columns: Annotated[str | None, _option("columns")] = None,
    delimiter: Annotated[str | None, _option("delimiter")] = None,
    team_column: Annotated[
        str | None, typer.Option(help="The column that names the team, if the guess is wrong.")
    ] = None,
    event_column: Annotated[str | None, typer.Option(help="The column that says what happened, likewise.")] = None,
    timestamp_column: Annotated[str | None, typer.Option(help="The column that says when, likewise.")] = None,
    timestamp_format: Annotated[str, _option("timestamp_format")] = "auto",
) -> None:
    """Look at a usage file (access log, NDJSON, CSV, Parquet) and propose how to bill it. Needs no database.

    Shows the kinds of events, the fields with their ranges and how many different values they have, the time span with
    its gaps and peaks, and what is likely to be the team, the time and the quantity. Writes a billing
    file that counts it.
    """
    from tallystick.importing.analysis import analyze as read
    from tallystick.importing.analysis import propose

    options = ImportOptions(
        format=format,
        columns=None if columns is None else [part.strip() for part in columns.split(",")],
        delimiter=delimiter,
        team_column=team_column,
        event_column=event_column,
        timestamp_column=timestamp_column,
        timestamp_format=timestamp_format,
    )
    found = read(file, options)
    proposal = propose(found)
    if json:
        output.show_json({**_document(found), "import": proposal.command, "billing_file": proposal.source})
    else:
        _show(found)
    _write(proposal, write, overwrite=overwrite, quiet=json)


def _write(proposal: "Proposal", target: Path, *, overwrite: bool, quiet: bool) -> None:
    if target == STDOUT:
        if not quiet:
            output.show(proposal.source)
        return
    if target.exists() and not overwrite:
        output.note(f"\n{target} is there already and was left as it is; --output FILE writes elsewhere, - shows it")
        return
    target.write_text(proposal.source, encoding="utf-8")
    output.note(f"\n{target} counts this: edit its prices, then")
    output.note(f"  tallystick apply {target}")
    output.note(f"  {output.cell(proposal.command)}")


def _document(found: "Analysis") -> dict[str, Any]:
    fields = [
        {**each._asdict(), "numbers": None if each.numbers is None else each.numbers._asdict()} for each in found.fields
    ]
    document = asdict(found)
    times = found.times and {
        "first": found.times.first,
        "last": found.times.last,
        "precision_seconds": int(found.times.precision.total_seconds()),
        "in_order": found.times.in_order,
        "gaps": [gap._asdict() for gap in found.times.gaps],
        "peaks": [{**peak._asdict(), "length": int(peak.length.total_seconds())} for peak in found.times.peaks],
    }
    kinds = [kind._asdict() for kind in found.kinds]
    resources = [use._asdict() for use in found.resources]
    return {**document, "fields": fields, "times": times, "kinds": kinds, "resources": resources}


def _show(found: "Analysis") -> None:
    unread = f", {found.malformed:,} that can't be read" if found.malformed else ""
    output.note(f"{output.cell(found.name)}: {found.format}, {found.rows:,} rows{unread}")
    for problem in found.problems:
        output.note(f"  {output.cell(problem)}")
    _show_times(found)
    _show_roles(found)
    if len(found.kinds) > 1:
        output.note("\nKinds of events:")
        output.show_table(("event", "rows"), [(kind.name or "(none)", kind.rows) for kind in found.kinds[:MOST_SHOWN]])
    output.note("\nFields:" if not found.more_fields else f"\nThe first {len(found.fields)} fields:")
    headings = ("field", "kind", "rows", "different", "lowest", "highest", "sum", "mean", "most frequent")
    output.show_table(headings, [_field_cells(each) for each in found.fields])
    if found.resources:
        output.note("\nMachines, by the hour:")
        columns = ("machine", "hours", "steady", "mean", "peak", "used")
        output.show_table(columns, [_use_cells(each) for each in found.resources])
    for sentence in found.advice:
        output.note(f"* {output.cell(sentence)}")


def _show_times(found: "Analysis") -> None:
    times = found.times
    if times is None:
        output.note("No field says when things happened: --timestamp-column and --timestamp-format name it")
        return
    order = "in order of time" if times.in_order else "not in order of time"
    output.note(f"{output.cell(times.first)} to {output.cell(times.last)} ({times.last - times.first}), {order}")
    for peak in times.peaks:
        output.note(f"  busiest {_length(peak.length)}: {peak.rows:,} rows from {output.cell(peak.start)}")
    for gap in times.gaps:
        output.note(f"  nothing from {output.cell(gap.start)} to {output.cell(gap.end)} ({gap.end - gap.start})")


def _length(length: Any) -> str:
    return {60: "minute", 3600: "hour"}.get(int(length.total_seconds()), "day")


def _show_roles(found: "Analysis") -> None:
    roles = found.roles
    output.note("\nLikely:")
    rows = [
        ("team", roles.team and f"{roles.team} ({len(found.teams):,} of them)"),
        ("time", roles.time and f"{roles.time} ({roles.time_format})"),
        ("event", roles.event),
        ("key", roles.key),
        ("user", roles.user),
        ("quantities", ", ".join(roles.quantities)),
        ("dimensions", ", ".join(roles.dimensions)),
    ]
    output.show_table(("role", "field"), [(role, field or "none") for role, field in rows])


def _field_cells(field: "FieldReport") -> Sequence[Any]:
    numbers = field.numbers
    about = "" if field.exact else "about "
    top = ", ".join(_top(field))
    head = (field.name, "/".join(field.kinds), field.present, f"{about}{field.distinct}")
    if numbers is None:
        return (*head, None, None, None, None, top)
    mean = EXACT.divide(numbers.total, Decimal(numbers.rows)).quantize(SHOWN, ROUND_HALF_EVEN, EXACT)
    return (*head, numbers.lowest, numbers.highest, numbers.total, f"~{mean}", top)


def _top(field: "FieldReport") -> Iterator[str]:
    for text, rows in field.top[:3]:
        yield f"{text if len(text) <= 24 else text[:23] + '…'} ({rows})"


def _use_cells(use: Any) -> Sequence[Any]:
    shown = [f"{number:.2f}" for number in (use.hours, use.steady, use.mean, use.peak)]
    return (use.name, *shown, None if use.utilisation is None else f"{use.utilisation:.0%}")
