"""Bills as one thing: what the worker, webhooks and the command line call."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from uuid import uuid4

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, NotFound
from tallystick.integrations.stripe.bills import store
from tallystick.integrations.stripe.bills.api import BillApi
from tallystick.integrations.stripe.bills.following import Follower
from tallystick.integrations.stripe.bills.issuing import Differs, Issuer
from tallystick.integrations.stripe.bills.models import Bill, Kind, State, StripeInvoice
from tallystick.integrations.stripe.bills.planning import BillPlanner, Planned
from tallystick.integrations.stripe.bills.telling import tell
from tallystick.integrations.stripe.outcomes import Class, Outcome, StripeRefused
from tallystick.storage.database import Database

LEASE = timedelta(minutes=10)
"""How long whoever issues a bill has it for himself: longer than its calls may take."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
HELD_PAUSE = timedelta(hours=1)
"""Until what waits for somebody is tried again."""

ASKED_AGAIN = timedelta(hours=12)
"""How often Stripe is asked about what is open, should its webhooks be lost."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What a round did: bills that are out of our hands, that wait, and that wait for somebody, one line each."""

    settled: int = 0
    waiting: int = 0
    held: tuple[str, ...] = ()

    def __add__(self, other: "Issued") -> "Issued":
        return Issued(self.settled + other.settled, self.waiting + other.waiting, self.held + other.held)


@dataclass(frozen=True, slots=True)
class Bills:
    """The bills of one account, made by one installation."""

    database: Database
    clock: Clock
    api: BillApi
    planner: BillPlanner
    issuer: Issuer
    follower: Follower

    @classmethod
    def open(cls, database: Database, clock: Clock, api: BillApi) -> Self:
        """The bills of the account that `api` is for."""
        return cls(
            database,
            clock,
            api,
            BillPlanner(database, clock, api.account),
            Issuer(database, clock, api),
            Follower(database, clock),
        )

    async def plan(self, only: Sequence[str] | None = None) -> Planned:
        """Freeze a bill of everything that is to be billed."""
        return await self.planner.run(only)

    async def issue_due(self, only: Sequence[str] | None = None) -> Issued:
        """Give Stripe every bill whose time has come, and ask about those that are open for long."""
        done = Issued()
        while (bill := await self._claim(only)) is not None:
            done += await self._issue(*bill)
        while await self._ask(only):
            pass
        return done

    async def issue_one(self) -> bool:
        """Give Stripe one bill whose time has come, or ask about one; whether there was any."""
        bill = await self._claim(None)
        if bill is None:
            return await self._ask(None)
        await self._issue(*bill)
        return True

    async def heard_of(self, stripe_id: str) -> Bill | None:
        """Something happened to an invoice or credit note at Stripe: look at it; the bill that it is, if it is one.

        Raises:
            StripeRefused: it can't be looked at.
        """
        async with self.database.snapshot() as tx:
            bill = await store.find_by_stripe_id(tx, self.api.account, stripe_id)
        if bill is not None and bill.kind is Kind.INVOICE and bill.state is not State.RELEASED:
            await self._follow(bill, stripe_id)
        return bill

    async def again(self, bill_id: int) -> None:
        """Give a bill up, so that its statement is billed anew: one that is void, or that did not get to be final.

        Raises:
            NotFound: there is no such bill.
            Conflict: it stands at Stripe; void it there first.
            StripeRefused: its draft can't be taken away.
        """
        async with self.database.snapshot() as tx:
            bill = await store.find(tx, bill_id)
        if bill is None:
            raise NotFound(f"there is no bill {bill_id}")
        if bill.state not in (State.PLANNED, State.DRAFTED, State.VOID) or bill.kind is Kind.ITEMS:
            raise Conflict(f"bill {bill_id} is {bill.state}; void it at Stripe first")
        await self._forget_draft(bill)
        async with self.database.transaction() as tx:
            await store.release(tx, bill_id, self.clock.now())
            if bill.document_id is None:
                await store.open_again(tx, bill.period_id)

    async def resume(self, only: Sequence[str] | None = None) -> None:
        """Try at once what waits."""
        async with self.database.transaction() as tx:
            await store.resume(tx, self.api.account, only, self.clock.now())

    async def standing(self, only: Sequence[str] | None = None) -> list[store.Standing]:
        """How bills stand, team by team."""
        async with self.database.snapshot() as tx:
            return await store.standing(tx, only)

    async def page(
        self, limit: int, *, team_id: str | None = None, state: State | None = None, before: int = store.LAST
    ) -> list[Bill]:
        """Bills, the newest first."""
        async with self.database.snapshot() as tx:
            return await store.page(tx, limit, team_id=team_id, state=state, before=before)

    async def _claim(self, only: Sequence[str] | None) -> tuple[Bill, str] | None:
        now, lease = self.clock.now(), uuid4().hex
        async with self.database.transaction() as tx:
            bill = await store.claim(tx, self.api.account, only, lease=lease, now=now, until=now + LEASE)
        return None if bill is None else (bill, lease)

    async def _issue(self, bill: Bill, lease: str) -> Issued:
        try:
            await self.follower.settle(bill, await self.issuer.issue(bill))
        except StripeRefused as refused:
            return await self._put_off(bill, lease, refused.outcome, str(refused))
        except Differs as differs:
            return await self._put_off(bill, lease, Outcome(Class.POISON), str(differs))
        return Issued(settled=1)

    async def _put_off(self, bill: Bill, lease: str, outcome: Outcome, why: str) -> Issued:
        """Try again later: soon what was unlucky, seldom what waits for somebody, who is told."""
        now, passes = self.clock.now(), outcome.kind in (Class.UNKNOWN, Class.THROTTLED)
        pause = _pause(bill.failures) if passes else HELD_PAUSE
        async with self.database.transaction() as tx:
            hold = None if passes else why
            next_at = now if outcome.replayed else now + pause
            ours = await store.put_off(
                tx, bill.id, lease, now=now, next_at=next_at, hold=hold, new_key=outcome.replayed
            )
            if ours and hold is not None:
                await tell(tx, bill, "held", hold, now)
        return Issued(waiting=1, held=() if hold is None else (f"bill {bill.id} of {bill.team_id}: {hold}",))

    async def _ask(self, only: Sequence[str] | None) -> bool:
        now = self.clock.now()
        async with self.database.transaction() as tx:
            bill = await store.claim_open(tx, self.api.account, only, now=now, before=now - ASKED_AGAIN)
        if bill is None or bill.stripe_id is None:
            return False
        try:
            await self._follow(bill, bill.stripe_id)
        except StripeRefused:
            return False  # it is asked about again
        return True

    async def _follow(self, bill: Bill, stripe_id: str) -> StripeInvoice:
        found = await self.api.invoice(stripe_id)
        await self.follower.settle(bill, found)
        return found

    async def _forget_draft(self, bill: Bill) -> None:
        """Take what was begun at Stripe away: first its items, which would wait for the next invoice otherwise."""
        if bill.state is State.VOID:
            return
        found = await self._begun(bill)
        if found is None:
            return
        if found.status != "draft":
            raise Conflict(f"bill {bill.id} is {found.status} at Stripe; void it there first")
        lines = [line.id for line in await self.api.lines(found.id)]
        if lines:
            await self.api.remove_lines(found.id, lines)
        await self.api.delete_draft(found.id)

    async def _begun(self, bill: Bill) -> StripeInvoice | None:
        if bill.stripe_id is None:
            return await self.api.find_invoice(bill, bill.tried_at - timedelta(hours=1)) if bill.tried_at else None
        try:
            return await self.api.invoice(bill.stripe_id)
        except StripeRefused as refused:
            if refused.outcome.status == 404:
                return None
            raise


def _pause(failures: int) -> timedelta:
    longest: timedelta = min(FIRST_PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries
