"""How the number of a document is written, and in which series it is counted.

A series is the pattern with everything filled in but the number: `INV-{year}-{number:05}` counts
`INV-2026-00001`, `INV-2026-00002`, … and begins anew with every year. Each entity has its own series.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

COUNT = "#"
"""Stands for the number in the name of a series."""

_PART = re.compile(r"\{(?:number(?::(?P<zero>0?)(?P<width>[1-9][0-9]?)d?)?|(?P<name>entity|year))\}")


class Numbering(NamedTuple):
    """A pattern of numbers, for the documents of one entity and day."""

    pattern: str
    entity: str
    day: date

    @property
    def series(self) -> str:
        """What the numbers are counted in."""
        return self._filled(lambda _: COUNT)

    def number(self, count: int) -> str:
        """The number of the `count`-th document of the series, from 1."""

        def written(part: re.Match[str]) -> str:
            width = int(part["width"] or 0)
            return str(count).zfill(width) if part["zero"] else str(count).rjust(width)

        return self._filled(written)

    def _filled(self, number: Callable[[re.Match[str]], str]) -> str:
        known = {"entity": self.entity, "year": f"{self.day.year:04}"}
        return _PART.sub(lambda part: known[part["name"]] if part["name"] else number(part), self.pattern)
