"""Where a page of events ends, as text, and the condition with which the next one goes on.

There are two orders, each with an index: by when events happened, and by when they were recorded, which is by
batch and place in it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composed

from tallystick.core.errors import InvalidInput

AFTER_TIME = SQL("(e.occurred_at, e.id) < (%(after)s, %(after_id)s)")
"""What comes behind a position by time, newest first, of rows (e) that have both."""

_COLUMNS: Mapping[bool, tuple[SQL, SQL]] = MappingProxyType(
    {True: (SQL("e.occurred_at"), SQL("e.id")), False: (SQL("e.batch_id"), SQL("e.position"))}
)


class Order(NamedTuple):
    """By time, or by batch and place in it; the oldest first or the newest."""

    by_time: bool
    ascending: bool = False

    def sql(self) -> Composed:
        """What stands behind ORDER BY, of rows (e) that have both columns."""
        direction = SQL("ASC") if self.ascending else SQL("DESC")
        first, second = _COLUMNS[self.by_time]
        return SQL("{} {direction}, {} {direction}").format(first, second, direction=direction)

    def columns(self) -> Composed:
        """The columns of a position."""
        return SQL("{}, {}").format(*_COLUMNS[self.by_time])

    def behind(self) -> Composed:
        """What comes behind the position `after`, `after_id`."""
        relation = SQL(">") if self.ascending else SQL("<")
        return SQL("({}) {} (%(after)s, %(after_id)s)").format(self.columns(), relation)


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
