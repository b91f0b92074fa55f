"""`AsyncTracker`: delivers from a task on the program's own event loop, without a thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from types import TracebackType

import httpx

from tallystick_client.address import TRANSPORT_ERRORS
from tallystick_client.answers import Failed, Reply
from tallystick_client.base import TRACK_PATH, BaseTracker
from tallystick_client.delivery import Came, Pause, Steps

log = logging.getLogger("tallystick_client")


class AsyncTracker(BaseTracker):
    """Records usage: `track()` accepts an event at once, a task delivers it.

        async with AsyncTracker("http://localhost:8080", "tsk_…") as tracker:
            tracker.track("acme", "api_call", 1, endpoint="/v1/search")

    `track()` is a plain function: it writes to the disk, which is faster than a switch of tasks. For one event loop.
    """

    def _begin(self) -> None:
        super()._begin()
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self._client: httpx.AsyncClient | None = None
        self._rounds: list[asyncio.Future[bool]] = []
        self._deadline: float | None = None

    async def start(self) -> None:
        """Begin to deliver; `async with` does it. What was tracked before is on the disk."""
        if self._task is None and not self._closed:
            self._wake = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def flush(self, timeout: float | None = None) -> bool:
        """Send everything now; True when the server has answered for all of it, False if that took too long."""
        await self.start()
        if self._closed:
            return False
        asked = asyncio.get_running_loop().create_future()
        self._rounds.append(asked)
        self._nudge()
        try:
            return await asyncio.wait_for(asked, timeout)
        except asyncio.TimeoutError:
            return False

    async def close(self, timeout: float | None = None) -> bool:
        """Deliver what can be delivered within the time (else `exit_timeout`); the rest stays on the disk."""
        if self._closed:
            return True
        patience = self.settings.exit_timeout if timeout is None else timeout
        self._deadline = time.monotonic() + patience
        delivered = await self.flush(patience) if self._task else True
        self._closed = True
        self._nudge()
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client:
            await self._client.aclose()
        self._spool.close()
        return delivered

    async def __aenter__(self) -> AsyncTracker:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- The task -----------------------------------------------------------------------------------

    def _accepted(self, full: bool) -> None:
        if full:
            self._nudge()

    def _nudge(self) -> None:
        if self._wake is not None:
            self._wake.set()

    async def _run(self) -> None:
        due = time.monotonic() + self.settings.flush_interval
        while not self._closed:  # asked, because before Python 3.12 a cancellation can get lost in wait_for()
            asked, self._rounds = self._rounds, []
            whole = bool(asked) or time.monotonic() >= due
            delivered = await self._round(whole=whole)
            for each in asked:
                if not each.done():
                    each.set_result(delivered)
            if whole:
                due = time.monotonic() + self.settings.flush_interval
            await self._wait(due)

    async def _wait(self, due: float) -> None:
        assert self._wake is not None
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(0.0, due - time.monotonic()))
        self._wake.clear()

    async def _round(self, *, whole: bool) -> bool:
        try:
            if whole:
                self._spool.seal()
            self._spool.adopt()
            return await self._drive(self._delivery.round())
        except Exception:
            log.exception("usage can't be delivered now; it stays in %s", self.settings.spool)
            return False

    async def _drive(self, steps: Steps) -> bool:
        came: Came = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                return bool(end.value)
            came = await (self._pause(step.seconds) if isinstance(step, Pause) else self._post(step.body))

    async def _pause(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._deadline is not None and until > self._deadline:
                return False
            await asyncio.sleep(min(left, 0.2))
        return True

    async def _post(self, body: bytes) -> Came:
        address = self.settings.address
        try:
            if self._client is None:
                self._client = httpx.AsyncClient(
                    base_url=address.url, headers=address.headers, timeout=self.settings.timeout
                )
            answer = await self._client.post(TRACK_PATH, content=body)
            return Reply(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        except TRANSPORT_ERRORS as error:
            return Failed(f"{type(error).__name__}: {error}")
