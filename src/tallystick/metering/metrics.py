"""The metrics of the catalogue, as the ledger has them now, or had them at a moment."""

from datetime import datetime

from tallystick.metering.definitions import definition_from_json
from tallystick.metering.models import MetricVersion
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def metric_versions(connection: Connection, known_at: datetime | None = None) -> list[MetricVersion]:
    """Every metric version in force, by metric, oldest first; with `known_at`, as they were known at that moment."""
    name = "metric_versions" if known_at is None else "metric_versions_as_known"
    rows = await (await connection.execute(QUERIES[name], {"known_at": known_at})).fetchall()
    return [MetricVersion(id, definition_from_json(document), start, end) for id, document, start, end in rows]


async def changes_since(connection: Connection, since: datetime) -> list[datetime]:
    """The instants after `since` at which metrics were defined, changed or ended, oldest first."""
    rows = await (await connection.execute(QUERIES["metric_changes"], {"since": since})).fetchall()
    return [row[0] for row in rows]
