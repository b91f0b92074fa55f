"""`tallystick import`: usage files, row by row through the same ingestion as the API."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.cli import row_options as opt
from tallystick.core.errors import TallystickError
from tallystick.importing import Format, Identity, ImportOptions

if TYPE_CHECKING:
    from tallystick.cli.progress import Meter
    from tallystick.core.settings import Settings
    from tallystick.importing import Row
    from tallystick.metering.ingestion import Outcome
    from tallystick.metering.service import Metering
    from tallystick.storage.database import Database

BATCH_ROWS = 2000
IN_FLIGHT = 4
SHOWN_PROBLEMS = 20


class RowsRefused(TallystickError):
    """Some rows were not imported."""

    code = "rows_refused"
    exit_code = 1


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command("import")(import_files)


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files to read; - is standard input.")],
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
    identity: opt.IdentityOption = Identity.POSITION,
    source_id: opt.SourceId = None,
    create_teams: opt.CreateTeams = False,
    data_dir: DataDir = None,
) -> None:
    """Import usage from NDJSON, CSV, Parquet or access logs.

    An event is counted once however often its file is imported, so an import that was stopped is simply
    run again.
    """
    from tallystick.importing import open_source, refuse_shared_sources

    options = opt.import_options(
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
        source_id=source_id,
    )
    refuse_shared_sources(files, options)
    for path in files:
        if path != "-":
            open_source(path, options).close()  # what can't be read is said before a database is started
    settings = settings_from(data_dir=data_dir, auto_register_teams=create_teams or None)
    tally = run_with_database(lambda database: _import(database, settings, files, options), settings)
    _report(tally)


@dataclass(slots=True)
class Tally:
    """What became of the rows so far."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    conflicts: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, path: str, rows: "Sequence[Row]", outcome: "Outcome") -> None:
        """Count one batch."""
        self.accepted += outcome.accepted
        self.duplicates += outcome.duplicates
        for rejected in outcome.rejections:
            self.conflicts += rejected.code == "conflict"
            self.refused += rejected.code != "conflict"
            self._tell(f"{path}:{rows[rejected.position].position}: {rejected.message}")

    def refuse(self, path: str, row: "Row") -> None:
        """Count a row that is no event."""
        assert row.problem is not None
        self.refused += 1
        self._tell(f"{path}:{row.position}: {row.problem.message}")

    def _tell(self, problem: str) -> None:
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(problem)


async def _import(database: "Database", settings: "Settings", files: Sequence[str], options: ImportOptions) -> Tally:
    from tallystick.billing.teams.registration import register_teams
    from tallystick.cli.progress import Meter
    from tallystick.core.clock import SystemClock
    from tallystick.metering.service import Metering

    tally = Tally()
    register = register_teams if settings.auto_register_teams else None
    async with Metering.open(database, settings, SystemClock(), register) as metering:
        with Meter() as meter:
            for path in files:
                await _import_file(metering, path, options, tally, meter)
        await _roll_up(metering)
    return tally


async def _import_file(metering: "Metering", path: str, options: ImportOptions, tally: Tally, meter: "Meter") -> None:
    from tallystick.importing import open_source

    with open_source(path, options) as source, meter.file(Path(path).name, source.size_bytes) as progress:
        rows = iter(source)
        under_way: set[asyncio.Task[None]] = set()
        while batch := list(islice(rows, BATCH_ROWS)):
            under_way.add(asyncio.create_task(_send(metering, path, batch, tally)))
            progress(batch[-1].offset_bytes, len(batch))
            if len(under_way) >= IN_FLIGHT:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        for task in under_way:
            await task


async def _send(metering: "Metering", path: str, rows: "Sequence[Row]", tally: Tally) -> None:
    from tallystick.core.errors import Unavailable
    from tallystick.importing.sending import request

    events = [row for row in rows if row.event is not None]
    for row in rows:
        if row.problem is not None:
            tally.refuse(path, row)
    if not events:
        return
    decoded = request(events, metering.limits.now())
    for pause in _pauses():
        try:
            tally.add(path, events, await metering.ingestor.submit(decoded))
            return
        except Unavailable:
            if pause is None:
                raise
            await asyncio.sleep(pause.total_seconds())


def _pauses() -> Iterator[timedelta | None]:
    """How long to wait after each failure; the last one is final."""
    for tenths in (1, 2, 4, 8, 16, 32, 64, 128):
        yield timedelta(milliseconds=100 * tenths)
    yield None


async def _roll_up(metering: "Metering") -> None:
    from tallystick.core.clock import SystemClock

    while (await metering.store.roll_up(SystemClock().now())).more:
        pass


def _report(tally: Tally) -> None:
    for problem in tally.problems:
        output.note(problem)
    if (hidden := tally.refused + tally.conflicts - len(tally.problems)) > 0:
        output.note(f"… and {hidden} more")
    conflicts = f" ({tally.conflicts} with other content than the first)" if tally.conflicts else ""
    output.show(f"{tally.accepted} events imported, {tally.duplicates} were there already{conflicts}")
    if tally.refused:
        raise RowsRefused(f"{tally.refused} rows were not imported; everything else was")
