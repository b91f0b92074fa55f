"""Corrections: an event can be voided or amended, once each; what was recorded stays as it was.

A void says that the event no longer counts. An amendment voids it and puts another event in its place,
with an identity of its own; the original's id goes on naming the one in force.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.core.ids import event_id as identity
from tallystick.metering.decoding import EventIn, Invalid, Limits, to_event
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import Correction, NewEvent, UsageEvent
from tallystick.metering.registry import Registry

_encode = msgspec.json.Encoder(decimal_format="number").encode
NULL = msgspec.Raw(b"null")
NEVER_NULL = ("quantity", "timestamp")
AMENDABLE = ("quantity", "unit", "timestamp", "user_id", "event_type", "metadata")


class Corrected(NamedTuple):
    """The correction and the event that stands in the place of the voided one, if any."""

    correction: Correction
    replacement: UsageEvent | None


class Corrections:
    """Voids and amends events."""

    def __init__(self, store: EventStore, registry: Registry, clock: Clock, limits: "LimitsNow") -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._limits = limits

    async def event_in_force(self, event_id: UUID) -> UsageEvent:
        """The event of that id, or the one that stands in its place after amendments.

        Raises:
            NotFound: there is no event of that id.
        """
        event = await self._store.event(event_id)
        if event is None:
            raise NotFound(f"there is no event {event_id}")
        while event.replacement_id is not None:
            replacement = await self._store.event(event.replacement_id)
            assert replacement is not None, "an amendment commits with its replacement"
            event = replacement
        return event

    async def void(self, event_id: UUID, reason: str, actor: str) -> Corrected:
        """Say that an event no longer counts. Voiding it again changes nothing and says the same.

        Raises:
            NotFound: there is no event of that id.
        """
        _check_reason(reason)
        event = await self.event_in_force(event_id)
        await self._store.void(Correction(event.id, "void", None, reason, actor, self._clock.now()))
        recorded = await self._store.correction(event.id)
        if recorded is None or recorded.kind != "void":
            raise Conflict(f"event {event_id} was amended at the same moment; look at it and try again")
        return Corrected(recorded, None)

    async def amend(self, event_id: UUID, changes: Mapping[str, Any], reason: str, actor: str) -> Corrected:
        """Put an event with these changes in the place of the one in force.

        Args:
            event_id: the original event, or any of its replacements.
            changes: field → new value, of AMENDABLE; what is not named stays.
            reason: why, for the record.
            actor: who, for the record.

        Raises:
            NotFound: there is no event of that id.
            Conflict: it is void, or was corrected at the same moment.
            InvalidInput: a field that can't be amended, or a value that does not fit.
        """
        _check_reason(reason)
        event = await self.event_in_force(event_id)
        if event.correction is not None:
            raise Conflict(f"event {event_id} is void; a void can't be amended")
        replacement = await self._replacement(event, changes)
        correction = Correction(event.id, "amend", replacement.id, reason, actor, self._clock.now())
        if not await self._store.void(correction, replacement):
            raise Conflict(f"event {event_id} was corrected at the same moment; look at it and try again")
        recorded = await self._store.correction(event.id)
        return Corrected(recorded or correction, await self._store.event(replacement.id))

    async def _replacement(self, event: UsageEvent, changes: Mapping[str, Any]) -> NewEvent:
        original = event.amends or event.id
        number = await self._store.amendments(original) + 1
        try:
            changed = to_event(_changed(event, changes), self._limits.now())
        except Invalid as problem:
            raise InvalidInput(str(problem), field=problem.field, code=problem.code) from None
        await self._registry.refresh([event.team_id], self._clock.now())
        if refusal := self._registry.problem(changed):
            raise InvalidInput(str(refusal), field=refusal.field, code=refusal.code)
        return replace(changed, id=identity(event.team_id, event.idempotency_key, number), amends=original)


class LimitsNow:
    """The limits of a request that arrives now."""

    def __init__(self, clock: Clock, future_tolerance: timedelta, max_events: int) -> None:
        self._clock = clock
        self._future_tolerance = future_tolerance
        self._max_events = max_events

    def now(self) -> Limits:
        """The limits at this moment."""
        return Limits(self._clock.now(), self._future_tolerance, self._max_events)


def _check_reason(reason: str) -> None:
    try:
        storable = "\x00" not in reason and reason.encode()
    except UnicodeEncodeError:
        storable = False
    if not storable:
        raise InvalidInput("reason must be text, and hold no NUL or half of a surrogate pair", field="reason")


def _changed(event: UsageEvent, changes: Mapping[str, Any]) -> EventIn:
    """The event with the changes made, as if a client had sent it."""
    if unknown := sorted(set(changes) - set(AMENDABLE)):
        raise InvalidInput(f"{unknown[0]!r} can't be amended; allowed are {', '.join(AMENDABLE)}", field=unknown[0])
    for name in NEVER_NULL:
        if name in changes and changes[name] in (None, NULL):
            raise InvalidInput(f"{name} can't be null; leave it out to keep it as it is", field=name)
    if not changes:
        raise InvalidInput(f"say what to amend: {', '.join(AMENDABLE)}")
    document: dict[str, Any] = {
        "team_id": event.team_id,
        "event_name": event.event_name,
        "quantity": event.quantity,
        "unit": event.unit,
        "timestamp": event.occurred_at,
        "user_id": event.user_id,
        "event_type": event.event_type,
        "metadata": None if event.metadata is None else msgspec.Raw(event.metadata.encode()),
        "idempotency_key": event.idempotency_key,
    }
    try:
        return msgspec.json.decode(_encode({**document, **changes}), type=EventIn)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the amendment does not fit: {error}") from None
