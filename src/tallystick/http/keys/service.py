"""Makes, lists, revokes and verifies API keys.

What the database says about a key is believed for `REMEMBERED` seconds, so a busy key costs one look-up in
two seconds and not one per request. A revocation by this process is in force at once, one by another
process after at most that long.

While the database does not answer, a key that it knew is believed for `BELIEVED` seconds, so that those
endpoints go on which can do without (checks of limits, and answers that say that it is away).
"""

import asyncio
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, NotFound, StorageError, Unauthorized, Unavailable
from tallystick.http.keys.models import (
    ApiKey,
    NewApiKey,
    StoredKey,
    hash_secret,
    is_key_id,
    new_token,
    read_token,
    write_token,
)
from tallystick.http.keys.store import BEGINNING, KeyStore
from tallystick.http.principal import Principal, Scope
from tallystick.storage.database import Database

REMEMBERED = 2.0
BELIEVED = 600.0
PATIENCE = 2.0
"""Seconds that a key which was known before waits for the database, and not again after it has failed just now."""

JUST_NOW = 10.0

MOST_REMEMBERED = 4096
"""Ids that are remembered, known or not, so that made-up ones can't fill the memory."""

LONGEST_NAME = 200
FIRST_KEY_NAME = "first admin key"


@dataclass(frozen=True, slots=True)
class _Lookup:
    """What the database said, or is about to say, about one id; asked at `since` on the monotonic clock."""

    since: float
    answer: asyncio.Future[StoredKey | None]


class KeyService:
    """API keys of one installation."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = KeyStore(database)
        self._clock = clock
        self._monotonic = monotonic
        self._lookups: dict[str, _Lookup] = {}
        self._known: dict[str, tuple[float, StoredKey]] = {}
        self._failed_at = float("-inf")

    async def create(self, name: str, scopes: Iterable[Scope], team_id: str | None = None) -> NewApiKey:
        """Make a key.

        Args:
            name: what it is for.
            scopes: what it may be used for, at least one.
            team_id: the only team it may touch; None: every team.

        Raises:
            InvalidInput: no or an unusable name, no scope, a team that does not exist, or admin for one team.
        """
        new, stored = self._make(name, scopes, team_id)
        await self._store.insert(stored)
        return new

    async def create_first(self) -> NewApiKey | None:
        """An admin key, if this installation never had a key."""
        new, stored = self._make(FIRST_KEY_NAME, [Scope.ADMIN], None)
        return new if await self._store.insert_first(stored) else None

    async def page(self, limit: int, after: tuple[datetime, str] | None = None) -> Sequence[ApiKey]:
        """Up to `limit` keys, revoked ones too, oldest first, after the position (created_at, id)."""
        return await self._store.page(after or BEGINNING, limit)

    async def revoke(self, key_id: str) -> ApiKey:
        """Refuse a key from now on. Revoking it again changes nothing.

        Raises:
            NotFound: there is no key of that id.
        """
        key = await self._store.revoke(key_id, self._clock.now()) if is_key_id(key_id) else None
        self._lookups.pop(key_id, None)
        self._known.pop(key_id, None)
        if key is None:
            raise NotFound(f"there is no API key {key_id!r}")
        return key

    async def verify(self, token: str) -> Principal:
        """Who sent the token.

        Raises:
            Unauthorized: it is no key, not a known one, or a revoked one.
        """
        if (parts := read_token(token)) is None:
            raise Unauthorized("this is not an API key; one looks like tsk_<id>_<secret>")
        key_id, secret = parts
        stored = await self._find(key_id)
        if stored is None or not hmac.compare_digest(stored.secret_hash, hash_secret(secret)):
            raise Unauthorized("this API key is not known")
        if stored.key.revoked_at is not None:
            raise Unauthorized(f"API key {key_id} was revoked")
        return stored.principal

    def _make(self, name: str, scopes: Iterable[Scope], team_id: str | None) -> tuple[NewApiKey, StoredKey]:
        key_id, secret = new_token()
        chosen = tuple(sorted(set(scopes)))
        _check(name, chosen, team_id)
        key = ApiKey(key_id, name, chosen, team_id, self._clock.now())
        return NewApiKey(key, write_token(key_id, secret)), StoredKey(key, hash_secret(secret))

    async def _find(self, key_id: str) -> StoredKey | None:
        lookup = self._lookups.get(key_id)
        if lookup is None or (lookup.answer.done() and self._monotonic() - lookup.since >= REMEMBERED):
            lookup = self._look_up(key_id)
        if lookup.answer.done():
            return lookup.answer.result()
        if (known := self._believed(key_id)) is None:
            return await asyncio.shield(lookup.answer)  # others wait for it too: one that leaves must not end it
        try:
            return await asyncio.wait_for(asyncio.shield(lookup.answer), self._patience(lookup))
        except (Unavailable, StorageError, TimeoutError):
            return known

    def _patience(self, lookup: _Lookup) -> float:
        """How many seconds a look-up is worth waiting for where there is something else to believe."""
        now = self._monotonic()
        return 0.0 if now - self._failed_at < JUST_NOW else max(PATIENCE - (now - lookup.since), 0.0)

    def _believed(self, key_id: str) -> StoredKey | None:
        """What was known of a key not too long ago."""
        since, stored = self._known.get(key_id, (float("-inf"), None))
        return stored if self._monotonic() - since < BELIEVED else None

    def _look_up(self, key_id: str) -> _Lookup:
        now = self._monotonic()
        lookup = _Lookup(now, asyncio.ensure_future(self._store.find(key_id)))
        self._forget(now)
        self._lookups[key_id] = lookup
        lookup.answer.add_done_callback(lambda answer: self._settle(key_id, lookup, answer))
        return lookup

    def _settle(self, key_id: str, lookup: _Lookup, answer: asyncio.Future[StoredKey | None]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        self._failed_at = self._monotonic() if failed else float("-inf")
        if self._lookups.get(key_id) is not lookup:
            return  # it was revoked here
        if failed:
            del self._lookups[key_id]  # the next request asks again
        elif (stored := answer.result()) is not None:
            self._known[key_id] = (lookup.since, stored)
        else:
            self._known.pop(key_id, None)

    def _forget(self, now: float) -> None:
        if len(self._lookups) < MOST_REMEMBERED:
            return
        fresh = {key_id: each for key_id, each in self._lookups.items() if now - each.since < REMEMBERED}
        self._lookups = fresh if len(fresh) < MOST_REMEMBERED else {}
        if len(self._known) >= MOST_REMEMBERED:
            self._known = {}


def _check(name: str, scopes: Sequence[Scope], team_id: str | None) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"a key's name has 1 to {LONGEST_NAME} printable characters", field="name")
    if not scopes:
        raise InvalidInput(f"a key needs a scope: {', '.join(Scope)}", field="scopes")
    if team_id is not None and Scope.ADMIN in scopes:
        message = "the scope admin is for every team; leave out the team, or use ingest and read"
        raise InvalidInput(message, field="scopes")
    if team_id is not None and not team_id.isprintable():
        raise InvalidInput(f"there is no team {team_id!r}", field="team_id")
