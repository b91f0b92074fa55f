"""The database of one process: a pool of connections and the two kinds of transaction.

A `transaction` writes, at READ COMMITTED. A `snapshot` reads: every statement in it sees the same
moment, so usage made of roll-ups and of raw events can't count an event twice or not at all.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeAlias

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from tallystick.core.errors import Forbidden, StorageError, Unavailable
from tallystick.core.settings import Settings
from tallystick.storage.embedded import EmbeddedServer
from tallystick.storage.migrate import first_line, migrate
from tallystick.storage.queries import Queries
from tallystick.storage.tenancy import TEAM, role_of

log = logging.getLogger(__name__)
QUERIES = Queries.load(__package__ or "")

Connection: TypeAlias = AsyncConnection[tuple[Any, ...]]

PATIENCE: Mapping[str, Any] = MappingProxyType(
    {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
    }
)
"""Of a connection: the kernel's own would be hours."""

POOL_SECONDS = 10.0
"""How long a free connection is waited for."""

KEPT_FOR_WRITING = 3

WAITING_PER_CONNECTION = 50
"""Who would wait behind that many is told at once that there is no connection."""

RECONNECT_SECONDS = 5.0
"""For so long the pool tries by itself, with growing pauses; then whoever wants a connection makes it try again."""


class Database:
    """An open database. `url` is where it is; the embedded server behind it, if any, is released on close."""

    def __init__(self, url: str, pool: AsyncConnectionPool[Connection], server: EmbeddedServer | None) -> None:
        self.url = url
        self._pool = pool
        self._server = server
        self._readers = asyncio.Semaphore(max(1, pool.max_size - KEPT_FOR_WRITING))

    @classmethod
    async def open(cls, settings: Settings) -> "Database":
        """Connect to `DATABASE_URL`, or start the embedded PostgreSQL, and bring the schema up to date.

        Raises:
            StorageError: it can't be reached, started or migrated; the message says why.
        """
        server = None
        if settings.database_url is None:
            server = await asyncio.to_thread(EmbeddedServer.acquire, settings.data_dir)
        try:
            url = settings.database_url or (server.url if server else "")
            await asyncio.to_thread(migrate, url)
            return cls(url, await _open_pool(url, settings.pool_size), server)
        except BaseException:
            if server:
                server.release()
            raise

    async def close(self) -> None:
        """Close the pool and let go of the embedded server. May be called twice."""
        await self._pool.close()
        if self._server:
            await asyncio.to_thread(self._server.release)
            self._server = None

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that writes; committed when the block ends, rolled back when it raises."""
        async with self._connection() as connection, connection.transaction():
            await _narrow(connection)
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only transaction whose statements all see one moment.

        However much is read at once, some connections are left to write with.

        Raises:
            Unavailable: too much is being read.
        """
        async with self._reading(), self._connection() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            try:
                async with connection.transaction():
                    await _narrow(connection)
                    yield connection
            finally:
                if await _is_at_rest(connection):
                    await connection.set_isolation_level(None)
                    await connection.set_read_only(None)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(POOL_SECONDS):
                await self._readers.acquire()
        except TimeoutError:
            raise Unavailable("the database is busy with reading; try again", retry_after=1) from None
        try:
            yield
        finally:
            self._readers.release()

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Connection]:
        """A connection on which every statement is a transaction of its own: the least trips to the server.

        On behalf of one team they are one transaction: only that can be narrowed.
        """
        if TEAM.get() is not None:
            async with self.transaction() as tx:
                yield tx
            return
        async with self._connection() as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                if await _is_at_rest(connection):
                    await connection.set_autocommit(False)

    async def another_connection(self) -> Connection:
        """A connection outside of the pool, for what needs one for as long as it runs; the caller closes it.

        Raises:
            psycopg.OperationalError: the server can't be reached.
        """
        _refuse_narrowed()
        return await psycopg.AsyncConnection.connect(_patient(self.url), autocommit=True)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, for what is neither a transaction nor a snapshot.

        Raises:
            Unavailable: there is none free, or the server can't be reached.
            StorageError: the disk is full.
        """
        _refuse_narrowed()
        async with self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, TooManyRequests):
            raise Unavailable("the database has no free connection; try again", retry_after=1) from None
        except psycopg.errors.DiskFull as error:
            raise StorageError(f"the database's disk is full: {first_line(error)}") from error
        except psycopg.errors.InsufficientPrivilege as error:
            if TEAM.get() is not None:
                log.warning("refused on behalf of a team: %s", first_line(error))
                raise Forbidden("this concerns more than one team, and a portal token is for one alone") from None
            raise StorageError(f"the database's user lacks a right: {first_line(error)}") from error
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.QueryCanceled):
                raise
            raise Unavailable(f"the database is not reachable: {first_line(error)}", retry_after=2) from error


async def _narrow(connection: Connection) -> None:
    """Let the transaction that has just begun see what its context may."""
    if (team_id := TEAM.get()) is not None:
        values = {"role": role_of(connection.info.dbname), "team_id": team_id}
        await connection.execute(QUERIES["narrow"], values)


def _refuse_narrowed() -> None:
    """What is no transaction can't be narrowed."""
    if TEAM.get() is not None:
        raise Forbidden("this can't be done on behalf of one team")


async def _is_at_rest(connection: Connection) -> bool:
    """Whether its settings can be put back.

    One that was left in the middle of a statement, as where the server was lost inside a pipeline, is closed: the pool
    replaces it.
    """
    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
        return True
    await connection.close()
    return False


def _patient(url: str) -> str:
    """The URL with bounds on how long a dead server or network goes unnoticed, unless it has its own."""
    given = conninfo_to_dict(url)
    return make_conninfo(url, **{name: value for name, value in PATIENCE.items() if name not in given})


async def _open_pool(url: str, size: int) -> AsyncConnectionPool[Connection]:
    pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
        _patient(url),
        min_size=min(2, size),
        max_size=size,
        max_waiting=WAITING_PER_CONNECTION * size,
        timeout=POOL_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
        check=AsyncConnectionPool.check_connection,
        configure=_configure,
        name="tallystick",
    )
    try:
        await pool.open(wait=True, timeout=15)
    except PoolTimeout:
        await pool.close()
        raise StorageError("PostgreSQL did not accept a connection within 15 s") from None
    return pool


async def _configure(connection: Connection) -> None:
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.execute("SET jit = off")
    # Plans depend on which months and hours a statement touches: a generic plan would visit all of them.
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    await connection.commit()
