"""Keeps the present of every team: those that a roll-up, a credit, a subscription or a price touched, round by round.

    overview_touched, overview_teams.due_at ─▶ a few hundred teams ─▶ charged as a report does ─▶ overview_teams

What a round takes is forgotten in the transaction that keeps what came of it, so nothing is lost with a process that
is killed. One process at a time does it. A round is as large as a fraction of a second allows: the overview may be
some seconds late, ingest and reports may not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.billing.current import Current, Present, current_accounts, earlier_accounts
from tallystick.core.clock import Clock
from tallystick.storage.database import Connection, Database
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

SECONDS_OF_A_ROUND = 0.25
FEWEST, MOST = 10, 500
"""Teams of a round."""

WORDS_FOR_A_TEAM = 20
"""Word of a busy team comes twice a second: so many rows are read for each team that a round may take."""

STALE = timedelta(hours=1)
"""How long a present is good for that nothing touched: levels grow, projections move, prices begin."""

EARLIER_IS_GOOD_FOR = timedelta(minutes=1)
"""How long what the period before came to is taken as it was: late usage and adjustments may change it.

A team whose earlier period was not looked at again is looked at once more after this time.
"""


class Earlier(NamedTuple):
    """What is known of the period before: when it began, what it came to, and when that was looked at."""

    start: datetime | None = None
    cost: Decimal | None = None
    at: datetime | None = None


class Keeper:
    """The keeping of one process."""

    def __init__(self, database: Database, present: Present, clock: Clock) -> None:
        self._database = database
        self._present = present
        self._clock = clock
        self._size = FEWEST

    async def keep(self) -> bool:
        """Do one round; says whether there is more to do."""
        loop = asyncio.get_running_loop()
        began, size = loop.time(), self._size
        done = await self._round(size)
        if done:
            took = loop.time() - began
            self._size = min(MOST, max(FEWEST, size * 2 if took < SECONDS_OF_A_ROUND / 2 else size))
            if took > SECONDS_OF_A_ROUND:
                self._size = max(FEWEST, size // 2)
        return done >= size

    async def settle(self) -> None:
        """Do all that there is to do."""
        while await self.keep():
            continue

    async def _round(self, size: int) -> int:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            if (await self._fetch(tx, "try_lock_keeping"))[0] != (True,):
                return 0
            words = await self._fetch(tx, "touched", limit=size * WORDS_FOR_A_TEAM)
            due = await self._fetch(tx, "due", now=now, limit=size)
            wanted = list(dict.fromkeys([team for _, team in words] + [team for (team,) in due]))[:size]
            if wanted:
                await self._keep(tx, wanted, now)
            taken = set(wanted)
            forgotten = [id for id, team in words if team in taken]
            await tx.execute(QUERIES["forget_touched"], {"ids": forgotten})
        return len(wanted)

    async def _keep(self, tx: Connection, team_ids: Sequence[str], now: datetime) -> None:
        known = {row[0]: Earlier(*row[1:]) for row in await self._fetch(tx, "earlier", team_ids=list(team_ids))}
        async with self._database.snapshot() as snapshot:
            accounts = await current_accounts(snapshot, team_ids, now)
            before = await earlier_accounts(snapshot, accounts, now)
        wanted = [each for id, each in before.items() if not _is_good(known.get(id), each.period.start, now)]
        made = await self._present.of([*accounts, *wanted], now)
        current, earlier = made[: len(accounts)], made[len(accounts) :]
        found = {id: known[id] for id, each in before.items() if id in known and each not in wanted}
        found |= {each.account.team.id: Earlier(each.account.period.start, each.cost, now) for each in earlier}
        await tx.execute(QUERIES["keep"], _columns(current, found, now))

    async def _fetch(self, tx: Connection, name: str, **values: Any) -> list[Any]:
        return await (await tx.execute(QUERIES[name], values)).fetchall()


def _is_good(known: Earlier | None, start: datetime, now: datetime) -> bool:
    return known is not None and known.start == start and known.at is not None and known.at > now - EARLIER_IS_GOOD_FOR


def _good_for(earlier: Earlier, now: datetime) -> timedelta:
    return STALE if earlier.at is None or earlier.at == now else EARLIER_IS_GOOD_FOR


def _columns(found: Sequence[Current], earlier: Mapping[str, Earlier], now: datetime) -> dict[str, list[Any]]:
    accounts = [each.account for each in found]
    before = [earlier.get(each.team.id, Earlier()) for each in accounts]
    return {
        "team_ids": [each.team.id for each in accounts],
        "plans": [each.subscription.plan if each.subscription else None for each in accounts],
        "currencies": [each.currency for each in accounts],
        "starts": [each.period.start for each in accounts],
        "ends": [each.period.end for each in accounts],
        "events": [int(sum(metric.events for metric in each.metrics)) for each in found],
        "costs": [each.cost for each in found],
        "projected": [each.projected for each in found],
        "previous_starts": [each.start for each in before],
        "previous": [each.cost for each in before],
        "previous_at": [each.at for each in before],
        "computed_at": [now] * len(accounts),
        "due_at": [
            min(now + _good_for(each, now), account.period.end) for account, each in zip(accounts, before, strict=True)
        ],
    }
