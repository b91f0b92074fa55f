"""Parquet: a batch of rows at a time, so that memory holds one batch and not the file.

A double is the decimal that its shortest text spells (`0.1` is 0.1), and so is a single. Timestamps finer
than microseconds are cut off there.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.core.errors import InvalidInput
from tallystick.importing.records import BadValue, Record
from tallystick.importing.stream import ByteStream, Damaged

_BATCH_ROWS = 4096
_BUFFER_BYTES = 1024 * 1024
_EXACT_UNITS = {"s", "ms", "us"}


class ParquetReader:
    """Rows of a Parquet file. Their raw text is the row as JSON.

    Raises:
        InvalidInput: not a Parquet file, or a column name twice.
    """

    defaults: Mapping[str, str] = {}

    def __init__(self, stream: ByteStream) -> None:
        self._name = stream.name
        self._size = stream.size_bytes or 0
        try:
            self._file = pq.ParquetFile(
                stream.seekable(), buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True
            )
        except (pa.ArrowException, OSError) as error:
            raise InvalidInput(
                f"{self._name}: is not a readable Parquet file: {_one_line(error)}", field="file"
            ) from None
        self.columns: tuple[str, ...] | None = tuple(self._file.schema_arrow.names)
        self._refuse_duplicates(self._file.schema_arrow.names)

    def records(self) -> Iterator[Record]:
        """The rows, in the order of the file; once."""
        total = self._file.metadata.num_rows
        position = 0
        for batch in self._batches():
            columns = [_values(name, batch.column(name)) for name in batch.schema.names]
            for cells in zip(*columns, strict=True):
                position += 1
                values = {name: cell for name, cell in zip(batch.schema.names, cells, strict=True) if cell is not None}
                yield Record(position, self._size * position // total, _row_as_json(values), values)

    def metadata_value(self, value: Any) -> Any:
        """JSON's form of a value: instants and dates in RFC 3339, bytes as UTF-8 text."""
        return _plain(value)

    def _batches(self) -> Iterator[Any]:
        try:
            yield from self._file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(f"can't be read: {_one_line(error)}") from None

    def _refuse_duplicates(self, names: Sequence[str]) -> None:
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise InvalidInput(f"{self._name}: column {twice[0]!r} is there twice", field="file")


def _row_as_json(values: Mapping[str, Any]) -> bytes:
    """The row as text that is the same for the same values, whatever the order of the columns."""
    return msgspec.json.encode(values, enc_hook=str, order="deterministic")


def _values(name: str, column: Any) -> list[Any]:
    try:
        return _as_python(column)
    except (ValueError, OverflowError) as error:  # such as a year past 9999
        raise Damaged(f"column {name!r} can't be read: {_one_line(error)}") from None


def _as_python(column: Any) -> list[Any]:
    kind = column.type
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        texts = column.cast(pa.float32()).cast(pa.string()).to_pylist()
        return [None if text is None else Decimal(text) for text in texts]
    if pa.types.is_timestamp(kind) and kind.unit not in _EXACT_UNITS:
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):  # how old writers store text
        return [_as_text(value) for value in values]
    return values


def _as_text(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float | Decimal):
        return _finite(value)
    return _text(value)


def _finite(value: float | Decimal) -> Decimal:
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise BadValue(f"is {number}, not a number that can be counted")
    return number


def _text(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadValue("holds bytes that are not UTF-8 text; leave the column out with --metadata-columns") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
