"""The statements about events of Stripe's, run."""

from datetime import datetime
from typing import NamedTuple

from tallystick.integrations.stripe.webhooks.models import Told
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


class Claimed(NamedTuple):
    """An event to be looked at: what happened, how often it was tried, this time included, and when it came."""

    told: Told
    attempts: int
    received_at: datetime


async def keep(tx: Connection, told: Told, now: datetime) -> bool:
    """Keep that something happened; whether that was new."""
    return (await tx.execute(QUERIES["keep"], {**told._asdict(), "now": now})).rowcount == 1


async def claim(tx: Connection, now: datetime, until: datetime) -> Claimed | None:
    """An event that nobody has looked at, if there is one."""
    row = await (await tx.execute(QUERIES["claim"], {"now": now, "until": until})).fetchone()
    return Claimed(Told(*row[:6]), *row[6:]) if row else None


async def processed(tx: Connection, id: str, outcome: str, now: datetime) -> None:
    """It was looked at."""
    await tx.execute(QUERIES["processed"], {"id": id, "outcome": outcome, "now": now})


async def put_off(tx: Connection, id: str, outcome: str, next_at: datetime) -> None:
    """It is looked at later."""
    await tx.execute(QUERIES["put_off"], {"id": id, "outcome": outcome, "next_at": next_at})


async def tidy(tx: Connection, before: datetime) -> None:
    """Forget what was looked at before a moment."""
    await tx.execute(QUERIES["tidy"], {"before": before})
