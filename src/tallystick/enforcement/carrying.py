"""Committing a reservation with the events that carry its usage: they are stored as the track route stores them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from tallystick.core.errors import InvalidInput
from tallystick.enforcement.models import Reservation, ReservationState
from tallystick.enforcement.reservations import Reservations, carrying_key
from tallystick.metering.decoding import Decoded, decode
from tallystick.metering.ingestion import Outcome
from tallystick.metering.service import Metering

SentEvent: TypeAlias = Mapping[str, msgspec.Raw]
"""An event as a client sends it: its fields, each still JSON, so that numbers stay exact."""

ABSENT = (None, msgspec.Raw(b"null"))


class Committed(NamedTuple):
    """The reservation as it stands then, and what became of the events that were sent with it."""

    reservation: Reservation
    decoded: Decoded
    outcome: Outcome


async def commit_events(
    reservations: Reservations, metering: Metering, reservation: Reservation, events: Sequence[SentEvent]
) -> Committed:
    """Store events that carry a reservation's usage, and settle it.

    Events without a team are the reservation's; without an idempotency key they get one that is named after the
    reservation and their place, so that the same request can be sent again. The reservation keeps its quantity free
    until they are stored; where none of them can be, it is as it was before.

    Raises:
        InvalidInput: an event is for another team, or there is none.
        Conflict: the reservation was released.
        Unavailable: the events could not be stored; sending them again is safe.
    """
    decoded = decode(_body(reservation, events), metering.limits.now())
    keys = {position: event.idempotency_key for position, event, _ in decoded.events}
    announced = _is_announced(reservation, [event.id for _, event, _ in decoded.events])
    named = await reservations.commit(reservation.id, keys.values()) if keys and not announced else reservation
    outcome = await metering.ingestor.submit(decoded, allowed_team=reservation.team_id)
    refused = {rejected.position for rejected in outcome.rejections if rejected.code != "conflict"}
    if keys.keys() - refused:
        named = await reservations.settle(named)
    elif keys and not announced:
        named = await reservations.restore(reservation)
    return Committed(named, decoded, outcome)


def _is_announced(reservation: Reservation, ids: Sequence[UUID]) -> bool:
    """Whether the reservation ends with these events already, so that they need not be named first."""
    open_ = reservation.state in (ReservationState.HELD, ReservationState.EXPIRED)
    return open_ and len(reservation.event_ids) > 0 and set(reservation.event_ids) <= set(ids)


def _body(reservation: Reservation, events: Sequence[SentEvent]) -> bytes:
    return msgspec.json.encode([_completed(reservation, event, number) for number, event in enumerate(events, 1)])


def _completed(reservation: Reservation, event: SentEvent, number: int) -> SentEvent:
    team = msgspec.Raw(msgspec.json.encode(reservation.team_id))
    complete = {"team_id": team, **event}
    if complete.get("idempotency_key") in ABSENT:
        key = carrying_key(reservation.id, number)
        complete["idempotency_key"] = msgspec.Raw(msgspec.json.encode(key))
    if _text(complete["team_id"]) != reservation.team_id:
        raise InvalidInput(f"this reservation is of team {reservation.team_id!r} alone", field="events")
    return complete


def _text(raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
