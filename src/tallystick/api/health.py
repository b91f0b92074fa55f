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
    """Asks the database whether it answers, one question at a time: strangers can't use up its connections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: asyncio.Task[None] | None = None
        self._ping = Queries.load(__package__)["ping"]

    async def check(self) -> None:
        """Pass when the database answers.

        Raises:
            Unavailable: it does not, or not within two seconds.
        """
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._ask())
            self._asked.add_done_callback(_heard)
        asked = self._asked
        await asyncio.wait({asked}, timeout=PATIENCE)
        if not asked.done():
            asked.cancel()  # that takes some time, too, which nobody has to wait for
        if not asked.done() or asked.cancelled():
            raise Unavailable(f"the database did not answer within {PATIENCE:g} s")
        asked.result()

    async def _ask(self) -> None:
        async with self._database.transaction() as tx:  # reading may be busy, and all is well
            await tx.execute(self._ping)


def _heard(asked: asyncio.Task[None]) -> None:
    """Nobody may be waiting for the answer any more; it is no error that nobody hears it."""
    if not asked.cancelled():
        asked.exception()


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
