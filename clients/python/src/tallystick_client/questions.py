"""What can be asked of a server: the one core of `Client` and `AsyncClient`. No I/O.

Each function makes an `Ask`: what to send, how to read the answer, and what to say where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Callable, Generic, Literal, TypeVar, Union

from tallystick_client.answers import TEMPORARY, Failed, Reply, members, seconds
from tallystick_client.errors import (
    AccessDenied,
    InvalidEvent,
    InvalidRequest,
    NotFound,
    RequestFailed,
    RequestRefused,
    ServerUnavailable,
    UnexpectedAnswer,
)
from tallystick_client.events import Quantity, exact_text, new_key
from tallystick_client.reading import Members
from tallystick_client.reports import AlertStatus, Costs, Usage, alerts_of, costs_of, usage_of
from tallystick_client.verdicts import UNAVAILABLE, Check, Granted, check_of, granted_of

T = TypeVar("T")

WhenUnavailable = Literal["open", "closed"]
POLICIES = ("open", "closed")
"""What a check says while the server can't be asked: that everything is allowed, or nothing."""

Size = Literal["minute", "hour", "day", "month"]
"""Of a history's windows."""

Moment = Union[datetime, date, str]
"""An instant with its zone; a date, which begins at midnight in the team's zone; or one of the two as text."""

RESERVING = 8
"""How many times as long as a check a reservation may take: it is written to the disk."""

_KINDS: dict[int, type[RequestRefused]] = {401: AccessDenied, 403: AccessDenied, 404: NotFound}


@dataclass(frozen=True)
class Ask(Generic[T]):
    """A request, which can be sent twice without harm, and what to make of its answer.

    Attributes:
        method, path, params, body: what is sent.
        read: makes the result of the answer's members.
        patience: how many times as long as a check it may take; None: as long as any request.
        without: makes the result where the server can't be asked, from whether to allow; None: that is an error.
        policy: whether to, if the call says so itself.
    """

    method: str
    path: str
    read: Callable[[Members], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    patience: int | None = None
    without: Callable[[bool], T] | None = None
    policy: WhenUnavailable | None = None

    @property
    def content(self) -> bytes | None:
        """The request's body."""
        return None if self.body is None else json.dumps(self.body).encode()

    def answered(self, reply: Reply | Failed) -> T:
        """The result of an answer.

        Raises:
            RequestFailed: it is none.
        """
        if isinstance(reply, Failed):
            raise ServerUnavailable(reply.reason)
        if reply.status >= 500 or reply.status in TEMPORARY:
            detail = members(reply.body).get("detail", "no reason given")
            raise ServerUnavailable(f"the server answered {reply.status}: {detail}", seconds(reply.retry_after))
        if reply.status >= 300:
            raise _refusal(reply)
        try:
            return self.read(members(reply.body))
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise UnexpectedAnswer(
                f"the answer to {self.method} {self.path} is not one of a Tallystick server that this client knows: "
                f"{type(error).__name__}: {error}"
            ) from error


def _refusal(reply: Reply) -> RequestFailed:
    answer = members(reply.body)
    if "code" not in answer:
        return UnexpectedAnswer(f"something answered {reply.status}; is the URL that of a Tallystick server?")
    kind = _KINDS.get(reply.status, RequestRefused)
    return kind(
        str(answer.get("detail", answer["code"])),
        status=reply.status,
        code=str(answer["code"]),
        field=answer.get("field"),
    )


def usage(
    team: str,
    *metrics: str,
    period: str = "current",
    start: Moment | None = None,
    end: Moment | None = None,
    window: Size = "day",
    group_by: Iterable[str] = (),
) -> Ask[Usage]:
    """What a team used in a billing period, with every event that was acknowledged, and its history.

    Args:
        team: whose usage; needs a key with the scope `read`.
        *metrics: by name; all, if none is given.
        period: `current`, or a month (`2026-03`), date or instant that it holds.
        start: where the history begins; else with the period.
        end: where it ends, exclusive; else with the window that is running.
        window: of the history: `minute`, `hour`, `day` or `month`, in the team's time zone.
        group_by: dimensions to keep apart in the history.

    Raises:
        NotFound: there is no such team or metric.
        RequestRefused: a value does not fit; names it.
        ServerUnavailable: there was no answer.
    """
    params = {
        "team_id": team,
        "metric": list(metrics),
        "period": period,
        "window": window,
        "group_by": list(group_by),
        **_only(**{"from": _moment(start), "to": _moment(end)}),
    }
    return Ask("GET", "/api/usage/report", usage_of, params)


def costs(team: str, *, period: str = "current") -> Ask[Costs]:
    """What a team's billing period costs so far, line by line, and where that leads.

    Credits, taxes and adjustments of earlier periods are not taken into account; the statement has them.

    Args:
        team: whose cost; needs a key with the scope `read`.
        period: `current`, or a month (`2026-03`), date or instant that it holds.

    Raises:
        NotFound: there is no such team.
        ServerUnavailable: there was no answer.
    """
    return Ask("GET", "/api/usage/report", costs_of, {"team_id": team, "period": period, "window": "month"})


def alerts(team: str) -> Ask[tuple[AlertStatus, ...]]:
    """How every active alert about a team stands, with its number as it is now. Needs a key with the scope `read`.

    Raises:
        NotFound: there is no such team.
        ServerUnavailable: there was no answer.
    """
    return Ask("GET", "/api/usage/alerts/status", alerts_of, {"team_id": team})


def check(
    team: str, metric: str, quantity: Quantity = 1, *, when_unavailable: WhenUnavailable | None = None
) -> Ask[Check]:
    """Whether a team may use so much more of a metric now.

    Nothing is kept free: for work that takes a while, or must not overshoot, reserve.

    Args:
        team: who is about to use it; needs a key with the scope `ingest`.
        metric: of which.
        quantity: how much, exactly, 0 or more; 0 asks whether the limit is passed already.
        when_unavailable: what to say while the server can't be asked, `open` or `closed`; else as the client does.

    Raises:
        NotFound: there is no such team or metric.
        RequestRefused: the metric's usage can't be limited.
        InvalidRequest: the quantity is no exact number.
    """
    asked = {"team_id": team, "metric": metric, "quantity": _exact(quantity)}
    return Ask(
        "POST",
        "/api/usage/check",
        check_of,
        body=asked,
        patience=1,
        without=lambda allow: Check(allow, UNAVAILABLE, team, metric, Decimal(asked["quantity"])),
        policy=_policy(when_unavailable),
    )


def reserve(
    team: str,
    metric: str,
    quantity: Quantity,
    *,
    expires_in: int = 60,
    reference: str | None = None,
    when_unavailable: WhenUnavailable | None = None,
) -> Ask[Granted]:
    """Keep a quantity of a limit free for work that is under way, as a context; see `Reservation`.

    However many reserve at once, usage and reservations together never exceed a hard limit.

    Args:
        team: who is about to use it; needs a key with the scope `ingest`.
        metric: of which.
        quantity: the most that it can come to, exactly, above 0.
        expires_in: seconds after which it is free again, unless it is committed: longer than the work takes.
        reference: a key of your own, once in the team: given again, it is the same reservation.
        when_unavailable: what to do while the server can't be asked: `open`, go on without a reservation, or
            `closed`, refuse; else as the client does.

    Raises:
        LimitReached: there is not so much left. Raised on entering, as are the others.
        NotFound: there is no such team or metric.
        RequestRefused: the metric's usage can't be limited, or the reference was used for something else.
        InvalidRequest: the quantity is no exact number.
    """
    text = _exact(quantity)
    return Ask(
        "POST",
        "/api/usage/reservations",
        granted_of,
        body={
            "team_id": team,
            "metric": metric,
            "quantity": text,
            "expires_in": expires_in,
            "reference": reference or new_key(),  # so that the request can be sent again if its answer is lost
        },
        patience=RESERVING,
        without=lambda allow: Granted(Check(allow, UNAVAILABLE, team, metric, Decimal(text)), None, None),
        policy=_policy(when_unavailable),
    )


def commit(reservation: str, keys: Iterable[str]) -> Ask[None]:
    """Name the events that carry a reservation's usage; its quantity stays free until they are recorded."""
    path = f"/api/usage/reservations/{reservation}/commit"
    return Ask("POST", path, _nothing, body={"idempotency_keys": list(keys)}, patience=RESERVING)


def release(reservation: str) -> Ask[None]:
    """Give back what a reservation keeps free."""
    return Ask("POST", f"/api/usage/reservations/{reservation}/release", _nothing, patience=RESERVING)


def _nothing(answer: Members) -> None:
    """There is nothing to learn from an answer that is one."""
    if not answer:
        raise ValueError("it is empty")


def _exact(quantity: Quantity) -> str:
    try:
        return exact_text(quantity)
    except InvalidEvent as error:
        raise InvalidRequest(str(error)) from None


def _policy(said: WhenUnavailable | None) -> WhenUnavailable | None:
    if said is not None and said not in POLICIES:
        raise InvalidRequest(f"when_unavailable is {said!r}; allowed are {' and '.join(POLICIES)}")
    return said


def _moment(moment: Moment | None) -> str | None:
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise InvalidRequest(f"{moment!r} has no time zone; give one, or a date for midnight in the team's zone")
    return moment.isoformat() if isinstance(moment, date) else moment


def _only(**given: str | None) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}
