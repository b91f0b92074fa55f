"""The words of dead letters, without I/O: a letter, what kind of reason it has, and how it can be repaired."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from tallystick.core.clock import Interval
from tallystick.metering.ingestion import Outcome


class Kind(StrEnum):
    """Reasons by class: what has to happen before the event can count."""

    MALFORMED = "malformed"
    UNTIMELY = "untimely"
    CATALOGUE = "catalogue"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    UNSTORABLE = "unstorable"


REMEDIES: Mapping[Kind, str] = {
    Kind.MALFORMED: "the event itself is wrong: edit it, then replay it",
    Kind.UNTIMELY: "its timestamp is ahead of the clock or before all records: replay it later, or edit it",
    Kind.CATALOGUE: "the team or the metric does not allow it: change the billing file, then replay it; or edit it",
    Kind.CONFLICT: "another event has its key: discard it, amend the event that counts, or give it a key of its own",
    Kind.FORBIDDEN: "its sender's key is not for that team: discard it, or edit it if it should count",
    Kind.UNSTORABLE: "PostgreSQL refused it: edit what the message names, then replay it",
}
"""What helps, by class."""

_KINDS: Mapping[str, Kind] = {
    "timestamp_in_future": Kind.UNTIMELY,
    "timestamp_too_old": Kind.UNTIMELY,
    "unknown_team": Kind.CATALOGUE,
    "unit_mismatch": Kind.CATALOGUE,
    "negative_quantity": Kind.CATALOGUE,
    "conflict": Kind.CONFLICT,
    "forbidden_team": Kind.FORBIDDEN,
    "unstorable": Kind.UNSTORABLE,
}


def kind_of(code: str) -> Kind:
    """The class of a reason. What is not known by name is about the event itself."""
    return _KINDS.get(code, Kind.MALFORMED)


def codes_of(kind: Kind) -> tuple[list[str] | None, list[str] | None]:
    """Which codes a class consists of: these alone, or (the class of all others) all but these."""
    if kind is Kind.MALFORMED:
        return None, sorted(_KINDS)
    return sorted(code for code, its in _KINDS.items() if its is kind), None


class State(StrEnum):
    """What became of a letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class DeadLetter(NamedTuple):
    """A rejected event, why it was rejected, how often it came, and what became of it.

    Attributes:
        id: of the letter.
        digest: what makes two rejections the same letter.
        team_id: whose it is, as far as that could be read; of a forbidden one, the sender's.
        idempotency_key: the event's, or the one that was made for it.
        format: how the body is to be read; `event` is an event as `POST /api/usage/track` takes it.
        body: as it was sent; in a listing only the beginning of a long one.
        size: of the whole body, in bytes.
        code, field, message: why it was rejected when it first came.
        occurred_at: when it happened as far as that could be read, else when it first came.
        received_at, last_seen_at: when it first and last came.
        seen: how often it came.
        edits: how often it was edited.
        edited: the event as it was edited last, None if it never was; in a listing only the beginning.
        attempts: how often a replay was rejected again; `attempted_at`, `attempt_code` and
            `attempt_message` say when and why the last time.
        replayed_at, replayed_by, replayed_as: when its event was taken, who sent it, and the event's id.
        discarded_at, discarded_by, discard_reason: when, by whom and why it was given up.
    """

    id: int
    digest: bytes
    team_id: str | None
    idempotency_key: str | None
    format: str
    body: bytes
    size: int
    code: str
    field: str | None
    message: str
    occurred_at: datetime
    received_at: datetime
    last_seen_at: datetime
    seen: int
    edits: int
    edited: bytes | None
    attempts: int
    attempted_at: datetime | None
    attempt_code: str | None
    attempt_message: str | None
    replayed_at: datetime | None
    replayed_by: str | None
    replayed_as: UUID | None
    discarded_at: datetime | None
    discarded_by: str | None
    discard_reason: str | None

    @property
    def kind(self) -> Kind:
        """The class of its reason."""
        return kind_of(self.code)

    @property
    def state(self) -> State:
        """What became of it. One whose event is stored was replayed, whatever else was said of it."""
        if self.replayed_at is not None:
            return State.REPLAYED
        return State.WAITING if self.discarded_at is None else State.DISCARDED

    @property
    def key(self) -> str:
        """The idempotency key that its event gets unless it has one: the same for every replay."""
        return self.idempotency_key or f"dead-letter-{self.digest.hex()}"


class Edit(NamedTuple):
    """One repair of a letter: the event as it should have been sent, and who said so."""

    number: int
    body: bytes
    reason: str | None
    edited_by: str
    edited_at: datetime


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters are meant; None means any.

    Attributes:
        team_id: of this team.
        code: rejected for this reason.
        kind: rejected for a reason of this class.
        state: what became of them.
        interval: their events happened in it.
    """

    team_id: str | None = None
    code: str | None = None
    kind: Kind | None = None
    state: State | None = State.WAITING
    interval: Interval | None = None

    def parameters(self) -> dict[str, Any]:
        """The filter as statements take it."""
        among, except_for = codes_of(self.kind) if self.kind else (None, None)
        start, end = self.interval or (None, None)
        return {
            "team_id": self.team_id,
            "code": self.code,
            "among": among,
            "except_for": except_for,
            "state": self.state,
            "start": start,
            "end": end,
        }


@dataclass(frozen=True, slots=True)
class Repair:
    """How a letter is repaired.

    Attributes:
        event: the whole event as JSON, in the place of what was sent; None: it is kept.
        changes: member → JSON of its value, put into the event; `null` takes the member out.
        reason: why, for the record.
    """

    event: bytes | None = None
    changes: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None


class Replay(NamedTuple):
    """What became of a dead letter that was sent again."""

    letter: DeadLetter
    outcome: Outcome
    event_id: UUID | None

    @property
    def taken(self) -> bool:
        """Whether its event is stored now, by this replay or because it was there already."""
        return self.event_id is not None and not self.outcome.rejections


class Replays(NamedTuple):
    """What became of some letters that were sent again, and after which one to go on; None: there are no more."""

    replays: list[Replay]
    after: int | None

    @property
    def taken(self) -> int:
        """How many of them are stored now."""
        return sum(each.taken for each in self.replays)


class Waiting(NamedTuple):
    """How many letters wait for one reason, and how often they came."""

    code: str
    letters: int
    seen: int

    @property
    def kind(self) -> Kind:
        """The class of the reason."""
        return kind_of(self.code)
