"""`Client` and `AsyncClient`: ask a server about usage, cost, alerts and limits.

What can be asked, with its arguments and their meaning, stands once, in `questions`. Here is how it is sent.
"""

from __future__ import annotations

import functools
import inspect
import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import httpx

from tallystick_client import questions
from tallystick_client.address import TRANSPORT_ERRORS, Address
from tallystick_client.answers import Failed, Reply
from tallystick_client.errors import NotConfigured, ServerUnavailable
from tallystick_client.outage import Outage
from tallystick_client.questions import POLICIES, Ask, WhenUnavailable
from tallystick_client.reservations import AsyncReservation, Reservation
from tallystick_client.verdicts import Granted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")

STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""How a kept connection fails that the server has closed meanwhile. Everything that is asked can be asked again."""

_left_to_the_parent: list[object] = []
"""Connections that a forked child shares with its parent: kept, because closing them would speak on the wire."""


class BaseClient:
    """The settings of a client, and what it knows of the server."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 10.0,
        check_timeout: float = 0.5,
        when_unavailable: WhenUnavailable = "open",
    ) -> None:
        """Say where the server is. Nothing is sent yet.

        Args:
            url: of the server, as `http://localhost:8080`; else `TALLYSTICK_URL`.
            api_key: with the scope `read` for usage, costs and alerts, `ingest` for checks and reservations; else
                `TALLYSTICK_API_KEY`.
            timeout: seconds to connect, and again for the answer.
            check_timeout: the same for a check; a reservation gets eight times as long.
            when_unavailable: what checks say while the server can't be asked: `open` allows, `closed` refuses. While
                the server can be asked and its database can't, it decides by the metric's policy.

        Raises:
            NotConfigured: no server was named, or a setting is not allowed.
        """
        if when_unavailable not in POLICIES:
            raise NotConfigured(f"when_unavailable is {when_unavailable!r}; allowed are {' and '.join(POLICIES)}")
        self.address = Address.of(url, api_key)
        self._timeout = timeout
        self._check_timeout = check_timeout
        self._when_unavailable = when_unavailable
        self._outage = Outage()
        self._process = os.getpid()

    def _request(self, client: httpx.Client | httpx.AsyncClient, question: Ask[Any]) -> httpx.Request:
        patience = self._timeout if question.patience is None else self._check_timeout * question.patience
        return client.build_request(
            question.method, question.path, params=question.params, content=question.content, timeout=patience
        )

    def _answer(self, question: Ask[T], came: Reply | Failed) -> T:
        """What came, or what stands for it."""
        try:
            answer = question.answered(came)
        except ServerUnavailable as error:
            if question.without is None:
                raise
            self._outage.began(error)
            return self._instead(question, question.without)
        self._outage.ended()
        return answer

    def _instead(self, question: Ask[T], without: Callable[[bool], T]) -> T:
        """What stands for the answer of a server that can't be asked."""
        return without((question.policy or self._when_unavailable) == "open")

    def _forked(self) -> bool:
        """Whether this is a child of the process that made the connections."""
        before, self._process = self._process, os.getpid()
        return before != self._process


def _sync(question: Callable[P, Ask[T]]) -> Callable[Concatenate[Client, P], T]:
    """A method that asks a question."""

    def method(self: Client, /, *arguments: P.args, **named: P.kwargs) -> T:
        return self.ask(question(*arguments, **named))

    return _documented(method, question)


def _async(question: Callable[P, Ask[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    """A coroutine method that asks a question."""

    async def method(self: AsyncClient, /, *arguments: P.args, **named: P.kwargs) -> T:
        return await self.ask(question(*arguments, **named))

    return _documented(method, question)


def _reserving(question: Callable[P, Ask[Granted]]) -> Callable[Concatenate[Client, P], Reservation]:
    def method(self: Client, /, *arguments: P.args, **named: P.kwargs) -> Reservation:
        return Reservation(self, question(*arguments, **named))

    return _documented(method, question)


def _reserving_async(
    question: Callable[P, Ask[Granted]],
) -> Callable[Concatenate[AsyncClient, P], AsyncReservation]:
    def method(self: AsyncClient, /, *arguments: P.args, **named: P.kwargs) -> AsyncReservation:
        return AsyncReservation(self, question(*arguments, **named))

    return _documented(method, question)


Method = TypeVar("Method", bound=Callable[..., Any])


def _documented(method: Method, question: Callable[..., Any]) -> Method:
    """The method, which says of itself what the question says."""
    functools.update_wrapper(method, question, assigned=("__doc__", "__name__"), updated=())
    del method.__wrapped__  # type: ignore[attr-defined] # it lacks self
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    asked = inspect.signature(question)
    method.__signature__ = asked.replace(  # type: ignore[attr-defined] # how a function says it
        parameters=[itself, *asked.parameters.values()], return_annotation=inspect.Signature.empty
    )
    return method


class Client(BaseClient):
    """Asks a server about usage, cost, alerts and limits. Safe from every thread; one per process is enough.

    with Client("http://localhost:8080", "tsk_…") as client:
        print(client.usage("acme").metrics["api_calls"].usage)
        if client.check("acme", "api_calls"):
            ...
    """

    _client: httpx.Client | None = None

    usage = _sync(questions.usage)
    costs = _sync(questions.costs)
    alerts = _sync(questions.alerts)
    check = _sync(questions.check)
    reserve = _reserving(questions.reserve)

    def ask(self, question: Ask[T]) -> T:
        """Send a question, and read its answer."""
        if question.without is not None and not self._outage.may_ask():
            return self._instead(question, question.without)
        return self._answer(question, self._send(question))

    def _send(self, question: Ask[Any]) -> Reply | Failed:
        client = self._connected()
        request = self._request(client, question)
        try:
            try:
                answer = client.send(request)
            except STALE:
                answer = client.send(request)
            return Reply(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        except TRANSPORT_ERRORS as error:
            return Failed(f"{self.address.url} does not answer: {type(error).__name__}: {error}")

    def _connected(self) -> httpx.Client:
        if self._client is not None and self._forked():
            _left_to_the_parent.append(self._client)
            self._client = None
        if self._client is None:
            self._client = httpx.Client(base_url=self.address.url, headers=self.address.headers)
        return self._client

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(BaseClient):
    """Asks a server about usage, cost, alerts and limits, on an event loop; see `Client`.

    async with AsyncClient("http://localhost:8080", "tsk_…") as client:
        if await client.check("acme", "api_calls"):
            ...
    """

    _client: httpx.AsyncClient | None = None

    usage = _async(questions.usage)
    costs = _async(questions.costs)
    alerts = _async(questions.alerts)
    check = _async(questions.check)
    reserve = _reserving_async(questions.reserve)

    async def ask(self, question: Ask[T]) -> T:
        """Send a question, and read its answer."""
        if question.without is not None and not self._outage.may_ask():
            return self._instead(question, question.without)
        return self._answer(question, await self._send(question))

    async def _send(self, question: Ask[Any]) -> Reply | Failed:
        client = self._connected()
        request = self._request(client, question)
        try:
            try:
                answer = await client.send(request)
            except STALE:
                answer = await client.send(request)
            return Reply(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        except TRANSPORT_ERRORS as error:
            return Failed(f"{self.address.url} does not answer: {type(error).__name__}: {error}")

    def _connected(self) -> httpx.AsyncClient:
        if self._client is not None and self._forked():
            _left_to_the_parent.append(self._client)
            self._client = None
        if self._client is None:
            self._client = httpx.AsyncClient(base_url=self.address.url, headers=self.address.headers)
        return self._client

    async def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
