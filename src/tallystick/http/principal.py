"""Who is asking, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tallystick.core.errors import Forbidden


class Scope(StrEnum):
    """What an API key may be used for. `admin` implies the other two."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


class Mode(StrEnum):
    """How somebody came in."""

    DEV = "dev"
    KEY = "key"
    PORTAL = "portal"


_CALLED = {Mode.DEV: "API key", Mode.KEY: "API key", Mode.PORTAL: "portal token"}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request: an API key, a portal token, or the developer in dev mode.

    Attributes:
        key_id: the public part of the key or token; never the secret.
        name: what the key's owner called it.
        scopes: what it may be used for.
        team_id: the only team it may touch; None: every team.
        mode: how it came in.
        expires_at: from when on it is refused; None: not by itself.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    team_id: str | None = None
    mode: Mode = Mode.KEY
    expires_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Who did it, as corrections and the log write it down."""
        return f"{'portal' if self.mode is Mode.PORTAL else 'key'}:{self.key_id}"

    @property
    def called(self) -> str:
        """What it is, as messages say it."""
        return f"{_CALLED[self.mode]} {self.key_id}"

    def allows(self, scope: Scope) -> bool:
        """Whether the scopes include this one."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope, team_id: str | None = None) -> None:
        """Pass when the caller has the scope and, where a team is named, may touch that team.

        Raises:
            Forbidden: otherwise; the message says which of the two.
        """
        if not self.allows(scope):
            has = ", ".join(sorted(self.scopes))
            raise Forbidden(f"this needs the scope {scope}; {self.called} has {has}")
        if team_id is not None and self.team_id not in (None, team_id):
            raise Forbidden(f"{self.called} is for team {self.team_id!r} alone")

    def require_every_team(self) -> None:
        """Pass when the caller is not bound to one team.

        Raises:
            Forbidden: it is.
        """
        if self.team_id is not None:
            raise Forbidden(f"{self.called} is for team {self.team_id!r} alone; this concerns every team")

    def team(self, named: str | None) -> str | None:
        """The team a request is about: the one it names, else the only one the key may touch; None: all.

        Raises:
            Forbidden: it names a team that the key may not touch.
        """
        if self.team_id is None:
            return named
        if named not in (None, self.team_id):
            raise Forbidden(f"{self.called} is for team {self.team_id!r} alone")
        return self.team_id


DEVELOPER = Principal("dev", "dev mode", frozenset({Scope.ADMIN}), mode=Mode.DEV)
"""Whoever asks in dev mode, which only answers this machine."""
