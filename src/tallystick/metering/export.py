"""Events as a file: CSV for spreadsheets, or NDJSON with exactly what the API answers for each."""

import csv
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from io import StringIO
from typing import Any

import msgspec

from tallystick.metering.event_store import EventPage
from tallystick.metering.models import UsageEvent
from tallystick.metering.views import event_view


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def media_type(self) -> str:
        """The file's type."""
        return "text/csv; header=present; charset=utf-8" if self is Format.CSV else "application/x-ndjson"


class Column(StrEnum):
    """What of an event can be in the file, in the order of the file."""

    OCCURRED_AT = "occurred_at"
    TEAM_ID = "team_id"
    EVENT_NAME = "event_name"
    EVENT_TYPE = "event_type"
    USER_ID = "user_id"
    QUANTITY = "quantity"
    UNIT = "unit"
    METADATA = "metadata"
    IDEMPOTENCY_KEY = "idempotency_key"
    RECORDED_AT = "recorded_at"
    CORRECTION = "correction"
    AMENDS = "amends"
    REPLACEMENT_ID = "replacement_id"
    ID = "id"


FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBERS = frozenset({Column.QUANTITY})


async def written(pages: AsyncIterator[EventPage], how: Format, columns: Sequence[Column]) -> AsyncIterator[bytes]:
    """The file, a page of events at a time.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe before it, which spreadsheets don't
    show; metadata is its JSON.

    Args:
        pages: the events.
        how: in which format.
        columns: what of each event; none: everything.
    """
    chosen = [column for column in Column if column in columns] or list(Column)
    if how is Format.CSV:
        yield (",".join(chosen) + "\r\n").encode()
    encode: Callable[[Sequence[UsageEvent], Sequence[Column]], bytes] = _rows if how is Format.CSV else _lines
    async for page in pages:
        if page.events:
            yield encode(page.events, chosen)


def _lines(events: Sequence[UsageEvent], columns: Sequence[Column]) -> bytes:
    if len(columns) == len(Column):
        return msgspec.json.Encoder().encode_lines([event_view(event) for event in events])
    views = ({name: value for name, value in event_view(event).items() if name in columns} for event in events)
    return msgspec.json.Encoder().encode_lines(list(views))


def _rows(events: Sequence[UsageEvent], columns: Sequence[Column]) -> bytes:
    text = StringIO(newline="")
    writer = csv.writer(text)
    for event in events:
        view = event_view(event)
        writer.writerow([_cell(column, view[column]) for column in columns])
    return text.getvalue().encode()


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    text = bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
    return f"'{text}" if column not in NUMBERS and text.startswith(FORMULA) else text
