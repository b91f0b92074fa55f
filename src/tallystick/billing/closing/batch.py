"""One batch: the periods of many teams, one of each, closed in one transaction.

    lock the teams ─▶ terms and usage as known at a sealed instant ─▶ lines and adjustments ─▶ the team's currency
                   ─▶ credits ─▶ statement, lines and digest ─▶ commit

What was not committed was not done: a process that is killed leaves no trace, and what is done again finds the
period closed. A batch that fails is taken apart until the team at fault stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tallystick.billing import credits
from tallystick.billing.accounts import Occasion, load_accounts
from tallystick.billing.adjustments import store as adjusting
from tallystick.billing.adjustments.models import NOTHING, Pending
from tallystick.billing.adjustments.service import Adjustments
from tallystick.billing.closing import store
from tallystick.billing.closing.inputs import inputs_of
from tallystick.billing.closing.models import Closed
from tallystick.billing.credits import Bill
from tallystick.billing.models import Account, Line, Statement, exact_sum
from tallystick.billing.periods import Period
from tallystick.billing.sealed import SealedCharging
from tallystick.billing.statements.assembly import converted, creditables
from tallystick.billing.statements.models import StatementKind, StatementLine, digest
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.models import Due, Team
from tallystick.catalog.rules import LateUsage
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO, plain, round_money
from tallystick.metering.service import Metering
from tallystick.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Batch:
    """Closes periods.

    Attributes:
        database: where the books are.
        metering: where the usage is.
        late_usage: what becomes of corrections of closed periods, of teams for which nothing else is said.
        known_at: a sealed instant: usage, prices and terms are those recorded up to it.
    """

    database: Database
    metering: Metering
    late_usage: LateUsage
    known_at: datetime

    async def close(self, due: Sequence[Due]) -> Closed:
        """Close these periods, at most one of a team; what others are closing just now is left to them."""
        async with self.database.transaction() as tx:
            held = await store.lock_teams(tx, [each.team.id for each in due])
            left = frozenset(each.team.id for each in due) - held
            mine = await self._still_due(tx, [each for each in due if each.team.id in held])
            if not mine:
                return Closed(left=left)
            occasions = [Occasion(team, subscription, *bounds(period)) for team, subscription, period in mine]
            as_of = max(self.known_at, *(each.period.end for each in mine))
            accounts = await load_accounts(tx, occasions, as_of=as_of, known_at=self.known_at)
            pending = await self._pending(tx, mine)
            statements = await self._statements(tx, accounts, pending)
            ids = await self._book(tx, statements, StatementKind.PERIOD)
            corrections = await self._book(tx, _apart(accounts, pending), StatementKind.CORRECTION)
            await adjusting.mark_rated(tx, [id for each in pending.values() for id in each.period_ids], self.known_at)
            count = sum(len(each.lines) for each in pending.values())
            return Closed(tuple(ids), tuple(corrections), count, left=left)

    async def _still_due(self, tx: Connection, due: Sequence[Due]) -> list[Due]:
        """Those that nobody has closed in the meantime, with the subscription as it is now that nobody changes it."""
        closed = await store.closed_starts(tx, [each.team.id for each in due])
        teams_held = await teams.teams_by_id(tx, [each.team.id for each in due])
        found = await teams.subscriptions_by_id(tx, list(teams_held), [each.subscription.id for each in due])
        mine = []
        for each in due:
            subscription = found.get(each.subscription.id)
            if subscription is None or each.period.start in closed.get(subscription.id, ()):
                continue
            team = teams_held[each.team.id]
            if subscription.schedule(team.zone).period_containing(each.period.start) == each.period:
                mine.append(Due(team, subscription, each.period))
        return mine

    async def _pending(self, tx: Connection, due: Sequence[Due]) -> Mapping[str, Pending]:
        rules = await store.late_usage(tx, [each.team.id for each in due], self.late_usage)
        held = {each.team.id: each.team for each in due if rules[each.team.id] is not LateUsage.CREDIT_NOTE}
        adjustments = Adjustments(self.metering.usage, self.metering.store)
        found = await adjustments.pending(tx, held, sealed=self.known_at) if held else {}
        return {
            team_id: _all_ignored(each) if rules[team_id] is LateUsage.IGNORE else each
            for team_id, each in found.items()
        }

    async def _statements(
        self, tx: Connection, accounts: Sequence[Account], pending: Mapping[str, Pending]
    ) -> list[Statement]:
        charging = SealedCharging(self.metering.usage, self.metering.store)
        lines = await charging.lines(accounts, sealed=self.known_at, as_of=accounts[0].as_of)
        charged = await converted(tx, accounts, lines, known_at=self.known_at)
        return [
            Statement(account, [*found, *_pending_of(account, pending).in_currency(account.billing_currency).lines])
            for account, found in zip(accounts, charged, strict=True)
        ]

    async def correct(self, held: Mapping[str, Team]) -> Closed:
        """Close a statement of adjustments alone for each closed period of these teams that is to be corrected."""
        async with self.database.transaction() as tx:
            locked = await store.lock_teams(tx, list(held))
            mine = {team_id: team for team_id, team in held.items() if team_id in locked}
            adjustments = Adjustments(self.metering.usage, self.metering.store)
            found = await adjustments.pending(tx, mine, sealed=self.known_at)
            statements = [each for pending in found.values() for each in pending.statements()]
            ids = await self._book(tx, statements, StatementKind.CORRECTION)
            await adjusting.mark_rated(tx, [id for each in found.values() for id in each.period_ids], self.known_at)
            return Closed(corrections=tuple(ids), adjustments=sum(len(each.lines) for each in statements))

    async def _book(self, tx: Connection, statements: Sequence[Statement], kind: StatementKind) -> list[int]:
        """Write the statements with their lines; their ids."""
        if not statements:
            return []
        opened = await store.open_statements(tx, [_opening(each) for each in statements], kind, self.known_at)
        booked = [(id, each) for id, each in zip(opened, statements, strict=True) if id is not None]
        paid = await self._pay(tx, booked)
        finished, lines = [], []
        for id, statement in booked:
            stored = _stored(statement)
            finished.append(self._finished(id, statement, stored, paid.get(id, ZERO)))
            lines += [(id, line) for line in stored]
        await store.insert_lines(tx, lines)
        await store.finish(tx, finished, self.known_at, self.known_at)
        return [id for id, _ in booked]

    async def _pay(self, tx: Connection, booked: Sequence[tuple[int, Statement]]) -> Mapping[int, Decimal]:
        """What credits pay, by statement."""
        bills = [
            Bill(statement.account.team.id, id, lines) for id, statement in booked if (lines := creditables(statement))
        ]
        burned = await credits.apply_many(tx, bills, self.known_at)
        return {id: exact_sum(each.amount for each in burns) for id, burns in burned.items()}

    def _finished(self, id: int, statement: Statement, lines: Sequence[StatementLine], paid: Decimal) -> store.Finished:
        subtotal = statement.subtotal
        assert subtotal is not None
        inputs = inputs_of(statement.account, self.known_at)
        credit = round_money(paid, statement.account.billing_currency or "")
        return store.Finished(id, subtotal, credit, EXACT.subtract(subtotal, credit), inputs, digest(inputs, lines))


def _pending_of(account: Account, pending: Mapping[str, Pending]) -> Pending:
    return pending.get(account.team.id, NOTHING)


def _apart(accounts: Sequence[Account], pending: Mapping[str, Pending]) -> list[Statement]:
    """Adjustments of what was closed in another currency than their team's next statement: they stand alone."""
    others = (_pending_of(each, pending).in_others(each.billing_currency) for each in accounts)
    return [statement for each in others for statement in each.statements()]


def bounds(period: Period) -> tuple[Interval, Interval]:
    """The period, and as long as it would be had the subscription not begun or ended inside it."""
    return period.interval, period.full


def _all_ignored(pending: Pending) -> Pending:
    return pending._replace(lines=[ignored(line) for line in pending.lines])


def ignored(line: Line) -> Line:
    """An adjustment that is recorded and charges nothing; its cause tells what it would have been."""
    assert line.adjusts is not None
    would_be = {
        "amount": plain(line.charge.amount if line.charge else ZERO),
        "total": plain(line.total or ZERO),
        "converted_total": plain(line.due or ZERO),
    }
    cause = replace(line.adjusts.cause, would_be=would_be)
    return replace(
        line,
        charge=None,
        total=None,
        conversion=None,
        reason="ignored",
        adjusts=replace(line.adjusts, cause=cause),
    )


def _opening(statement: Statement) -> store.Opening:
    account = statement.account
    assert account.subscription is not None
    assert account.billing_currency is not None
    return store.Opening(account.team.id, account.subscription.id, account.period, account.billing_currency)


def _stored(statement: Statement) -> list[StatementLine]:
    account = statement.account
    currency, billed = account.currency or "", account.billing_currency or ""
    return [StatementLine.of(line, place, currency, billed) for place, line in enumerate(statement.lines)]
