"""A billing file that would count what an analysis found, and the command that would import the rows.

It is a beginning to be edited: metrics for every kind of event and every number that could be charged for, dimensions,
a plan, and the teams that are in the file, from its first day on. What can't be known from usage is the price. So
that the first report shows amounts that can be compared, each unit price is the power of ten at which the average team
would pay between about 30 and 300 a month, and a comment says so.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import PurePath

import yaml

from tallystick.core.money import EXACT, plain
from tallystick.importing.analysis.models import Analysis, Kind
from tallystick.importing.analysis.roles import leaf
from tallystick.importing.formats import bare_name
from tallystick.importing.models import Format
from tallystick.importing.stream import STDIN

MONTH = timedelta(days=30)
SHORTEST_SPAN = timedelta(hours=1)
AIM = Decimal(100)
MOST_KINDS = 10
MOST_TEAMS = 20
LONGEST_NAME = 64
OFTEN = 2
"""A number that one of so many rows of a kind has is worth a metric."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_UNITS = (
    ("byte", "bytes?|octets?|egress|ingress|content_length"),
    ("token", "tokens?"),
    ("ms", "ms|millis|latency"),
    ("second", "seconds?|secs|duration|runtime|elapsed"),
    ("minute", "minutes?|mins"),
    ("hour", "hours?|hrs"),
    ("GB", "gb|gigabytes?"),
    ("message", "messages?"),
    ("seat", "seats?"),
)
_LEVELS = re.compile(r"stored|storage|level|capacity|disk|size_total|total_size")
_TIMES_TAKEN = re.compile(r"latency|response_time|duration_ms|request_time|elapsed_ms")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do with an analysed file.

    Attributes:
        source: a billing file as YAML.
        command: the `tallystick import` that fits it.
    """

    source: str
    command: str


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    event: str
    aggregation: str
    unit: str
    value: str | None
    monthly: Decimal
    comment: str


def propose(found: Analysis) -> Proposal:
    """A billing file and an import command for the rows."""
    metrics = list(_metrics(found))
    return Proposal("\n".join(_lines(found, metrics)) + "\n", _command(found))


def _metrics(found: Analysis) -> Iterator[_Metric]:
    names = set[str]()
    kinds = found.kinds[:MOST_KINDS]
    for kind in kinds:
        for metric in _metrics_of(found, kind, alone=len(kinds) == 1):
            name = _distinct(metric.name, names)
            names.add(name)
            yield replace(metric, name=name)


def _metrics_of(found: Analysis, kind: Kind, *, alone: bool) -> Iterator[_Metric]:
    event = kind.name or _event_name(found)
    monthly = _monthly(found, Decimal(kind.rows))
    yield _Metric(f"{event}_events", event, "count", "event", None, monthly, "every row, counted")
    for field in found.roles.quantities:
        if kind.numeric.get(field, 0) * OFTEN >= kind.rows:
            yield _of_field(found, field, event, f"{leaf(field)}" if alone else f"{event}_{leaf(field)}", kind)


def _of_field(found: Analysis, field: str, event: str, name: str, kind: Kind) -> _Metric:
    report = found.field(field)
    assert report is not None
    assert report.numbers is not None
    numbers, value = report.numbers, "quantity" if field == "quantity" else f"metadata.{field}"
    share = EXACT.divide(Decimal(kind.numeric[field]), Decimal(numbers.rows))
    monthly = _monthly(found, EXACT.multiply(numbers.total, share))
    unit, words = _unit(field), f"{plain(numbers.lowest)} to {plain(numbers.highest)} a row"
    if numbers.lowest < 0:
        return _Metric(name, event, "sum", unit, value, monthly, f"{words}; below zero: allow_negative")
    if _LEVELS.search(leaf(field)):
        return _Metric(name, event, "time_weighted", unit, value, monthly, f"{words}; a level × the hours it held")
    if _TIMES_TAKEN.search(leaf(field)):
        return _Metric(name, event, "percentile", unit, value, numbers.highest, f"{words}; its 95th percentile")
    return _Metric(name, event, "sum", unit, value, monthly, words)


def _lines(found: Analysis, metrics: Sequence[_Metric]) -> Iterator[str]:
    yield f"# Proposed by tallystick analyze from {_comment(found.name)}: {found.rows:,} rows."
    yield "# Edit it, then: tallystick validate, tallystick apply, and"
    yield f"#   {_comment(_command(found))}"
    yield ""
    yield "version: 1"
    yield "currency: USD"
    yield ""
    yield "metrics:"
    for metric in metrics:
        yield from _metric_lines(found, metric)
    yield ""
    yield "plans:"
    yield "  usage:"
    yield "    period: month"
    yield "    prices:"
    yield f"      # Usage can't say what it is worth. At these prices the average team pays about {AIM} a month each:"
    yield "      # delete the metrics that you don't charge for, and put in your own prices."
    for metric in metrics:
        yield f"      - {{ metric: {metric.name}, model: per_unit, unit_price: {plain(_price(metric.monthly))} }}"
    yield from _team_lines(found)


def _metric_lines(found: Analysis, metric: _Metric) -> Iterator[str]:
    yield f"  {metric.name}: # {_comment(metric.comment)}"
    yield f"    event: {_text(metric.event)}"
    yield f"    aggregation: {metric.aggregation}"
    if metric.value is not None:
        yield f"    value: {_text(metric.value)}"
    yield f"    {'value_unit' if metric.aggregation == 'time_weighted' else 'unit'}: {_text(metric.unit)}"
    if "allow_negative" in metric.comment:
        yield "    allow_negative: true"
    if found.roles.dimensions:
        yield f"    dimensions: [{', '.join(_text(_path(name)) for name in found.roles.dimensions)}]"


def _path(name: str) -> str:
    """A dimension's path; a metadata key that is called like a field of the event is written with the prefix."""
    return f"metadata.{name}" if name in ("user_id", "event_name", "event_type", "metadata") else name


def _team_lines(found: Analysis) -> Iterator[str]:
    yield ""
    yield "# What a team gets that registers itself with its first event (tallystick import --create-teams)"
    yield "defaults:"
    yield "  plan: usage"
    names = [name for name, _ in found.teams[:MOST_TEAMS]] if found.roles.team else ["acme"]
    if not (named := [name for name in names if _is_team_id(name)]) or found.times is None:
        return
    yield ""
    yield "# " + _which_teams(found, len(named))
    yield "teams:"
    start = found.times.first.date()
    for name in named:
        yield f"  {_text(name, key=True)}: {{ plan: usage, start: {start} }}"


def _which_teams(found: Analysis, shown: int) -> str:
    if not found.roles.team:
        return "No field says whose usage it is: all of it is this team's. It is billed from the file's first day on"
    more = len(found.teams) - shown
    rest = f" ({more} more register themselves, and are billed from then on)" if more > 0 else ""
    return f"Whose usage is in the file, billed from its first day on{rest}"


def _command(found: Analysis) -> str:
    roles, words = found.roles, ["tallystick", "import", found.name]
    if found.name == STDIN:
        words += ["--source-id", "stdin", "--format", str(found.format)]
    if roles.team is None:
        words += ["--team", "acme"]
    elif roles.team != "team_id":
        words += ["--team-column", roles.team]
    if roles.event is not None and roles.event != "event_name":
        words += ["--event-column", roles.event]
    elif roles.event is None and found.format is not Format.ACCESS_LOG:
        words += ["--event", _event_name(found)]
    if roles.time is not None and roles.time != "timestamp":
        words += ["--timestamp-column", roles.time]
    if roles.time_format != "auto":
        words += ["--timestamp-format", roles.time_format]
    if roles.key is not None and roles.key != "idempotency_key":
        words += ["--key-column", roles.key]
    return shlex.join([*words, "--create-teams"])


def _event_name(found: Analysis) -> str:
    if found.format is Format.ACCESS_LOG:
        return "http_request"
    return _slug(PurePath(bare_name(found.name)).stem if found.name != STDIN else "usage")


def _monthly(found: Analysis, total: Decimal) -> Decimal:
    """What the average team would use of it in thirty days."""
    span = found.times.last - found.times.first if found.times else MONTH
    months = EXACT.divide(_microseconds(max(span, SHORTEST_SPAN)), _microseconds(MONTH))
    return EXACT.divide(total, EXACT.multiply(months, Decimal(max(1, len(found.teams)))))


def _price(monthly: Decimal) -> Decimal:
    """The power of ten at which so much usage costs about `AIM`; at most 12 decimals."""
    if monthly <= 0:
        return Decimal(1)
    ideal = EXACT.divide(AIM, monthly)
    exponent = ideal.adjusted() + (ideal.scaleb(-ideal.adjusted()) > Decimal("3.16"))
    return Decimal(1).scaleb(max(-12, min(exponent, 6)))


def _unit(field: str) -> str:
    words = leaf(field)
    for unit, names in _UNITS:
        if re.search(rf"(^|_)({names})($|_)", words):
            return unit
    return "unit"


def _slug(text: str) -> str:
    """The text as a name: small letters, digits, `_`, `.` and `-`."""
    cleaned = re.sub(r"[^a-z0-9_.-]+", "_", leaf(text) if "." not in text else text.lower()).strip("_.-")
    return cleaned[: LONGEST_NAME - 4] or "usage"


def _distinct(name: str, taken: set[str]) -> str:
    slug = _slug(name)
    return next(each for each in (slug, *(f"{slug}_{n}" for n in range(2, 1000))) if each not in taken)


def _text(text: str, *, key: bool = False) -> str:
    """The text as a YAML scalar."""
    if _PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false") and not key:
        return text
    dumped: str = yaml.safe_dump(text, default_style='"', width=10_000, allow_unicode=True)
    return dumped.strip()


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)


def _is_team_id(text: str) -> bool:
    return text.isprintable() and bool(text.strip()) and len(text.encode()) <= 255


def _microseconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1))
