"""Meters and their rows as OpenMeter's clients read them: JSON with exact numbers, or CSV.

Values are JSON numbers, since that is what those clients read. They are spelled out exactly; a reader that makes
floats of them rounds on its own side.
"""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

import msgspec

from tallystick.core.money import plain
from tallystick.http.answers import rfc3339
from tallystick.integrations.openmeter.meters import Meter, MeterRow
from tallystick.integrations.openmeter.questions import MeterQuestion
from tallystick.metering.models import Aggregation

_AGGREGATIONS = {Aggregation.AVERAGE: "AVG"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


def result(question: MeterQuestion, rows: Sequence[MeterRow]) -> bytes:
    """The rows as JSON, under what was asked for."""
    asked: dict[str, Any] = {}
    if question.start is not None:
        asked["from"] = rfc3339(question.start)
    if question.end is not None:
        asked["to"] = rfc3339(question.end)
    if question.window is not None:
        asked["windowSize"] = question.window.name
    return msgspec.json.encode(asked | {"data": [_row(question, row) for row in rows]})


def _row(question: MeterQuestion, row: MeterRow) -> dict[str, Any]:
    shown = {
        "value": msgspec.Raw(plain(row.value).encode()),
        "windowStart": rfc3339(row.window.start),
        "windowEnd": rfc3339(row.window.end),
        "subject": row.team_id if question.by_team else None,
        "groupBy": row.group_by,
    }
    return shown | {"customerId": row.team_id} if question.by_customer else shown


def as_csv(question: MeterQuestion, rows: Sequence[MeterRow]) -> str:
    """The rows as CSV (RFC 4180); text that a spreadsheet would run as a formula gets an apostrophe before it."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["window_start", "window_end", "subject", *(_text(name) for name in question.group_by), "value"])
    for row in rows:
        team = _text(row.team_id or "") if question.by_team or question.by_customer else ""
        values = [_text(row.group_by[name] or "") for name in question.group_by]
        writer.writerow([rfc3339(row.window.start), rfc3339(row.window.end), team, *values, plain(row.value)])
    return text.getvalue()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def meter(found: Meter) -> dict[str, Any]:
    """A metric as a meter."""
    definition = found.definition
    aggregation = definition.aggregation
    shown = {
        "id": definition.name,
        "slug": definition.name,
        "name": definition.name,
        "aggregation": _AGGREGATIONS.get(aggregation, aggregation.name),
        "eventType": definition.event_name or definition.event_type,
        "groupBy": {name: f"$.{name}" for name in definition.dimensions},
        "createdAt": rfc3339(found.created_at),
        "updatedAt": rfc3339(found.updated_at),
    }
    if aggregation is not Aggregation.COUNT:
        shown["valueProperty"] = f"$.{definition.value.removeprefix('metadata.')}"
    return shown
