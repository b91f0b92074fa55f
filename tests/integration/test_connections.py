"""Connections of the pool: each is given back as it was taken, or not at all."""

import psycopg
import pytest

from tallystick.core.errors import Unavailable
from tallystick.core.settings import Settings
from tallystick.storage.database import Database

SESSION = "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"


@pytest.mark.parametrize("kind", ["statements", "snapshot"])
async def test_a_connection_that_is_lost_in_the_middle_of_a_statement_is_unavailable_and_replaced(
    database_url: str, kind: str
) -> None:
    async with await Database.open(Settings(database_url=database_url, pool_size=3)) as database:
        for _ in range(4):
            with pytest.raises(Unavailable, match="not reachable: lost"):
                await lose(database, kind)
        async with database.transaction() as connection:
            assert not connection.autocommit
            assert await (await connection.execute(SESSION)).fetchone() == ("read committed", "off")


async def lose(database: Database, kind: str) -> None:
    async with getattr(database, kind)() as connection:
        connection.pgconn.send_query(b"SELECT pg_sleep(60)")  # which nobody awaits, as in a broken pipeline
        raise psycopg.OperationalError("lost")
