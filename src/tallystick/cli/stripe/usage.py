"""`tallystick stripe meters|sync|status|reconcile|resume`: usage that Stripe's meters are told."""

import csv
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import DataDir, output

if TYPE_CHECKING:
    from tallystick.integrations.stripe.meters.catalogue import Step
    from tallystick.integrations.stripe.provider import StripeParts
    from tallystick.integrations.stripe.reconciling.models import Comparison
    from tallystick.storage.database import Database

Teams = Annotated[list[str] | None, typer.Option("--team", help="Of this team alone; can be repeated.")]
Live = Annotated[bool, typer.Option("--live", help="A key for real money is meant.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]

COLUMNS = ("team", "metric", "from", "to", "local", "stripe", "absolute", "percent", "drift", "detail")


STATUS = ("team", "pending", "parked", "accepted", "confirmed", "quarantined", "late", "in_doubt", "bills_waiting",
          "bills_open", "bills_paid", "bills_held", "oldest", "why")  # fmt: skip
NOTHING_TOLD = (0, 0, 0, 0, 0, 0, 0, None, None)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    for command in (meters, sync, status, reconcile, resume):
        parent.command()(command)


def meters(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it, instead of showing what would be done.")] = False,
    live: Live = False,
    data_dir: DataDir = None,
) -> None:
    """Plan which meters and prices Stripe needs for the catalogue; with --apply, make or adopt them."""
    from tallystick.cli.stripe import with_stripe

    async def work(parts: "StripeParts") -> "tuple[Sequence[Step], int]":
        from tallystick.integrations.stripe.meters.catalogue import MeterCatalogue

        catalogue = MeterCatalogue(parts.meters.database, parts.reconciliation.metering, parts.meters.clock, parts.api)
        steps = await catalogue.plan()
        return steps, await catalogue.apply(steps) if apply else 0

    steps, done = with_stripe(work, live=live, data_dir=data_dir)
    rows = [(x.metric, x.plan, x.price, str(x.action), x.stripe_id, x.note) for x in steps]
    output.show_table(("metric", "plan", "price", "action", "at Stripe", "note"), rows, empty="no metric is priced")
    output.note(f"{done} made or adopted" if apply else "nothing was done; say --apply to do it")


def sync(*, team: Teams = None, live: Live = False, data_dir: DataDir = None) -> None:
    """Tell Stripe now what can be told now. A server does this every hour."""
    from tallystick.cli.stripe import with_stripe

    done = with_stripe(lambda parts: parts.sync(team), live=live, data_dir=data_dir)
    output.show_table(("what", "number"), list(done.counts.items()))
    for problem in done.problems:
        output.note(problem)


def status(*, team: Teams = None, json: Json = False, data_dir: DataDir = None) -> None:
    """Show what Stripe was told and given, what waits, since when and why. Stripe is not asked.

    First the differences of usage that its meters are told, then the bills that it collects.
    """
    from tallystick.cli import run_with_database, settings_from

    found = run_with_database(lambda database: _standing(database, team), settings_from(data_dir=data_dir))
    if json:
        for each in found:
            output.show_json(each)
        return
    output.show_table(STATUS, [tuple(each.values()) for each in found], empty="Stripe was given nothing yet")


async def _standing(database: "Database", teams: list[str] | None) -> list[dict[str, Any]]:
    """How usage and bills stand, a row per team."""
    from tallystick.integrations.stripe.bills import store as bills
    from tallystick.integrations.stripe.meters import store as meters

    async with database.snapshot() as tx:
        told = {row[0]: row[1:] for row in await meters.standing(tx, teams)}
        billed = {row.team_id: row for row in await bills.standing(tx, teams)}
    found = []
    for team in sorted({*told, *billed}):
        *counts, oldest, hold = told.get(team) or NOTHING_TOLD
        bill = billed.get(team)
        waiting = [since for since in (oldest, bill and bill.oldest) if since is not None]
        numbers = (bill.waiting, bill.open, bill.paid, bill.held) if bill else (0, 0, 0, 0)
        row = (team, *counts, *numbers, min(waiting, default=None), hold or (bill and bill.hold))
        found.append(dict(zip(STATUS, row, strict=True)))
    return found


def reconcile(
    *,
    team: Teams = None,
    repair: Annotated[bool, typer.Option("--repair/--look", help="Put right what is understood, or only look.")] = True,
    cap: Annotated[str, typer.Option(help="Percent of a sum up to which it is put right without asking.")] = "1",
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    json: Json = False,
    live: Live = False,
    data_dir: DataDir = None,
) -> None:
    """Hold what Stripe has counted against the ledger, of the running billing period and the one before.

    A difference has to look the same an hour later before it is believed. Ends with 1 if there is one.
    """
    from tallystick.cli.stripe import with_stripe
    from tallystick.core.money import parse_decimal

    most: Decimal = parse_decimal(cap, field="cap")
    found = with_stripe(
        lambda parts: parts.reconciliation.run(team, repair=repair, cap=most), live=live, data_dir=data_dir
    )
    show_comparisons(found, as_csv=as_csv, json=json)
    if any(each.drift.is_wrong and not each.repaired for each in found):
        raise typer.Exit(1)


def show_comparisons(found: "Sequence[Comparison]", *, as_csv: bool = False, json: bool = False) -> None:
    """Print comparisons as a table, as CSV or as JSON."""
    rows = [_row(each) for each in found]
    if json:
        for row in rows:
            output.show_json(dict(zip(COLUMNS, row, strict=True)))
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        writer.writerows([output.cell(value) for value in row] for row in rows)
    else:
        output.show_table(COLUMNS, rows, empty="Stripe's meters are told nothing yet")


def resume(
    *,
    team: Teams = None,
    refused: Annotated[bool, typer.Option("--refused", help="Also tell anew what Stripe refused for good.")] = False,
    live: Live = False,
    data_dir: DataDir = None,
) -> None:
    """Try at once what is held, when what it waits for was put right."""
    from tallystick.cli.stripe import with_stripe

    async def work(parts: "StripeParts") -> int:
        await parts.meters.resume(team)
        if refused:
            await parts.meters.retell(team)
            await parts.meters.planner.run(team)
        return (await parts.meters.send()).accepted

    output.note(f"{with_stripe(work, live=live, data_dir=data_dir)} accepted")


def _row(each: "Comparison") -> tuple[Any, ...]:
    sums = each.sums
    numbers = (sums.local, sums.stripe, each.absolute, each.percent)
    return (each.lane.team_id, each.lane.metric, *each.interval, *numbers, str(each.drift), each.detail)
