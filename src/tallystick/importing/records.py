"""What lies between a file's layout and its events: a row as it was found, and the reader that finds it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from tallystick.importing.lines import Line
from tallystick.importing.models import RowProblem


class BadValue(Exception):
    """A value that can't become what the event needs; the text says why. Never leaves this package."""


class Record(NamedTuple):
    """A row as a reader found it: its values by column (absent ones left out), or why it can't be read."""

    position: int
    offset: int
    raw: bytes
    values: dict[str, Any]
    problem: RowProblem | None = None


class Reader(Protocol):
    """What every layout offers: the columns, if they are the same in every row, and the rows in order."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names of the columns; None where each row has its own."""
        ...

    @property
    def defaults(self) -> Mapping[str, str]:
        """Fields of the event that need no option in this layout."""
        ...

    def records(self) -> Iterator[Record]:
        """The rows, in the order of the file; once."""
        ...

    def metadata_value(self, value: Any) -> Any:
        """The value as metadata holds it: text, exact number, truth, list or dict.

        Raises:
            BadValue: JSON has no such value.
        """
        ...


class LineReader(Reader, Protocol):
    """A layout in which a line, seen alone, is a row."""

    def record(self, line: Line) -> Record | None:
        """The row that the line is; None where it is none, such as a blank one."""
        ...


def malformed(position: int, offset: int, raw: bytes, reason: str) -> Record:
    """A row that can't be read at all."""
    return Record(position, offset, raw, {}, RowProblem(None, "malformed", reason))
