"""The statements about API keys, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.errors import ForeignKeyViolation

from tallystick.core.clock import EARLIEST
from tallystick.core.errors import InvalidInput
from tallystick.http.keys.models import ApiKey, StoredKey
from tallystick.http.principal import Scope
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

BEGINNING = (EARLIEST, "")
"""The position before the first key."""


class KeyStore:
    """API keys in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load(__package__)

    async def insert(self, stored: StoredKey) -> None:
        """Add a key.

        Raises:
            InvalidInput: its team does not exist.
        """
        try:
            async with self._database.transaction() as tx:
                await self._insert(tx, stored)
        except ForeignKeyViolation:
            raise InvalidInput(f"there is no team {stored.key.team_id!r}", field="team_id") from None

    async def insert_first(self, stored: StoredKey) -> bool:
        """Add a key if there was never one; says whether it did. Processes that start together agree."""
        async with self._database.transaction() as tx:
            await tx.execute(self._queries["lock_keys"])
            if (await (await tx.execute(self._queries["any_key"])).fetchone()) == (True,):
                return False
            await self._insert(tx, stored)
            return True

    async def find(self, key_id: str) -> StoredKey | None:
        """The key of that id."""
        async with self._database.statements() as tx:  # senders of events need it, too, when reading is busy
            row = await (await tx.execute(self._queries["find_key"], {"id": key_id})).fetchone()
        return StoredKey(_key(row[:-1]), row[-1]) if row else None

    async def page(self, after: tuple[datetime, str], limit: int) -> list[ApiKey]:
        """Up to `limit` keys made after the position (created_at, id), oldest first."""
        position = {"created_at": after[0], "id": after[1], "limit": limit}
        async with self._database.snapshot() as tx:
            rows = await (await tx.execute(self._queries["list_keys"], position)).fetchall()
        return [_key(row) for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        """The key, refused since `at` or since before; None: there is none."""
        values = {"id": key_id, "revoked_at": at}
        async with self._database.transaction() as tx:
            row = await (await tx.execute(self._queries["revoke_key"], values)).fetchone()
        return _key(row) if row else None

    async def _insert(self, tx: Connection, stored: StoredKey) -> None:
        key = stored.key
        values = {
            "id": key.id,
            "name": key.name,
            "secret_hash": stored.secret_hash,
            "scopes": [str(scope) for scope in key.scopes],
            "team_id": key.team_id,
            "created_at": key.created_at,
        }
        await tx.execute(self._queries["insert_key"], values)


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, name, scopes, team_id, created_at, revoked_at = row
    return ApiKey(key_id, name, tuple(Scope(scope) for scope in scopes), team_id, created_at, revoked_at)
