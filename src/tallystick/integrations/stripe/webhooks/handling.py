"""Looks at what Stripe has told: fetches the thing fresh, and lets whoever it concerns know. Repeats change nothing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tallystick.core.clock import Clock
from tallystick.integrations.stripe.bills.service import Bills
from tallystick.integrations.stripe.client import call
from tallystick.integrations.stripe.meters.rejections import rejections_in, report_rejections, unnamed_since
from tallystick.integrations.stripe.outcomes import StripeRefused
from tallystick.integrations.stripe.teams import store as teams
from tallystick.integrations.stripe.teams.models import Mode
from tallystick.integrations.stripe.webhooks import store
from tallystick.integrations.stripe.webhooks.metered import MeteredInvoices
from tallystick.integrations.stripe.webhooks.models import Told
from tallystick.integrations.stripe.webhooks.store import Claimed
from tallystick.notifications.models import Notification
from tallystick.notifications.outbox import enqueue
from tallystick.storage.database import Connection, Database

LEASE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
PATIENCE = timedelta(days=3)
"""How long something is tried that Stripe can't be asked about. After that it is left, and says why."""

LONGEST_WAIT = timedelta(hours=6)
CLOSED_WITHIN = timedelta(days=40)
"""How long an invoice waits for the statement of its period, which is closed when the billing file's grace is over."""

METER_ERRORS = frozenset({"v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"})
KEPT = timedelta(days=90)


class NotYet(Exception):
    """What it is about is not there yet."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Looks at events of one account."""

    database: Database
    clock: Clock
    bills: Bills
    live: bool

    async def run(self) -> int:
        """Look at every event whose time has come; how many that were."""
        count = 0
        while await self.one():
            count += 1
        return count

    async def one(self) -> bool:
        """Look at one event; whether there was any."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            claimed = await store.claim(tx, now, now + LEASE)
        if claimed is None:
            return False
        try:
            outcome = await self._look(claimed.told)
        except (StripeRefused, NotYet) as error:
            await self._later(claimed, error)
            return True
        async with self.database.transaction() as tx:
            await store.processed(tx, claimed.told.id, outcome, self.clock.now())
        return True

    async def tidy(self) -> None:
        """Forget what was looked at long ago."""
        async with self.database.transaction() as tx:
            await store.tidy(tx, self.clock.now() - KEPT)

    async def _later(self, claimed: Claimed, error: StripeRefused | NotYet) -> None:
        now, waits = self.clock.now(), isinstance(error, NotYet)
        longest, patience = (LONGEST_WAIT, CLOSED_WITHIN) if waits else (LONGEST_PAUSE, PATIENCE)
        pause = min(FIRST_PAUSE * 2 ** min(claimed.attempts, 20), longest)
        async with self.database.transaction() as tx:
            if _is_gone(error) or now - claimed.received_at > patience:
                await store.processed(tx, claimed.told.id, str(error), now)
            else:
                await store.put_off(tx, claimed.told.id, str(error), now + pause)

    async def _look(self, told: Told) -> str:
        if told.live != self.live:
            return "of another mode than the key"
        if told.type in METER_ERRORS:
            return await self._meter_errors(told)
        if told.object_id is None:
            return "ignored"
        if told.type.startswith("invoice."):
            return await self._invoice(told.object_id)
        if told.type.startswith("customer.subscription."):
            return await self._subscription(told, told.object_id)
        if told.type in ("customer.updated", "customer.deleted"):
            return await self._customer(told.object_id)
        return "ignored"

    async def _invoice(self, id: str) -> str:
        bill = await self.bills.heard_of(id)
        if bill is not None:
            return f"bill {bill.id}"
        found = await MeteredInvoices(self.database, self.clock, self.bills.api).heard_of(id)
        if found is None:
            raise NotYet("its statement is not closed yet")
        return found

    async def _customer(self, id: str) -> str:
        found: Any = await call("look at a customer", self.bills.api.client.v1.customers.retrieve, id)
        if not getattr(found, "deleted", False):
            return "nothing changed for us"
        now = self.clock.now()
        async with self.database.transaction() as tx:
            team_id = await teams.customer_gone(tx, self.bills.api.account, id, now)
            if team_id is None:
                return "not ours"
            why = "Nothing of the team is billed by Stripe until it is another customer's: tallystick stripe setup."
            await self._tell(tx, f"customer:{id}:gone", team_id, f"{team_id}: its customer at Stripe is deleted", why)
        return f"team {team_id}"

    async def _subscription(self, told: Told, id: str) -> str:
        found: Any = await call("look at a subscription", self.bills.api.client.v1.subscriptions.retrieve, id)
        customer, status = str(getattr(found.customer, "id", found.customer)), str(found.status)
        async with self.database.transaction() as tx:
            changed = await teams.subscription_changed(tx, self.bills.api.account, customer, id, status)
            if changed is None:
                return "not ours"
            team_id, mode = changed
            if mode is Mode.METERS and status in ("canceled", "unpaid", "paused", "incomplete_expired"):
                why = f"Its subscription {id} is {status}, so usage that its meters are told is not billed."
                title = f"{team_id}: subscription at Stripe is {status}"
                await self._tell(tx, f"subscription:{id}:{status}", team_id, title, why)
        return f"team {team_id} {status} ({told.type})"

    async def _meter_errors(self, told: Told) -> str:
        """The data of a thin event is fetched; a report about what is long billed is taken note of all the same."""
        found: Any = await call("look at an event", self.bills.api.client.v2.core.events.retrieve, told.id)
        data = found.to_dict().get("data") or {}
        rejections, since = rejections_in(data), unnamed_since(data)
        async with self.database.transaction() as tx:
            now, account = self.clock.now(), self.bills.api.account
            done = await report_rejections(tx, rejections, now, account=account, since=since)
        return f"{done.rejected} rejected, {done.unknown} not ours"

    async def _tell(self, tx: Connection, key: str, team_id: str, title: str, why: str) -> None:
        content = {"title": title, "text": why, "facts": [{"label": "Team", "value": team_id}]}
        await enqueue(tx, [Notification(f"stripe:{key}", "stripe.customer", None, (), content, self.clock.now())])


def _is_gone(error: StripeRefused | NotYet) -> bool:
    return isinstance(error, StripeRefused) and error.outcome.status == 404
