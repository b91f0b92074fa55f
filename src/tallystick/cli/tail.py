"""`tallystick tail`: usage from log files while they grow."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.cli import row_options as opt
from tallystick.cli.import_files import SHOWN_PROBLEMS, Tally
from tallystick.importing import Format, Identity

if TYPE_CHECKING:
    from tallystick.core.settings import Settings
    from tallystick.importing.following import FollowOptions, Stored, Trail
    from tallystick.storage.database import Database


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(tail)


def tail(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to follow; they need not exist yet.")],
    *,
    format: opt.FormatOption = Format.AUTO,
    columns: opt.Columns = None,
    delimiter: opt.Delimiter = None,
    team: opt.Team = None,
    team_column: opt.TeamColumn = None,
    event: opt.Event = None,
    event_column: opt.EventColumn = None,
    quantity: opt.Quantity = None,
    quantity_column: opt.QuantityColumn = None,
    quantities: opt.Quantities = None,
    unit: opt.Unit = None,
    unit_column: opt.UnitColumn = None,
    timestamp_column: opt.TimestampColumn = None,
    timestamp_format: opt.TimestampFormat = "auto",
    timestamp_zone: opt.TimestampZone = "UTC",
    user_column: opt.UserColumn = None,
    event_type: opt.EventType = None,
    event_type_column: opt.EventTypeColumn = None,
    metadata_columns: opt.MetadataColumns = None,
    key_column: opt.KeyColumn = None,
    identity: Annotated[
        Identity,
        typer.Option(
            help="What tells lines without a key apart. position: every line counts, once. content: lines that are "
            "exactly the same count once."
        ),
    ] = Identity.POSITION,
    source_id: Annotated[
        str | None,
        typer.Option(
            help="Name of this machine in the keys of lines: files of the same path on two machines are two.",
            show_default="its host name",
        ),
    ] = None,
    from_end: Annotated[
        bool,
        typer.Option("--from-end", help="Of files followed for the first time, count only lines written from now on."),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop at the end of the files.")] = False,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where it is remembered how far files were read.",
            show_default="/var/lib/tallystick-tail for root, else ~/.local/state/tallystick/tail",
        ),
    ] = None,
    create_teams: opt.CreateTeams = False,
    data_dir: DataDir = None,
) -> None:
    """Follow log files as they grow, and meter their lines.

    Each line counts once: through rotations, restarts and kills. SIGTERM or Ctrl-C stops it.
    """
    from tallystick.importing.following import FollowOptions

    rows = opt.import_options(
        format=format,
        columns=columns,
        delimiter=delimiter,
        team=team,
        team_column=team_column,
        event=event,
        event_column=event_column,
        quantity=quantity,
        quantity_column=quantity_column,
        quantities=quantities,
        unit=unit,
        unit_column=unit_column,
        timestamp_column=timestamp_column,
        timestamp_format=timestamp_format,
        timestamp_zone=timestamp_zone,
        user_column=user_column,
        event_type=event_type,
        event_type_column=event_type_column,
        metadata_columns=metadata_columns,
        key_column=key_column,
        identity=identity,
    )
    options = FollowOptions(rows, source_id or socket.gethostname(), from_end=from_end)
    settings = settings_from(data_dir=data_dir, auto_register_teams=create_teams or None)
    _follow(files, options, settings, state_dir or default_state_dir(), once=once)


def default_state_dir() -> Path:
    """`/var/lib/tallystick-tail` for root, else a folder in the user's XDG state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/tallystick-tail")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "tallystick" / "tail"


def _follow(files: list[str], options: "FollowOptions", settings: "Settings", folder: Path, *, once: bool) -> None:
    from contextlib import ExitStack

    from tallystick.core.clock import SystemClock
    from tallystick.importing.following import Memory, Trail

    paths = dict.fromkeys(Path(os.path.abspath(name)) for name in files)  # noqa: PTH100 - a link stays a link
    with ExitStack() as opened:
        trails = []
        for path in paths:
            memory = opened.enter_context(Memory(folder, path))
            trail = Trail(path, options, memory, SystemClock(), output.note)
            opened.callback(trail.close)
            trail.begin()  # what can't be followed is said before a database is started
            trails.append(trail)
        tally = run_with_database(lambda database: _run(database, settings, trails, options, once=once), settings)
    output.show(f"{tally.accepted} events stored, {tally.duplicates} were there already")
    if wrong := tally.refused + tally.conflicts:
        output.note(f"{wrong} lines were refused and kept as dead letters")


async def _run(
    database: "Database", settings: "Settings", trails: "list[Trail]", options: "FollowOptions", *, once: bool
) -> Tally:
    from tallystick.billing.teams.registration import register_teams
    from tallystick.core.clock import SystemClock
    from tallystick.importing.following import follow
    from tallystick.metering.service import Metering

    tally, stop = Tally(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    register = register_teams if settings.auto_register_teams else None
    output.note("following; Ctrl-C stops" if not once else "reading")
    async with Metering.open(database, settings, SystemClock(), register) as metering:
        await follow(
            trails,
            metering,
            stop=stop,
            once=once,
            team_id=options.rows.team,
            tell=lambda stored: _tell(tally, stored),
            note=output.note,
        )
    return tally


def _tell(tally: Tally, stored: "Stored") -> None:
    """Count what became of rows; say what is wrong with the first that were refused."""
    known = len(tally.problems)
    tally.add(stored.path, stored.rows, stored.outcome)
    for problem in tally.problems[known:]:
        output.note(problem)
    if known < len(tally.problems) == SHOWN_PROBLEMS:
        output.note("lines that are refused from now on are not shown here; tallystick dead-letters has them all")
