"""`tallystick dead-letters`: rejected events, why they were; repairing, sending again, and giving up."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput, TallystickError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.metering.dead_letters.models import DeadLetter, Edit, LetterFilter, Repair, Replay
    from tallystick.metering.service import Metering
    from tallystick.storage.database import Database

T = TypeVar("T")
PAGE = 1000
SHOWN_REJECTIONS = 20
KINDS = "malformed, untimely, catalogue, conflict, forbidden or unstorable"

Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
Letter = Annotated[int, typer.Argument(metavar="ID")]
Letters = Annotated[list[int] | None, typer.Argument(metavar="ID")]
Everyone = Annotated[bool, typer.Option("--all", help="Every one that waits.")]
Team = Annotated[str | None, typer.Option(help="Of this team.")]
Code = Annotated[str | None, typer.Option(help="Rejected for this reason, such as unknown_team.")]
OfKind = Annotated[str | None, typer.Option(help=f"Rejected for a reason of this class: {KINDS}.")]
File = Annotated[Path | None, typer.Option(help="The whole repaired event (JSON), for a single letter.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="MEMBER=VALUE", help="Put this member into the event; JSON, else text. Repeatable; null: out."
    ),
]
Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]

app = typer.Typer(help="List, show, edit, replay, discard and delete rejected events.", no_args_is_help=True)


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
    team: Team = None,
    code: Code = None,
    kind: OfKind = None,
    state: Annotated[str, typer.Option(help="waiting, replayed, discarded or all.")] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Most to show.")] = 100,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List those that wait to be repaired, newest first, and count them by reason."""
    wanted = _filter(team, code, kind, state)

    async def work(metering: "Metering") -> "tuple[list[DeadLetter], dict[str, int]]":
        letters = await metering.dead_letters.list(wanted, limit=limit)
        return letters, await metering.dead_letters.counts(team)

    letters, counts = _with_metering(work, data_dir=data_dir)
    if json:
        for letter in letters:
            output.show_json(_document(letter))
        return
    rows = [(x.id, x.received_at, x.team_id, x.kind, x.code, x.field, x.seen, x.edits, x.message) for x in letters]
    columns = ("id", "received", "team", "kind", "code", "field", "seen", "edits", "message")
    output.show_table(columns, rows, empty="no dead letters")
    _show_counts(counts)


def _show_counts(counts: dict[str, int]) -> None:
    """How many wait, reason by reason, and what helps."""
    from tallystick.metering.dead_letters.models import REMEDIES, kind_of

    for code, number in counts.items():
        output.note(f"{number} {code}: {REMEDIES[kind_of(code)]}")


@app.command()
def show(letter: Letter, *, json: Json = False, data_dir: DataDir = None) -> None:
    """Show one, with the event as it was sent and every repair of it."""

    async def work(metering: "Metering") -> "tuple[DeadLetter, list[Edit]]":
        return await metering.dead_letters.get(letter), list(await metering.dead_letters.edits(letter))

    found, edits = _with_metering(work, data_dir=data_dir)
    history = [{**edit._asdict(), "body": _text(edit.body)} for edit in edits]
    if json:
        output.show_json({**_document(found), "history": history})
        return
    output.show_table(("field", "value"), [(k, v) for k, v in _document(found).items() if v is not None])
    if history:
        output.note("")
        output.show_table(tuple(history[0]), [tuple(edit.values()) for edit in history])


@app.command()
def edit(
    letter: Letter, *, file: File = None, change: Set = None, reason: Reason = None, data_dir: DataDir = None
) -> None:
    """Repair one, for a replay to send it. What was sent stays on record."""
    repair = _repair(file, change, reason)
    if repair is None:
        raise InvalidInput("say how it is repaired: --set MEMBER=VALUE, or --file with the whole event")

    def work(metering: "Metering") -> "Awaitable[DeadLetter]":
        return metering.dead_letters.edit(letter, repair, metering.limits.now(), _actor())

    edited = _with_metering(work, data_dir=data_dir)
    output.show(_text(edited.edited or b""))


@app.command()
def replay(
    letters: Letters = None,
    *,
    everyone: Everyone = False,
    team: Team = None,
    code: Code = None,
    kind: OfKind = None,
    file: File = None,
    change: Set = None,
    reason: Reason = None,
    data_dir: DataDir = None,
) -> None:
    """Send them again: as they were, once what they lacked is there, or repaired. None is ever lost by it.

    --all, --team, --code and --kind together say which. Those of senders whose key is not for the team
    (forbidden_team) are left out unless --code or --kind names them.
    """
    _check_choice(letters, everyone=everyone, by=(team, code, kind))
    if file is not None and (not letters or len(letters) != 1):
        raise InvalidInput("--file repairs a single dead letter; --set repairs many")
    repair, wanted = _repair(file, change, reason), _filter(team, code, kind)

    async def work(metering: "Metering") -> "Tried":
        if letters:
            return await _replay_each(metering, letters, repair)
        return await _replay_all(metering, wanted, repair)

    _tell(_with_metering(work, data_dir=data_dir))


class Tried:
    """What became of replays: how many were taken, and why the first of the others were not."""

    def __init__(self) -> None:
        self.number = self.taken = 0
        self.rejections: list[str] = []

    def add(self, each: "Replay") -> None:
        """Count one."""
        self.number += 1
        self.taken += each.taken
        if not each.taken and len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append(f"{each.letter.id}: {each.outcome.rejections[0].message}")


async def _replay_each(metering: "Metering", letters: list[int], repair: "Repair | None") -> Tried:
    from tallystick.metering.dead_letters.models import Repair

    tried = Tried()
    for letter in letters:
        replayed = metering.dead_letters.replay(letter, metering.limits.now(), _actor(), repair or Repair())
        tried.add(await replayed)
    return tried


async def _replay_all(metering: "Metering", wanted: "LetterFilter", repair: "Repair | None") -> Tried:
    from tallystick.metering.dead_letters.models import Repair

    tried, after = Tried(), 0
    while True:
        replays = await metering.dead_letters.replay_many(
            wanted, metering.limits.now(), _actor(), repair or Repair(), after=after
        )
        for each in replays.replays:
            tried.add(each)
        if replays.after is None:
            return tried
        after = replays.after


def _tell(tried: Tried) -> None:
    for rejection in tried.rejections:
        output.note(rejection)
    output.show(f"{tried.taken} of {tried.number} taken")
    if tried.taken < tried.number:
        raise NotTaken(f"{tried.number - tried.taken} were rejected again")


@app.command()
def discard(
    letters: Letters = None,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    everyone: Everyone = False,
    team: Team = None,
    code: Code = None,
    kind: OfKind = None,
    data_dir: DataDir = None,
) -> None:
    """Give them up: they wait no longer, and stay on record with the reason."""
    _check_choice(letters, everyone=everyone, by=(team, code, kind))
    wanted = _filter(team, code, kind)

    async def work(metering: "Metering") -> int:
        if not letters:
            return await metering.dead_letters.discard_many(wanted, reason, _actor())
        for letter in letters:
            await metering.dead_letters.discard(letter, reason, _actor())
        return len(letters)

    output.show(f"{_with_metering(work, data_dir=data_dir)} discarded")


@app.command()
def restore(letter: Letter, data_dir: DataDir = None) -> None:
    """Let one that was discarded wait again."""
    found = _with_metering(lambda metering: metering.dead_letters.restore(letter), data_dir=data_dir)
    output.show(f"dead letter {found.id} is {found.state}")


@app.command()
def delete(
    letters: Letters = None,
    *,
    settled_before: Annotated[
        str | None, typer.Option(help="Every one that was replayed or discarded before this instant (RFC 3339).")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Erase letters that were replayed or discarded, with their repairs. One that waits is not erased."""
    if bool(letters) == bool(settled_before):
        raise InvalidInput("name the dead letters to delete, or an instant with --settled-before")

    async def work(metering: "Metering") -> int:
        from tallystick.core.clock import parse_instant

        if settled_before:
            return await metering.dead_letters.delete_settled(parse_instant(settled_before, field="settled-before"))
        for letter in letters or ():
            await metering.dead_letters.delete(letter)
        return len(letters or ())

    output.show(f"{_with_metering(work, data_dir=data_dir)} deleted")


def _check_choice(letters: list[int] | None, *, everyone: bool, by: tuple[str | None, ...]) -> None:
    if bool(letters) == (everyone or any(by)):
        raise InvalidInput("name the dead letters, or say which with --all, --team, --code or --kind")


def _filter(team: str | None, code: str | None, kind: str | None, state: str = "waiting") -> "LetterFilter":
    from tallystick.metering.dead_letters.models import Kind, LetterFilter, State

    if kind is not None and kind not in set(Kind):
        raise InvalidInput(f"there is no class of reasons {kind!r}; there are {', '.join(Kind)}")
    if state != "all" and state not in set(State):
        raise InvalidInput(f"there is no state {state!r}; there are {', '.join(State)} and all")
    return LetterFilter(team, code, Kind(kind) if kind else None, None if state == "all" else State(state))


def _repair(file: Path | None, changes: list[str] | None, reason: str | None) -> "Repair | None":
    from tallystick.metering.dead_letters.models import Repair

    if file is None and not changes:
        return None
    return Repair(file.read_bytes() if file else None, dict(_change(text) for text in changes or ()), reason)


def _change(text: str) -> tuple[str, bytes]:
    """A member and the JSON of its value: what is no JSON is text."""
    import msgspec

    member, equals, value = text.partition("=")
    if not member or not equals:
        raise InvalidInput(f"{text!r} is not MEMBER=VALUE")
    try:
        return member, bytes(msgspec.json.decode(value.encode(), type=msgspec.Raw))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return member, msgspec.json.encode(value)


def _actor() -> str:
    """Who is at the command line, for the record."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


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
    document = {**letter._asdict(), "kind": letter.kind, "state": letter.state, "body": _text(letter.body)}
    document["edited"] = None if letter.edited is None else _text(letter.edited)
    del document["digest"]
    return document


def _text(body: bytes) -> str:
    return body.decode(errors="backslashreplace")
