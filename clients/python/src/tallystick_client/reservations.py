"""Reservations as contexts: a quantity of a limit is kept free while a block runs."""

from __future__ import annotations

import logging
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from tallystick_client.errors import LimitReached, RequestFailed
from tallystick_client.events import new_key
from tallystick_client.questions import Ask, commit, release
from tallystick_client.verdicts import Check, Granted

if TYPE_CHECKING:
    from tallystick_client.client import AsyncClient, Client

log = logging.getLogger("tallystick_client")


class Reserving:
    """What a reservation is, apart from how the server is asked. Filled in when the block is entered."""

    check: Check
    """The verdict, before this was granted."""
    key: str
    """The idempotency key for the event that carries the usage: of the moment it is recorded, it counts instead."""
    holds_until: datetime | None
    """When it is free again, unless it is committed; None: the server could not be asked, and nothing is kept free."""

    def __init__(self, question: Ask[Granted]) -> None:
        self._question = question
        self._id: str | None = None

    def _grant(self, granted: Granted) -> None:
        if not granted.check.allowed:
            raise LimitReached(granted.check)
        self.check, self._id, self.holds_until = granted
        self.key = f"reservation:{self._id}" if self._id else new_key()

    def _committing(self, keys: tuple[str, ...]) -> Ask[None] | None:
        held, self._id = self._id, None
        return commit(held, keys or (self.key,)) if held else None

    def _leaving(self) -> Ask[None] | None:
        held, self._id = self._id, None
        return release(held) if held else None

    def _kept(self, error: RequestFailed) -> None:
        """It ends by itself, so whoever did the work, or could not, is not to fail for it."""
        log.warning("a reservation of %s holds until %s: %s", self.check.team, self.holds_until, error)


class Reservation(Reserving):
    """A quantity that is kept free while a block runs; made by `Client.reserve`.

        with client.reserve("acme", "images", 4) as reservation:
            make_images()
            tracker.track("acme", "image", 4, idempotency_key=reservation.key)
            reservation.commit()

    A block that is left without a commit, by an error or otherwise, gives the quantity back. To enter raises
    `LimitReached` where there is not so much left.
    """

    def __init__(self, client: Client, question: Ask[Granted]) -> None:
        super().__init__(question)
        self._client = client

    def __enter__(self) -> Reservation:
        self._grant(self._client.ask(self._question))
        return self

    def commit(self, *keys: str) -> None:
        """Say that the usage is tracked: under `key`, or under keys of your own. Until it is recorded it is kept free.

        Does not raise where the server can't be asked: the events are on their way, and it ends by itself.
        """
        self._tell(self._committing(keys))

    def _tell(self, question: Ask[None] | None) -> None:
        if question is not None:
            try:
                self._client.ask(question)
            except RequestFailed as error:
                self._kept(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell(self._leaving())


class AsyncReservation(Reserving):
    """A quantity that is kept free while a block runs; made by `AsyncClient.reserve`. See `Reservation`."""

    def __init__(self, client: AsyncClient, question: Ask[Granted]) -> None:
        super().__init__(question)
        self._client = client

    async def __aenter__(self) -> AsyncReservation:
        self._grant(await self._client.ask(self._question))
        return self

    async def commit(self, *keys: str) -> None:
        """See `Reservation.commit`."""
        await self._tell(self._committing(keys))

    async def _tell(self, question: Ask[None] | None) -> None:
        if question is not None:
            try:
                await self._client.ask(question)
            except RequestFailed as error:
                self._kept(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tell(self._leaving())
