"""`/api/portal`: administrators give out tokens for one team's browsers, list and revoke them, and change keys."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from tallystick.http.access import Administrator
from tallystick.http.answers import Instant
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope
from tallystick.portal.models import ListedKey, NewPortalToken, PortalToken
from tallystick.portal.service import LONGEST, SHORTEST, USUAL, Portal

router = APIRouter(prefix="/api/portal", tags=["keys"])


class TokenRequest(BaseModel):
    """A token to be given out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"team_id": "acme", "scopes": ["read"], "expires_in": 3600}]}
    )

    team_id: str = Field(min_length=1, max_length=255, description="The team that it shows.", examples=["acme"])
    scopes: list[Literal[Scope.READ]] = Field(
        default=[Scope.READ], min_length=1, max_length=10, description="What it may be used for."
    )
    expires_in: int = Field(
        default=int(USUAL.total_seconds()),
        ge=int(SHORTEST.total_seconds()),
        le=int(LONGEST.total_seconds()),
        description="How long it is good for, in seconds.",
        examples=[3600],
    )


class TokenAnswer(BaseModel):
    """A token, without what would let anybody in."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["0C5V9Q2M4KX0TB7H"])
    key_id: str = Field(description="What signed it.")
    team_id: str = Field(examples=["acme"])
    scopes: list[Scope] = Field(examples=[["read"]])
    created_by: str = Field(description="Who asked for it.", examples=["key:7Q2M4KX0TB"])
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = Field(description="Since when it is refused before that; null: it is not.")

    @classmethod
    def of(cls, token: PortalToken) -> Self:
        """The answer that shows it."""
        return cls.model_validate(token)


class NewTokenAnswer(TokenAnswer):
    """A token that was given out just now."""

    token: str = Field(description="What the browser sends. It is shown this once.", examples=["tpt_WyI3SzJN….mZ9v…"])

    @classmethod
    def made(cls, new: NewPortalToken) -> Self:
        """The answer that shows it with its text."""
        return cls(**TokenAnswer.of(new.token).model_dump(), token=new.text)


class TokensQuery(PageQuery):
    """Which tokens to list."""

    team_id: str | None = Field(default=None, max_length=255, description="Default: every team's.", examples=["acme"])


class RotationRequest(BaseModel):
    """How to change keys."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"revoke": False}]})

    revoke: bool = Field(
        default=False, description="Refuse every token that was given out before. Else they are good until they expire."
    )


class SigningKeyAnswer(BaseModel):
    """What tokens are signed with, without the secret."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    created_at: Instant
    revoked_at: Instant | None = Field(description="Since when nothing that it signed is believed; null: it is.")
    needed_until: Instant | None = Field(description="When the last token that it signed expires; null: there is none.")

    @classmethod
    def of(cls, key: ListedKey) -> Self:
        """The answer that shows it."""
        return cls.model_validate(key)


class SigningKeysAnswer(BaseModel):
    """The newest 100 keys, newest first; the first that is not revoked signs."""

    data: list[SigningKeyAnswer]


async def service(request: Request) -> Portal:
    """The application's."""
    return cast(Portal, request.app.state.portal)


Service = Annotated[Portal, Depends(service)]
TokenId = Annotated[str, Path(max_length=64, examples=["0C5V9Q2M4KX0TB7H"])]


@router.post("/tokens", status_code=status.HTTP_201_CREATED, responses={**BODY, **problems(404)})
async def create_portal_token(wanted: TokenRequest, portal: Service, who: Administrator) -> NewTokenAnswer:
    """Give out a token with which a browser sees one team, and nothing else. Scope: admin."""
    expires_in = timedelta(seconds=wanted.expires_in)
    return NewTokenAnswer.made(await portal.create(wanted.team_id, wanted.scopes, expires_in, by=who.actor))


@router.get("/tokens")
async def list_portal_tokens(
    query: Annotated[TokensQuery, Query()], portal: Service, _: Administrator
) -> Page[TokenAnswer]:
    """List tokens, expired ones of the last 30 days too, oldest first. Scope: admin."""
    after = decode_cursor(query.cursor, datetime, str) if query.cursor is not None else None
    rows = await portal.page(query.limit + 1, after=after, team_id=query.team_id)
    shown, cursor = cut(rows, query.limit, lambda token: (token.created_at, token.id))
    return Page(data=[TokenAnswer.of(token) for token in shown], next_cursor=cursor)


@router.delete(
    "/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=problems(404)
)
async def revoke_portal_token(token_id: TokenId, portal: Service, _: Administrator) -> None:
    """Revoke a token: this server refuses it at once, others within two seconds. Scope: admin."""
    await portal.revoke(token_id)


@router.get("/keys")
async def list_portal_keys(portal: Service, _: Administrator) -> SigningKeysAnswer:
    """List what tokens are signed with. Scope: admin."""
    return SigningKeysAnswer(data=[SigningKeyAnswer.of(key) for key in await portal.keys()])


@router.post("/keys/rotate", responses=BODY)
async def rotate_portal_keys(
    portal: Service, _: Administrator, wanted: RotationRequest | None = None
) -> SigningKeysAnswer:
    """Sign with a new key from now on. Scope: admin."""
    await portal.rotate(revoke=wanted is not None and wanted.revoke)
    return SigningKeysAnswer(data=[SigningKeyAnswer.of(key) for key in await portal.keys()])


@router.delete(
    "/keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=problems(404)
)
async def revoke_portal_key(key_id: Annotated[str, Path(max_length=64)], portal: Service, _: Administrator) -> None:
    """Refuse every token that a key signed. Scope: admin."""
    await portal.revoke_key(key_id)
