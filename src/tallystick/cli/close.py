"""`tallystick close`, `statement`, `verify`: periods become statements for good, and are looked at afterwards."""

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import TallystickError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from tallystick.billing.closing.models import Closed, Progress
    from tallystick.billing.models import Line, Statement
    from tallystick.billing.service import Billing
    from tallystick.billing.statements.models import ClosedStatement, Verification
    from tallystick.storage.database import Database

STATEMENT_COLUMNS = ("line", "kind", "name", "from", "to", "quantity", "unit", "total", "currency", "reason")


SHOWN_DIGITS = Decimal("1e-12")
"""A table cuts quantities off after twelve decimals: a quotient may have a hundred. JSON holds every one."""


class NotClosed(TallystickError):
    """Some periods could not be closed; they are listed, and stay open."""

    code = "not_closed"


class Differs(TallystickError):
    """A closed statement is not what its raw events give."""

    code = "discrepancy"


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.command()(close)
    parent.command()(statement)
    parent.command()(verify)


def close(
    *,
    team: Annotated[str | None, typer.Option(help="This team alone. Default: all.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Only periods that ended by this RFC 3339 instant. Default: by now.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Close every billing period that is over, the billing file's grace included.

    Stopped anywhere and started again it goes on with what is left. Exits with 1 when a period could not be closed.
    """
    from tallystick.core.clock import parse_instant

    bound = None if until is None else parse_instant(until, field="--until")
    done = with_billing(lambda billing: _close(billing, team, bound), data_dir)
    _show_closed(done, json=json)
    if done.failures:
        raise NotClosed(f"{len(done.failures)} could not be closed and stay open")


async def _close(billing: "Billing", team: str | None, until: "datetime | None") -> "Closed":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("closing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("closing", total=None)

        def show(progress: "Progress") -> None:
            bar.update(task, total=progress.due, completed=progress.closed + progress.failed)

        return await billing.closing.run(team_id=team, until=until, progress=show)


def _show_closed(done: "Closed", *, json: bool) -> None:
    if json:
        failures = [
            {"team_id": each.team_id, "start": each.period.start, "end": each.period.end, "message": each.message}
            for each in done.failures
        ]
        output.show_json(
            {
                "statements": list(done.statements),
                "corrections": list(done.corrections),
                "adjustments": done.adjustments,
                "failures": failures,
            }
        )
        return
    output.show(
        f"{_counted(len(done.statements), 'statement')} closed, {_counted(len(done.corrections), 'correction')}, "
        f"{_counted(done.adjustments, 'adjustment')}"
    )
    for each in done.failures:
        output.note(f"{output.cell(each.team_id)}: {each.message}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def statement(
    which: Annotated[
        str, typer.Argument(metavar="TEAM|NUMBER", help="A team: its open statement. A number: a closed one.")
    ],
    *,
    known_at: Annotated[
        str | None, typer.Option(help="The open statement as it was known at this past RFC 3339 instant.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, as the API answers it.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show a statement with its lines."""
    from tallystick.core.clock import parse_instant

    moment = None if known_at is None else parse_instant(known_at, field="--known-at")
    if which.isdecimal():
        closed = with_billing(lambda billing: billing.statements.closed(int(which)), data_dir)
        _show_closed_statement(closed, json=json)
    else:
        found = with_billing(lambda billing: billing.statements.current(which, known_at=moment), data_dir)
        _show_open_statement(found, json=json)


def _show_closed_statement(found: "ClosedStatement", *, json: bool) -> None:
    if json:
        from tallystick.billing.statements.answers import ClosedStatementAnswer

        output.show(ClosedStatementAnswer.of_statement(found).model_dump_json(indent=2))
        return
    period = found.period
    output.note(f"Statement {period.id} of {output.cell(period.team_id)}, {period.status}, {_span(*period.period)}")
    rows = [
        (line.id, line.kind, line.name, line.interval_start, line.interval_end, _quantity(line.quantity), line.unit,
         _money(line.converted_total), line.billing_currency, line.reason)
        for line in found.lines
    ]  # fmt: skip
    output.show_table(STATEMENT_COLUMNS, rows, empty="no lines")
    output.note(f"{period.currency} {period.subtotal:f}, credits {period.credits:f}, due {period.total:f}")


def _show_open_statement(found: "Statement", *, json: bool) -> None:
    if json:
        from tallystick.billing.answers import StatementAnswer

        output.show(StatementAnswer.of(found).model_dump_json(indent=2))
        return
    account = found.account
    output.note(f"Open statement of {output.cell(account.team.id)}, {_span(*account.period)}")
    output.show_table(STATEMENT_COLUMNS, [_open_row(line, account.billing_currency) for line in found.lines])
    if found.total is not None:
        output.note(f"{account.billing_currency} {found.total:f} so far, credits of {found.credits:f} taken off")


def _open_row(line: "Line", currency: str | None) -> tuple[Any, ...]:
    start, end = line.interval
    quantity, due = _quantity(line.quantity), _money(line.due)
    return (None, line.kind, line.name, start, end, quantity, line.unit, due, currency, line.reason)


def verify(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The number of a closed statement.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a closed statement anew from its raw events, as known when it was closed, and compare.

    Exits with 1 when it differs, or when what is stored was changed.
    """
    found = with_billing(lambda billing: billing.verifications.verify(number), data_dir)
    _show_verification(found, json=json)
    if not found.agrees:
        raise Differs("the closed statement is not what its raw events give")


def _show_verification(found: "Verification", *, json: bool) -> None:
    if json:
        from tallystick.billing.statements.answers import VerificationAnswer

        output.show(VerificationAnswer.of(found).model_dump_json(indent=2))
        return
    output.show(f"{found.period.digest}  {'intact' if found.intact else 'CHANGED'}")
    for each in found.differences:
        output.show(f"DIFFERS {output.cell(each.key)}")
    output.show("the raw events give the same" if found.agrees else "DISCREPANCY")


def _span(start: "datetime", end: "datetime") -> str:
    return f"{output.cell(start)} to {output.cell(end)}"


def _quantity(number: Decimal) -> str:
    """The quantity as a table shows it; `…` stands for digits that are left out."""
    from tallystick.core.money import EXACT, plain

    if not number:
        return "0"
    shown = number.quantize(SHOWN_DIGITS, rounding=ROUND_DOWN, context=EXACT)
    return plain(number) if shown == number else f"{shown:f}…"


def _money(amount: Any) -> str | None:
    return None if amount is None else f"{amount:f}"


def with_billing(work: "Callable[[Billing], Awaitable[Any]]", data_dir: Any) -> Any:
    """What `work` makes of the billing of the installation."""

    async def run(database: "Database") -> Any:
        from tallystick.billing.service import Billing
        from tallystick.core.clock import SystemClock
        from tallystick.metering.service import Metering

        clock = SystemClock()
        async with Metering.open(database, settings_from(data_dir=data_dir), clock) as metering:
            return await work(Billing.open(database, metering, clock))

    return run_with_database(run, settings_from(data_dir=data_dir))
