"""A usage file, opened: its layout known, its mapping settled, its rows one after the other.

bytes → unpacked (stream) → lines → a reader per layout (ndjson, delimited, access_log, parquet)
      → records → events (plan, metadata, mapping, identity)
"""

from collections.abc import Iterator
from contextlib import ExitStack
from os import PathLike, fspath
from types import TracebackType
from typing import Self

from tallystick.core.errors import InvalidInput
from tallystick.importing.access_log import AccessLogReader
from tallystick.importing.delimited import DelimitedReader
from tallystick.importing.formats import detect
from tallystick.importing.identity import RowKey, row_key, source_id
from tallystick.importing.mapping import NO_KEY, Mapper
from tallystick.importing.metadata import metadata_of
from tallystick.importing.models import Format, ImportOptions, Row
from tallystick.importing.ndjson import NdjsonReader
from tallystick.importing.plan import make_plan
from tallystick.importing.records import Reader
from tallystick.importing.stream import ByteStream, Damaged


def open_source(path: str | PathLike[str], options: ImportOptions) -> "Source":
    """Open a usage file (`-` is standard input), gzipped or not, and settle how its rows become events.

    Raises:
        InvalidInput: the file can't be read, its layout can't be told, or the options don't fit its columns.
            No event has been yielded then.
    """
    name = fspath(path)
    with ExitStack() as on_error:
        try:
            stream = ByteStream(name)
            on_error.callback(stream.close)
            source = Source(stream, options)
        except Damaged as damage:
            raise InvalidInput(f"{name}: {damage}", field="file") from None
        on_error.pop_all()
    return source


class Source:
    """One usage file. Iterate once; memory does not grow with the file.

    Attributes:
        name: the file as the user named it.
        format: its layout.
        size_bytes: its length as stored, which `Row.offset_bytes` runs up to; None for a pipe.
        source_id: what stands for it in the keys of identity `position`; None for a pipe without a name.
        columns: the names of its columns; None for NDJSON, where each row has its own.
    """

    def __init__(self, stream: ByteStream, options: ImportOptions) -> None:
        self._stream = stream
        self.name = stream.name
        self.size_bytes = stream.size_bytes
        self.format = detect(stream) if options.format is Format.AUTO else options.format
        self.source_id = source_id(stream.name, stream.has_name, options)
        reader = open_reader(self.format, stream, options)
        self.columns = reader.columns
        self._records = reader.records()
        self._mapper = make_mapper(self.name, options, reader, row_key(options.identity, self.source_id))

    def __iter__(self) -> Iterator[Row]:
        """The file's events and problems, in its order.

        Raises:
            InvalidInput: the rest of the file can't be read; what was readable has been yielded before.
        """
        position = 0
        try:
            for record in self._records:
                position = record.position
                yield from self._mapper.rows(record)
        except Damaged as damage:
            raise InvalidInput(
                f"{self.name}: {damage} after row {position}; the rows up to there were read", field="file"
            ) from None

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def make_mapper(name: str, options: ImportOptions, reader: Reader, keys: RowKey | None) -> Mapper:
    """What turns the rows of a file of these columns into events.

    Raises:
        InvalidInput: the options don't fit the columns, or nothing gives rows a key.
    """
    plan = make_plan(name, options, reader)
    if keys is None and plan.key is None:
        raise InvalidInput(f"{name}: {NO_KEY}", field="source_id")
    return Mapper(plan, metadata_of(options.metadata_columns, plan.used, reader), keys)


def open_reader(layout: Format, stream: ByteStream, options: ImportOptions) -> Reader:
    """What finds the rows in a file of this layout.

    Raises:
        InvalidInput: the file is not of this layout.
    """
    if layout is Format.PARQUET:
        from tallystick.importing.parquet import ParquetReader  # noqa: PLC0415 - pyarrow is slow to import

        return ParquetReader(stream)
    if layout is Format.NDJSON or not stream.head:  # an empty file has no rows in any layout of lines
        return NdjsonReader(stream)
    if layout is Format.ACCESS_LOG:
        return AccessLogReader(stream)
    return DelimitedReader(stream, options.columns, options.delimiter)
