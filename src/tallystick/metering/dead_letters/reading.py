"""How the body of a dead letter is read when it is replayed.

Where events come in by another door, in another format, the door says here how one of them is read, so that
its dead letters can be replayed as they were sent. An edited letter is always an event as
`POST /api/usage/track` takes it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from tallystick.core.errors import Conflict, InvalidInput
from tallystick.metering.dead_letters.models import DeadLetter, Repair
from tallystick.metering.decoding import Decoded, Invalid, Limits, decode, rejection

EVENT = "event"
Reader = Callable[[bytes, Limits], Decoded]

_readers: dict[str, Reader] = {}
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Sent(NamedTuple):
    """What is sent when a letter is replayed."""

    decoded: Decoded
    edited: bool


def register(format: str, reader: Reader) -> None:
    """Say how one event of a format is read. A reader raises InvalidInput, or answers with a rejection."""
    _readers[format] = reader


def to_send(letter: DeadLetter, limits: Limits) -> Sent:
    """What replaying the letter sends: the event as it was edited last, else as it came.

    Raises:
        Conflict: it came in a format that this process does not know.
    """
    if letter.edited is not None:
        return Sent(_decoded(letter, letter.edited, limits), edited=True)
    if letter.format == EVENT:
        return Sent(_decoded(letter, letter.body, limits), edited=False)
    if (reader := _readers.get(letter.format)) is None:
        raise Conflict(f"dead letter {letter.id} came as {letter.format!r}, which is not read here; edit it")
    return Sent(reader(letter.body, limits), edited=False)


def repaired(letter: DeadLetter, repair: Repair, limits: Limits) -> bytes:
    """The event that a repair makes of the letter.

    Raises:
        InvalidInput: it is none that could be taken; says why.
    """
    base = repair.event if repair.event is not None else _base(letter)
    members = dict(_object(base, f"dead letter {letter.id}"))
    for name, value in repair.changes.items():
        if value.strip() == b"null":
            members.pop(name, None)
        else:
            members[name] = msgspec.Raw(value)
    body = msgspec.json.encode(members)
    for rejected in _decoded(letter, body, limits).rejections:
        raise InvalidInput(rejected.message, field=rejected.field, code=rejected.code)
    return body


def _base(letter: DeadLetter) -> bytes:
    if letter.edited is not None:
        return letter.edited
    if letter.format != EVENT:
        message = f"dead letter {letter.id} came as {letter.format!r}; give the whole event instead of changes"
        raise InvalidInput(message, field="changes")
    return letter.body


def _object(body: bytes, name: str) -> Mapping[str, msgspec.Raw]:
    try:
        body.decode()
        return _members.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"{name} is no JSON object: {error}; give the whole event", field="event") from None


def _decoded(letter: DeadLetter, body: bytes, limits: Limits) -> Decoded:
    """An event, which keeps the instant and the key that it came with unless it has its own."""
    try:
        members = dict(_object(body, f"dead letter {letter.id}"))
    except InvalidInput as error:
        return Decoded([], [rejection(0, body, Invalid(None, "malformed_json", str(error)))], {}, 1)
    for name, default in (("timestamp", letter.received_at), ("idempotency_key", letter.key)):
        if members.get(name) in (None, msgspec.Raw(b"null")):
            members[name] = msgspec.Raw(msgspec.json.encode(default))
    return decode(msgspec.json.encode(members), limits)
