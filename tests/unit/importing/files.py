"""Files made for the tests, and short ways to read them."""

import gzip
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick.importing import ImportOptions, Row, open_source

DAY = "2026-03-01T00:00:00Z"


def write(path: Path, content: str | bytes, *, packed: bool = False) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def rows(path: Path | str, **options: Any) -> list[Row]:
    with open_source(path, ImportOptions(**options)) as source:
        return list(source)


def events(path: Path | str, **options: Any) -> list[dict[str, Any]]:
    """The events of a file in which nothing is wrong."""
    found = rows(path, **options)
    assert [row.problem for row in found if row.problem] == []
    return [row.event for row in found if row.event is not None]


def problems(path: Path | str, **options: Any) -> list[tuple[int, str]]:
    """Where something is wrong, and what."""
    return [(row.position, row.problem.message) for row in rows(path, **options) if row.problem]


def keys(found: Sequence[Row]) -> list[str]:
    return [row.event["idempotency_key"] for row in found if row.event is not None]


def total(found: Sequence[dict[str, Any]], event_name: str | None = None) -> Decimal:
    counted = [each for each in found if event_name in (None, each["event_name"])]
    return sum((each["quantity"] for each in counted), Decimal(0))
