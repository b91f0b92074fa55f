"""What the application consists of while it runs: made once, before the first request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tallystick.billing.service import Billing
from tallystick.billing.teams.registration import register_teams
from tallystick.core.clock import Clock, SystemClock
from tallystick.core.settings import Settings
from tallystick.http.keys.service import KeyService
from tallystick.integrations.billing_provider import BillingProvider
from tallystick.integrations.stripe.provider import open_provider
from tallystick.metering.service import Metering
from tallystick.notifications.service import Notifications
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts that endpoints and background loops work with.

    An endpoint finds each of them under its name here in `request.app.state`.

    Attributes:
        settings: how this installation runs.
        database: open; whoever opened it closes it.
        clock: where "now" comes from.
        keys: API keys.
        metering: events and usage.
        billing: teams, statements and reports.
        notifications: channels, and what is told by them.
        provider: who collects what teams owe.
        dev: ask for no key, and answer this machine alone.
    """

    settings: Settings
    database: Database
    clock: Clock
    keys: KeyService
    metering: Metering
    billing: Billing
    notifications: Notifications
    provider: BillingProvider
    dev: bool = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, database: Database, clock: Clock | None = None, *, dev: bool = False
    ) -> AsyncIterator["AppState"]:
        """Every service on this database while the block runs. The clock is the system's unless another is given."""
        clock = clock or SystemClock()
        register = register_teams if settings.auto_register_teams else None
        async with Metering.open(database, settings, clock, register) as metering:
            provider = open_provider(settings, database, metering, clock)
            try:
                yield cls(
                    settings=settings,
                    database=database,
                    clock=clock,
                    keys=KeyService(database, clock),
                    metering=metering,
                    billing=Billing.open(database, metering, clock),
                    notifications=Notifications(database, clock, settings),
                    provider=provider,
                    dev=dev,
                )
            finally:
                await provider.close()
