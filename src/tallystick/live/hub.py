"""Keeps open streams current. What they show is computed once for a team, however many look at it.

    database tells ─▶ which watched teams were touched ─▶ all that are due in one look ─▶ every stream of the team

A team is computed at most once a second, and not at all while nobody looks. Nothing runs before the first stream.
"""

import asyncio
import contextvars
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import datetime
from typing import Any, Final

import psycopg

from tallystick.billing.current import Present
from tallystick.core.clock import Clock
from tallystick.core.errors import TallystickError, Unavailable
from tallystick.live import messages
from tallystick.live.listener import Listener
from tallystick.live.signals import QUERIES, Signal, signals
from tallystick.storage.database import Database
from tallystick.storage.migrate import first_line
from tallystick.storage.tenancy import as_team

log = logging.getLogger(__name__)

MOST_STREAMS = 2000
RETRY_AFTER = 5

AT_MOST_EVERY = 1.0
"""Seconds between two looks at a team."""

AT_LEAST_EVERY = 60.0
"""Seconds after which a team is looked at that nothing touched: levels and projections move with time alone."""

MOST_AT_A_TIME = 100
MOST_TRANSITIONS = 500
AFTER_FAILURE = 2.0
PATIENCE = 5.0
LONG_AGO: Final = float("-inf")


class Hub:
    """The open streams of one server process."""

    def __init__(self, database: Database, present: Present, clock: Clock, *, most: int = MOST_STREAMS) -> None:
        self._database = database
        self._present = present
        self._clock = clock
        self._most = most
        self._of_all: set[Listener] = set()
        self._of_team: dict[str, set[Listener]] = defaultdict(set)
        self._shown: dict[str, bytes] = {}
        self._due: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._transition: int | None = None
        self._closed = False
        self._hearing = asyncio.Event()
        self.computed = 0
        """How often a team was computed; what a benchmark looks at."""

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._of_all) + sum(map(len, self._of_team.values()))

    @contextmanager
    def listening(self, team_id: str | None, *, own: bool = False) -> Iterator[Listener]:
        """A stream while the block runs.

        Args:
            team_id: whose usage it shows; None: it hears which teams were touched.
            own: whoever looks may see this team alone, and the database has to see to that.

        Raises:
            Unavailable: there are too many, or the server is stopping.
        """
        self.admit()
        listener = Listener(team_id, own=own)
        self._add(listener)
        try:
            yield listener
        finally:
            self._remove(listener)

    def admit(self) -> None:
        """Pass when there is room for another stream.

        Raises:
            Unavailable: there are too many, or the server is stopping.
        """
        if self._closed:
            raise Unavailable("the server is stopping; ask again", retry_after=RETRY_AFTER)
        if self.streams >= self._most:
            raise Unavailable(
                f"{self._most} streams are open already (TALLYSTICK_MAX_STREAMS); try again", retry_after=RETRY_AFTER
            )

    async def hearing(self) -> None:
        """Wait until nothing that happens is missed any more; not for long, where the database is away."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._hearing.wait()
        except TimeoutError:
            log.warning("a live stream begins before anything is heard")

    def close(self) -> None:
        """End every stream; from then on there are none. The loops end with the process's event loop."""
        self._closed = True
        for listener in self._everybody():
            listener.close()
        for task in self._tasks:
            task.cancel()

    def _add(self, listener: Listener) -> None:
        self._start()
        if listener.team_id is None:
            self._of_all.add(listener)
            return
        self._of_team[listener.team_id].add(listener)
        if (shown := self._shown.get(listener.team_id)) is not None:
            listener.show(shown)
        else:
            self._plan(listener.team_id)

    def _remove(self, listener: Listener) -> None:
        self._of_all.discard(listener)
        if listener.team_id is not None and (others := self._of_team.get(listener.team_id)) is not None:
            others.discard(listener)
            if not others:
                for known in (self._of_team, self._shown, self._due, self._looked):
                    known.pop(listener.team_id, None)

    def _everybody(self) -> list[Listener]:
        return [*self._of_all, *(each for some in self._of_team.values() for each in some)]

    def _start(self) -> None:
        for number, work in enumerate((self._hear, self._compute)):
            if number == len(self._tasks):
                nobody = contextvars.Context()  # not that of the first stream, which may see one team alone
                self._tasks.append(asyncio.create_task(_kept_up(work), context=nobody))

    async def _hear(self) -> None:
        """Pass on what the database tells."""
        async with aclosing(signals(self._database)) as told:
            async for signal in told:
                await self._heard(signal)
                self._hearing.set()

    async def _heard(self, signal: Signal) -> None:
        for team_id in self._of_team if signal.lost else signal.teams & self._of_team.keys():
            self._plan(team_id)
        if signal.teams or signal.events:
            for listener in self._of_all:
                listener.touch(signal.teams, signal.events)
        if signal.alerts:
            await self._tell_alerts()

    def _plan(self, team_id: str) -> None:
        """Look at the team as soon as it may be looked at again."""
        soon = max(asyncio.get_running_loop().time(), self._looked.get(team_id, LONG_AGO) + AT_MOST_EVERY)
        self._due[team_id] = min(self._due.get(team_id, soon), soon)
        self._wake.set()

    async def _compute(self) -> None:
        """Look at the teams that are due, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = loop.time()
            due = sorted((at, team_id) for team_id, at in self._due.items() if at <= now)[:MOST_AT_A_TIME]
            if due:
                await self._look([team_id for _, team_id in due])
                continue
            rest = min(self._due.values(), default=now + AT_LEAST_EVERY) - now
            try:
                async with asyncio.timeout(rest):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look(self, team_ids: Sequence[str]) -> None:
        """Compute these teams and tell their streams; what is touched meanwhile is looked at again."""
        at = asyncio.get_running_loop().time()
        for team_id in team_ids:
            self._looked[team_id], self._due[team_id] = at, at + AT_LEAST_EVERY
        alone = {id for id in team_ids if any(each.own for each in self._of_team.get(id, ()))}
        await self._show_or_later([id for id in team_ids if id not in alone])
        for team_id in alone:
            with as_team(team_id):
                await self._show_or_later([team_id])

    async def _show_or_later(self, team_ids: Sequence[str]) -> None:
        """Show these teams; where that fails, the others go on."""
        try:
            await self._show(team_ids, self._clock.now())
        except (TallystickError, psycopg.Error) as error:
            log.warning("live streams are not current: %s", first_line(error))
            self._again(team_ids)

    def _again(self, team_ids: Sequence[str]) -> None:
        at = asyncio.get_running_loop().time() + AFTER_FAILURE
        self._due.update({team_id: at for team_id in team_ids if team_id in self._of_team})

    async def _show(self, team_ids: Sequence[str], now: datetime) -> None:
        if not team_ids:
            return
        found = await self._present.current(team_ids, now)
        self.computed += len(found)
        for team_id, current in found.items():
            if team_id in self._of_team:
                self._shown[team_id] = shown = messages.usage(current)
                for listener in self._of_team[team_id]:
                    listener.show(shown)

    async def _tell_alerts(self) -> None:
        """Tell what alerts did since the last time; the first time only find out where they are."""
        async with self._database.snapshot() as tx:
            if self._transition is None:
                row = await (await tx.execute(QUERIES["last_transition"])).fetchone()
                self._transition = int(row[0]) if row else 0
                return
            values = {"after": self._transition, "limit": MOST_TRANSITIONS}
            rows = await (await tx.execute(QUERIES["transitions_after"], values)).fetchall()
        for row in rows:
            self._transition = row[0]
            self._tell_alert(row)

    def _tell_alert(self, row: Sequence[Any]) -> None:
        names = ("team_id", "alert_id", "name", "step", "state", "at", "value", "limit", "unit")
        told = messages.message("alert", dict(zip(names, row[1:], strict=True)))
        for listener in (*self._of_all, *self._of_team.get(row[1], ())):
            listener.alert(told)


async def _kept_up(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Go on whatever happens: a stream that stays silent would look like a team that does nothing."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("live streams failed; going on in %.0f s", AFTER_FAILURE)
        await asyncio.sleep(AFTER_FAILURE)
