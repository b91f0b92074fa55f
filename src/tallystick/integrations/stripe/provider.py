"""Stripe as the billing provider: bills, meters and messages as one thing, for one account.

Whose account it is, Stripe has to be asked; that is done with the first deed, so that a server starts without Stripe.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tallystick.core.clock import Clock
from tallystick.core.settings import Settings
from tallystick.integrations.billing_provider import BillingProvider, NullProvider, Synced
from tallystick.integrations.stripe.bills.api import BillApi
from tallystick.integrations.stripe.bills.service import Bills
from tallystick.integrations.stripe.client import is_live, is_local, open_client
from tallystick.integrations.stripe.meters.api import STREAM_BASE, MeterApi
from tallystick.integrations.stripe.meters.pace import UNLIMITED
from tallystick.integrations.stripe.meters.service import Meters
from tallystick.integrations.stripe.reconciling.service import Reconciliation
from tallystick.integrations.stripe.teams.service import StripeTeams
from tallystick.integrations.stripe.webhooks.handling import Handling
from tallystick.metering.service import Metering
from tallystick.storage.database import Database

PLAN_EVERY = timedelta(seconds=30)
"""How often a round looks for statements that were closed since."""

LOOK_EVERY = timedelta(minutes=1)
"""How often it looks at lanes that should be compared, and for usage that will be too late for its invoice soon."""


@dataclass(frozen=True, slots=True)
class StripeParts:
    """What an account of Stripe's consists of here.

    Attributes:
        account: its id and mode, such as `acct_1/test`.
        teams: who is which customer.
        bills: that are made here.
        meters: that are told usage.
        reconciliation: what they have counted, held against the ledger.
        messages: that Stripe sent.
        api: of the meters; it has threads of its own.
    """

    account: str
    teams: StripeTeams
    bills: Bills
    meters: Meters
    reconciliation: Reconciliation
    messages: Handling
    api: MeterApi

    @classmethod
    async def open(cls, settings: Settings, database: Database, metering: Metering, clock: Clock) -> "StripeParts":
        """The parts of the account that the key of the settings opens.

        Raises:
            ConfigurationError: there is no key, or an address that is not for it.
            StripeRefused: the key is not good, or Stripe can't be reached.
        """
        client, live, local = open_client(settings), is_live(settings), is_local(settings)
        streams = STREAM_BASE if live else settings.stripe_api_base if local else None
        api = await MeterApi.open(client, streams=streams, live=live)
        bills = Bills.open(database, clock, BillApi(client, api.account))
        grace = timedelta(hours=settings.stripe_grace_hours)
        meters = Meters.open(database, metering, clock, api, grace=grace, rate=UNLIMITED if local else None)
        return cls(
            account=api.account,
            teams=StripeTeams(database, clock, api.account),
            bills=bills,
            meters=meters,
            reconciliation=Reconciliation(meters, metering, clock),
            messages=Handling(database, clock, bills, live),
            api=api,
        )

    async def sync(self, teams: Sequence[str] | None = None) -> Synced:
        """Look at messages, make and issue bills, tell meters and look what they counted, as far as it goes now."""
        heard = await self.messages.run()
        planned = await self.bills.plan(teams)
        issued = await self.bills.issue_due(teams)
        told = await self.meters.sync(teams)
        compared = await self.reconciliation.tend()
        await self.messages.tidy()
        counts = {
            "messages": heard,
            "bills planned": planned.bills,
            "bills settled": issued.settled,
            "bills waiting": issued.waiting,
            "usage booked": told.booked,
            "usage accepted": told.accepted,
            "usage waiting": told.waiting,
            "lanes compared": len(compared),
        }
        drifts = tuple(each.line for each in compared if each.drift.is_wrong)
        return Synced(counts, planned.problems + issued.held + drifts)


@dataclass(slots=True)
class StripeProvider:
    """Stripe collects."""

    settings: Settings
    database: Database
    metering: Metering
    clock: Clock
    _parts: StripeParts | None = None
    _planned_at: datetime | None = None
    _looked_at: datetime | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        """What people call it."""
        return "Stripe"

    async def parts(self) -> StripeParts:
        """The account's parts, made once.

        Raises:
            ConfigurationError: there is no key, or an address that is not for it.
            StripeRefused: the key is not good, or Stripe can't be reached.
        """
        async with self._opening:
            if self._parts is None:
                self._parts = await StripeParts.open(self.settings, self.database, self.metering, self.clock)
        return self._parts

    async def sync(self, teams: Sequence[str] | None = None) -> Synced:
        """Look at messages, make and issue bills, tell meters and look what they counted, as far as it goes now."""
        return await (await self.parts()).sync(teams)

    async def tend(self) -> bool:
        """One message, one bill, one round of usage; every now and then a look for new bills."""
        parts, now = await self.parts(), self.clock.now()
        if self._planned_at is None or now - self._planned_at >= PLAN_EVERY:
            self._planned_at = now
            await parts.bills.plan()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            await parts.meters.warn()
            await parts.reconciliation.tend(sample=0)
        heard = await parts.messages.one()
        issued = await parts.bills.issue_one()
        return await parts.meters.tend() or heard or issued

    async def close(self) -> None:
        """Let threads go."""
        if self._parts is not None:
            self._parts.api.close()


def open_provider(settings: Settings, database: Database, metering: Metering, clock: Clock) -> BillingProvider:
    """Who collects by these settings: Stripe where there is a key of its, else nobody."""
    if settings.stripe_api_key is None or not settings.stripe_api_key.get_secret_value():
        return NullProvider()
    return StripeProvider(settings, database, metering, clock)
