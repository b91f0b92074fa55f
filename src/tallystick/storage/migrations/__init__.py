"""The schema's history: plain SQL files, run in order by Alembic."""

from importlib.resources import files

import psycopg
from alembic import op
from psycopg.sql import SQL


def run_sql(name: str) -> None:
    """Run a SQL file of `versions` inside the migration's transaction, as it stands."""
    script = files(__package__ or "").joinpath("versions", name).read_text(encoding="utf-8")
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(SQL(script))
