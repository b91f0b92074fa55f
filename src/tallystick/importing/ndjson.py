"""NDJSON: one JSON object per line. Numbers stay exact: a float never exists."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.core.errors import InvalidInput
from tallystick.importing.lines import Line, lines
from tallystick.importing.records import Record, malformed
from tallystick.importing.stream import Content

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class NdjsonReader:
    """Each line is an object with columns of its own. Blank lines are passed over."""

    columns: tuple[str, ...] | None = None
    defaults: Mapping[str, str] = {}

    def __init__(self, stream: Content) -> None:
        if stream.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            raise InvalidInput(
                f"{stream.name}: is one JSON array, not an object per line; split it: "
                "jq -c '.[]' FILE | tallystick import - --format ndjson",
                field="file",
            )
        self._stream = stream

    def records(self) -> Iterator[Record]:
        """The rows, in the order of the file; once."""
        for line in lines(self._stream):
            if (record := self.record(line)) is not None:
                yield record

    def record(self, line: Line) -> Record | None:
        """The row that the line is; None for a blank one."""
        return _record(line) if line.problem or line.content.strip() else None

    def metadata_value(self, value: Any) -> Any:
        """The value as it is."""
        return value


def _record(line: Line) -> Record:
    number, offset, content, _, problem = line
    if problem:
        return malformed(number, offset, content, problem)
    try:
        return Record(number, offset, content, _decode(content))
    except UnicodeDecodeError:
        return malformed(number, offset, content, "is not valid UTF-8")
    except RecursionError:
        return malformed(number, offset, content, "is nested too deeply")
    except (ValueError, ArithmeticError) as error:
        return malformed(number, offset, content, _reason(error))


def _reason(error: Exception) -> str:
    text = str(error)
    return "is not a JSON object" if text.startswith("Expected `object`") else f"is not valid JSON: {text}"
