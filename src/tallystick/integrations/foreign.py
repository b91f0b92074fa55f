"""Events in the words of another system, taken in like our own.

Each foreign event becomes an `EventIn`, and from there on it is checked, stored, counted once or rejected as
any other. What can't be taken is kept as a dead letter in our own words, so that it can be repaired and replayed
like any other; the sender hears of it in the words that it used.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from tallystick.core.errors import InvalidInput
from tallystick.metering.decoding import Decoded, EventIn, Invalid, Limits, Rejection, rejection, to_event
from tallystick.metering.ingestion import Outcome

Sent: TypeAlias = bytes | msgspec.Raw
"""An event as it was sent: JSON text."""

Fields: TypeAlias = Mapping[str, msgspec.Raw]
"""What an event that can't be taken consists of."""

NULL = msgspec.Raw(b"null")
ONE = msgspec.Raw(b"1")

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading JSON from outside may raise."""

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _QuantityIn(msgspec.Struct):
    quantity: msgspec.Raw = ONE


_quantity = msgspec.json.Decoder(_QuantityIn)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How another system spells an event.

    Attributes:
        names: our field → theirs.
        translate: our event of one of theirs; raises Invalid in our words, or msgspec's error in theirs.
        salvage: what can be kept, in our words, of an event that `translate` refuses; None: nothing better than
            the event as it was sent.
    """

    names: Mapping[str, str]
    translate: Callable[[Sent], EventIn]
    salvage: Callable[[Fields], dict[str, Any] | None]

    def decode(self, parts: Sequence[Sent], limits: Limits) -> Decoded:
        """The events of a request, each of which stands alone.

        Raises:
            InvalidInput: it is one event and that is no JSON.
        """
        decoded = Decoded([], [], {}, len(parts))
        for index, part in enumerate(parts):
            self._take(index, part, limits, decoded)
        if decoded.size == 1 and decoded.rejections and decoded.rejections[0].code == "malformed_json":
            raise InvalidInput(f"the body is {decoded.rejections[0].message}", code="malformed_json")
        return decoded

    def _take(self, index: int, part: Sent, limits: Limits, decoded: Decoded) -> None:
        try:
            sent = self._translated(part)
        except Invalid as problem:
            decoded.rejections.append(rejection(index, self._salvaged(bytes(part)), problem))
            return
        in_our_words = msgspec.json.encode(sent)
        try:
            decoded.events.append((index, to_event(sent, limits), in_our_words))
        except Invalid as problem:
            decoded.rejections.append(rejection(index, in_our_words, problem))

    def _translated(self, part: Sent) -> EventIn:
        try:
            return self.translate(part)
        except msgspec.ValidationError as error:
            raise self._explained(str(error)) from None
        except UNREADABLE as error:
            raise Invalid(None, "malformed_json", f"not valid JSON: {error}") from None

    def _explained(self, message: str) -> Invalid:
        """A decoder's message about a foreign event, as a field of ours and a reason."""
        found, reason = _AT.search(message), _AT.sub("", message)
        if reason.startswith("Object missing required field"):
            field = self._ours(reason.split("`")[1])
            return Invalid(field, "missing_field", f"{field} is required")
        field = self._ours(found["path"]) if found else "event"
        return Invalid(field, f"invalid_{field}" if field in self.names else "invalid_event", f"{field}: {reason}")

    def _ours(self, theirs: str) -> str:
        return next((ours for ours, name in self.names.items() if name == theirs), theirs)

    def _salvaged(self, part: bytes) -> bytes:
        try:
            event = self.salvage(_fields.decode(part))
        except UNREADABLE:
            return part
        return part if event is None else msgspec.json.encode(event)

    def renamed(self, fields: Fields) -> dict[str, Any]:
        """The fields that have a place in our event, under our names."""
        return {ours: fields[theirs] for ours, theirs in self.names.items() if theirs in fields}

    def errors(self, outcome: Outcome) -> list[dict[str, Any]]:
        """What the sender is told of events that were not taken, or that differ from the one that came first."""
        return [self._told(rejected) for rejected in outcome.rejections]

    def _told(self, rejected: Rejection) -> dict[str, Any]:
        field, message = rejected.field, rejected.message
        theirs = self.names.get(field or "", field)
        if field and message.startswith(field):
            message = f"{theirs}{message.removeprefix(field)}"
        return {"index": rejected.position, "field": theirs, "code": rejected.code, "message": message}


def quantity_of(data: msgspec.Raw) -> msgspec.Raw:
    """The `quantity` that an event's data has; 1 where it has none.

    Raises:
        Invalid: the data is neither a JSON object nor null.
    """
    if bytes(data) == b"null":
        return ONE
    try:
        quantity = _quantity.decode(data).quantity
    except UNREADABLE:
        raise Invalid("metadata", "invalid_metadata", "metadata must be a JSON object") from None
    return ONE if bytes(quantity) == b"null" else quantity


def salvaged_quantity(data: msgspec.Raw) -> dict[str, Any]:
    """The field of our event for the `quantity` in data that may be anything; none where it can't be read."""
    try:
        return {"quantity": quantity_of(data)}
    except Invalid:
        return {}


def text_of(value: msgspec.Raw | None) -> str | None:
    """The text that a JSON text spells; None where it spells something else, or nothing."""
    try:
        return None if value is None else msgspec.json.decode(value, type=str)
    except UNREADABLE:
        return None


def not_taken(decoded: Decoded, outcome: Outcome) -> int:
    """How many events of a request were neither stored by it nor known before."""
    return decoded.size - outcome.accepted - outcome.duplicates
