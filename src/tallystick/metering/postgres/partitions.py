"""The monthly partitions of usage_events: UTC months, made ahead, and whenever an event needs one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from psycopg.sql import Identifier, Literal

from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
MONTHS_AHEAD = 3


class Partitions:
    """Knows which months exist, so that asking for one that does costs nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[tuple[int, int]] = set()

    async def ensure_ahead(self, now: datetime) -> None:
        """This month and the next three."""
        month = first_of_month(now)
        wanted = [month]
        for _ in range(MONTHS_AHEAD):
            wanted.append(next_month(wanted[-1]))
        await self._create(wanted)

    async def ensure(self, instants: Iterable[datetime]) -> None:
        """The months that these instants, in UTC, fall into."""
        missing = {(instant.year, instant.month) for instant in instants} - self._known
        if missing:
            await self._create([date(year, month, 1) for year, month in sorted(missing)])

    async def _create(self, months: Sequence[date]) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES["lock_partitions"])
            existing = await existing_months(connection)
            for month in months:
                if month not in existing:
                    await _create_month(connection, month)
        self._known.update((month.year, month.month) for month in (*existing, *months))


def first_of_month(instant: datetime) -> date:
    """The first day of the UTC month that the instant is in."""
    return instant.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=31)).replace(day=1)


async def existing_months(connection: Connection) -> list[date]:
    """The months that have a partition, oldest first."""
    rows = await (await connection.execute(QUERIES["partitions"])).fetchall()
    return [row[0] for row in rows]


async def _create_month(connection: Connection, month: date) -> None:
    slots = {
        "partition": Identifier(f"usage_events_{month:%Y_%m}"),
        "start": Literal(f"{month} 00:00:00Z"),
        "end": Literal(f"{next_month(month)} 00:00:00Z"),
    }
    await connection.execute(QUERIES["create_partition"].format(**slots))
    await connection.execute(QUERIES["attach_partition"].format(**slots))
    await connection.execute(QUERIES["tune_partition"].format(partition=slots["partition"]))
