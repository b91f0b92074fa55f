"""Statements: what a team's period comes to, open or closed, now or as it was known at any moment.

    events ─▶ usage of each price's interval (one snapshot) ─▶ rate ─▶ lines, rounded once
           ─▶ adjustments of closed periods ─▶ the team's currency ─▶ credits ─▶ total

`aggregate` also brings the roll-ups up to date and keeps what it found in `metered_billing_periods`. That
is a draft: usage itself is always read live, so nothing is wrong when it was not run for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from tallystick.billing import accounts, answers, credits
from tallystick.billing.adjustments.models import NOTHING, Pending
from tallystick.billing.adjustments.service import Adjustments
from tallystick.billing.charging import Answers, Charging, answered, taking_turns
from tallystick.billing.models import Account, Statement, exact_sum
from tallystick.billing.statements import store
from tallystick.billing.statements.assembly import converted, creditables
from tallystick.billing.statements.models import ClosedPeriod, ClosedStatement
from tallystick.billing.tariffs import latest_definitions
from tallystick.billing.teams import store as teams
from tallystick.catalog.price_book import FOREVER
from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.answers import rfc3339
from tallystick.metering.event_store import RollUpProgress
from tallystick.metering.service import Metering
from tallystick.storage.database import Connection, Database

MOST_ROLL_UPS = 100
"""Roll-ups of one request; each takes up to 100,000 events."""


class Aggregation(NamedTuple):
    """What an aggregation did: the sum of its roll-ups, and statements. `more`: roll-ups are left to be done."""

    rolled_up: RollUpProgress
    statements: Sequence[Statement]


class OpenStatement(NamedTuple):
    """A statement before credits, with what it was made of: how everything is charged, and the usage."""

    statement: Statement
    charging: Charging
    answers: Answers


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements of one installation."""

    database: Database
    metering: Metering
    clock: Clock

    async def current(self, team_id: str, *, known_at: datetime | None = None) -> Statement:
        """The statement of the period that is running: now, or as it was at a past moment.

        Args:
            team_id: whose.
            known_at: the moment; of what was recorded later it knows nothing.

        Raises:
            NotFound: there is no such team.
            InvalidInput: the moment is still to come.
        """
        now = self.clock.now()
        moment = known_at or now
        if moment > now:
            raise InvalidInput(f"known_at must not be later than now, {rfc3339(now)}", field="known_at")
        async with self.database.snapshot() as tx:
            account = await accounts.account_of(tx, team_id, moment, known_at=known_at)
        return await self._compute(account)

    async def closed(self, period_id: int) -> ClosedStatement:
        """A closed statement, as it was closed.

        Raises:
            NotFound: there is none of that id.
        """
        async with self.database.snapshot() as tx:
            found = await store.closed_statement(tx, period_id)
        if found is None:
            raise NotFound(f"there is no closed statement {period_id}")
        return found

    async def page(
        self,
        limit: int,
        *,
        team_id: str | None = None,
        status: str | None = None,
        after: tuple[datetime, int] | None = None,
    ) -> Sequence[ClosedPeriod]:
        """Up to `limit` statements after a position, the newest period first; drafts of open ones too."""
        async with self.database.snapshot() as tx:
            return await store.list_periods(tx, limit, team_id=team_id, status=status, after=after)

    async def aggregate(self, team_ids: Sequence[str]) -> Aggregation:
        """Roll up what there is, then compute and keep the current statement of each of these teams.

        Raises:
            NotFound: there is no team of one of the ids; those before it are kept.
        """
        rolled_up = await self.roll_up()
        return Aggregation(rolled_up, [await self._keep(await self.current(team_id)) for team_id in team_ids])

    async def roll_up(self) -> RollUpProgress:
        """Roll up until nothing is left, or this has been going on for long; usage is the same either way."""
        done = await self.metering.store.roll_up(self.clock.now())
        for _ in range(MOST_ROLL_UPS - 1):
            if not done.more:
                break
            done = _both(done, await self.metering.store.roll_up(self.clock.now()))
        return done

    async def before_credits(self, accounts: Sequence[Account]) -> list[OpenStatement]:
        """The open statements of these accounts, before credits pay anything, all from one look at the usage.

        Args:
            accounts: seen from one moment, and all by what was known at one moment or by everything.

        Raises:
            NoExchangeRate: a team is billed in another currency than its plan, and there is no rate at all.
        """
        if not accounts:
            return []
        known_at, as_of = accounts[0].known_at, accounts[0].as_of
        definitions = list(latest_definitions(await self.metering.usage.metrics(known_at)).values())
        work = [Charging.of(account, definitions) async for account in taking_turns(accounts)]
        answers = await answered(self.metering.usage, work, as_of=as_of)
        charged = [each.lines(found) async for each, found in taking_turns(zip(work, answers, strict=True))]
        async with self.database.snapshot() as tx:
            lines = await converted(tx, accounts, charged, known_at=known_at)
            pending = await self._pending(tx, accounts)
        statements = [
            Statement(
                account, [*found, *pending.get(account.team.id, NOTHING).in_currency(account.billing_currency).lines]
            )
            for account, found in zip(accounts, lines, strict=True)
        ]
        return [OpenStatement(*each) for each in zip(statements, work, answers, strict=True)]

    async def _compute(self, account: Account) -> Statement:
        [(statement, _, _)] = await self.before_credits([account])
        if account.subscription is None:
            return statement
        async with self.database.snapshot() as tx:
            return await _with_credits(tx, statement)

    async def _pending(self, tx: Connection, accounts: Sequence[Account]) -> Mapping[str, Pending]:
        """By team the adjustments that these statements would book, were they closed now."""
        held = {each.team.id: each.team for each in accounts if each.subscription is not None}
        sealed = accounts[0].known_at or FOREVER
        adjustments = Adjustments(self.metering.usage, self.metering.store)
        return await adjustments.pending(tx, held, sealed=sealed, as_of=accounts[0].as_of)

    async def _keep(self, statement: Statement) -> Statement:
        async with self.database.transaction() as tx:
            await teams.find_team(tx, statement.account.team.id, lock=True)  # one writer of a team's drafts
            await store.save_draft(tx, statement, answers.snapshot(statement))
        return statement


async def _with_credits(tx: Connection, statement: Statement) -> Statement:
    """The statement with what credits would pay of it."""
    account = statement.account
    lines = creditables(statement)
    if not lines:
        return statement
    burned = await credits.foreseen(tx, account.team.id, lines, account.as_of, period=account.period)
    return replace(statement, credits=exact_sum(each.amount for each in burned))


def _both(earlier: RollUpProgress, later: RollUpProgress) -> RollUpProgress:
    return RollUpProgress(
        batches=earlier.batches + later.batches,
        events=earlier.events + later.events,
        hours_recomputed=earlier.hours_recomputed + later.hours_recomputed,
        backfilled=earlier.backfilled + later.backfilled,
        more=later.more,
        touched=earlier.touched | later.touched,
    )
