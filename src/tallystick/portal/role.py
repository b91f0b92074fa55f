"""The role that the database shows one team to: made, kept harmless, and allowed to read.

It is made when the first token is asked for, and looked at once by every process that verifies one. Where the
database's user may not make roles, somebody who may does it once, and the error says how.
"""

from collections.abc import Sequence
from typing import NoReturn

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from tallystick.core.errors import Unavailable
from tallystick.portal.store import QUERIES
from tallystick.storage.database import Connection, Database
from tallystick.storage.tenancy import role_of

COMMON = (
    "enforcement_policies",
    "exchange_rates",
    "ingest_batches",
    "metric_version_ends",
    "metric_versions",
    "metrics",
    "plan_terms",
    "plans",
    "usage_seal",
)
"""Tables that say nothing of any team, and are read to show one."""

HIDDEN = ("portal_tokens",)
"""Tables of which a team has rows, and its browsers no business with."""


class PortalNotReady(Unavailable):
    """The database has no role to show one team to."""

    code = "portal_not_ready"


async def prepare(database: Database) -> None:
    """Make sure of the role and of what it may read.

    Raises:
        PortalNotReady: the role is missing and this user may not make it, or it can do more than it should.
    """
    async with database.transaction() as tx:
        role = role_of(tx.info.dbname)
        await tx.execute(QUERIES["lock_keys"])  # one process at a time
        await _make(tx, role)
        await _check(tx, role)
        await _let_read(tx, role)


async def _make(tx: Connection, role: str) -> None:
    name, user = Identifier(role), Identifier(tx.info.user)
    [exists] = await _one(tx, "role_exists", role)
    with_it = [] if exists else [SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(name)]
    if not exists or not await _may(tx, [SQL("SET LOCAL ROLE {}").format(name), SQL("RESET ROLE")]):
        with_it.append(SQL("GRANT {} TO {}").format(name, user))
    if with_it and not await _may(tx, with_it):
        _not_ready(role, tx.info.user)


async def _may(tx: Connection, statements: Sequence[Composed | SQL]) -> bool:
    """Run the statements, all or none; whether this user may."""
    try:
        async with tx.transaction():
            for statement in statements:
                await tx.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # another process made it just now
    return True


async def _check(tx: Connection, role: str) -> None:
    [harmless] = await _one(tx, "is_harmless", role)
    if not harmless:
        raise PortalNotReady(
            f"the role {role} can log in, owns something, is a member of another role, or gets around row-level "
            f"security; tokens are not accepted until it can't: drop it, and let it be made anew",
            retry_after=60,
        )


async def _let_read(tx: Connection, role: str) -> None:
    rows = await (await tx.execute(QUERIES["readable"], {"common": list(COMMON)})).fetchall()
    tables = SQL(", ").join(Identifier(table) for (table,) in rows if table not in HIDDEN)
    name = Identifier(role)
    await tx.execute(SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name))
    await tx.execute(SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
    await tx.execute(SQL("GRANT SELECT ON {} TO {}").format(tables, name))


async def _one(tx: Connection, name: str, role: str) -> tuple[bool, ...]:
    row = await (await tx.execute(QUERIES[name], {"role": role})).fetchone()
    return tuple(bool(each) for each in row or (False,))


def _not_ready(role: str, user: str) -> NoReturn:
    raise PortalNotReady(
        f"the portal needs a role that database user {user!r} may not make; let somebody who may do it once: "
        f'CREATE ROLE "{role}" NOLOGIN NOINHERIT; GRANT "{role}" TO "{user}"',
        retry_after=60,
    ) from None
