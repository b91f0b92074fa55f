"""Rows on their way to ingestion: a batch of them as one request."""

from collections.abc import Callable, Sequence

import msgspec

from tallystick.importing.models import Row
from tallystick.metering.decoding import Decoded, Limits, Rejection, decode

LINE = "line"
"""The format of a dead letter whose body is a line as it stood in a file."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def request(
    rows: Sequence[Row], limits: Limits, rejection_of: Callable[[int, Row], Rejection] | None = None
) -> Decoded:
    """The rows' events as one request; the places in it are the rows' places.

    Args:
        rows: events, and rows that are none.
        limits: of any request, but for the number of events.
        rejection_of: makes of a place and a row that is no event a rejection, so that it is kept as a dead letter;
            None leaves such rows out.
    """
    places: list[int] = []
    events: list[bytes] = []
    refused: list[Rejection] = []
    for place, row in enumerate(rows):
        if row.event is not None:
            places.append(place)
            events.append(_encode(row.event))
        elif rejection_of is not None:
            refused.append(rejection_of(place, row))
    if not events:
        return Decoded([], refused, {}, len(refused))
    decoded = decode(b"[" + b",".join(events) + b"]", limits._replace(max_events=len(events)))
    return Decoded(
        [(places[at], event, raw) for at, event, raw in decoded.events],
        [each._replace(position=places[each.position]) for each in decoded.rejections] + refused,
        {places[at]: key for at, key in decoded.generated_keys.items()},
        len(events) + len(refused),
    )


def line_rejection(place: int, row: Row, key: str, team_id: str | None) -> Rejection:
    """What makes a line that is no event a dead letter: a line read again is the same one."""
    assert row.problem
    field, code, message = row.problem
    return Rejection(place, field, code, message, row.raw, team_id, key, LINE, made_key=True)
