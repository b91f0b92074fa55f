"""`tallystick keys`: make, list and revoke API keys on the machine that has the database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.http.principal import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.http.keys.models import ApiKey
    from tallystick.http.keys.service import KeyService

T = TypeVar("T")

PAGE = 1000

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="keys")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[
        list[Scope],
        typer.Option(help="What it may be used for; may be given twice. admin implies the others."),
    ],
    team: Annotated[str | None, typer.Option(help="The only team it may touch; default: every team.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it: this once, because only a hash of it is kept."""
    new = _with_keys(lambda keys: keys.create(name, scope, team), data_dir=data_dir)
    output.note(f"{_described(new.key)} This is the only time the key is shown:")
    output.show(new.token)


@app.command("list")
def list_keys(
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the keys, revoked ones too, oldest first."""
    found = _with_keys(_all, data_dir=data_dir)
    if json:
        for key in found:
            output.show_json(_row(key))
        return
    columns = ("id", "name", "scopes", "team", "created", "revoked")
    output.show_table(columns, [_cells(key) for key in found], empty="there are no keys")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The public part of the key, as listed.")],
    data_dir: DataDir = None,
) -> None:
    """Refuse a key from now on. Running servers notice within two seconds."""
    key = _with_keys(lambda keys: keys.revoke(key_id), data_dir=data_dir)
    output.note(f"API key {key.id} ({key.name}) is revoked; running servers refuse it within 2 s")


def _with_keys(work: "Callable[[KeyService], Awaitable[T]]", **options: Any) -> T:
    from tallystick.core.clock import SystemClock
    from tallystick.http.keys.service import KeyService

    return run_with_database(lambda database: work(KeyService(database, SystemClock())), settings_from(**options))


async def _all(keys: "KeyService") -> "Sequence[ApiKey]":
    found: list[ApiKey] = []
    while page := await keys.page(PAGE, (found[-1].created_at, found[-1].id) if found else None):
        found += page
    return found


def _row(key: "ApiKey") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "team_id": key.team_id,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _cells(key: "ApiKey") -> Sequence[Any]:
    return (key.id, key.name, ", ".join(key.scopes), key.team_id or "all", key.created_at, key.revoked_at)


def _described(key: "ApiKey") -> str:
    team = f"team {key.team_id}" if key.team_id else "every team"
    return f"API key {key.id} ({', '.join(key.scopes)}; {team})."
