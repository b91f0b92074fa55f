"""`tallystick stripe bills`: what Stripe was given to collect, and where it stands."""

from typing import Annotated

import typer

from tallystick.cli import DataDir, output

PAGE = 1000

app = typer.Typer(help="Bills that are made here and collected by Stripe.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="bills")


@app.command("list")
def list_bills(
    *,
    team: Annotated[str | None, typer.Option(help="Of this team alone.")] = None,
    state: Annotated[
        str | None, typer.Option(help="In this state: planned, drafted, final, paid, void, uncollectible, nothing.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many at most.")] = 100,
    data_dir: DataDir = None,
) -> None:
    """List bills, the newest first. Stripe is not asked."""
    from tallystick.cli import run_with_database, settings_from
    from tallystick.core.errors import InvalidInput
    from tallystick.integrations.stripe.bills import store
    from tallystick.integrations.stripe.bills.models import Bill, State
    from tallystick.storage.database import Database

    if state is not None and state not in set(State):
        raise InvalidInput(f"a state is one of {', '.join(State)}", field="state")

    async def found(database: Database) -> list[Bill]:
        async with database.snapshot() as tx:
            return await store.page(tx, limit, team_id=team, state=State(state) if state else None)

    rows = [
        (each.id, each.team_id, each.period_id, str(each.kind), each.due, each.currency, str(each.state),
         each.number or each.stripe_id, each.hold)
        for each in run_with_database(found, settings_from(data_dir=data_dir))
    ]  # fmt: skip
    columns = ("id", "team", "statement", "kind", "due", "currency", "state", "at Stripe", "waits for")
    output.show_table(columns, rows, empty="there are no bills")


@app.command()
def again(
    bill: Annotated[int, typer.Argument(metavar="ID", help="The bill, as listed.")],
    *,
    live: Annotated[bool, typer.Option("--live", help="A key for real money is meant.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Give a bill up that is void, or that did not get to be final, so that its statement is billed anew.

    Its draft at Stripe, if there is one, is taken away first.
    """
    from tallystick.cli.stripe import with_stripe

    with_stripe(lambda parts: parts.bills.again(bill), live=live, data_dir=data_dir)
    output.note(f"bill {bill} is given up; its statement is billed anew")


@app.command()
def retry(
    *,
    team: Annotated[list[str] | None, typer.Option(help="Of this team alone; can be repeated.")] = None,
    live: Annotated[bool, typer.Option("--live", help="A key for real money is meant.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Try at once what waits, when what it waits for was put right."""
    from tallystick.cli.stripe import with_stripe
    from tallystick.integrations.stripe.bills.service import Issued
    from tallystick.integrations.stripe.provider import StripeParts

    async def tried(parts: StripeParts) -> Issued:
        await parts.bills.resume(team)
        return await parts.bills.issue_due(team)

    done = with_stripe(tried, live=live, data_dir=data_dir)
    output.note(f"{done.settled} bills are out of our hands, {done.waiting} wait")
    for each in done.held:
        output.note(each)
