"""On whose behalf the database is asked: everybody's, or one team's alone.

Inside `as_team`, every transaction takes on a role that owns nothing and may only read, and that PostgreSQL shows the
rows of one team, by policies on the tables themselves. A statement that forgets to ask for a team, or asks for another
one, finds nothing. Outside of it nothing is different, and nothing costs anything.

The role belongs to one database: its name is made of the database's. Roles are known to a whole server, and one that
several databases share would let the owner of one of them read in the others.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

TEAM: ContextVar[str | None] = ContextVar("tallystick.team", default=None)
"""The team that the database shows in this context; None: every team."""

LONGEST_NAME = 63
_PREFIX = "tallystick_portal_"


@contextmanager
def as_team(team_id: str) -> Iterator[None]:
    """See this team's rows and nobody else's while the block runs, whatever is asked."""
    token = TEAM.set(team_id)
    try:
        yield
    finally:
        TEAM.reset(token)


def role_of(database: str) -> str:
    """The role that is taken on in the database of this name."""
    name = _PREFIX + database
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return _PREFIX + hashlib.sha256(database.encode()).hexdigest()[:32]
