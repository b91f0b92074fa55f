"""What an API key is, and what its text looks like: `tsk_<id>_<secret>`."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from tallystick.core.ids import ALPHABET, new_secret
from tallystick.http.principal import Principal, Scope

ID_LENGTH = 10
SECRET_LENGTH = 32
"""160 random bits, so a plain SHA-256 of it can't be searched."""

_TOKEN = re.compile(rf"tsk_([{ALPHABET}]{{{ID_LENGTH}}})_([{ALPHABET}]{{{SECRET_LENGTH}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret.

    Attributes:
        id: the public part, by which it is listed and revoked.
        name: what it is for, in its owner's words.
        scopes: what it may be used for, sorted.
        team_id: the only team it may touch; None: every team.
        created_at: when it was made.
        revoked_at: since when it is refused; None: it is in use.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    team_id: str | None
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was made just now. Its token is shown once: nothing can bring it back."""

    key: ApiKey
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the database has it, and who asks when it is sent."""

    key: ApiKey
    secret_hash: bytes = field(repr=False)
    principal: Principal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = self.key  # made here and not when asked: every request asks
        principal = Principal(key.id, key.name, frozenset(key.scopes), key.team_id)
        object.__setattr__(self, "principal", principal)


def new_token() -> tuple[str, str]:
    """A new key's id and secret."""
    return new_secret(ID_LENGTH), new_secret(SECRET_LENGTH)


def write_token(key_id: str, secret: str) -> str:
    """The text a client sends."""
    return f"tsk_{key_id}_{secret}"


def read_token(token: str) -> tuple[str, str] | None:
    """Id and secret of a well-formed token, else None."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else None


def is_key_id(text: str) -> bool:
    """Whether a key could have this id."""
    return len(text) == ID_LENGTH and set(text) <= set(ALPHABET)


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()
