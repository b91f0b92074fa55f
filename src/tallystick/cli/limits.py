"""`tallystick limits`: limits on usage, what keeps a part of them free, and who is stopped."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from decimal import Decimal

    from tallystick.enforcement.models import Limit, Reservation, Verdict
    from tallystick.enforcement.service import Enforcement

T = TypeVar("T")

PAGE = 1000
ACTOR = "cli"
UNLIMITED = "none"


class Without(StrEnum):
    """What to answer without the database."""

    OPEN = "open"
    CLOSED = "closed"


Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
Metric = Annotated[str, typer.Argument(metavar="METRIC", help="The metric's name.")]
Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's id.")]
OfTeam = Annotated[str | None, typer.Option("--team", help="Of this team alone.")]
OfMetric = Annotated[str | None, typer.Option("--metric", help="For this metric. Default: for every one.")]
Cause = Annotated[str, typer.Option(help="Why; several causes are apart from each other.")]

app = typer.Typer(help="Limit usage, look at reservations, stop teams.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="limits")


@app.command("set")
def set_limit(
    metric: Metric,
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="Per billing period; none: a team has no limit.")],
    *,
    team: Annotated[str | None, typer.Option(help="Of this team.")] = None,
    plan: Annotated[str | None, typer.Option(help="Of each team on this plan that has no limit of its own.")] = None,
    soft: Annotated[bool, typer.Option("--soft", help="Say so, but refuse nothing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Set a limit, in place of the one there is."""
    from tallystick.core.money import parse_decimal
    from tallystick.enforcement.limits import NewLimit
    from tallystick.enforcement.models import LimitType

    quantity = None if limit == UNLIMITED else parse_decimal(limit, field="limit")
    wanted = NewLimit(team, plan, metric, LimitType.SOFT if soft else LimitType.HARD, quantity)
    made = _with(lambda enforcement: enforcement.limits.put(wanted, actor=ACTOR), data_dir=data_dir)
    output.show(f"limit {made.id}: {_shown(made)}")


@app.command("list")
def list_limits(*, team: OfTeam = None, json: Json = False, data_dir: DataDir = None) -> None:
    """List limits, oldest first."""
    found = _with(lambda enforcement: _all_limits(enforcement, team), data_dir=data_dir)
    if json:
        for each in found:
            output.show_json(each._asdict())
        return
    columns = ("id", "team", "plan", "metric", "type", "limit", "set by", "at")
    output.show_table(columns, [_limit_cells(each) for each in found], empty="there are no limits")


@app.command()
def remove(
    limit: Annotated[int, typer.Argument(metavar="ID", help="The limit, as listed.")], data_dir: DataDir = None
) -> None:
    """Remove a limit."""
    _with(lambda enforcement: enforcement.limits.remove(limit), data_dir=data_dir)
    output.note(f"limit {limit} is removed")


@app.command()
def check(
    team: Team,
    metric: Metric,
    *,
    quantity: Annotated[str, typer.Option(help="How much is about to be used.")] = "1",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Say whether a team may use more of a metric; the exit code is 3 where it may not."""
    from tallystick.core.money import parse_decimal
    from tallystick.enforcement.answers import verdict_answer
    from tallystick.enforcement.store import Key

    key, amount = Key(team, metric), parse_decimal(quantity, field="quantity")
    verdict = _with(lambda enforcement: enforcement.check(key, amount), data_dir=data_dir)
    if json:
        output.show_json(verdict_answer(key, amount, verdict))
    else:
        output.show(_said(verdict, amount))
    if not verdict.allowed:
        raise typer.Exit(3)


@app.command()
def policy(
    metric: Metric,
    when_unavailable: Annotated[
        Without, typer.Argument(metavar="open|closed", help="Allow, or refuse.", show_choices=False)
    ],
    data_dir: DataDir = None,
) -> None:
    """Say what checks of a metric answer while usage can't be read. The default is open."""
    from tallystick.enforcement.models import WhenUnavailable

    answer = WhenUnavailable(when_unavailable)
    _with(lambda enforcement: enforcement.limits.set_policy(metric, answer), data_dir=data_dir)
    output.note(f"without the database, checks of {metric} are {when_unavailable}")


@app.command()
def policies(*, json: Json = False, data_dir: DataDir = None) -> None:
    """List what checks of each metric answer while usage can't be read."""
    found = _with(lambda enforcement: enforcement.limits.policies(), data_dir=data_dir)
    if json:
        for metric, answer in found.items():
            output.show_json({"metric": metric, "when_unavailable": answer})
        return
    output.show_table(("metric", "when unavailable"), list(found.items()), empty="there are no metrics")


@app.command()
def reservations(
    *,
    team: OfTeam = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that keep something free.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List reservations, oldest first."""
    from tallystick.core.clock import SystemClock

    found = _with(lambda enforcement: _all_reservations(enforcement, team, waiting=waiting), data_dir=data_dir)
    now = SystemClock().now()
    if json:
        for each in found:
            output.show_json({**each._asdict(), "state": each.standing(now)})
        return
    columns = ("id", "team", "metric", "quantity", "state", "made", "until", "ended")
    rows = [_reservation_cells(each, now) for each in found]
    output.show_table(columns, rows, empty="nothing is reserved")


@app.command()
def release(
    reservation: Annotated[UUID, typer.Argument(metavar="ID", help="The reservation, as listed.")],
    data_dir: DataDir = None,
) -> None:
    """Give back what a reservation keeps free."""
    _with(lambda enforcement: enforcement.reservations.release(reservation), data_dir=data_dir)
    output.note(f"reservation {reservation} is released")


@app.command()
def throttle(
    team: Team,
    *,
    metric: OfMetric = None,
    until: Annotated[str | None, typer.Option(help="It ends then (RFC 3339). Default: when it is lifted.")] = None,
    cause: Cause = "manual",
    data_dir: DataDir = None,
) -> None:
    """Stop a team: its checks are refused, whatever its limits say."""
    from tallystick.core.clock import parse_instant

    end = parse_instant(until, field="until") if until is not None else None
    _with(
        lambda enforcement: enforcement.throttle(team, metric, state="throttled", until=end, cause=cause),
        data_dir=data_dir,
    )
    output.note(f"team {team} is throttled for {metric or 'every metric'} ({cause})")


@app.command()
def lift(team: Team, *, metric: OfMetric = None, cause: Cause = "manual", data_dir: DataDir = None) -> None:
    """End a throttle; others of the team go on."""
    _with(
        lambda enforcement: enforcement.throttle(team, metric, state="open", until=None, cause=cause),
        data_dir=data_dir,
    )
    output.note(f"team {team} is not throttled by {cause} for {metric or 'every metric'}")


@app.command()
def throttles(*, team: OfTeam = None, json: Json = False, data_dir: DataDir = None) -> None:
    """List who is throttled, for which metric, by which cause, until when."""
    found = _with(lambda enforcement: enforcement.throttles(team), data_dir=data_dir)
    if json:
        for each in found:
            output.show_json(each._asdict())
        return
    output.show_table(("team", "metric", "cause", "since", "until"), found, empty="nobody is throttled")


def _with(work: "Callable[[Enforcement], Awaitable[T]]", **options: Any) -> T:
    from tallystick.core.clock import SystemClock
    from tallystick.enforcement.service import Enforcement
    from tallystick.metering.postgres import PostgresEventStore
    from tallystick.metering.usage import UsageReader
    from tallystick.storage.database import Database

    def at_work(database: Database) -> "Awaitable[T]":
        clock, events = SystemClock(), PostgresEventStore(database)
        return work(Enforcement(database, UsageReader(database, events, clock), events, clock, patience=60))

    return run_with_database(at_work, settings_from(**options))


async def _all_limits(enforcement: "Enforcement", team: str | None) -> "Sequence[Limit]":
    found: list[Limit] = []
    while page := await enforcement.limits.page(PAGE, after=found[-1].id if found else 0, team_id=team):
        found += page
    return found


async def _all_reservations(enforcement: "Enforcement", team: str | None, *, waiting: bool) -> "Sequence[Reservation]":
    from tallystick.enforcement.reservations import BEGINNING

    found: list[Reservation] = []
    while page := await enforcement.reservations.page(
        PAGE, after=(found[-1].created_at, found[-1].id) if found else BEGINNING, team_id=team, waiting=waiting
    ):
        found += page
    return found


def _shown(limit: "Limit") -> str:
    owner = f"team {limit.team_id}" if limit.team_id is not None else f"plan {limit.plan}"
    amount = "without a limit" if limit.quantity is None else f"{limit.type}, {output.cell(limit.quantity)} a period"
    return f"{limit.metric} of {owner}, {amount}"


def _limit_cells(limit: "Limit") -> Sequence[Any]:
    quantity = UNLIMITED if limit.quantity is None else limit.quantity
    return (
        limit.id, limit.team_id, limit.plan, limit.metric, limit.type, quantity, limit.actor, limit.updated_at,
    )  # fmt: skip


def _reservation_cells(each: "Reservation", now: "datetime") -> Sequence[Any]:
    return (
        each.id, each.team_id, each.metric, each.quantity, each.standing(now), each.created_at, each.holds_until,
        each.ended_at,
    )  # fmt: skip


def _said(verdict: "Verdict", quantity: "Decimal") -> str:
    """The verdict in a line."""
    word = "allowed" if verdict.allowed else "refused"
    because = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.limit is None:
        return f"{word}{because}: {output.cell(quantity)} more; used {output.cell(verdict.used)}, no limit"
    return (
        f"{word}{because}: {output.cell(quantity)} more; used {output.cell(verdict.used)}, reserved "
        f"{output.cell(verdict.held)}, {output.cell(verdict.remaining)} of {output.cell(verdict.limit)} left "
        f"until {output.cell(verdict.resets_at)}"
    )
