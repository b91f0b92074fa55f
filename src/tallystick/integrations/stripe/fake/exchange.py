"""From a request to its answer: who asks, whether it is well-formed, whether there was one like it, what goes wrong.

In Stripe's order: authentication, the description, the rate limiter, the idempotency key, the lock, the deed. What is
refused before the key is looked at is not remembered under it; what execution comes to is, a 500 as well.
"""

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime
from typing import NamedTuple

import msgspec

from tallystick.integrations.stripe.fake.account import FakeStripe, Handled
from tallystick.integrations.stripe.fake.description import Found, Object, Operation, stripe
from tallystick.integrations.stripe.fake.faults import Effect, Fault, Stage
from tallystick.integrations.stripe.fake.forms import decode
from tallystick.integrations.stripe.fake.meters import Batch
from tallystick.integrations.stripe.fake.refusals import NotServed, Refused, rate_limited, server_error, wrong
from tallystick.integrations.stripe.fake.schema import Violation
from tallystick.integrations.stripe.fake.world import Call

_STREAM = "POST /v2/billing/meter_event_stream"
_JSON = (b"content-type", b"application/json")
_canonical = msgspec.json.Encoder(order="deterministic")
_encode = msgspec.json.Encoder().encode


class Request(NamedTuple):
    """A request as it arrives. Names of headers are in lower case."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The text of a header."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A request that is let in."""

    identity: str
    operation: Operation
    call: Call
    fingerprint: bytes
    batch: Batch | None = None

    @property
    def key(self) -> str | None:
        """What it is called, if a repeat of it is to be recognised."""
        return None if self.operation.in_query else self.call.idempotency_key


class Exchange:
    """Answers requests for an account."""

    def __init__(self, account: FakeStripe) -> None:
        self._account = account
        self._description = stripe()
        self._number = 0

    async def answer(self, request: Request) -> Answer | None:
        """The answer to a request; None cuts the connection."""
        with self._account.lock:
            self._account.clock.catch_up()
            opened = self._open(request)
            if isinstance(opened, Answer):
                return opened
            fault = self._account.faults.strike(Stage.ARRIVAL, opened.operation.name)
        if fault:
            return await self._arrive(opened, fault)
        answer, replayed = await self._done(opened)
        return await self._sent(opened, answer, replayed=replayed)

    def _open(self, request: Request) -> _Opened | Answer:
        self._number += 1
        identity = f"req_{self._number:014d}"
        found = self._description.find(request.method, request.path)
        try:
            return self._admitted(identity, found, request)
        except Violation as violation:
            self._account.violations.append(f"{request.method} {request.path}: {violation.message}")
            refused = wrong(violation.message, violation.where or None, violation.code)
        except Refused as error:
            refused = error
            if isinstance(refused, NotServed):
                self._account.unserved.append(f"{request.method} {request.path}: {refused.message}")
        name = found.operation.name if found else f"{request.method} {request.path}"
        self._note(name, Call({}), refused.status)
        return self._refusal(identity, refused, is_v2=request.path.startswith("/v2/"))

    def _admitted(self, identity: str, found: Found | None, request: Request) -> _Opened:
        if found is None:
            raise _unknown(request)
        operation = found.operation
        key = request.header(b"idempotency-key")
        if key is not None and len(key) > 255:
            raise Violation("Idempotency-Key", None, "An idempotency key has at most 255 characters")
        if operation.name == _STREAM:
            batch = self._account.meters.open_stream(_token(request), request.body)
            self._account.buckets.pass_rate(operation.name, len(batch))
            return _Opened(identity, operation, Call({}, {}, key), request.body, batch)
        if _token(request) != self._account.setting.api_key:
            raise Refused(401, "Invalid API Key provided")
        params = operation.read(_parameters(operation, request), "")
        self._check_served(operation, params)
        self._account.buckets.pass_rate(operation.name)
        fingerprint = _canonical.encode([request.method, request.path, params])
        return _Opened(identity, operation, Call(params, found.ids, key), fingerprint)

    def _check_served(self, operation: Operation, params: Object) -> None:
        if (served := self._account.served.get(operation.name)) is None:
            raise NotServed(operation.name)
        for name in params.keys() - served.honours:
            if name == "expand" and params[name]:
                raise wrong(f"This property cannot be expanded ({params[name][0]}).", "expand")
            raise NotServed(f"the parameter {name} of {operation.name}")

    async def _arrive(self, opened: _Opened, fault: Fault) -> Answer | None:
        if fault.effect is Effect.HANGS:
            await asyncio.sleep(fault.seconds)
        if fault.effect in {Effect.HANGS, Effect.UNREACHABLE}:
            self._note(opened.operation.name, opened.call, 0)
            return None
        refused = rate_limited("global-rate")
        if fault.effect is Effect.UNAVAILABLE:
            refused = Refused(503, "Service unavailable", kind="api_error")
        self._note(opened.operation.name, opened.call, refused.status)
        return self._refusal(opened.identity, refused, is_v2=opened.operation.is_v2)

    async def _done(self, opened: _Opened) -> tuple[Answer, bool]:
        """The answer, and whether it is that of an earlier request."""
        with self._account.lock:
            try:
                if (kept := self._kept(opened)) is not None:
                    return Answer(kept[0], kept[1], (*_headers(opened, replayed=True), self._date())), True
            except Refused as refused:
                return self._refusal(opened.identity, refused, is_v2=opened.operation.is_v2), False
        lane = self._account.meters.lane(opened.call.params) if "meter_events" in opened.operation.name else None
        try:
            self._account.buckets.enter(lane)
        except Refused as refused:
            return self._finish(
                opened, refused, remember=self._account.setting.assumed.a21_concurrency_is_remembered
            ), False
        try:
            if self._account.setting.latency:
                await asyncio.sleep(self._account.setting.latency)
            return self._execute(opened), False
        finally:
            self._account.buckets.leave(lane)

    def _kept(self, opened: _Opened) -> tuple[int, bytes] | None:
        if opened.key is None:
            return None
        now = self._account.clock.seconds
        return self._account.idempotency.begin(opened.operation, opened.key, opened.fingerprint, now)

    def _execute(self, opened: _Opened) -> Answer:
        with self._account.lock:
            self._account.clock.catch_up()
            fault = self._account.faults.strike(Stage.EXECUTION, opened.operation.name)
            result = self._deed(opened, fault)
            if fault and fault.effect is Effect.DONE_BUT_SERVER_ERROR:
                result = server_error()
            return self._finish(opened, result, remember=True)

    def _deed(self, opened: _Opened, fault: Fault | None) -> Object | Refused:
        if fault and fault.effect is Effect.SERVER_ERROR:
            return server_error()
        if fault and fault.effect is Effect.LOCK_TIMEOUT:
            return rate_limited(None)
        told, meters = self._account.told, self._account.meters
        told.request, meters.fault = (opened.identity, opened.call.idempotency_key), fault
        try:
            if opened.batch is not None:
                return meters.stream(opened.batch, opened.call.idempotency_key)
            return self._account.served[opened.operation.name].do(opened.call)
        except NotServed as refused:
            self._account.unserved.append(f"{opened.operation.name}: {refused.message}")
            return refused
        except Refused as refused:
            return refused
        finally:
            told.request, meters.fault = ("", None), None

    def _finish(self, opened: _Opened, result: Object | Refused, *, remember: bool) -> Answer:
        operation = opened.operation
        try:
            answer = self._checked(opened, result)
        except Violation as violation:
            told = f"{operation.name}: {violation.where}: {violation.message}"
            self._account.broken.append(told)
            return self._refusal(opened.identity, Refused(500, told, kind="api_error"), is_v2=operation.is_v2)
        if opened.key is not None:
            kept = self._account.idempotency
            kept.finish(operation, opened.key, answer.status, answer.body, remember=remember)
        return answer

    def _checked(self, opened: _Opened, result: Object | Refused) -> Answer:
        """An answer that the description has, too."""
        if isinstance(result, Refused):
            body = result.body(is_v2=opened.operation.is_v2)
            opened.operation.check_error(body, "")
            return self._refusal(opened.identity, result, is_v2=opened.operation.is_v2)
        opened.operation.check(result, "")
        return Answer(200, _encode(result), (*_headers(opened), self._date()))

    async def _sent(self, opened: _Opened, answer: Answer, *, replayed: bool) -> Answer | None:
        with self._account.lock:
            fault = self._account.faults.strike(Stage.ANSWER, opened.operation.name)
            lost = fault is not None and fault.effect in {Effect.LOST_ANSWER, Effect.ANSWER_HANGS}
            self._note(opened.operation.name, opened.call, 0 if lost else answer.status, replayed=replayed)
        if fault is None:
            return answer
        if fault.effect in {Effect.ANSWER_HANGS, Effect.SLOW}:
            await asyncio.sleep(fault.seconds)
        if fault.effect is Effect.GARBLED:
            return Answer(502, b"<html><body>Bad Gateway</body></html>", ((b"content-type", b"text/html"),))
        return None if lost else answer

    def _refusal(self, identity: str, refused: Refused, *, is_v2: bool) -> Answer:
        extra = ((name.encode(), value.encode()) for name, value in refused.headers.items())
        headers = (_JSON, (b"request-id", identity.encode()), self._date(), *extra)
        return Answer(refused.status, _encode(refused.body(is_v2=is_v2)), headers)

    def _date(self) -> tuple[bytes, bytes]:
        """The time that an answer says it is."""
        return (b"date", format_datetime(self._account.clock.now(), usegmt=True).encode())

    def _note(self, name: str, call: Call, status: int, *, replayed: bool = False) -> None:
        self._account.counts[name, status] += 1
        self._account.requests.append(Handled(name, status, call.idempotency_key, replayed, call.params))


def _headers(opened: _Opened, *, replayed: bool = False) -> tuple[tuple[bytes, bytes], ...]:
    headers = [_JSON, (b"request-id", opened.identity.encode())]
    if opened.key is not None:
        headers.append((b"idempotency-key", opened.key.encode("latin-1")))
    if replayed:
        headers.append((b"idempotent-replayed", b"true"))
    return tuple(headers)


def _unknown(request: Request) -> Refused:
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    return Refused(404, message, code="not_found" if request.path.startswith("/v2/") else None)


def _token(request: Request) -> str:
    """The key of a request: a bearer token, or the user name of Basic authentication, as `curl -u key:` sends it."""
    scheme, _, given = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        with suppress(ValueError):
            return b64decode(given, validate=True).decode().partition(":")[0]
    return given if scheme.lower() == "bearer" else ""


def _parameters(operation: Operation, request: Request) -> Object:
    """The tree of a request's parameters, from where its operation has them."""
    if operation.in_query:
        return decode(request.query + (b"&" if request.query and request.body else b"") + request.body)
    if request.query:
        raise Violation("", None, "This operation takes its parameters in the body, not in the query")
    if not operation.is_v2:
        return decode(request.body)
    try:
        body = msgspec.json.decode(request.body or b"{}")
    except msgspec.DecodeError:
        raise Violation("", None, "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Violation("", None, "The body is not a JSON object")
    return body
