"""`tallystick credits`: grant credits to a team, void them, and look at what is left and what burned it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.catalog.terms import PeriodUnit
from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from tallystick.billing.credits.balances import GrantBalance, UnitBalance
    from tallystick.billing.credits.service import Booking, Credits
    from tallystick.billing.credits.terms import Repeat

T = TypeVar("T")

PAGE = 1000
ACTOR = "cli"

Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's id.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]

app = typer.Typer(help="Grant credits, void them, and see what is left.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="credits")


@app.command()
def grant(
    team: Team,
    *,
    amount: Annotated[str, typer.Option(help="How much, an exact number; of a recurring grant, each time.")],
    currency: Annotated[str | None, typer.Option(help="Credits of money, for charges in this currency.")] = None,
    metric: Annotated[str | None, typer.Option(help="Credits of usage, for this metric, in its unit.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    promotional: Annotated[
        bool, typer.Option("--promotional", help="They were given, not bought: they burn before paid ones.")
    ] = False,
    priority: Annotated[int, typer.Option(min=0, help="The lower burns first.")] = 100,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A metric whose charges credits of money may pay; may be given twice. Default: all."),
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="In force from here (RFC 3339). Default: now.")] = None,
    expires: Annotated[str | None, typer.Option(help="In force before this (RFC 3339). Default: for ever.")] = None,
    recurs: Annotated[PeriodUnit | None, typer.Option(help="Give it again every such period.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Every so many of them.")] = 1,
    anchor: Annotated[
        str | None, typer.Option(help="A moment at which it is given (RFC 3339). Default: the start.")
    ] = None,
    rollover: Annotated[
        str, typer.Option(help="The most that is carried over into the next period: 50, or 50% of what is given.")
    ] = "0",
    reference: Annotated[
        str | None, typer.Option(help="A key of your own. Given again, it grants nothing more.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Grant credits to a team: of money with --currency, or of usage with --metric."""
    from tallystick.billing.credits.models import GrantKind
    from tallystick.billing.credits.terms import Terms
    from tallystick.core.money import parse_decimal

    terms = Terms(
        amount=parse_decimal(amount, field="amount"),
        currency=currency,
        metric=metric,
        name=name,
        kind=GrantKind.PROMOTIONAL if promotional else GrantKind.PAID,
        priority=priority,
        metrics=tuple(only or ()),
        effective_at=_instant(start, "from"),
        expires_at=_instant(expires, "expires"),
        repeat=_repeat(recurs, every, anchor, rollover),
        reference=reference,
    )
    made = _with_credits(lambda credits: _granted(credits, team, terms), data_dir=data_dir)
    if json:
        output.show_json(_grant_row(made))
    else:
        output.show(f"credit grant {made.grant.id} ({made.grant.name}): {_amount(made)} for team {team}")


@app.command("list")
def list_grants(
    team: Annotated[str | None, typer.Argument(metavar="TEAM", help="The team's id. Default: every team.")] = None,
    *,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List grants with what is left of each, expired and voided ones too, oldest first."""
    found = _with_credits(lambda credits: _all_grants(credits, team), data_dir=data_dir)
    if json:
        for each in found:
            output.show_json(_grant_row(each))
        return
    columns = ("id", "team", "name", "kind", "priority", "amount", "of", "available", "from", "expires", "voided")
    output.show_table(columns, [_grant_cells(each) for each in found], empty="no credits were granted")


@app.command()
def balance(
    team: Team,
    *,
    at: Annotated[str | None, typer.Option(help="At this moment (RFC 3339). Default: now.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a team has, of each currency and of each metric: granted = used + expired + voided + available."""
    moment = _instant(at, "at")
    found = _with_credits(lambda credits: credits.balance(team, at=moment), data_dir=data_dir)
    if json:
        for each in found:
            output.show_json({"currency": each.currency, "metric": each.metric, **each.balance._asdict()})
        return
    columns = ("of", "granted", "used", "expired", "voided", "available", "pending")
    output.show_table(columns, [_unit_cells(each) for each in found], empty=f"team {team} has no credits")


@app.command()
def ledger(
    team: Team,
    *,
    grant: Annotated[int | None, typer.Option(metavar="ID", help="Of this grant alone.")] = None,
    period: Annotated[int | None, typer.Option(metavar="ID", help="What paid this billing period, alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most transactions to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List what moved a team's credits, newest first; every transaction's entries add up to zero."""
    found = _with_credits(
        lambda credits: _bookings(credits, team, limit, grant_id=grant, period_id=period), data_dir=data_dir
    )
    if json:
        for each in found:
            output.show_json(_booking_row(each))
        return
    columns = ("transaction", "kind", "holds from", "grant", "account", "amount", "pays", "of line", "period")
    output.show_table(columns, [row for each in found for row in _booking_cells(each)], empty="nothing was booked")


@app.command()
def void(
    grant: Annotated[int, typer.Argument(metavar="ID", help="The grant, as listed.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    data_dir: DataDir = None,
) -> None:
    """Void what is left of a grant, from now on. What it has paid stays paid."""
    voided = _with_credits(lambda credits: _voided(credits, grant, reason), data_dir=data_dir)
    unit = voided.grant.unit
    output.note(f"credit grant {grant} is void; it had {output.cell(voided.balance.voided)} {unit} left")


def _with_credits(work: "Callable[[Credits], Awaitable[T]]", **options: Any) -> T:
    from tallystick.billing.credits.service import Credits
    from tallystick.core.clock import SystemClock

    return run_with_database(lambda database: work(Credits(database, SystemClock())), settings_from(**options))


def _instant(text: str | None, field: str) -> "datetime | None":
    from tallystick.core.clock import parse_instant

    return parse_instant(text, field=field) if text is not None else None


def _repeat(recurs: PeriodUnit | None, every: int, anchor: str | None, rollover: str) -> "Repeat | None":
    from tallystick.billing.credits.terms import Repeat, read_rollover
    from tallystick.catalog.terms import BillingPeriod

    if recurs is None:
        if every != 1 or anchor is not None or rollover != "0":
            raise InvalidInput(
                "--every, --anchor and --rollover are for grants that recur; give --recurs", field="recurs"
            )
        return None
    return Repeat(BillingPeriod(recurs, every), _instant(anchor, "anchor"), rollover=read_rollover(rollover))


async def _granted(credits: "Credits", team: str, terms: Any) -> "GrantBalance":
    return await credits.get((await credits.grant(team, terms, actor=ACTOR)).id)


async def _voided(credits: "Credits", grant_id: int, reason: str) -> "GrantBalance":
    return await credits.get((await credits.void(grant_id, reason, actor=ACTOR)).id)


async def _all_grants(credits: "Credits", team: str | None) -> "Sequence[GrantBalance]":
    found: list[GrantBalance] = []
    while page := await credits.page(team, PAGE, after=found[-1].grant.id if found else 0):
        found += page
    return found


async def _bookings(credits: "Credits", team: str, limit: int, **only: Any) -> "Sequence[Booking]":
    found: list[Booking] = []
    while len(found) < limit:
        before: dict[str, Any] = {"before": found[-1].transaction.id} if found else {}
        page = await credits.ledger(team, min(PAGE, limit - len(found)), **only, **before)
        if not page:
            break
        found += page
    return found


def _amount(each: "GrantBalance") -> str:
    grant = each.grant
    recurs = f" every {grant.recurrence.cadence}" if grant.recurrence else ""
    return f"{output.cell(grant.amount)} {grant.unit}{recurs}"


def _grant_cells(each: "GrantBalance") -> Sequence[Any]:
    grant = each.grant
    recurs = f" / {grant.recurrence.cadence}" if grant.recurrence else ""
    return (
        grant.id, grant.team_id, grant.name, grant.kind, grant.priority, grant.amount, f"{grant.unit}{recurs}",
        each.balance.available, grant.effective_at, grant.expires_at, grant.voided_at,
    )  # fmt: skip


def _unit_cells(each: "UnitBalance") -> Sequence[Any]:
    return (each.currency or each.metric, *each.balance)


def _booking_cells(each: "Booking") -> "Sequence[Sequence[Any]]":
    transaction = each.transaction
    head = (transaction.id, transaction.kind, transaction.effective_at)
    return [
        (*head, entry.grant_id, entry.account, entry.amount, _paid(entry), entry.line_key, transaction.period_id)
        for entry in each.entries
    ]


def _paid(entry: Any) -> str | None:
    return f"{output.cell(entry.value)} {entry.currency}" if entry.value is not None else None


def _grant_row(each: "GrantBalance") -> dict[str, Any]:
    from tallystick.billing.credits.answers import GrantAnswer

    return GrantAnswer.of(each).model_dump(mode="json")


def _booking_row(each: "Booking") -> dict[str, Any]:
    from tallystick.billing.credits.answers import TransactionAnswer

    return TransactionAnswer.of(each).model_dump(mode="json")
