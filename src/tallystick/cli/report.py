"""`tallystick report`: what a team used and owes, the tiers that make it up, and a history."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.clock import Window

if TYPE_CHECKING:
    from tallystick.billing.models import Line
    from tallystick.billing.report import MetricReport, Report, ReportRequest
    from tallystick.storage.database import Database

SHOWN_DIGITS = Decimal("0.000001")
"""A table shows quantities and amounts to six decimals; JSON and CSV hold every one."""


ESTIMATED_DIGITS = Decimal("0.01")
"""More would promise more than an estimate knows."""


class Format(StrEnum):
    """How the report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(report)


def report(
    *,
    team: Annotated[str, typer.Option(help="Whose usage.")],
    metric: Annotated[
        list[str] | None, typer.Option(help="This metric; may be given several times. Default: all.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Where the history begins: a date in the team's time zone, or an RFC 3339 instant. "
            "Default: with the current billing period.",
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Where it ends, exclusive. Default: with the running window.")
    ] = None,
    window: Annotated[Window, typer.Option(help="The size of one step of the history.")] = Window.DAY,
    group_by: Annotated[
        list[str] | None, typer.Option(help="Keep this dimension apart; may be given several times.")
    ] = None,
    period: Annotated[
        str, typer.Option(help="Which billing period: current, or a month (2026-03), date or instant that it holds.")
    ] = "current",
    format: Annotated[Format, typer.Option(help="csv holds the history alone.")] = Format.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show a team's usage, what it costs by tier, where that leads, and its history."""
    from tallystick.billing.report import ReportRequest

    groups = tuple(dict.fromkeys(group_by or ()))
    wanted = ReportRequest(team, tuple(metric or ()), start, end, window, groups, period)
    found = run_with_database(lambda database: read_report(database, wanted), settings_from(data_dir=data_dir))
    match format:
        case Format.JSON:
            _show_json(found)
        case Format.CSV:
            _show_csv(found)
        case Format.TABLE:
            _show_tables(found)


async def read_report(database: "Database", wanted: "ReportRequest") -> "Report":
    """The report that is wanted, as of now."""
    from tallystick.billing.report import Reports
    from tallystick.core.clock import SystemClock
    from tallystick.metering.postgres import PostgresEventStore
    from tallystick.metering.usage import UsageReader

    clock = SystemClock()
    usage = UsageReader(database, PostgresEventStore(database), clock)
    return await Reports(database, usage, clock).report(wanted)


def _show_json(found: "Report") -> None:
    from tallystick.billing.report_answers import ReportAnswer

    output.show(ReportAnswer.of(found).model_dump_json(indent=2))


def _show_csv(found: "Report") -> None:
    from tallystick.billing.report_csv import as_csv

    typer.echo(as_csv(found).encode(), nl=False)  # as bytes, so that its line ends stay what they are


def _show_tables(found: "Report") -> None:
    show_current(found)
    output.note(f"\nHistory by {found.window}:")
    headings = ("metric", *found.group_by, "from", "usage", "unit", "unvalued")
    output.show_table(headings, _history(found), empty="nothing was used")


def show_current(found: "Report", *, drawn: bool | None = None) -> None:
    """Print the current period: usage, cost, the steps that make it up, and where it leads."""
    _show_period(found)
    columns = ("metric", "usage so far", "unit", "unvalued", "cost so far", "run rate usage", "run rate cost")
    rows = [_current(metric) for metric in found.metrics]
    output.show_table(columns, rows, empty="no metric is defined yet", drawn=drawn)
    if steps := list(_steps(found)):
        output.note("\nHow the cost is made up:")
        labelled = any(label for *_, label in steps)  # a cell of a matrix, a band of a schedule, a discount's name
        headings = ("metric", "step", "tier", "quantity", "unit price", "amount", *(["label"] if labelled else ()))
        shown = [step[: len(headings)] for step in steps]
        output.show_table(headings, shown, drawn=drawn)
    if found.credits:
        _show_credits(found, drawn=drawn)
    if found.dead_letters:
        reasons = ", ".join(f"{each.letters} {each.code}" for each in found.dead_letters)
        output.note(f"\nNot counted: rejected events that wait to be repaired (tallystick dead-letters): {reasons}")


def _show_credits(found: "Report", *, drawn: bool | None) -> None:
    output.note("\nPrepaid credits:")
    balances = [(each.currency or each.metric, each.granted, each.remaining) for each in found.credits]
    output.show_table(("credits of", "granted", "remaining"), balances, drawn=drawn)
    burns = [burn for each in found.credits for burn in each.burns or ()]
    if burns:
        output.note("\nWhat they paid of the period:" if found.credits[0].booked else "\nWhat they would pay so far:")
        headings = ("grant", "name", "kind", "line", "amount", "currency", "quantity")
        rows = [
            (each.grant_id, each.name, each.kind, each.line, f"{each.amount:f}", each.currency, each.quantity)
            for each in burns
        ]
        output.show_table(headings, rows, drawn=drawn)


def _show_period(found: "Report") -> None:
    account, tz = found.account, found.account.team.zone
    start, end = (moment.astimezone(tz).isoformat() for moment in account.period)
    plan = f"plan {account.subscription.plan}" if account.subscription else "no subscription"
    output.note(f"{output.cell(account.team.name)} ({plan}), {account.team.time_zone}")
    output.note(f"Current period {start} to {end}, {found.elapsed:.1%} of it gone")
    if found.total is not None:
        leads_to = "" if found.projected_total is None else f", {found.projected_total:f} at the run rate"
        output.note(f"{account.currency} {found.total:f} so far{leads_to}")
    output.note("")


def _current(metric: "MetricReport") -> Sequence[Any]:
    projection = metric.projection
    return (
        metric.definition.name,
        _quantity(metric.usage),
        metric.definition.unit,
        metric.unvalued,
        f"{metric.cost.total:f}" if metric.cost else None,
        _quantity(projection.usage, ESTIMATED_DIGITS) if projection else None,
        f"{projection.cost:f}" if projection and projection.cost is not None else None,
    )


def _steps(found: "Report") -> Iterator[Sequence[Any]]:
    for metric in found.metrics:
        for line in metric.cost.lines if metric.cost else ():
            yield from _steps_of(line)


def _steps_of(line: "Line") -> Iterator[Sequence[Any]]:
    for step in line.charge.steps if line.charge else ():
        tier = "" if step.tier is None else f"{output.cell(step.start)} to {output.cell(step.end) or '∞'}"
        quantity, amount = _quantity(step.quantity), _quantity(step.amount)
        yield line.metric, step.kind, tier, quantity, step.unit_price, amount, step.label


def _history(found: "Report") -> Iterable[Sequence[Any]]:
    for metric in found.metrics:
        for series in metric.history:
            for point in series.points:
                yield (
                    metric.definition.name,
                    *(series.dimensions[name] for name in found.group_by),
                    point.start.isoformat(),
                    _quantity(point.usage),
                    metric.definition.unit,
                    point.unvalued,
                )


def _quantity(number: Decimal | None, digits: Decimal = SHOWN_DIGITS) -> str | None:
    """The quantity as a table shows it; one with more digits is marked as not exact."""
    from tallystick.core.money import EXACT, plain

    if number is None:
        return None
    shown = number.quantize(digits, rounding=ROUND_HALF_EVEN, context=EXACT)
    return plain(number) if shown == number else f"~{plain(shown)}"
