"""The words of reading from Kafka: a message, and what the user says about the messages of some topics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from tallystick.core.errors import InvalidInput

FIELDS = ("team_id", "event_name", "idempotency_key", "quantity", "unit", "timestamp", "user_id", "event_type")
"""The fields of an event that a message may give beside its value."""

HEADER = "header:"


class Format(StrEnum):
    """What the values of messages are."""

    AUTO = "auto"
    EVENT = "event"
    CLOUDEVENT = "cloudevent"


class Security(StrEnum):
    """How brokers are spoken to."""

    PLAINTEXT = "plaintext"
    TLS = "tls"
    SASL_PLAINTEXT = "sasl-plaintext"
    SASL_TLS = "sasl-tls"


class Mechanism(StrEnum):
    """How one logs in to brokers with SASL."""

    PLAIN = "plain"
    SCRAM_SHA_256 = "scram-sha-256"
    SCRAM_SHA_512 = "scram-sha-512"


class Message(NamedTuple):
    """One record of a topic, as it was read.

    `offset` is its place in its partition. `timestamp_ms` is the record's, in milliseconds since 1970: when it was
    produced, or appended, as the topic has it.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How messages become events.

    Attributes:
        format: what their values are.
        fields: field of the event → where to take it from (`key`, `topic`, `header:NAME`) if the value has none.
        source: tells clusters apart that have topics of the same name, in the keys of events without one.

    Raises:
        InvalidInput: an unknown field, or no such place.
    """

    format: Format = Format.AUTO
    fields: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        for name, origin in self.fields.items():
            if name not in FIELDS:
                raise InvalidInput(f"--field {name!r} is not one of {', '.join(FIELDS)}", field="field")
            if origin == HEADER:
                raise InvalidInput(f"--field {name}={origin!r} names no header", field="field")
            if origin not in ("key", "topic") and not origin.startswith(HEADER):
                raise InvalidInput(f"--field {name}={origin!r} is not key, topic or header:NAME", field="field")


def parse_fields(texts: Sequence[str]) -> dict[str, str]:
    """`["team_id=key"]` → `{"team_id": "key"}`.

    Raises:
        InvalidInput: not FIELD=ORIGIN, or a field twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, _, origin = text.partition("=")
        if not name or not origin:
            raise InvalidInput(f"--field {text!r} is not FIELD=ORIGIN, such as team_id=key", field="field")
        if name in pairs:
            raise InvalidInput(f"--field {name} is given twice", field="field")
        pairs[name] = origin
    return pairs


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read, from where, as which group.

    Attributes:
        servers: some brokers, `host:port`, from which the others are learned.
        topics: their names.
        group: the consumer group that shares their partitions and remembers how far they were read.
        from_end: a group that has read nothing yet begins with what is produced from now on.
        security: how brokers are spoken to.
        mechanism: how one logs in, with SASL.
        ca_file: certificates to check the brokers' with; None: the system's.
        username, password: to log in with, with SASL.

    Raises:
        InvalidInput: SASL without a name and a password.
    """

    servers: Sequence[str]
    topics: Sequence[str]
    group: str
    from_end: bool = False
    security: Security = Security.PLAINTEXT
    mechanism: Mechanism = Mechanism.PLAIN
    ca_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.sasl and (self.username is None or self.password is None):
            raise InvalidInput(
                f"--security {self.security} needs TALLYSTICK_KAFKA_USERNAME and TALLYSTICK_KAFKA_PASSWORD",
                field="security",
            )

    @property
    def sasl(self) -> bool:
        """Whether one has to log in."""
        return self.security in (Security.SASL_PLAINTEXT, Security.SASL_TLS)

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security in (Security.TLS, Security.SASL_TLS)
