"""The statements about portal tokens and what signs them, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.errors import ForeignKeyViolation

from tallystick.core.clock import EARLIEST
from tallystick.core.errors import NotFound
from tallystick.http.principal import Scope
from tallystick.portal.models import ListedKey, PortalToken, SigningKey
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
BEGINNING = (EARLIEST, "")
MOST_KEYS = 100


class PortalStore:
    """Portal tokens in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def signing_key(self, fresh: SigningKey, now: datetime) -> SigningKey:
        """The key that signs; if there is none, this one from now on."""
        async with self._database.transaction() as tx:
            if (row := await self._row(tx, "newest_key")) is None:
                await tx.execute(QUERIES["lock_keys"])
                if (row := await self._row(tx, "newest_key")) is None:
                    await self._insert_key(tx, fresh, now)
                    return fresh
        return SigningKey(row[0], bytes(row[1]))

    async def rotate(self, fresh: SigningKey, now: datetime, *, revoke: bool) -> None:
        """Sign with this key from now on; with `revoke`, believe nothing that others signed."""
        async with self._database.transaction() as tx:
            await tx.execute(QUERIES["lock_keys"])
            await self._insert_key(tx, fresh, now)
            if revoke:
                rows = await (await tx.execute(QUERIES["other_keys"], {"id": fresh.id})).fetchall()
                await tx.execute(QUERIES["revoke_keys"], {"ids": [id for (id,) in rows], "now": now})

    async def revoke_key(self, key_id: str, now: datetime) -> bool:
        """Believe nothing any more that the key signed; says whether there is such a key."""
        async with self._database.transaction() as tx:
            return await self._row(tx, "revoke_keys", ids=[key_id], now=now) is not None

    async def keys(self) -> list[ListedKey]:
        """The newest keys."""
        async with self._database.snapshot() as tx:
            rows = await (await tx.execute(QUERIES["list_keys"], {"limit": MOST_KEYS})).fetchall()
        return [ListedKey(*row) for row in rows]

    async def believed(self, now: datetime) -> tuple[dict[str, SigningKey], frozenset[str]]:
        """The keys whose signatures are believed, and the tokens that are refused all the same."""
        async with self._database.transaction() as tx:
            keys = await (await tx.execute(QUERIES["believed_keys"])).fetchall()
            revoked = await (await tx.execute(QUERIES["revoked_tokens"], {"now": now})).fetchall()
        return {id: SigningKey(id, bytes(secret)) for id, secret in keys}, frozenset(id for (id,) in revoked)

    async def insert(self, token: PortalToken) -> None:
        """Write a token down.

        Raises:
            NotFound: there is no such team.
        """
        values = {
            "id": token.id,
            "key_id": token.key_id,
            "team_id": token.team_id,
            "scopes": [str(scope) for scope in token.scopes],
            "created_by": token.created_by,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        try:
            async with self._database.transaction() as tx:
                await tx.execute(QUERIES["insert_token"], values)
        except ForeignKeyViolation:
            raise NotFound(f"there is no team {token.team_id!r}") from None

    async def page(self, limit: int, after: tuple[datetime, str], team_id: str | None) -> list[PortalToken]:
        """Up to `limit` tokens after the position (created_at, id), oldest first."""
        values = {"created_at": after[0], "id": after[1], "limit": limit, "team_id": team_id}
        async with self._database.snapshot() as tx:
            rows = await (await tx.execute(QUERIES["list_tokens"], values)).fetchall()
        return [_token(row) for row in rows]

    async def revoke(self, token_id: str, now: datetime) -> bool:
        """Refuse a token from now on; says whether there is such a token."""
        async with self._database.transaction() as tx:
            return await self._row(tx, "revoke_token", id=token_id, now=now) is not None

    async def forget(self, before: datetime) -> None:
        """Delete what expired before the instant."""
        async with self._database.transaction() as tx:
            await tx.execute(QUERIES["forget_tokens"], {"before": before})

    async def _insert_key(self, tx: Connection, key: SigningKey, now: datetime) -> None:
        await tx.execute(QUERIES["insert_key"], {"id": key.id, "secret": key.secret, "now": now})

    async def _row(self, tx: Connection, name: str, **values: Any) -> tuple[Any, ...] | None:
        return await (await tx.execute(QUERIES[name], values)).fetchone()


def _token(row: Sequence[Any]) -> PortalToken:
    id, key_id, team_id, scopes, *rest = row
    return PortalToken(id, key_id, team_id, tuple(Scope(scope) for scope in scopes), *rest)
