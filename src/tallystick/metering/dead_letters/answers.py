"""How dead letters look in an answer."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.http.answers import Instant
from tallystick.http.paging import Page
from tallystick.metering.dead_letters.models import (
    REMEDIES,
    DeadLetter,
    Edit,
    Kind,
    Replay,
    Replays,
    State,
    Waiting,
)

MOST_REJECTED = 100
"""Letters that the answer to a replay of many names; the others are counted."""


class EditAnswer(BaseModel):
    """One repair of a letter."""

    number: int
    event: str = Field(description="The event as it should have been sent.")
    reason: str | None
    edited_by: str = Field(examples=["key:7Q2M4KX0TB"])
    edited_at: Instant

    @classmethod
    def of(cls, edit: Edit) -> Self:
        """The answer that shows the edit."""
        return cls(**{**edit._asdict(), "event": edit.body.decode(errors="backslashreplace")})


class DeadLetterAnswer(BaseModel):
    """A rejected event, as it was sent, why, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    state: State = Field(description="`waiting`, `replayed` (its event is stored) or `discarded`.")
    team_id: str | None
    idempotency_key: str | None
    kind: Kind = Field(description="The class of the reason.")
    code: str = Field(examples=["unknown_team"])
    field: str | None
    message: str
    remedy: str = Field(description="What helps.")
    format: str = Field(
        description="How the body is read: `event`, unless it came by another door.", examples=["event"]
    )
    body: str = Field(
        description="As it was sent; bytes that are no UTF-8 are shown as \\x…. A listing has the first 20,000 bytes."
    )
    size: int = Field(description="Bytes of the whole body.")
    edits: int = Field(description="How often it was edited.")
    edited: str | None = Field(description="The event as it was edited last, which is what a replay sends.")
    occurred_at: Instant = Field(description="When the event says that it happened, else when it first came.")
    received_at: Instant
    last_seen_at: Instant
    seen: int = Field(description="How often it came.")
    attempts: int = Field(description="How often a replay of it was rejected again.")
    attempted_at: Instant | None
    attempt_code: str | None = Field(description="Why the latest replay was rejected.")
    attempt_message: str | None
    replayed_at: Instant | None
    replayed_by: str | None = Field(examples=["key:7Q2M4KX0TB"])
    replayed_as: str | None = Field(description="The event's id.")
    discarded_at: Instant | None
    discarded_by: str | None
    discard_reason: str | None

    @classmethod
    def of(cls, letter: DeadLetter, **more: Any) -> Self:
        """The answer that shows the letter, and more where there is more to it."""
        shown = {
            **letter._asdict(),
            "kind": letter.kind,
            "state": letter.state,
            "remedy": REMEDIES[letter.kind],
            "body": letter.body.decode(errors="backslashreplace"),
            "edited": None if letter.edited is None else letter.edited.decode(errors="backslashreplace"),
            "replayed_as": None if letter.replayed_as is None else str(letter.replayed_as),
            **more,
        }
        return cls.model_validate(shown)


class WholeDeadLetterAnswer(DeadLetterAnswer):
    """A dead letter with every repair of it."""

    history: list[EditAnswer]


class WaitingAnswer(BaseModel):
    """How many letters wait for one reason."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(examples=["unit_mismatch"])
    kind: Kind
    letters: int
    seen: int = Field(description="How often they came.")

    @classmethod
    def of(cls, waiting: Waiting) -> Self:
        """The answer that shows the count."""
        return cls.model_validate(waiting)


class DeadLetterPage(Page[DeadLetterAnswer]):
    """Dead letters, and how many wait to be repaired."""

    waiting: dict[str, int] = Field(description="By reason.", examples=[{"unknown_team": 2, "invalid_quantity": 1}])
    kinds: dict[Kind, int] = Field(description="By class of reason.", examples=[{"catalogue": 2, "malformed": 1}])


class ReplayAnswer(BaseModel):
    """What became of a replay."""

    taken: bool = Field(description="Whether its event is stored now.")
    errors: list[dict[str, Any]] = Field(description="Why not: field, code and message.")
    letter: DeadLetterAnswer


class RejectedAgain(BaseModel):
    """A letter that was rejected again."""

    id: int
    field: str | None
    code: str
    message: str

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """The answer that shows why."""
        reason = replay.outcome.rejections[0]
        return cls(id=replay.letter.id, field=reason.field, code=reason.code, message=reason.message)


class ReplaysAnswer(BaseModel):
    """What became of some letters that were sent again."""

    taken: int = Field(description="Letters whose events are stored now.")
    rejected: int = Field(description="Letters that were rejected again, and wait on.")
    errors: list[RejectedAgain] = Field(description=f"Why, of the first {MOST_REJECTED}.")
    next_cursor: str | None = Field(description="Send it as `cursor` to go on; null: every letter has been tried.")

    @classmethod
    def of(cls, replays: Replays, cursor: str | None) -> Self:
        """The answer that shows them."""
        rejected = [each for each in replays.replays if not each.taken]
        return cls(
            taken=replays.taken,
            rejected=len(rejected),
            errors=[RejectedAgain.of(each) for each in rejected[:MOST_REJECTED]],
            next_cursor=cursor,
        )
