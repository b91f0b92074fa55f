"""A database that exists for as long as it is needed, beside the one that there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from tallystick.core.errors import StorageError

PREFIX = "tallystick_demo_"


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """The URL of an empty database on the same server; it is gone when the block is left.

    Raises:
        StorageError: the server can't be reached, or its user may not create databases.
    """
    name = Identifier(made := f"{PREFIX}{uuid4().hex[:12]}")
    _do(url, SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    try:
        yield make_conninfo(url, dbname=made)
    finally:
        _do(url, SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _do(url: str, statement: SQL | psycopg.sql.Composed) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
    except psycopg.Error as error:
        raise StorageError(f"a database for the demo: {str(error).splitlines()[0]}") from None
