"""The one door of the application: nothing behind it answers a caller that it did not let in.

It is the outermost ASGI layer, so it guards FastAPI and bare Starlette endpoints, the documentation and
paths that do not exist alike; only the health paths are open. The dashboard's files, which hold nothing of
anybody's, are answered by an application of their own that reaches nothing else. The gate also bounds request
bodies, how much is under way at once and how long it takes, and turns what nobody expected into a problem that
leaks nothing. Every request passes here: keep it short.
"""

import asyncio
import logging
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from tallystick.core.errors import Forbidden, InvalidInput, TallystickError, Unauthorized, Unavailable
from tallystick.http.access import PRINCIPAL
from tallystick.http.body import too_large
from tallystick.http.capacity import HELD, Capacity
from tallystick.http.loopback import require_this_machine
from tallystick.http.pace import PACE, RETRY_AFTER, Pace, Watch
from tallystick.http.principal import DEVELOPER, Mode, Principal
from tallystick.http.problems import from_error, from_unexpected
from tallystick.storage.tenancy import as_team

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health", "/health/ready"})
"""What answers without a key."""

SIGNED_PATHS = frozenset({"/api/webhooks/in/{source}", "/api/webhooks/stripe"})
"""What a signature opens instead of a key: the endpoint itself looks at who sent the request."""

READING = ("GET", "HEAD")

_SIGNED = tuple(path.partition("{")[0] for path in SIGNED_PATHS)

BROWSER_PATHS = frozenset(
    {"/docs", "/docs/swagger-ui.js", "/docs/swagger-ui.css", "/docs/favicon.png", "/openapi.json"}
)
"""What a person opens in a browser, which asks for the key as an HTTP Basic password.

Only these take Basic: a browser sends remembered Basic credentials along with requests that other sites
make, and here that can do no harm.
"""

BASIC = 'Basic realm="tallystick: any user name, an API key as password", charset="UTF-8"'

CREDENTIAL = "tallystick.credential"
"""The key of the ASGI scope under which the gate leaves what let the caller in, for answers that outlast it."""

Headers: TypeAlias = dict[bytes, bytes]
Verify: TypeAlias = Callable[[str], Awaitable[Principal]]


class Public(Protocol):
    """An ASGI application that anybody may use, and that knows by itself which requests are its own."""

    def takes(self, scope: AsgiScope, headers: Headers) -> bool:
        """Whether the request is its own."""
        ...

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI layer that lets in who has a key, and in dev mode who sits at this machine.

    Attributes:
        app: what is behind it.
        verify: the principal of a key; raises Unauthorized.
        max_body_bytes: most bytes of a request body as it is sent.
        dev: ask for no key, and answer this machine alone.
        capacity: what may be under way at once.
        watch: ends what takes too long; see `tallystick.http.pace`.
        public: what anybody may ask, in the place of what is behind; None: nothing.
    """

    app: ASGIApp
    verify: Verify
    max_body_bytes: int
    dev: bool = False
    capacity: Capacity = field(default_factory=Capacity)
    watch: Watch = field(default_factory=Watch)
    public: Public | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        started = False
        pace = self.watch.begin()

        async def watched(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                pace.answered()
            await send(message)

        try:
            await self._let_in(scope, receive, watched, pace)
        except ClientDisconnect:
            log.debug("client left: %s %s", scope["method"], scope["path"])
        except (Exception, asyncio.CancelledError) as error:
            if started:  # too late for another answer; the server breaks the connection off
                raise
            await _answer(_meant(error, pace), scope, receive, send)
        finally:
            self.watch.end(pace)

    async def _let_in(self, scope: AsgiScope, receive: Receive, send: Send, pace: Pace) -> None:
        if scope["path"] in OPEN_PATHS:  # they have to answer when nothing else does
            await self.app(scope, receive, send)
            return
        held = self.capacity.enter()
        try:
            scope[HELD], scope[PACE] = held, pace
            headers: Headers = dict(scope["headers"])
            if self.public is not None and self.public.takes(scope, headers):
                await self._show(self.public, scope, headers, receive, send)
                return
            await self._admit(scope, headers)
            _refuse_nul(scope)
            received = pace.receiving(self._bounded(scope, headers, receive), held.take)
            await self._pass_on(scope, received, send)
        finally:
            self.capacity.leave(held)

    async def _pass_on(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Hand the request on; one of a portal token sees its team alone, and only looks."""
        principal: Principal | None = scope.get(PRINCIPAL)
        if principal is None or principal.mode is not Mode.PORTAL:
            await self.app(scope, receive, send)
            return
        assert principal.team_id is not None
        if scope["method"] not in READING:
            raise Forbidden("a portal token only looks; this needs an API key")
        with as_team(principal.team_id):
            await self.app(scope, receive, send)

    async def _websocket(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            await self._admit(scope, dict(scope["headers"]))
        except TallystickError as error:
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        else:
            await self.app(scope, receive, send)

    async def _show(self, public: Public, scope: AsgiScope, headers: Headers, receive: Receive, send: Send) -> None:
        if self.dev:
            require_this_machine(scope, headers)
        await public(scope, receive, send)

    async def _admit(self, scope: AsgiScope, headers: Headers) -> None:
        if self.dev:
            require_this_machine(scope, headers)
            scope[PRINCIPAL] = DEVELOPER
        elif not scope["path"].startswith(_SIGNED):
            token = _token(headers, scope["path"])
            scope[PRINCIPAL] = await self.verify(token)
            scope[CREDENTIAL] = token

    def _bounded(self, scope: AsgiScope, headers: Headers, receive: Receive) -> Receive:
        if (length := headers.get(b"content-length")) is not None:
            if int(length) > self.max_body_bytes:
                raise too_large(self.max_body_bytes)
            return receive  # the server passes on no more than it announced
        if scope["method"] in ("GET", "HEAD"):
            return receive
        return _counted(receive, self.max_body_bytes)


def _meant(error: BaseException, pace: Pace) -> Exception:
    """The error to answer."""
    if isinstance(error, Exception):
        return error
    if pace.expired:
        return pace.late()
    return Unavailable("the server is stopping; send it again", retry_after=RETRY_AFTER)  # it waited long enough


def _refuse_nul(scope: AsgiScope) -> None:
    """PostgreSQL has no text with a NUL in it; said here once, no endpoint has to.

    Raises:
        InvalidInput: the URL has one.
    """
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise InvalidInput("the URL has a NUL character (%00), which no name or value here contains")


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:  # FastAPI lets only this kind of error through while it reads a body
            raise HTTPException(413, str(too_large(limit)))
        return message

    return counted


def _token(headers: Headers, path: str) -> str:
    """The key that the request carries.

    Raises:
        Unauthorized: it carries none, or in a way that is not accepted here.
    """
    if (sent := headers.get(b"authorization")) is None:
        if (key := headers.get(b"x-api-key")) is None:
            raise Unauthorized("no API key was sent; send Authorization: Bearer tsk_…")
        return key.decode("latin-1")
    scheme, _, credentials = sent.decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic" and path in BROWSER_PATHS:
        return _password(credentials)
    raise Unauthorized("Authorization is not Bearer; send Authorization: Bearer tsk_…")


def _password(credentials: str) -> str:
    try:
        user, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        raise Unauthorized("the Basic credentials are unreadable; give an API key as the password") from None
    return password or user


async def _answer(error: Exception, scope: AsgiScope, receive: Receive, send: Send) -> None:
    response = from_error(error) if isinstance(error, TallystickError) else from_unexpected(error, scope)
    if isinstance(error, Unauthorized) and scope["path"] in BROWSER_PATHS:
        response.headers["WWW-Authenticate"] = BASIC
    await response(scope, receive, send)
