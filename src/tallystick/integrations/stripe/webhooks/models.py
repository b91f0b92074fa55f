"""A message of Stripe's. No I/O."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from tallystick.core.clock import parse_instant
from tallystick.core.errors import InvalidInput


class Told(NamedTuple):
    """That something happened, and to what. What it is like by now has to be asked for: the order is chance.

    Attributes:
        id: of the event; the same event may come many times.
        type: what happened, dotted: `invoice.paid`.
        object_id: to what; None: to nothing that has an id.
        live: whether real money is meant.
        thin: whether its data has to be fetched.
        happened_at: when.
    """

    id: str
    type: str
    object_id: str | None
    live: bool
    thin: bool
    happened_at: datetime


def told(document: Any) -> Told:
    """What a body says; nothing else of it is kept.

    Raises:
        InvalidInput: it is no event of Stripe's.
    """
    try:
        id, type, thin = document["id"], document["type"], document["object"] != "event"
        about = document.get("related_object") if thin else document["data"]["object"]
        object_id = about.get("id") if about else None
        return Told(_text(id), _text(type), object_id, bool(document["livemode"]), thin, _moment(document["created"]))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        raise InvalidInput("the body is no event of Stripe's") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError
    return value


def _moment(created: Any) -> datetime:
    return datetime.fromtimestamp(created, UTC) if isinstance(created, int) else parse_instant(created)
