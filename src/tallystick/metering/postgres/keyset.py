"""Where a page of events ends, as text, and the condition with which the next one goes on. Newest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from tallystick.core.errors import InvalidInput

AFTER_TIME = SQL("(e.occurred_at, e.id) < (%(after)s, %(after_id)s)")
"""What comes behind a position by time, of rows (e) that have both."""

AFTER_BATCH = SQL("(e.batch_id, e.position) < (%(after)s, %(after_id)s)")
"""What comes behind a position by batch and place in it, of rows (e) that have both."""


def time_position(occurred_at: datetime, event_id: UUID) -> tuple[str, str]:
    """The position of an event in a listing by when it happened."""
    return occurred_at.isoformat(), str(event_id)


def read_position(after: tuple[str, ...], *, by_time: bool) -> dict[str, Any]:
    """The parameters `after` and `after_id` of a position by time (instant and id), or by batch and place in it.

    Raises:
        InvalidInput: the position is of another listing.
    """
    try:
        first, second = after
        if by_time:
            return {"after": datetime.fromisoformat(first), "after_id": UUID(second)}
        return {"after": int(first), "after_id": int(second)}
    except ValueError:
        raise InvalidInput("the cursor is not one of this listing", field="cursor") from None
