"""What a meter query asks for, from the parameters of a GET or the body of a POST."""

from ast import literal_eval
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tallystick.core.clock import Window, parse_instant, zone
from tallystick.core.errors import InvalidInput
from tallystick.integrations.foreign import UNREADABLE
from tallystick.integrations.openmeter.errors import BadQuery
from tallystick.integrations.openmeter.filters import Filter, one_of, read_filter

SUBJECT = "subject"
CUSTOMER = "customer_id"

_SINGLE = ("from", "to", "windowSize", "windowTimeZone", "clientId", "advancedMeterGroupByFilters")
_LISTS = ("subject", "groupBy", "filterCustomerId")
_FILTERED = "filterGroupBy"
PARAMETERS = ("from", "to", "windowSize", "windowTimeZone", *_LISTS, f"{_FILTERED}[…]", "advancedMeterGroupByFilters")

LONGEST_LITERAL = 4096

_json = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class MeterQuestion:
    """Which rows of a meter are wanted.

    Attributes:
        start: events at this instant or later; None: from the first on.
        end: events before this instant; None: all that there are.
        window: a row for each local window; None: for the whole interval.
        zone: where windows are local.
        teams: of these alone; None: of all.
        by_team: a row for each team, told as `subject`.
        by_customer: a row for each team, told as `customerId`.
        group_by: dimensions of the metric, a row for each of their values.
        filters: dimension → which of its values count.
    """

    start: datetime | None = None
    end: datetime | None = None
    window: Window | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    teams: tuple[str, ...] | None = None
    by_team: bool = False
    by_customer: bool = False
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, Filter] = field(default_factory=dict)


def from_parameters(pairs: Iterable[tuple[str, str]]) -> MeterQuestion:
    """The question of a GET; parameters as they were sent, decoded.

    Raises:
        BadQuery: one is not known, does not fit, or is there more than once where it can't be.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.startswith(f"{_FILTERED}[") and name.endswith("]"):
            dimension = name.removeprefix(f"{_FILTERED}[").removesuffix("]")
            found.setdefault(_FILTERED, {}).setdefault(dimension, []).append(value)
        elif name == _FILTERED:
            found[name] = _spelled(value)
        elif name in _LISTS:
            found.setdefault(name, []).append(value)
        elif name not in _SINGLE:
            raise BadQuery(f"{name!r} is not a parameter here; there are: {', '.join(PARAMETERS)}", field=name)
        elif name in found:
            raise BadQuery(f"{name} was sent more than once", field=name)
        else:
            found[name] = value
    if "advancedMeterGroupByFilters" in found:
        found["advancedMeterGroupByFilters"] = _decoded(found["advancedMeterGroupByFilters"])
    return _question(found)


def from_body(body: bytes) -> MeterQuestion:
    """The question of a POST.

    Raises:
        BadQuery: the body is no JSON object, or a member of it is not known or does not fit.
    """
    document = _decoded(body)
    if not isinstance(document, dict):
        raise BadQuery("the body must be a JSON object")
    for name, value in document.items():
        if name not in (*_SINGLE, *_LISTS, _FILTERED):
            raise BadQuery(f"{name!r} is not known here; there are: {', '.join(PARAMETERS)}", field=name)
        if name in _SINGLE and name != "advancedMeterGroupByFilters" and not isinstance(value, str | None):
            raise BadQuery(f"{name} must be text", field=name)
    return _question({name: value for name, value in document.items() if value is not None})


def _spelled(text: str) -> dict[str, list[str]]:
    """`filterGroupBy` without a key, which is how OpenMeter's Python client sends a dictionary: as Python spells it."""
    try:
        found = literal_eval(text[:LONGEST_LITERAL])
        if all(isinstance(name, str) and isinstance(value, str) for name, value in found.items()):
            return {name: [value] for name, value in found.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError, MemoryError, RecursionError):
        pass
    raise BadQuery(f"{_FILTERED} needs a key: {_FILTERED}[region]=eu", field=_FILTERED)


def _decoded(text: str | bytes) -> Any:
    try:
        return _json.decode(text)
    except UNREADABLE as error:
        raise BadQuery(f"not valid JSON: {error}") from None


def _question(found: Mapping[str, Any]) -> MeterQuestion:
    teams = _texts(found, "subject")
    customers = _texts(found, "filterCustomerId")
    grouped = _texts(found, "groupBy") or ()
    question = MeterQuestion(
        start=_instant(found, "from"),
        end=_instant(found, "to"),
        window=_window(found.get("windowSize")),
        zone=_zone(found.get("windowTimeZone")),
        teams=_both(teams, customers),
        by_team=teams is not None or SUBJECT in grouped,
        by_customer=customers is not None or CUSTOMER in grouped,
        group_by=tuple(dict.fromkeys(name for name in grouped if name not in (SUBJECT, CUSTOMER))),
        filters=_filters(found),
    )
    if question.start is not None and question.end is not None and question.start >= question.end:
        raise BadQuery("from must be before to", field="from")
    return question


def _both(teams: Sequence[str] | None, customers: Sequence[str] | None) -> tuple[str, ...] | None:
    """A subject and a customer are both a team here; where both are asked for, a team has to be both."""
    if teams is None or customers is None:
        either = teams if customers is None else customers
        return None if either is None else tuple(dict.fromkeys(either))
    return tuple(dict.fromkeys(team for team in teams if team in customers))


def _texts(found: Mapping[str, Any], name: str) -> list[str] | None:
    value = found.get(name)
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in value):
        raise BadQuery(f"{name} must be a list of texts without NUL characters", field=name)
    return value


def _instant(found: Mapping[str, Any], name: str) -> datetime | None:
    if name not in found:
        return None
    try:
        return parse_instant(found[name], field=name)
    except InvalidInput as error:
        raise BadQuery(f"{name}: {error}", field=name) from None


def _window(name: str | None) -> Window | None:
    if name is None:
        return None
    if name not in {window.name for window in Window}:
        allowed = ", ".join(window.name for window in Window)
        raise BadQuery(f"{name!r} is not a windowSize; there are: {allowed}", field="windowSize")
    return Window[name]


def _zone(name: str | None) -> ZoneInfo:
    try:
        return zone("UTC" if name is None else name)
    except InvalidInput as error:
        raise BadQuery(str(error), field="windowTimeZone") from None


def _filters(found: Mapping[str, Any]) -> dict[str, Filter]:
    simple, advanced = (found.get(name, {}) for name in (_FILTERED, "advancedMeterGroupByFilters"))
    if simple and advanced:
        raise BadQuery(f"{_FILTERED} and advancedMeterGroupByFilters can't be used together")
    for name, value in ((_FILTERED, simple), ("advancedMeterGroupByFilters", advanced)):
        if not isinstance(value, Mapping):
            raise BadQuery(f"{name} must be an object", field=name)
    if advanced:
        return {dimension: read_filter(each, dimension) for dimension, each in advanced.items()}
    wanted = {dimension: _texts(simple, dimension) for dimension in simple}
    return {dimension: one_of(tuple(values)) for dimension, values in wanted.items() if values}
