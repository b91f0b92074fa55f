"""Recording after what is sealed: for records that decide what usage comes to, beside usage itself.

A period is closed with what was recorded up to a sealed instant (`EventStore.seal`). Usage keeps to it by
itself: a batch that commits later is recorded later. Whatever else a statement is made of (definitions,
prices, subscriptions) keeps to it by asking here when it is recorded.
"""

from datetime import datetime

from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")


async def recording_at(tx: Connection, now: datetime) -> datetime:
    """When what this transaction writes is recorded: `now`, or right after the last sealed instant.

    From here until the transaction ends nothing is sealed, so keep it short.
    """
    await tx.execute(QUERIES["hold_seal"])
    row = await (await tx.execute(QUERIES["recording_at"], {"now": now})).fetchone()
    assert row is not None, "the migration puts one row there"
    recorded_at: datetime = row[0]
    return recorded_at
