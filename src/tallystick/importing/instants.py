"""Timestamps as files write them → aware instants in UTC.

Digits past microseconds are cut off, not rounded. A time without an offset is in the zone the user named;
of an hour that happens twice there it is the first; in an hour that is skipped there it is an error.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tallystick.core.clock import zone
from tallystick.core.errors import InvalidInput
from tallystick.importing.records import BadValue
from tallystick.importing.values import quantity_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"epoch-s": Decimal(1_000_000), "epoch-ms": Decimal(1000)}
_DATE_LENGTH = len("2026-03-01")
_MINUTE_LENGTH = len("2026-03-01T00:00")
_TOO_FINE = re.compile(r"([.,][0-9]{6})[0-9]+")


def instant_reader(pattern: str, zone_name: str) -> Callable[[Any], datetime]:
    """What turns a value into an instant, by a `timestamp_format` and the zone of times without an offset.

    Raises:
        InvalidInput: no such format or zone.
    """
    read_text = _text_reader(pattern)
    tz = zone(zone_name)

    def read(value: Any) -> datetime:
        if isinstance(value, datetime):
            return _located(value, tz)
        if isinstance(value, date):
            return _located(datetime.combine(value, time.min), tz)
        return _located(read_text(value), tz)

    return read


def _text_reader(pattern: str) -> Callable[[Any], datetime]:
    if pattern == "auto":
        return _rfc3339
    if pattern in _MICROSECONDS:
        unit = _MICROSECONDS[pattern]
        return lambda value: _since_epoch(value, unit)
    if not _is_pattern(pattern):
        raise InvalidInput(
            f"--timestamp-format {pattern!r} is not auto, epoch-s, epoch-ms or a strptime pattern "
            "such as '%Y-%m-%d %H:%M:%S'",
            field="timestamp_format",
        )
    return lambda value: _by_pattern(value, pattern)


def _rfc3339(value: Any) -> datetime:
    if not isinstance(value, str):
        raise BadValue("is a number, not an RFC 3339 instant; give --timestamp-format epoch-s or epoch-ms")
    text = value.strip()
    shaped = text[4:5] == text[7:8] == "-" and (len(text) == _DATE_LENGTH or _has_time(text))
    try:
        if shaped:
            return datetime.fromisoformat(text.upper() if text[-1] == "z" else text)
    except ValueError:
        pass
    raise BadValue(f"is {text[:40]!r}, not an instant such as 2026-03-01T00:00:00Z; --timestamp-format names others")


def _has_time(text: str) -> bool:
    return len(text) >= _MINUTE_LENGTH and text[10] in "Tt "


def _since_epoch(value: Any, microseconds: Decimal) -> datetime:
    number = quantity_of(value)
    try:
        count = int((number * microseconds).to_integral_value(ROUND_DOWN))
        return _EPOCH + timedelta(microseconds=count)
    except (OverflowError, ArithmeticError):
        raise BadValue(f"is {value}, too large for an instant") from None


def _by_pattern(value: Any, pattern: str) -> datetime:
    text = str(value).strip()
    try:
        text = _TOO_FINE.sub(r"\1", text) if "%f" in pattern else text
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - may well be naive: `_located` gives it its zone
    except ValueError:
        raise BadValue(f"is {text[:40]!r}, which does not fit {pattern!r}") from None


def _is_pattern(pattern: str) -> bool:
    if "%" not in pattern:
        return False
    try:
        datetime.strptime("", pattern)  # noqa: DTZ007 - only the error is of interest
    except ValueError as error:
        return "does not match format" in str(error)
    except re.error:  # a directive twice
        return False
    return False  # fits an empty text, so names no part of a date


def _located(moment: datetime, tz: ZoneInfo) -> datetime:
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        instant = moment.replace(tzinfo=tz).astimezone(UTC)
        if tz.key != "UTC" and instant.astimezone(tz).replace(tzinfo=None, fold=0) != moment:
            raise BadValue(f"is {moment}, a time that clocks skipped in {tz.key}")
    except (OverflowError, ValueError):
        raise BadValue(f"is {moment}, out of range") from None
    return instant
