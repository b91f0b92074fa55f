"""`/api/session`: what a browser asks first. Who am I here, what may I do, and until when?"""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tallystick import __version__
from tallystick.http.access import Anybody
from tallystick.http.answers import Instant
from tallystick.http.principal import Mode, Principal, Scope

router = APIRouter(prefix="/api/session", tags=["keys"])


class SessionAnswer(BaseModel):
    """Who sent the request."""

    mode: Mode = Field(description="By an API key, by a portal token, or in dev mode, where no key is asked for.")
    name: str = Field(description="What the key's owner called it.", examples=["gateway"])
    team_id: str | None = Field(description="The only team it may touch; null: every team.", examples=["acme"])
    scopes: list[Scope] = Field(description="What it may be used for.", examples=[["read"]])
    expires_at: Instant | None = Field(description="From when on it is refused; null: not by itself.")
    version: str = Field(description="The server's version.", examples=[__version__])

    @classmethod
    def of(cls, principal: Principal) -> "SessionAnswer":
        """The answer about this caller."""
        return cls(
            mode=principal.mode,
            name=principal.name,
            team_id=principal.team_id,
            scopes=sorted(principal.scopes),
            expires_at=principal.expires_at,
            version=__version__,
        )


@router.get("")
async def get_session(principal: Anybody) -> SessionAnswer:
    """Show who the caller is. Any key or token may ask."""
    return SessionAnswer.of(principal)
