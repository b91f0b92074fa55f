"""`tallystick subscriptions`: which team is on which plan, and moving it."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer

from tallystick.catalog.models import Anchor
from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.billing.teams.models import Subscription, When
    from tallystick.billing.teams.service import Teams

T = TypeVar("T")

PAGE = 1000
INSTANT = "an RFC 3339 instant, or a date, which begins at midnight in the team's time zone"

Team: TypeAlias = Annotated[str, typer.Option(help="Whose subscription.")]
When_: TypeAlias = Annotated[
    str, typer.Option(metavar="WHEN", help=f"now, period_end (when the running billing period ends), or {INSTANT}.")
]
Plan: TypeAlias = Annotated[str, typer.Option(help="Its name, for the newest version of it, or growth@2 for one.")]
Version: TypeAlias = Annotated[int | None, typer.Option(min=1, help="This version of the plan. Default: the newest.")]

app = typer.Typer(help="Put teams on plans: start, change, pause, resume, cancel.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="subscriptions")


@app.command("list")
def list_subscriptions(
    *,
    team: Annotated[str | None, typer.Option(help="This team's. Default: every team's.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Ended ones too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List subscriptions by team, oldest first: plan, version, status, trial, pauses."""
    from tallystick.billing.teams.models import Status

    async def work(teams: "Teams") -> "tuple[list[Subscription], datetime]":
        return [each async for each in _all(teams, team)], teams.clock.now()

    found, now = _with_teams(work, data_dir=data_dir)
    shown = [each for each in found if ended or each.status(now) is not Status.ENDED]
    if json:
        for each in shown:
            output.show_json(_document(each, now))
        return
    columns = ("team", "id", "plan", "version", "status", "starts", "ends", "trial ends", "paused")
    output.show_table(columns, [_cells(each, now) for each in shown], empty="there are no subscriptions")


@app.command()
def start(
    *,
    team: Team,
    plan: Plan,
    version: Version = None,
    at: Annotated[str | None, typer.Option("--from", help=f"{INSTANT[0].upper()}{INSTANT[1:]}. Default: now.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ends, exclusive. Default: until further notice.")] = None,
    anchor: Annotated[
        Anchor, typer.Option(help="Whether billing periods begin with the calendar's, or on the day of the start.")
    ] = Anchor.CALENDAR,
    trial_days: Annotated[
        int | None, typer.Option(min=0, help="Days for which nothing is charged. Default: as the plan says.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Put a team on a plan. The subscription in force there ends there."""

    async def work(teams: "Teams") -> "Subscription":
        from tallystick.billing.teams.models import Terms

        starts_at, ends_at = await _instant(teams, team, at, "from"), await _instant(teams, team, until, "until")
        terms = Terms(plan, starts_at, ends_at, anchor, version, trial_days=trial_days)
        return await teams.moves.start(team, terms)

    _tell("is on", _with_teams(work, data_dir=data_dir))


@app.command()
def change(*, team: Team, plan: Plan, version: Version = None, when: When_ = "now", data_dir: DataDir = None) -> None:
    """Move a team to another plan or version. Its periods and trial go on; moves that were to follow are taken back."""

    async def work(teams: "Teams") -> "Subscription":
        return await teams.moves.change(team, plan, version=version, when=await _when(teams, team, when))

    _tell("is on", _with_teams(work, data_dir=data_dir))


@app.command()
def pause(
    *,
    team: Team,
    when: When_ = "now",
    until: Annotated[str | None, typer.Option(help="When it ends, exclusive. Default: until it is resumed.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Charge a team nothing for a while. Its usage goes on to be metered."""

    async def work(teams: "Teams") -> "Subscription":
        ends_at = await _instant(teams, team, until, "until")
        return await teams.moves.pause(team, when=await _when(teams, team, when), until=ends_at)

    output.note(f"team {team} is charged nothing: {_pauses(_with_teams(work, data_dir=data_dir))}")


@app.command()
def resume(*, team: Team, when: When_ = "now", data_dir: DataDir = None) -> None:
    """End a pause. Where none is running, take back the next one that is planned."""

    async def work(teams: "Teams") -> "Subscription":
        return await teams.moves.resume(team, when=await _when(teams, team, when))

    _tell("goes on with", _with_teams(work, data_dir=data_dir))


@app.command()
def cancel(
    *,
    team: Team,
    when: When_ = "period_end",
    reason: Annotated[str | None, typer.Option(help="Why, in your words.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back a cancellation that has not taken effect.")] = False,
    data_dir: DataDir = None,
) -> None:
    """End a team's subscription. Moves that were to follow are taken back."""
    if undo:
        _tell("stays on", _with_teams(lambda teams: teams.moves.keep(team), data_dir=data_dir))
        return

    async def work(teams: "Teams") -> "Subscription | None":
        return await teams.moves.cancel(team, when=await _when(teams, team, when), reason=reason)

    ended = _with_teams(work, data_dir=data_dir)
    if ended is None:
        output.note(f"team {team}: the subscription had not begun and is taken back")
    else:
        output.note(f"team {team} leaves plan {ended.plan} at {output.cell(ended.ends_at)}")


@app.command()
def trial(
    *,
    team: Team,
    until: Annotated[str, typer.Option(help=f"When it ends, exclusive: {INSTANT}; or none.")],
    data_dir: DataDir = None,
) -> None:
    """Let the trial of a team's subscription end at another instant."""

    async def work(teams: "Teams") -> "Subscription":
        ends_at = None if until == "none" else await _instant(teams, team, until, "until")
        return await teams.moves.try_until(team, ends_at)

    changed = _with_teams(work, data_dir=data_dir)
    ends = f"ends {output.cell(changed.trial_ends_at)}" if changed.trial_ends_at else "is none"
    output.note(f"team {team}: the trial of plan {changed.plan} {ends}")


def _with_teams(work: "Callable[[Teams], Awaitable[T]]", **options: Any) -> T:
    from tallystick.billing.teams.service import Teams
    from tallystick.core.clock import SystemClock

    return run_with_database(lambda database: work(Teams(database, SystemClock())), settings_from(**options))


async def _all(teams: "Teams", team_id: str | None) -> "AsyncIterator[Subscription]":
    page = [await teams.get(team_id)] if team_id else await teams.page(PAGE)
    while page:
        for held in (await teams.subscriptions_of([team.id for team in page])).values():
            for each in held:
                yield each
        page = [] if team_id else await teams.page(PAGE, after=page[-1].id)


async def _when(teams: "Teams", team_id: str, text: str) -> "When":
    if text == "now":
        return "now"
    if text == "period_end":
        return "period_end"
    try:
        moment = await _instant(teams, team_id, text, "when")
    except InvalidInput as error:
        raise InvalidInput(f"{error}; or now, or period_end", field="when") from None
    assert moment is not None
    return moment


async def _instant(teams: "Teams", team_id: str, text: str | None, field: str) -> datetime | None:
    from tallystick.billing.bounds import read_bound

    return None if text is None else read_bound(text, (await teams.get(team_id)).zone, field=field)


def _tell(what: str, subscription: "Subscription") -> None:
    """Remark that `team acme is on plan growth@2 from 2026-04-01T00:00:00Z on`, and when that ends."""
    ends = f" until {output.cell(subscription.ends_at)}" if subscription.ends_at else ""
    since = f"from {output.cell(subscription.starts_at)} on"
    output.note(f"team {subscription.team_id} {what} plan {subscription.plan} {since}{ends}")


def _document(subscription: "Subscription", now: datetime) -> dict[str, Any]:
    from tallystick.billing.teams.subscription_answers import SubscriptionAnswer

    return SubscriptionAnswer.of(subscription, now).model_dump()


def _cells(subscription: "Subscription", now: datetime) -> Sequence[Any]:
    return (
        subscription.team_id,
        subscription.id,
        subscription.family,
        subscription.plan_version,
        subscription.status(now),
        subscription.starts_at,
        subscription.ends_at,
        subscription.trial_ends_at,
        _pauses(subscription),
    )


def _pauses(subscription: "Subscription") -> str:
    """The pauses, such as `2026-03-15T12:00:00Z to 2026-04-01T00:00:00Z`; one that is not resumed yet ends with `…`."""
    return ", ".join(f"{output.cell(start)} to {output.cell(end) or '…'}" for start, end in subscription.pauses)
