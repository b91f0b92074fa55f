"""The words of importing, without I/O: what the user says about a file, and what a row of it became."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from tallystick.core.clock import zone
from tallystick.core.errors import InvalidInput
from tallystick.core.money import quantity_problem

Choice = TypeVar("Choice", bound=StrEnum)


class Format(StrEnum):
    """How a file is laid out; each may be gzipped."""

    AUTO = "auto"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    ACCESS_LOG = "access-log"


class Identity(StrEnum):
    """What makes two rows that carry no key of their own the same event."""

    POSITION = "position"
    CONTENT = "content"


class RowProblem(NamedTuple):
    """Why a row, or one event of it, can't be imported; `field` is the event's field at fault, if one is."""

    field: str | None
    code: str
    message: str


class Row(NamedTuple):
    """One event read from a file, or the reason why there is none. A row of a file may give several.

    `position` is the line on which the row begins, counted from 1 (a CSV header is line 1), and in
    Parquet the number of the row. `offset_bytes` is how much of the file, as stored, was read by then.
    `raw` is the line without its end; of Parquet, which has no lines, the row as JSON. Exactly one of
    `event` and `problem` is set.
    """

    position: int
    offset_bytes: int
    event: dict[str, Any] | None
    problem: RowProblem | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How the rows of a file become events. Every field says what it does in `option_help(name)`.

    A column that is called like a field of the track route (`team_id`, `event_name`, `quantity`, `unit`,
    `timestamp`, `user_id`, `event_type`, `idempotency_key`, `metadata`) is that field, unless an option
    says otherwise.

    Raises:
        InvalidInput: options that contradict each other or make no sense; `field` is the option's.
    """

    format: Format = field(
        default=Format.AUTO,
        metadata={"help": "Layout of the files; auto tells by name and content."},
    )
    columns: Sequence[str] | None = field(
        default=None,
        metadata={"help": "Names of the columns, in order, of a CSV file that has no header line."},
    )
    delimiter: str | None = field(
        default=None,
        metadata={"help": "Separator of the cells of a CSV file. Default: comma, semicolon, tab or bar."},
    )
    team: str | None = field(default=None, metadata={"help": "Team that all usage in the files belongs to."})
    team_column: str | None = field(default=None, metadata={"help": "Column that names the team. Default: team_id."})
    event: str | None = field(
        default=None,
        metadata={"help": "Event name of every row. Default: column event_name; access logs: http_request."},
    )
    event_column: str | None = field(default=None, metadata={"help": "Column that holds the event name."})
    quantity: Decimal | None = field(
        default=None, metadata={"help": "Quantity of every row. Default: the column quantity, else 1."}
    )
    quantity_column: str | None = field(default=None, metadata={"help": "Column that holds the quantity."})
    quantities: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": "Make of every row an event NAME with its quantity from COLUMN. Repeatable."},
    )
    unit: str | None = field(default=None, metadata={"help": "Unit of the quantities."})
    unit_column: str | None = field(default=None, metadata={"help": "Column that holds the unit. Default: unit."})
    timestamp_column: str | None = field(
        default=None, metadata={"help": "Column that says when it happened. Default: timestamp."}
    )
    timestamp_format: str = field(
        default="auto",
        metadata={
            "help": "auto (RFC 3339, also with a space for the T, without an offset or as a date alone), "
            "epoch-s, epoch-ms, or a strptime pattern. Digits past microseconds are cut off."
        },
    )
    timestamp_zone: str = field(default="UTC", metadata={"help": "IANA time zone of timestamps without an offset."})
    user_column: str | None = field(default=None, metadata={"help": "Column that names the user. Default: user_id."})
    event_type: str | None = field(default=None, metadata={"help": "Event type of every row."})
    event_type_column: str | None = field(
        default=None, metadata={"help": "Column that holds the event type. Default: event_type."}
    )
    metadata_columns: Sequence[str] | None = field(
        default=None,
        metadata={"help": "Columns to keep as metadata. Default: all that no other option takes."},
    )
    key_column: str | None = field(
        default=None,
        metadata={
            "help": "Column with a key that no two events of a team share; wins over --identity. "
            "Default: idempotency_key."
        },
    )
    identity: Identity = field(
        default=Identity.POSITION,
        metadata={
            "help": "What tells rows without a key apart. position: every line counts, and once however often "
            "its file is imported. content: lines that are exactly the same count once."
        },
    )
    source_id: str | None = field(
        default=None,
        metadata={"help": "Name of the file in the keys by position. Default: its name without folder and .gz."},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "format", _choice(Format, self.format, "format"))
        object.__setattr__(self, "identity", _choice(Identity, self.identity, "identity"))
        _check_alternatives(self)
        _check_values(self)


def option_help(name: str) -> str:
    """What the option does, in a sentence or two."""
    return next(str(f.metadata["help"]) for f in fields(ImportOptions) if f.name == name)


def option_name(name: str) -> str:
    """How the option is written on the command line: `team_column` → `--team-column`."""
    return "--" + name.replace("_", "-")


def parse_quantities(texts: Sequence[str]) -> dict[str, str]:
    """`["input=ContextTokens"]` → `{"input": "ContextTokens"}`.

    Raises:
        InvalidInput: not NAME=COLUMN, or a name twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, _, column = text.partition("=")
        if not name or not column:
            raise InvalidInput(f"{text!r} is not NAME=COLUMN, such as llm_input=ContextTokens", field="quantities")
        if name in pairs:
            raise InvalidInput(f"event {name!r} is given two quantities", field="quantities")
        pairs[name] = column
    return pairs


_ALTERNATIVES = [
    ("team", "team_column"),
    ("event", "event_column"),
    ("quantity", "quantity_column"),
    ("unit", "unit_column"),
    ("event_type", "event_type_column"),
    ("quantities", "event"),
    ("quantities", "event_column"),
    ("quantities", "quantity"),
    ("quantities", "quantity_column"),
]


def _choice(kind: type[Choice], value: str, name: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(kind)
        raise InvalidInput(f"{option_name(name)} {value!r} is not one of {allowed}", field=name) from None


def _check_alternatives(options: ImportOptions) -> None:
    for one, other in _ALTERNATIVES:
        if getattr(options, one) not in (None, {}) and getattr(options, other) is not None:
            raise InvalidInput(f"give {option_name(one)} or {option_name(other)}, not both", field=other)


def _check_values(options: ImportOptions) -> None:
    zone(options.timestamp_zone)
    if options.quantity is not None and (problem := quantity_problem(options.quantity)):
        raise InvalidInput(f"--quantity {problem}", field="quantity")
    if options.delimiter is not None and (len(options.delimiter) != 1 or options.delimiter in '"\r\n'):
        raise InvalidInput("--delimiter must be one character other than a quote or line end", field="delimiter")
    for name in ("team", "event", "source_id"):
        if getattr(options, name) == "":
            raise InvalidInput(f"{option_name(name)} must not be empty", field=name)
