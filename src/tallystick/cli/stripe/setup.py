"""`tallystick stripe setup`: who is which customer, as a plan that is shown before it is applied."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output
from tallystick.core.errors import InvalidInput

if TYPE_CHECKING:
    from tallystick.integrations.stripe.provider import StripeParts
    from tallystick.integrations.stripe.teams.models import Changes
    from tallystick.integrations.stripe.teams.setup import Step, Wanted


class Mode(StrEnum):
    """Who makes bills: we, or Stripe out of usage."""

    INVOICE_ITEMS = "invoice_items"
    METERS = "meters"


class LatePolicy(StrEnum):
    """What becomes of usage that is learned of when its period is billed."""

    NEXT_PERIOD = "next_period"
    INVOICE_ITEM = "invoice_item"
    WRITE_OFF = "write_off"


class Collection(StrEnum):
    """Whether bills are charged, or sent to be paid."""

    CHARGE = "charge_automatically"
    SEND = "send_invoice"


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(setup)


def setup(
    *,
    team: Annotated[list[str] | None, typer.Option(help="Look at this team alone; can be repeated.")] = None,
    customer: Annotated[
        list[str] | None, typer.Option(metavar="TEAM=CUSTOMER", help="Who is who, one by one; can be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--csv", help="Who is who: a CSV file with the columns team and customer.")
    ] = None,
    metadata: Annotated[
        str, typer.Option(help="Name in the metadata of Stripe's customers that holds the team's id; empty: none.")
    ] = "tallystick_team",
    create: Annotated[bool, typer.Option("--create", help="Make customers for teams that have none.")] = False,
    mode: Annotated[Mode | None, typer.Option(help="Who makes bills: we, or Stripe out of usage.")] = None,
    late: Annotated[LatePolicy | None, typer.Option(help="What becomes of usage that is learned of late.")] = None,
    collection: Annotated[Collection | None, typer.Option(help="How bills are collected.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Periods that ended by then (UTC) are none of Stripe's. Default: now.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it, instead of showing what would be done.")] = False,
    live: Annotated[bool, typer.Option("--live", help="A key for real money is meant.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Check the key, and plan who is which customer and how it is billed; with --apply, do it.

    The key comes from TALLYSTICK_STRIPE_API_KEY alone. Doing it again changes only what is different by then.
    """
    from tallystick.cli.stripe import with_stripe
    from tallystick.integrations.stripe.teams.setup import Wanted

    wanted = Wanted(
        customers={**_from_file(file), **_pairs(customer or ())},
        changes=_changes(mode, late, collection, since),
        metadata=metadata or None,
        create=create,
        only=frozenset(team) if team else None,
    )
    account, steps, done = with_stripe(lambda parts: _run(parts, wanted, apply=apply), live=live, data_dir=data_dir)
    output.note(f"account {account}")
    _show(steps)
    trouble = [step for step in steps if step.action in ("missing", "conflict")]
    if any(step.action == "missing" for step in trouble):
        output.note(
            "of a team without a customer: --create makes one, --customer TEAM=CUSTOMER or --csv says which it is"
        )
    if apply:
        output.note(f"{done} {'team' if done == 1 else 'teams'} set up, {len(trouble)} left alone")
    elif any(step.action in ("link", "change", "create") for step in steps):
        output.note("nothing was done yet; say --apply to do it")
    if any(step.action == "conflict" for step in trouble):
        raise typer.Exit(1)


async def _run(parts: "StripeParts", wanted: "Wanted", *, apply: bool) -> "tuple[str, Sequence[Step], int]":
    from tallystick.integrations.stripe.teams.setup import Setup

    doing = Setup(parts.teams, parts.bills.api.client)
    steps = await doing.plan(wanted)
    return parts.account, steps, await doing.apply(steps) if apply else 0


def _changes(
    mode: Mode | None, late: LatePolicy | None, collection: Collection | None, since: datetime | None
) -> "Changes":
    from datetime import UTC

    from tallystick.integrations.stripe.meters.models import LatePolicy as Policy
    from tallystick.integrations.stripe.teams import models

    return models.Changes(
        models.Mode(mode) if mode else None,
        Policy(late) if late else None,
        models.Collection(collection) if collection else None,
        since.replace(tzinfo=UTC) if since else None,
    )


def _from_file(file: Path | None) -> dict[str, str]:
    from tallystick.integrations.stripe.teams.setup import read_mapping

    if file is None:
        return {}
    try:
        return read_mapping(file.read_text(encoding="utf-8-sig").splitlines())
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: {error}") from None


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {team: customer for team, _, customer in (text.rpartition("=") for text in texts)}
    if not all(pairs) or not all(pairs.values()):
        raise InvalidInput("write --customer TEAM=CUSTOMER, such as acme=cus_123", field="customer")
    return pairs


def _show(steps: "Sequence[Step]") -> None:
    columns = ("team", "action", "customer", "mode", "late usage", "collection", "note")
    rows = [
        (
            step.team_id,
            str(step.action),
            step.customer_id,
            str(step.terms.mode),
            str(step.terms.late_policy),
            str(step.terms.collection),
            step.note,
        )
        for step in steps
    ]
    output.show_table(columns, rows, empty="there are no teams")
