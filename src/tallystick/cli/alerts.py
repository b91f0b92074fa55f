"""`tallystick alerts`: set limits on usage, cost, credit, change and silence, see how they stand and what was told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.alerts.models import Alert, Kind, Transition
    from tallystick.alerts.service import Alerts, Status
    from tallystick.alerts.terms import AlertTerms

T = TypeVar("T")

PAGE = 1000

AlertId = Annotated[int, typer.Argument(metavar="ID", help="The alert, as listed.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
Team = Annotated[str | None, typer.Option(help="The team's id.")]

app = typer.Typer(help="Set limits, see how they stand, and what was told.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="alerts")


@app.command()
def add(
    *,
    threshold: Annotated[
        str,
        typer.Option(
            help="What percentages are of: a quantity, an amount, of a rate a change in percent (below zero: a fall), "
            "of an absence minutes."
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option(
            help="What is watched: usage, cost, projected_usage, projected_cost, credit_balance, rate or absence. "
            "Default: usage with --metric, else cost."
        ),
    ] = None,
    team: Annotated[str | None, typer.Option(help="About this team.")] = None,
    plan: Annotated[str | None, typer.Option(help="About the teams on this plan. Default: about all teams.")] = None,
    metric: Annotated[str | None, typer.Option(help="Of which usage, cost, credit or events.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Of amounts. Default: the one that the team is billed in.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="A limit and what happens: 80%:email, 100%:slack,email, 120%:throttle, or a value: 1500:email. Names "
            "are those of channels; none: those that the team prefers. May be given again. Default: 100%."
        ),
    ] = None,
    hard: Annotated[bool, typer.Option("--hard", help="Tell in quiet hours, too.")] = False,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    hysteresis: Annotated[
        str | None, typer.Option(help="How far back, in percent of its limit, a value goes until it is resolved.")
    ] = None,
    weeks: Annotated[int | None, typer.Option(help="Past weeks that a rate compares with.", show_default="4")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make an alert. A limit that is crossed already is told at once."""
    from tallystick.alerts.models import StepType
    from tallystick.alerts.terms import AlertTerms, read_step
    from tallystick.core.money import parse_decimal

    terms = AlertTerms(
        kind=_kind(on, metric),
        threshold=parse_decimal(threshold, field="threshold"),
        name=name,
        team_id=team,
        plan=plan,
        metric=metric,
        currency=currency,
        type=StepType.HARD if hard else StepType.SOFT,
        hysteresis=parse_decimal(hysteresis, field="hysteresis") if hysteresis is not None else None,
        weeks=weeks,
        steps=tuple(read_step(text) for text in step or ()),
    )
    made = _with_alerts(lambda alerts: alerts.create(terms), data_dir=data_dir)
    if json:
        output.show_json(_alert_row(made))
    else:
        output.show(f"alert {made.id}: {made.name}, {len(made.steps)} steps")


@app.command("list")
def list_alerts(
    *,
    team: Annotated[str | None, typer.Option(help="About this team, by name, by its plan, or as any team.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List alerts, oldest first."""
    found = _with_alerts(lambda alerts: _all_alerts(alerts, team), data_dir=data_dir)
    if json:
        for each in found:
            output.show_json(_alert_row(each))
        return
    columns = ("id", "name", "watches", "about", "threshold", "of", "steps", "active", "last triggered")
    output.show_table(columns, [_alert_cells(each) for each in found], empty="there are no alerts")


@app.command()
def status(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's id.")],
    *,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show how the active alerts about a team stand, each with its number as it is now."""
    found = _with_alerts(lambda alerts: alerts.status(team), data_dir=data_dir)
    if json:
        from tallystick.alerts.answers import StatusAnswer

        for each in found:
            output.show_json(StatusAnswer.of(each).model_dump(mode="json"))
        return
    columns = ("alert", "name", "state", "value", "threshold", "of", "step", "limit", "stands")
    rows = [row for each in found for row in _status_cells(each)]
    output.show_table(columns, rows, empty=f"no active alert is about team {team}")


@app.command()
def history(
    alert: Annotated[int | None, typer.Argument(metavar="ID", help="Of this alert. Default: of all.")] = None,
    *,
    team: Team = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most to show.")] = 100,
    verify: Annotated[
        bool, typer.Option("--verify", help="Measure each number again, from what was known then.")
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List what limits were crossed or resolved, and by which number, newest first."""
    found = _with_alerts(lambda alerts: _history(alerts, alert, team, limit, verify=verify), data_dir=data_dir)
    if json:
        from tallystick.alerts.answers import TransitionAnswer

        for transition, agrees in found:
            row = TransitionAnswer.of(transition).model_dump(mode="json")
            output.show_json({**row, "agrees": agrees} if verify else row)
        return
    columns = ("id", "at", "alert", "team", "state", "value", "limit", "of", "cause", "told", *(["agrees"] * verify))
    rows = [(*_transition_cells(each), *([_yes(agrees)] * verify)) for each, agrees in found]
    output.show_table(columns, rows, empty="nothing was crossed")


@app.command("test")
def send_test(alert: AlertId, *, team: Team = None, data_dir: DataDir = None) -> None:
    """Send a test of each step, on the way that it goes when it is crossed. The server delivers it."""
    for each in _with_alerts(lambda alerts: alerts.test(alert, team), data_dir=data_dir):
        to = ", ".join(each.channels) or "the channels that the team prefers"
        output.show(f"queued for {to}: {each.content['title']}")


@app.command()
def switch(
    alert: AlertId,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether it looks at anything.")],
    data_dir: DataDir = None,
) -> None:
    """Switch an alert on or off. One that is off throttles nobody."""
    from dataclasses import replace

    def revised(found: "Alert") -> "AlertTerms":
        from tallystick.alerts.requests import AlertRequest

        return replace(AlertRequest.of(found).terms(), active=on)

    _with_alerts(lambda alerts: alerts.change(alert, revised), data_dir=data_dir)
    output.note(f"alert {alert} is {'on' if on else 'off'}")


@app.command()
def remove(alert: AlertId, data_dir: DataDir = None) -> None:
    """Delete an alert, and stop what it throttles. Its history stays."""
    _with_alerts(lambda alerts: alerts.delete(alert), data_dir=data_dir)
    output.note(f"alert {alert} is deleted")


def _with_alerts(work: "Callable[[Alerts], Awaitable[T]]", **options: Any) -> T:
    from tallystick.alerts.service import Alerts
    from tallystick.billing.service import Billing
    from tallystick.core.clock import SystemClock
    from tallystick.metering.service import Metering

    settings, clock = settings_from(**options), SystemClock()

    async def run(database: Any) -> T:
        async with Metering.open(database, settings, clock) as metering:
            billing = Billing.open(database, metering, clock)
            return await work(Alerts.open(database, metering, billing, clock))

    return run_with_database(run, settings)


def _kind(on: str | None, metric: str | None) -> "Kind":
    from tallystick.alerts.models import Kind
    from tallystick.core.errors import InvalidInput

    if on is None:
        return Kind.USAGE if metric else Kind.COST
    if on not in set(Kind):
        raise InvalidInput(f"there is nothing {on!r} to watch; there are {', '.join(Kind)}", field="on")
    return Kind(on)


async def _all_alerts(alerts: "Alerts", team: str | None) -> "Sequence[Alert]":
    found: list[Alert] = []
    while page := await alerts.page(PAGE, team_id=team, after=found[-1].id if found else 0):
        found += page
    return found


async def _history(
    alerts: "Alerts", alert_id: int | None, team: str | None, limit: int, *, verify: bool
) -> "list[tuple[Transition, bool | None]]":
    found: list[Transition] = []
    while len(found) < limit:
        before: dict[str, Any] = {"before": found[-1].id} if found else {}
        page = await alerts.history(min(PAGE, limit - len(found)), alert_id=alert_id, team_id=team, **before)
        if not page:
            break
        found += page
    return [(each, await _agrees(alerts, each) if verify else None) for each in found]


async def _agrees(alerts: "Alerts", transition: "Transition") -> bool | None:
    """Whether the number is had again; None: nothing was measured."""
    return (await alerts.reproduce(transition.id)).agrees if transition.cause == "measured" else None


def _yes(agrees: bool | None) -> str:
    return {True: "yes", False: "NO", None: ""}[agrees]


def _about(alert: "Alert") -> str:
    return alert.team_id or (f"plan {alert.plan}" if alert.plan else "all teams")


def _alert_cells(alert: "Alert") -> Sequence[Any]:
    watches = f"{alert.kind} {alert.metric}" if alert.metric else str(alert.kind)
    steps = ", ".join(_step(alert, place) for place in range(len(alert.steps)))
    return (
        alert.id, alert.name, watches, _about(alert), alert.threshold, alert.currency, steps, _yes(alert.active),
        alert.last_triggered_at,
    )  # fmt: skip


def _step(alert: "Alert", place: int) -> str:
    step = alert.steps[place]
    limit = f"{output.cell(step.percent)}%" if step.percent is not None else output.cell(step.value)
    actions = ",".join([*step.action.notify, *(["throttle"] * step.action.throttle)])
    return f"{limit}:{actions}" if actions else limit


def _status_cells(status: "Status") -> list[Sequence[Any]]:
    alert = status.alert
    head = (alert.id, alert.name, status.state, status.value, alert.threshold, status.unit)
    return [(*head, _step(alert, place), each.limit, each.state) for place, each in enumerate(status.steps)]


def _transition_cells(each: "Transition") -> Sequence[Any]:
    return (
        each.id, each.known_at, each.alert_id, each.team_id, f"{each.from_state} → {each.to_state}", each.value,
        each.limit, each.unit, each.cause, _yes(each.told) or "no",
    )  # fmt: skip


def _alert_row(alert: "Alert") -> dict[str, Any]:
    from tallystick.alerts.answers import AlertAnswer

    return AlertAnswer.of(alert).model_dump(mode="json")
