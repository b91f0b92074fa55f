"""Guesses which field is the team, the time, the event, the key and what could be charged for.

Names come first: a column called `customer_id` is the team, whatever is in it. Then what is in it has to fit: an event
column has few values, a key never repeats, a quantity is a number that is no code. A guess is a proposal; whoever
reads it knows better.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from tallystick.importing.analysis.models import FieldReport, Roles
from tallystick.importing.instants import instant_reader
from tallystick.importing.records import BadValue

TEAMS = (
    "team_id team customer_id customer tenant_id tenant account_id account org_id organization_id org organization "
    "workspace_id workspace company client_id client subscription_id project_id project subject remote_user"
).split()
EVENTS = "event_name event event_type type action operation kind name".split()
KEYS = "idempotency_key event_id request_id id uuid key message_id trace_id".split()
USERS = "user_id user username email".split()
TIMES = "timestamp time occurred_at created_at started_at start ts at date datetime event_time ended_at".split()
FORMATS = (
    "auto",
    "epoch-s",
    "epoch-ms",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M",
)

NO_QUANTITY = re.compile(r"(^|[._])(id|ids|status|code|port|year|month|day|line|version|pid|zip|lat|lon|index)$")
QUANTITY = re.compile(
    r"quantity|amount|count|bytes|octets|token|duration|seconds|hours|minutes|size|gb\b|calls|requests|units|messages|"
    r"length|usage|credits|volume|level|stored|seats|_ms\b|cores|egress|ingress"
)
MOST_KINDS = 50
MOST_DIMENSION_VALUES = 50
MOST_QUANTITIES = 6
MOST_DIMENSIONS = 4
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


def leaf(name: str) -> str:
    """The last member of a path, in small letters with `_` between words: `usage.ContextTokens` → `context_tokens`."""
    last = name.rpartition(".")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).replace("-", "_").replace(" ", "_").lower()


def guess_time(fields: Sequence[FieldReport], values: Callable[[str], Iterable[object]]) -> tuple[str | None, str]:
    """The field that says when, and how it is written.

    Args:
        fields: of the first rows.
        values: the values that a field has in the first rows.
    """
    for field in _by_name(fields, TIMES, ("time", "date", "_at", "_ts")):
        found = list(values(field.name))
        for pattern in FORMATS:
            if found and all(fits(value, pattern) for value in found):
                return field.name, pattern
    return None, "auto"


def fits(value: object, pattern: str) -> bool:
    """Whether the value is an instant of this century in that format."""
    try:
        moment: datetime = instant_reader(pattern, "UTC")(value)
    except BadValue:
        return False
    return EARLIEST_YEAR <= moment.year < LATEST_YEAR


def guess_event(fields: Sequence[FieldReport]) -> str | None:
    """The field that says what happened: texts, few of them, in nearly every row."""
    most = max((field.present for field in fields), default=0)
    for field in _by_name(fields, EVENTS):
        if field.kinds[:1] == ["text"] and field.distinct <= MOST_KINDS and field.present * 10 >= most * 9:
            return field.name
    return None


def guess(fields: Sequence[FieldReport], rows: int, time: str | None, time_format: str, event: str | None) -> Roles:
    """Every role, from what is known of all rows."""
    team = next((f.name for f in _by_name(fields, TEAMS, parents=True) if _is_team(f, rows, event)), None)
    key = next((f.name for f in _by_name(fields, KEYS) if _never_repeats(f, rows) and f.name != team), None)
    user = next((f.name for f in _by_name(fields, USERS, parents=True) if f.name != team), None)
    taken = {team, time, event, key, user}
    rest = [field for field in fields if field.name not in taken]
    quantities = sorted((f for f in rest if _is_quantity(f, key)), key=lambda f: not QUANTITY.search(leaf(f.name)))
    names = [field.name for field in quantities][:MOST_QUANTITIES]
    dimensions = [field.name for field in rest if _is_dimension(field, rows) and field.name not in names]
    return Roles(team, time, time_format, event, key, user, names, dimensions[:MOST_DIMENSIONS])


def _by_name(
    fields: Sequence[FieldReport], names: Sequence[str], endings: tuple[str, ...] = (), *, parents: bool = False
) -> Iterator[FieldReport]:
    """Fields of these names, in the order of the names; then those that end so. `parents`: `org.id` is an `org_id`."""
    spelled = {field.name: {leaf(field.name)} for field in fields}
    for field in fields if parents else ():
        if "." in field.name:
            spelled[field.name].add(leaf(field.name.rpartition(".")[0]) + "_" + leaf(field.name))
    found = [field for name in names for field in fields if name in spelled[field.name]]
    if endings:
        found += [field for field in fields if leaf(field.name).endswith(endings)]
    yield from {field.name: field for field in found}.values()


def _is_team(field: FieldReport, rows: int, event: str | None) -> bool:
    return field.name != event and "list" not in field.kinds and field.present * 2 > rows


def _never_repeats(field: FieldReport, rows: int) -> bool:
    close = field.distinct == rows if field.exact else field.distinct * 20 > rows * 19
    return field.present == rows > 1 and close


def _is_quantity(field: FieldReport, key: str | None) -> bool:
    numbers = field.numbers
    if numbers is None or field.kinds[0] != "number" or field.name == key:
        return False
    if NO_QUANTITY.search(leaf(field.name)) or leaf(field.name) in TIMES:
        return False
    named = QUANTITY.search(leaf(field.name)) is not None
    return named or (field.distinct > MOST_DIMENSION_VALUES and numbers.lowest != numbers.highest)


def _is_dimension(field: FieldReport, rows: int) -> bool:
    few = field.exact and 2 <= field.distinct <= MOST_DIMENSION_VALUES and field.distinct * 4 <= rows
    return few and field.kinds[0] in ("text", "number", "boolean") and bool(field.top)
