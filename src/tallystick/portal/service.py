"""Gives portal tokens out, verifies and revokes them, and changes what they are signed with.

Which keys and which revocations there are is believed for `REMEMBERED` seconds, so that a revocation by this process is
in force at once and one by another within that time. While the database does not answer, what was known is believed for
`BELIEVED` seconds more, and then no token is.
"""

import asyncio
import contextvars
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, NotFound, StorageError, Unauthorized, Unavailable
from tallystick.core.ids import new_secret
from tallystick.http.principal import Principal, Scope
from tallystick.portal.models import (
    ALLOWED,
    ID_LENGTH,
    KEY_BYTES,
    LONGEST_TOKEN,
    ListedKey,
    NewPortalToken,
    PortalToken,
    SigningKey,
    key_of,
    read,
    sign,
)
from tallystick.portal.role import prepare
from tallystick.portal.store import BEGINNING, PortalStore
from tallystick.storage.database import Database

REMEMBERED = 2.0
BELIEVED = 60.0

SHORTEST = timedelta(seconds=60)
USUAL = timedelta(hours=1)
LONGEST = timedelta(hours=24)
LISTED_FOR = timedelta(days=30)

Known = tuple[dict[str, SigningKey], frozenset[str]]


class Portal:
    """Portal tokens of one installation."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._store = PortalStore(database)
        self._clock = clock
        self._monotonic = monotonic
        self._known: Known = ({}, frozenset())
        self._since = float("-inf")
        self._asked: asyncio.Task[None] | None = None
        self._is_prepared = False

    async def create(
        self, team_id: str, scopes: Sequence[Scope] = ALLOWED, expires_in: timedelta = USUAL, *, by: str = ""
    ) -> NewPortalToken:
        """Give a token out.

        Args:
            team_id: the team that it shows.
            scopes: what it may be used for: `read`.
            expires_in: how long it is good for, from a minute to a day, in whole seconds.
            by: who asked for it.

        Raises:
            InvalidInput: a scope or a length of time that is not possible.
            NotFound: there is no such team.
            PortalNotReady: the database can't show one team alone; the message says what to do.
        """
        chosen = _checked(team_id, scopes, expires_in)
        await self._prepare()
        now = self._clock.now()
        key = await self._store.signing_key(_new_key(), now)
        expires_at = now.replace(microsecond=0) + expires_in
        token = PortalToken(new_secret(ID_LENGTH), key.id, team_id, chosen, by, now, expires_at)
        text = sign(token, key)
        if len(text) > LONGEST_TOKEN:
            raise InvalidInput("the team's id makes the token too long", field="team_id")
        await self._store.insert(token)
        await self._store.forget(now - LISTED_FOR)
        return NewPortalToken(token, text)

    async def verify(self, text: str) -> Principal:
        """Who sent the token.

        Raises:
            Unauthorized: it is no token, is not signed by a key that is believed, has expired or was revoked.
        """
        if (key_id := key_of(text)) is None:
            raise Unauthorized("this is not a portal token; one looks like tpt_<payload>.<signature>")
        keys, revoked = await self._current()
        claims = read(text, keys[key_id]) if key_id in keys else None
        if claims is None:
            raise Unauthorized("this portal token is not known")
        if claims.expires_at <= self._clock.now():
            raise Unauthorized(f"portal token {claims.token_id} has expired")
        if claims.token_id in revoked:
            raise Unauthorized(f"portal token {claims.token_id} was revoked")
        await self._prepare()
        return claims.principal

    async def page(
        self, limit: int, *, after: tuple[datetime, str] | None = None, team_id: str | None = None
    ) -> list[PortalToken]:
        """Up to `limit` tokens, expired ones of the last 30 days too, oldest first, after (created_at, id)."""
        return await self._store.page(limit, after or BEGINNING, team_id)

    async def revoke(self, token_id: str) -> None:
        """Refuse a token from now on. Revoking it again changes nothing.

        Raises:
            NotFound: there is none of that id.
        """
        found = await self._store.revoke(token_id, self._clock.now()) if token_id.isalnum() else False
        self._forget()
        if not found:
            raise NotFound(f"there is no portal token {token_id!r}")

    async def keys(self) -> list[ListedKey]:
        """What tokens are and were signed with, newest first."""
        return await self._store.keys()

    async def rotate(self, *, revoke: bool = False) -> SigningKey:
        """Sign with a new key from now on.

        Args:
            revoke: refuse every token that was given out before, at once. Otherwise they are good until they expire.
        """
        fresh = _new_key()
        await self._store.rotate(fresh, self._clock.now(), revoke=revoke)
        self._forget()
        return fresh

    async def revoke_key(self, key_id: str) -> None:
        """Refuse every token that the key signed. If it is the newest, the next token is signed with a new one.

        Raises:
            NotFound: there is no such key.
        """
        found = await self._store.revoke_key(key_id, self._clock.now()) if key_id.isalnum() else False
        self._forget()
        if not found:
            raise NotFound(f"there is no signing key {key_id!r}")

    async def _prepare(self) -> None:
        if not self._is_prepared:
            await asyncio.shield(_outside(prepare(self._database)))
            self._is_prepared = True

    def _forget(self) -> None:
        self._since, self._asked = float("-inf"), None

    async def _current(self) -> Known:
        age = self._monotonic() - self._since
        if age < REMEMBERED:
            return self._known
        if self._asked is None or self._asked.done():
            self._asked = _outside(self._look(self._monotonic()))
        try:
            await asyncio.shield(self._asked)
        except (Unavailable, StorageError):
            if age > BELIEVED:
                raise
        return self._known

    async def _look(self, now: float) -> None:
        known = await self._store.believed(self._clock.now())
        if asyncio.current_task() is self._asked:  # else something was revoked here meanwhile
            self._known, self._since = known, now


def _outside(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """The work, seeing the whole database: it is not done on behalf of whoever happens to ask first."""
    return asyncio.create_task(work, context=contextvars.Context())


def _new_key() -> SigningKey:
    return SigningKey(new_secret(ID_LENGTH), secrets.token_bytes(KEY_BYTES))


def _checked(team_id: str, scopes: Sequence[Scope], expires_in: timedelta) -> tuple[Scope, ...]:
    chosen = tuple(sorted(set(scopes)))
    if not chosen or not set(chosen) <= set(ALLOWED):
        raise InvalidInput(f"a portal token has the scopes {', '.join(ALLOWED)}, and no other", field="scopes")
    if not SHORTEST <= expires_in <= LONGEST:
        raise InvalidInput("expires_in is between 60 and 86400 seconds", field="expires_in")
    if not team_id.isprintable():
        raise NotFound(f"there is no team {team_id!r}")
    return chosen
