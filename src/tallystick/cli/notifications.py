"""`tallystick notifications`: channels, what teams prefer, what became of messages, and sending them again."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput, TallystickError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import time

    from tallystick.notifications.models import Channel, Delivery, Preferences
    from tallystick.notifications.service import Notifications

T = TypeVar("T")
PAGE = 1000
# Spelled out and not taken from the models, whose package would take a while to import: --help is instant.
Kind: TypeAlias = Literal["email", "slack", "webhook", "apprise"]
Stand: TypeAlias = Literal["pending", "held", "sent", "parked", "merged"]
Often: TypeAlias = Literal["off", "daily", "weekly"]

PATIENCE = 30
LOOK_EVERY = 0.2

Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
Name = Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")]
ByDefault = Annotated[
    bool | None,
    typer.Option(
        "--default/--no-default", help="It takes what names no channel and is about a team that prefers none."
    ),
]

Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--hears-of",
        metavar="KIND",
        help="A kind of notification that it hears of whoever else does: throttle.changed, or every alert; may be "
        "given again.",
    ),
]

app = typer.Typer(help="Where people and machines are told, and what became of it.", no_args_is_help=True)


class NotSentYet(TallystickError):
    """A test message, or one that was replayed, has not been taken."""

    code = "not_sent"
    exit_code = 1


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="notifications")


@app.command()
def channels(json: Json = False, data_dir: DataDir = None) -> None:
    """List the channels, without what they hold secret."""
    found = _with_notifications(_all_channels, data_dir=data_dir)
    if json:
        for each in found:
            output.show_json(_channel_document(each))
        return
    columns = ("name", "kind", "to", "default", "hears of", "failures", "paused until")
    rows = [
        (x.name, x.kind, x.shown or ", ".join(x.to) or "the team's addresses", x.by_default, ", ".join(x.kinds),
         x.failures, x.paused_until)
        for x in found
    ]  # fmt: skip
    output.show_table(columns, rows, empty="there are no channels")


@app.command()
def add(
    name: Name,
    *,
    kind: Annotated[Kind, typer.Option(help="What carries its messages.")],
    to: Annotated[
        list[str] | None,
        typer.Option(help="Of email: an address; may be given again. None: those that teams prefer."),
    ] = None,
    default: ByDefault = False,
    hears_of: Kinds = None,
    data_dir: DataDir = None,
) -> None:
    """Make a channel. The URL of a webhook, of Slack or of Apprise is asked for, or read from standard input.

    There is no option for it, because other users of the machine can read a command's options, and it opens a door.
    A webhook's signing secret is printed this once.
    """
    from tallystick.notifications.models import ChannelKind, NewChannel

    url = None if kind == "email" else _read_url()
    wanted = NewChannel(name, ChannelKind(kind), tuple(to or ()), url, bool(default), tuple(hears_of or ()))
    made = _with_notifications(lambda service: service.add_channel(wanted), data_dir=data_dir)
    output.note(f"channel {name} is made")
    _show_secret(made.signing_secret)


@app.command()
def change(
    name: Name,
    *,
    to: Annotated[list[str] | None, typer.Option(help="Of email: the addresses from now on.")] = None,
    url: Annotated[bool, typer.Option("--url", help="Ask for another URL, or read it from standard input.")] = False,
    default: ByDefault = None,
    hears_of: Kinds = None,
    data_dir: DataDir = None,
) -> None:
    """Change a channel. If it was paused because it failed, it is tried again at once."""
    from tallystick.notifications.models import ChannelChanges

    kinds = tuple(hears_of) if hears_of else None
    changes = ChannelChanges(tuple(to) if to else None, _read_url() if url else None, default, kinds)
    _with_notifications(lambda service: service.change_channel(name, changes), data_dir=data_dir)
    output.note(f"channel {name} is changed")


@app.command()
def remove(name: Name, data_dir: DataDir = None) -> None:
    """Remove a channel with its secrets. What still waits for it is parked."""
    _with_notifications(lambda service: service.remove_channel(name), data_dir=data_dir)
    output.note(f"channel {name} is removed")


@app.command()
def rotate(
    name: Name,
    *,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=168, help="How long messages are signed with the old secret, too.")
    ] = 24,
    data_dir: DataDir = None,
) -> None:
    """Give a webhook a new signing secret and print it, this once."""
    from datetime import timedelta

    overlap = timedelta(hours=overlap_hours)
    secret = _with_notifications(lambda service: service.rotate_secret(name, overlap), data_dir=data_dir)
    output.note(f"the old secret signs for {overlap_hours} more hours")
    _show_secret(secret)


@app.command()
def test(name: Name, data_dir: DataDir = None) -> None:  # noqa: PT028 - a command, not a test
    """Send a test message by the way of every other, and say whether it was taken. A server has to be running."""
    from tallystick.notifications.models import State

    async def work(service: "Notifications") -> "list[Delivery]":
        key = await service.test_channel(name)
        for _ in range(int(PATIENCE / LOOK_EVERY)):
            found = await service.deliveries(PAGE, channel=name)
            mine = [each for each in found if each.notification.key == key]
            if mine and not any(each.state is State.PENDING and not each.last_error for each in mine):
                return mine
            await asyncio.sleep(LOOK_EVERY)
        return []

    _tell(_with_notifications(work, data_dir=data_dir))


@app.command()
def deliveries(
    *,
    state: Annotated[Stand | None, typer.Option(help="Those that stand like this.")] = None,
    channel: Annotated[str | None, typer.Option(help="Those to this channel.")] = None,
    team: Annotated[str | None, typer.Option(help="Those about this team.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Most to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List messages and what became of them, newest first."""
    from tallystick.notifications.models import State

    wanted = State(state) if state else None
    found = _with_notifications(
        lambda service: service.deliveries(limit, state=wanted, channel=channel, team_id=team), data_dir=data_dir
    )
    if json:
        for each in found:
            output.show_json(_delivery_document(each))
        return
    columns = ("id", "state", "channel", "to", "kind", "team", "title", "due", "attempts", "error")
    output.show_table(columns, [_cells(each) for each in found], empty="no deliveries")


@app.command()
def replay(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="ID")] = None,
    *,
    parked: Annotated[bool, typer.Option("--parked", help="Every one that was given up.")] = False,
    channel: Annotated[str | None, typer.Option(help="With --parked: those to this channel alone.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Send messages once more, each with the id that it had. A running server sends them at once."""
    if bool(numbers) == parked:
        raise InvalidInput("name the deliveries to replay, or every one that was given up with --parked")

    async def work(service: "Notifications") -> int:
        chosen = numbers or [each.id for each in await _all_parked(service, channel)]
        return len([await service.replay(each) for each in chosen])

    output.show(f"{_with_notifications(work, data_dir=data_dir)} to be sent again")


@app.command()
def preferences(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's id.")],
    *,
    channel: Annotated[
        list[str] | None, typer.Option(help="Where what names no channel goes; may be given again.")
    ] = None,
    default_channels: Annotated[
        bool, typer.Option("--default-channels", help="Send that to the installation's default channels.")
    ] = False,
    email: Annotated[
        list[str] | None,
        typer.Option(help="To whom email channels write that have no address of their own; may be given again."),
    ] = None,
    digest: Annotated[Often | None, typer.Option(help="Tell at once what is not urgent.")] = None,
    digest_at: Annotated[str | None, typer.Option(help="When, in the team's zone.", metavar="HH:MM")] = None,
    quiet: Annotated[
        str | None,
        typer.Option(help="When nothing is told, in the team's zone; none for never.", metavar="HH:MM-HH:MM"),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show how a team wants to be told, or change what is given."""
    from dataclasses import replace

    from tallystick.notifications.models import Digest

    changes: dict[str, Any] = {
        "channels": tuple(channel) if channel else None,
        "emails": tuple(email) if email else None,
        "digest": Digest(digest) if digest else None,
        "digest_at": _wall_time(digest_at) if digest_at else None,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if default_channels:
        given["channels"] = None
    if quiet is not None:
        given["quiet"] = _quiet_hours(quiet)

    async def work(service: "Notifications") -> "Preferences":
        found = await service.preferences(team)
        return await service.put_preferences(team, replace(found, **given)) if given else found

    _show_preferences(_with_notifications(work, data_dir=data_dir))


def _read_url() -> str:
    """The URL, which no list of processes and no history is to show."""
    if sys.stdin.isatty():
        return str(typer.prompt("URL", hide_input=True)).strip()
    return sys.stdin.readline().strip()


def _show_secret(secret: str | None) -> None:
    if secret is not None:
        output.note("This is the only time that the signing secret is shown:")
        output.show(secret)


def _tell(found: "Sequence[Delivery]") -> None:
    """Say what came of a test.

    Raises:
        NotSentYet: it was not taken.
    """
    from tallystick.notifications.models import State

    for each in found:
        output.show(f"{each.target or each.channel}: {each.last_error or each.state}")
    if not found:
        raise NotSentYet(f"nothing was sent within {PATIENCE} s; is a server running? It is sent when one is")
    if any(each.state is not State.SENT for each in found):
        raise NotSentYet("the test message was not taken")


def _wall_time(text: str) -> "time":
    from datetime import time

    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise InvalidInput(f"{text!r} is not a time of day such as 09:00")
    return found


def _quiet_hours(text: str) -> Any:
    from tallystick.notifications.models import QuietHours

    if text == "none":
        return None
    start, _, end = text.partition("-")
    return QuietHours(_wall_time(start), _wall_time(end))


def _show_preferences(found: "Preferences") -> None:
    quiet = found.quiet
    rows = [
        ("channels", "the default ones" if found.channels is None else ", ".join(found.channels) or "none"),
        ("emails", ", ".join(found.emails) or "none"),
        ("digest", found.digest if found.digest == "off" else f"{found.digest}, at {found.digest_at:%H:%M}"),
        ("quiet hours", f"{quiet.start:%H:%M} to {quiet.end:%H:%M}" if quiet else "none"),
    ]
    output.show_table(("preference", "value"), rows)


async def _all_channels(service: "Notifications") -> "list[Channel]":
    found: list[Channel] = []
    while page := await service.channels(PAGE, found[-1].name if found else ""):
        found += page
    return found


async def _all_parked(service: "Notifications", channel: str | None) -> "list[Delivery]":
    from tallystick.notifications.models import State
    from tallystick.notifications.store_deliveries import NEWEST

    found: list[Delivery] = []
    before = NEWEST
    while page := await service.deliveries(PAGE, before=before, state=State.PARKED, channel=channel):
        found += page
        before = found[-1].id
    return found


def _with_notifications(work: "Callable[[Notifications], Awaitable[T]]", **options: Any) -> T:
    from tallystick.core.clock import SystemClock
    from tallystick.notifications.service import Notifications

    settings = settings_from(**options)
    return run_with_database(lambda database: work(Notifications(database, SystemClock(), settings)), settings)


def _cells(each: "Delivery") -> "Sequence[Any]":
    told = each.notification
    about = (told.kind, told.team_id, told.content.get("title", ""))
    return each.id, each.state, each.channel, each.target or None, *about, each.due_at, each.attempts, each.last_error


def _channel_document(each: "Channel") -> dict[str, Any]:
    from tallystick.notifications.answers import ChannelAnswer

    return ChannelAnswer.of(each).model_dump(mode="json")


def _delivery_document(each: "Delivery") -> dict[str, Any]:
    from tallystick.notifications.answers import DeliveryAnswer

    return DeliveryAnswer.of(each).model_dump(mode="json")
