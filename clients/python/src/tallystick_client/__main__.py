"""`python -m tallystick_client`: look at the events that a server rejected, send them again, or give them up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tallystick_client.address import Address
from tallystick_client.base import spool_folder
from tallystick_client.dead_letters import DeadLetters, Letter
from tallystick_client.errors import TallystickClientError
from tallystick_client.tracker import Tracker

PATIENCE = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit code: 0, or 1 with one line of what is wrong."""
    asked = _arguments(arguments)
    try:
        return int(asked.run(asked))
    except (TallystickClientError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tallystick_client", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for run, text in (
        (show, "list the rejected events with the reasons"),
        (resend, "send them again, and keep what is rejected again"),
        (drop, "give them up: they are never sent"),
    ):
        name = {show: "list", resend: "resend", drop: "drop"}[run]
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("--url", help="of the server; default: TALLYSTICK_URL")
        command.add_argument("--api-key", help="default: TALLYSTICK_API_KEY")
        command.add_argument("--spool", type=Path, help="the folder; default: TALLYSTICK_SPOOL, or the user's")
        command.add_argument("--code", help="only those that were rejected for this reason")
        command.add_argument("--key", help="only the one with this idempotency key")
        command.add_argument("--team", help="only those of this team")
        command.set_defaults(run=run)
        if run is drop:
            command.add_argument("--yes", action="store_true", help="really; without it they are only counted")
    return parser.parse_args(arguments)


def show(asked: argparse.Namespace) -> int:
    """List letters, oldest first."""
    letters = [letter for letter in _letters(asked).all() if _is_meant(letter, asked)]
    for letter in letters:
        event = letter.members["event"]
        field = f" {letter.members['field']}" if letter.members.get("field") else ""
        print(
            f"{letter.members.get('at')}  {letter.code}{field}  {event.get('team_id')} {event.get('event_name')} "
            f"{event.get('quantity')}  {letter.key}\n    {letter.members.get('message')}"
        )
    print(_counted(letters))
    return 0


def resend(asked: argparse.Namespace) -> int:
    """Send letters again. Killed in between, some are sent twice, under the same keys: they count once."""
    address = Address.of(asked.url, asked.api_key)
    letters = _letters(asked)
    with Tracker(address.url, address.api_key, spool=letters.folder, durable=True, flush_interval=3600) as tracker:
        taken = letters.take(lambda letter: _is_meant(letter, asked), lambda letter: tracker.keep(letter.event))
        answered = tracker.flush(PATIENCE)
    if not answered:
        print(f"{_counted(taken)} kept in {letters.folder}, to be sent: the server did not answer")
        return 1
    keys = {letter.key for letter in taken}
    again = [letter for letter in letters.all() if letter.key in keys]
    print(f"{_counted(taken)} sent again, {len(again)} rejected again")
    return 1 if again else 0


def drop(asked: argparse.Namespace) -> int:
    """Give letters up."""
    letters = _letters(asked)
    if not asked.yes:
        meant = [letter for letter in letters.all() if _is_meant(letter, asked)]
        print(f"{_counted(meant)}; drop them with --yes")
        return 1
    print(f"{_counted(letters.take(lambda letter: _is_meant(letter, asked)))} dropped")
    return 0


def _letters(asked: argparse.Namespace) -> DeadLetters:
    named = asked.spool or spool_folder(None, Address.of(asked.url, asked.api_key).url)
    return DeadLetters(Path(named))


def _is_meant(letter: Letter, asked: argparse.Namespace) -> bool:
    event = letter.members["event"]
    wanted = ((asked.code, letter.code), (asked.key, letter.key), (asked.team, event.get("team_id")))
    return all(value is None or value == actual for value, actual in wanted)


def _counted(letters: Sequence[Letter]) -> str:
    return f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
