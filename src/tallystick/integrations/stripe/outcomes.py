"""What became of a call to Stripe: every answer, and every lack of one, is of one of a few classes.

Bills and meters act on the class alone; nothing else looks into Stripe's errors. A class says what is known about the
deed, not how bad it is: `unknown` may have been done, everything below it was not.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import stripe

from tallystick.core.errors import TallystickError

LONGEST_MESSAGE = 300
ALREADY = "already exists with identifier"
SECRET = re.compile(r"\b(?:[sr]k_(?:test|live)|whsec)_[\w*]+")
REPEATED = frozenset({"duplicate_meter_event"})
LOCKED = "lock_timeout"
TOO_OLD = frozenset({"timestamp_too_far_in_past"})
AHEAD = frozenset({"timestamp_in_future"})
UNUSABLE = frozenset({"meter_event_invalid_value", "meter_event_value_too_many_digits", "payload_invalid_value"})
NOT_SET_UP = frozenset({
    "archived_meter",
    "meter_event_customer_not_found",
    "meter_event_no_customer_defined",
    "no_meter",
    "payload_no_customer_defined",
    "resource_missing",
})  # fmt: skip


class Class(StrEnum):
    """What is known of a call."""

    ACCEPTED = "accepted"
    """Done, and answered."""
    DUPLICATE = "duplicate"
    """Done before: what was sent is there already. As good as accepted."""
    UNKNOWN = "unknown"
    """Done or not: no answer, a garbled one, or an error of Stripe's own."""
    THROTTLED = "throttled"
    """Not done: too many calls, or another one like it is under way. Later, with the same key."""
    LATE = "late"
    """Not done: what it is about is too long ago."""
    CLOCK = "clock"
    """Not done: one of the two clocks is wrong."""
    CONFIGURATION = "configuration"
    """Not done until somebody sets something right: the key, a meter, a customer."""
    POISON = "poison"
    """Not done, and never will be as it is."""

    @property
    def is_done(self) -> bool:
        """Whether it is known to be done."""
        return self in (Class.ACCEPTED, Class.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    Attributes:
        kind: of which class it is.
        status: of HTTP; None: there was no answer.
        code: Stripe's, if it has one.
        message: one line for people, without anything secret.
        replayed: the answer is that of an earlier call with this idempotency key, so the key will never have another.
        reason: of a rate limit, which.
    """

    kind: Class
    status: int | None = None
    code: str | None = None
    message: str = ""
    replayed: bool = False
    reason: str | None = None

    @property
    def is_about_account(self) -> bool:
        """Whether no other call can succeed either: the key is not, or no longer, good."""
        return self.status in (401, 403)

    @property
    def is_too_fast(self) -> bool:
        """Whether there were too many calls, and not just another one at the same thing."""
        return self.status == 429 and self.code != LOCKED


ACCEPTED = Outcome(Class.ACCEPTED, 200)


class StripeRefused(TallystickError):
    """Stripe did not do what was asked; the message says what and why."""

    code = "stripe"
    status = 502

    def __init__(self, doing: str, outcome: Outcome) -> None:
        super().__init__(f"Stripe: {doing}: {outcome.message or outcome.kind}")
        self.outcome = outcome


def outcome_of(error: stripe.StripeError, identifier: str | None = None) -> Outcome:
    """What an error of Stripe's SDK says about the call.

    A refusal with words that are not known is `poison`: it is kept and shown, and nothing is lost by it.

    Args:
        error: what the SDK raised.
        identifier: of the event that was sent: that another one exists already says nothing about it.
    """
    if isinstance(error, stripe.APIConnectionError) or error.http_status is None:
        return Outcome(Class.UNKNOWN, message=_line(error))
    code = _code(error)
    headers: Any = error.headers or {}
    return Outcome(
        kind=_class(error, code, identifier),
        status=error.http_status,
        code=code,
        message=_line(error),
        replayed=str(headers.get("idempotent-replayed", "")).lower() == "true",
        reason=headers.get("stripe-rate-limited-reason"),
    )


def _class(error: stripe.StripeError, code: str | None, identifier: str | None) -> Class:
    status = error.http_status or 0
    if status >= 500 or status < 400:  # a page of a gateway has the status of success at times
        return Class.UNKNOWN
    if status in (409, 429):
        return Class.THROTTLED
    if status in (401, 403) or code in NOT_SET_UP:
        return Class.CONFIGURATION
    if isinstance(error, stripe.IdempotencyError):
        return Class.POISON
    if code in REPEATED or (status == 400 and _exists_already(str(error.user_message or ""), identifier)):
        return Class.DUPLICATE
    if code in TOO_OLD:
        return Class.LATE
    if code in AHEAD:
        return Class.CLOCK
    return _by_message(str(error.user_message or ""))


def _exists_already(message: str, identifier: str | None) -> bool:
    return ALREADY in message and (identifier is None or identifier in message)


def _by_message(message: str) -> Class:
    """Some refusals come without a code."""
    if "cannot be more than 35 days in past" in message:
        return Class.LATE
    if "timestamp" in message and "future" in message:
        return Class.CLOCK
    if "No active meter found" in message:
        return Class.CONFIGURATION
    return Class.POISON


def _code(error: stripe.StripeError) -> str | None:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    inner = body.get("error")
    code = error.code or (inner.get("code") if isinstance(inner, dict) else None)
    return str(code) if code else None


def _line(error: stripe.StripeError) -> str:
    """The message on one line, without what looks like a key: Stripe's own texts name one in part."""
    text = " ".join(str(error.user_message or type(error).__name__).split())
    return SECRET.sub("…", text)[:LONGEST_MESSAGE]
