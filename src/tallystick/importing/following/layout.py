"""What the lines of one followed file mean: settled once its beginning is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallystick.core.errors import InvalidInput
from tallystick.importing.access_log import AccessLogReader
from tallystick.importing.delimited import DelimitedReader
from tallystick.importing.following.place import Head, line_key
from tallystick.importing.formats import detect
from tallystick.importing.identity import RowKey, row_key
from tallystick.importing.lines import Line
from tallystick.importing.models import Format, Identity, ImportOptions, Row
from tallystick.importing.ndjson import NdjsonReader
from tallystick.importing.records import LineReader
from tallystick.importing.source import make_mapper


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a file, as readers take it."""

    name: str
    head: bytes
    packed: bool = False
    consumed: int = 0

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        yield self.head


class Layout:
    """Turns lines into rows. Each line is a row, seen alone: what it becomes does not depend on when it is read.

    Raises:
        InvalidInput: the layout can't be told or followed, or the options don't fit the file's columns.
    """

    def __init__(self, path: str, head: Head, name: str, options: ImportOptions) -> None:
        beginning = Beginning(path, head.text)
        layout = detect(beginning) if options.format is Format.AUTO else options.format
        self._reader = _line_reader(layout, beginning, options)
        self._header_lines = head.lines if layout is Format.CSV and options.columns is None else 0
        self.key: RowKey = self._keys(name, options.identity)
        self._mapper = make_mapper(path, options, self._reader, self.key)

    def rows(self, line: Line) -> Sequence[Row]:
        """The rows that a line gives: several where an event is made of each of several quantities."""
        if line.number <= self._header_lines:
            return ()
        record = self._reader.record(line)
        return () if record is None else self._mapper.rows(record)

    @staticmethod
    def _keys(name: str, identity: Identity) -> RowKey:
        by_content = row_key(identity, None)
        return by_content or (lambda line, content: line_key(name, line, content))


def _line_reader(layout: Format, beginning: Beginning, options: ImportOptions) -> LineReader:
    match layout:
        case Format.NDJSON:
            return NdjsonReader(beginning)
        case Format.ACCESS_LOG:
            return AccessLogReader(beginning)
        case Format.CSV:
            return DelimitedReader(beginning, options.columns, options.delimiter)
        case _:
            raise InvalidInput(f"{beginning.name}: a {layout} file does not grow by lines; import it", field="format")
