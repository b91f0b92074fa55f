"""`/api/keys`: administrators make, list and revoke keys."""

from datetime import datetime
from typing import Annotated, Self, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from tallystick.http.access import Administrator
from tallystick.http.answers import Instant
from tallystick.http.keys.models import ApiKey
from tallystick.http.keys.service import LONGEST_NAME, KeyService
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/keys", tags=["keys"])


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "gateway", "scopes": ["ingest"], "team_id": None}]},
    )

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="What the key is for.")
    scopes: list[Scope] = Field(min_length=1, description="What it may be used for; `admin` implies the others.")
    team_id: str | None = Field(
        default=None, max_length=255, description="The only team it may touch. Not with the scope `admin`."
    )


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: str = Field(examples=["7Q2M4KX0TB"])
    name: str = Field(examples=["gateway"])
    scopes: list[Scope] = Field(examples=[["ingest"]])
    team_id: str | None = Field(description="The only team it may touch; null: every team.")
    created_at: Instant
    revoked_at: Instant | None = Field(description="Since when it is refused; null: it is in use.")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The answer that shows the key."""
        return cls.model_validate(key, from_attributes=True)


class NewKeyAnswer(KeyAnswer):
    """A key that was just made, with its secret."""

    key: str = Field(
        default="",
        description="What a client sends. It is shown this once: only a hash of it is kept.",
        examples=["tsk_7Q2M4KX0TB_9V3NXE6J0H2W5YTAKR8QZ4M1CDGBPFS7"],
    )


async def service(request: Request) -> KeyService:
    """The application's key service."""
    return cast(KeyService, request.app.state.keys)


Keys = Annotated[KeyService, Depends(service)]
KeyId = Annotated[str, Path(description="The public part of the key.", examples=["7Q2M4KX0TB"])]


@router.post("", status_code=status.HTTP_201_CREATED, responses=BODY)
async def create_key(wanted: KeyRequest, keys: Keys, _: Administrator) -> NewKeyAnswer:
    """Make a key. Scope: admin."""
    new = await keys.create(wanted.name, wanted.scopes, wanted.team_id)
    return NewKeyAnswer.of(new.key).model_copy(update={"key": new.token})


@router.get("")
async def list_keys(page: Annotated[PageQuery, Query()], keys: Keys, _: Administrator) -> Page[KeyAnswer]:
    """List keys, revoked ones too, oldest first. Scope: admin."""
    after = None
    if page.cursor is not None:
        after = decode_cursor(page.cursor, datetime, str)
    rows = await keys.page(page.limit + 1, after)
    shown, cursor = cut(rows, page.limit, lambda key: (key.created_at, key.id))
    return Page(data=[KeyAnswer.of(key) for key in shown], next_cursor=cursor)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=problems(404))
async def revoke_key(key_id: KeyId, keys: Keys, _: Administrator) -> None:
    """Revoke a key: this server refuses it at once, others within two seconds. Scope: admin."""
    await keys.revoke(key_id)
