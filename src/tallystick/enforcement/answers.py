"""How limits, verdicts, reservations and throttles look in answers, and as headers."""

from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from tallystick.core.money import EXACT, ZERO
from tallystick.enforcement.models import (
    Limit,
    LimitType,
    Reason,
    Reservation,
    ReservationState,
    Verdict,
    WhenUnavailable,
)
from tallystick.enforcement.store import Key
from tallystick.enforcement.throttles import Throttle
from tallystick.http.answers import Instant, Number

_SECOND = timedelta(seconds=1)

MOST_INTEGER = Decimal(999_999_999_999_999)
"""The largest integer of a structured header field (RFC 9651)."""


class LimitAnswer(BaseModel):
    """A limit."""

    id: int = Field(examples=[3])
    team_id: str | None = Field(examples=["acme"])
    plan: str | None = Field(description="Each team on this plan; with a version (`growth@2`) on that alone.")
    metric: str = Field(examples=["api_calls"])
    type: LimitType = Field(examples=["hard"])
    limit: Number | None = Field(description="Per billing period; null: none, in spite of the plan's.")
    actor: str = Field(description="Who set it last.")
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, limit: Limit) -> Self:
        """The answer that shows the limit."""
        return cls(limit=limit.quantity, **{k: v for k, v in limit._asdict().items() if k != "quantity"})


class PolicyAnswer(BaseModel):
    """What checks of a metric answer while usage can't be read."""

    metric: str = Field(examples=["api_calls"])
    when_unavailable: WhenUnavailable = Field(description="`open` allows, `closed` refuses.")


class ThrottleAnswer(BaseModel):
    """Why a team is stopped."""

    team_id: str = Field(examples=["acme"])
    metric: str | None = Field(description="Null: for every metric.")
    cause: str = Field(description="What throttles it.", examples=["alert:12:3"])
    since: Instant
    until: Instant | None = Field(description="Null: until the cause is ended.")

    @classmethod
    def of(cls, throttle: Throttle) -> Self:
        """The answer that shows the throttle."""
        return cls.model_validate(throttle._asdict())


class ReservationAnswer(BaseModel):
    """A reservation."""

    id: UUID
    team_id: str = Field(examples=["acme"])
    metric: str = Field(examples=["api_calls"])
    quantity: Number
    state: ReservationState
    reference: str | None
    created_at: Instant
    holds_until: Instant = Field(description="When it runs out, unless it is committed or released before.")
    ended_at: Instant | None = Field(description="Since when it keeps nothing free; null: it does.")

    @classmethod
    def of(cls, reservation: Reservation, now: datetime) -> Self:
        """The answer that shows the reservation as it stands."""
        shown = reservation._asdict() | {"state": reservation.standing(now)}
        return cls.model_validate({name: shown[name] for name in cls.model_fields})


def verdict_answer(key: Key, quantity: Decimal, verdict: Verdict) -> dict[str, Any]:
    """The members of the answer to a check."""
    return {
        "allowed": verdict.allowed,
        "reason": verdict.reason,
        "team_id": key.team_id,
        "metric": key.metric,
        "quantity": quantity,
        "limit": verdict.limit,
        "type": verdict.type,
        "used": verdict.used,
        "reserved": verdict.held,
        "remaining": verdict.remaining,
        "resets_at": verdict.resets_at,
        "retry_at": verdict.retry_at,
    }


def verdict_headers(key: Key, verdict: Verdict, now: datetime) -> dict[str, str]:
    """The verdict as headers of a gateway: `X-RateLimit-…`, and `RateLimit` as the IETF drafts it.

    Limits are cut to whole numbers: at 0.5 left nothing whole is left. Of a team that is throttled nothing is left,
    whatever its limit, until the throttle ends. Without either there are no numbers.
    """
    headers = {"X-RateLimit-Reason": str(verdict.reason)} if verdict.reason else {}
    if (numbers := _numbers(verdict)) is not None and verdict.period is not None:
        limit, left, reset = numbers
        headers |= {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(reset.timestamp())),
            "RateLimit-Policy": f'"{key.metric}";q={limit};w={_seconds(*verdict.period)}',
            "RateLimit": f'"{key.metric}";r={left};t={_seconds(now, reset)}',
        }
    if not verdict.allowed and verdict.retry_at is not None:
        headers["Retry-After"] = str(_seconds(now, verdict.retry_at))
    return headers


def _numbers(verdict: Verdict) -> tuple[int, int, datetime] | None:
    """The limit, what is left of it and when it is whole again; None: there is neither a limit nor a throttle."""
    if verdict.resets_at is None:
        return None
    if verdict.reason is Reason.THROTTLED:
        return _whole(verdict.limit or ZERO), 0, verdict.retry_at or verdict.resets_at
    if verdict.limit is None or verdict.remaining is None:
        return None
    return _whole(verdict.limit), _whole(verdict.remaining), verdict.resets_at


def _whole(number: Decimal) -> int:
    return int(min(number, MOST_INTEGER).to_integral_value(ROUND_FLOOR, context=EXACT))


def _seconds(start: datetime, end: datetime) -> int:
    """Whole seconds, rounded up so that nobody comes back too early."""
    return max(-(-(end - start) // _SECOND), 0)
