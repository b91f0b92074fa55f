"""The busy routes: checks and reservations.

They are bare endpoints without a framework, since every request that a gateway lets through waits for one.
"""

from datetime import timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.core.errors import InvalidInput, NotFound
from tallystick.core.money import parse_decimal, quantity_problem
from tallystick.core.settings import Settings
from tallystick.enforcement.answers import ReservationAnswer, verdict_answer, verdict_headers
from tallystick.enforcement.carrying import commit_events
from tallystick.enforcement.operations import (
    CHECK,
    COMMIT,
    DENIALS,
    GATE_CHECK,
    LASTS,
    LONGEST,
    MAX_TEXT,
    MOST_KEYS,
    RESERVE,
)
from tallystick.enforcement.reservations import Wish
from tallystick.enforcement.service import Enforcement
from tallystick.enforcement.store import Key
from tallystick.http.access import guarded, principal_of
from tallystick.http.answers import Json
from tallystick.http.body import MalformedBody, read_body
from tallystick.http.principal import Scope
from tallystick.metering.tracking import answer as tracked

T = TypeVar("T")

MAX_BODY = 512 * 1024


class CheckRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A check as a client sends it."""

    team_id: str
    metric: str
    quantity: msgspec.Raw = msgspec.Raw(b"1")


class ReserveRequest(CheckRequest, forbid_unknown_fields=True):
    """A reservation as a client sends it."""

    expires_in: int = LASTS
    reference: str | None = None
    idempotency_keys: list[str] = msgspec.field(default_factory=list)


class CommitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What carries a reservation's usage: events to be stored, or the keys of events that are tracked elsewhere."""

    events: list[dict[str, msgspec.Raw]] = msgspec.field(default_factory=list)
    idempotency_keys: list[str] = msgspec.field(default_factory=list)


_check = msgspec.json.Decoder(CheckRequest)
_commit = msgspec.json.Decoder(CommitRequest)
_reserve = msgspec.json.Decoder(ReserveRequest)


@guarded(Scope.INGEST, operation=CHECK)
async def check(request: Request) -> Response:
    """Answer whether a quantity may be used; see CHECK."""
    sent = _decoded(_check, await read_body(request, MAX_BODY))
    return await _checked(request, _key(request, sent.team_id, sent.metric), _quantity(sent.quantity))


@guarded(Scope.INGEST, operation=GATE_CHECK)
async def check_by_status(request: Request) -> Response:
    """Answer whether a quantity may be used, by the status as well; see GATE_CHECK."""
    sent = dict(request.query_params)
    deny = sent.pop("deny", "429")
    if deny not in DENIALS:
        raise InvalidInput(f"deny must be one of {', '.join(DENIALS)}", field="deny")
    quantity = _checked_quantity(sent.pop("quantity", "1"))
    team_id, metric = (_required(sent, name) for name in ("team_id", "metric"))
    if sent:
        raise InvalidInput(f"{min(sent)} is not known here", field=min(sent))
    return await _checked(request, _key(request, team_id, metric), quantity, denied=DENIALS[deny])


@guarded(Scope.INGEST, operation=RESERVE)
async def reserve(request: Request) -> Response:
    """Keep a quantity free; see RESERVE."""
    enforcement: Enforcement = request.app.state.enforcement
    wish = _wish(request, _decoded(_reserve, await read_body(request, MAX_BODY)))
    verdict, made = await enforcement.reserve(wish)
    now = enforcement.clock.now()
    shown = ReservationAnswer.of(made, now).model_dump(mode="json") if made else None
    answer = verdict_answer(wish.key, wish.quantity, verdict) | {"reservation": shown}
    return Json(answer, 201 if made else 200, verdict_headers(wish.key, verdict, now))


@guarded(Scope.INGEST, operation=COMMIT)
async def commit(request: Request) -> Response:
    """Name what carries a reservation's usage; see COMMIT."""
    settings: Settings = request.app.state.settings
    enforcement: Enforcement = request.app.state.enforcement
    sent = _decoded(_commit, await read_body(request, settings.max_body_bytes))
    if bool(sent.events) == bool(sent.idempotency_keys):
        raise InvalidInput("give events, or the idempotency_keys of events that are tracked elsewhere", field="events")
    found = await enforcement.reservations.find(_reservation_id(request))
    principal_of(request).require(Scope.INGEST, found.team_id)
    now = enforcement.clock.now()
    if sent.idempotency_keys:
        check_keys(sent.idempotency_keys)
        named = await enforcement.reservations.commit(found.id, sent.idempotency_keys)
        return Json({"reservation": ReservationAnswer.of(named, now).model_dump(mode="json")})
    done = await commit_events(enforcement.reservations, request.app.state.metering, found, sent.events)
    shown = ReservationAnswer.of(done.reservation, now).model_dump(mode="json")
    return tracked(done.decoded, done.outcome, reservation=shown)


async def _checked(request: Request, key: Key, quantity: Decimal, denied: int = 200) -> Response:
    enforcement: Enforcement = request.app.state.enforcement
    verdict = await enforcement.check(key, quantity)
    headers = verdict_headers(key, verdict, enforcement.clock.now())
    return Json(verdict_answer(key, quantity, verdict), 200 if verdict.allowed else denied, headers)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None


def _required(sent: dict[str, str], name: str) -> str:
    try:
        return sent.pop(name)
    except KeyError:
        raise InvalidInput(f"{name} is required", field=name) from None


def _reservation_id(request: Request) -> UUID:
    sent = request.path_params["reservation_id"]
    try:
        return UUID(sent)
    except ValueError:
        raise NotFound(f"there is no reservation {sent!r}") from None


def _key(request: Request, team_id: str, metric: str) -> Key:
    for name, text in (("team_id", team_id), ("metric", metric)):
        _check_text(name, text)
    principal_of(request).require(Scope.INGEST, team_id)
    return Key(team_id, metric)


def _check_text(name: str, text: str) -> None:
    if not 0 < len(text) <= MAX_TEXT or not text.isprintable():
        raise InvalidInput(f"{name} has 1 to {MAX_TEXT} printable characters", field=name)


def _quantity(raw: msgspec.Raw) -> Decimal:
    """The quantity of a body: a JSON number, or decimal text."""
    return _checked_quantity(bytes(raw).decode().strip('"'))


def _checked_quantity(text: str) -> Decimal:
    quantity = parse_decimal(text[:MAX_TEXT], field="quantity")
    if problem := quantity_problem(quantity):
        raise InvalidInput(f"quantity {problem}", field="quantity")
    if quantity < 0:
        raise InvalidInput("quantity must not be negative", field="quantity")
    return quantity


def _wish(request: Request, sent: ReserveRequest) -> Wish:
    quantity = _quantity(sent.quantity)
    if not quantity:
        raise InvalidInput("quantity must be above zero", field="quantity")
    if not 0 < sent.expires_in <= LONGEST:
        raise InvalidInput(f"expires_in must lie between 1 and {LONGEST} seconds", field="expires_in")
    if sent.reference is not None:
        _check_text("reference", sent.reference)
    check_keys(sent.idempotency_keys)
    return Wish(
        key=_key(request, sent.team_id, sent.metric),
        quantity=quantity,
        lasts=timedelta(seconds=sent.expires_in),
        actor=principal_of(request).actor,
        reference=sent.reference,
        idempotency_keys=sent.idempotency_keys,
    )


def check_keys(keys: list[str]) -> None:
    """Refuse idempotency keys that no event can have.

    Raises:
        InvalidInput: there are too many, or one is empty, too long or unprintable.
    """
    if len(keys) > MOST_KEYS:
        raise InvalidInput(f"at most {MOST_KEYS} idempotency keys are allowed", field="idempotency_keys")
    for key in keys:
        _check_text("idempotency_keys", key)


routes = [
    Route("/api/usage/check", check, methods=["POST"], name="check_usage"),
    Route("/api/usage/check", check_by_status, methods=["GET"], name="check_usage_by_status"),
    Route("/api/usage/reservations", reserve, methods=["POST"], name="reserve_usage"),
    Route("/api/usage/reservations/{reservation_id}/commit", commit, methods=["POST"], name="commit_reservation"),
]
