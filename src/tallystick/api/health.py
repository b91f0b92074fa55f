"""`/health`: whether the process lives, and whether it can serve. Open to everybody, so they say no more."""

import asyncio
from typing import cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tallystick.core.errors import Unavailable
from tallystick.http.openapi import problems
from tallystick.storage.database import Database
from tallystick.storage.queries import Queries

PATIENCE = 2.0

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That all is well."""

    status: str = Field(examples=["ok"])


class Readiness:
    """Asks the database whether it answers, one caller at a time: strangers can't use up its connections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_at_a_time = asyncio.Lock()
        self._ping = Queries.load(__package__)["ping"]

    async def check(self) -> None:
        """Pass when the database answers.

        Raises:
            Unavailable: it does not, or not within two seconds.
        """
        try:
            async with asyncio.timeout(PATIENCE), self._one_at_a_time, self._database.snapshot() as tx:
                await tx.execute(self._ping)
        except TimeoutError:
            raise Unavailable(f"the database did not answer within {PATIENCE:g} s") from None


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def live() -> Health:
    """The process answers. For liveness probes; needs no key."""
    return Health(status="ok")


@router.head("/health/ready", include_in_schema=False)
@router.get("/health/ready", responses=problems(503))
async def ready(request: Request) -> Health:
    """The database answers too, so requests can be served. For readiness probes; needs no key."""
    await cast(Readiness, request.app.state.readiness).check()
    return Health(status="ok")
