"""`tallystick dead-letters`: rejected events, why they were, and sending them again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput, TallystickError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.metering.dead_letters import DeadLetter, Replay
    from tallystick.metering.service import Metering
    from tallystick.storage.database import Database

T = TypeVar("T")
PAGE = 1000
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]

app = typer.Typer(help="List, show and replay rejected events.", no_args_is_help=True)


class NotTaken(TallystickError):
    """A dead letter was rejected again."""

    code = "not_taken"
    exit_code = 1


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="dead-letters")


@app.command("list")
def list_letters(
    *,
    team: Annotated[str | None, typer.Option(help="Of this team.")] = None,
    code: Annotated[str | None, typer.Option(help="Rejected for this reason, such as unknown_team.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Most to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List those that wait to be repaired, newest first, and count them by reason."""

    async def work(metering: "Metering") -> "tuple[list[DeadLetter], dict[str, int]]":
        letters = await metering.dead_letters.list(team_id=team, code=code, limit=limit)
        return letters, await metering.dead_letters.counts(team)

    letters, counts = _with_metering(work, data_dir=data_dir)
    if json:
        for letter in letters:
            output.show_json(_document(letter))
        return
    rows = [(x.id, x.received_at, x.team_id, x.code, x.field, x.seen, x.message) for x in letters]
    columns = ("id", "received", "team", "code", "field", "seen", "message")
    output.show_table(columns, rows, empty="no dead letters")
    if counts:
        output.note(", ".join(f"{number} {reason}" for reason, number in counts.items()))


@app.command()
def show(letter: Annotated[int, typer.Argument(metavar="ID")], data_dir: DataDir = None) -> None:
    """Show one, with the event as it was sent."""
    found = _with_metering(lambda metering: metering.dead_letters.get(letter), data_dir=data_dir)
    output.show_table(("field", "value"), [(k, v) for k, v in _document(found).items() if v is not None])


@app.command()
def replay(
    letters: Annotated[list[int] | None, typer.Argument(metavar="ID")] = None,
    *,
    code: Annotated[str | None, typer.Option(help="Every one rejected for this reason.")] = None,
    file: Annotated[Path | None, typer.Option(help="The repaired event (JSON), for a single one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Send them again: as they were, once what they lacked is there, or repaired. None is ever lost by it."""
    if bool(letters) == bool(code):
        raise InvalidInput("name the dead letters to replay, or a reason with --code")
    if file is not None and (not letters or len(letters) != 1):
        raise InvalidInput("--file repairs a single dead letter")
    body = file.read_bytes() if file else None

    async def work(metering: "Metering") -> "list[Replay]":
        chosen = letters or [found.id for found in await _all(metering, code)]
        return [await metering.dead_letters.replay(one, metering.limits.now(), body=body) for one in chosen]

    replays = _with_metering(work, data_dir=data_dir)
    for each in replays:
        if not each.taken:
            output.note(f"{each.letter.id}: {each.outcome.rejections[0].message}")
    taken = sum(each.taken for each in replays)
    output.show(f"{taken} of {len(replays)} taken")
    if taken < len(replays):
        raise NotTaken(f"{len(replays) - taken} were rejected again")


async def _all(metering: "Metering", code: str | None) -> "list[DeadLetter]":
    found: list[DeadLetter] = []
    while page := await metering.dead_letters.list(code=code, before=found[-1].id if found else None, limit=PAGE):
        found += page
    return found


def _with_metering(work: "Callable[[Metering], Awaitable[T]]", **options: Any) -> T:
    from tallystick.billing.teams.registration import register_teams
    from tallystick.core.clock import SystemClock
    from tallystick.metering.service import Metering

    settings = settings_from(**options)

    async def opened(database: "Database") -> T:
        register = register_teams if settings.auto_register_teams else None
        async with Metering.open(database, settings, SystemClock(), register) as metering:
            return await work(metering)

    return run_with_database(opened, settings)


def _document(letter: "DeadLetter") -> dict[str, Any]:
    return {**letter._asdict(), "body": letter.body.decode(errors="backslashreplace")}
