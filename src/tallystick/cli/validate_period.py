"""`tallystick validate-period`: a billing period recomputed from its raw events, against what is reported."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import TallystickError

if TYPE_CHECKING:
    from tallystick.billing.validation import Validation
    from tallystick.storage.database import Database


class Discrepancy(TallystickError):
    """What is reported is not what the raw events give."""

    code = "discrepancy"
    exit_code = 1


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command("validate-period")(validate_period)


def validate_period(
    team: Annotated[str, typer.Argument(metavar="TEAM")],
    period: Annotated[
        str,
        typer.Argument(metavar="PERIOD", help="current, or a date, month (2026-03) or instant that it holds."),
    ] = "current",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Recompute a billing period from its raw events and compare with what is reported.

    Exits with 1 when they differ.
    """
    found = run_with_database(lambda database: _validate(database, team, period), settings_from(data_dir=data_dir))
    if json:
        output.show_json(_document(found))
    else:
        _show(found)
    if not found.agrees:
        raise Discrepancy("what is reported is not what the raw events give")


async def _validate(database: "Database", team: str, period: str) -> "Validation":
    from tallystick.billing.accounts import first_subscribed
    from tallystick.billing.bounds import read_period
    from tallystick.billing.teams.service import required_team
    from tallystick.billing.validation import Validations
    from tallystick.core.clock import SystemClock
    from tallystick.metering.postgres import PostgresEventStore
    from tallystick.metering.usage import UsageReader

    clock = SystemClock()
    async with database.snapshot() as tx:
        found = await required_team(tx, team)
        moment = await first_subscribed(tx, found, read_period(period, found.zone, clock.now()))
    usage = UsageReader(database, PostgresEventStore(database), clock)
    return await Validations(database, usage, clock).validate(team, moment)


def _show(found: "Validation") -> None:
    start, end = (moment.astimezone(found.account.team.zone).isoformat() for moment in found.account.period)
    output.show(f"{found.account.team.id}: {start} to {end}")
    columns = ("metric", "unit", "events", "unvalued", "recomputed", "reported", "discrepancy", "cost", "reported cost")
    output.show_table(columns, [tuple(_row(check).values()) for check in _document(found)["metrics"]])
    output.show("no discrepancy" if found.agrees else "DISCREPANCY")


def _row(check: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in check.items() if name != "agrees"}


def _document(found: "Validation") -> dict[str, Any]:
    metrics = [
        {
            "metric": check.metric,
            "unit": check.unit,
            "events": check.events,
            "unvalued": check.unvalued,
            "recomputed": check.recomputed,
            "reported": check.reported,
            "discrepancy": check.discrepancy,
            "recomputed_cost": check.recomputed_cost,
            "reported_cost": check.reported_cost,
            "agrees": check.agrees,
        }
        for check in found.metrics
    ]
    account = found.account
    return {
        "team_id": account.team.id,
        "start": account.period.start,
        "end": account.period.end,
        "currency": account.currency,
        "metrics": metrics,
        "agrees": found.agrees,
    }
