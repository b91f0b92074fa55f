"""Closing periods: all that are due, in batches, by as many processes as want to.

A run can be stopped anywhere and started again; it goes on with what is not closed. Of two runs at the same time each
closes what the other does not hold. Every period is closed by one transaction, which holds its team's row.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.billing import credits
from tallystick.billing.adjustments import store as adjusting
from tallystick.billing.closing import store
from tallystick.billing.closing.batch import Batch
from tallystick.billing.closing.models import Closed, Failure, Progress, Report
from tallystick.billing.statements import store as statements
from tallystick.billing.statements.models import ClosedPeriod, Status
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.due import due_periods
from tallystick.billing.teams.models import Due
from tallystick.billing.teams.service import required_team
from tallystick.catalog.rules import BillingRules
from tallystick.catalog.store import billing_rules
from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, NotFound, StorageError, TallystickError, Unavailable
from tallystick.metering.service import Metering
from tallystick.storage.database import Connection, Database

BATCH = 500
"""Periods of one transaction."""

PATIENCE = timedelta(days=1)
"""How long closing that nobody asked for waits for the usage of a past that was subscribed to afterwards."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes the periods of one installation."""

    database: Database
    metering: Metering
    clock: Clock

    async def run(
        self,
        *,
        team_id: str | None = None,
        until: datetime | None = None,
        progress: Report | None = None,
        patient: bool = False,
    ) -> Closed:
        """Close every period that is due, and book corrections of those that are closed.

        Args:
            team_id: of this team alone.
            until: only periods that ended by then; default: by now. The grace of the billing file is kept either way.
            progress: is told how far it is, after every batch.
            patient: leave periods that were over before their subscription was made alone for a day, in which
                the usage of the past may be imported.

        Raises:
            NotFound: there is no such team.
        """
        rules, now = await self._rules(), self.clock.now()
        moment = now if until is None else min(now, until + rules.grace)
        if team_id is not None:
            async with self.database.snapshot() as tx:
                await required_team(tx, team_id)
        total = await self._count(moment, rules, team_id) if progress else 0
        done = Closed()
        async for due in self._due(moment, rules, team_id):
            ready = [each for each in due if not patient or _is_ready(each, now)]
            waiting = frozenset(each.team.id for each in due) - {each.team.id for each in ready}
            done += await self._close_in_order(ready, rules, done + Closed(left=waiting))
            if progress:
                progress(Progress(total, len(done.statements), len(done.failures)))
        return done + await self._correct_all(team_id, rules)

    async def void(self, period_id: int, reason: str, actor: str) -> ClosedPeriod:
        """Take a closed statement out of the books; its period is due again, and so is what it adjusted.

        Raises:
            NotFound: there is no such closed statement.
            Conflict: it is on an invoice, is void already, or a later statement adjusts it.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            period = await statements.closed_period(tx, period_id)
            if period is None:
                raise NotFound(f"there is no closed statement {period_id}")
            await required_team(tx, period.team_id, lock=True)  # first, as closing does
            period = await statements.closed_period(tx, period_id, lock=True) or period
            await _check_voidable(tx, period)
            await store.void_statement(tx, period_id, now, reason, actor)
            await credits.reverse(tx, period_id, now)
            await adjusting.forget_rating(tx, await store.adjusted_by(tx, period_id))
            found = await statements.closed_period(tx, period_id)
        assert found is not None
        return found

    async def _rules(self) -> BillingRules:
        async with self.database.snapshot() as tx:
            return await billing_rules(tx)

    async def _due(self, moment: datetime, rules: BillingRules, team_id: str | None) -> AsyncIterator[Sequence[Due]]:
        """What is due at a moment, a batch at a time, by team and then by time."""
        after = None
        while True:
            async with self.database.snapshot() as tx:
                due = await due_periods(tx, moment, rules.grace, BATCH, after, team_id=team_id)
            if not due:
                return
            yield due
            after = due[-1].position

    async def _count(self, moment: datetime, rules: BillingRules, team_id: str | None) -> int:
        """How many periods are due."""
        return sum([len(due) async for due in self._due(moment, rules, team_id)])

    async def _close_in_order(self, due: Sequence[Due], rules: BillingRules, before: Closed) -> Closed:
        """Close these, each team's oldest period first, and none behind one that could not be closed."""
        done, waiting = Closed(), list(due)
        while waiting:
            stuck = {each.team_id for each in (*before.failures, *done.failures)} | before.left | done.left
            first = {each.team.id: each for each in reversed(waiting) if each.team.id not in stuck}
            if not first:
                break
            waiting = [each for each in waiting if each.team.id in first and each is not first[each.team.id]]
            done += await self._close(list(first.values()), rules)
        return done

    async def _close(self, due: Sequence[Due], rules: BillingRules) -> Closed:
        """Close one period of each of some teams; take the batch apart where it fails."""
        known_at = await self.metering.store.seal(self.clock.now())
        try:
            return await Batch(self.database, self.metering, rules.late_usage, known_at).close(due)
        except (StorageError, Unavailable):
            raise
        except (TallystickError, ArithmeticError) as error:
            if len(due) == 1:
                return Closed(failures=(Failure(due[0].team.id, due[0].period.interval, str(error)),))
        half = len(due) // 2
        return await self._close(due[:half], rules) + await self._close(due[half:], rules)

    async def _correct_all(self, team_id: str | None, rules: BillingRules) -> Closed:
        """Book corrections that have no next period to go to: as credit notes, or after a subscription's end."""
        done, after, only = Closed(), "", None if team_id is None else [team_id]
        while True:
            async with self.database.snapshot() as tx:
                found = await store.teams_with_statements(
                    tx, after, BATCH, only=only, late_usage=rules.late_usage, now=self.clock.now()
                )
                held = await teams.teams_by_id(tx, found)
            if not held:
                return done
            known_at = await self.metering.store.seal(self.clock.now())
            done += await Batch(self.database, self.metering, rules.late_usage, known_at).correct(held)
            after = found[-1]


def _is_ready(due: Due, now: datetime) -> bool:
    """Whether its usage can be expected to be there."""
    made = due.subscription.created_at
    return due.period.end > made or now >= made + PATIENCE


async def _check_voidable(tx: Connection, period: ClosedPeriod) -> None:
    if period.status is Status.VOID:
        raise Conflict(f"statement {period.id} is void already")
    if period.status is not Status.CLOSED:
        raise Conflict(f"statement {period.id} is {period.status}; void its invoice first, by a credit note")
    if later := await store.later_adjustments(tx, period.id):
        numbers = ", ".join(map(str, later))
        raise Conflict(f"statement {period.id} is adjusted by statement {numbers}; void that first")
