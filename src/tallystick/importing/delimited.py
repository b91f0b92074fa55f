"""CSV (RFC 4180) and what is called so with tabs, semicolons or bars: a header line, then rows.

A row's position is the line on which it begins, so that it is found in an editor, and so that a repaired
row moves no other. A broken row costs only its own line: reading goes on with the next.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.errors import InvalidInput
from tallystick.importing.lines import Line, lines
from tallystick.importing.plan import listed
from tallystick.importing.records import Record, malformed
from tallystick.importing.stream import Content

DELIMITERS = ",;\t|"

_SAMPLE_LINES = 20
_SAMPLE_BYTES = 64 * 1024  # below the longest cell that csv accepts
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_LONGEST_NUMBER = 40


class DelimitedReader:
    """Rows of a CSV file.

    Raises:
        InvalidInput: no usable header line, or a column name twice.
    """

    defaults: Mapping[str, str] = {}

    def __init__(self, stream: Content, columns: Sequence[str] | None, delimiter: str | None) -> None:
        self._delimiter = delimiter or sniff_delimiter(stream.head)
        self._rows = _Rows(lines(stream), self._delimiter)
        self.columns: tuple[str, ...] | None = _distinct(stream.name, columns or _header(stream.name, self._rows))

    def records(self) -> Iterator[Record]:
        """The rows, in the order of the file; once."""
        columns = self.columns or ()
        for found in self._rows.read(width=len(columns)):
            yield _record(columns, *found)

    def record(self, line: Line) -> Record | None:
        """The row that stands on the line alone; None for a blank one."""
        columns = self.columns or ()
        for found in _Rows(iter([line]), self._delimiter).read(width=len(columns)):
            return _record(columns, *found)
        return None

    def metadata_value(self, value: Any) -> Any:
        """A cell spelled as JSON spells a number is that number, digit for digit; all else is text."""
        match = _NUMBER.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
        if match is None or value == "-0":
            return value
        return Decimal(value) if match[1] else int(value)


def _record(columns: Sequence[str], first: Line, raw: bytes, cells: list[str], problem: str | None) -> Record:
    if problem:
        return malformed(first.number, first.offset, raw, problem)
    values = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
    return Record(first.number, first.offset, raw, values)


def sniff_delimiter(head: bytes) -> str:
    """The delimiter under which the first lines have the most columns, and all as many as the first."""
    text = head[:_SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    sample = text.splitlines()[:_SAMPLE_LINES]
    return max(DELIMITERS, key=lambda delimiter: _fit(sample, delimiter))


def looks_delimited(line: str) -> bool:
    """Whether the line can be the header of more than one column."""
    return any(delimiter in line for delimiter in DELIMITERS)


def _fit(sample: list[str], delimiter: str) -> tuple[bool, int, int]:
    widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
    first = widths[0] if widths else 0
    return first > 1, sum(width == first for width in widths), first


def _header(name: str, rows: "_Rows") -> list[str]:
    for first, _, cells, problem in rows.read(width=None):
        if problem and b"\r" in first.content:
            raise InvalidInput(f"{name}: its lines end in CR alone; only LF and CRLF are read", field="file")
        if problem:
            raise InvalidInput(f"{name}: the header line {problem}", field="file")
        return [cell or f"column {number}" for number, cell in enumerate(cells, start=1)]
    return []


def _distinct(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise InvalidInput(
            f"{name}: column {twice[0]!r} is there twice; the columns are: {listed(columns)}",
            field="columns",
        )
    return tuple(columns)


class _Feed:
    """Hands lines to csv.reader, remembers those it took for a row, and takes some back to be read again."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._again: deque[Line] = deque()
        self.taken: list[Line] = []
        self.problem: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.taken.append(line)
        if line.problem:
            self.problem = line.problem
            return "\n"
        try:
            return (line.content + line.ending).decode()
        except UnicodeDecodeError:
            self.problem = "is not valid UTF-8"
            return "\n"

    def begin_row(self) -> None:
        self.taken = []
        self.problem = None

    def read_again(self, taken: list[Line]) -> None:
        self._again.extendleft(reversed(taken))


class _Rows:
    """The rows of a CSV file: first line, raw text, cells, and what is wrong with the row."""

    def __init__(self, source: Iterator[Line], delimiter: str) -> None:
        self._feed = _Feed(source)
        self._parser = csv.reader(self._feed, delimiter=delimiter, strict=True)

    def read(self, width: int | None) -> Iterator[tuple[Line, bytes, list[str], str | None]]:
        """Rows from here on. Of a broken one only the first line is given up; the next begins a new row."""
        feed = self._feed
        while True:
            feed.begin_row()
            cells, problem = self._next_row()
            if not feed.taken:
                return
            problem = feed.problem or problem or _width_problem(cells, width)
            first = feed.taken[0]
            if problem:
                feed.read_again(feed.taken[1:])
                yield first, first.content, [], problem
            elif cells:
                yield first, _raw(feed.taken), cells, None

    def _next_row(self) -> tuple[list[str], str | None]:
        try:
            return next(self._parser), None
        except StopIteration:
            return [], None
        except csv.Error as error:
            return [], _quoting_problem(error, len(self._feed.taken))


def _raw(taken: list[Line]) -> bytes:
    return b"".join([line.content + line.ending for line in taken[:-1]] + [taken[-1].content])


def _width_problem(cells: list[str], width: int | None) -> str | None:
    if width is None or not cells or len(cells) == width:
        return None
    return f"has {len(cells)} cells where there are {width} columns"


def _quoting_problem(error: csv.Error, lines_taken: int) -> str:
    if lines_taken > 1 or "end of data" in str(error):
        return "opens a quote that is not closed"
    return f"is not valid CSV: {error}"
