"""Apache and NGINX access logs in the common and combined formats.

    remote_addr ident remote_user [time] "request" status bytes "referrer" "user agent" …

What follows the user agent is kept as `extra`. A `-` stands for nothing; as a size it is 0.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from tallystick.importing.lines import Line, lines
from tallystick.importing.records import BadValue, Record, malformed
from tallystick.importing.stream import Content

COLUMNS = (
    "remote_addr",
    "remote_user",
    "timestamp",
    "method",
    "path",
    "protocol",
    "status",
    "bytes",
    "referrer",
    "user_agent",
    "request",
    "extra",
)

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = re.compile(
    r"(\S+) \S+ (\S.*?) \[([^\]]{1,64})\] "  # remote_addr, ident, remote_user, time
    rf"{_QUOTED} (\d{{3}}) (\d+|-)"  # request, status, bytes
    rf"(?: {_QUOTED} {_QUOTED})?(?: (.+))?\s*"  # referrer, user agent, extra
)
_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_ESCAPES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+|\\.")
_CHARACTERS = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "f": "\f"}


class AccessLogReader:
    """Each line is one request: an event `http_request`, unless the user names it."""

    columns: tuple[str, ...] | None = COLUMNS
    defaults: Mapping[str, str] = {"event_name": "http_request"}

    def __init__(self, stream: Content) -> None:
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


def is_access_log_line(text: str) -> bool:
    """Whether the text is a line of the common or combined format."""
    return _LINE.fullmatch(text) is not None


def _record(line: Line) -> Record:
    if line.problem:
        return malformed(line.number, line.offset, line.content, line.problem)
    try:
        values = parse(line.content.decode())
    except UnicodeDecodeError:
        return malformed(line.number, line.offset, line.content, "is not valid UTF-8")
    except BadValue as error:
        return malformed(line.number, line.offset, line.content, str(error))
    return Record(line.number, line.offset, line.content, values)


def parse(text: str) -> dict[str, Any]:
    """The values of a line by the names in `COLUMNS`, absent ones left out; the instant in UTC's terms.

    Raises:
        BadValue: it is not a line of the common or combined format, or its time does not exist.
    """
    match = _LINE.fullmatch(text)
    if match is None:
        raise BadValue("is not a line of the common or combined log format")
    address, user, time, request, status, size, referrer, agent, extra = match.groups()
    values = {
        "remote_addr": address,
        "remote_user": _text(user),
        "timestamp": _instant(time),
        **_request(request),
        "status": int(status),
        "bytes": 0 if size == "-" else int(size),
        "referrer": _text(referrer),
        "user_agent": _text(agent),
        "extra": extra,
    }
    return {name: value for name, value in values.items() if value is not None}


def _text(value: str | None) -> str | None:
    if value is None or value in ("-", ""):
        return None
    return _ESCAPES.sub(_unescaped, value) if "\\" in value else value


def _unescaped(match: re.Match[str]) -> str:
    """What an escape stands for. NUL, which PostgreSQL can't store, and what is not UTF-8 stay escaped."""
    escape = match[0]
    if len(escape) == 2:
        return _CHARACTERS.get(escape[1], escape)
    try:
        text = bytes.fromhex(escape.replace("\\x", "")).decode()
    except UnicodeDecodeError:
        return escape
    return escape if "\0" in text else text


def _request(quoted: str) -> dict[str, str | None]:
    """Method, path and protocol; a request of another shape was answered all the same, and is kept whole."""
    request = _text(quoted)
    if request is None:
        return {}
    method, _, target = request.partition(" ")
    path, _, protocol = target.rpartition(" ")
    if protocol.startswith("HTTP/") and path:
        return {"method": method, "path": path, "protocol": protocol}
    return {"request": request}


@lru_cache(maxsize=1024)
def _instant(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        raise BadValue(f"time {text!r} is not like 17/May/2015:10:05:03 +0000")
    day, _, year, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(int(year), _MONTHS[match[2]], int(day), int(hour), int(minute), int(second), tzinfo=zone)
    except ValueError as error:
        raise BadValue(f"time {text!r}: {error}") from None
