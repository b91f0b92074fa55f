"""The way in: a notification is stored in the transaction that decided it, and told only if that commits."""

from collections.abc import Sequence

from tallystick.http.answers import dumps
from tallystick.notifications.models import Notification
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries


async def enqueue(connection: Connection, notifications: Sequence[Notification]) -> int:
    """Store notifications in the caller's transaction; they are sent after it has committed.

    Args:
        connection: inside a transaction.
        notifications: a key that was stored before, at whatever time, is passed over.

    Returns:
        How many were new.

    Raises:
        TypeError: a content holds what JSON has no text for.
        ValueError: a content holds a float that is no number.
    """
    if not notifications:
        return 0
    rows = dumps([each._asdict() for each in notifications]).decode()
    stored = await connection.execute(Queries.load(__package__)["enqueue"], {"notifications": rows})
    return stored.rowcount
