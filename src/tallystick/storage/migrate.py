"""Brings a database to this version's schema, once, however many processes start together."""

from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import StaticPool

from tallystick.core.errors import StorageError
from tallystick.storage.queries import Queries

OLDEST_SERVER = 150_000
_MIGRATION_LOCK = 7_461_000


def migrate(url: str) -> None:
    """Run every outstanding migration in one transaction.

    Raises:
        StorageError: the server can't be reached or is older than PostgreSQL 15, or the database was
            written by a newer Tallystick.
    """
    with _connect(url) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            found = connection.info.parameter_status("server_version")
            raise StorageError(f"PostgreSQL {found} is too old; Tallystick needs 15 or newer")
        connection.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        connection.commit()
        try:
            _upgrade(connection)
        except sqlalchemy.exc.DBAPIError as error:
            raise _explained(error.orig or error, connection.info) from None
        except psycopg.Error as error:
            raise _explained(error, connection.info) from None
        _refuse_half_blind(connection)


def _refuse_half_blind(connection: psycopg.Connection) -> None:
    """Refuse a user who is shown no rows: who does not own the tables is subject to their row-level security."""
    found = connection.execute(Queries.load(__package__ or "")["half_blind"]).fetchone()
    if found is not None and found[0]:
        user, owner = connection.info.user, found[1]
        raise StorageError(
            f"user {user!r} does not own Tallystick's tables, so PostgreSQL would show it no rows of them; "
            f"connect as {owner!r}, or GRANT {owner} TO {user}"
        )


def _explained(error: BaseException, info: psycopg.ConnectionInfo) -> StorageError:
    """Why the schema could not be made or brought up to date."""
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return StorageError(
                f"user {info.user!r} may not create Tallystick's tables in database {info.dbname!r} "
                f"({first_line(error)}); make it the owner: ALTER DATABASE {info.dbname} OWNER TO {info.user}"
            )
        case psycopg.errors.DuplicateTable() | psycopg.errors.DuplicateFunction():
            return StorageError(
                f"database {info.dbname!r} holds something else already ({first_line(error)}); "
                "give Tallystick a database of its own"
            )
    return StorageError(f"the schema of database {info.dbname!r} could not be brought up to date: {first_line(error)}")


def _connect(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StorageError(f"can't connect to PostgreSQL: {first_line(error)}") from None
    except psycopg.ProgrammingError as error:
        raise StorageError(f"DATABASE_URL is not a PostgreSQL URL: {first_line(error)}") from None


def _upgrade(connection: psycopg.Connection) -> None:
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    config = Config(attributes={"connection": None})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.connect() as bound:
        _refuse_newer(MigrationContext.configure(bound).get_current_heads(), config)
        bound.rollback()
        config.attributes["connection"] = bound
        command.upgrade(config, "head")
        bound.commit()


def _refuse_newer(heads: tuple[str, ...], config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if newer := set(heads) - known:
        raise StorageError(
            f"the database has schema {', '.join(sorted(newer))}, which is newer than this Tallystick knows "
            f"({max(known)}); upgrade Tallystick or use another database"
        )


def first_line(error: BaseException) -> str:
    """The first line of a driver's message: the rest is for its developers."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
