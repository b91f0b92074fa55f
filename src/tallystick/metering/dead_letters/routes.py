"""`/api/usage/dead-letters`: rejected events are looked at, edited, replayed, discarded and deleted.

Looking takes the scope read. Editing and replaying decide what is billed to whom, and take ingest for every
team; giving up and erasing take admin.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from tallystick.core.errors import NotFound
from tallystick.http.access import Administrator, Ingester, Reader
from tallystick.http.body import members_of
from tallystick.http.openapi import BODY, problems
from tallystick.http.pace import Unhurried
from tallystick.http.paging import PageQuery, decode_cursor, encode_cursor
from tallystick.metering.dead_letters.answers import (
    DeadLetterAnswer,
    DeadLetterPage,
    EditAnswer,
    ReplayAnswer,
    ReplaysAnswer,
    WholeDeadLetterAnswer,
)
from tallystick.metering.dead_letters.models import Kind, LetterFilter, Repair, State, kind_of
from tallystick.metering.dead_letters.service import LONGEST_REASON
from tallystick.metering.routes import Service, interval_of

router = APIRouter(prefix="/api/usage/dead-letters", tags=["dead letters"])

LetterId = Annotated[int, Path(ge=1, lt=2**63)]
NULL = b"null"


class DeadLetterQuery(PageQuery):
    """Which dead letters to list."""

    team_id: str | None = None
    code: str | None = Field(default=None, description="Rejected for this reason.", examples=["unknown_team"])
    kind: Kind | None = Field(default=None, description="Rejected for a reason of this class.")
    state: State | None = Field(default=State.WAITING, description="What became of them.")
    start: str | None = Field(default=None, alias="from", description="Happened at this instant or later (RFC 3339).")
    end: str | None = Field(default=None, alias="to", description="Happened before this instant (RFC 3339).")


@router.get("")
async def list_dead_letters(
    query: Annotated[DeadLetterQuery, Query()], metering: Service, caller: Reader
) -> DeadLetterPage:
    """List rejected events, newest first, with how many wait by reason. Scope: read."""
    team_id = caller.team(query.team_id)
    wanted = LetterFilter(team_id, query.code, query.kind, query.state, interval_of(query.start, query.end))
    before = None if query.cursor is None else decode_cursor(query.cursor, int)[0]
    letters = await metering.dead_letters.list(wanted, before=before, limit=query.limit + 1)
    waiting = await metering.dead_letters.counts(team_id)
    return DeadLetterPage(
        data=[DeadLetterAnswer.of(letter) for letter in letters[: query.limit]],
        next_cursor=encode_cursor(letters[query.limit - 1].id) if len(letters) > query.limit else None,
        waiting=waiting,
        kinds=_by_kind(waiting),
    )


def _by_kind(waiting: Mapping[str, int]) -> Mapping[Kind, int]:
    found = Counter[Kind]()
    for code, letters in waiting.items():
        found[kind_of(code)] += letters
    return found


@router.get("/{letter_id}", responses=problems(404))
async def get_dead_letter(letter_id: LetterId, metering: Service, caller: Reader) -> WholeDeadLetterAnswer:
    """One dead letter, with every repair of it. Scope: read."""
    letter = await metering.dead_letters.get(letter_id)
    if caller.team_id not in (None, letter.team_id):
        raise NotFound(f"there is no dead letter {letter_id}")
    history = [EditAnswer.of(edit) for edit in await metering.dead_letters.edits(letter_id)]
    return WholeDeadLetterAnswer.of(letter, history=history)


class RepairRequest(BaseModel):
    """How a letter is repaired: by another event in its place, or by changes."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"changes": {"team_id": "acme"}, "reason": "a typing error"}]}
    )

    event: dict[str, Any] | None = Field(default=None, description="The whole event, as it should have been sent.")
    changes: dict[str, Any] | None = Field(
        default=None, description="Members to put into the event; null takes one out. Metadata is replaced as a whole."
    )
    reason: str | None = Field(default=None, min_length=1, max_length=LONGEST_REASON, description="For the record.")


class EditRequest(RepairRequest):
    """A repair that has to say something."""

    @model_validator(mode="after")
    def _says_something(self) -> "EditRequest":
        if self.event is None and not self.changes:
            raise ValueError("give the event, or the changes to it")
        return self


@router.patch("/{letter_id}", responses=BODY | problems(404, 409))
async def edit_dead_letter(
    letter_id: LetterId, request: Request, wanted: EditRequest, metering: Service, caller: Ingester
) -> DeadLetterAnswer:
    """Keep a repaired event beside what was sent, for a replay to send. Scope: ingest, for every team.

    What was sent stays as it is. The repaired event is checked as far as it can be without storing it.
    """
    caller.require_every_team()
    repair = await _repair(request, wanted.reason)
    return DeadLetterAnswer.of(await metering.dead_letters.edit(letter_id, repair, metering.limits.now(), caller.actor))


@router.post("/{letter_id}/replay", responses=BODY | problems(404, 409))
async def replay_dead_letter(
    letter_id: LetterId, request: Request, wanted: RepairRequest, metering: Service, caller: Ingester
) -> ReplayAnswer:
    """Send a dead letter again, as it was edited last, else as it came. Scope: ingest, for every team.

    With `event` or `changes` it is edited first. Replaying can't count an event twice.
    """
    caller.require_every_team()
    repair = await _repair(request, wanted.reason)
    replay = await metering.dead_letters.replay(letter_id, metering.limits.now(), caller.actor, repair)
    errors = [{"field": r.field, "code": r.code, "message": r.message} for r in replay.outcome.rejections]
    letter = DeadLetterAnswer.of(await metering.dead_letters.get(letter_id))
    return ReplayAnswer(taken=replay.taken, errors=errors, letter=letter)


async def _repair(request: Request, reason: str | None) -> Repair:
    """The repair with its numbers as they were spelled, which the model would not keep."""
    sent = await members_of(request)
    event, changes = (bytes(sent.get(name, NULL)) for name in ("event", "changes"))
    members = {} if changes == NULL else msgspec.json.decode(changes, type=dict[str, msgspec.Raw])
    return Repair(
        event=None if event == NULL else event,
        changes={name: bytes(value) for name, value in members.items()},
        reason=reason,
    )


class ManyRequest(BaseModel):
    """Which letters that wait are meant; at least one of these has to be given, or `all`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "unknown_team"}]})

    all: bool = Field(default=False, description="Every letter that waits.")
    team_id: str | None = None
    code: str | None = Field(default=None, description="Rejected for this reason.", examples=["unknown_team"])
    kind: Kind | None = Field(default=None, description="Rejected for a reason of this class.")

    @model_validator(mode="after")
    def _means_some(self) -> "ManyRequest":
        if self.all == bool(self.team_id or self.code or self.kind):
            raise ValueError("name a team_id, code or kind, or say all")
        return self

    def letters(self) -> LetterFilter:
        """The letters that are meant."""
        return LetterFilter(self.team_id, self.code, self.kind)


class ReplayManyRequest(ManyRequest):
    """Which letters to send again."""

    changes: dict[str, Any] | None = Field(
        default=None, description="The same repair of each, such as another `team_id`; null takes a member out."
    )
    reason: str | None = Field(default=None, min_length=1, max_length=LONGEST_REASON, description="For the record.")
    cursor: str | None = Field(default=None, description="The `next_cursor` of the answer before.")


@router.post("/replay", responses=BODY, dependencies=[Unhurried])
async def replay_dead_letters(
    request: Request, wanted: ReplayManyRequest, metering: Service, caller: Ingester
) -> ReplaysAnswer:
    """Send many dead letters again, oldest first, up to 500 a request. Scope: ingest, for every team.

    Those of senders whose key is not for the team (`forbidden_team`) are left out unless `code` or `kind` names them.
    """
    caller.require_every_team()
    repair = await _repair(request, wanted.reason)
    after = 0 if wanted.cursor is None else decode_cursor(wanted.cursor, int)[0]
    replays = await metering.dead_letters.replay_many(
        wanted.letters(), metering.limits.now(), caller.actor, repair, after=after
    )
    return ReplaysAnswer.of(replays, None if replays.after is None else encode_cursor(replays.after))


class DiscardRequest(BaseModel):
    """Why a letter is given up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "sent by a test run"}]})

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


@router.post("/{letter_id}/discard", responses=BODY | problems(404, 409))
async def discard_dead_letter(
    letter_id: LetterId, wanted: DiscardRequest, metering: Service, caller: Administrator
) -> DeadLetterAnswer:
    """Give a letter up: it waits no longer, and stays on record with the reason. Scope: admin."""
    return DeadLetterAnswer.of(await metering.dead_letters.discard(letter_id, wanted.reason, caller.actor))


class DiscardManyRequest(ManyRequest, DiscardRequest):
    """Which letters are given up, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"code": "conflict", "reason": "the first ones are right"}]}
    )


class DiscardAnswer(BaseModel):
    """How many letters were given up."""

    discarded: int


@router.post("/discard", responses=BODY, dependencies=[Unhurried])
async def discard_dead_letters(wanted: DiscardManyRequest, metering: Service, caller: Administrator) -> DiscardAnswer:
    """Give up every letter that waits and matches. Scope: admin."""
    number = await metering.dead_letters.discard_many(wanted.letters(), wanted.reason, caller.actor)
    return DiscardAnswer(discarded=number)


@router.post("/{letter_id}/restore", responses=problems(404, 409))
async def restore_dead_letter(letter_id: LetterId, metering: Service, _: Administrator) -> DeadLetterAnswer:
    """Let a letter that was discarded wait again. Scope: admin."""
    return DeadLetterAnswer.of(await metering.dead_letters.restore(letter_id))


@router.delete("/{letter_id}", status_code=204, responses=problems(404, 409))
async def delete_dead_letter(letter_id: LetterId, metering: Service, _: Administrator) -> Response:
    """Erase a letter that was replayed or discarded, with its edits. Scope: admin."""
    await metering.dead_letters.delete(letter_id)
    return Response(status_code=204)
