"""What a portal token is, and what its text looks like: `tpt_<payload>.<signature>`.

The payload says which key signed it, the token's id, the team, the scopes and when it expires, and is signed with
HMAC-SHA-256. So a token is verified without asking the database; only whether it was revoked is in there.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from tallystick.http.principal import Mode, Principal, Scope

PREFIX = "tpt_"
LONGEST_TOKEN = 2048
ID_LENGTH = 16
KEY_BYTES = 32
PURPOSE = b"tallystick portal token 1\0"
"""Signed along, so that nothing else that was ever signed with a key is a token."""

ALLOWED = (Scope.READ,)
"""What a token may be used for. It never writes: see `tallystick.storage.tenancy`."""


class SigningKey(NamedTuple):
    """What tokens are signed with."""

    id: str
    secret: bytes


class ListedKey(NamedTuple):
    """A signing key without its secret; tokens that it signed are good until `needed_until`."""

    id: str
    created_at: datetime
    revoked_at: datetime | None
    needed_until: datetime | None


@dataclass(frozen=True, slots=True)
class PortalToken:
    """A token without what would let anybody in.

    Attributes:
        id: by which it is listed and revoked.
        key_id: what signed it.
        team_id: the team that it shows.
        scopes: what it may be used for.
        created_by: who asked for it.
        created_at: when.
        expires_at: from when on it is refused, in whole seconds.
        revoked_at: since when it is refused before that; None: it is not.
    """

    id: str
    key_id: str
    team_id: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewPortalToken:
    """A token that was made just now. Its text is shown once."""

    token: PortalToken
    text: str = field(repr=False)


class Claims(NamedTuple):
    """What a signed token says."""

    token_id: str
    team_id: str
    scopes: frozenset[Scope]
    expires_at: datetime

    @property
    def principal(self) -> Principal:
        """Who asks with it."""
        return Principal(self.token_id, "portal", self.scopes, self.team_id, Mode.PORTAL, self.expires_at)


def sign(token: PortalToken, key: SigningKey) -> str:
    """The text that a browser sends."""
    said = [key.id, token.id, token.team_id, [str(scope) for scope in token.scopes], int(token.expires_at.timestamp())]
    payload = _encoded(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{PREFIX}{payload}.{_encoded(_signature(payload, key))}"


def key_of(text: str) -> str | None:
    """The id of the key that a token says it was signed with; None: it is no token."""
    try:
        payload, _, _ = text.removeprefix(PREFIX).partition(".")
        key_id = json.loads(_decoded(payload))[0]
    except (ValueError, LookupError, TypeError, NotBase64, RecursionError):
        return None
    return key_id if isinstance(key_id, str) and text.startswith(PREFIX) and len(text) <= LONGEST_TOKEN else None


def read(text: str, key: SigningKey) -> Claims | None:
    """What the token says, if this key signed exactly this; nothing of it is looked at before that is known."""
    payload, _, signature = text.removeprefix(PREFIX).partition(".")
    if not hmac.compare_digest(signature.encode(), _encoded(_signature(payload, key)).encode()):
        return None
    _, token_id, team_id, scopes, expires = json.loads(_decoded(payload))
    allowed = frozenset(Scope(scope) for scope in scopes if scope in ALLOWED)
    return Claims(token_id, team_id, allowed, datetime.fromtimestamp(expires, tz=UTC))


def _signature(payload: str, key: SigningKey) -> bytes:
    return hmac.digest(key.secret, PURPOSE + payload.encode(), hashlib.sha256)


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
