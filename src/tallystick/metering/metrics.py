"""The metrics of the catalogue, as the ledger has them."""

from tallystick.metering.definitions import definition_from_json
from tallystick.metering.models import MetricVersion
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def metric_versions(connection: Connection) -> list[MetricVersion]:
    """Every metric version in force, by metric, oldest first."""
    rows = await (await connection.execute(QUERIES["metric_versions"])).fetchall()
    return [MetricVersion(id, definition_from_json(document), start, end) for id, document, start, end in rows]
